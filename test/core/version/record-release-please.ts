// Asks release-please itself what awkward ranges come to, and writes the answers as worked cases: npm run oracle. The tool
// is no dependency, for it asks for a newer Node.js than ours and brings a compiler along: install it beside, with
// npm install --no-save release-please@17
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import process from 'node:process'
import fc from 'fast-check'
import { unwrap } from '../../../src/core/problem.ts'
import type { BumpConfig, Commit } from '../../../src/core/version/schema.ts'
import { stepBetween } from '../../../src/core/version/step.ts'
import { parseVersion } from '../../../src/core/version/version.ts'
import { awkwardRange } from './awkward.ts'

interface Note {
  readonly title: string
  readonly text: string
}
interface Parsed {
  readonly notes: readonly Note[]
}
interface Section {
  readonly type: string
  readonly section: string
  readonly hidden: boolean
}
interface ToolVersion {
  toString(): string
}

const require = createRequire(import.meta.url)
const part = (path: string) => require(`release-please/build/src/${path}.js`)
const { parseConventionalCommits } = part('commit') as {
  parseConventionalCommits: (commits: readonly Commit[], log: object) => Parsed[]
}
const { DefaultVersioningStrategy } = part('versioning-strategies/default') as {
  DefaultVersioningStrategy: new (
    options: object,
  ) => { bump(from: ToolVersion, commits: readonly Parsed[]): ToolVersion }
}
const { DefaultChangelogNotes } = part('changelog-notes/default') as {
  DefaultChangelogNotes: new () => { buildNotes(commits: readonly Parsed[], options: object): Promise<string> }
}
const { Version } = part('version') as { Version: { parse(text: string): ToolVersion } }

const nothing = () => {}
const quiet = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing }

/** The sections that the tool hides unless told otherwise stay known to it: what breaks under them counts. */
const HIDDEN = ['feat', 'fix', 'perf', 'revert', 'chore', 'docs', 'style', 'refactor', 'test', 'build', 'ci']
const sectionsOf = (shown: readonly string[]): Section[] => [
  ...shown.map((type) => ({ type, section: type, hidden: false })),
  ...HIDDEN.filter((type) => !shown.includes(type)).map((type) => ({ type, section: type, hidden: true })),
]

/** As its strategy goes about it: parse, choose the version, write the changelog, and release where there is one. */
async function answerOf(config: BumpConfig, from: string, commits: readonly Commit[]) {
  const parsed = parseConventionalCommits(
    commits.map((commit) => ({ ...commit, files: [] })),
    quiet,
  )
  if (parsed.length === 0) return { bump: 'none', to: null }
  const asked = parsed.flatMap(({ notes }) => notes.filter(({ title }) => title === 'RELEASE AS'))[0]
  const strategy = new DefaultVersioningStrategy({
    bumpMinorPreMajor: config.preMajor?.breaking === 'minor',
    bumpPatchForMinorPreMajor: config.preMajor?.feature === 'patch',
    logger: quiet,
  })
  const to = String(asked ? Version.parse(asked.text) : strategy.bump(Version.parse(from), parsed))
  const notes = await new DefaultChangelogNotes().buildNotes(parsed, {
    ...{ owner: 'acme', repository: 'api', version: to, previousTag: `v${from}`, currentTag: `v${to}` },
    ...(config.visibleTypes === undefined ? {} : { changelogSections: sectionsOf(config.visibleTypes) }),
    ...{ targetBranch: 'main', commits: [] },
  })
  if (notes.split('\n').length <= 1) return { bump: 'none', to: null }
  return { bump: asked ? 'exact' : stepBetween(versionOf(from), versionOf(to)), to }
}

const versionOf = (text: string) => unwrap(parseVersion('semver', text))

const CONFIGS: readonly (readonly [from: string, config: BumpConfig])[] = [
  ['1.2.3', { preset: 'release-please' }],
  ['0.2.3', { preset: 'release-please' }],
  ['0.2.3', { preset: 'release-please', preMajor: { breaking: 'minor', feature: 'patch' } }],
  ['1.2.3', { preset: 'release-please', visibleTypes: ['feat', 'fix', 'docs', 'wip'] }],
]

const SEED = 17
const RANGES = Number(process.argv[3] ?? 400)
const rows: string[] = []
for (const [index, commits] of fc.sample(awkwardRange, { seed: SEED, numRuns: RANGES }).entries()) {
  const [from, config] = CONFIGS[index % CONFIGS.length] as (typeof CONFIGS)[number]
  const expect = await answerOf(config, from, commits)
  rows.push(JSON.stringify({ id: `range-${index}`, config, from, commits, expect }))
}
writeFileSync(process.argv[2] ?? 'test/core/version/answered-by-release-please.ndjson', `${rows.join('\n')}\n`)

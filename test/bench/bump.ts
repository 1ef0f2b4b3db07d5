import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { analyzeCommits } from '@semantic-release/commit-analyzer'
import createPreset from 'conventional-changelog-conventionalcommits'
import { CommitParser } from 'conventional-commits-parser'
import { Bumper } from 'conventional-recommended-bump'
import type { PresetName } from '../../src/core/version/schema.ts'
import { parseTagPattern } from '../../src/core/version/tags.ts'
import { computeVersion } from '../../src/git/compute-version.ts'
import { readCommits } from '../../src/git/read-commits.ts'

const commitCount = 10_000
const runs = 7
const coldRuns = 21

/** A mix like that of real histories: short subjects, squashed bodies, trailers, a few notes and reverts. */
const messageAt = (index: number): string =>
  [
    `fix(core): handle case ${index} (#${index})`,
    `chore(deps): update dependency example to v${index} (#${index})\n\nCo-authored-by: Bot <bot@example.com>`,
    `feat(api): add endpoint ${index}\n\n* feat: first step\n\n* test: cover it\n\n* docs: describe it\n\nCloses #${index}`,
    `docs: explain ${index}\n\n${'A paragraph of prose that wraps at some seventy columns or so.\n'.repeat(6)}`,
    `Merge pull request #${index} from someone/branch-${index}\n\nbuild: adjust step ${index}`,
    `refactor(ui): move ${index}\n\nSigned-off-by: Someone <someone@example.com>`,
    `Revert "fix: earlier ${index}"\n\nThis reverts commit ${index.toString(16).padStart(40, '0')}.`,
    `test: raise coverage ${index}`,
  ][index % 8] ?? ''

/** One commit that is released as 1.2.3, and the others since. */
function createHistory(directory: string): void {
  const commits = Array.from({ length: commitCount + 1 }, (_, index) => {
    const message = messageAt(index)
    const who = `committer Someone <someone@example.com> ${1_700_000_000 + index * 60} +0000`
    const tag = index === 0 ? 'reset refs/tags/v1.2.3\nfrom refs/heads/main\n\n' : ''
    return `commit refs/heads/main\n${who}\ndata ${Buffer.byteLength(message)}\n${message}\n${tag}`
  })
  execFileSync('git', ['init', '-q', '-b', 'main', directory])
  execFileSync('git', ['-C', directory, 'fast-import', '--quiet'], { input: commits.join('') })
  execFileSync('git', ['-C', directory, 'gc', '-q'])
}

type Contender = (directory: string) => Promise<string>

/** For those that cannot read git: the cheapest reading of the same range, handed to them for nothing. */
const read = (directory: string) => {
  const [from, to] = execFileSync('git', ['-C', directory, 'rev-parse', 'v1.2.3', 'HEAD'], { encoding: 'utf8' }).split(
    '\n',
  )
  return readCommits(directory, { from: from ?? '', to: to ?? '', withFiles: false, firstParent: false })
}

const pattern = parseTagPattern('v{version}')

/** The whole way that the Action and the command line go: tags, range, messages, decision. */
const own =
  (preset: PresetName): Contender =>
  async (directory) => {
    if (!pattern.ok) throw new Error('the pattern is refused')
    const { bump, version } = await computeVersion({
      ...{ directory, pattern: pattern.value, counts: null, path: null, config: { preset }, line: { kind: 'release' } },
      ...{ firstParent: false, ownRef: null, below: null },
    })
    return `${bump} to ${version}`
  }

const preset = createPreset()

/** Each goes from the repository to its answer. Who cannot read git gets the commits of our own reading. */
const contenders: readonly (readonly [name: string, contender: Contender])[] = [
  [
    'git log alone',
    async (directory) => {
      const range = ['-z', '--format=%H%x00%P%x00%B', 'v1.2.3..HEAD']
      execFileSync('git', ['-C', directory, 'log', ...range], { maxBuffer: 1 << 30 })
      return ''
    },
  ],
  ['ringmaster', own('ringmaster')],
  ['ringmaster: angular', own('angular')],
  ['ringmaster: conventionalcommits', own('conventionalcommits')],
  ['ringmaster: release-please', own('release-please')],
  [
    'commit-analyzer 13',
    async (directory) => {
      const commits = (await read(directory)).map(({ sha, message }) => ({ hash: sha, message }))
      const context = { cwd: directory, commits, logger: { log: () => undefined } }
      return (await analyzeCommits({ parserOpts: preset.parser }, context)) ?? 'none'
    },
  ],
  [
    'conventional-recommended-bump 11',
    async (directory) => {
      const found = await new Bumper(directory).loadPreset('conventionalcommits').bump()
      return 'releaseType' in found ? found.releaseType : 'none'
    },
  ],
  [
    'its parser + whatBump',
    async (directory) => {
      const parser = new CommitParser(preset.parser)
      const { level } = preset.whatBump((await read(directory)).map(({ message }) => parser.parse(message)))
      return ['major', 'minor', 'patch'][level] ?? 'none'
    },
  ],
]

const medianOf = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

const bestOf = (values: readonly number[]): number => Math.min(...values)

/** Measures every contender in turn, so that all of them share the machine's good and bad moments. */
async function benchRange(directory: string, write: (line: string) => void): Promise<void> {
  const times = new Map<string, number[]>(contenders.map(([name]) => [name, []]))
  const answers = new Map<string, string>()
  for (let run = 0; run < runs; run += 1) {
    for (const [name, contender] of contenders) {
      const started = performance.now()
      answers.set(name, await contender(directory))
      times.get(name)?.push(performance.now() - started)
    }
  }
  const git = medianOf(times.get('git log alone') ?? [])
  write(`${commitCount} commits, from git to answer, median of ${runs} runs`)
  for (const [name, all] of times) {
    const median = medianOf(all)
    const first = (all[0] ?? 0).toFixed(0)
    const ratio = (median / git).toFixed(2)
    write(`${name}: ${median.toFixed(0)} ms (first ${first} ms, ${ratio} x git log) ${answers.get(name) ?? ''}`)
  }
}

const program = resolve('dist/action/index.js')

const variables = (directory: string): NodeJS.ProcessEnv => ({
  ...{ PATH: process.env['PATH'], HOME: directory, GITHUB_WORKSPACE: directory, RINGMASTER_INPUT_COMMAND: 'bump' },
})

const timeOf = (args: readonly string[], env: NodeJS.ProcessEnv): number => {
  const started = performance.now()
  execFileSync(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 28 })
  return performance.now() - started
}

/** The bundled program as a step of a workflow starts it, beside a Node that does nothing. */
function benchColdStart(directory: string, write: (line: string) => void): void {
  const env = variables(directory)
  const git = (...args: string[]): void => void execFileSync('git', ['-C', directory, ...args], { stdio: 'ignore' })
  const starts: readonly (readonly [name: string, before: () => void, args: readonly string[]])[] = [
    ['node -e 0', () => undefined, ['-e', '0']],
    ['bump on a tagged commit', () => git('checkout', '-q', '--detach', 'v1.2.3'), [program]],
    ['bump on 20 commits', () => git('checkout', '-q', '--detach', 'main~9980'), [program]],
    [`bump on ${commitCount} commits`, () => git('checkout', '-q', '--detach', 'main'), [program]],
  ]
  const times = new Map<string, number[]>(starts.map(([name]) => [name, []]))
  for (let run = 0; run < coldRuns; run += 1) {
    for (const [name, before, args] of starts) {
      before()
      times.get(name)?.push(timeOf(args, env))
    }
  }
  const nothing = times.get('node -e 0') ?? []
  write(`the bundled Action as a process, median and best of ${coldRuns} runs`)
  for (const [name, all] of times) {
    const shown = [medianOf, bestOf].map(
      (of) => `${of(all).toFixed(0)} ms, ${(of(all) / of(nothing)).toFixed(2)} x node -e 0`,
    )
    write(`${name}: ${shown.join('; best ')}`)
  }
  for (const [name, bytes] of loadedBy(directory, env)) write(`loads ${name}: ${(bytes / 1024).toFixed(1)} KiB`)
}

/** Which files of the bundle a bump loads, as the engine itself recorded. */
function loadedBy(directory: string, env: NodeJS.ProcessEnv): [string, number][] {
  const coverage = join(directory, '.git', 'coverage')
  timeOf([program], { ...env, NODE_V8_COVERAGE: coverage })
  const urls = readdirSync(coverage).flatMap((file) => {
    const { result } = JSON.parse(readFileSync(join(coverage, file), 'utf8')) as { result: { url: string }[] }
    return result.map(({ url }) => url).filter((url) => url.includes('/dist/action/'))
  })
  return [...new Set(urls)].map((url) => [basename(url), statSync(new URL(url)).size])
}

/** `range` or `start` measures that part alone. */
export async function benchBump(write: (line: string) => void): Promise<void> {
  const [part = 'all'] = process.argv.slice(3)
  const directory = mkdtempSync(join(tmpdir(), 'bench-bump-'))
  try {
    createHistory(directory)
    execFileSync('git', ['-C', directory, 'reset', '-q', '--hard', 'main'])
    if (part !== 'start') await benchRange(directory, write)
    if (part === 'all') write('')
    if (part !== 'range') benchColdStart(directory, write)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

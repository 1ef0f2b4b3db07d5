import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { analyzeCommits } from '@semantic-release/commit-analyzer'
import createPreset from 'conventional-changelog-conventionalcommits'
import { CommitParser } from 'conventional-commits-parser'
import { decideBump } from '../../src/core/version/decide.ts'
import { readCommits } from '../../src/git/read-commits.ts'

const commitCount = 10_000
const runs = 7

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

function createHistory(directory: string): void {
  const commits = Array.from({ length: commitCount }, (_, index) => {
    const message = messageAt(index)
    const who = `committer Someone <someone@example.com> ${1_700_000_000 + index * 60} +0000`
    return `commit refs/heads/main\n${who}\ndata ${Buffer.byteLength(message)}\n${message}\n`
  })
  execFileSync('git', ['init', '-q', '-b', 'main', directory])
  execFileSync('git', ['-C', directory, 'fast-import', '--quiet'], { input: commits.join('') })
  execFileSync('git', ['-C', directory, 'gc', '-q'])
}

type Contender = (directory: string, head: string) => Promise<string>

const read = (directory: string, head: string) =>
  readCommits(directory, { from: null, to: head, withFiles: false, firstParent: false })

const own =
  (preset: 'ringmaster' | 'angular' | 'conventionalcommits' | 'release-please'): Contender =>
  async (directory, head) => {
    const decided = decideBump({ preset }, '1.2.3', await read(directory, head))
    return decided.ok ? decided.value.bump : 'refused'
  }

const preset = createPreset()

/** Each goes from the repository to its answer; the tools get their commits from the same reading of git. */
const contenders: readonly (readonly [name: string, contender: Contender])[] = [
  [
    'git log alone',
    async (directory, head) => {
      execFileSync('git', ['-C', directory, 'log', '-z', '--format=%H%x00%P%x00%B', head], { maxBuffer: 1 << 30 })
      return ''
    },
  ],
  ['ringmaster', own('ringmaster')],
  ['ringmaster: angular', own('angular')],
  ['ringmaster: conventionalcommits', own('conventionalcommits')],
  ['ringmaster: release-please', own('release-please')],
  [
    'commit-analyzer 13',
    async (directory, head) => {
      const commits = (await read(directory, head)).map(({ sha, message }) => ({ hash: sha, message }))
      const context = { cwd: directory, commits, logger: { log: () => undefined } }
      return (await analyzeCommits({ parserOpts: preset.parser }, context)) ?? 'none'
    },
  ],
  [
    'conventional-commits-parser + whatBump',
    async (directory, head) => {
      const parser = new CommitParser(preset.parser)
      const { level } = preset.whatBump((await read(directory, head)).map(({ message }) => parser.parse(message)))
      return ['major', 'minor', 'patch'][level] ?? 'none'
    },
  ],
]

const medianOf = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

/** Measures every contender in turn, so that all of them share the machine's good and bad moments. */
export async function benchBump(write: (line: string) => void): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-bump-'))
  try {
    createHistory(directory)
    const head = execFileSync('git', ['-C', directory, 'rev-parse', 'main'], { encoding: 'utf8' }).trim()
    const times = new Map<string, number[]>(contenders.map(([name]) => [name, []]))
    const answers = new Map<string, string>()
    for (let run = 0; run < runs; run += 1) {
      for (const [name, contender] of contenders) {
        const started = performance.now()
        answers.set(name, await contender(directory, head))
        times.get(name)?.push(performance.now() - started)
      }
    }
    const git = medianOf(times.get('git log alone') ?? [])
    write(`${commitCount} commits, from git to answer, median of ${runs} runs`)
    for (const [name, all] of times) {
      const first = (all[0] ?? 0).toFixed(0)
      const median = medianOf(all)
      const ratio = (median / git).toFixed(2)
      write(`${name}: ${median.toFixed(0)} ms (first ${first} ms, ${ratio} x git log) ${answers.get(name) ?? ''}`)
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

if (resolve(process.argv[1] ?? '') === fileURLToPath(import.meta.url)) {
  await benchBump((line) => process.stdout.write(`${line}\n`))
}

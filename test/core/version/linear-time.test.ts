import { describe, expect, it } from '@jest/globals'
import { decideBump } from '../../../src/core/version/decide.ts'
import type { Commit, PresetName } from '../../../src/core/version/schema.ts'

const shaOf = (index: number): string => index.toString(16).padStart(40, '0')

/** Whole pieces only: half a piece at the end can make another message of it. */
const repeated = (piece: string) => (characters: number) => piece.repeat(Math.ceil(characters / piece.length))
const behind = (head: string, piece: string) => (characters: number) => head + repeated(piece)(characters)

/** Messages that make careless patterns try again and again. */
const adversaries: readonly (readonly [string, (characters: number) => string])[] = [
  ['one long word', repeated('a')],
  ['one long word in another script', repeated('Ж')],
  ['signs in another script', repeated('、')],
  ['open brackets in the header', behind('feat', '(')],
  ['brackets that close again and again in the header', behind('feat(', '): ')],
  ['a header that breaks off at its very end', (n) => `feat(${repeated('a): ')(n)}\r`],
  ['nothing but line feeds', repeated('\n')],
  ['line feeds behind a header', (n) => `fix: a${repeated('\n')(n)}b`],
  ['carriage returns behind a header', (n) => `fix: a${repeated('\r')(n)}b`],
  ['blanks behind a revert', (n) => `Revert "${repeated(' ')(n)}x`],
  ['half a revert again and again', behind('Revert "x" ', 'This reverts commit ')],
  ['hashes that never end', behind('Revert "x"\n\nThis reverts commit ', 'abcdef0123456789')],
  ['footers that an ordinary line ends', (n) => `fix: a\n\n${repeated('a: b\n')(n)}no footer`],
  ['footers to the end', behind('fix: a\n\n', 'a: b\n')],
  ['footers with continuations', behind('fix: a\n\n', 'a: b\n c: d\n')],
  ['continuations without end', behind('fix: a\n\na: b\n', ' c: d\n')],
  ['nested commits', repeated('BEGIN_NESTED_COMMITfix: a')],
  ['paragraphs of half headers', repeated('\n\nfeat(')],
  ['breaking words in prose', behind('fix: a\n\n', 'BREAKING CHANGE ')],
  ['breaking lines', behind('fix: a\n\n', 'BREAKING CHANGE: x\n')],
  ['breaking lines that break off', behind('fix: a\n\n', 'BREAKING CHANGE:\n')],
  ['marks before a note', behind('fix: a\n\n', '| * ')],
  ['fences', behind('fix: a\n\n', '```\n')],
  ['ever longer fences', behind('fix: a\n\n', '`')],
  ['headers in the body', behind('fix: a\n\n', '* feat: b\n')],
  ['requests', behind('fix: a\n\n', 'Release-As: 1.2.x\n')],
  ['a request of digits', behind('fix: a\n\nRelease-As: ', '1')],
  ['fields', behind('fix: a\n\n', '-a-\nb\n')],
]

const presetNames = ['ringmaster', 'angular', 'conventionalcommits', 'release-please'] as const satisfies PresetName[]

/** Processor time, which the machine's other work disturbs less than the clock. */
function millisecondsFor(preset: PresetName, commits: readonly Commit[]): number {
  const before = process.cpuUsage()
  decideBump({ preset }, '1.2.3', commits)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/** The best of several runs: what disturbs a run only ever makes it longer. */
const bestOf = (runs: number, run: () => number): number => Math.min(...Array.from({ length: runs }, run))

const doublings = 3
/** A quadratic time gives 4. */
const LINEAR = 3

/**
 * How many times longer twice the input takes, as the mean of three doublings from where the collector of garbage has
 * begun to work, so that one step of it does not pass for a law; the smallest of a few tries, for machines that do other
 * things too.
 */
function growth(sizeOf: (size: number) => () => number, start: number, most: number): number {
  let size = start
  while (size < most && bestOf(2, sizeOf(size)) < 8) size *= 2
  let smallest = Number.POSITIVE_INFINITY
  for (let attempt = 0; attempt < 6 && smallest >= LINEAR; attempt += 1) {
    const once = bestOf(3, sizeOf(size))
    const largest = bestOf(3, sizeOf(size * 2 ** doublings))
    smallest = Math.min(smallest, (largest / Math.max(once, 0.5)) ** (1 / doublings))
  }
  return smallest
}

describe.each(presetNames)('the time of the preset %s', (preset) => {
  it.each(adversaries)('is linear in %s', (_, messageOf) => {
    const sizeOf = (size: number) => {
      const commits = [{ sha: shaOf(1), message: messageOf(size) }]
      return () => millisecondsFor(preset, commits)
    }
    expect(growth(sizeOf, 1 << 16, 1 << 20)).toBeLessThan(LINEAR)
  })

  it('is linear in the number of commits, reverts of reverts among them', () => {
    const sizeOf = (size: number) => {
      const commits = Array.from({ length: size }, (_, index) => {
        const older = shaOf(size - index - 1)
        const message = index % 3 === 0 ? 'feat: a' : `Revert "feat: a"\n\nThis reverts commit ${older}.`
        return { sha: shaOf(size - index), message }
      })
      return () => millisecondsFor(preset, commits)
    }
    expect(growth(sizeOf, 1000, 4000)).toBeLessThan(LINEAR)
  })

  it('takes a message of 5 MB in its stride', () => {
    const message = `feat: a\n\n${'word (and more) of prose: with `code` and BREAKING things\n'.repeat(90_000)}`
    expect(message.length).toBeGreaterThan(5_000_000)
    expect(millisecondsFor(preset, [{ sha: shaOf(1), message }])).toBeLessThan(3000)
  })

  it.each(['Ж', '、', 'feat(', 'feat: ', 'feat', 'é', '((Ж'])('reads 16 MB of %j', (piece) => {
    const message = repeated(piece)(16_000_000)
    expect(decideBump({ preset }, '1.2.3', [{ sha: shaOf(1), message }]).ok).toBe(true)
  })
})

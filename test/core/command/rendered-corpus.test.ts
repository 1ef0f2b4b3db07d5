import { readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { describe, expect, it } from '@jest/globals'
import { readCommands } from '../../../src/core/command/read-commands.ts'
import { isSubsequence, nameOf } from './bodies.ts'

interface Rendered {
  readonly body: string
  /** The lines of plain text that begin with a command, on the page that cmark-gfm makes of the body. */
  readonly shown: readonly string[]
}

const corpus = readFileSync('test/core/command/rendered-by-cmark-gfm.ndjson', 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Rendered)

const namesIn = (lines: readonly string[]): string[] => lines.flatMap((line) => nameOf(line) ?? [])

describe('a comment that another renderer has rendered', () => {
  it('holds no command that its page does not show as a line of plain text, and most of those that it shows', () => {
    let read = 0
    for (const { body, shown } of corpus) {
      const result = readCommands(body)
      const names = result.ok ? result.value.map(({ name }) => name) : []
      read += names.length
      expect({ body, names, isShown: isSubsequence(names, namesIn(shown)) }).toEqual({ body, names, isShown: true })
    }
    expect(corpus.length).toBeGreaterThan(1_000)
    const shown = corpus.flatMap((entry) => namesIn(entry.shown)).length
    expect(read / shown).toBeGreaterThan(0.7)
  })
})

const MOST = 3.3

function milliseconds(body: string): number {
  const start = performance.now()
  readCommands(body)
  return performance.now() - start
}

/** Of this process alone: what others do on the machine does not count. */
function cpuMilliseconds(body: string): number {
  const start = process.cpuUsage()
  readCommands(body)
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1_000
}

/** Four times for what is linear, sixteen for what is not. */
const MOST_OF_FOUR = 9

describe('the time that a comment takes', () => {
  it.each([
    ['quotes in quotes', '> > > quoted\n\n/status\n\n'],
    ['open brackets', '[a](b [c] ![d\n/status\n\n'],
    ['HTML that is never closed', '\n/status\n<p>\n\n\n'],
    ['deep quotes, which are refused', '> '],
    ['brackets alone', ']('],
  ])(
    'is linear up to the 65,536 characters that GitHub takes: %s',
    (_, part) => {
      const bodyOf = (length: number) => `${part.repeat(length / part.length).slice(0, length - 9)}\n/status\n`
      const [quarter, whole] = [bodyOf(16_384), bodyOf(65_536)]
      cpuMilliseconds(quarter)
      let least = Number.POSITIVE_INFINITY
      /** What takes a few milliseconds says nothing of growth, only of what stopped it. */
      for (let round = 0; round < 4 && least >= MOST_OF_FOUR; round += 1) {
        const [some, all] = [cpuMilliseconds(quarter), cpuMilliseconds(whole)]
        least = Math.min(least, all < 50 ? 0 : all / some)
      }
      expect(least).toBeLessThan(MOST_OF_FOUR)
    },
    60_000,
  )

  it.each([
    ['one paragraph', '/status and more\n'],
    ['quotes in quotes', '> > > quoted\n\n/status\n\n'],
    ['HTML', '<details>\n\n/status\n\n</details>\n\n'],
    ['open brackets', '[a](b [c] ![d\n/status\n\n'],
  ])('grows with its length and no faster: %s', (_, part) => {
    const bodyOf = (length: number) => part.repeat(Math.ceil(length / part.length)).slice(0, length)
    const [half, whole] = [bodyOf(4_000), bodyOf(8_000)]
    milliseconds(whole)
    /**
     * Twice for what is linear, four times for what is not. The best of several, taken in turn, and the least of a few
     * rounds of them: others use the machine, and what is not linear is so in every round.
     */
    const ratio = (): number => {
      const times = Array.from({ length: 7 }, () => [milliseconds(half), milliseconds(whole)] as const)
      const best = (which: 0 | 1) => Math.min(...times.map((pair) => pair[which]))
      return best(1) / best(0)
    }
    let least = ratio()
    for (let round = 1; round < 6 && least >= MOST; round += 1) least = Math.min(least, ratio())
    expect(least).toBeLessThan(MOST)
  })
})

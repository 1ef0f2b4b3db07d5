import { describe, expect, it } from '@jest/globals'
import { readCommands } from '../../../src/core/command/read-commands.ts'
import { bodyFrom, isSubsequence, longBodyFrom, nameOf } from './bodies.ts'
import { plainLines } from './rendered.ts'

const count = Number(process.env['RINGMASTER_FUZZ_BODIES'] ?? 3_000)
const seed = Number(process.env['RINGMASTER_FUZZ_SEED'] ?? 1)
/** One body in so many is a long one, up to what GitHub takes: rendering it takes as long as some thousand others. */
const LONG_EVERY = 1_000

describe('any comment whatever', () => {
  it(
    'is read without an exception, and only what the rendered page shows as a line of plain text',
    () => {
      let read = 0
      for (let run = 0; run < count; run += 1) {
        const isLong = run % LONG_EVERY === LONG_EVERY - 1
        const body = (isLong ? longBodyFrom : bodyFrom)(seed * 1_000_003 + run)
        const result = readCommands(body)
        if (!result.ok) {
          /** Only a long one can be more than is read in bounded time; who wrote it is told. */
          if (isLong && result.problems[0]?.code === 'body-too-intricate') continue
          throw new Error(`refused ${JSON.stringify(body)}`)
        }
        if (result.value.length === 0) continue
        read += result.value.length
        const names = result.value.map(({ name }) => name)
        const shown = plainLines(body)
          .map(nameOf)
          .filter((name) => name !== undefined)
        if (!isSubsequence(names, shown)) {
          throw new Error(`run ${run}: ${JSON.stringify(body)}: read ${names}, the page shows ${shown}`)
        }
      }
      expect(read).toBeGreaterThan(count / 20)
    },
    60 * 60_000,
  )

  it(
    'is read completely where nothing but Markdown is in it',
    () => {
      for (let run = 0; run < count; run += 1) {
        // Raw HTML, formulas, and what renders as a slash in column 0 without being typed there.
        const body = bodyFrom(seed * 2_000_003 + run)
          .replaceAll(/[<&\\$\uFEFF\u0000]/g, '')
          .replaceAll(/[ \t]+(?=\/)/g, '')
        const result = readCommands(body)
        const names = result.ok ? result.value.map(({ name }) => name) : ['refused']
        const shown = plainLines(body)
          .map(nameOf)
          .filter((name) => name !== undefined)
        expect(JSON.stringify({ run, body, names })).toBe(JSON.stringify({ run, body, names: shown }))
      }
    },
    60 * 60_000,
  )
})

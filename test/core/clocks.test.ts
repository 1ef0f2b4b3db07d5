import { expect, it } from '@jest/globals'
import { hasPassed } from '../../src/core/clocks.ts'

it.each([
  ['before', 1_000, 60, 1_059, false],
  ['at the end', 1_000, 60, 1_060, true],
  ['long after', 1_000, 60, 9_000, true],
  ['by a clock that was set back', 1_000, 60, 999, true],
  ['where it never began', Number.NEGATIVE_INFINITY, 60, 0, true],
])('time has passed %s', (_, sinceMs, lastingMs, nowMs, expected) => {
  expect(hasPassed(sinceMs, lastingMs, nowMs)).toBe(expected)
})

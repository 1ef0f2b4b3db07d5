import { expect, it } from '@jest/globals'
import { isNestedAtMost } from '../../src/core/nesting.ts'

it.each<[string, unknown, number, boolean]>([
  ['a scalar', 'x', 0, true],
  ['nothing', null, 0, true],
  ['an empty list', [], 0, true],
  ['a list of one', [1], 0, false],
  ['a list of one', [1], 1, true],
  ['the deepest of several members', { a: 1, b: { c: [2] } }, 2, false],
  ['the deepest of several members', { a: 1, b: { c: [2] } }, 3, true],
  ['what ends whoever walks through it', JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`), 64, false],
])('%s', (_, value, levels, expected) => {
  expect(isNestedAtMost(value, levels)).toBe(expected)
})

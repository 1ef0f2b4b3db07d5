import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Lru } from '../../src/ledger/lru.ts'

const LIMIT = 20
const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'] as const

const anySteps = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('set' as const), key: fc.constantFrom(...KEYS), size: fc.integer({ min: 1, max: 9 }) }),
    fc.record({
      do: fc.constantFrom('get' as const, 'delete' as const, 'copy' as const),
      key: fc.constantFrom(...KEYS),
    }),
  ),
  { maxLength: 60 },
)

it('holds the entries used last, as many as fit', () => {
  fc.assert(
    fc.property(anySteps, (steps) => {
      let lru = new Lru<string, { readonly size: number }>(LIMIT, ({ size }) => size)
      /** Oldest use first. */
      let expected: { readonly key: string; readonly value: { readonly size: number } }[] = []
      for (const step of steps) {
        const { key } = step
        const found = expected.find((entry) => entry.key === key)
        if (step.do === 'copy') lru = lru.copy()
        else expected = expected.filter((entry) => entry !== found)
        if (step.do === 'get') {
          expect(lru.get(key)).toBe(found?.value)
          if (found) expected.push(found)
        } else if (step.do === 'delete') lru.delete(key)
        else if (step.do === 'set') {
          const value = { size: step.size }
          lru.set(key, value)
          expected.push({ key, value })
        }
        while (expected.reduce((sum, { value }) => sum + value.size, 0) > LIMIT) expected.shift()
      }
      const held = lru.copy()
      expect(KEYS.filter((key) => held.get(key) !== undefined)).toEqual(
        KEYS.filter((key) => expected.some((entry) => entry.key === key)),
      )
    }),
  )
})

it('counts each entry for one where nothing is said of sizes', () => {
  const lru = new Lru<string, string>(2)
  for (const key of ['a', 'b', 'a', 'c']) lru.set(key, key)
  expect(['a', 'b', 'c'].map((key) => lru.get(key))).toEqual(['a', undefined, 'c'])
})

it('keeps nothing that is larger than all there is room for', () => {
  const lru = new Lru<string, number>(2, (size) => size)
  lru.set('small', 1)
  lru.set('large', 3)
  expect([lru.get('small'), lru.get('large')]).toEqual([undefined, undefined])
})

import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { z } from 'zod'
import { CATALOGUE, type EventType } from '../../src/core/catalogue.ts'
import { LedgerEvent, NO_PREVIOUS } from '../../src/core/event.ts'
import { quickCheck } from '../../src/core/quick-check.ts'
import { build, byJob, configuredWorld, givenRelease, recorded, runEnded } from './decided.ts'

const accepts = (schema: z.ZodType, value: unknown): boolean => schema.safeParse(value).success

function lines(): readonly LedgerEvent[] {
  const world = configuredWorld()
  world.ask(build())
  givenRelease(world, { signoff: 'approved' })
  world.ask(recorded({ status: 'started', statusId: 2 }))
  world.ask(byJob({ status: 'started', environment: 'integration' }))
  world.ask(runEnded())
  return world.log.map((line) => JSON.parse(JSON.stringify({ ...line, prev: NO_PREVIOUS })))
}
const LINES = lines()

const json = fc.jsonValue({ maxDepth: 2, stringUnit: 'binary' })
const odd = fc.oneof(
  json,
  fc.constantFrom<unknown>(undefined, Number.NaN, 0.5, -1, 2 ** 53, '', '\u{1F600}', 'x'.repeat(401), [], [undefined]),
)

/** A value with something else in one of its places, a member more, or a member less. */
function harmed(value: unknown): fc.Arbitrary<unknown> {
  if (typeof value !== 'object' || value === null) return odd
  const names = Object.keys(value)
  const bent = (name: string) =>
    harmed((value as Record<string, unknown>)[name]).map((member) =>
      Array.isArray(value)
        ? value.map((item, at) => (String(at) === name ? member : item))
        : { ...value, [name]: member },
    )
  const less = (name: string) =>
    fc.constant(Object.fromEntries(Object.entries(value).filter(([other]) => other !== name)))
  const more = fc.tuple(fc.constantFrom('extra', '__proto__', 'constructor', ''), odd).map(([name, member]) => {
    const copy = { ...value }
    Object.defineProperty(copy, name, { value: member, enumerable: true })
    return copy
  })
  return fc.oneof(odd, more, ...names.flatMap((name) => [bent(name), bent(name), less(name)]))
}

const KINDS: readonly (readonly [string, z.ZodType])[] = [
  ['a text of some characters', z.string().min(2).max(3)],
  ['a text with a pattern that keeps its place', z.string().regex(/^a/g)],
  ['an address', z.url()],
  ['an instant', z.iso.datetime()],
  ['a text that is trimmed', z.string().trim().min(1)],
  ['a text that is made of anything', z.coerce.string()],
  ['a number', z.number().min(0).lt(1)],
  ['a whole number', z.int().positive()],
  ['a small whole number', z.int32()],
  ['one of some words or nothing', z.enum(['', 'x']).nullable().optional()],
  ['a list', z.array(z.union([z.string(), z.null()])).min(1)],
  ['a list of what may be left out', z.array(z.string().optional())],
  ['a strict object', z.strictObject({ a: z.string(), b: z.int().optional() })],
  ['a loose object', z.looseObject({ a: z.string() })],
  ['an object that drops what it does not know', z.object({ a: z.unknown() })],
  ['an object with a name that all objects have', z.strictObject({ constructor: z.string() })],
  ['an object with a rule of its own', z.object({ a: z.string() }).refine(({ a }) => a !== '')],
  ['a record', z.record(z.string(), z.boolean())],
  ['something with a default', z.strictObject({ a: z.string().default('x') })],
]

describe('the quick check of a schema', () => {
  it.each(KINDS)('never takes for %s what zod refuses', (_, schema) => {
    const check = quickCheck(schema)
    const value = fc.oneof(odd, fc.dictionary(fc.constantFrom('a', 'b', 'constructor', 'x'), odd))
    fc.assert(
      fc.property(value, (given) => {
        if (check(given)) expect(accepts(schema, given)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  it('takes every line of a log and its data without asking zod, and no line that zod refuses', () => {
    const isLine = quickCheck(LedgerEvent)
    for (const line of LINES) {
      expect(isLine(line)).toBe(true)
      expect(quickCheck(CATALOGUE[line.type as EventType])(line.data)).toBe(true)
    }
    fc.assert(
      fc.property(fc.constantFrom(...LINES).chain(harmed), (given) => {
        if (isLine(given)) expect(accepts(LedgerEvent, given)).toBe(true)
        const line: unknown = JSON.parse(JSON.stringify(given ?? null))
        if (isLine(line)) expect(accepts(LedgerEvent, line)).toBe(true)
        // The only texts it leaves to zod are those whose characters have to be counted.
        else if (accepts(LedgerEvent, line)) expect(JSON.stringify(line)).toMatch(/[\u{10000}-\u{10FFFF}]/u)
      }),
      { numRuns: 600 },
    )
  })

  it('takes no data of an event that zod refuses', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...LINES).chain(({ type, data }) => fc.tuple(fc.constant(type as EventType), harmed(data))),
        ([type, data]) => {
          if (quickCheck(CATALOGUE[type])(data)) expect(accepts(CATALOGUE[type], data)).toBe(true)
        },
      ),
      { numRuns: 600 },
    )
  })

  it('is made once for each schema', () => {
    expect(quickCheck(LedgerEvent)).toBe(quickCheck(LedgerEvent))
  })
})

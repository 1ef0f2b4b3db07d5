import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Budget } from '../../src/github/budget.ts'
import { allowanceOf, atRest, moved, spacingOf, type Trail, type Urgency, waitOf } from '../../src/github/pacing.ts'
import { randomFrom } from '../faults/random.ts'

const PUSHES_PER_MINUTE = 6
const SPACING_MS = spacingOf(PUSHES_PER_MINUTE)
const TEN_MINUTES_MS = 600_000
const HOUR_MS = 3_600_000

interface Change {
  readonly atMs: number
  readonly urgency: Urgency
}

interface Course {
  readonly commitsMs: readonly number[]
  /** Milliseconds from each change to its commit being sent, and to its being durable. */
  readonly waits: Readonly<Record<Urgency, readonly number[]>>
  readonly durable: Readonly<Record<Urgency, readonly number[]>>
}

const URGENCIES: readonly Urgency[] = ['answer', 'gate', 'none']

/** The log's own rule, one commit at a time and each with everything that has come, by a clock that only this moves. */
function course(changes: readonly Change[], latencyMs: () => number): Course {
  const coming = changes.toSorted((a, b) => a.atMs - b.atMs)
  const budget = new Budget(allowanceOf(PUSHES_PER_MINUTE))
  const commitsMs: number[] = []
  const waits: Record<Urgency, number[]> = { answer: [], gate: [], none: [] }
  const durable: Record<Urgency, number[]> = { answer: [], gate: [], none: [] }
  let trail: Trail = atRest
  let nowMs = 0
  let next = 0
  while (next < coming.length) {
    const first = next
    nowMs = Math.max(nowMs, coming[first]?.atMs ?? 0)
    for (;;) {
      while ((coming[next]?.atMs ?? Number.POSITIVE_INFINITY) <= nowMs) next += 1
      const urgency = URGENCIES.find((one) => coming.slice(first, next).some((change) => change.urgency === one))
      const allowance = (reserve: number) => budget.waitMs(nowMs, 1, reserve)
      const waitMs = waitOf(trail, { nowMs, urgency: urgency ?? 'none', spacingMs: SPACING_MS, allowance })
      if (waitMs === 0) break
      nowMs = Math.min(nowMs + waitMs, coming[next]?.atMs ?? Number.POSITIVE_INFINITY)
    }
    budget.spend(nowMs, 1)
    trail = moved(trail, nowMs, SPACING_MS)
    commitsMs.push(nowMs)
    const durableMs = nowMs + latencyMs()
    for (const { atMs, urgency } of coming.slice(first, next)) {
      waits[urgency].push(nowMs - atMs)
      durable[urgency].push(durableMs - atMs)
    }
    nowMs = durableMs
  }
  return { commitsMs, waits, durable }
}

const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN

const spread = (random: () => number, count: number, urgency: Urgency): Change[] =>
  Array.from({ length: count }, () => ({ atMs: random() * HOUR_MS, urgency }))

/** Median 1.5 s, 99th percentile 6 s. */
const commitLatency = (random: () => number) => (): number => {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  return 1_500 * Math.exp((Math.log(4) / 2.326) * normal)
}

describe('an hour of 10,000 changes with a command every minute', () => {
  it.each([1, 2, 3, 4, 5])('takes few commits, and nothing waits long: seed %i', (seed) => {
    const random = randomFrom(seed)
    const changes = [...spread(random, 10_000, 'none'), ...spread(random, 60, 'answer')]
    const { commitsMs, waits, durable } = course(changes, commitLatency(random))
    expect(commitsMs.length).toBeLessThanOrEqual(190)
    expect(percentile(durable.none, 0.5)).toBeLessThan(15_000)
    expect(percentile(durable.none, 0.99)).toBeLessThan(30_000)
    expect(percentile(waits.answer, 0.5)).toBe(0)
    expect(percentile(durable.answer, 0.5)).toBeLessThan(3_000)
  })
})

describe('the pace of commits', () => {
  it('holds answers up by nothing but the commit that is under way, two a minute beside 10,000 changes', () => {
    const random = randomFrom(7)
    const changes = [...spread(random, 10_000, 'none'), ...spread(random, 120, 'answer')]
    const { waits } = course(changes, () => 1_500)
    expect(percentile(waits.answer, 0.95)).toBeLessThanOrEqual(1_500)
  })

  it('lets answers go at once where gates use up everything that is theirs', () => {
    const random = randomFrom(8)
    const changes = [...spread(random, 5_000, 'gate'), ...spread(random, 60, 'answer')]
    const { waits } = course(changes, () => 0)
    expect(percentile(waits.answer, 0.95)).toBe(0)
    expect(percentile(waits.gate, 0.99)).toBeLessThan(25_000)
  })

  it('is a commit for each change where changes are rare', () => {
    const changes = Array.from({ length: 100 }, (_, index): Change => ({ atMs: index * 30_000, urgency: 'none' }))
    const { commitsMs } = course(changes, () => 1_500)
    expect(commitsMs).toEqual(changes.map(({ atMs }) => atMs))
  })

  it('never exceeds what GitHub recommends in any ten minutes, and forgets nothing', () => {
    const anyChanges = fc.array(
      fc.record({ atMs: fc.integer({ min: 0, max: HOUR_MS }), urgency: fc.constantFrom(...URGENCIES) }),
      { minLength: 1, maxLength: 400 },
    )
    fc.assert(
      fc.property(anyChanges, fc.integer({ min: 0, max: 6_000 }), (changes, latencyMs) => {
        const { commitsMs, waits } = course(changes, () => latencyMs)
        expect(URGENCIES.reduce((sum, urgency) => sum + waits[urgency].length, 0)).toBe(changes.length)
        for (const atMs of commitsMs) {
          const within = commitsMs.filter((other) => other >= atMs && other <= atMs + TEN_MINUTES_MS)
          expect(within.length).toBeLessThanOrEqual(60)
        }
      }),
      { numRuns: 50 },
    )
  })
})

import { createHash } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { bucketOf, pseudonymDigest } from '../../../src/core/cohort/bucket.ts'
import { instantMs } from '../../../src/core/cohort/instant.ts'
import { rampThreshold, staticAdmission } from '../../../src/core/cohort/phase.ts'
import {
  countRange,
  countThreshold,
  grownCountThreshold,
  listedBuckets,
  permittedBy,
  type SortedRoster,
  sortRoster,
  tallyOf,
} from '../../../src/core/cohort/roster.ts'
import {
  EVERYBODY,
  formatThreshold,
  grown,
  parseThreshold,
  percentText,
  sharePermissions,
  shareThreshold,
} from '../../../src/core/cohort/threshold.ts'

const NOW = instantMs('2026-11-20T12:00:00Z') ?? 0
const scope = { cohort: 'eu', release: 'rel_1', salt: 'a1' }

const device = (pseudonym: string, more: { epoch?: number; tags?: string[] } = {}) => ({
  tags: [],
  quarantined: false,
  pseudonym,
  ...more,
})

const admit = (phase: unknown, of: ReturnType<typeof device>, nowMs = NOW) =>
  staticAdmission(scope.cohort).of(scope.release, phase)(of, nowMs)

function rosterOf(size: number, salt = 'a1'): SortedRoster {
  const sorted = sortRoster(
    { ...scope, salt },
    Array.from({ length: size }, (_, i) => `p-${i}`),
  )
  if (!sorted.ok) throw new Error(sorted.problems[0]?.message)
  return sorted.value
}

const shareText = fc.nat(1000).map((thousandths) => (thousandths / 1000).toFixed(3))

describe('a bucket', () => {
  it('is the framed digest, written out by hand', () => {
    const bytes = Buffer.from('phase/1\0\0\0\u0002eu\0\0\0\u0005rel_1\0\0\0\u0002a1\0\0\0\u0003p-7', 'utf8')
    expect(bucketOf(scope, 'p-7')).toBe(createHash('sha256').update(bytes).digest('hex').slice(0, 32))
  })

  it('differs where the same letters are divided otherwise', () => {
    const buckets = ['ab', 'a'].map((cohort) =>
      bucketOf({ cohort, release: cohort === 'ab' ? 'c' : 'bc', salt: 's' }, 'd'),
    )
    expect(new Set(buckets).size).toBe(2)
  })

  it('cannot be told from the digest that names a device in a list', () => {
    expect(pseudonymDigest({ id: 'rel_1', salt: 'a1' }, 'p-7')).not.toBe(bucketOf(scope, 'p-7'))
  })

  it('of two channel releases have nothing to do with each other', () => {
    // 4,000 devices, halves of two releases: 1,000 expected in both; 5 standard deviations of a hypergeometric are 79.
    const half = shareThreshold('0.5') ?? 0n
    const below = (release: string) =>
      Array.from({ length: 4000 }, (_, i) => BigInt(`0x${bucketOf({ ...scope, release }, `p-${i}`)}`) < half)
    const [first, second] = [below('rel_1'), below('rel_2')]
    const both = first.filter((isIn, i) => isIn && second[i]).length
    expect(Math.abs(both - 1000)).toBeLessThan(160)
  })
})

describe('a share', () => {
  it('of 29 percent of a hundred devices is 29 permissions', () => {
    expect(sharePermissions('0.29', 100)).toBe(29)
  })

  it.each(['00.5', '01', '1.01', '+0.5', ' 0.5', '0.5 ', '0,5', '50%', '٠', '0.5\n', '1.000000000000000001'])(
    'refuses %j',
    (text) => {
      expect(shareThreshold(text)).toBeUndefined()
    },
  )

  it.each([
    ['0', '0'],
    ['1', '100'],
    ['0.25', '25'],
    ['0.0001', '0.01'],
    ['0.333', '33.3'],
    ['0.99999', '99.99'],
  ])('of %s is shown as %s percent, never rounded up', (share, percent) => {
    // A threshold is rounded down to a bucket, so one bucket is added back before people see it.
    const threshold = shareThreshold(share) ?? 0n
    expect(percentText(threshold === 0n || threshold === EVERYBODY ? threshold : threshold + 1n)).toBe(percent)
  })

  it('that grows never takes a permission back', () => {
    fc.assert(
      fc.property(shareText, shareText, fc.nat(10_000), (before, wanted, number) => {
        const old = shareThreshold(before) ?? 0n
        const next = grown(old, shareThreshold(wanted) ?? 0n)
        const phaseOf = (threshold: bigint) => ({ kind: 'share', salt: 'a1', threshold: formatThreshold(threshold) })
        const was = admit(phaseOf(old), device(`p-${number}`))
        const is = admit(phaseOf(next), device(`p-${number}`))
        expect(is.admitted || !was.admitted).toBe(true)
      }),
    )
  })

  it('is admitted by text exactly as by number', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: EVERYBODY }), fc.nat(1_000_000), (threshold, number) => {
        const phase = { kind: 'share', salt: 'a1', threshold: formatThreshold(threshold), epoch: null }
        const bucket = BigInt(`0x${bucketOf(scope, `p-${number}`)}`)
        expect(admit(phase, device(`p-${number}`)).admitted).toBe(bucket < threshold)
      }),
    )
  })

  it('ends below its threshold: a device whose bucket is the threshold is outside, one more lets it in', () => {
    const bucket = BigInt(`0x${bucketOf(scope, 'p-1')}`)
    const at = (threshold: bigint) =>
      admit({ kind: 'share', salt: 'a1', threshold: formatThreshold(threshold) }, device('p-1'))
    expect([at(bucket).code, at(bucket + 1n).code]).toEqual(['above_threshold', 'bucket'])
  })

  it('is read back as it was written', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: EVERYBODY }), (threshold) => {
        expect(parseThreshold(formatThreshold(threshold))).toBe(threshold)
      }),
    )
  })
})

describe('an exact count', () => {
  it.each([1, 2, 7, 300])('of every N up to a roster of %i admits exactly N', (size) => {
    const roster = rosterOf(size)
    for (let at = 1; at < size; at += 1) expect((roster.buckets[at - 1] ?? '') < (roster.buckets[at] ?? '')).toBe(true)
    for (let count = 0; count <= size + 1; count += 1) {
      const threshold = countThreshold(roster, count)
      const admitted = roster.buckets.filter((bucket) => BigInt(`0x${bucket}`) < threshold).length
      expect(admitted).toBe(Math.min(count, size))
      const { from, to } = countRange(roster, count)
      expect(threshold >= from && threshold <= to).toBe(true)
    }
  })

  it('of every N up to a roster of two thousand lies between the Nth bucket and the next', () => {
    const roster = rosterOf(2000)
    const edges = [-1n, ...roster.buckets.map((bucket) => BigInt(`0x${bucket}`)), EVERYBODY]
    for (let count = 0; count <= 2000; count += 1) {
      const threshold = countThreshold(roster, count)
      expect(threshold > (edges[count] ?? EVERYBODY) && threshold <= (edges[count + 1] ?? -1n)).toBe(true)
    }
  })

  it('stands on no device: its threshold is neither a bucket nor one more', () => {
    const roster = rosterOf(300)
    const edges = new Set(roster.buckets.flatMap((bucket) => [BigInt(`0x${bucket}`), BigInt(`0x${bucket}`) + 1n]))
    for (let count = 1; count < 300; count += 1) expect(edges.has(countThreshold(roster, count))).toBe(false)
  })

  it('holds when more devices enrol later, because they are of a later epoch', () => {
    const phase = { kind: 'share', salt: 'a1', threshold: formatThreshold(countThreshold(rosterOf(50), 10)), epoch: 4 }
    const fleet = Array.from({ length: 200 }, (_, i) => device(`p-${i}`, { epoch: i < 50 ? 4 : 5 }))
    expect(fleet.filter((one) => admit(phase, one).admitted).length).toBe(10)
  })

  it('never takes a permission back when it grows, shrinks, or the roster grows', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.nat(60),
        fc.nat(60),
        fc.nat(60),
        (size, joined, first, second) => {
          const before = countThreshold(rosterOf(size), first)
          const after = grownCountThreshold(rosterOf(size + joined), second, before)
          expect(after).toBeGreaterThanOrEqual(before)
          expect(permittedBy(rosterOf(size + joined), after)).toBeGreaterThanOrEqual(Math.min(second, size + joined))
        },
      ),
      { numRuns: 60 },
    )
  })

  it('as a list admits exactly those', () => {
    const roster = rosterOf(40)
    const phase = { kind: 'list', salt: 'a1', buckets: listedBuckets(roster, 5) }
    const fleet = Array.from({ length: 80 }, (_, i) => device(`p-${i}`))
    expect(fleet.filter((one) => admit(phase, one).admitted).length).toBe(5)
  })

  it('publishes how many are permitted and left, and nobody', () => {
    const roster = rosterOf(40)
    expect(tallyOf(roster, countThreshold(roster, 12))).toEqual({ enrolled: 40, permitted: 12, left: 28 })
    expect(tallyOf(rosterOf(0), countThreshold(rosterOf(0), 3))).toEqual({ enrolled: 0, permitted: 0, left: 0 })
  })

  it('is refused for a roster that holds a device twice or without a name, both said at once', () => {
    const result = sortRoster(scope, ['p-1', '', 'p-2', 'p-1'])
    expect(result.ok ? [] : result.problems.map(({ code }) => code)).toEqual(['pseudonym-empty', 'pseudonym-repeated'])
    expect(result.ok ? '' : result.problems[1]?.message).toContain('"p-1"')
  })
})

describe('a ramp', () => {
  const ramp = {
    from: '0',
    to: formatThreshold(EVERYBODY),
    startsAt: '2026-11-20T00:00:00Z',
    endsAt: '2026-11-21T00:00:00Z',
    until: '2026-11-20T15:00:00Z',
  }

  it('only grows, and stands still at its bound', () => {
    const second = fc.integer({ min: -3600, max: 200_000 })
    const at = (offset: number) => new Date(Date.parse(ramp.startsAt) + offset * 1000).toISOString()
    fc.assert(
      fc.property(second, second, (a, b) => {
        const [low, high] = [a, b].sort((x, y) => x - y).map((offset) => rampThreshold(ramp, at(offset)) ?? -1n)
        expect(low).toBeGreaterThanOrEqual(0n)
        expect(high).toBeGreaterThanOrEqual(low ?? 0n)
        expect(high).toBeLessThanOrEqual(rampThreshold(ramp, ramp.until) ?? 0n)
      }),
    )
  })

  it.each([
    ['ends within the second in which it starts', { ...ramp, endsAt: '2026-11-20T00:00:00.900Z' }],
    ['has no bound', { ...ramp, until: undefined }],
    ['shrinks', { ...ramp, from: '2', to: '1' }],
    ['starts on a day that does not exist', { ...ramp, startsAt: '2026-02-30T00:00:00Z' }],
    ['is no object', 'ramp'],
  ])('that %s has no threshold and admits nobody', (_, bad) => {
    expect(rampThreshold(bad, '2026-11-20T12:00:00Z')).toBeUndefined()
    const phase = typeof bad === 'object' ? { ...bad, kind: 'ramp', salt: 'a1' } : bad
    expect(admit(phase, device('p-1'))).toMatchObject({ admitted: false, code: 'malformed' })
  })
})

describe('admission by the manifest', () => {
  const share = { kind: 'share', salt: 'a1', threshold: formatThreshold(EVERYBODY), epoch: 7 }
  const halted = { at: '2026-11-20T12:00:00Z', reason: 'boot loop' }

  it.each([
    [
      'a halt before everything else',
      { ...share, halted, tags: ['canary'] },
      device('', { tags: ['canary'] }),
      'halted',
    ],
    ['a tag before the pseudonym', { ...share, tags: ['canary'] }, device('', { tags: ['canary'] }), 'tag'],
    ['the pseudonym before the epoch', share, device(''), 'malformed'],
    ['the epoch before the bucket', { ...share, threshold: '0' }, device('p-1', { epoch: 8 }), 'not_enrolled_in_time'],
    ['the epoch of a list', { kind: 'list', salt: 'a1', buckets: [], epoch: 7 }, device('p-1'), 'not_enrolled_in_time'],
    ['the bucket at last', share, device('p-1', { epoch: 0 }), 'bucket'],
  ])('looks at %s', (_, phase, of, code) => {
    expect(admit(phase, of).code).toBe(code)
  })

  it.each([
    ['nothing', undefined],
    ['a text', 'everybody'],
    ['a list', []],
    ['a halt without a reason', { kind: 'everybody', halted: { at: halted.at } }],
    ['a halt that says yes', { kind: 'everybody', halted: true }],
    ['a negative epoch', { ...share, epoch: -1 }],
    ['a fraction of an epoch', { ...share, epoch: 1.5 }],
    ['an epoch as text', { ...share, epoch: '7' }],
    ['tags that are no texts', { kind: 'tags', tags: ['canary', 1] }],
    ['no salt', { ...share, salt: undefined }],
    ['a list of one short bucket', { kind: 'list', salt: 'a1', buckets: ['2dd1'] }],
    ['a threshold with a line end', { ...share, threshold: '80\n' }],
  ])('admits nobody by %s', (_, phase) => {
    expect(admit(phase, device('p-1', { epoch: 1, tags: ['canary'] }))).toMatchObject({
      admitted: false,
      code: 'malformed',
    })
  })
})

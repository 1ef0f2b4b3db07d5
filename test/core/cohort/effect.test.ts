import { describe, expect, it } from '@jest/globals'
import { pseudonymDigest } from '../../../src/core/cohort/bucket.ts'
import { type CohortOffer, effectOf, type FleetKnown } from '../../../src/core/cohort/effect.ts'
import type { Enrolled } from '../../../src/core/cohort/roster.ts'
import type { ChannelRelease, DeviceReport } from '../../../src/core/cohort/schema.ts'
import { effectLines } from '../../../src/core/cohort/telling.ts'

const NOW = '2026-01-15T12:00:00Z'

const release = (version: string, next: string | null, more: Partial<ChannelRelease> = {}): ChannelRelease => ({
  id: `Gateway@${version}`,
  bundle: `Gateway@${version}`,
  version,
  requirement: `< ${version}`,
  next: next === null ? null : `Gateway@${next}`,
  required: false,
  schedule: NOW,
  phase: { kind: 'everybody' },
  ...more,
})

const offer = (releases: ChannelRelease[], more: Partial<CohortOffer> = {}): CohortOffer => ({
  channel: { cohort: 'eu', requirementDialect: 'elixir', releases },
  overrides: [],
  salts: [],
  admission: 'static',
  quarantine: null,
  entryRelease: null,
  released: releases.map(({ bundle }) => bundle),
  ...more,
})

const rosterOf = (
  entries: readonly Enrolled[],
  reports: ReadonlyMap<string, DeviceReport> = new Map(),
): FleetKnown => ({
  roster: { epoch: 1, entries },
  reports,
  published: undefined,
  book: undefined,
})

const enrolled = (devices: number): Enrolled[] =>
  Array.from({ length: devices }, (_, at) => ({ pseudonym: `p-${at}`, epoch: 1, tags: [] }))

const known = (devices: number, reports?: ReadonlyMap<string, DeviceReport>): FleetKnown =>
  rosterOf(enrolled(devices), reports)

const NO_ROSTER: FleetKnown = { roster: null, reports: new Map(), published: undefined, book: undefined }
const one = offer([release('1.0.0', null)])
const two = offer([release('1.0.0', '2.0.0'), release('2.0.0', null)])
const held = offer([
  release('1.0.0', '2.0.0'),
  release('2.0.0', null, { holds: [{ target: 'arm64', reason: 'boot loop' }] }),
])

describe('a release that is held for one target', () => {
  const reports = new Map([
    ['p-0', { release: 'Gateway@1.0.0' }],
    ['p-1', { release: 'Gateway@1.0.0' }],
  ])

  it.each([
    ['roster', known(2), 2],
    ['reports', known(2, reports), 2],
    ['versions', NO_ROSTER, 1],
  ] as const)('is taken from that target alone, by %s', (basis, fleet, devices) => {
    const effect = effectOf({ before: two, after: held, others: [], now: NOW }, fleet)
    expect(effect).toMatchObject({ basis, targets: ['arm64'], changed: devices })
    expect(effect.moves).toEqual([
      { from: '1.0.0 (arm64)', before: '2.0.0', after: null, direction: 'unknown', devices },
    ])
    expect(effectLines(effect)).toContain(
      'nobody has said who is of which target, so each was tried for arm64 and for all others',
    )
  })

  it('reaches the others, and says so', () => {
    expect(effectOf({ before: one, after: held, others: [], now: NOW }, known(3)).moves).toEqual([
      { from: '1.0.0 (other targets)', before: null, after: '2.0.0', direction: 'up', devices: 3 },
    ])
  })

  it('says nothing of targets where nothing is held', () => {
    const effect = effectOf({ before: one, after: two, others: [], now: NOW }, known(3))
    expect(effect.targets).toBeUndefined()
    expect(effect.moves).toEqual([{ from: '1.0.0', before: null, after: '2.0.0', direction: 'up', devices: 3 }])
  })
})

const chain = (versions: readonly string[], more: Partial<ChannelRelease> = {}): ChannelRelease[] =>
  versions.map((version, at) => {
    const next = versions[at + 1] ?? null
    return release(version, next, next === null ? more : {})
  })
const minors = (count: number): string[] => Array.from({ length: count }, (_, at) => `1.${at}.0`)
const other = (version: string) => ({ bundle: `Gateway@${version}`, version })

describe('every version that a device may have is tried', () => {
  const many = { before: offer(chain(minors(30))), after: offer(chain([...minors(30), '2.0.0'])), now: NOW }

  it('all of the channel, and those that go one way are told as one', () => {
    const effect = effectOf({ ...many, others: [] }, known(4))
    expect(effect).toMatchObject({ devices: 120, changed: 120, stranded: 0 })
    expect(effect.moves).toEqual([
      {
        from: 'one of 29 versions (1.0.0 … 1.28.0)',
        before: '1.29.0',
        after: '2.0.0',
        direction: 'up',
        devices: 4,
      },
      { from: '1.29.0', before: null, after: '2.0.0', direction: 'up', devices: 4 },
    ])
    expect(effectLines(effect)[0]).toBe(
      '4 of 4 enrolled devices, where they run one of 29 versions (1.0.0 … 1.28.0) → 2.0.0 now, 1.29.0 until now',
    )
  })

  it('those that the log has bound and the channel never offered', () => {
    const question = { before: one, after: two, others: [other('0.9.0'), other('2.0.0')], now: NOW }
    expect(effectOf(question, NO_ROSTER).moves.map(({ from, before, after }) => [from, before, after])).toEqual([
      ['0.9.0', '1.0.0', '2.0.0'],
      ['1.0.0', null, '2.0.0'],
    ])
  })

  it('the place of those that cannot tell, where an entry release is declared', () => {
    const entry = { entryRelease: 'Gateway@1.0.0' }
    const question = { before: offer(one.channel.releases as ChannelRelease[], entry), now: NOW, others: [] }
    const after = offer(two.channel.releases as ChannelRelease[], entry)
    expect(effectOf({ ...question, after }, NO_ROSTER).moves.map(({ from }) => from)).toEqual(['1.0.0', 'unknown'])
  })

  it('up to a bound that is told', () => {
    const others = Array.from({ length: 1_005 }, (_, at) => other(`0.${at}.0`))
    const effect = effectOf({ before: one, after: two, others, now: NOW }, NO_ROSTER)
    expect(effect).toMatchObject({ devices: 1_000, cut: { tried: 1_000, known: 1_006 } })
    expect(effectLines(effect)).toContain('of 1006 known versions the newest 1000 were tried')
  })

  it('and a first channel strands nobody whom it never knew', () => {
    const first = offer([release('2.0.0', null, { requirement: '>= 1.5.0 and < 2.0.0' })])
    const effect = effectOf({ before: null, after: first, others: [other('1.0.0')], now: NOW }, NO_ROSTER)
    expect(effect).toMatchObject({ stranded: 1, findings: [{ code: 'devices-stranded', severity: 'warning' }] })
  })

  it('a pin to a version that the channel does not hold is seen to take devices back', () => {
    const pin = { id: 'O', bundle: 'Gateway@0.9.0', startsAt: NOW, salt: 's', devices: [], tags: ['lab'] }
    const after = offer(two.channel.releases as ChannelRelease[], { overrides: [pin] })
    const lab = rosterOf([{ pseudonym: 'p', epoch: 1, tags: ['lab'] }])
    const effect = effectOf({ before: two, after, others: [other('0.9.0')], now: NOW }, lab)
    expect(effect).toMatchObject({ downgrades: 2 })
  })
})

it('an error is told however many warnings there are', () => {
  const versions = Array.from({ length: 60 }, (_, at) => `2.${at}.0`)
  const after = chain(versions).map((one) => ({ ...one, requirement: '~> 1.0' }))
  const question = { before: offer(chain(versions)), after: offer(after), others: [], now: NOW }
  const { findings } = effectOf(question, NO_ROSTER)
  expect(findings.map(({ severity, code }) => `${severity} ${code}`)).toEqual([
    'error devices-stranded',
    ...Array(49).fill('warning dialects-differ'),
  ])
})

describe('a roster', () => {
  const salt = 'salted'
  const named = (id: string, pseudonym: string) => pseudonymDigest({ id, salt }, pseudonym)
  const entries: Enrolled[] = [
    ...enrolled(40),
    ...['lab', 'field', 'other'].map((tag) => ({ pseudonym: `of ${tag}`, epoch: 1, tags: [tag] })),
  ]
  const pin = { id: 'O', bundle: 'Gateway@1.0.0', startsAt: NOW, salt, devices: [named('O', 'p-7')], tags: ['field'] }
  const question = {
    before: offer(chain(minors(3)), { overrides: [pin] }),
    after: offer(chain([...minors(3), '2.0.0'], { phase: { kind: 'tags', tags: ['lab'] } }), {
      quarantine: { salt, devices: [named('quarantine', 'p-3')] },
    }),
    others: [],
    now: NOW,
  }

  it('is played in groups as it would be device by device', () => {
    const whole = effectOf(question, rosterOf(entries))
    const alone = entries.map((entry) => effectOf(question, rosterOf([entry])))
    for (const count of ['devices', 'changed', 'downgrades', 'stranded'] as const)
      expect(whole[count]).toBe(alone.reduce((sum, effect) => sum + effect[count], 0))
    expect(whole.changed).toBeGreaterThan(0)
    expect(new Set(alone.map(({ changed }) => changed)).size).toBeGreaterThan(1)
  })

  it('with two devices of one pseudonym is told, once, and lets nobody in', () => {
    const [twin] = enrolled(1)
    const half = { phase: { kind: 'share', share: '0.5' } } as const
    const change = { before: one, after: offer(chain(['1.0.0', '2.0.0'], half)), others: [], now: NOW }
    const effect = effectOf(change, rosterOf([...enrolled(9), ...(twin ? [twin] : [])]))
    expect(effect).toMatchObject({ changed: 0, findings: [{ code: 'pseudonym-repeated', severity: 'error' }] })
  })

  it('of 20,000 on each of a hundred versions is played in a moment, and a quarter of them is exactly that', () => {
    const quarter = { phase: { kind: 'share', share: '0.25' } } as const
    const change = {
      before: offer(chain(minors(100))),
      after: offer(chain([...minors(100), '2.0.0'], quarter)),
      others: [],
      now: NOW,
    }
    const fleet = known(20_000)
    const started = performance.now()
    const effect = effectOf(change, fleet)
    expect(performance.now() - started).toBeLessThan(5_000)
    expect(effect).toMatchObject({
      devices: 2_000_000,
      changed: 500_000,
      tally: { enrolled: 20_000, permitted: 5_000, left: 15_000 },
    })
  })
})

import { describe, expect, it } from '@jest/globals'
import { type CohortOffer, effectOf, type FleetKnown } from '../../../src/core/cohort/effect.ts'
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

const known = (devices: number, reports: ReadonlyMap<string, DeviceReport> = new Map()): FleetKnown => ({
  roster: {
    epoch: 1,
    entries: Array.from({ length: devices }, (_, at) => ({ pseudonym: `p-${at}`, epoch: 1, tags: [] })),
  },
  reports,
  published: undefined,
  book: undefined,
})

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
    const effect = effectOf({ before: two, after: held, now: NOW }, fleet)
    expect(effect).toMatchObject({ basis, targets: ['arm64'], changed: devices })
    expect(effect.moves).toEqual([
      { from: '1.0.0 (arm64)', before: '2.0.0', after: null, direction: 'unknown', devices },
    ])
    expect(effectLines(effect)).toContain(
      'nobody has said who is of which target, so each was tried for arm64 and for all others',
    )
  })

  it('reaches the others, and says so', () => {
    expect(effectOf({ before: one, after: held, now: NOW }, known(3)).moves).toEqual([
      { from: '1.0.0 (other targets)', before: null, after: '2.0.0', direction: 'up', devices: 3 },
    ])
  })

  it('says nothing of targets where nothing is held', () => {
    const effect = effectOf({ before: one, after: two, now: NOW }, known(3))
    expect(effect.targets).toBeUndefined()
    expect(effect.moves).toEqual([{ from: '1.0.0', before: null, after: '2.0.0', direction: 'up', devices: 3 }])
  })
})

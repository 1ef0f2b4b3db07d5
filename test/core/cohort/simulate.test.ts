import { describe, expect, it } from '@jest/globals'
import { staticAdmission } from '../../../src/core/cohort/phase.ts'
import type { ChannelRelease, DeclaredPhase, DeviceReport, Override } from '../../../src/core/cohort/schema.ts'
import { combinedFleet, type FleetGroup, type SimulatedChannel, simulate } from '../../../src/core/cohort/simulate.ts'
import { formatThreshold, shareThreshold } from '../../../src/core/cohort/threshold.ts'

const NOW = '2026-01-15T12:00:00Z'

const release = (id: string, next: string | null, more: Partial<ChannelRelease> = {}): ChannelRelease => ({
  id,
  bundle: `B-${id}`,
  version: `${id.slice(1)}.0.0`,
  requirement: `< ${id.slice(1)}.0.0`,
  next,
  required: false,
  schedule: NOW,
  phase: { kind: 'everybody' },
  ...more,
})

/** Shares become thresholds as a manifest would carry them; the other phases here need no roster. */
const admission = {
  of: (id: string, phase: DeclaredPhase) =>
    staticAdmission('eu').of(
      id,
      phase.kind === 'share'
        ? { kind: 'share', salt: 's', threshold: formatThreshold(shareThreshold(phase.share) ?? 0n) }
        : phase,
    ),
}

const side = (releases: ChannelRelease[], overrides: Override[] = []): SimulatedChannel => ({
  channel: { cohort: 'eu', requirementDialect: 'elixir', releases },
  overrides,
  admission,
})

const group = (report: DeviceReport, devices = 1, more: Partial<FleetGroup['device']> = {}): FleetGroup => ({
  report,
  devices,
  device: { tags: [], quarantined: false, ...more },
})

const at = (id: string): DeviceReport => ({ release: id, bundle: `B-${id}`, version: `${id.slice(1)}.0.0` })

const one = side([release('R1', null)])
const two = side([release('R1', 'R2'), release('R2', null)])
const codesOf = (simulation: ReturnType<typeof simulate>) =>
  simulation.findings.map(({ severity, code }) => `${severity} ${code}`)

describe('a change to a channel, played over a fleet', () => {
  it('says who moves where now, and that nobody is hurt', () => {
    const fleet = [group(at('R1'), 312), group(at('R2'), 9)]
    const simulation = simulate({ before: one, after: two, fleet, now: NOW })
    expect(simulation).toMatchObject({ devices: 321, changed: 312, downgrades: 0, findings: [] })
    expect(simulation.moves).toEqual([{ from: '1.0.0', before: null, after: '2.0.0', direction: 'up', devices: 312 }])
  })

  it('follows the phase: about a quarter of the fleet is offered a quarter', () => {
    const quarter = side([release('R1', 'R2'), release('R2', null, { phase: { kind: 'share', share: '0.25' } })])
    const fleet = Array.from({ length: 4000 }, (_, i) => group(at('R1'), 1, { pseudonym: `p-${i}` }))
    const { changed, stranded } = simulate({ before: one, after: quarter, fleet, now: NOW })
    // Binomial with 4,000 and 1/4: five standard deviations are 137.
    expect(Math.abs(changed - 1000)).toBeLessThan(137)
    expect(stranded).toBe(0)
  })

  it('shows who loses an offer', () => {
    const disabled = side([release('R1', 'R2'), release('R2', null, { disabled: { reason: 'x' } })])
    const simulation = simulate({ before: two, after: disabled, fleet: [group(at('R1'), 5)], now: NOW })
    expect(simulation.moves).toEqual([
      { from: '1.0.0', before: '2.0.0', after: null, direction: 'unknown', devices: 5 },
    ])
    expect(simulation).toMatchObject({ changed: 5, stranded: 0 })
  })

  it('counts a million devices by their groups', () => {
    const { devices } = simulate({ before: one, after: two, fleet: [group(at('R1'), 1_000_000)], now: NOW })
    expect(devices).toBe(1_000_000)
  })

  it('has every combination of a fleet that nobody counted', () => {
    const fleet = [
      ...combinedFleet({
        reports: [at('R1'), at('R2')],
        tags: [[], ['canary']],
        targets: ['arm64', 'x86_64', undefined],
      }),
    ]
    expect(fleet).toHaveLength(12)
    expect(new Set(fleet.map((member) => JSON.stringify(member))).size).toBe(12)
  })
})

describe('what a change would do to devices', () => {
  it.each<[string, SimulatedChannel, FleetGroup, number]>([
    ['whose release is gone', side([release('R2', null)]), group({ release: 'R1' }, 3), 3],
    [
      'whose version nothing takes in',
      side([release('R2', null, { requirement: '~> 1.5' })]),
      group({ version: '1.0.0' }, 2),
      2,
    ],
    [
      'behind a closed barrier',
      side([
        release('R1', 'R2'),
        release('R2', 'R3', { required: true, disabled: { reason: 'x' } }),
        release('R3', null),
      ]),
      group(at('R1')),
      1,
    ],
    [
      'behind a barrier held for their target',
      side([
        release('R1', 'R2'),
        release('R2', 'R3', { required: true, holds: [{ target: 'arm64', reason: 'x' }] }),
        release('R3', null),
      ]),
      group(at('R1'), 4, { target: 'arm64' }),
      4,
    ],
    [
      'whose requirement ahead is never met',
      side([release('R1', 'R2'), release('R2', null, { requirement: '~> 1.5' })]),
      group(at('R1')),
      1,
    ],
  ])('strands those %s', (_, after, member, stranded) => {
    const simulation = simulate({ before: two, after, fleet: [member], now: NOW })
    expect(simulation.stranded).toBe(stranded)
  })

  it.each<[string, SimulatedChannel, FleetGroup]>([
    ['on the latest', two, group(at('R2'))],
    ['of a version above the channel', two, group({ version: '9.0.0' })],
    [
      'waiting for a disabled latest',
      side([release('R1', 'R2'), release('R2', null, { disabled: { reason: 'x' } })]),
      group(at('R1')),
    ],
    [
      'waiting for a schedule and a phase',
      side([
        release('R1', 'R2'),
        release('R2', null, { schedule: '2026-02-01T00:00:00Z', phase: { kind: 'tags', tags: ['a'] } }),
      ]),
      group(at('R1')),
    ],
    [
      'with a barrier to pass on the way',
      side([
        release('R1', 'R2'),
        release('R2', 'R3', { required: true }),
        release('R3', null, { requirement: '== 2.0.0' }),
      ]),
      group(at('R1')),
    ],
  ])('strands nobody %s', (_, after, member) => {
    expect(simulate({ before: two, after, fleet: [member], now: NOW }).stranded).toBe(0)
  })

  it('fails on those stranded by the change, and only warns of those who were before', () => {
    const lost = group({ release: 'R0' }, 2)
    expect(codesOf(simulate({ before: one, after: two, fleet: [lost], now: NOW }))).toEqual([
      'warning devices-stranded',
    ])
    const gone = side([release('R2', null)])
    expect(codesOf(simulate({ before: two, after: gone, fleet: [group({ release: 'R1' })], now: NOW }))).toEqual([
      'error devices-stranded',
    ])
  })

  it('fails on a release that is left out with nothing above it, whatever of it a device reports', () => {
    const three = side([release('R1', 'R2'), release('R2', 'R3'), release('R3', null)])
    const reports = [at('R3'), { bundle: 'B-R3', version: '3.0.0' }, { version: '3.0.0' }, at('R2'), at('R1')]
    const fleet = reports.map((report) => group(report))
    const cut = simulate({ before: three, after: one, fleet, now: NOW })
    expect(cut).toMatchObject({ stranded: 4, newlyStranded: 4 })
    expect(cut.findings.map(({ code, release: id }) => [code, id])).toEqual([
      ['release-left-out', 'R2'],
      ['release-left-out', 'R3'],
      ['devices-stranded', undefined],
    ])
  })

  it.each<[string, SimulatedChannel, SimulatedChannel]>([
    ['with something above it', two, side([release('R1', 'R3'), release('R3', null)])],
    [
      'before it could reach anybody',
      side([release('R1', 'R2'), release('R2', null, { schedule: '2026-02-01T00:00:00Z' })]),
      one,
    ],
    ['for another release of its version', two, side([release('R1', 'again'), release('R2', null, { id: 'again' })])],
  ])('lets a release be left out %s', (_, before, after) => {
    expect(codesOf(simulate({ before, after, fleet: [group(at('R2'))], now: NOW }))).not.toContain(
      'error release-left-out',
    )
  })

  it('says nothing of what was above the channel before', () => {
    const fleet = [group({ version: '9.0.0' })]
    expect(simulate({ before: two, after: one, fleet, now: NOW })).toMatchObject({ stranded: 0 })
  })

  it('does not ask another channel for what it never had', () => {
    const moved = simulate({ before: two, after: one, fleet: [group(at('R2'))], now: NOW, isMove: true })
    expect(moved).toMatchObject({ stranded: 0, findings: [] })
  })

  it('fails on a downgrade, by a release or by an override', () => {
    const back = side([
      release('R2', 'R1', { requirement: undefined }),
      release('R1', null, { requirement: undefined }),
    ])
    expect(codesOf(simulate({ before: two, after: back, fleet: [group(at('R2'), 7)], now: NOW }))).toContain(
      'error devices-downgraded',
    )
    const override: Override = { id: 'O', bundle: 'B-old', startsAt: NOW, salt: 's', devices: [], tags: ['lab'] }
    const forced = simulate({
      before: two,
      after: side(two.channel.releases, [override]),
      fleet: [group(at('R2'), 2, { tags: ['lab'] })],
      now: NOW,
      bundleVersions: new Map([['B-old', '0.9.0']]),
    })
    expect(forced).toMatchObject({
      downgrades: 2,
      moves: [{ from: '2.0.0', before: null, after: '0.9.0', direction: 'down' }],
    })
  })
})

describe('what hurt others', () => {
  const findings = (after: ChannelRelease[], more: Partial<Parameters<typeof simulate>[0]> = {}) =>
    codesOf(simulate({ before: one, after: side(after), fleet: [], now: NOW, ...more }))
  const added = (more: Partial<ChannelRelease>) => [release('R1', 'R2'), release('R2', null, more)]

  const PAST_RAMP = ['error start-in-past', 'error ramp-over']
  const ramp = (startsAt: string, endsAt: string): Partial<ChannelRelease> => ({
    phase: { kind: 'ramp', from: '0', to: '1', startsAt, endsAt },
  })

  it.each<[string, Partial<ChannelRelease>, string[]]>([
    ['a start in the past', { schedule: '2025-02-01T00:00:00Z' }, ['error start-in-past']],
    ['a start of this morning', { schedule: '2026-01-15T08:00:00Z' }, []],
    ['a start in another year', { schedule: '2027-01-15T12:00:00Z' }, ['warning start-far-ahead']],
    ['a ramp of years ago', ramp('2019-01-15T00:00:00Z', '2019-02-15T00:00:00Z'), PAST_RAMP],
    ['a ramp that began this morning', ramp('2026-01-15T08:00:00Z', '2026-01-16T08:00:00Z'), []],
    ['a ramp of another year', ramp('2027-01-15T00:00:00Z', '2027-01-16T00:00:00Z'), ['warning start-far-ahead']],
    ['100 where 1.0 was meant', { phase: { kind: 'count', count: 100 } }, ['error hundred-for-everybody']],
    ['a count of 101', { phase: { kind: 'count', count: 101 } }, []],
    ['a requirement that npm reads otherwise', { requirement: '~> 1.2' }, ['warning dialects-differ']],
    ['a requirement that offers 2.0.0 to 2.0.0', { requirement: '>= 0.0.0' }, ['error reoffer-loop']],
  ])('%s', (_, more, codes) => {
    expect(findings(added(more))).toEqual(codes)
  })

  it('does not accuse what was there before', () => {
    const old = side(added({ schedule: '2025-02-01T00:00:00Z', phase: { kind: 'count', count: 100 } }))
    expect(codesOf(simulate({ before: old, after: old, fleet: [], now: NOW }))).toEqual([])
  })

  it('a loop of re-offers fails when it is made, and is a warning as long as it stays', () => {
    const loop = side(added({ requirement: '>= 0.0.0' }))
    expect(codesOf(simulate({ before: loop, after: loop, fleet: [], now: NOW }))).toEqual(['warning reoffer-loop'])
    expect(codesOf(simulate({ before: two, after: loop, fleet: [], now: NOW }))).toEqual(['error reoffer-loop'])
    expect(codesOf(simulate({ before: loop, after: two, fleet: [], now: NOW }))).toEqual([])
  })

  it('a bundle that nobody signed off', () => {
    expect(findings(added({}), { releasedBundles: new Set(['B-R1']) })).toEqual(['error bundle-not-released'])
  })

  it('a count beyond the roster', () => {
    expect(findings(added({ phase: { kind: 'count', count: 50 } }), { enrolled: 40 })).toEqual([
      'warning count-beyond-roster',
    ])
  })

  it('a barrier twice', () => {
    const twice = [release('R1', 'R2', { required: true }), release('R2', null, { required: true, bundle: 'B-R1' })]
    expect(findings(twice)).toEqual(['error duplicate-barrier'])
  })

  it.each([false, true])('a circle of releases, required: %j, is told and does not hang the simulation', (required) => {
    const circle = [release('R1', 'R2', { required }), release('R2', 'R1', { required, requirement: undefined })]
    const codes = findings(circle, { fleet: [group(at('R1'))] })
    expect(codes).toEqual(expect.arrayContaining(['error rule-broken', 'error devices-stranded']))
  })
})

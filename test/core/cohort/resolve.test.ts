import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { pseudonymDigest } from '../../../src/core/cohort/bucket.ts'
import { explain } from '../../../src/core/cohort/explain.ts'
import { prepareOverrides } from '../../../src/core/cohort/override.ts'
import { staticAdmission } from '../../../src/core/cohort/phase.ts'
import { prepareChannel, type ResolvableRelease } from '../../../src/core/cohort/prepared-channel.ts'
import { resolve } from '../../../src/core/cohort/resolve.ts'
import { Device, type DeviceReport, Override } from '../../../src/core/cohort/schema.ts'
import { specWalk, type WalkRelease } from './spec-walk.ts'

const NOW = '2026-01-15T12:00:00Z'
const LATER = '2026-02-01T00:00:00Z'

type Draft = Partial<ResolvableRelease> & { id: string }

/** A chain in the order given, open to everybody; each draft bends one release. */
function chain(...drafts: Draft[]): ResolvableRelease[] {
  return drafts.map((draft, at) => ({
    bundle: `B-${draft.id}`,
    next: drafts[at + 1]?.id ?? null,
    required: false,
    schedule: '2026-01-01T00:00:00Z',
    phase: { kind: 'everybody' },
    ...draft,
  }))
}

interface Given {
  readonly report?: DeviceReport
  readonly device?: Partial<Device>
  readonly overrides?: readonly unknown[]
  readonly now?: string
  readonly scope?: 'version-position'
}

const check = (releases: readonly ResolvableRelease[], given: Given = {}) =>
  resolve({
    channel: prepareChannel({ releases, admission: staticAdmission('eu'), requirementScope: given.scope }),
    overrides: prepareOverrides((given.overrides ?? []).map((raw) => Override.parse(raw))),
    report: given.report ?? { release: 'R1' },
    device: Device.parse(given.device ?? {}),
    now: given.now ?? NOW,
  })

const served = (resolution: ReturnType<typeof check>) =>
  resolution.kind === 'update' ? resolution.source.id : resolution.kind

describe('what a release was passed over for', () => {
  it.each<[string, Draft, string]>([
    ['disabled', { id: 'R3', disabled: { reason: 'bad boot' } }, 'disabled'],
    ['scheduled', { id: 'R3', schedule: LATER }, 'scheduled'],
    ['a schedule that cannot be read', { id: 'R3', schedule: 'soon' }, 'scheduled'],
    ['held for the target', { id: 'R3', holds: [{ target: 'arm64', reason: 'no wifi' }] }, 'held_for_target'],
    ['requirement not met', { id: 'R3', requirement: '~> 2.0' }, 'requirement_not_met'],
    ['requirement in no syntax', { id: 'R3', requirement: 'whatever' }, 'requirement_unreadable'],
    ['phase', { id: 'R3', phase: { kind: 'tags', tags: ['canary'] } }, 'phase'],
    ['phase that cannot be read', { id: 'R3', phase: undefined }, 'phase'],
  ])('%s: the one before it is served and the reason is told', (_, bent, code) => {
    const resolution = check(chain({ id: 'R1', version: '1.0.0' }, { id: 'R2' }, bent), { device: { target: 'arm64' } })
    expect(served(resolution)).toBe('R2')
    expect(resolution.passedOver.map((passed) => [passed.release, passed.code])).toEqual([['R3', code]])
    expect(explain(resolution).map((sentence) => sentence.text.length > 0)).toEqual([true, true, true])
  })

  it('is told for each of them, from the furthest backwards', () => {
    const releases = chain(
      { id: 'R1' },
      { id: 'R2', schedule: LATER },
      { id: 'R3', disabled: { reason: 'x' } },
      { id: 'R4', phase: 1 },
    )
    const resolution = check(releases)
    expect(resolution).toMatchObject({ kind: 'no_update', reason: 'nothing_available' })
    expect(resolution.passedOver.map(({ release }) => release)).toEqual(['R4', 'R3', 'R2'])
  })

  it('is said in words that name the share of now', () => {
    const phase = { kind: 'share', salt: 's', threshold: '40000000000000000000000000000000' }
    const fleet = [...Array(40).keys()].map((i) =>
      check(chain({ id: 'R1' }, { id: 'R2', phase }), { device: { pseudonym: `p-${i}` } }),
    )
    const held = fleet.find(({ kind }) => kind === 'no_update')
    expect(held && explain(held).map(({ code, text }) => `${code}: ${text}`)).toEqual([
      'position: the device is on R1, known by its release',
      'phase:above_threshold: R2 is held by its phase: the device is above the threshold; 25 % now',
      'nothing_available: no update: no release ahead of the device is available to it',
    ])
  })
})

describe('a hold for one target', () => {
  const releases = chain({ id: 'R1' }, { id: 'R2', holds: [{ target: 'arm64', reason: 'no wifi' }] })

  it('lets other targets through', () => expect(served(check(releases, { device: { target: 'x86_64' } }))).toBe('R2'))
  it('keeps a device that does not say its target', () => expect(served(check(releases))).toBe('no_update'))
})

describe('why there is no update', () => {
  const plain = chain(
    { id: 'R1', version: '1.0.0', requirement: '< 1.0.0' },
    { id: 'R2', version: '2.0.0', requirement: '~> 1.0' },
  )

  it.each<[string, Given, string]>([
    ['on the latest', { report: { release: 'R2', version: '1.0.0' } }, 'on_latest'],
    ['nothing reported', { report: {} }, 'nothing_reported'],
    ['empty texts reported', { report: { release: '', bundle: '', version: '' } }, 'nothing_reported'],
    ['nothing identified', { report: { release: 'X', bundle: 'Y', version: 'latest' } }, 'not_identified'],
    ['no entry for the version', { report: { version: '9.0.0' } }, 'no_entry'],
    ['a clock that cannot be read', { now: 'noon' }, 'clock_unreadable'],
  ])('%s', (_, given, reason) => {
    expect(check(plain, given)).toMatchObject({ kind: 'no_update', reason })
  })

  it('names the fields that identified nothing, in the order of trial', () => {
    expect(check(plain, { report: { release: 'X', bundle: 'Y', version: 'Z' } }).ignored).toEqual([
      'release',
      'bundle',
      'version',
    ])
  })

  it('no cohort', () => {
    const resolution = resolve({
      channel: undefined,
      overrides: [],
      report: { release: 'R1' },
      device: Device.parse({}),
      now: NOW,
    })
    expect(resolution).toMatchObject({ kind: 'no_update', reason: 'no_cohort' })
  })

  it('an incomplete bundle of the selected release, which is named and not stepped back from', () => {
    const releases = chain({ id: 'R1' }, { id: 'R2' }, { id: 'R3' })
    const channel = prepareChannel({
      releases,
      admission: staticAdmission('eu'),
      isBundleComplete: (id) => id !== 'R3',
    })
    const resolution = resolve({
      channel,
      overrides: [],
      report: { release: 'R1' },
      device: Device.parse({}),
      now: NOW,
    })
    expect(resolution).toMatchObject({ kind: 'no_update', reason: 'bundle_incomplete', release: 'R3' })
  })

  it.each<[string, Draft[], string]>([
    ['a circle', [{ id: 'R1' }, { id: 'R2' }, { id: 'R3', next: 'R2' }], 'R1'],
    ['a link to nowhere', [{ id: 'R1' }, { id: 'R2', next: 'gone' }], 'R1'],
    ['a link to itself', [{ id: 'R1' }, { id: 'R2', next: 'R2' }], 'R1'],
    ['a next release that is not there', [{ id: 'R1', next: 'gone' }], 'R1'],
  ])('a channel with %s keeps the device where it is', (_, drafts, release) => {
    expect(check(chain(...drafts), { report: { release } })).toMatchObject({
      kind: 'no_update',
      reason: 'channel_broken',
    })
  })
})

describe('names that are code elsewhere', () => {
  it.each(['__proto__', 'constructor', 'toString', '../../x', '\u202Eabc'])('%j is a name like any other', (id) => {
    expect(served(check(chain({ id: 'R1' }, { id }), { report: { release: 'R1' } }))).toBe(id)
    expect(
      check(chain({ id: 'R1' }, { id: 'R2' }), { report: { release: id, bundle: id, version: id } }),
    ).toMatchObject({
      reason: 'not_identified',
    })
  })
})

describe('an override', () => {
  const releases = chain({ id: 'R1' }, { id: 'R2' })
  const base = { id: 'O1', bundle: 'B-hot', startsAt: '2026-01-10T00:00:00Z', salt: 's' }
  const named = { ...base, devices: [pseudonymDigest({ id: 'O1', salt: 's' }, 'p-1')] }

  it.each<[string, Given, string]>([
    ['names a device by the digest of its pseudonym', { overrides: [named], device: { pseudonym: 'p-1' } }, 'O1'],
    ['does not name another device', { overrides: [named], device: { pseudonym: 'p-2' } }, 'R2'],
    [
      'is not found by a digest made for another override',
      { overrides: [{ ...named, id: 'O2' }], device: { pseudonym: 'p-1' } },
      'R2',
    ],
    ['names devices by tag', { overrides: [{ ...base, tags: ['lab'] }], device: { tags: ['lab'] } }, 'O1'],
    ['names nobody when it lists nobody', { overrides: [base], device: { pseudonym: 'p-1', tags: ['lab'] } }, 'R2'],
    ['begins at its start', { overrides: [{ ...named, startsAt: NOW }], device: { pseudonym: 'p-1' } }, 'O1'],
    ['is over at its end', { overrides: [{ ...named, endsAt: NOW }], device: { pseudonym: 'p-1' } }, 'R2'],
    [
      'does not reach a device in quarantine',
      { overrides: [named], device: { pseudonym: 'p-1', quarantined: true } },
      'device_quarantine',
    ],
  ])('%s', (_, given, expected) => {
    expect(served(check(releases, given))).toBe(expected)
  })

  it('of equal starts the one created last is in force, and the latest start before that', () => {
    const tagged = (id: string, startsAt: string) => ({ ...base, id, startsAt, tags: ['lab'] })
    const early = tagged('O1', '2026-01-01T00:00:00Z')
    const late = [tagged('O2', '2026-01-05T00:00:00Z'), tagged('O3', '2026-01-05T00:00:00Z')]
    expect(served(check(releases, { overrides: [...late, early], device: { tags: ['lab'] } }))).toBe('O3')
  })

  it.each<[string, Given]>([
    ['reported bundle', { report: { bundle: 'B-hot' } }],
    [
      'bundle of the reported release',
      { report: { release: 'R1' }, overrides: [{ ...base, bundle: 'B-R1', tags: ['lab'] }] },
    ],
    [
      'bundle of the reported release beside an empty one',
      { report: { release: 'R1', bundle: '' }, overrides: [{ ...base, bundle: 'B-R1', tags: ['lab'] }] },
    ],
    ['recorded bundle', { report: { version: '0.0.0' }, device: { tags: ['lab'], recordedBundle: 'B-hot' } }],
  ])('is at rest on the %s', (_, given) => {
    const resolution = check(releases, { overrides: [{ ...base, tags: ['lab'] }], device: { tags: ['lab'] }, ...given })
    expect(resolution).toMatchObject({ kind: 'no_update', reason: 'on_override_bundle' })
  })
})

describe('the requirement of the selected release', () => {
  const releases = chain({ id: 'R1', version: '1.0.0' }, { id: 'R2', requirement: '~> 2.0' })

  it('tests the version of the release that the device is on when it reports none', () => {
    expect(check(releases).passedOver).toMatchObject([{ code: 'requirement_not_met' }])
  })

  it('tests the reported version first', () => {
    expect(served(check(releases, { report: { release: 'R1', version: '2.1.0' } }))).toBe('R2')
  })

  it('is not held against a device of which no version is known', () => {
    expect(served(check(chain({ id: 'R1' }, { id: 'R2', requirement: '~> 2.0' })))).toBe('R2')
  })

  it('binds only entry by version where the cohort says so', () => {
    expect(served(check(releases, { scope: 'version-position' }))).toBe('R2')
  })
})

describe('resolution', () => {
  const version = fc.option(
    fc.tuple(fc.integer({ min: 1, max: 3 }), fc.nat(2)).map(([a, b]) => `${a}.${b}.0`),
    { nil: undefined },
  )
  const requirement = fc.option(
    fc.constantFrom('< 2.0.0', '~> 1.0', '>= 1.1.0 and < 3.0.0', '!= 2.0.0', '~> 2.1 or == 1.0.0'),
    { nil: undefined },
  )
  const part = fc.record({
    version,
    requirement,
    required: fc.boolean(),
    disabled: fc.boolean(),
    open: fc.boolean(),
    bundle: fc.nat(4),
    jump: fc.nat(3),
  })

  /** A random tree whose paths all lead to the last release: each one leads to some later one. */
  const tree = fc.array(part, { minLength: 1, maxLength: 9 }).map((parts) =>
    parts.map(({ bundle, jump, ...rest }, at): WalkRelease => {
      const next = Math.min(at + 1 + jump, parts.length - 1)
      return { ...rest, id: `R${at}`, bundle: `B${bundle}`, next: at === parts.length - 1 ? null : `R${next}` }
    }),
  )
  const report = fc.record(
    {
      release: fc.nat(12).map((at) => `R${at}`),
      bundle: fc.nat(6).map((at) => `B${at}`),
      version: fc.constantFrom('0.9.0', '1.0.0', '1.1.0', '2.0.0', '2.1.0-rc.1', '2.2.0', '3.0.0', 'x'),
    },
    { requiredKeys: [] },
  )

  it('serves what the specification serves, step by step', () => {
    fc.assert(
      fc.property(tree, report, (releases, said) => {
        const resolution = check(
          releases.map(({ open, disabled, ...release }) => ({
            ...release,
            schedule: open ? NOW : LATER,
            phase: { kind: 'everybody' },
            disabled: disabled ? { reason: 'x' } : undefined,
          })),
          { report: said },
        )
        expect(resolution.kind === 'update' ? resolution.source.id : undefined).toBe(specWalk(releases, said))
      }),
      { numRuns: 1500 },
    )
  })

  it('decides in a channel of five thousand releases, straight or not, without walking it for each of them', () => {
    const ids = Array.from({ length: 5000 }, (_, at) => ({ id: `R${at}` }))
    const releases = chain(...ids)
    const channel = prepareChannel({ releases, admission: staticAdmission('eu') })
    expect(channel.stations.every(({ stop }) => stop === 4999)).toBe(true)
  })
})

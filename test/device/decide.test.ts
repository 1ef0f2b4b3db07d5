import { describe, expect, it } from '@jest/globals'
import { pseudonymDigest } from '../../src/core/cohort/bucket.ts'
import type { ChannelRelease, Override } from '../../src/core/cohort/schema.ts'
import { buildManifest } from '../../src/core/manifest/build.ts'
import { type Manifest, QUARANTINE_ID } from '../../src/core/manifest/schema.ts'
import { unwrap } from '../../src/core/problem.ts'
import { type DeviceQuestion, decide, nextPollSeconds } from '../../src/device/decide.ts'
import { explainDecision } from '../../src/device/explain.ts'
import { withFloor, withRolledBack } from '../../src/device/state.ts'
import { aCohort, aRelease } from './fleet.ts'

const NOW = '2026-11-20T12:00:00Z'
const NEW = { schema: 'ringmaster/device-state/1', clockFloor: null, offer: null, rolledBack: [] } as const

function manifestOf(releases: readonly ChannelRelease[], changes: Partial<Manifest> = {}, issuedAt = NOW): Manifest {
  const state = { ...aCohort('eu', releases), previous: undefined }
  const issue = { issuedAt, expiresAt: '2027-01-01T00:00:00Z', ledgerHead: `sha256:${'0'.repeat(64)}` }
  return { ...unwrap(buildManifest(state, issue)), ...changes }
}

const question = (changes: Partial<DeviceQuestion> = {}): DeviceQuestion => ({
  manifest: manifestOf([aRelease('1.0.0'), aRelease('2.0.0')]),
  report: { version: '1.0.0' },
  device: { tags: [], quarantined: false, pseudonym: 'p-1' },
  state: { ...NEW, rolledBack: [] },
  now: NOW,
  ...changes,
})

const short = (decision: ReturnType<typeof decide>): string => {
  if (decision.kind === 'update') return `update ${decision.bundle.version}`
  return decision.kind === 'held' ? `held ${decision.reason.code}` : decision.kind
}

const override = (changes: Partial<Override> = {}): Override => ({
  id: 'O1',
  bundle: 'Gateway@1.0.0',
  startsAt: '2026-01-01T00:00:00Z',
  salt: 's',
  devices: [pseudonymDigest({ id: 'O1', salt: 's' }, 'p-1')],
  tags: [],
  ...changes,
})

const open = aRelease('1.0.0', { requirement: '>= 0.0.0' })
const withEntry = manifestOf([aRelease('1.0.0'), aRelease('2.0.0')], { entryRelease: 'Gateway@1.0.0' })
const quarantine = { salt: 'q', devices: [pseudonymDigest({ id: QUARANTINE_ID, salt: 'q' }, 'p-1')] }

describe('what a device makes of a verified manifest', () => {
  it.each<[string, Partial<DeviceQuestion>, string]>([
    ['takes what the channel offers', {}, 'update 2.0.0'],
    [
      'does not take again what it rolled back',
      { state: withRolledBack(NEW as never, ['Gateway@2.0.0']) },
      'held rolled_back_here',
    ],
    [
      'does not go back unasked',
      { manifest: manifestOf([open]), report: { version: '1.5.0' } },
      'held unasked_downgrade',
    ],
    [
      'goes back when an override asks',
      { manifest: { ...question().manifest, overrides: [override()] }, report: { version: '2.0.0' } },
      'update 1.0.0',
    ],
    [
      'does not take back by override what it rolled back',
      {
        manifest: { ...question().manifest, overrides: [override()] },
        state: withRolledBack(NEW as never, ['Gateway@1.0.0']),
      },
      'held rolled_back_here',
    ],
    ['is not offered for ever the version that it runs', { manifest: manifestOf([open]) }, 'held already_on_version'],
    [
      'is not offered the bundle that it reports',
      { manifest: manifestOf([open]), report: { bundle: 'Gateway@1.0.0', version: '0.9.0' } },
      'no_update',
    ],
    ['gets nothing in quarantine', { manifest: { ...question().manifest, quarantine } }, 'no_update'],
    ['is moved', { manifest: { ...question().manifest, movedTo: 'us' } }, 'moved'],
    ['that is not known and has no entry gets nothing', { report: {} }, 'no_update'],
    ['that is not known enters by the entry release', { manifest: withEntry, report: {} }, 'update 2.0.0'],
    [
      'with an unknown release enters by the entry release',
      { manifest: withEntry, report: { release: 'gone' } },
      'update 2.0.0',
    ],
    [
      'on the latest is not sent to the entry release',
      { manifest: withEntry, report: { release: 'Gateway@2.0.0' } },
      'no_update',
    ],
  ])('a device %s', (_name, changes, expected) => {
    expect(short(decide(question(changes)))).toBe(expected)
  })

  it('treats an offered bundle that the manifest does not describe as held', () => {
    expect(short(decide(question({ manifest: { ...question().manifest, bundles: [] } })))).toBe(
      'held bundle_not_in_manifest',
    )
  })
})

describe('a clock below its floor', () => {
  const floor = withFloor(NEW as never, NOW)
  const early = '2026-03-01T00:00:00Z'
  const ramp = aRelease('2.0.0', {
    phase: { kind: 'ramp', from: '1', to: '1', startsAt: '2026-02-01T00:00:00Z', endsAt: '2026-02-02T00:00:00Z' },
  })

  it.each<[string, Partial<DeviceQuestion>, string]>([
    ['takes what needs no clock', {}, 'update 2.0.0'],
    ['takes no ramp', { manifest: manifestOf([aRelease('1.0.0'), ramp]) }, 'update 1.0.0'],
    [
      'does not apply an override, nor move past it',
      { manifest: { ...question().manifest, overrides: [override()] } },
      'held clock_below_floor',
    ],
    [
      'leaves an override for others aside',
      { manifest: { ...question().manifest, overrides: [override({ devices: [] })] } },
      'update 2.0.0',
    ],
    [
      'waits for a schedule that the floor has not passed',
      { manifest: manifestOf([aRelease('1.0.0'), aRelease('2.0.0', { schedule: '2026-12-01T00:00:00Z' })]) },
      'update 1.0.0',
    ],
  ])('%s', (_name, changes, expected) => {
    const entered = { report: { version: '0.9.0' }, ...changes }
    const decision = short(decide(question({ now: early, state: floor, ...entered })))
    expect(decision).toBe(expected)
  })

  it('is told from a clock that drifts by minutes', () => {
    const drift = question({
      now: '2026-11-20T11:57:00Z',
      state: floor,
      manifest: { ...question().manifest, overrides: [override()] },
      report: { version: '2.0.0' },
    })
    expect(short(decide(drift))).toBe('update 1.0.0')
  })

  it('never sinks', () => {
    expect(withFloor(floor, early).clockFloor).toBe(NOW)
  })
})

describe('an explanation', () => {
  it('names the result last and every release passed over, with no control characters from outside', () => {
    const evil = aRelease('2.0.0', { disabled: { reason: 'bad\u001b[31m\u202Etxt' } })
    const texts = explainDecision(
      decide(question({ manifest: manifestOf([aRelease('1.0.0'), evil]), report: { release: 'Gateway@1.0.0' } })),
    )
    expect(texts.map(({ code }) => code)).toEqual(['position', 'disabled', 'nothing_available'])
    expect(texts.map(({ text }) => text).join()).not.toMatch(/[\u001b\u202e]/)
    expect(texts[1]?.text).toContain('\\u{1b}')
  })

  it('tells how far a phase has come', () => {
    const phased = aRelease('2.0.0', { phase: { kind: 'share', share: '0' } })
    const texts = explainDecision(
      decide(question({ manifest: manifestOf([aRelease('1.0.0'), phased]), report: { release: 'Gateway@1.0.0' } })),
    )
    expect(texts.map(({ text }) => text).join()).toContain('above the threshold; 0 % now')
  })
})

describe('the next poll', () => {
  const manifest = question().manifest
  it.each([
    [0, 3_240],
    [0.5, 3_600],
    [0.999, 3_960],
  ])('comes a tenth around the hint, by chance %p', (random, seconds) => {
    expect(nextPollSeconds(manifest, Date.parse(NOW), random)).toBe(seconds)
  })

  it('comes soon after a schedule that starts before the hint, spread over a tenth of it', () => {
    const soon = manifestOf([aRelease('1.0.0'), aRelease('2.0.0', { schedule: '2026-11-20T12:10:00Z' })])
    expect(nextPollSeconds(soon, Date.parse(NOW), 0)).toBe(600)
    expect(nextPollSeconds(soon, Date.parse(NOW), 0.5)).toBe(780)
  })
})

it('a device remembers at most two hundred bundles that it rolled back, the newest ones', () => {
  const many = Array.from({ length: 250 }, (_, at) => `B${at}`)
  const { rolledBack } = withRolledBack(NEW as never, many)
  expect([rolledBack.length, rolledBack[0], rolledBack.at(-1)]).toEqual([200, 'B50', 'B249'])
})

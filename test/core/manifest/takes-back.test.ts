import { describe, expect, it } from '@jest/globals'
import type { ChannelRelease } from '../../../src/core/cohort/schema.ts'
import { buildManifest } from '../../../src/core/manifest/build.ts'
import { takesBack } from '../../../src/core/manifest/takes-back.ts'
import { unwrap } from '../../../src/core/problem.ts'
import { aCohort, aRelease } from '../../device/fleet.ts'

const QUARANTINE = { salt: 'q', devices: ['ab'.repeat(16)] }
const HALTED = { reason: 'it burns', at: '2026-11-20T10:00:00Z' }
const issue = {
  issuedAt: '2026-11-20T10:00:00Z',
  expiresAt: '2026-11-27T10:00:00Z',
  ledgerHead: `sha256:${'0'.repeat(64)}`,
}

/** What is published: two releases, the latest to the half. */
const SHARE = { kind: 'share', share: '0.5' } as const
const releases = [aRelease('1.0.0'), aRelease('2.0.0', { phase: SHARE })]
const cohort = aCohort('eu', releases)
const published = unwrap(buildManifest({ ...cohort, quarantine: QUARANTINE, previous: undefined }, issue))
const latest = (changes: Partial<ChannelRelease>) => [releases[0], { ...releases[1], ...changes }] as ChannelRelease[]

describe('whether devices are to take less', () => {
  it.each<[string, ChannelRelease[], typeof QUARANTINE | null, boolean]>([
    ['when nothing has changed', latest({}), QUARANTINE, false],
    ['when a phase grows', latest({ phase: { kind: 'everybody' } }), QUARANTINE, false],
    ['when a release is added', [...releases, aRelease('3.0.0')], QUARANTINE, false],
    ['when a quarantine ends', latest({}), null, false],
    ['when a phase is halted', latest({ phase: { ...SHARE, halted: HALTED } }), QUARANTINE, true],
    ['when a release is disabled', latest({ disabled: { reason: 'it burns' } }), QUARANTINE, true],
    ['when it is held for a target', latest({ holds: [{ target: 'arm64', reason: 'it burns' }] }), QUARANTINE, true],
    ['when a release is gone', [aRelease('1.0.0')], QUARANTINE, true],
    ['when one more device is in quarantine', latest({}), { salt: 'q', devices: ['cd'.repeat(16)] }, true],
    ['when a quarantine was salted anew', latest({}), { ...QUARANTINE, salt: 'p' }, true],
  ])('%s', (_, wanted, quarantine, expected) => {
    expect(takesBack(published, { channel: { ...cohort.channel, releases: wanted }, quarantine })).toBe(expected)
  })
})

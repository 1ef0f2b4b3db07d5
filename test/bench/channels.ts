import type { ChannelRelease, DeviceReport } from '../../src/core/cohort/schema.ts'

export const COHORT = 'eu'
export const NOW = '2026-11-20T12:00:00Z'

export const versionOf = (at: number): string => `${1 + Math.floor(at / 40)}.${at % 40}.0`
export const releaseId = (at: number): string => `Gateway@${versionOf(at)}`

/** A channel as it grows over the years: one release after the other, every twentieth may not be skipped. */
export const chainOf = (releases: number): ChannelRelease[] =>
  Array.from({ length: releases }, (_, at) => ({
    id: releaseId(at),
    bundle: releaseId(at),
    version: versionOf(at),
    requirement: `>= 1.0.0 and < ${versionOf(at)}`,
    next: at + 1 < releases ? releaseId(at + 1) : null,
    required: at % 20 === 19,
    schedule: '2026-01-01T00:00:00Z',
    phase: { kind: 'everybody' },
  }))

/**
 * The report of one of many devices, spread over the channel: half tell all three values, a quarter the bundle alone
 * (after an override), a quarter the version alone (never updated by this channel). No two are the same.
 */
export function reportOf(device: number, releases: number): DeviceReport {
  const at = Math.imul(device, 2_654_435_761) >>> 0
  const place = at % releases
  if (device % 4 === 2) return { bundle: releaseId(place) }
  const version = versionOf(place).replace(/0$/, String(1 + (device % 1_000_003)))
  return device % 4 === 3 ? { version } : { release: releaseId(place), bundle: releaseId(place), version }
}

export const pseudonymOf = (device: number): string => device.toString(16).padStart(32, '5f3759df')

import { pseudonymDigest } from '../core/cohort/bucket.ts'
import { BEFORE_ENTRY, isLost, reportAtEntry, stationBefore } from '../core/cohort/entry-release.ts'
import { type PreparedOverride, prepareOverrides } from '../core/cohort/override.ts'
import { staticAdmission } from '../core/cohort/phase.ts'
import { prepareChannel, type ResolvableRelease } from '../core/cohort/prepared-channel.ts'
import { type Resolution, resolve } from '../core/cohort/resolve.ts'
import { type Device, type DeviceReport, Phase } from '../core/cohort/schema.ts'
import { compareVersions, parseVersion } from '../core/cohort/semantic-version.ts'
import { type BundleReference, type Manifest, QUARANTINE_ID } from '../core/manifest/schema.ts'
import type { DeviceState } from './state.ts'

/** Why the device layer does not take what the channel offers. Resolution itself knows none of these. */
export type HeldReason =
  | { readonly code: 'rolled_back_here'; readonly bundle: string }
  | { readonly code: 'unasked_downgrade'; readonly from: string; readonly to: string }
  | { readonly code: 'already_on_version'; readonly version: string }
  | { readonly code: 'already_on_bundle'; readonly bundle: string }
  | { readonly code: 'clock_below_floor'; readonly clock: string; readonly floor: string }
  | { readonly code: 'bundle_not_in_manifest'; readonly bundle: string }

export type DeviceDecision =
  | {
      readonly kind: 'update'
      readonly bundle: BundleReference
      readonly source: { readonly kind: 'release' | 'override'; readonly id: string }
      /** Whether the cohort's entry release was taken, because the device's own place is unknown. */
      readonly byEntry: boolean
      readonly resolution: Resolution
    }
  | { readonly kind: 'no_update'; readonly resolution: Resolution }
  | { readonly kind: 'held'; readonly reason: HeldReason; readonly resolution: Resolution | null }
  | { readonly kind: 'moved'; readonly to: string }

export interface DeviceQuestion {
  readonly manifest: Manifest
  readonly report: DeviceReport
  readonly device: Device
  readonly state: DeviceState
  /** The device's clock, ISO 8601 UTC. */
  readonly now: string
}

/** A clock this little behind a manifest's issue is a clock that drifts, not one that was set back. */
const CLOCK_TOLERANCE_MS = 300_000

/** The instant a device may act on: its clock, or the floor where the clock is below it. Milliseconds since 1970. */
export function trustedNowMs(now: string, state: DeviceState, issuedAt?: string): number {
  const floors = [state.clockFloor, issuedAt].flatMap((text) => (text == null ? [] : [Date.parse(text)]))
  return Math.max(Date.parse(now), ...floors)
}

/** Whether the clock is too far below what was signed to decide anything that depends on the time. */
export const isClockBelowFloor = (now: string, state: DeviceState, issuedAt?: string): boolean =>
  trustedNowMs(now, state, issuedAt) - Date.parse(now) > CLOCK_TOLERANCE_MS

/**
 * What the device does with a verified manifest. Pure: resolution as specified, then what protects a device beyond
 * it: no re-offer of what it rolled back, no unasked downgrade, no schedule, ramp or override by a clock that is
 * below its floor.
 */
export function decide(question: DeviceQuestion): DeviceDecision {
  const { manifest, state } = question
  if (manifest.movedTo !== null && manifest.movedTo !== manifest.cohort) return { kind: 'moved', to: manifest.movedTo }
  const unsure = isClockBelowFloor(question.now, state, manifest.issuedAt)
  const overrides = prepareOverrides(manifest.overrides)
  if (unsure && overrides.some((override) => override.names(question.device))) return clockBelowFloor(question, null)
  const { resolution, byEntry } = resolveAll(question, unsure ? [] : overrides, unsure)
  if (resolution.kind !== 'update') return { kind: 'no_update', resolution }
  const bundle = manifest.bundles.find(({ id }) => id === resolution.bundle)
  if (!bundle) return held({ code: 'bundle_not_in_manifest', bundle: resolution.bundle }, resolution)
  const against = reasonAgainst(bundle, question, resolution.source.kind)
  if (against) return held(against, resolution)
  return { kind: 'update', bundle, source: resolution.source, byEntry, resolution }
}

const held = (reason: HeldReason, resolution: Resolution | null): DeviceDecision => ({
  kind: 'held',
  reason,
  resolution,
})

const clockBelowFloor = ({ now, state, manifest }: DeviceQuestion, resolution: Resolution | null): DeviceDecision => {
  const floor = new Date(trustedNowMs(now, state, manifest.issuedAt)).toISOString()
  return held({ code: 'clock_below_floor', clock: now, floor }, resolution)
}

function resolveAll(question: DeviceQuestion, overrides: readonly PreparedOverride[], unsure: boolean) {
  const { manifest, report } = question
  const first = resolveIn(question, report, overrides, unsure)
  if (!isLost(first) || manifest.entryRelease === null) return { resolution: first, byEntry: false }
  return { resolution: resolveIn(question, reportAtEntry(report), overrides, unsure), byEntry: true }
}

function resolveIn(
  question: DeviceQuestion,
  report: DeviceReport,
  overrides: readonly PreparedOverride[],
  unsure: boolean,
) {
  const { manifest, device, now, state } = question
  const releases: ResolvableRelease[] = manifest.releases.map((release) => ({
    ...release,
    phase: unsure ? withoutRamp(release.phase) : release.phase,
  }))
  const { entryRelease } = manifest
  const isAtEntry = report.release === BEFORE_ENTRY && entryRelease !== null
  const channel = prepareChannel({
    releases: isAtEntry ? [...releases, stationBefore(entryRelease, manifest.issuedAt, null)] : releases,
    admission: staticAdmission(manifest.cohort),
    requirementDialect: manifest.requirementDialect,
  })
  return resolve({
    channel,
    overrides,
    report,
    device: { ...device, quarantined: device.quarantined || isQuarantined(manifest, device) },
    now: new Date(trustedNowMs(now, state, manifest.issuedAt)).toISOString(),
  })
}

/** A ramp read at the floor would be some true threshold, but the device could not say when it grows: it waits. */
const withoutRamp = (phase: unknown): unknown => {
  const read = Phase.safeParse(phase)
  if (!read.success || read.data.kind !== 'ramp') return phase
  const { salt, epoch, tags, halted } = read.data
  return { kind: 'share', threshold: '0', salt, epoch, tags, halted }
}

function isQuarantined({ quarantine }: Manifest, { pseudonym }: Device): boolean {
  if (!quarantine || pseudonym === undefined || pseudonym === '') return false
  return quarantine.devices.includes(pseudonymDigest({ id: QUARANTINE_ID, salt: quarantine.salt }, pseudonym))
}

/** An override may take a device back on purpose; a release may not. Neither brings back what was rolled back here. */
function reasonAgainst(
  bundle: BundleReference,
  question: DeviceQuestion,
  source: 'release' | 'override',
): HeldReason | undefined {
  const { report, state } = question
  if (state.rolledBack.includes(bundle.id)) return { code: 'rolled_back_here', bundle: bundle.id }
  if (report.bundle === bundle.id) return { code: 'already_on_bundle', bundle: bundle.id }
  const installed = installedVersion(question)
  if (installed === undefined) return undefined
  const running = parseVersion(installed)
  const offered = parseVersion(bundle.version)
  if (!running || !offered) return undefined
  const order = compareVersions(offered, running)
  if (order < 0 && source === 'release') return { code: 'unasked_downgrade', from: installed, to: bundle.version }
  if (order === 0 && report.bundle === undefined) return { code: 'already_on_version', version: installed }
  return undefined
}

/** As reported, else the version of the bundle or release that was reported. */
function installedVersion({ manifest, report }: DeviceQuestion): string | undefined {
  if (report.version !== undefined) return report.version
  const release = manifest.releases.find(({ id }) => id === report.release)
  const bundle = report.bundle ?? release?.bundle
  return manifest.bundles.find(({ id }) => id === bundle)?.version
}

/**
 * Seconds until the next poll: the manifest's hint with a tenth of jitter to either side, so that a fleet does not
 * ask all at once. `random` is from 0 up to 1. Where a schedule starts before that, the poll is spread over a tenth
 * of the hint after the start instead.
 */
export function nextPollSeconds(manifest: Manifest, nowMs: number, random: number): number {
  const hint = manifest.pollAfterSeconds
  const starts = manifest.releases
    .map(({ schedule }) => (Date.parse(schedule) - nowMs) / 1000)
    .filter((wait) => wait > 0)
  const soonest = Math.min(...starts)
  const wait = soonest < hint * 0.9 ? soonest + hint * 0.1 * random : hint * (0.9 + 0.2 * random)
  return Math.max(1, Math.ceil(wait))
}

import type { Refusal } from './admission.ts'
import { instantMs } from './instant.ts'
import { overrideFor, type PreparedOverride } from './override.ts'
import type { PreparedChannel, Station } from './prepared-channel.ts'
import type { Device, DeviceReport } from './schema.ts'
import { parseVersion, type SemanticVersion } from './semantic-version.ts'
import { cellOf, covers } from './version-line.ts'

/** Why one release on the way was not taken; `release` is its id. */
export type PassedOver = { readonly release: string } & (
  | { readonly code: 'disabled'; readonly reason: string }
  | { readonly code: 'held_for_target'; readonly target: string; readonly reason: string }
  | { readonly code: 'requirement_not_met'; readonly requirement: string }
  | { readonly code: 'requirement_unreadable'; readonly requirement: string }
  | { readonly code: 'scheduled'; readonly schedule: string }
  | { readonly code: 'phase'; readonly refusal: Refusal }
)

export type ReportField = 'release' | 'bundle' | 'version'

/** Where the device was found to be. `release` is the id of the release that it is on, or where it enters. */
export type Position =
  | { readonly by: 'release' | 'bundle'; readonly release: string }
  | { readonly by: 'version'; readonly release: string }
  | { readonly by: 'nothing' }

/** Why there is no update. */
export type NoUpdateReason =
  | 'on_override_bundle'
  | 'no_cohort'
  | 'nothing_reported'
  | 'not_identified'
  | 'no_entry'
  | 'on_latest'
  | 'nothing_available'
  | 'bundle_incomplete'
  | 'channel_broken'
  | 'clock_unreadable'

interface Explained {
  readonly position: Position
  /** What was reported and identified nothing in this channel, in the order of trial. */
  readonly ignored: readonly ReportField[]
  /** From the furthest release backwards, in the order in which they were tried. */
  readonly passedOver: readonly PassedOver[]
}

export type Resolution =
  | ({
      readonly kind: 'update'
      readonly source: { readonly kind: 'release' | 'override'; readonly id: string }
      readonly bundle: string
      /** Whether the caller has to record a claim on the source; only counted admission asks for it. */
      readonly takesClaim: boolean
    } & Explained)
  | ({
      readonly kind: 'no_update'
      readonly reason: NoUpdateReason
      /** The release that was selected and could not be served. */
      readonly release?: string
    } & Explained)
  | ({ readonly kind: 'device_quarantine' } & Explained)

export interface UpdateCheck {
  /** Undefined: the device has no cohort. */
  readonly channel: PreparedChannel | undefined
  readonly overrides: readonly PreparedOverride[]
  readonly report: DeviceReport
  readonly device: Device
  /** RFC 3339; an unreadable clock decides nothing. */
  readonly now: string
}

const NONE: readonly never[] = []
const NOWHERE: Explained = { position: { by: 'nothing' }, ignored: NONE, passedOver: NONE }

function noUpdate(reason: NoUpdateReason, explained: Explained = NOWHERE, release?: string): Resolution {
  return { kind: 'no_update', reason, ...(release === undefined ? {} : { release }), ...explained }
}

interface Place {
  readonly position: Position
  readonly ignored: readonly ReportField[]
  /** The release that the device is on; undefined when it enters by version. */
  readonly current: Station | undefined
  readonly candidate: number | undefined
  /** The cell of the version that requirements are tested against; undefined: none is known, so none is held against. */
  readonly cell: number | undefined
}

const stationOf = (channel: PreparedChannel, at: number | undefined): Station | undefined =>
  at === undefined || at < 0 ? undefined : channel.stations[at]

function reportedVersion(report: DeviceReport): SemanticVersion | undefined {
  return report.version === undefined ? undefined : parseVersion(report.version)
}

/** Requirements test the reported version, else the version of the release that the device is on. */
function placeOn(
  channel: PreparedChannel,
  current: Station,
  by: 'release' | 'bundle',
  report: DeviceReport,
  ignored: readonly ReportField[],
): Place {
  const version = channel.requirementScope === 'every-position' ? reportedVersion(report) : undefined
  const known = channel.requirementScope === 'every-position' ? current.versionCell : undefined
  return {
    position: { by, release: current.id },
    ignored,
    current,
    candidate: current.next,
    cell: version === undefined ? known : cellOf(channel.line, version),
  }
}

/** By release, else by bundle, else by version; what identifies nothing in this channel gives way to the next. */
function placeOf(channel: PreparedChannel, report: DeviceReport): Place {
  const byRelease = report.release === undefined ? undefined : stationOf(channel, channel.byId.get(report.release))
  if (byRelease !== undefined) return placeOn(channel, byRelease, 'release', report, NONE)
  const unknownRelease: readonly ReportField[] = report.release === undefined ? NONE : ['release']
  const byBundle = report.bundle === undefined ? undefined : stationOf(channel, channel.byBundle.get(report.bundle))
  if (byBundle !== undefined) return placeOn(channel, byBundle, 'bundle', report, unknownRelease)
  const ignored: readonly ReportField[] = report.bundle === undefined ? unknownRelease : [...unknownRelease, 'bundle']
  const version = reportedVersion(report)
  if (version === undefined) {
    const all: readonly ReportField[] = report.version === undefined ? ignored : [...ignored, 'version']
    return { position: NOWHERE.position, ignored: all, current: undefined, candidate: undefined, cell: undefined }
  }
  const cell = cellOf(channel.line, version)
  const candidate = channel.entries[cell]
  const entry = stationOf(channel, candidate)
  const position: Position = entry === undefined ? NOWHERE.position : { by: 'version', release: entry.id }
  return { position, ignored, current: undefined, candidate: entry === undefined ? undefined : candidate, cell }
}

/** A device that does not say its target is held with the one that is held: it may be of it. */
const heldFor = (station: Station, device: Device) =>
  station.holds.find(({ target }) => device.target === undefined || device.target === target)

/** The first reason against the release, in the order of the specification, or undefined when it is available. */
function reasonAgainst(
  station: Station,
  cell: number | undefined,
  device: Device,
  nowMs: number,
): PassedOver | undefined {
  const release = station.id
  if (station.disabled !== undefined) return { release, code: 'disabled', reason: station.disabled.reason }
  const hold = station.holds.length === 0 ? undefined : heldFor(station, device)
  if (hold !== undefined) return { release, code: 'held_for_target', target: hold.target, reason: hold.reason }
  if (!station.requirementReadable)
    return { release, code: 'requirement_unreadable', requirement: station.requirement ?? '' }
  if (station.spans !== undefined && cell !== undefined && !covers(station.spans, cell))
    return { release, code: 'requirement_not_met', requirement: station.requirement ?? '' }
  if (nowMs < station.scheduleMs) return { release, code: 'scheduled', schedule: station.schedule }
  return undefined
}

/** The releases from the candidate to where the walk ends, nearest first. */
function pathTo(channel: PreparedChannel, candidate: number, stop: number): Station[] {
  const path: Station[] = []
  for (let at: number | undefined = candidate; at !== undefined; ) {
    const station = stationOf(channel, at)
    if (station === undefined) break
    path.push(station)
    at = at === stop ? undefined : station.next
  }
  return path
}

interface Taken {
  readonly station: Station
  readonly takesClaim: boolean
}

/** Tries one release; what speaks against it is added to `passedOver`. */
function attempt(
  station: Station,
  place: Place,
  check: UpdateCheck,
  nowMs: number,
  passedOver: PassedOver[],
): Taken | undefined {
  const against = reasonAgainst(station, place.cell, check.device, nowMs)
  if (against !== undefined) {
    passedOver.push(against)
    return undefined
  }
  const admission = station.admit(check.device, nowMs)
  if (admission.admitted) return { station, takesClaim: admission.takesClaim }
  passedOver.push({ release: station.id, code: 'phase', refusal: admission })
  return undefined
}

/** Walks back from the end of the walk; the path is laid out only when its end is not available. */
function walkBack(
  channel: PreparedChannel,
  place: Place,
  check: UpdateCheck,
  nowMs: number,
  ends: { candidate: number; stop: number },
  passedOver: PassedOver[],
): Taken | undefined {
  const last = stationOf(channel, ends.stop)
  const first = last === undefined ? undefined : attempt(last, place, check, nowMs, passedOver)
  if (first !== undefined || ends.candidate === ends.stop) return first
  const path = pathTo(channel, ends.candidate, ends.stop)
  for (let at = path.length - 2; at >= 0; at -= 1) {
    const station = path[at]
    const taken = station === undefined ? undefined : attempt(station, place, check, nowMs, passedOver)
    if (taken !== undefined) return taken
  }
  return undefined
}

function reasonWithoutCandidate(place: Place, report: DeviceReport): NoUpdateReason {
  if (place.current !== undefined) return place.current.isLatest ? 'on_latest' : 'channel_broken'
  if (place.cell !== undefined) return 'no_entry'
  const { release, bundle, version } = report
  return release === undefined && bundle === undefined && version === undefined ? 'nothing_reported' : 'not_identified'
}

function resolveInChannel(channel: PreparedChannel, place: Place, check: UpdateCheck, nowMs: number): Resolution {
  const { position, ignored, candidate } = place
  const passedOver: PassedOver[] = []
  const explained = { position, ignored, passedOver }
  if (candidate === undefined) return noUpdate(reasonWithoutCandidate(place, check.report), explained)
  const stop = stationOf(channel, candidate)?.stop
  if (stop === undefined) return noUpdate('channel_broken', explained)
  const taken = walkBack(channel, place, check, nowMs, { candidate, stop }, passedOver)
  if (taken === undefined) return noUpdate('nothing_available', explained)
  const { station, takesClaim } = taken
  // The release that was selected is not replaced by an earlier one: its bundle has to be mended.
  if (!station.isComplete) return noUpdate('bundle_incomplete', explained, station.id)
  const source = { kind: 'release', id: station.id } as const
  return { kind: 'update', source, bundle: station.bundle, takesClaim, position, ignored, passedOver }
}

/** The bundle that the device is held to be on: as reported, else of the release it named, else as recorded. */
const currentBundle = (check: UpdateCheck, place: Place | undefined): string | undefined =>
  check.report.bundle ?? place?.current?.bundle ?? check.device.recordedBundle

/** An empty text reports nothing: clients write one, or leave the field out, for what they do not know. */
function withoutEmpty(check: UpdateCheck): UpdateCheck {
  const { release, bundle, version } = check.report
  if (release !== '' && bundle !== '' && version !== '') return check
  const told = Object.entries(check.report).filter(([, text]) => text !== '')
  return { ...check, report: Object.fromEntries(told) }
}

/**
 * Decides one update check: quarantine, then the override in force, then the device's place in its channel, forward
 * to the first required release or the latest, and back past everything that is not available. It says of every
 * release that it passed over why. It offers what the channel says and nothing else: not to offer again what was
 * rolled back, and not to downgrade unasked, is the device layer's.
 */
export function resolve(asked: UpdateCheck): Resolution {
  const check = withoutEmpty(asked)
  if (check.device.quarantined) return { kind: 'device_quarantine', ...NOWHERE }
  const nowMs = instantMs(check.now)
  if (nowMs === undefined) return noUpdate('clock_unreadable')
  const place = check.channel === undefined ? undefined : placeOf(check.channel, check.report)
  const override = check.overrides.length === 0 ? undefined : overrideFor(check.overrides, check.device, nowMs)
  if (override !== undefined) {
    const explained =
      place === undefined ? NOWHERE : { position: place.position, ignored: place.ignored, passedOver: NONE }
    if (currentBundle(check, place) === override.bundle) return noUpdate('on_override_bundle', explained)
    const source = { kind: 'override', id: override.id } as const
    return { kind: 'update', source, bundle: override.bundle, takesClaim: false, ...explained }
  }
  if (check.channel === undefined || place === undefined) return noUpdate('no_cohort')
  return resolveInChannel(check.channel, place, check, nowMs)
}

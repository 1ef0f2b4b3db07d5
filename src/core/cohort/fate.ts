import { impossible } from '../problem.ts'
import type { AdmissionPort } from './admission.ts'
import { isLost, reportAtEntry, stationBefore } from './entry-release.ts'
import { framedKey } from './framed-key.ts'
import { type PreparedChannel, prepareChannel, type ResolvableRelease, type Station } from './prepared-channel.ts'
import { type PassedOver, type Resolution, resolve } from './resolve.ts'
import type { Channel, Device, DeviceReport } from './schema.ts'
import { compareVersions, parseVersion, type SemanticVersion } from './semantic-version.ts'

/**
 * Where a device ends when every schedule has come and every phase is open: at the latest release, above all that the
 * channel has, waiting behind a release that is disabled or held for now, or stranded, which no waiting mends.
 */
export type Fate =
  | { readonly kind: 'arrives' }
  | { readonly kind: 'ahead' }
  | { readonly kind: 'waits'; readonly at: string | undefined }
  | { readonly kind: 'stranded'; readonly at: string | undefined; readonly because: string }

const OPEN: AdmissionPort = { of: () => () => ({ admitted: true, code: 'everybody', takesClaim: false }) }
const EPOCH = '1970-01-01T00:00:00Z'

/** The channel as it will be once nothing is constrained any more. */
export const openedChannel = (channel: Channel, entryRelease: string | null = null): PreparedChannel =>
  prepareChannel({
    releases: [
      ...channel.releases.map((release): ResolvableRelease => ({ ...release, schedule: EPOCH })),
      ...(entryRelease === null ? [] : [stationBefore(entryRelease, EPOCH, null)]),
    ],
    admission: OPEN,
    requirementDialect: channel.requirementDialect,
  })

/** One check in an opened channel, overrides and quarantine aside: they pass. */
export const resolveOpened = (channel: PreparedChannel, report: DeviceReport, target: string | undefined): Resolution =>
  resolve({
    channel,
    overrides: [],
    report,
    device: { tags: [], quarantined: false, ...(target === undefined ? {} : { target }) },
    now: EPOCH,
  })

function highestVersion(channel: PreparedChannel): SemanticVersion | undefined {
  return channel.stations.reduce<SemanticVersion | undefined>((highest, { version }) => {
    if (version === undefined) return highest
    return highest === undefined || compareVersions(version, highest) > 0 ? version : highest
  }, undefined)
}

const isRequirement = ({ code }: PassedOver): boolean =>
  code === 'requirement_not_met' || code === 'requirement_unreadable'

/** A closed release that may not be skipped, with releases behind it. */
const isBarrier = (station: Station | undefined): boolean => station !== undefined && !station.isLatest

function fateWithoutUpdate(
  channel: PreparedChannel,
  resolution: Extract<Resolution, { kind: 'no_update' }>,
  report: DeviceReport,
  highest: SemanticVersion | undefined,
): Fate {
  const at = resolution.position.by === 'nothing' ? undefined : resolution.position.release
  if (resolution.reason === 'on_latest') return { kind: 'arrives' }
  if (resolution.reason === 'no_entry') {
    const version = report.version === undefined ? undefined : parseVersion(report.version)
    const order = version && highest ? compareVersions(version, highest) : -1
    // Nothing above it to enter: the device is ahead of the channel, not left behind by it.
    if (order >= 0) return { kind: order === 0 ? 'arrives' : 'ahead' }
  }
  if (resolution.reason !== 'nothing_available') return { kind: 'stranded', at, because: resolution.reason }
  const requirement = resolution.passedOver.find(isRequirement)
  if (requirement !== undefined) return { kind: 'stranded', at, because: requirement.code }
  const [furthest] = resolution.passedOver
  const station = furthest && channel.stations[channel.byId.get(furthest.release) ?? -1]
  return isBarrier(station) ? { kind: 'stranded', at, because: 'closed_barrier' } : { kind: 'waits', at }
}

/** After an update a device reports all three values, as the documented clients do. */
function reportAfter(
  channel: PreparedChannel,
  channelRelease: string,
  versions: ReadonlyMap<string, string>,
): DeviceReport {
  const station = channel.stations[channel.byId.get(channelRelease) ?? -1]
  const version = versions.get(channelRelease)
  return {
    release: channelRelease,
    ...(station === undefined ? {} : { bundle: station.bundle }),
    ...(version === undefined ? {} : { version }),
  }
}

/**
 * Follows devices through a channel, update by update, to where they end. What a device reports decides its first
 * step only; from there each release is followed once, so a fleet costs one decision for each distinct report.
 */
export function fateReader(
  channel: Channel,
  entryRelease: string | null = null,
): (device: Device, report: DeviceReport) => Fate {
  const opened = openedChannel(channel, entryRelease)
  const highest = highestVersion(opened)
  const versions = new Map(
    channel.releases.flatMap(({ id, version }) => (version === undefined ? [] : [[id, version]])),
  )
  const known = new Map<string, Fate>()
  const step = (report: DeviceReport, target: string | undefined): Fate | { readonly kind: 'moves'; to: string } => {
    const found = resolveOpened(opened, report, target)
    const isAtEntry = entryRelease !== null && isLost(found)
    const resolution = isAtEntry ? resolveOpened(opened, reportAtEntry(report), target) : found
    if (resolution.kind === 'no_update') return fateWithoutUpdate(opened, resolution, report, highest)
    return resolution.kind === 'update' ? { kind: 'moves', to: resolution.source.id } : impossible(resolution.kind)
  }
  const fateFrom = (first: string, target: string | undefined): Fate => {
    const followed = new Set<string>()
    for (let release = first; ; ) {
      const key = framedKey([release, target])
      const next = known.get(key) ?? (followed.has(key) ? circle(release) : follow(release, target))
      followed.add(key)
      if (next.kind === 'moves') {
        release = next.to
        continue
      }
      for (const passed of followed) known.set(passed, next)
      return next
    }
  }
  const follow = (release: string, target: string | undefined) => step(reportAfter(opened, release, versions), target)
  return ({ target }, report) => {
    const first = step(report, target)
    return first.kind === 'moves' ? fateFrom(first.to, target) : first
  }
}

/** Two required releases that lead to each other: every update is offered, none leads on. */
const circle = (release: string): Fate => ({ kind: 'stranded', at: release, because: 'channel_broken' })

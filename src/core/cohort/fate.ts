import { impossible } from '../problem.ts'
import type { AdmissionPort } from './admission.ts'
import { framedKey } from './framed-key.ts'
import { type PreparedChannel, prepareChannel, type Station } from './prepared-channel.ts'
import { type PassedOver, type Resolution, resolve } from './resolve.ts'
import type { Channel, Device, DeviceReport } from './schema.ts'
import { compareVersions, parseVersion, type SemanticVersion } from './semantic-version.ts'

/**
 * Where a device ends when every schedule has come and every phase is open: at the latest release, waiting behind a
 * release that is disabled or held for now, or stranded, which no waiting mends.
 */
export type Fate =
  | { readonly kind: 'arrives' }
  | { readonly kind: 'waits'; readonly at: string | undefined }
  | { readonly kind: 'stranded'; readonly at: string | undefined; readonly because: string }

const OPEN: AdmissionPort = { of: () => () => ({ admitted: true, code: 'everybody', takesClaim: false }) }
const EPOCH = '1970-01-01T00:00:00Z'

/** The channel as it will be once nothing is constrained any more. */
export const openedChannel = (channel: Channel): PreparedChannel =>
  prepareChannel({
    releases: channel.releases.map((release) => ({ ...release, schedule: EPOCH })),
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
    // Nothing above it to enter: the device is ahead of the channel, not left behind by it.
    if (version && highest && compareVersions(version, highest) >= 0) return { kind: 'arrives' }
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

const keyOf = (report: DeviceReport, target: string | undefined): string =>
  framedKey([report.release, report.bundle, report.version, target])

/**
 * Follows devices through a channel, update by update, to where they end. Each state is followed once, so a fleet
 * costs no more than its distinct reports.
 */
export function fateReader(channel: Channel): (device: Device, report: DeviceReport) => Fate {
  const opened = openedChannel(channel)
  const highest = highestVersion(opened)
  const versions = new Map(
    channel.releases.flatMap(({ id, version }) => (version === undefined ? [] : [[id, version]])),
  )
  const known = new Map<string, Fate>()
  return ({ target }, first) => {
    const followed = new Set<string>()
    let report = first
    let fate: Fate | undefined
    while (fate === undefined) {
      const key = keyOf(report, target)
      fate = known.get(key)
      if (fate !== undefined) break
      if (followed.has(key)) {
        // Two required releases that lead to each other: every update is offered, none leads on.
        fate = { kind: 'stranded', at: report.release, because: 'channel_broken' }
        break
      }
      followed.add(key)
      const resolution = resolveOpened(opened, report, target)
      if (resolution.kind === 'no_update') fate = fateWithoutUpdate(opened, resolution, report, highest)
      else if (resolution.kind === 'update') report = reportAfter(opened, resolution.source.id, versions)
      else return impossible(resolution.kind)
    }
    for (const key of followed) known.set(key, fate)
    return fate
  }
}

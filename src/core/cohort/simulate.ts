import type { AdmissionPort } from './admission.ts'
import { channelFindings, type Finding } from './channel-findings.ts'
import { isLost, reportAtEntry, stationBefore } from './entry-release.ts'
import { type Fate, fateReader } from './fate.ts'
import { leftBehind } from './left-behind.ts'
import { prepareOverrides } from './override.ts'
import { prepareChannel, type ResolvableRelease } from './prepared-channel.ts'
import { type Resolution, resolve } from './resolve.ts'
import type { Channel, ChannelRelease, DeclaredPhase, Device, DeviceReport, Override } from './schema.ts'
import { compareVersions, parseVersion } from './semantic-version.ts'

/** A channel as it stands or as it is proposed, with the admission that its manifest would carry. */
export interface SimulatedChannel {
  readonly channel: Channel
  readonly overrides: readonly Override[]
  readonly admission: AdmissionPort<DeclaredPhase>
  /** What devices get that cannot tell what they run. */
  readonly entryRelease?: string | null
  readonly isQuarantined?: (device: Device) => boolean
}

/** Devices that say the same and are known as the same; `devices` is how many they are. */
export interface FleetGroup {
  readonly device: Device
  readonly report: DeviceReport
  readonly devices: number
}

export interface SimulationQuestion {
  /** Undefined for the first channel of a cohort. */
  readonly before: SimulatedChannel | undefined
  readonly after: SimulatedChannel
  readonly fleet: Iterable<FleetGroup>
  readonly now: string
  /** The version of a bundle that is not that of a release of the channel: an override's, or one that was removed. */
  readonly bundleVersions?: ReadonlyMap<string, string>
  readonly releasedBundles?: ReadonlySet<string>
  readonly enrolled?: number
  /** The devices go to another channel, which stands as it is: what it shows itself is not this change's doing. */
  readonly isMove?: boolean
}

export type Direction = 'up' | 'down' | 'same' | 'unknown'

/** Devices that are at one place and whose next update the change decides; null: none is offered. */
export interface Move {
  readonly from: string
  readonly before: string | null
  readonly after: string | null
  readonly direction: Direction
  readonly devices: number
}

export interface Simulation {
  readonly devices: number
  /** What is offered before and after, most devices first; places where nothing is offered either way are left out. */
  readonly moves: readonly Move[]
  /** Devices whose offer the change makes, takes away or replaces. */
  readonly changed: number
  readonly downgrades: number
  readonly stranded: number
  /** Stranded by this change and not before it. */
  readonly newlyStranded: number
  readonly findings: readonly Finding[]
}

interface Side {
  /** Whether the device stands on a release of the channel: a first channel takes nothing from any other. */
  readonly knows: (report: DeviceReport) => boolean
  readonly resolve: (group: FleetGroup) => Resolution
  readonly fate: (group: FleetGroup) => Fate
}

const EVERYBODY: DeclaredPhase = { kind: 'everybody' }

function sideOf(side: SimulatedChannel, now: string): Side {
  const { channel, overrides, admission, entryRelease = null, isQuarantined = () => false } = side
  const releases: readonly ResolvableRelease<DeclaredPhase>[] = channel.releases
  const prepared = prepareChannel({
    releases: entryRelease === null ? releases : [...releases, stationBefore(entryRelease, now, EVERYBODY)],
    admission,
    requirementDialect: channel.requirementDialect,
  })
  const forced = prepareOverrides(overrides)
  const fate = fateReader(channel, entryRelease)
  const ids = new Set(channel.releases.map(({ id }) => id))
  return {
    knows: ({ release }) => release !== undefined && ids.has(release),
    resolve: ({ device, report }) => {
      const known = isQuarantined(device) ? { ...device, quarantined: true } : device
      /** Written out, not spread from one object: this runs twice for each of a million devices. */
      const resolution = resolve({ channel: prepared, overrides: forced, report, device: known, now })
      if (entryRelease === null || !isLost(resolution)) return resolution
      return resolve({ channel: prepared, overrides: forced, report: reportAtEntry(report), device: known, now })
    },
    fate: ({ device, report }) => fate(device, report),
  }
}

/** The versions that labels and directions are read from: of releases by id, of bundles by id. */
interface Versions {
  readonly ofRelease: ReadonlyMap<string, string>
  readonly ofBundle: ReadonlyMap<string, string>
}

function versionsOf(question: SimulationQuestion): Versions {
  const releases = [...(question.before?.channel.releases ?? []), ...question.after.channel.releases]
  const versioned = releases.flatMap(({ id, bundle, version }) =>
    version === undefined ? [] : [{ id, bundle, version }],
  )
  return {
    ofRelease: new Map(versioned.map(({ id, version }) => [id, version])),
    ofBundle: new Map([
      ...versioned.map(({ bundle, version }) => [bundle, version] as const),
      ...(question.bundleVersions ?? []),
    ]),
  }
}

/** What the device runs: its own word first, then what its release or bundle is known to be. */
function runningVersion({ release, bundle, version }: DeviceReport, versions: Versions): string | undefined {
  if (version !== undefined && parseVersion(version) !== undefined) return version
  const known = release === undefined ? undefined : versions.ofRelease.get(release)
  return known ?? (bundle === undefined ? undefined : versions.ofBundle.get(bundle))
}

interface Offer {
  readonly label: string
  readonly version: string | undefined
}

function offerOf(resolution: Resolution | undefined, versions: Versions): Offer | null {
  if (resolution?.kind !== 'update') return null
  const { source, bundle } = resolution
  const ofRelease = source.kind === 'release' ? versions.ofRelease.get(source.id) : undefined
  const version = ofRelease ?? versions.ofBundle.get(bundle)
  return { label: version ?? bundle, version }
}

function directionOf(from: string | undefined, offer: Offer | null): Direction {
  const [own, offered] = [from, offer?.version].map((text) => (text === undefined ? undefined : parseVersion(text)))
  if (own === undefined || offered === undefined) return 'unknown'
  const order = compareVersions(offered, own)
  return order > 0 ? 'up' : order < 0 ? 'down' : 'same'
}

/** A target that no hold can name: the devices of all targets that nothing is held for. */
export const OTHER_TARGETS = ''

/** What a place is called: the version that runs there, and the target where it is tried for one. */
export function placeLabel(
  { release, bundle }: DeviceReport,
  target: string | undefined,
  version: string | undefined,
): string {
  const place = version ?? release ?? bundle ?? 'unknown'
  if (target === undefined) return place
  return target === OTHER_TARGETS ? `${place} (other targets)` : `${place} (${target})`
}

interface Count {
  devices: number
  changed: number
  downgrades: number
  newDowngrades: number
  stranded: number
  newlyStranded: number
  readonly moves: MoveTable
}

type CountedMove = { -readonly [Key in keyof Move]: Move[Key] }

/** By direction, what is offered before and after, and place: no key is put together for each of a million devices. */
type MoveTable = Map<Direction, Map<string | null, Map<string | null, Map<string, CountedMove>>>>

function at<Key, Inner>(table: Map<Key, Inner>, key: Key, empty: () => Inner): Inner {
  const found = table.get(key)
  if (found !== undefined) return found
  const made = empty()
  table.set(key, made)
  return made
}

function countMove(count: Count, move: Omit<Move, 'devices'>, devices: number): void {
  const { from, before, after, direction } = move
  if (before === null && after === null) return
  const byBefore = at(count.moves, direction, () => new Map())
  const byAfter = at(byBefore, before, () => new Map())
  const places = at(byAfter, after, () => new Map())
  const counted = places.get(from)
  if (counted === undefined) places.set(from, { from, before, after, direction, devices })
  else counted.devices += devices
  if (before !== after) count.changed += devices
}

function movesIn(table: MoveTable): Move[] {
  const moves: Move[] = []
  for (const byBefore of table.values())
    for (const byAfter of byBefore.values())
      for (const places of byAfter.values()) for (const move of places.values()) moves.push(move)
  return moves
}

/** Whether a device runs what the change leaves behind: it is above the channel by that alone. */
function runsOneOf(releases: readonly ChannelRelease[]): (report: DeviceReport) => boolean {
  const ids = new Set<string | undefined>(releases.map(({ id }) => id))
  const bundles = new Set<string | undefined>(releases.map(({ bundle }) => bundle))
  const versions = new Set<string | undefined>(releases.map(({ version }) => version))
  return ({ release, bundle, version }) =>
    (release !== undefined && ids.has(release)) ||
    (bundle !== undefined && bundles.has(bundle)) ||
    (version !== undefined && versions.has(version))
}

interface Sides {
  readonly before: Side | undefined
  readonly after: Side
  readonly isLeftBehind: (report: DeviceReport) => boolean
}

function countGroup(count: Count, group: FleetGroup, sides: Sides, versions: Versions): void {
  const { report, devices } = group
  const running = runningVersion(report, versions)
  const before = offerOf(sides.before?.resolve(group), versions)
  const after = offerOf(sides.after.resolve(group), versions)
  const direction = directionOf(running, after)
  const from = placeLabel(report, group.device.target, running)
  countMove(count, { from, before: before?.label ?? null, after: after?.label ?? null, direction }, devices)
  count.devices += devices
  if (direction === 'down') {
    count.downgrades += devices
    if (before?.label !== after?.label) count.newDowngrades += devices
  }
  const { kind } = sides.after.fate(group)
  if (kind === 'stranded' || (kind === 'ahead' && sides.isLeftBehind(report))) {
    count.stranded += devices
    if (sides.before === undefined ? sides.after.knows(report) : sides.before.fate(group).kind !== 'stranded')
      count.newlyStranded += devices
  }
}

function deviceFindings(count: Count): Finding[] {
  const findings: Finding[] = []
  if (count.stranded > 0) {
    findings.push({
      code: 'devices-stranded',
      severity: count.newlyStranded > 0 ? 'error' : 'warning',
      message: `expected every device to come to the latest release in the end, found ${count.stranded} stranded, ${count.newlyStranded} of them by this change`,
      hint: 'give them an entry by requirement, or keep the release that they are on',
    })
  }
  if (count.downgrades > 0) {
    findings.push({
      code: 'devices-downgraded',
      severity: count.newDowngrades > 0 ? 'error' : 'warning',
      message: `expected no device to be offered less than it runs, found ${count.downgrades}, ${count.newDowngrades} of them by this change`,
    })
  }
  return findings
}

const byDevices = (a: Move, b: Move): number =>
  b.devices - a.devices || (a.from < b.from ? -1 : a.from > b.from ? 1 : 0)

/**
 * Plays a change to a channel over a fleet, before and after, at one instant: who is offered what, who is taken back,
 * who is left behind for good, and what the channel itself shows. Changes nothing.
 */
export function simulate(question: SimulationQuestion): Simulation {
  const { before, after, now } = question
  const versions = versionsOf(question)
  // Who goes to another channel is not behind what that one never had.
  const behind = before === undefined || question.isMove ? [] : leftBehind(before.channel, after.channel, now)
  const sides = { before: before && sideOf(before, now), after: sideOf(after, now), isLeftBehind: runsOneOf(behind) }
  const count: Count = {
    devices: 0,
    changed: 0,
    downgrades: 0,
    newDowngrades: 0,
    stranded: 0,
    newlyStranded: 0,
    moves: new Map(),
  }
  for (const group of question.fleet) countGroup(count, group, sides, versions)
  const { devices, changed, downgrades, stranded, newlyStranded } = count
  const context = {
    before: before?.channel,
    now,
    releasedBundles: question.releasedBundles,
    enrolled: question.enrolled,
  }
  const moves = movesIn(count.moves).sort(byDevices)
  const ofChannel = question.isMove ? [] : channelFindings(after.channel, context)
  const findings = [...ofChannel, ...deviceFindings(count)]
  return { devices, moves, changed, downgrades, stranded, newlyStranded, findings }
}

/** Every combination of reports, tags and targets once: a fleet to try where nobody has counted one. */
export function* combinedFleet(parts: {
  readonly reports: readonly DeviceReport[]
  readonly tags: readonly (readonly string[])[]
  readonly targets: readonly (string | undefined)[]
}): Generator<FleetGroup> {
  for (const report of parts.reports) {
    for (const tags of parts.tags) {
      for (const target of parts.targets) {
        const device = { tags: [...tags], quarantined: false, ...(target === undefined ? {} : { target }) }
        yield { report, device, devices: 1 }
      }
    }
  }
}

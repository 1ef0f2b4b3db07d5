import type { CohortOffer, FleetKnown } from './effect.ts'
import { instantMs } from './instant.ts'
import { overrideFor, prepareOverrides } from './override.ts'
import { reportOf } from './report-of.ts'
import type { Enrolled } from './roster.ts'
import type { Channel, Device, DeviceReport } from './schema.ts'
import { combinedFleet, type FleetGroup, OTHER_TARGETS, type SimulatedChannel } from './simulate.ts'

/** A version that devices may run though it is not in the channel. */
export interface KnownVersion {
  readonly bundle: string
  readonly version: string
}

/** The devices that a change is played over, and what had to be tried because nobody has said it. */
export interface PlayedFleet {
  readonly basis: 'reports' | 'roster' | 'versions'
  /** Targets that something is held for. */
  readonly held: readonly string[]
  /** Where devices may stand, oldest first; all that were tried, unless they have reported it. */
  readonly places: readonly DeviceReport[]
  /** How many versions were known, where that is more than were tried. */
  readonly cut: { readonly tried: number; readonly known: number } | undefined
  readonly groups: Iterable<FleetGroup>
}

/** A channel of thousands would not be told in time while somebody waits; the newest are where devices are. */
const MOST_PLACES = 1_000

/** Every version that a device may have had before the change: what it brings itself, none has yet. */
function placesOf(before: CohortOffer | null, after: CohortOffer, others: readonly KnownVersion[]) {
  const { releases } = (before ?? after).channel
  const offered = new Set([...releases, ...after.channel.releases].map(({ bundle }) => bundle))
  const elsewhere = new Map(others.map((other) => [other.bundle, other]))
  const all: DeviceReport[] = [
    ...[...elsewhere.values()].filter(({ bundle }) => !offered.has(bundle)),
    ...releases.map(reportOf),
  ]
  const tried = all.slice(-MOST_PLACES)
  const hasEntry = after.entryRelease !== null || (before !== null && before.entryRelease !== null)
  return {
    places: hasEntry ? [{}, ...tried] : tried,
    cut: tried.length < all.length ? { tried: tried.length, known: all.length } : undefined,
  }
}

type Place = (entry: Enrolled) => Device

const here: Place = ({ pseudonym, epoch, tags }) => ({ pseudonym, epoch, tags: [...tags], quarantined: false })
/** An epoch counts in the cohort that gave it: elsewhere nobody is on the roster of an exact count. */
const inAnotherCohort: Place = ({ pseudonym, tags }) => ({ pseudonym, tags: [...tags], quarantined: false })

/** The targets that something is held for; nothing else tells one target from another. */
function heldTargets(channels: readonly Channel[]): string[] {
  const holds = channels.flatMap(({ releases }) => releases.flatMap((release) => release.holds ?? []))
  return [...new Set(holds.map(({ target }) => target))]
}

/** A roster does not know targets. A device without one would count as held, so each is tried for every target. */
const ofTargets = (device: Device, held: readonly string[]): readonly Device[] =>
  held.length === 0 ? [device] : [...held, OTHER_TARGETS].map((target) => ({ ...device, target }))

/** What the channel may decide differently for two devices that report the same, as text. */
function tellApart({ channel, overrides, admission, isQuarantined }: SimulatedChannel, now: string) {
  const nowMs = instantMs(now) ?? Number.NaN
  const forced = prepareOverrides(overrides)
  const admits = channel.releases
    .filter(({ phase }) => phase.kind !== 'everybody')
    .map(({ id, phase }) => admission.of(id, phase))
  return (device: Device): string => {
    const override = forced.length === 0 ? undefined : overrideFor(forced, device, nowMs)
    let said = isQuarantined?.(device) ? 'q' : ''
    if (override !== undefined) said += forced.indexOf(override)
    for (const admit of admits) said += admit(device, nowMs).admitted ? '+' : '-'
    return said
  }
}

/**
 * One device for all of a roster that no rule of the channels tells apart, with their number: so a million devices are
 * looked at once, however many versions are tried for them.
 */
function alike(entries: readonly Enrolled[], place: Place, sides: readonly SimulatedChannel[], now: string) {
  const differences = sides.map((side) => tellApart(side, now))
  const found = new Map<string, { readonly device: Device; devices: number }>()
  for (const entry of entries) {
    const device = place(entry)
    const key = differences.map((difference) => difference(device)).join('|')
    const known = found.get(key)
    if (known === undefined) found.set(key, { device, devices: 1 })
    else known.devices += 1
  }
  return [...found.values()]
}

function* reported({ roster, reports }: FleetKnown, place: Place, held: readonly string[]): Generator<FleetGroup> {
  for (const entry of roster?.entries ?? []) {
    const report = reports.get(entry.pseudonym) ?? {}
    for (const device of ofTargets(place(entry), held)) yield { device, report, devices: 1 }
  }
}

function* everywhere(
  groups: ReturnType<typeof alike>,
  places: readonly DeviceReport[],
  held: readonly string[],
): Generator<FleetGroup> {
  for (const report of places)
    for (const { device, devices } of groups)
      for (const ofTarget of ofTargets(device, held)) yield { device: ofTarget, report, devices }
}

function versionsAlone(after: Channel, places: readonly DeviceReport[], held: readonly string[]): Iterable<FleetGroup> {
  const tags = new Set(after.releases.flatMap(({ phase }) => ('tags' in phase ? (phase.tags ?? []) : [])))
  return combinedFleet({
    reports: places,
    tags: [[], ...(tags.size > 0 ? [[...tags]] : [])],
    targets: held.length === 0 ? [undefined] : [...held, OTHER_TARGETS],
  })
}

/** The devices that reported, else everybody on the roster on each version known, else the versions alone. */
export function fleetFor(
  change: {
    readonly before: CohortOffer | null
    readonly after: CohortOffer
    readonly others: readonly KnownVersion[]
  },
  sides: readonly SimulatedChannel[],
  known: FleetKnown,
  now: string,
): PlayedFleet {
  const { before, after, others } = change
  const { roster, reports } = known
  const place = known.goesTo === undefined ? here : inAnotherCohort
  const held = heldTargets(before === null ? [after.channel] : [before.channel, after.channel])
  if (roster !== null && reports.size > 0)
    return { basis: 'reports', held, places: [], cut: undefined, groups: reported(known, place, held) }
  const { places, cut } = placesOf(before, after, others)
  if (roster === null)
    return { basis: 'versions', held, places, cut, groups: versionsAlone(after.channel, places, held) }
  const groups = everywhere(alike(roster.entries, place, sides, now), places, held)
  return { basis: 'roster', held, places, cut, groups }
}

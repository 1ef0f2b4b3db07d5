import { type Problem, quoted } from '../problem.ts'
import { checkChannel } from './channel.ts'
import { dialectWarning } from './dialect-warning.ts'
import { openedChannel, resolveOpened } from './fate.ts'
import { instantMs } from './instant.ts'
import { leftBehind } from './left-behind.ts'
import { compileRequirement } from './requirement.ts'
import type { Channel, ChannelRelease } from './schema.ts'
import { compareVersions, parseVersion } from './semantic-version.ts'

export type FindingCode =
  | 'rule-broken'
  | 'start-in-past'
  | 'start-far-ahead'
  | 'ramp-over'
  | 'hundred-for-everybody'
  | 'count-beyond-roster'
  | 'bundle-not-released'
  | 'duplicate-barrier'
  | 'release-left-out'
  | 'reoffer-loop'
  | 'dialects-differ'
  | 'devices-stranded'
  | 'devices-downgraded'

/** Something that a change to a channel would do. An error fails the proposal; a warning is shown beside it. */
export interface Finding extends Problem<FindingCode> {
  readonly severity: 'error' | 'warning'
  readonly release?: string
}

export interface FindingContext {
  readonly before: Channel | undefined
  readonly now: string
  /** Bundles that were signed off; undefined where that is checked elsewhere. */
  readonly releasedBundles: ReadonlySet<string> | undefined
  /** Devices on the roster; undefined without one. */
  readonly enrolled: number | undefined
}

/** A proposal takes time until it is merged; a start further back than this is a mistake. */
const START_TOLERANCE_MS = 24 * 3_600_000
/** A start further ahead than this is a year written wrong. */
const START_HORIZON_MS = 180 * 24 * 3_600_000

type Rule = (after: Channel, context: FindingContext) => Finding[]

function changedReleases(after: Channel, before: Channel | undefined, member: (release: ChannelRelease) => unknown) {
  const old = new Map(before?.releases.map((release) => [release.id, member(release)]))
  return after.releases.filter((release) => !old.has(release.id) || old.get(release.id) !== member(release))
}

const brokenRules: Rule = (after, { now }) => {
  const checked = checkChannel(after, now)
  if (checked.ok) return []
  return checked.problems.map(({ code, message, hint }) => ({
    code: 'rule-broken',
    severity: 'error',
    message: `${code}: ${message}`,
    ...(hint === undefined ? {} : { hint }),
  }))
}

/** What is wrong with an instant at which devices begin to be let in; null when nothing is. */
function wrongStart(release: string, what: string, startsAt: string, now: string): Finding | null {
  const nowMs = instantMs(now) ?? 0
  const startMs = instantMs(startsAt) ?? Number.NaN
  if (startMs < nowMs - START_TOLERANCE_MS) {
    const message = `expected ${what} of ${quoted(release)} at or after ${now}, found ${startsAt}`
    return {
      code: 'start-in-past',
      severity: 'error',
      release,
      message,
      hint: 'it would let its devices in at once',
    }
  }
  if (startMs <= nowMs + START_HORIZON_MS) return null
  const message = `expected ${what} of ${quoted(release)} within half a year of ${now}, found ${startsAt}`
  return { code: 'start-far-ahead', severity: 'warning', release, message, hint: 'look at the year' }
}

/** A channel that stands for the first time brings its past along: what has started there started long ago. */
const starts: Rule = (after, { before, now }) =>
  before === undefined
    ? []
    : changedReleases(after, before, ({ schedule }) => schedule).flatMap(
        ({ id, schedule }) => wrongStart(id, 'the start', schedule, now) ?? [],
      )

const timesOfRamp = ({ phase }: ChannelRelease): string | undefined =>
  phase.kind === 'ramp' ? `${phase.startsAt} ${phase.endsAt}` : undefined

/** A ramp whose start or end lies in the past lets many devices in at once, or all of them. */
const rampFindings = (releases: readonly ChannelRelease[], now: string): Finding[] =>
  releases.flatMap(({ id, phase }): Finding[] => {
    if (phase.kind !== 'ramp') return []
    const start = wrongStart(id, 'the start of the ramp', phase.startsAt, now)
    if ((instantMs(phase.endsAt) ?? Number.NaN) > (instantMs(now) ?? 0)) return start ? [start] : []
    const message = `expected the end of the ramp of ${quoted(id)} after ${now}, found ${phase.endsAt}`
    const ended: Finding = {
      code: 'ramp-over',
      severity: 'error',
      release: id,
      message,
      hint: 'it would let everybody in at once; say "everybody" where that is meant',
    }
    return start ? [start, ended] : [ended]
  })

/** Who was let in stays so: a ramp over a release that is everybody's changes nothing, wherever the clock stands on it. */
const ramps: Rule = (after, { before, now }) => {
  const open = new Set(before?.releases.flatMap(({ id, phase }) => (phase.kind === 'everybody' ? [id] : [])))
  return rampFindings(
    changedReleases(after, before, timesOfRamp).filter(({ id }) => !open.has(id)),
    now,
  )
}

const counts: Rule = (after, { before, enrolled }) =>
  changedReleases(after, before, ({ phase }) => (phase.kind === 'count' ? phase.count : undefined)).flatMap(
    ({ id, phase }): Finding[] => {
      if (phase.kind !== 'count') return []
      if (phase.count === 100) {
        const message = `expected a share of "1.0" for everybody, found a count of 100 devices for ${quoted(id)}`
        const hint = 'write 99 or 101 where a count of about a hundred devices is meant'
        return [{ code: 'hundred-for-everybody', severity: 'error', release: id, message, hint }]
      }
      if (enrolled === undefined || phase.count < enrolled) return []
      const message = `expected fewer than the ${enrolled} enrolled devices for ${quoted(id)}, found a count of ${phase.count}`
      return [
        { code: 'count-beyond-roster', severity: 'warning', release: id, message, hint: 'write "1.0" for everybody' },
      ]
    },
  )

const unreleased: Rule = (after, { before, releasedBundles }) =>
  releasedBundles === undefined
    ? []
    : changedReleases(after, before, ({ bundle }) => bundle)
        .filter(({ bundle }) => !releasedBundles.has(bundle))
        .map(({ id, bundle }) => ({
          code: 'bundle-not-released',
          severity: 'error',
          release: id,
          message: `expected ${quoted(id)} to offer a signed-off bundle, found ${quoted(bundle)}`,
        }))

/** The parts of a barrier that make a second one of it useless: devices that passed one have passed the other. */
const barrierKeys = ({ bundle, version }: ChannelRelease): string[] => [
  `bundle ${bundle}`,
  ...(version === undefined ? [] : [`version ${version}`]),
]

const duplicateBarriers: Rule = (after) => {
  const seen = new Map<string, string>()
  const found: Finding[] = []
  for (const release of after.releases.filter(({ required }) => required)) {
    const key = barrierKeys(release).find((one) => seen.has(one))
    if (key !== undefined) {
      const message = `expected each required release once, found ${quoted(release.id)} beside ${quoted(seen.get(key))} with the same ${quoted(key)}`
      found.push({ code: 'duplicate-barrier', severity: 'error', release: release.id, message })
    }
    for (const one of barrierKeys(release)) seen.set(one, release.id)
  }
  return found
}

/** In every cohort, whoever counts in it: no fleet that was counted says that nobody has taken it since. */
const leftOut: Rule = (after, { before, now }) =>
  before === undefined
    ? []
    : leftBehind(before, after, now).map(({ id, version }) => ({
        code: 'release-left-out',
        severity: 'error',
        release: id,
        message: `expected ${quoted(id)} in the channel, or something above ${version} that its devices may enter, found neither`,
        hint: 'keep it in the channel; disable it with a reason where nobody may get it any more, and append the fix after it',
      }))

const OPEN_HINT = 'give the requirement an upper bound such as "< 2.0.0" for the release 2.0.0'

interface OfferedAgain {
  readonly release: string
  readonly offered: string
}

/** Versions that, reported alone, are offered themselves or less again and again. */
function offeredAgain(channel: Channel): ReadonlyMap<string, OfferedAgain> {
  const opened = openedChannel(channel)
  const found = new Map<string, OfferedAgain>()
  for (const { id, version } of channel.releases) {
    if (version === undefined || found.has(version)) continue
    const resolution = resolveOpened(opened, { version }, undefined)
    if (resolution.kind !== 'update') continue
    const offered = opened.stations[opened.byId.get(resolution.source.id) ?? -1]?.version
    const own = parseVersion(version)
    if (offered === undefined || own === undefined || compareVersions(offered, own) > 0) continue
    found.set(version, { release: id, offered: resolution.source.id })
  }
  return found
}

/** In every cohort, whoever counts in it: a device may report its version alone, and then nothing else ends the loop. */
const reoffers: Rule = (after, { before }) => {
  const old = before && offeredAgain(before)
  return [...offeredAgain(after)].map(([version, { release, offered }]) => {
    const message = `expected a device that reports only ${version} to be offered something newer or nothing, found ${quoted(offered)}`
    const severity = old?.has(version) ? 'warning' : 'error'
    return { code: 'reoffer-loop', severity, release, message, hint: OPEN_HINT }
  })
}

const dialects: Rule = (after, { before }) =>
  changedReleases(after, before, ({ requirement }) => requirement).flatMap(({ id, requirement }): Finding[] => {
    const compiled = requirement === undefined ? undefined : compileRequirement(requirement, after.requirementDialect)
    const warning = compiled?.ok ? dialectWarning(compiled.value) : undefined
    return warning === undefined
      ? []
      : [{ code: 'dialects-differ', severity: 'warning', release: id, message: warning.message }]
  })

const RULES: readonly Rule[] = [
  brokenRules,
  starts,
  ramps,
  counts,
  unreleased,
  duplicateBarriers,
  leftOut,
  reoffers,
  dialects,
]

/** What the channel itself shows, before any device is looked at; every rule runs. */
export const channelFindings = (after: Channel, context: FindingContext): readonly Finding[] =>
  RULES.flatMap((rule) => rule(after, context))

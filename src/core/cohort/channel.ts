import { accepted, type Checked, type Problem, quoted, rejected } from '../problem.ts'
import { isComplete, isPhased } from './declared-phase.ts'
import { instantMs } from './instant.ts'
import type { Channel, ChannelRelease } from './schema.ts'

/** The rules that a channel keeps; a refusal carries the name of each one that it would break. */
export type ChannelRule =
  | 'zero-to-one-sinks'
  | 'only-sinks-constrain-availability'
  | 'unconstrained-sink-before-new-sink'
  | 'acyclic'
  | 'invalid-graph'
  | 'phase-value-1-is-final'
  | 'unknown-release'
  | `field:${string}`

export type ChannelProblem = Problem<ChannelRule>

/** Neither: the new release becomes the latest. `next`: a new start in front of it. Both: spliced in between. */
export interface Placement {
  readonly previous?: string | null | undefined
  readonly next?: string | null | undefined
}

export type NewRelease = Omit<ChannelRelease, 'next'>
export type ReleaseChange = Partial<Omit<ChannelRelease, 'id' | 'bundle'>>

const problem = (code: ChannelRule, message: string, hint?: string): ChannelProblem =>
  hint === undefined ? { code, message } : { code, message, hint }

/** Whether a release is not resolvable yet; a schedule that cannot be read never comes. */
export const isScheduled = ({ schedule }: ChannelRelease, now: string): boolean =>
  (instantMs(schedule) ?? Number.POSITIVE_INFINITY) > (instantMs(now) ?? Number.NEGATIVE_INFINITY)

/** Whether the release is scheduled for later or phased. Disabled and required do not constrain. */
export const isConstrained = (release: ChannelRelease, now: string): boolean =>
  isScheduled(release, now) || isPhased(release.phase)

const idsOf = (releases: readonly ChannelRelease[]): string => releases.map(({ id }) => quoted(id)).join(', ')

const latestOf = (channel: Channel): readonly ChannelRelease[] => channel.releases.filter(({ next }) => next === null)

function linkProblems(channel: Channel): ChannelProblem[] {
  const known = new Set(channel.releases.map(({ id }) => id))
  return channel.releases.flatMap(({ id, next }) =>
    next === null || known.has(next)
      ? []
      : [problem('invalid-graph', `expected ${quoted(id)} to lead to a release of its channel, found ${quoted(next)}`)],
  )
}

/** Releases on a cycle, each path walked once. */
function cycleProblems(channel: Channel): ChannelProblem[] {
  const byId = new Map(channel.releases.map((release) => [release.id, release]))
  const settled = new Set<string>()
  const problems: ChannelProblem[] = []
  for (const start of channel.releases) {
    const walked = new Set<string>()
    let at: ChannelRelease | undefined = start
    while (at !== undefined && !settled.has(at.id) && !walked.has(at.id)) {
      walked.add(at.id)
      at = at.next === null ? undefined : byId.get(at.next)
    }
    if (at !== undefined && walked.has(at.id))
      problems.push(
        problem('acyclic', `expected every path to end at the latest release, found a circle through ${quoted(at.id)}`),
      )
    for (const id of walked) settled.add(id)
  }
  return problems
}

function sinkProblems(channel: Channel): ChannelProblem[] {
  const sinks = latestOf(channel)
  if (sinks.length <= 1) return []
  return [
    problem('zero-to-one-sinks', `expected one latest release, found ${sinks.length}: ${idsOf(sinks.slice(0, 10))}`),
  ]
}

const availabilityProblem = ({ id }: ChannelRelease): ChannelProblem =>
  problem(
    'only-sinks-constrain-availability',
    `expected only the latest release to be scheduled or phased, found ${quoted(id)} with a next release`,
    'complete it, or disable it; who wants fewer devices halts the latest release',
  )

const repeatedIdProblems = (channel: Channel): ChannelProblem[] => {
  const seen = new Set<string>()
  return channel.releases.flatMap(({ id }) =>
    seen.size === seen.add(id).size
      ? [problem('field:id', `expected each release id once, found ${quoted(id)} again`)]
      : [],
  )
}

const graphProblems = (channel: Channel): ChannelProblem[] => [
  ...repeatedIdProblems(channel),
  ...linkProblems(channel),
  ...cycleProblems(channel),
  ...sinkProblems(channel),
]

/** Every rule over a whole channel at an instant, as for a configuration; all problems at once. */
export function checkChannel(channel: Channel, now: string): Checked<Channel, ChannelRule> {
  const inner = channel.releases.filter((release) => release.next !== null && isConstrained(release, now))
  const problems = [...graphProblems(channel), ...inner.map(availabilityProblem)]
  return problems.length === 0 ? accepted(channel) : rejected(...problems)
}

/** Availability is asked only of what the change touched: an older fault must not stop its own repair. */
function changedProblems(before: Channel, after: Channel, now: string, exempt: ReadonlySet<string>): ChannelProblem[] {
  const untouched = new Set(before.releases)
  const offenders = after.releases.filter(
    (release) =>
      release.next !== null && !untouched.has(release) && !exempt.has(release.id) && isConstrained(release, now),
  )
  return [...graphProblems(after), ...offenders.map(availabilityProblem)]
}

const settle = (channel: Channel, problems: readonly ChannelProblem[]): Checked<Channel, ChannelRule> =>
  problems.length === 0 ? accepted(channel) : rejected(...problems)

const withLink = (
  releases: readonly ChannelRelease[],
  from: ReadonlySet<string>,
  next: string | null,
): ChannelRelease[] => releases.map((release) => (from.has(release.id) ? { ...release, next } : release))

/** The new latest: every path that ended now ends at it. */
function append(channel: Channel, draft: NewRelease, now: string): Checked<Channel, ChannelRule> {
  const sinks = latestOf(channel)
  const constrained = sinks.filter((release) => isConstrained(release, now))
  const linked = withLink(channel.releases, new Set(sinks.map(({ id }) => id)), draft.id)
  const after = { ...channel, releases: [...linked, { ...draft, next: null }] }
  const named = constrained.map(({ id }) =>
    problem(
      'unconstrained-sink-before-new-sink',
      `expected the latest release ${quoted(id)} to be neither scheduled nor phased before a new latest, found that it is`,
      'complete its phase, or withdraw it and append the fix in one step',
    ),
  )
  const exempt = new Set(constrained.map(({ id }) => id))
  return settle(after, [...named, ...changedProblems(channel, after, now, exempt)])
}

function spliceProblems(channel: Channel, previous: string, next: string): ChannelProblem[] {
  const before = channel.releases.find(({ id }) => id === previous)
  if (before === undefined)
    return [problem('invalid-graph', `expected previous to be a release of this channel, found ${quoted(previous)}`)]
  if (before.next === next) return []
  const message = `expected ${quoted(previous)} to lead to ${quoted(next)}, found that it leads to ${quoted(before.next)}`
  return [
    problem('invalid-graph', message),
    problem('field:previous_release_prn', `${message}; a release is spliced between two neighbours`),
  ]
}

function insert(
  channel: Channel,
  draft: NewRelease,
  place: Placement,
  next: string,
  now: string,
): Checked<Channel, ChannelRule> {
  const { previous } = place
  const linked = previous == null ? channel.releases : withLink(channel.releases, new Set([previous]), draft.id)
  const after = { ...channel, releases: [...linked, { ...draft, next }] }
  const splice = previous == null ? [] : spliceProblems(channel, previous, next)
  return settle(after, [...splice, ...changedProblems(channel, after, now, new Set())])
}

/** Adds a release at its place, or says every rule that it would break. The channel given is not changed. */
export function createRelease(
  channel: Channel,
  draft: NewRelease,
  place: Placement,
  now: string,
): Checked<Channel, ChannelRule> {
  if (place.next != null) return insert(channel, draft, place, place.next, now)
  const result = append(channel, draft, now)
  if (place.previous == null) return result
  const missing = problem(
    'field:next_release_prn',
    `expected the next release beside previous ${quoted(place.previous)}, found none`,
    'name both neighbours, or neither for a new latest',
  )
  return rejected(missing, ...(result.ok ? [] : result.problems))
}

const finalProblem = ({ id }: ChannelRelease): ChannelProblem =>
  problem(
    'phase-value-1-is-final',
    `expected the phase of ${quoted(id)} to stay at 1 (everybody), found a change`,
    'halt the release, or withdraw it',
  )

const unknownRelease = (id: string): ChannelProblem =>
  problem('unknown-release', `expected a release of this channel, found ${quoted(id)}`)

/** Changes a release in place, or says every rule that the change would break. */
export function updateRelease(
  channel: Channel,
  id: string,
  change: ReleaseChange,
  now: string,
): Checked<Channel, ChannelRule> {
  const before = channel.releases.find((release) => release.id === id)
  if (before === undefined) return rejected(unknownRelease(id))
  const changed = { ...before, ...change }
  const after = { ...channel, releases: channel.releases.map((release) => (release === before ? changed : release)) }
  const isReopened = isComplete(before.phase) && !isComplete(changed.phase)
  return settle(after, [
    ...(isReopened ? [finalProblem(before)] : []),
    ...changedProblems(channel, after, now, new Set()),
  ])
}

/** Removes a release; what led to it leads to its next one. Several paths that ended at it would leave several ends. */
export function removeRelease(channel: Channel, id: string, now: string): Checked<Channel, ChannelRule> {
  const gone = channel.releases.find((release) => release.id === id)
  if (gone === undefined) return rejected(unknownRelease(id))
  const kept = channel.releases.filter((release) => release !== gone)
  const leading = new Set(kept.filter(({ next }) => next === id).map((release) => release.id))
  const after = { ...channel, releases: withLink(kept, leading, gone.next) }
  return settle(after, changedProblems(channel, after, now, new Set()))
}

/**
 * Takes a bad release back and appends its fix as the new latest in one step. The bad one is disabled with its
 * reason, so that it is never selected again, and no longer required, so that the way to the fix is open; its phase
 * and schedule are closed out because the fix follows it.
 */
export function withdrawRelease(
  channel: Channel,
  id: string,
  withdrawal: { readonly reason: string; readonly fix: NewRelease },
  now: string,
): Checked<Channel, ChannelRule> {
  const bad = channel.releases.find((release) => release.id === id)
  if (bad === undefined) return rejected(unknownRelease(id))
  const schedule = isScheduled(bad, now) ? now : bad.schedule
  const withdrawn: ChannelRelease = {
    ...bad,
    disabled: { reason: withdrawal.reason },
    required: false,
    schedule,
    phase: { kind: 'everybody' },
  }
  const releases = channel.releases.map((release) => (release === bad ? withdrawn : release))
  return createRelease({ ...channel, releases }, withdrawal.fix, {}, now)
}

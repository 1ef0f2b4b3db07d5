import { draft, type EventData } from '../../catalogue.ts'
import { type ReleaseChange, updateRelease } from '../../cohort/channel.ts'
import { type CohortOffer, remedyOf } from '../../cohort/effect.ts'
import type { ChannelEffect } from '../../cohort/effect-schema.ts'
import { channelOf, offerOf, otherVersions } from '../../cohort/offer.ts'
import type { Channel, ChannelRelease } from '../../cohort/schema.ts'
import { heldBackAlarm } from '../../cohort/serve.ts'
import { type CohortState, cohortKey } from '../../cohort/state.ts'
import { effectLines, pictureRows } from '../../cohort/telling.ts'
import { answer } from '../../command/answer.ts'
import { firstWord } from '../../command/arguments.ts'
import { nearest } from '../../command/nearest.ts'
import type { CohortConfig } from '../../config/schema.ts'
import { type Deciding, fact, state } from '../../decision.ts'
import type { EventDraft } from '../../event.ts'
import { accepted, type Checked, type Problem, quoted, rejected } from '../../problem.ts'
import { type ProductState, productKey } from '../../product/schema.ts'
import { type Context, done, type Result, refuse } from '../handling.ts'
import { OPEN_KEY, type OpenIndex } from '../open.ts'

/** A cohort that was offered something, with its channel as it stands. */
export interface Found {
  readonly config: CohortConfig
  readonly state: CohortState
  readonly channel: Channel
}

export function* cohortOf(name: string, { policy }: Context): Deciding<Checked<Found>> {
  const { cohorts } = policy.configuration
  const config = cohorts.find(({ id }) => id === name)
  if (config === undefined) {
    const close = nearest(
      name,
      cohorts.map(({ id }) => id),
    )
    return rejected({
      code: 'unknown-cohort',
      message: `expected a cohort of the configuration, found ${quoted(name)}`,
      hint:
        close.length > 0 ? `Did you mean ${close.join(' or ')}?` : 'Cohorts stand under cohorts: in the configuration.',
    })
  }
  const known = yield* state<CohortState>(cohortKey(name))
  if (known === undefined)
    return rejected({
      code: 'nothing-offered',
      message: `expected a cohort that was offered something, found that ${quoted(name)} was not`,
      hint: 'It is offered the first version that reaches a ring which serves it.',
    })
  return accepted({ config, state: known, channel: channelOf(known, config) })
}

/** A release by its id, by a version that only it has, or `latest`. */
export function releaseIn({ releases }: Channel, name: string): ChannelRelease | undefined {
  const byId = releases.find(({ id }) => id === name)
  if (byId) return byId
  const named = releases.filter((release) => (name === 'latest' ? release.next === null : release.version === name))
  return named.length === 1 ? named[0] : undefined
}

export function unknownRelease({ releases }: Channel, name: string): Problem {
  const ids = releases.map(({ id }) => id)
  const close = nearest(name, ids)
  return {
    code: 'unknown-release',
    message: `expected a release of the channel, found ${quoted(name)}`,
    hint: `${close.length > 0 ? `Did you mean ${close.join(' or ')}?` : ''} The newest are ${ids.slice(-5).join(', ')}; say latest for the last one.`.trim(),
  }
}

/** The release that the text begins with and what is left; the latest one where it begins with none. */
export function releaseAtStart(channel: Channel, text: string): { release: ChannelRelease | undefined; rest: string } {
  const { word, rest } = firstWord(text)
  const named = word === '' ? undefined : releaseIn(channel, word)
  return named ? { release: named, rest } : { release: releaseIn(channel, 'latest'), rest: text }
}

const UNREADABLE: Problem = {
  code: 'effect-unreadable',
  message: 'expected to tell what this does to devices, found that roster or manifest cannot be read',
  hint: 'See the log of the App; or say the command again with --accept-risk.',
}

type Judged =
  | { readonly kind: 'seen'; readonly effect: ChannelEffect | null }
  | { readonly kind: 'refused'; readonly result: Result }

/** Plays the change over the known devices. What hurts them is refused unless it is wanted, or takes only away. */
export function* judge(found: Found, after: CohortOffer, context: Context, isWanted: boolean): Deciding<Judged> {
  const before = offerOf(found.state, found.config)
  const product = yield* state<ProductState>(productKey(found.config.product))
  const others = otherVersions(found.state, product)
  const { effect } = yield* fact({ kind: 'channel-effect', before, after, others, now: context.request.at })
  if (effect === 'unreadable')
    return isWanted ? { kind: 'seen', effect: null } : { kind: 'refused', result: refuse(UNREADABLE) }
  const errors = effect.findings.filter(({ severity }) => severity === 'error')
  if (errors.length === 0 || isWanted) return { kind: 'seen', effect }
  const problems = errors.map((finding) => ({
    code: finding.code,
    message: `${finding.code}: ${finding.message}`,
    hint: remedyOf(finding, 'Say it again with --accept-risk where that is wanted.'),
  }))
  return { kind: 'refused', result: refuse(...problems.slice(0, 10)) }
}

const MAX_VALUE = 390

/** The headline, how many lines follow, the lines, and the rows of the picture. */
export function told(headline: string, effect: ChannelEffect | null, after: Channel, now: string) {
  const lines = effect === null ? ['what this does to devices could not be told'] : effectLines(effect)
  const values = [
    headline,
    String(lines.length),
    ...lines,
    ...pictureRows(after, now).map((row) => JSON.stringify(row)),
  ]
  return answer('channel-changed', ...values.map((value) => value.slice(0, MAX_VALUE)))
}

/** Refusals of the channel's rules, each with its name. */
export const named = (problems: readonly Problem[]): Result =>
  refuse(...problems.map((problem) => ({ ...problem, message: `${problem.code}: ${problem.message}` })))

export interface Wanted {
  readonly what: EventData<'channel.changed'>['what']
  readonly change: ReleaseChange
  readonly reason: string | null
  readonly headline: string
  readonly isWanted: boolean
}

/** One release in new words, when the rules allow it and nobody is hurt unasked. */
export function* changeRelease(
  found: Found,
  release: ChannelRelease,
  wanted: Wanted,
  context: Context,
): Deciding<Result> {
  const { what, change, reason, headline, isWanted } = wanted
  const now = context.request.at
  const after = updateRelease(found.channel, release.id, change, now)
  if (!after.ok) return named(after.problems)
  const judged = yield* judge(found, offerOf(found.state, found.config, after.value), context, isWanted)
  if (judged.kind === 'refused') return judged.result
  const changed = after.value.releases.find(({ id }) => id === release.id) ?? release
  const data = { cohort: found.state.id, what, release: changed, reason, effect: judged.effect }
  const isLookedAt = release.next === null && (what === 'phase' || what === 'disable')
  return done(
    told(headline, judged.effect, after.value, now),
    draft('channel.changed', data, context.event(what)),
    ...(isLookedAt ? yield* heldBackEnds(found.state.id, context) : []),
  )
}

/** Somebody has decided about the release that was held back: its alarm has done its work. */
export function* heldBackEnds(cohort: string, context: Context): Deciding<EventDraft[]> {
  const alarm = heldBackAlarm(cohort)
  const open = yield* state<OpenIndex>(OPEN_KEY)
  const isOpen = open?.alarms.some((entry) => entry.alarm === alarm && entry.isOpen) ?? false
  return isOpen ? [draft('alarm.cleared', { alarm }, context.event('cleared'))] : []
}

export function* onRelease(
  cohort: string,
  name: string,
  context: Context,
  act: (found: Found, release: ChannelRelease) => Deciding<Result>,
): Deciding<Result> {
  const found = yield* cohortOf(cohort, context)
  if (!found.ok) return refuse(...found.problems)
  const release = releaseIn(found.value.channel, name)
  return release ? yield* act(found.value, release) : refuse(unknownRelease(found.value.channel, name))
}

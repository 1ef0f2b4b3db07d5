import { draft, type EventData } from '../../catalogue.ts'
import { type NewRelease, type ReleaseChange, updateRelease, withdrawRelease } from '../../cohort/channel.ts'
import type { ChannelEffect } from '../../cohort/effect-schema.ts'
import { channelOf, offerOf } from '../../cohort/offer.ts'
import type { Bundle, Channel, ChannelRelease } from '../../cohort/schema.ts'
import { compareVersions, parseVersion } from '../../cohort/semantic-version.ts'
import { bundleOf, channelRelease, isWholeRing, newSalt } from '../../cohort/serve.ts'
import { type CohortState, cohortKey } from '../../cohort/state.ts'
import { effectLines, phaseText, pictureRows } from '../../cohort/telling.ts'
import { answer } from '../../command/answer.ts'
import { firstWord, textArgument } from '../../command/arguments.ts'
import { nearest } from '../../command/nearest.ts'
import type { CohortConfig } from '../../config/schema.ts'
import { type Deciding, fact, state } from '../../decision.ts'
import { type BoardState, boardKey } from '../../deployment/schema.ts'
import { accepted, type Checked, type Problem, quoted, rejected } from '../../problem.ts'
import { type VersionState, versionKey } from '../../product/schema.ts'
import { type Context, done, type HandlersOf, type Result, refuse } from '../handling.ts'

/** A cohort that was offered something, with its channel as it stands. */
interface Found {
  readonly config: CohortConfig
  readonly state: CohortState
  readonly channel: Channel
}

function* cohortOf(name: string, { policy }: Context): Deciding<Checked<Found>> {
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
function releaseIn({ releases }: Channel, name: string): ChannelRelease | undefined {
  const byId = releases.find(({ id }) => id === name)
  if (byId) return byId
  const named = releases.filter((release) => (name === 'latest' ? release.next === null : release.version === name))
  return named.length === 1 ? named[0] : undefined
}

function unknownRelease({ releases }: Channel, name: string): Problem {
  const ids = releases.map(({ id }) => id)
  const close = nearest(name, ids)
  return {
    code: 'unknown-release',
    message: `expected a release of the channel, found ${quoted(name)}`,
    hint: `${close.length > 0 ? `Did you mean ${close.join(' or ')}?` : ''} The newest are ${ids.slice(-5).join(', ')}; say latest for the last one.`.trim(),
  }
}

/** The release that the text begins with and what is left; the latest one where it begins with none. */
function releaseAtStart(channel: Channel, text: string): { release: ChannelRelease | undefined; rest: string } {
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
function* judge(found: Found, after: Channel, context: Context, isWanted: boolean): Deciding<Judged> {
  const { effect } = yield* fact({
    kind: 'channel-effect',
    before: offerOf(found.state, found.config),
    after: offerOf(found.state, found.config, after),
    now: context.request.at,
  })
  if (effect === 'unreadable')
    return isWanted ? { kind: 'seen', effect: null } : { kind: 'refused', result: refuse(UNREADABLE) }
  const errors = effect.findings.filter(({ severity }) => severity === 'error')
  if (errors.length === 0 || isWanted) return { kind: 'seen', effect }
  const problems = errors.map(({ code, message, hint }) => ({
    code,
    message: `${code}: ${message}`,
    hint: `${hint ? `${hint}. ` : ''}Say it again with --accept-risk where that is wanted.`,
  }))
  return { kind: 'refused', result: refuse(...problems.slice(0, 10)) }
}

const MAX_VALUE = 390

/** The headline, how many lines follow, the lines, and the rows of the picture. */
function told(headline: string, effect: ChannelEffect | null, after: Channel, now: string) {
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
const named = (problems: readonly Problem[]): Result =>
  refuse(...problems.map((problem) => ({ ...problem, message: `${problem.code}: ${problem.message}` })))

interface Wanted {
  readonly what: EventData<'channel.changed'>['what']
  readonly change: ReleaseChange
  readonly reason: string | null
  readonly headline: string
  readonly isWanted: boolean
}

/** One release in new words, when the rules allow it and nobody is hurt unasked. */
function* changeRelease(found: Found, release: ChannelRelease, wanted: Wanted, context: Context): Deciding<Result> {
  const { what, change, reason, headline, isWanted } = wanted
  const now = context.request.at
  const after = updateRelease(found.channel, release.id, change, now)
  if (!after.ok) return named(after.problems)
  const judged = yield* judge(found, after.value, context, isWanted)
  if (judged.kind === 'refused') return judged.result
  const changed = after.value.releases.find(({ id }) => id === release.id) ?? release
  const data = { cohort: found.state.id, what, release: changed, reason, effect: judged.effect }
  return done(told(headline, judged.effect, after.value, now), draft('channel.changed', data, context.event(what)))
}

function* onRelease(
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

type CohortCommand = 'publish' | 'phase' | 'halt' | 'resume' | 'withdraw' | 'disable' | 'enable'

/** What people do with the channel of a cohort. */
export const cohortHandlers: HandlersOf<CohortCommand> = {
  *publish({ cohort }, context) {
    const found = yield* cohortOf(cohort, context)
    if (!found.ok) return refuse(...found.problems)
    return done(
      answer('manifest-asked', cohort),
      draft('manifest.due', { cohort, reason: 'asked' }, context.event('manifest-due')),
    )
  },
  *phase({ cohort, release: name, phase, acceptRisk }, context) {
    return yield* onRelease(cohort, name, context, function* (found, release) {
      const { halted } = release.phase
      return yield* changeRelease(
        found,
        release,
        {
          what: 'phase',
          change: { phase: { ...phase, ...(halted && { halted }) } },
          reason: null,
          headline: `${release.id} is open to ${phaseText(phase)} in ${cohort}${halted ? '; it stays halted' : ''}`,
          isWanted: acceptRisk,
        },
        context,
      )
    })
  },
  *halt({ cohort, rest }, context) {
    const found = yield* cohortOf(cohort, context)
    if (!found.ok) return refuse(...found.problems)
    const { release, rest: text } = releaseAtStart(found.value.channel, rest)
    const reason = textArgument(text, 'a reason')
    if (!reason.ok) return refuse(...reason.problems)
    if (!release) return refuse(unknownRelease(found.value.channel, text))
    if (release.phase.halted) return done(answer('nothing-changed', `${release.id} is halted`))
    const halted = { at: context.request.at, reason: reason.value }
    const wanted: Wanted = {
      what: 'halt',
      change: { phase: { ...release.phase, halted } },
      reason: reason.value,
      headline: `${release.id} is halted in ${cohort}: no more devices take it`,
      isWanted: true,
    }
    return yield* changeRelease(found.value, release, wanted, context)
  },
  *resume({ cohort, rest, acceptRisk }, context) {
    const found = yield* cohortOf(cohort, context)
    if (!found.ok) return refuse(...found.problems)
    const { release, rest: more } = releaseAtStart(found.value.channel, rest)
    if (!release || more !== '') return refuse(unknownRelease(found.value.channel, more))
    if (!release.phase.halted) return done(answer('nothing-changed', `${release.id} is not halted`))
    const { halted: _, ...phase } = release.phase
    const wanted: Wanted = {
      what: 'resume',
      change: { phase: phase as ChannelRelease['phase'] },
      reason: null,
      headline: `${release.id} goes on in ${cohort} where it was: ${phaseText(phase as ChannelRelease['phase'])}`,
      isWanted: acceptRisk,
    }
    return yield* changeRelease(found.value, release, wanted, context)
  },
  *withdraw(command, context) {
    return yield* onRelease(command.cohort, command.release, context, (found, release) =>
      withdraw(found, release, command, context),
    )
  },
  *disable({ cohort, release: name, reason, acceptRisk }, context) {
    return yield* onRelease(cohort, name, context, function* (found, release) {
      if (release.disabled) return done(answer('nothing-changed', `${release.id} is disabled`))
      const headline = `${release.id} is offered to nobody any more in ${cohort}; devices on it stay`
      const change = { disabled: { reason } }
      return yield* changeRelease(
        found,
        release,
        { what: 'disable', change, reason, headline, isWanted: acceptRisk },
        context,
      )
    })
  },
  *enable({ cohort, release: name, acceptRisk }, context) {
    return yield* onRelease(cohort, name, context, function* (found, release) {
      if (!release.disabled) return done(answer('nothing-changed', `${release.id} is not disabled`))
      const headline = `${release.id} is offered again in ${cohort}`
      const change = { disabled: undefined }
      return yield* changeRelease(
        found,
        release,
        { what: 'enable', change, reason: null, headline, isWanted: acceptRisk },
        context,
      )
    })
  },
}

interface Withdrawal {
  readonly cohort: string
  readonly fix: string
  readonly reason: string
  readonly acceptRisk: boolean
}

function* withdraw(found: Found, bad: ChannelRelease, asked: Withdrawal, context: Context): Deciding<Result> {
  const now = context.request.at
  const bundle = yield* fixOf(found, asked.fix, context)
  if (!bundle.ok) return refuse(...bundle.problems)
  const fix = fixRelease(found.config, bundle.value, bad, now)
  const id = freeId(found.channel, fix.id)
  const after = withdrawRelease(found.channel, bad.id, { reason: asked.reason, fix: { ...fix, id } }, now)
  if (!after.ok) return named(after.problems)
  const judged = yield* judge(found, after.value, context, asked.acceptRisk)
  if (judged.kind === 'refused') return judged.result
  const [withdrawn, made] = [bad.id, id].map((name) => after.value.releases.find((release) => release.id === name))
  if (!withdrawn || !made) return refuse(unknownRelease(after.value, id))
  const salt = yield* newSalt(found.state.id, id)
  const headline = `${bad.id} is withdrawn from ${asked.cohort}; ${id} follows it for ${phaseText(made.phase)}`
  const data = {
    cohort: found.state.id,
    withdrawn,
    fix: { bundle: bundle.value, release: made, salt },
    reason: asked.reason,
    effect: judged.effect,
  }
  return done(
    told(headline, judged.effect, after.value, now),
    draft('channel.withdrawn', data, context.event('withdrawn')),
  )
}

/** A step back is open to whoever stands on the bad release; by their version alone nobody may enter it. */
function fixRelease(config: CohortConfig, bundle: Bundle, bad: ChannelRelease, now: string): NewRelease {
  const { next: _, ...fix } = channelRelease(config, bundle, now)
  const [version, badVersion] = [fix.version, bad.version].map((text) => (text ? parseVersion(text) : undefined))
  if (!version || !badVersion || compareVersions(version, badVersion) > 0) return fix
  const { requirement: __, ...back } = fix
  return back
}

/** A bundle may come again under another release: as the fix of a later one, say. */
function freeId({ releases }: Channel, id: string): string {
  const taken = new Set(releases.map((release) => release.id))
  if (!taken.has(id)) return id
  for (let again = 2; ; again += 1) if (!taken.has(`${id}#${again}`)) return `${id}#${again}`
}

/** The bundle of a fix: one that the cohort was offered before, or a version that is good in a ring which serves it. */
function* fixOf({ config, state: known }: Found, name: string, { policy }: Context): Deciding<Checked<Bundle>> {
  const prefix = `${config.product}@`
  const version = name.startsWith(prefix) ? name.slice(prefix.length) : name
  const offered = known.bundles.find((bundle) => bundle.version === version)
  if (offered) return accepted(offered)
  const found = yield* state<VersionState>(versionKey(config.product, version))
  const board = yield* state<BoardState>(boardKey(config.product))
  const item = { product: config.product, version }
  const isOut = policy.configuration.rings.some(
    (ring) => ring.cohorts.includes(config.id) && isWholeRing(policy.configuration, ring, board, item),
  )
  if (found && isOut && found.artifacts.length > 0 && found.trust !== 'claimed') return accepted(bundleOf(found))
  return rejected({
    code: 'fix-not-released',
    message: `expected a version of ${config.product} that has reached a ring which serves the cohort, found ${quoted(name)}`,
    hint: 'Bring the fix through the rings first; or /disable the bad release until then.',
  })
}

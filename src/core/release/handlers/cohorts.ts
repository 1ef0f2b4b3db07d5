import { draft } from '../../catalogue.ts'
import { type NewRelease, withdrawRelease } from '../../cohort/channel.ts'
import { offerOf } from '../../cohort/offer.ts'
import type { Bundle, Channel, ChannelRelease } from '../../cohort/schema.ts'
import { compareVersions, parseVersion } from '../../cohort/semantic-version.ts'
import { bundleOf, channelRelease, isWholeRing, newSalt } from '../../cohort/serve.ts'
import { phaseText } from '../../cohort/telling.ts'
import { answer } from '../../command/answer.ts'
import { textArgument } from '../../command/arguments.ts'
import type { CohortConfig } from '../../config/schema.ts'
import { type Deciding, state } from '../../decision.ts'
import { type BoardState, boardKey } from '../../deployment/schema.ts'
import { accepted, type Checked, quoted, rejected } from '../../problem.ts'
import { type VersionState, versionKey } from '../../product/schema.ts'
import { type Context, done, type HandlersOf, type Result, refuse } from '../handling.ts'
import {
  changeRelease,
  cohortOf,
  type Found,
  heldBackEnds,
  judge,
  named,
  onRelease,
  releaseAtStart,
  told,
  unknownRelease,
  type Wanted,
} from './cohort-steps.ts'

type CohortCommand =
  | 'publish'
  | 'phase'
  | 'halt'
  | 'resume'
  | 'withdraw'
  | 'disable'
  | 'enable'
  | 'require'
  | 'unrequire'
  | 'schedule'

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
  *require({ cohort, release: name, acceptRisk }, context) {
    return yield* onRelease(cohort, name, context, function* (found, release) {
      if (release.required) return done(answer('nothing-changed', `${release.id} is required`))
      const headline = `${release.id} is required in ${cohort}: devices take it before what follows`
      const change = { required: true }
      return yield* changeRelease(
        found,
        release,
        { what: 'require', change, reason: null, headline, isWanted: acceptRisk },
        context,
      )
    })
  },
  *unrequire({ cohort, release: name, acceptRisk }, context) {
    return yield* onRelease(cohort, name, context, function* (found, release) {
      if (!release.required) return done(answer('nothing-changed', `${release.id} is not required`))
      const headline = `Devices of ${cohort} may pass ${release.id} by again`
      const change = { required: false }
      return yield* changeRelease(
        found,
        release,
        { what: 'unrequire', change, reason: null, headline, isWanted: acceptRisk },
        context,
      )
    })
  },
  *schedule({ cohort, release: name, schedule, acceptRisk }, context) {
    return yield* onRelease(cohort, name, context, function* (found, release) {
      if (release.schedule === schedule)
        return done(answer('nothing-changed', `${release.id} is offered from ${schedule} already`))
      const headline = `${release.id} is offered in ${cohort} from ${schedule}`
      const change = { schedule }
      return yield* changeRelease(
        found,
        release,
        { what: 'schedule', change, reason: null, headline, isWanted: acceptRisk },
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
  const offer = offerOf(found.state, found.config, after.value)
  const released = { ...offer, released: [...offer.released, bundle.value.id] }
  const judged = yield* judge(found, released, context, asked.acceptRisk)
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
    ...(yield* heldBackEnds(found.state.id, context)),
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

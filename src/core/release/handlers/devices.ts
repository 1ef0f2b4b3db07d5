import { draft } from '../../catalogue.ts'
import { pseudonymDigest } from '../../cohort/bucket.ts'
import { offerOf } from '../../cohort/offer.ts'
import { Override } from '../../cohort/schema.ts'
import { type CohortState, cohortKey } from '../../cohort/state.ts'
import { answer } from '../../command/answer.ts'
import { type Deciding, fact, state } from '../../decision.ts'
import { QUARANTINE_ID } from '../../manifest/schema.ts'
import { quoted } from '../../problem.ts'
import { type Context, done, type HandlersOf, type Result, refuse } from '../handling.ts'
import {
  changeRelease,
  cohortOf,
  type Found,
  judge,
  onRelease,
  releaseIn,
  told,
  unknownRelease,
} from './cohort-steps.ts'

type DeviceCommand =
  | 'pin'
  | 'unpin'
  | 'quarantine'
  | 'unquarantine'
  | 'hold-target'
  | 'unhold-target'
  | 'move-devices'
  | 'entry'

function* onCohort(name: string, context: Context, act: (found: Found) => Deciding<Result>): Deciding<Result> {
  const found = yield* cohortOf(name, context)
  return found.ok ? yield* act(found.value) : refuse(...found.problems)
}

function* randomText(purpose: string): Deciding<string> {
  const { text } = yield* fact({ kind: 'random', purpose })
  return text
}

const many = (count: number): string => `${count} device${count === 1 ? '' : 's'}`

/** What people do with some of a cohort's devices. Pseudonyms go no further than their salted digests. */
export const deviceHandlers: HandlersOf<DeviceCommand> = {
  *pin(command, context) {
    return yield* onCohort(command.cohort, context, (found) => pin(found, command, context))
  },
  *unpin({ cohort, pin: id, acceptRisk }, context) {
    return yield* onCohort(cohort, context, function* (found) {
      if (!found.state.overrides.some((override) => override.id === id)) {
        const known = found.state.overrides.map((override) => override.id).join(', ')
        return refuse({
          code: 'unknown-pin',
          message: `expected a pin of the cohort, found ${quoted(id)}`,
          hint: known === '' ? 'There is none.' : `There are: ${known}.`,
        })
      }
      const overrides = found.state.overrides.filter((override) => override.id !== id)
      const judged = yield* judge(found, { ...offerOf(found.state, found.config), overrides }, context, acceptRisk)
      if (judged.kind === 'refused') return judged.result
      return done(
        told(`The pin ${id} has ended in ${cohort}`, judged.effect, found.channel, context.request.at),
        draft('cohort.override_ended', { cohort, override: id }, context.event('unpinned')),
      )
    })
  },
  *quarantine({ cohort, devices }, context) {
    return yield* onCohort(cohort, context, function* (found) {
      const salt = found.state.quarantine?.salt ?? (yield* randomText(`quarantine/${cohort}`))
      const named = devices.map((pseudonym) => pseudonymDigest({ id: QUARANTINE_ID, salt }, pseudonym))
      const all = [...new Set([...(found.state.quarantine?.devices ?? []), ...named])].sort()
      const headline = `${many(devices.length)} of ${cohort} are in quarantine: they are offered nothing`
      return yield* quarantined(found, { quarantine: { salt, devices: all }, headline, slot: 'quarantined' }, context)
    })
  },
  *unquarantine({ cohort, devices }, context) {
    return yield* onCohort(cohort, context, function* (found) {
      const { quarantine } = found.state
      const salt = quarantine?.salt ?? ''
      const named = new Set(devices.map((pseudonym) => pseudonymDigest({ id: QUARANTINE_ID, salt }, pseudonym)))
      const left = quarantine?.devices.filter((digest) => !named.has(digest)) ?? []
      if (left.length === (quarantine?.devices.length ?? 0))
        return done(answer('nothing-changed', 'none of these devices is in quarantine'))
      const next = left.length === 0 ? null : { salt, devices: left }
      const headline = `Updates are offered again to ${many(devices.length)} of ${cohort}`
      return yield* quarantined(found, { quarantine: next, headline, slot: 'unquarantined' }, context)
    })
  },
  *'hold-target'({ cohort, release: name, target, reason, acceptRisk }, context) {
    return yield* onRelease(cohort, name, context, function* (found, release) {
      const holds = [...(release.holds ?? []).filter((hold) => hold.target !== target), { target, reason }]
      const headline = `${release.id} is held for ${target} in ${cohort}`
      return yield* changeRelease(
        found,
        release,
        { what: 'hold', change: { holds }, reason, headline, isWanted: acceptRisk },
        context,
      )
    })
  },
  *'unhold-target'({ cohort, release: name, target, acceptRisk }, context) {
    return yield* onRelease(cohort, name, context, function* (found, release) {
      const holds = (release.holds ?? []).filter((hold) => hold.target !== target)
      if (holds.length === (release.holds ?? []).length)
        return done(answer('nothing-changed', `${release.id} is not held for ${target}`))
      const headline = `${release.id} is offered to ${target} again in ${cohort}`
      return yield* changeRelease(
        found,
        release,
        { what: 'unhold', change: { holds }, reason: null, headline, isWanted: acceptRisk },
        context,
      )
    })
  },
  *'move-devices'({ cohort, to, acceptRisk }, context) {
    return yield* onCohort(cohort, context, function* (found) {
      let there = offerOf(found.state, found.config)
      const next = to === 'none' ? null : to
      if (found.state.movedTo === next) return done(answer('nothing-changed', 'the devices go there already'))
      if (next !== null) {
        const target = yield* cohortOf(next, context)
        if (!target.ok) return refuse(...target.problems)
        there = offerOf(target.value.state, target.value.config)
        if (yield* leadsTo(next, cohort))
          return refuse({
            code: 'cohort-loop',
            message: `expected a cohort that does not lead back, found that ${quoted(next)} leads to ${quoted(cohort)}`,
          })
      }
      const text =
        next === null ? `Devices of ${cohort} stay there` : `Devices of ${cohort} belong to ${next} from now on`
      const judged = yield* judge(found, there, context, acceptRisk)
      if (judged.kind === 'refused') return judged.result
      return done(
        told(text, judged.effect, there.channel, context.request.at),
        draft('cohort.moved', { cohort, to: next }, context.event('moved')),
      )
    })
  },
  *entry({ cohort, release: name, acceptRisk }, context) {
    return yield* onCohort(cohort, context, function* (found) {
      const release = name === 'none' ? null : releaseIn(found.channel, name)
      if (release === undefined) return refuse(unknownRelease(found.channel, name))
      const id = release?.id ?? null
      if (found.state.entryRelease === id) return done(answer('nothing-changed', 'the entry release is that already'))
      const text =
        id === null
          ? `${cohort} has no entry release any more`
          : `Devices of ${cohort} that cannot tell what they run get ${id}`
      const after = { ...offerOf(found.state, found.config), entryRelease: id }
      const judged = yield* judge(found, after, context, acceptRisk)
      if (judged.kind === 'refused') return judged.result
      return done(
        told(text, judged.effect, found.channel, context.request.at),
        draft('cohort.entry_set', { cohort, release: id }, context.event('entry')),
      )
    })
  },
}

interface Quarantining {
  readonly quarantine: CohortState['quarantine']
  readonly headline: string
  readonly slot: 'quarantined' | 'unquarantined'
}

/** Looked at as every change is, and never refused: who is in quarantine is offered nothing, who leaves it what others are. */
function* quarantined(found: Found, { quarantine, headline, slot }: Quarantining, context: Context): Deciding<Result> {
  const judged = yield* judge(found, { ...offerOf(found.state, found.config), quarantine }, context, true)
  if (judged.kind === 'refused') return judged.result
  return done(
    told(headline, judged.effect, found.channel, context.request.at),
    draft('cohort.quarantine_set', { cohort: found.state.id, quarantine }, context.event(slot)),
  )
}

const MOST_MOVES = 10

/** Whether devices of a cohort would come to another by the moves that stand. */
function* leadsTo(from: string, to: string): Deciding<boolean> {
  let at: string | null = from
  for (let moves = 0; at !== null && moves < MOST_MOVES; moves += 1) {
    if (at === to) return true
    const known: { readonly movedTo: string | null } | undefined = yield* state(cohortKey(at))
    at = known?.movedTo ?? null
  }
  return at !== null
}

interface Pin {
  readonly version: string
  readonly tags: readonly string[]
  readonly devices: readonly string[]
  readonly from: string | null
  readonly until: string | null
  readonly acceptRisk: boolean
}

function* pin(found: Found, asked: Pin, context: Context): Deciding<Result> {
  const { state: known, config } = found
  const bundle = known.bundles.find(({ id, version }) => id === asked.version || version === asked.version)
  if (!bundle)
    return refuse({
      code: 'unknown-version',
      message: `expected a version that the cohort was offered, found ${quoted(asked.version)}`,
      hint: `They are: ${known.bundles
        .slice(-5)
        .map(({ version }) => version)
        .join(', ')}.`,
    })
  const { comment, index, at } = context.request
  const id = `pin-${comment.id}-${index}`
  const salt = yield* randomText(`override/${known.id}/${id}`)
  const read = Override.safeParse({
    id,
    bundle: bundle.id,
    startsAt: asked.from ?? at,
    endsAt: asked.until,
    salt,
    devices: asked.devices.map((pseudonym) => pseudonymDigest({ id, salt }, pseudonym)),
    tags: asked.tags,
  })
  if (!read.success)
    return refuse(
      ...read.error.issues.map(({ path, message }) => ({
        code: 'pin-invalid',
        message: `${path.join('.')}: ${message}`,
      })),
    )
  const after = { ...offerOf(known, config), overrides: [...known.overrides, read.data] }
  const judged = yield* judge(found, after, context, asked.acceptRisk)
  if (judged.kind === 'refused') return judged.result
  const headline = `${id}: ${bundle.id} for ${asked.devices.length} named device(s) and ${asked.tags.length} tag(s) of ${known.id}`
  return done(
    told(headline, judged.effect, found.channel, at),
    draft('cohort.override_set', { cohort: known.id, override: read.data }, context.event('pinned')),
  )
}

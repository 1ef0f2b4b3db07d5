import { draft } from '../../catalogue.ts'
import { answer } from '../../command/answer.ts'
import { nearest } from '../../command/nearest.ts'
import type { Configuration } from '../../config/schema.ts'
import { type Deciding, state } from '../../decision.ts'
import { type Problem, quoted } from '../../problem.ts'
import { EVERY_ENVIRONMENT, FREEZES_KEY, type Freezes, nothingFrozen } from '../../ring/freezes.ts'
import { type Context, done, type HandlersOf, openRelease, refuse } from '../handling.ts'
import { PUSHED_ALARM } from '../interference.ts'
import { releaseKey } from '../open.ts'
import type { ReleaseState } from '../schema.ts'
import { isOpen } from '../transitions.ts'

/** How long another person has to confirm an override, and how long it then holds. */
const CONFIRM_WITHIN_HOURS = 1
const OVERRIDE_HOURS = 4

const hoursAfter = (at: string, hours: number): string => new Date(Date.parse(at) + hours * 3_600_000).toISOString()

/** What shuts gates, and what lets a release in all the same. */
export const gateHandlers: HandlersOf<'freeze' | 'unfreeze' | 'except' | 'override' | 'confirm'> = {
  *freeze({ environment, reason }, context) {
    const problem = unknownEnvironment(environment, context.policy.configuration, 'or-all')
    if (problem) return refuse(problem)
    const known = yield* freezeOf(environment)
    if (known?.reason === reason) return done(answer('nothing-changed', `${environment} is frozen: ${reason}`))
    return done(
      answer('frozen', environment, reason),
      draft('environment.frozen', { environment, reason }, context.event('frozen')),
    )
  },
  *unfreeze({ environment }, context) {
    const known = yield* freezeOf(environment)
    if (known === undefined) {
      const problem = unknownEnvironment(environment, context.policy.configuration, 'or-all')
      return problem ? refuse(problem) : done(answer('nothing-changed', `${environment} is not frozen`))
    }
    return done(
      answer('unfrozen', environment),
      draft('environment.unfrozen', { environment }, context.event('unfrozen')),
      ...(environment === EVERY_ENVIRONMENT
        ? [draft('alarm.cleared', { alarm: PUSHED_ALARM }, context.event('cleared'))]
        : []),
    )
  },
  *except({ release: id, environment, reason }, context) {
    const release = yield* state<ReleaseState>(releaseKey(id))
    if (!release || !isOpen(release.status)) {
      return refuse({
        code: 'no-release',
        message: `expected an open release, found none by ${quoted(id)}`,
        hint: 'Say the number of its issue, such as /except 12 production reason.',
      })
    }
    const known = yield* freezeOf(environment)
    if (known === undefined) {
      const problem = unknownEnvironment(environment, context.policy.configuration, 'or-all')
      return problem
        ? refuse(problem)
        : refuse({
            code: 'not-frozen',
            message: `expected a frozen environment, found that ${quoted(environment)} is not`,
            hint: 'An exception is made from a freeze that stands.',
          })
    }
    return done(
      answer('excepted', String(release.issue), environment),
      draft('freeze.excepted', { release: id, environment, reason }, context.event('excepted')),
    )
  },
  *override({ environment, reason }, context) {
    const open = openRelease(context)
    if (!open.ok) return refuse(open.problem)
    const problem = unknownEnvironment(environment, context.policy.configuration, 'one')
    if (problem) return refuse(problem)
    const { comment, index, at } = context.request
    const expiresAt = hoursAfter(at, CONFIRM_WITHIN_HOURS)
    return done(
      answer('override-asked', environment, expiresAt),
      draft(
        'override.asked',
        { release: open.release.id, override: `${comment.id}/${index}`, environment, reason, expiresAt },
        context.event('override'),
      ),
    )
  },
  *confirm(_command, context) {
    const open = openRelease(context)
    if (!open.ok) return refuse(open.problem)
    const { release } = open
    const { request, person, event } = context
    const asked = release.conduct.overrides.findLast(
      (entry) => entry.confirmed === null && Date.parse(entry.expiresAt) > Date.parse(request.at),
    )
    if (!asked) return refuse(NOTHING_TO_CONFIRM)
    if (asked.asked.id === person.id) return refuse(OWN_OVERRIDE)
    const expiresAt = hoursAfter(request.at, OVERRIDE_HOURS)
    return done(
      answer('override-confirmed', asked.environment, expiresAt, asked.asked.login),
      draft('override.confirmed', { release: release.id, override: asked.id, expiresAt }, event('confirmed')),
      draft(
        'alarm.raised',
        {
          alarm: overrideAlarm(release.id, asked.id),
          code: 'gate-overridden',
          message: `${asked.asked.login} and ${person.login} let release #${release.issue} (${release.title}) into ${asked.environment} against what stood, until ${expiresAt}: ${asked.reason}. Follow it up: what was passed over is still to be done.`,
        },
        event('alarm'),
      ),
    )
  },
}

/** The alarm that follows an override up; it closes when the release ends. */
export const overrideAlarm = (release: string, override: string): string => `override:${release}:${override}`

const NOTHING_TO_CONFIRM: Problem = {
  code: 'nothing-to-confirm',
  message: 'expected an override that waits to be confirmed, found none',
  hint: `Somebody says /override environment reason first; it waits for ${CONFIRM_WITHIN_HOURS} hour.`,
}
const OWN_OVERRIDE: Problem = {
  code: 'own-override',
  message: 'expected another person to confirm the override, found the one who asked for it',
  hint: 'Two different people let a release pass.',
}

function* freezeOf(environment: string): Deciding<Freezes['frozen'][number] | undefined> {
  const { frozen } = (yield* state<Freezes>(FREEZES_KEY)) ?? nothingFrozen
  return frozen.find((freeze) => freeze.environment === environment)
}

/** What is wrong with the name of an environment, or null for one of the rings. */
export function unknownEnvironment(
  environment: string,
  { rings }: Pick<Configuration, 'rings'>,
  which: 'one' | 'or-all',
): Problem | null {
  const known = rings.flatMap((ring) => ring.environments)
  if (known.includes(environment) || (which === 'or-all' && environment === EVERY_ENVIRONMENT)) return null
  const close = nearest(environment, known)
  return {
    code: 'unknown-environment',
    message: `expected an environment of a ring, found ${quoted(environment)}`,
    hint:
      close.length > 0 ? `Did you mean ${close.map(quoted).join(' or ')}?` : `Known: ${known.map(quoted).join(', ')}.`,
  }
}

/** The alarms that end with a release. */
export const alarmsEndingWith = (release: ReleaseState, { event }: Context) =>
  release.conduct.overrides
    .filter((override) => override.confirmed !== null)
    .map((override) =>
      draft('alarm.cleared', { alarm: overrideAlarm(release.id, override.id) }, event('cleared', `:${override.id}`)),
    )

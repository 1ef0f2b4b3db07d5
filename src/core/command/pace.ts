import { z } from 'zod'
import type { TypedEvent } from '../catalogue.ts'
import type { Problem } from '../problem.ts'

const MOST_COMMANDS = 30
const WITHIN_MINUTES = 10
const WITHIN_MS = WITHIN_MINUTES * 60_000
/** More than a person is let give at once, so that what was refused is still known to be when it is delivered again. */
const AT_HAND = 2 * MOST_COMMANDS

/** State: how fast a person gives commands. `person/<id>`. */
export const Pace = z.object({
  /** When the newest ones were given. */
  given: z.array(z.string()),
  /** When it was last said that they were too many. */
  toldAt: z.string().nullable(),
})
export type Pace = z.infer<typeof Pace>

export const paceKey = (personId: number): `person/${number}` => `person/${personId}`

export const TOO_MANY_COMMANDS: Problem = {
  code: 'too-many-commands',
  message: `expected at most ${MOST_COMMANDS} commands by one person in ${WITHIN_MINUTES} minutes, found more`,
  hint: 'Wait a while, then say it again in a new comment.',
}

export function evolvePace(state: Pace | undefined, event: TypedEvent<'command.answered'>): Pace {
  const { given, toldAt } = state ?? { given: [], toldAt: null }
  if (event.data.answer.problems.some((problem) => problem.code === TOO_MANY_COMMANDS.code))
    return { given, toldAt: event.at }
  return { given: [...given, event.at].slice(-AT_HAND), toldAt }
}

/**
 * Whether a command given at an instant is one too many, and whether its author was told so already. Commands on both
 * sides of the instant count: what was refused stays refused when GitHub delivers it again.
 */
export function paceAt(pace: Pace | undefined, at: string): 'fine' | 'too-many' | 'told' {
  const isNear = (other: string): boolean => Math.abs(Date.parse(other) - Date.parse(at)) < WITHIN_MS
  if (pace === undefined || pace.given.filter(isNear).length < MOST_COMMANDS) return 'fine'
  return pace.toldAt !== null && isNear(pace.toldAt) ? 'told' : 'too-many'
}

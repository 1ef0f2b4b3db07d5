import { z } from 'zod'
import type { TypedEvent } from './catalogue.ts'

/**
 * State: how far the outside is known to be in the log. `index/intake`. Every delivery before `until` is durable or was
 * found to ask for nothing; from there on GitHub's delivery log is read again after a crash. What GitHub lists of the time
 * before `swept` was looked up; a log of 0.1.0 does not tell.
 */
export const IntakeState = z.object({ until: z.iso.datetime(), swept: z.iso.datetime().optional() })
export type IntakeState = z.infer<typeof IntakeState>

export const INTAKE_KEY = 'index/intake' as const

/** Neither instant ever goes back: two processes may book theirs in any order. */
export function evolveIntake(state: IntakeState | undefined, event: TypedEvent<'intake.marked'>): IntakeState {
  const until = later(state?.until, event.data.until)
  const { swept = state?.swept } = event.data
  return swept === undefined ? { until } : { until, swept: later(state?.swept, swept) }
}

const later = (one: string | undefined, other: string): string =>
  one !== undefined && Date.parse(one) >= Date.parse(other) ? one : other

import { z } from 'zod'
import type { TypedEvent } from './catalogue.ts'

/**
 * State: how far the outside is known to be in the log. `index/intake`. Every delivery before `until` is durable or was
 * found to ask for nothing; from there on GitHub's delivery log is read again after a crash.
 */
export const IntakeState = z.object({ until: z.iso.datetime() })
export type IntakeState = z.infer<typeof IntakeState>

export const INTAKE_KEY = 'index/intake' as const

/** A mark never goes back: two processes may book theirs in any order. */
export function evolveIntake(state: IntakeState | undefined, event: TypedEvent<'intake.marked'>): IntakeState {
  const { until } = event.data
  return state && Date.parse(state.until) >= Date.parse(until) ? state : { until }
}

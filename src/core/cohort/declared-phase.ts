import type { DeclaredPhase } from './schema.ts'
import { parseShare } from './threshold.ts'

/** Whether the phase is open to everybody for good: 1, 1.0 and "everybody" are one thing. A halt leaves it complete. */
export function isComplete(phase: DeclaredPhase): boolean {
  if (phase.kind === 'everybody') return true
  if (phase.kind !== 'share') return false
  const share = parseShare(phase.share)
  return share !== undefined && share.numerator === share.denominator
}

/** Whether the phase holds anybody back now: anything but complete, and anything that is halted. */
export const isPhased = (phase: DeclaredPhase): boolean => phase.halted !== undefined || !isComplete(phase)

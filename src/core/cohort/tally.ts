import { instantMs } from './instant.ts'
import { staticAdmission } from './phase.ts'
import type { Enrolled, Tally } from './roster.ts'

/** What a published phase permits among those enrolled, were it not halted. A phase that cannot be read permits nobody. */
export function tallyOfPhase(
  of: { readonly cohort: string; readonly release: string; readonly phase: unknown },
  entries: readonly Enrolled[],
  now: string,
): Tally {
  const open = typeof of.phase === 'object' && of.phase !== null ? { ...of.phase, halted: null } : of.phase
  const admit = staticAdmission(of.cohort).of(of.release, open)
  const nowMs = instantMs(now) ?? Number.NaN
  const permitted = entries.filter(
    ({ pseudonym, epoch, tags }) => admit({ pseudonym, epoch, tags: [...tags], quarantined: false }, nowMs).admitted,
  ).length
  return { enrolled: entries.length, permitted, left: entries.length - permitted }
}

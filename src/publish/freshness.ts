import { Phase } from '../core/cohort/schema.ts'
import { DEFAULT_VALIDITY } from '../core/manifest/publication.ts'
import { type Reminder, remindersOf } from '../core/manifest/reminders.ts'
import type { Repository } from '../core/manifest/repository.ts'
import type { Manifest } from '../core/manifest/schema.ts'

/** What publishing found by the clock. */
export interface Freshness {
  /** Whether timestamp and snapshot were signed anew. */
  readonly renewed: boolean
  /** Cohorts whose manifest has to be issued again: it nears its end, or a ramp in it nears its bound. */
  readonly due: readonly string[]
  /** Every published role with when it ends. */
  readonly reminders: readonly Reminder[]
}

/** Whether less than a third of a validity is left. */
const isAlmostOver = (expires: string, validMs: number, nowMs: number): boolean =>
  Date.parse(expires) - nowMs < validMs / 3

/** Whether timestamp or snapshot have to be renewed. Never before the first publication: that needs signed targets. */
export function isStale({ timestampExpires, snapshot }: Repository, now: string): boolean {
  const nowMs = Date.parse(now)
  if (timestampExpires === null) return false
  return (
    isAlmostOver(timestampExpires, DEFAULT_VALIDITY.timestampSeconds * 1_000, nowMs) ||
    (snapshot !== undefined &&
      isAlmostOver(snapshot.metadata.signed.expires, DEFAULT_VALIDITY.snapshotSeconds * 1_000, nowMs))
  )
}

/** Whether a ramp would stand still soon: it is read no further than `until`, so that a withheld halt cannot finish it. */
function isRampDue(phase: unknown, issuedMs: number, nowMs: number): boolean {
  const read = Phase.safeParse(phase)
  if (!read.success || read.data.kind !== 'ramp' || read.data.halted != null) return false
  const untilMs = Date.parse(read.data.until)
  return untilMs < Date.parse(read.data.endsAt) && isAlmostOver(read.data.until, untilMs - issuedMs, nowMs)
}

export function isDue(manifest: Manifest, now: string): boolean {
  const [issuedMs, nowMs] = [Date.parse(manifest.issuedAt), Date.parse(now)]
  const validMs = Date.parse(manifest.expiresAt) - issuedMs
  return (
    isAlmostOver(manifest.expiresAt, validMs, nowMs) ||
    manifest.releases.some(({ phase }) => isRampDue(phase, issuedMs, nowMs))
  )
}

/** What comes to its end among what is published. */
export const freshnessOf = (
  repository: Repository,
  manifests: readonly Manifest[],
  now: string,
): Omit<Freshness, 'renewed'> => ({
  due: manifests.filter((manifest) => isDue(manifest, now)).map(({ cohort }) => cohort),
  reminders: remindersOf(repository, now),
})

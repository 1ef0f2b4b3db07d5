import type { Enrolled } from '../cohort/roster.ts'
import { tallyOfPhase } from '../cohort/tally.ts'
import type { Manifest } from './schema.ts'

/**
 * What each release of a published manifest permits among those enrolled, at an instant, as text. Numbers alone: a
 * roster is never published.
 */
export function tallyView({ cohort, issuedAt, releases }: Manifest, entries: readonly Enrolled[], now: string): string {
  const tallies = releases.map(({ id: release, phase }) => ({
    release,
    ...tallyOfPhase({ cohort, release, phase }, entries, now),
  }))
  return `${JSON.stringify({ schema: 'ringmaster/tally/1', cohort, issuedAt, releases: tallies }, null, 2)}\n`
}

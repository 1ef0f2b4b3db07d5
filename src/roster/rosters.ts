import { sortRoster } from '../core/cohort/roster.ts'
import { type Channel, Phase } from '../core/cohort/schema.ts'
import type { RosterAtEpoch } from '../core/manifest/permission.ts'
import type { Manifest } from '../core/manifest/schema.ts'
import { unwrap } from '../core/problem.ts'
import type { Roster, RosterStore } from './store.ts'

export interface RosterQuestion {
  readonly channel: Channel
  readonly salts: ReadonlyMap<string, string>
  /** What is published now: a phase keeps the epoch that it began with, else later devices would slip under it. */
  readonly previous: Manifest | undefined
}

const COUNTED: ReadonlySet<string> = new Set(['share', 'count', 'ramp'])

/** Nobody has been let in yet: the phase may as well begin with those enrolled now. */
const permitsNobody = (phase: Phase): boolean =>
  (phase.kind === 'share' && phase.threshold === '0') || (phase.kind === 'list' && phase.buckets.length === 0)

/** The epoch and the salt of a phase that is published already. */
function publishedPhase(previous: Manifest | undefined, release: string): { epoch?: number; salt?: string } {
  const before = previous?.releases.find(({ id }) => id === release)
  const phase = before && Phase.safeParse(before.phase)
  if (!phase?.success || !('salt' in phase.data)) return {}
  const { salt, epoch } = phase.data
  return { salt, ...(epoch == null || permitsNobody(phase.data) ? {} : { epoch }) }
}

/**
 * For each release whose phase goes by bucket, everybody enrolled at the epoch of that phase, sorted by the buckets of that
 * release. A phase that begins now closes the epoch that is open. Empty where the cohort keeps no roster.
 */
export async function rostersOf(
  store: RosterStore | null,
  { channel, salts, previous }: RosterQuestion,
): Promise<ReadonlyMap<string, RosterAtEpoch>> {
  const rosters = new Map<string, RosterAtEpoch>()
  const counted = channel.releases.filter(({ phase }) => COUNTED.has(phase.kind))
  if (store === null || counted.length === 0) return rosters
  const { cohort } = channel
  const read = new Map<number, Promise<Roster | null>>()
  const rosterAt = (epoch: number): Promise<Roster | null> => {
    const known = read.get(epoch) ?? store.read(cohort, epoch)
    read.set(epoch, known)
    return known
  }
  let open: Promise<number | null> | undefined
  for (const { id } of counted) {
    const published = publishedPhase(previous, id)
    open ??= published.epoch === undefined ? store.close(cohort) : undefined
    const epoch = published.epoch ?? (await open)
    const roster = epoch == null ? null : await rosterAt(epoch)
    const salt = published.salt ?? salts.get(id)
    if (epoch == null || roster === null || salt === undefined) continue
    const pseudonyms = roster.entries.map(({ pseudonym }) => pseudonym)
    rosters.set(id, { roster: unwrap(sortRoster({ cohort, release: id, salt }, pseudonyms)), epoch })
  }
  return rosters
}

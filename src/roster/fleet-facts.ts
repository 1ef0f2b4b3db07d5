import { effectOf, type FleetKnown } from '../core/cohort/effect.ts'
import type { FactAnswer, FactQuery } from '../core/facts.ts'
import type { Manifest } from '../core/manifest/schema.ts'
import type { Log } from '../engine/ports.ts'
import type { RosterStore } from './store.ts'

export interface FleetSources {
  readonly roster: RosterStore | null
  /** What devices of a cohort said that they run, by pseudonym; empty where nobody reports. */
  readonly reports: (cohort: string) => Promise<FleetKnown['reports']>
  /** What the server has counted; undefined where it counts nothing. */
  readonly book: (cohort: string) => Promise<FleetKnown['book']>
  /** What devices of a cohort read now. */
  readonly published: (cohort: string) => Promise<Manifest | undefined>
  readonly log: Log
}

type Query = Extract<FactQuery, { kind: 'channel-effect' }>
type Answer = Extract<FactAnswer, { kind: 'channel-effect' }>

/** Plays a change over the devices that are known outside the ledger. What cannot be read is said to be unreadable. */
export const fleetFacts =
  ({ roster, reports, book, published, log }: FleetSources) =>
  async (query: Query): Promise<Answer> => {
    const { cohort } = query.after.channel
    try {
      const [enrolled, reported, counted, manifest] = await Promise.all([
        roster?.read(cohort, Number.MAX_SAFE_INTEGER) ?? null,
        reports(cohort),
        book(cohort),
        published(cohort),
      ])
      const known = { roster: enrolled, reports: reported, book: counted, published: manifest }
      return { kind: 'channel-effect', effect: effectOf(query, known) }
    } catch (error) {
      log.error({ cohort, error: String(error) }, 'what a change does to devices could not be told')
      return { kind: 'channel-effect', effect: 'unreadable' }
    }
  }

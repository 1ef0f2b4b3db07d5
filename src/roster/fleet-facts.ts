import { effectOf } from '../core/cohort/effect.ts'
import type { FactAnswer, FactQuery } from '../core/facts.ts'
import type { Manifest } from '../core/manifest/schema.ts'
import type { Log } from '../engine/ports.ts'
import type { DeviceBook } from './device-book.ts'
import type { RosterStore } from './store.ts'

export interface FleetSources {
  readonly roster: RosterStore | null
  /** What devices claimed and said; undefined where no server listens to them. */
  readonly book: (cohort: string) => Promise<DeviceBook | undefined>
  /** What devices of a cohort read now. */
  readonly published: (cohort: string) => Promise<Manifest | undefined>
  readonly log: Log
}

type Query = Extract<FactQuery, { kind: 'channel-effect' }>
type Answer = Extract<FactAnswer, { kind: 'channel-effect' }>

/** Plays a change over the devices that are known outside the ledger. What cannot be read is said to be unreadable. */
export const fleetFacts =
  ({ roster, book, published, log }: FleetSources) =>
  async (query: Query): Promise<Answer> => {
    const { cohort } = query.after.channel
    try {
      const [enrolled, told, manifest] = await Promise.all([
        roster?.read(cohort, Number.MAX_SAFE_INTEGER) ?? null,
        book(cohort),
        published(cohort),
      ])
      const spoken = told?.known() ?? new Map()
      const reports = new Map([...spoken].map(([pseudonym, { report }]) => [pseudonym, report]))
      const counted = told?.claims(enrolled?.entries.length ?? spoken.size)
      const known = { roster: enrolled, reports, book: counted, published: manifest }
      return { kind: 'channel-effect', effect: effectOf(query, known) }
    } catch (error) {
      log.error({ cohort, error: String(error) }, 'what a change does to devices could not be told')
      return { kind: 'channel-effect', effect: 'unreadable' }
    }
  }

import { type CohortKnown, effectOf } from '../core/cohort/effect.ts'
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
    const to = query.after.channel.cohort
    const cohort = query.before?.channel.cohort ?? to
    const knownOf = async (id: string): Promise<CohortKnown & { readonly told: DeviceBook | undefined }> => {
      const [enrolled, told, manifest] = await Promise.all([
        roster?.read(id, Number.MAX_SAFE_INTEGER) ?? null,
        book(id),
        published(id),
      ])
      const counted = told?.claims(enrolled?.entries.length ?? told.known().size)
      return { roster: enrolled, book: counted, published: manifest, told }
    }
    try {
      const own = await knownOf(cohort)
      const reports = new Map([...(own.told?.known() ?? [])].map(([pseudonym, { report }]) => [pseudonym, report]))
      const known = { ...own, reports, ...(to === cohort ? {} : { goesTo: await knownOf(to) }) }
      return { kind: 'channel-effect', effect: effectOf(query, known) }
    } catch (error) {
      log.error({ cohort, error: String(error) }, 'what a change does to devices could not be told')
      return { kind: 'channel-effect', effect: 'unreadable' }
    }
  }

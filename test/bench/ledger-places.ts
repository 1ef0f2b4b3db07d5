import { model } from '../../src/core/model.ts'
import { HEAD_PATH, parseHead } from '../../src/ledger/codec.ts'
import { type Ledger, openLedger } from '../../src/ledger/ledger.ts'
import type { LedgerStore } from '../../src/ledger/store.ts'
import { VERSION } from '../../src/version.ts'
import { END_MS, eventAt, fillingOf, history, LARGE, newId, type World } from './ledger-history.ts'
import type { Host } from './ledger-host.ts'

/** A million events a year: histories differ in length, not in how much goes on. */
const EVENT_EVERY_MS = (365 * 86_400_000) / 1_000_000
/** The shortest history fills the page of commits that is read when others have committed. */
const EVENTS_A_COMMIT = 10

export interface NamedWorld extends World {
  readonly name: string
}

const worldOf = (world: Omit<NamedWorld, 'eventEveryMs' | 'before'>): NamedWorld => ({
  ...world,
  eventEveryMs: EVENT_EVERY_MS,
  before: fillingOf(world),
})

const SMALL_WORLD = worldOf({ name: '1 product, 4 environments', products: 1, environments: 4, runs: false })
const LARGE_WORLD = worldOf({ name: '200 products, 8 environments, a run for each deployment', ...LARGE })
export const WORLDS: readonly NamedWorld[] = [SMALL_WORLD, LARGE_WORLD]

/** A repository without a branch, against which times are set. */
export const NOTHING: Place = { repository: 'nothing', world: SMALL_WORLD, length: 0, tailFiles: 0, commit: null }

/** A snapshot comes with the 64th file of the tail, or 1,000 events: this comes as near to the one as to the other. */
export const FULL_TAIL = 63
export const HALF_TAIL = 31
const EVENTS_A_TAIL_FILE = 15
/** The last but one leaves room for an append without a snapshot. */
const TAILS: readonly number[] = [0, HALF_TAIL, FULL_TAIL - 1, FULL_TAIL]

/** Where a process begins that has read nothing yet; always at the same commit, so that every round does the same. */
export interface Place {
  readonly repository: string
  readonly world: NamedWorld
  /** Events up to the snapshot. */
  readonly length: number
  /** Event files behind it. */
  readonly tailFiles: number
  /** Null for a ledger without a branch. */
  readonly commit: string | null
}

export const tailEvents = ({ tailFiles }: Pick<Place, 'tailFiles'>): number => tailFiles * EVENTS_A_TAIL_FILE

export const timeOf = (place: Pick<Place, 'world' | 'tailFiles'>): string =>
  new Date(END_MS + (tailEvents(place) + EVENTS_A_TAIL_FILE) * place.world.eventEveryMs).toISOString()

export const opened = (store: LedgerStore, place: Omit<Place, 'commit'>, { author }: Host): Ledger =>
  openLedger({ store, model, clock: () => timeOf(place), newId, writer: { version: VERSION, author } })

/** Appends the events that come next, as one change. */
export const append = (ledger: Ledger, place: Omit<Place, 'commit'>, count: number) => {
  const { world, length } = place
  const end = world.before + length
  const next = end + tailEvents(place)
  const events = Array.from({ length: count }, (_, offset) => eventAt(world, next + offset, end))
  return ledger.append(async () => ({ events, result: null }))
}

/** A history up to its snapshot, and the tails behind it, as a ledger itself appends them. */
export async function placesOf(host: Host, repository: string, world: NamedWorld, length: number): Promise<Place[]> {
  const { author } = host
  const now = () => new Date(END_MS + world.eventEveryMs).toISOString()
  const options = { total: length, eventsAFile: EVENTS_A_COMMIT, author, now }
  const store = await history(host.directoryOf(repository), world, options)
  const places: Place[] = []
  for (let tailFiles = 0; tailFiles <= FULL_TAIL; tailFiles += 1) {
    if (tailFiles > 0) {
      const before = { repository, world, length, tailFiles: tailFiles - 1 }
      const ledger = opened(store, before, host)
      await append(ledger, before, EVENTS_A_TAIL_FILE)
      await ledger.close()
    }
    if (TAILS.includes(tailFiles)) {
      const newest = await store.newest([HEAD_PATH])
      const head = parseHead(newest?.files.get(HEAD_PATH))
      if (!newest || !head.ok || head.value.tail.length !== tailFiles)
        throw new Error(`expected a tail of ${tailFiles} files after ${length} events`)
      places.push({ repository, world, length, tailFiles, commit: newest.info.commit })
    }
  }
  return places
}

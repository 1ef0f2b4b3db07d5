import type { Ledger } from '../../src/ledger/ledger.ts'
import type { LedgerStore } from '../../src/ledger/store.ts'
import { type Cost, type Host, startHost } from './ledger-host.ts'
import {
  append,
  FULL_TAIL,
  HALF_TAIL,
  type NamedWorld,
  NOTHING,
  opened,
  type Place,
  placesOf,
  tailEvents,
  timeOf,
  WORLDS,
} from './ledger-places.ts'
import { grouped, medianOf, type Target, table } from './measure.ts'

const ROUNDS = 3
const MOST_BYTES = 1.2
const FILES_A_REQUEST = 50

async function readBoard(ledger: Ledger, { commit, length }: Place): Promise<void> {
  const board = await (await ledger.view()).state('board/product-0')
  if (board === undefined && commit !== null) throw new Error(`expected a board after ${length} events`)
}

interface Work {
  readonly name: string
  readonly tails: readonly number[]
  /** Does what has to be done before; returns what is measured. */
  prepare(place: Place, open: () => Ledger): Promise<() => Promise<unknown>>
  /** How many requests it may take, whatever the length. */
  most(place: Place, shortest: Cost): number
}

/** The index and the tail are read together. */
const requestsOfTail = ({ tailFiles }: Place): number => Math.ceil((tailFiles + 1) / FILES_A_REQUEST)

async function prepareAppend(place: Place, open: () => Ledger) {
  const ledger = open()
  return () => append(ledger, place, 1)
}

/** A page and what it leads to. A new state, or a new key, may lie where there is no page yet, or a page and nothing. */
const LOOK_UP = 2

const WORKS: readonly Work[] = [
  {
    name: 'one board read',
    tails: [0, HALF_TAIL, FULL_TAIL],
    async prepare(place, open) {
      const ledger = open()
      return () => readBoard(ledger, place)
    },
    most: (place) => 1 + requestsOfTail(place) + LOOK_UP,
  },
  {
    name: 'one append',
    tails: [0, HALF_TAIL, FULL_TAIL - 1],
    prepare: prepareAppend,
    /** The key of the event; its board and its run together, where the runs may be so many that they lie a page deeper; the commit. */
    most: (place) => 1 + requestsOfTail(place) + LOOK_UP + (place.world.runs ? 1 + LOOK_UP : LOOK_UP) + 1,
  },
  {
    name: 'one append with which a snapshot comes',
    tails: [FULL_TAIL],
    prepare: prepareAppend,
    /** The states of a tail are many, but equally many at every length; its new keys and runs may find nothing. */
    most: ({ world }, shortest) => shortest.requests + (world.runs ? 2 : 1) * LOOK_UP,
  },
  {
    name: 'one board read again, after a commit of another process',
    tails: [0, HALF_TAIL, FULL_TAIL],
    async prepare(place, open) {
      const ledger = open()
      await readBoard(ledger, place)
      await append(open(), place, 1)
      return async () => {
        await ledger.refresh()
        await readBoard(ledger, place)
      }
    },
    /** The head, the commits in between, the new event file; where that commit made a snapshot, its index and the board too. */
    most: ({ tailFiles }) => 3 + (tailFiles === FULL_TAIL ? 1 + LOOK_UP : 0),
  },
]

interface Measured extends Place {
  readonly cost: Cost
  readonly ms: readonly number[]
}

async function prepared(host: Host, work: Work, place: Place, store: LedgerStore) {
  host.rewind(place.repository, place.commit)
  const ledgers: Ledger[] = []
  const running = await work.prepare(place, () => {
    const ledger = opened(store, place, host)
    ledgers.push(ledger)
    return ledger
  })
  const close = async () => {
    for (const ledger of ledgers) await ledger.close()
  }
  return { running, close }
}

async function costOf(host: Host, work: Work, place: Place): Promise<Cost> {
  const { running, close } = await prepared(host, work, place, host.storeOf(place.repository))
  const cost = await host.costOf(running)
  await close()
  return cost
}

async function timed(host: Host, work: Work, place: Place): Promise<number> {
  const local = host.localStoreOf(place.repository, () => timeOf(place))
  const { running, close } = await prepared(host, work, place, local)
  const startedMs = performance.now()
  await running()
  const ms = performance.now() - startedMs
  await close()
  return ms
}

/** Requests are counted once, because they are the same every time; for the time all places take turns in every round. */
async function measure(host: Host, work: Work, places: readonly Place[]): Promise<Measured[]> {
  const measured: (Measured & { readonly ms: number[] })[] = []
  for (const place of places) measured.push({ ...place, cost: await costOf(host, work, place), ms: [] })
  for (let round = 0; round < ROUNDS; round += 1)
    for (const place of measured) place.ms.push(await timed(host, work, place))
  return measured
}

/** The shortest history of the same world with the same tail. */
const shortestLike = (all: readonly Measured[], { world, tailFiles }: Place): Measured | undefined =>
  all.find((other) => other.commit !== null && other.world === world && other.tailFiles === tailFiles)

const bytesAgainst = (one: Measured, shortest: Measured): number => one.cost.bytes / shortest.cost.bytes

function rowOf(all: readonly Measured[], one: Measured): string[] {
  const { commit, world, length, tailFiles, cost, ms } = one
  const empty = all.find((other) => other.commit === null)
  const shortest = shortestLike(all, one)
  return [
    commit === null ? 'none' : world.name,
    grouped(tailFiles),
    grouped(tailEvents(one)),
    grouped(length),
    grouped(cost.requests),
    grouped(cost.bytes),
    commit !== null && shortest ? `${bytesAgainst(one, shortest).toFixed(2)}×` : '',
    `${(medianOf(ms) / medianOf(empty?.ms ?? [])).toFixed(2)}×`,
  ]
}

const bySurplus = <T extends { readonly found: number; readonly wanted: number }>(a: T, b: T): number =>
  b.found - b.wanted - (a.found - a.wanted) || b.found - a.found

/** Of one world, each at the place that comes nearest to the limit or goes furthest beyond it. */
function targetsOf(work: Work, all: readonly Measured[], world: NamedWorld): Target[] {
  const own = all.flatMap((one) => {
    const shortest = shortestLike(all, one)
    if (one.commit === null || one.world !== world || !shortest) return []
    const target = {
      name: `${work.name}, ${world.name}, ${one.tailFiles} files of the tail`,
      limit: 'at most',
    } as const
    const most = work.most(one, shortest.cost)
    const bytes = bytesAgainst(one, shortest)
    return [
      {
        requests: { ...target, found: one.cost.requests, wanted: most, unit: 'requests at every length' },
        bytes: { ...target, found: bytes, wanted: MOST_BYTES, unit: 'times the bytes of the shortest history' },
      },
    ]
  })
  const worst = [own.map(({ requests }) => requests), own.map(({ bytes }) => bytes)].map((of) => of.sort(bySurplus)[0])
  return worst.filter((target) => target !== undefined)
}

/**
 * What reads and appends cost a process, by the length of the history, without a tail and with the longest ones: requests
 * and bytes as the local GitHub counts them, the time by git alone. Returns what is wanted of it and what was found.
 */
export async function benchGrowth(
  write: (line: string) => void,
  lengths: readonly number[],
): Promise<readonly Target[]> {
  const repositories = WORLDS.flatMap((world, index) =>
    lengths.map((length) => ({ name: `world-${index}-${length}`, world, length })),
  )
  const host = await startHost([NOTHING.repository, ...repositories.map(({ name }) => name)])
  try {
    const places: Place[] = []
    for (const { name, world, length } of repositories) places.push(...(await placesOf(host, name, world, length)))
    const targets: Target[] = []
    for (const work of WORKS) {
      const own = WORLDS.flatMap((world) =>
        work.tails.flatMap((files) => places.filter((one) => one.world === world && one.tailFiles === files)),
      )
      const measured = await measure(host, work, [NOTHING, ...own])
      const tail = ['files of the tail', 'events in it']
      const heads = ['requests', 'bytes', 'bytes against the shortest', 'ms against an empty ledger']
      const rows = measured.map((one) => rowOf(measured, one))
      write(table([`${work.name}, in a world of`, ...tail, 'events before it', ...heads], rows))
      write('')
      targets.push(...WORLDS.flatMap((world) => targetsOf(work, measured, world)))
    }
    return targets
  } finally {
    await host.stop()
  }
}

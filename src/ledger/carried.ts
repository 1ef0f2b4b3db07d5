import type { EventData } from '../core/catalogue.ts'
import type { AggregateKey, LedgerEvent } from '../core/event.ts'
import { sha256 } from '../core/json.ts'
import { parseEventFile, parseStored } from './codec.ts'
import { eventPaths, firstSeqOf } from './event-files.ts'
import type { KeptKey } from './keys.ts'
import { GENESIS } from './position.ts'
import { coalescedReads } from './reads.ts'
import { type Head, SnapshotIndex } from './schema.ts'
import { SnapshotReader, snapshotCache } from './snapshot.ts'
import type { LedgerStore } from './store.ts'
import { integrityError, integrityProblem, type LedgerProblem } from './trouble.ts'
import type { WalkedFile } from './walk.ts'

/** Where a later epoch keeps the state that it took over: the snapshot of the epoch before, file by file as it was. */
export const CARRIED = 'carried'
export const CARRIED_INDEX = `${CARRIED}/index.json`

/** The state that an epoch took over from the one before. */
export interface Carried {
  /** The digest of its index, which the first event of the epoch names. */
  readonly state: string
  readonly states: ReadonlyMap<AggregateKey, unknown>
  /** The event keys that were kept, oldest first. */
  readonly keys: readonly KeptKey[]
  /** The first event whose key was kept. */
  readonly since: number
}

/** What an epoch took over, every file checked by its digest; null for the first epoch. Throws what is wrong with it. */
export async function loadCarried(store: LedgerStore, commit: string, head: Head): Promise<Carried | null> {
  if (head.epoch === 1) return null
  const bytes = (await store.read(commit, [CARRIED_INDEX])).get(CARRIED_INDEX)
  const parsed = parseStored(SnapshotIndex, CARRIED_INDEX, bytes)
  if (!parsed.ok) throw integrityError(parsed.problems)
  const index = parsed.value
  const read = coalescedReads(store)
  const reader = new SnapshotReader({ read, commit, cache: snapshotCache(), index, root: CARRIED })
  const states = new Map<AggregateKey, unknown>()
  const keys: KeptKey[] = []
  for await (const page of reader.leafPages()) {
    const shards = await Promise.all((await reader.shardsOf(page)).map((shard) => reader.entriesOf(shard)))
    for (const [key, state] of shards.flatMap((entries) => [...entries])) states.set(key as AggregateKey, state)
  }
  for (const page of index.keys.pages) {
    const files = await Promise.all((await reader.keyFilesOf(page)).map((file) => reader.keysOf(file)))
    keys.push(...files.flat().filter(({ seq }) => seq >= index.keys.since))
  }
  keys.sort((one, other) => one.seq - other.seq)
  return { state: sha256(bytes ?? ''), states, keys, since: index.keys.since }
}

/** The head with which an epoch began, by its first event: for a branch whose own head cannot be read. */
export async function beginningOf(store: LedgerStore, commit: string): Promise<Head> {
  for await (const { path } of eventPaths(store, commit)) {
    const bytes = (await store.read(commit, [path])).get(path) ?? new Uint8Array()
    const parsed = parseEventFile(path, bytes, { seq: (firstSeqOf(path) ?? 1) - 1, tip: null })
    const event = parsed.ok ? parsed.value.events[0] : undefined
    if (event?.type !== 'epoch.opened') return GENESIS
    const { epoch, previous } = event.data as EventData<'epoch.opened'>
    return { ...GENESIS, epoch, origin: { seq: previous.seq, tip: previous.digest } }
  }
  return GENESIS
}

/** What is wrong with the first event of a branch: in a later epoch it has to say what it goes on from. */
export function firstProblems(event: LedgerEvent | undefined, head: Head, state: string | null): string[] {
  if (head.epoch === 1) return []
  if (event?.type !== 'epoch.opened') return [`expected epoch.opened as event ${head.origin.seq + 1}, found another`]
  const { epoch, previous, state: named } = event.data as EventData<'epoch.opened'>
  const found: string[] = []
  if (epoch !== head.epoch) found.push(`expected it to open epoch ${head.epoch}, found ${epoch}`)
  const { seq, tip } = head.origin
  if (previous?.seq !== seq || previous.digest !== tip)
    found.push(
      `expected it to go on from event ${seq} (${tip}), found that it names event ${previous?.seq} (${previous?.digest})`,
    )
  if (state !== null && named !== state)
    found.push(`expected it to name the state in ${CARRIED_INDEX}, ${state}, found ${named}: one of them was edited`)
  return found
}

/** The same of the first file of a branch, each with its place. */
export const firstFileProblems = (file: WalkedFile, head: Head, carried: Carried | null): LedgerProblem[] =>
  firstProblems(file.events[0], head, carried?.state ?? null).map((message) =>
    integrityProblem('ledger-damaged', `${file.path}:1: ${message}`, { path: file.path, line: 1 }),
  )

/** Throws what is wrong with the first file of a branch. */
export function checkFirst(file: WalkedFile, head: Head, carried: Carried | null): void {
  const problems = firstFileProblems(file, head, carried)
  if (problems.length > 0) throw integrityError(problems)
}

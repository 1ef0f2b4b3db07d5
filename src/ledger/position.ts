import type { LedgerDocument } from '../core/decision.ts'
import type { AggregateKey, LedgerEvent, Model } from '../core/event.ts'
import { unwrap } from '../core/problem.ts'
import { HEAD_PATH, MIN_WRITER, ORIGIN, parseEventFile, parseHead, parseStored } from './codec.ts'
import { firstSeqOf } from './event-files.ts'
import { Lru } from './lru.ts'
import { type ReadFiles, readNamed } from './reads.ts'
import { type Head, type LogPosition, SCHEMA_VERSION, SnapshotIndex } from './schema.ts'
import { EMPTY_INDEX, INDEX_PATH, type SnapshotCache, SnapshotReader } from './snapshot.ts'
import { integrityError, integrityProblem } from './trouble.ts'

export interface TailFile {
  readonly path: string
  readonly events: readonly LedgerEvent[]
  /** The place of its last line in the log. */
  readonly position: LogPosition
}

const MAX_STATES = 5_000
const MAX_DOCUMENTS = 64

/** The head of a log without events. */
export const GENESIS: Head = {
  schemaVersion: SCHEMA_VERSION,
  epoch: 1,
  origin: ORIGIN,
  seq: ORIGIN.seq,
  tip: ORIGIN.tip,
  tail: [],
  folder: { path: '', files: 0 },
  snapshot: null,
  minWriter: MIN_WRITER,
  operations: [],
}

/** What all positions of one ledger share. */
export interface Reading {
  readonly model: Model
  readonly read: ReadFiles
  readonly cache: SnapshotCache
}

type States = Lru<AggregateKey, { readonly state: unknown }>
type Documents = Lru<string, { readonly text: string | undefined }>

/** Freezes what a model returned, all the way down; what is frozen already was frozen by an earlier turn. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const member of Object.values(value)) frozen(member)
  return value
}

/** The next state of an aggregate, safe to hand out. */
export const evolved = (model: Model, key: AggregateKey, state: unknown, event: LedgerEvent): unknown =>
  frozen(model.evolve(key, state, event))

/** The log at one commit: its head, the events since the snapshot, and the states that were asked for. Never changes. */
export class Position {
  readonly #reading: Reading
  readonly #states: States
  readonly #documents: Documents
  readonly #byKey = new Map<AggregateKey, LedgerEvent[]>()
  readonly #eventKeys = new Set<string>()
  /** Null while the branch does not exist. */
  readonly commit: string | null
  readonly head: Head
  readonly tail: readonly TailFile[]
  readonly snapshot: SnapshotReader

  constructor(
    reading: Reading,
    at: {
      readonly commit: string | null
      readonly head: Head
      readonly tail: readonly TailFile[]
      readonly index: SnapshotIndex
      readonly states?: States
      readonly documents?: Documents
    },
  ) {
    this.#reading = reading
    this.#states = at.states ?? new Lru(MAX_STATES)
    this.#documents = at.documents ?? new Lru(MAX_DOCUMENTS)
    this.commit = at.commit
    this.head = at.head
    this.tail = at.tail
    this.snapshot = new SnapshotReader({
      read: reading.read,
      commit: at.commit ?? '',
      cache: reading.cache,
      index: at.index,
    })
    for (const event of at.tail.flatMap((file) => file.events)) {
      this.#eventKeys.add(event.key)
      for (const key of reading.model.keysOf(event)) {
        const events = this.#byKey.get(key)
        if (events) events.push(event)
        else this.#byKey.set(key, [event])
      }
    }
  }

  /** The state of an aggregate: snapshot and tail folded; undefined when nothing was ever recorded of it. */
  async state(key: AggregateKey): Promise<unknown> {
    const known = this.#states.get(key)
    if (known) return known.state
    let state = frozen(await this.snapshot.stateOf(key))
    for (const event of this.#byKey.get(key) ?? []) state = evolved(this.#reading.model, key, state, event)
    this.#states.set(key, { state })
    return state
  }

  /** The text of a file of the branch; undefined when it is not there. */
  async document(path: string): Promise<string | undefined> {
    const { commit } = this
    if (commit === null) return undefined
    const known = this.#documents.get(path)
    if (known) return known.text
    const bytes = (await this.#reading.read(commit, [path])).get(path)
    const text = bytes ? Buffer.from(bytes).toString('utf8') : undefined
    this.#documents.set(path, { text })
    return text
  }

  /** Whether an event with this key is in the tail or among the keys of the last four days. */
  async holdsEvent(key: string): Promise<boolean> {
    return this.#eventKeys.has(key) || this.snapshot.holdsKey(key)
  }

  /** The aggregates that changed since the snapshot. */
  dirtyKeys(): readonly AggregateKey[] {
    return [...this.#byKey.keys()]
  }

  /** The events since the snapshot. */
  tailEvents(): readonly LedgerEvent[] {
    return this.tail.flatMap((file) => file.events)
  }

  /** The position after a commit whose events and states are known, without reading anything. */
  next(at: {
    readonly commit: string
    readonly head: Head
    readonly tail: readonly TailFile[]
    readonly index: SnapshotIndex
    readonly states: ReadonlyMap<AggregateKey, unknown>
    readonly documents: readonly LedgerDocument[]
  }): Position {
    const states = this.#states.copy()
    for (const [key, state] of at.states) states.set(key, { state })
    const documents = this.#documents.copy()
    for (const { path, text } of at.documents) documents.set(path, { text })
    return new Position(this.#reading, { ...at, states, documents })
  }

  /** Lets go of the states that these events touch, and keeps the others for the position that follows. */
  statesAfter(events: readonly LedgerEvent[]): States {
    const states = this.#states.copy()
    for (const event of events) for (const key of this.#reading.model.keysOf(event)) states.delete(key)
    return states
  }
}

const damaged = (message: string, path: string) => integrityError(integrityProblem('ledger-damaged', message, { path }))

/** One event file of the tail, which must go on from `at`; what this process has read before is not parsed again. */
function tailFile(
  path: string,
  at: LogPosition,
  old: TailFile | undefined,
  bytes: Uint8Array | null | undefined,
): TailFile {
  if (firstSeqOf(path) !== at.seq + 1)
    throw damaged(`${path}: expected a file that begins with event ${at.seq + 1}`, path)
  if (old?.events[0]?.prev === at.tip) return old
  if (!bytes) throw damaged(`expected the event file ${path}, found none`, path)
  const { events, position, redacted } = unwrap(parseEventFile(path, bytes, at), 'refused')
  // Who takes a text out makes a snapshot in the same commit, so that no redacted line is ever in a tail.
  const [gone] = redacted
  if (gone)
    throw damaged(`${path}:${gone.line}: expected the text of ${gone.members.join(', ')}, found it was taken out`, path)
  return { path, events, position }
}

async function readTail(reading: Reading, commit: string, head: Head, known: readonly TailFile[]): Promise<TailFile[]> {
  const kept = new Map(known.map((file) => [file.path, file]))
  const files = await reading.read(
    commit,
    head.tail.filter((path) => !kept.has(path)),
  )
  let at: LogPosition = head.snapshot ?? head.origin
  const tail: TailFile[] = []
  for (const path of head.tail) {
    const file = tailFile(path, at, kept.get(path), files.get(path))
    at = file.position
    tail.push(file)
  }
  if (at.seq === head.seq && at.tip === head.tip) return tail
  const found = `found event ${at.seq} (${at.tip})`
  throw damaged(
    `expected the log to end at event ${head.seq} (${head.tip}), found ${found}`,
    head.tail.at(-1) ?? HEAD_PATH,
  )
}

/** The index that a head names; that of the position before where it is the same one. */
async function readIndex(
  reading: Reading,
  commit: string,
  head: Head,
  before: Position | undefined,
): Promise<SnapshotIndex> {
  if (!head.snapshot) return EMPTY_INDEX
  if (before && before.head.snapshot?.index === head.snapshot.index) return before.snapshot.index
  const [bytes] = await readNamed(reading.read, commit, [{ path: INDEX_PATH, digest: head.snapshot.index }])
  const index = unwrap(parseStored(SnapshotIndex, INDEX_PATH, bytes), 'refused')
  if (index.seq === head.snapshot.seq) return index
  throw damaged(`${INDEX_PATH}: expected the snapshot at event ${head.snapshot.seq}, found ${index.seq}`, INDEX_PATH)
}

/** Reads the position of a commit whose `head.json` is at hand, in one more request. Throws what is wrong with it. */
export async function readPosition(
  reading: Reading,
  commit: string,
  headBytes: Uint8Array | null | undefined,
  before?: Position,
): Promise<Position> {
  const head = unwrap(parseHead(headBytes), 'refused')
  const [tail, index] = await Promise.all([
    readTail(reading, commit, head, before?.tail ?? []),
    readIndex(reading, commit, head, before),
  ])
  const start = head.snapshot?.seq ?? head.origin.seq
  // States move on from the position before only when all events in between are at hand.
  if (!before || before.head.seq < start) return new Position(reading, { commit, head, tail, index })
  const since = tail.flatMap((file) => file.events).filter((event) => event.seq > before.head.seq)
  return new Position(reading, { commit, head, tail, index, states: before.statesAfter(since) })
}

/** The position of a branch that does not exist yet. */
export const emptyPosition = (reading: Reading): Position =>
  new Position(reading, { commit: null, head: GENESIS, tail: [], index: EMPTY_INDEX })

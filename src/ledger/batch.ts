import type { LedgerDocument } from '../core/decision.ts'
import { type AggregateKey, EventDraft, type LedgerEvent, type Model } from '../core/event.ts'
import { quoted, RingmasterError } from '../core/problem.ts'
import { encodeEvents, HEAD_PATH, MAX_LINE_BYTES } from './codec.ts'
import { evolved, type Position } from './position.ts'
import type { LogPosition } from './schema.ts'
import { kindOf } from './snapshot.ts'
import { isSafePath } from './store.ts'
import type { LedgerProblem } from './trouble.ts'

/** The head of the log as others name it: the number of its last event and the digest of that event's line. */
export interface HeadMark {
  readonly seq: number
  readonly digest: string
}

/** What a change may look at while it decides. States are frozen. */
export interface Session {
  /** The state of an aggregate, or undefined when nothing was ever recorded of it. */
  state(key: AggregateKey): Promise<unknown>
  /** The text of a file of the ledger, or undefined when it is not there. */
  document(path: string): Promise<string | undefined>
  readonly head: HeadMark
}

/** What a change came to. Documents are written together with the events; without an event they are not written. */
export interface Change<T> {
  readonly events: readonly EventDraft[]
  readonly documents?: readonly LedgerDocument[]
  readonly result: T
}

export type Decide<T> = (session: Session) => Promise<Change<T>>

/** GraphQL cuts blobs at 512,000 bytes. */
const MAX_DOCUMENT_BYTES = 400_000

const markOf = ({ seq, tip }: LogPosition): HeadMark => ({ seq, digest: tip })

const refused = (problems: readonly LedgerProblem[]) => new RingmasterError('bad-input', problems)

/** The session of a position as it stands. */
export const sessionOf = (position: Position): Session => ({
  state: (key) => position.state(key),
  document: (path) => position.document(path),
  head: markOf(position.head),
})

function draftProblems(draft: EventDraft): LedgerProblem[] {
  const parsed = EventDraft.safeParse(draft)
  if (parsed.success) return []
  return parsed.error.issues.map((issue) => ({
    code: 'event-refused',
    message: `expected an event ${quoted(draft?.type)} with a valid ${issue.path.join('.') || 'shape'}: ${issue.message}`,
  }))
}

function documentProblems({ path, text }: LedgerDocument): LedgerProblem[] {
  const reserved = path === HEAD_PATH || path.startsWith('events/') || path.startsWith('snapshots/')
  if (reserved || !isSafePath(path)) {
    return [{ code: 'event-refused', message: `expected a document's own plain path, found ${quoted(path)}` }]
  }
  const bytes = Buffer.byteLength(text)
  if (bytes <= MAX_DOCUMENT_BYTES) return []
  const message = `expected the document ${path} to have at most ${MAX_DOCUMENT_BYTES} bytes, found ${bytes}`
  return [{ code: 'event-refused', message }]
}

/** Throws `event-refused` with every draft that is no event. */
function checkDrafts(drafts: readonly EventDraft[]): void {
  const problems = drafts.flatMap(draftProblems)
  if (problems.length > 0) throw refused(problems)
}

/** Changes decided one after the other on one position; each sees those before it. Nothing is written here. */
export class Batch {
  readonly #model: Model
  readonly #position: Position
  readonly #states = new Map<AggregateKey, unknown>()
  readonly #documents = new Map<string, string>()
  readonly #keys = new Set<string>()
  readonly events: LedgerEvent[] = []
  readonly lines: string[] = []
  bytes = 0
  end: LogPosition

  constructor(model: Model, position: Position) {
    this.#model = model
    this.#position = position
    this.end = { seq: position.head.seq, tip: position.head.tip }
  }

  get states(): ReadonlyMap<AggregateKey, unknown> {
    return this.#states
  }

  get documents(): readonly LedgerDocument[] {
    return [...this.#documents].map(([path, text]) => ({ path, text }))
  }

  /** Lets one change decide and takes its events in. When it throws, the batch stays as it was. */
  async add<T>(decide: Decide<T>): Promise<{ readonly result: T; readonly events: readonly LedgerEvent[] }> {
    const { events: drafts, documents = [], result } = await decide(this.session)
    checkDrafts(drafts)
    const problems = documents.flatMap(documentProblems)
    if (problems.length > 0) throw refused(problems)
    const events = await this.#take(await this.#unrecorded(drafts))
    if (events.length > 0) for (const { path, text } of documents) this.#documents.set(path, text)
    return { result, events }
  }

  async #take(drafts: readonly EventDraft[]): Promise<readonly LedgerEvent[]> {
    const { events, lines, position } = encodeEvents(drafts, this.end, this.#model.textsOf)
    const sizes = lines.map((line) => Buffer.byteLength(line) + 1)
    const large = events.filter((_, index) => (sizes[index] ?? 0) > MAX_LINE_BYTES)
    if (large.length > 0) throw refused(large.map(tooLarge))
    const states = await this.#statesBefore(events)
    for (const event of events)
      for (const key of this.#model.keysOf(event)) states.set(key, evolved(this.#model, key, states.get(key), event))
    for (const [key, state] of states) this.#states.set(key, state)
    for (const event of events) this.#keys.add(event.key)
    this.events.push(...events)
    this.lines.push(...lines)
    this.bytes += sizes.reduce((sum, size) => sum + size, 0)
    this.end = position
    return events
  }

  async #unrecorded(drafts: readonly EventDraft[]): Promise<EventDraft[]> {
    const seen = new Set<string>()
    const fresh = drafts.filter(({ key }) => !this.#keys.has(key) && !seen.has(key) && seen.add(key))
    const held = await Promise.all(fresh.map(({ key }) => this.#position.holdsEvent(key)))
    return fresh.filter((_, index) => !held[index])
  }

  /** What some events change, as it is now. Asked for together, so that what has to be read comes in few requests. */
  async #statesBefore(events: readonly LedgerEvent[]): Promise<Map<AggregateKey, unknown>> {
    const keys = new Set(events.flatMap((event) => this.#model.keysOf(event)))
    for (const key of keys) kindOf(key)
    return new Map(await Promise.all([...keys].map(async (key) => [key, await this.#state(key)] as const)))
  }

  async #state(key: AggregateKey): Promise<unknown> {
    return this.#states.has(key) ? this.#states.get(key) : this.#position.state(key)
  }

  /** What the next change sees. */
  get session(): Session {
    return {
      state: (key) => this.#state(key),
      document: async (path) => this.#documents.get(path) ?? this.#position.document(path),
      head: markOf(this.end),
    }
  }
}

const tooLarge = (event: LedgerEvent): LedgerProblem => ({
  code: 'event-refused',
  message: `expected the event ${event.type} ${quoted(event.key)} to have at most ${MAX_LINE_BYTES} bytes, found more`,
})

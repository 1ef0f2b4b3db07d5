import type { EventDraft, LedgerEvent, Model } from '../core/event.ts'
import { RingmasterError } from '../core/problem.ts'
import { Batch, type Change, type Decide, type HeadMark, type Session, sessionOf } from './batch.ts'
import { type CommitPlan, planCommit } from './commit-plan.ts'
import { Follower } from './follower.ts'
import type { Position } from './position.ts'
import { coalescedReads } from './reads.ts'
import { type Boarded, type DraftOn, Rides } from './rides.ts'
import { snapshotCache } from './snapshot.ts'
import type { Author, LedgerStore } from './store.ts'
import { isIntegrityError } from './trouble.ts'
import { checkWriter } from './writer.ts'

export type { HeadMark, Session } from './batch.ts'

/** What a caller is told once its change is durable. */
export interface Receipt<T> {
  readonly result: T
  /** The events that this change added; those whose key was in the log already are not among them. */
  readonly events: readonly LedgerEvent[]
  /** The head of the log after the commit. */
  readonly head: HeadMark
  /** The commit that holds the events, or a later one; null when there was nothing to write. */
  readonly commit: string | null
}

export interface LedgerOptions {
  readonly store: LedgerStore
  /**
   * The store of another branch of the same repository. With it the ledger moves over where a branch was closed and the log
   * goes on in a new epoch; without it such a branch can be read alone.
   */
  readonly successor?: (branch: string) => LedgerStore
  readonly model: Model
  /** The time, ISO 8601 UTC. */
  readonly clock: () => string
  /** A new ULID at each call. */
  readonly newId: () => string
  readonly writer: {
    /** This program's version; refused when it is below the ledger's `minWriter`. */
    readonly version: string
    /** The only author whose commits are accepted, where one is expected. */
    readonly author?: Pick<Author, 'email'>
  }
  /** A snapshot at the latest after this many events; 1,000 by default. */
  readonly snapshotEvery?: number
  /** Waits; injected so that tests need not. */
  readonly delay?: (milliseconds: number) => Promise<void>
  /** From 0 up to 1, for the jitter of the back-off. */
  readonly random?: () => number
  /**
   * Bookkeeping as it stands when a commit is made: what it returns goes with that commit, and never causes one. Asked
   * again at each attempt; an event whose key is in the log already is left out.
   */
  readonly bookkeeping?: () => readonly EventDraft[]
  /**
   * Told of events that are found in the log, as far as no snapshot has taken them in yet: at the first read those that are
   * there, then those of other processes.
   */
  readonly followed?: (events: readonly LedgerEvent[]) => void
  /** Settles when a commit may be made; changes that arrive meanwhile join it. At once by default. */
  readonly pace?: () => Promise<void>
}

/** The log, its state, and the one way to write to it. */
export interface Ledger {
  /**
   * Lets a change decide on the newest state and makes its events durable. Changes that arrive while a commit is in
   * flight become the next commit together. A change may be asked again after a lost race, so it must do nothing but
   * look and decide. What it is `foreseen` to come to binds it to nothing: what that needs is read while it waits for its
   * turn. Rejects with what the change threw, `event-refused`, `ledger-contended`, `ledger-closed`, or what is wrong with
   * the branch.
   */
  append<T>(decide: Decide<T>, foreseen?: readonly EventDraft[]): Promise<Receipt<T>>
  /**
   * Bookkeeping that goes with the next commit and never causes one. It is drafted at each attempt, on the state that this
   * commit's changes come to; what fails to be drafted but for `bad-input` goes with a later one. The promise settles with
   * that commit and may be ignored.
   */
  ride(draftOn: DraftOn): Promise<readonly LedgerEvent[]>
  /** Settles when everything appended so far is durable or refused. */
  flush(): Promise<void>
  /**
   * A session at the newest commit this process knows; it does not move when the log does. What is found to be wrong with
   * the branch on the way is noted like anywhere else.
   */
  view(): Promise<Session>
  /**
   * As `view`, with some events more, as if they followed at once. They are written nowhere: its head is that of the commit.
   * Rejects where they could not be.
   */
  viewWith(events: readonly EventDraft[]): Promise<Session>
  /** Looks for commits of other processes, checks them, and moves on to them; rejects where this program must not write there. */
  refresh(): Promise<HeadMark>
  /** Makes a snapshot when there are events since the last one; for when there is nothing else to do. */
  snapshot(): Promise<void>
  /** Calls back with the events of each commit of this process, in order; returns how to stop. */
  onAppended(listener: (events: readonly LedgerEvent[]) => void): () => void
  /** Takes in from outside what is wrong with the branch, such as a history that was seen to be cut off. */
  distrust(error: RingmasterError): void
  /** What is wrong with the branch, when something is: then nothing is written any more. */
  readonly trouble: RingmasterError | undefined
  /** The epoch of the newest commit this process knows, counted from 1. */
  readonly epoch: number
  /** Takes no more changes and settles when those it took are durable or refused. */
  close(): Promise<void>
}

interface Entry {
  readonly decide: Decide<unknown>
  readonly resolve: (receipt: Receipt<unknown>) => void
  readonly reject: (error: unknown) => void
  readonly isForSnapshot: boolean
}

type Outcome =
  | { readonly kind: 'decided'; readonly result: unknown; readonly events: readonly LedgerEvent[] }
  | { readonly kind: 'refused'; readonly error: unknown }

const SNAPSHOT_EVERY = 1_000
const MAX_ATTEMPTS = 12
const FIRST_BACKOFF_MS = 100
const MAX_BACKOFF_MS = 5_000
/** One commit stays well inside what GitHub answers within its ten seconds. */
const MAX_BATCH_BYTES = 1024 * 1024

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

const nothing: Change<undefined> = { events: [], result: undefined }

/** Opens the ledger of a branch; the first append creates the branch when there is none. Reads nothing yet. */
export function openLedger(options: LedgerOptions): Ledger {
  return new GroupCommitLedger(options)
}

class GroupCommitLedger implements Ledger {
  readonly #options: LedgerOptions
  readonly #follower: Follower
  readonly #listeners = new Set<(events: readonly LedgerEvent[]) => void>()
  readonly #queue: Entry[] = []
  readonly #rides = new Rides()
  #running: Promise<void> | undefined
  /** Settles when the branch is neither written nor looked at for commits of others. */
  #free: Promise<unknown> = Promise.resolve()
  #isClosed = false

  constructor(options: LedgerOptions) {
    this.#options = options
    const { store, successor, model, writer, followed, delay = sleep } = options
    const reading = { model, read: coalescedReads(store), cache: snapshotCache() }
    this.#follower = new Follower({ store, successor, reading, author: writer.author, followed, delay })
  }

  get trouble(): RingmasterError | undefined {
    return this.#follower.trouble
  }

  get epoch(): number {
    return this.#follower.epoch
  }

  distrust(error: RingmasterError): void {
    this.#follower.note(error)
  }

  append<T>(decide: Decide<T>, foreseen: readonly EventDraft[] = []): Promise<Receipt<T>> {
    if (foreseen.length > 0) void this.#readAhead(foreseen)
    return this.#enqueue(decide, false) as Promise<Receipt<T>>
  }

  async snapshot(): Promise<void> {
    await this.#enqueue(async () => nothing, true)
  }

  ride(draftOn: DraftOn): Promise<readonly LedgerEvent[]> {
    return this.#rides.add(draftOn)
  }

  async flush(): Promise<void> {
    while (this.#running) await this.#running
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.flush()
    await this.#free
    this.#rides.close()
  }

  async view(): Promise<Session> {
    return this.#noting(sessionOf(await this.#follower.current()))
  }

  async viewWith(events: readonly EventDraft[]): Promise<Session> {
    return this.#noting(await this.#noted(this.#sessionWith(events)))
  }

  async #sessionWith(events: readonly EventDraft[]): Promise<Session> {
    if (this.trouble) throw this.trouble
    const position = await this.#follower.current()
    this.#checkMayWrite(position)
    const batch = new Batch(this.#options.model, position)
    await batch.add(async () => ({ events, result: undefined }))
    return { ...batch.session, head: sessionOf(position).head }
  }

  #noting({ state, document, head }: Session): Session {
    return { state: (key) => this.#noted(state(key)), document: (path) => this.#noted(document(path)), head }
  }

  /** Damage that whoever looks meets closes the ledger like damage that a change meets. */
  async #noted<T>(read: Promise<T>): Promise<T> {
    try {
      return await read
    } catch (error) {
      this.#follower.note(error)
      throw error
    }
  }

  async refresh(): Promise<HeadMark> {
    this.#checkIsOpen()
    return this.#exclusively(() => this.#noted(this.#moveOn()))
  }

  onAppended(listener: (events: readonly LedgerEvent[]) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async #enqueue(decide: Decide<unknown>, isForSnapshot: boolean): Promise<Receipt<unknown>> {
    this.#checkIsOpen()
    return new Promise((resolve, reject) => {
      this.#queue.push({ decide, resolve, reject, isForSnapshot })
      this.#running ??= this.#run()
    })
  }

  /** Reads what the log needs to take in what is foreseen: else a commit would wait for the reads of one change after the other. */
  async #readAhead(foreseen: readonly EventDraft[]): Promise<void> {
    try {
      await this.#sessionWith(foreseen)
    } catch {
      // The change meets the same in its turn, where somebody is told.
    }
  }

  #checkIsOpen(): void {
    if (this.#isClosed)
      throw new RingmasterError('refused', {
        code: 'ledger-closed',
        message: 'expected an open ledger, found it closed',
      })
  }

  /** One after the other: commits of this process, and looks for those of others. */
  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#free.then(work)
    this.#free = result.catch(() => {})
    return result
  }

  /** One commit at a time. Everything that has arrived when a commit may be made goes into it. */
  async #run(): Promise<void> {
    await null
    while (this.#queue.length > 0) {
      let entries = this.#queue
      try {
        await this.#options.pace?.()
        await this.#exclusively(async () => {
          entries = this.#queue.splice(0)
          await this.#record(entries)
        })
      } catch (error) {
        this.#follower.note(error)
        for (const entry of entries.splice(0)) entry.reject(error)
      }
    }
    // In the same turn as the look at the queue: what arrives from here on starts a run of its own.
    this.#running = undefined
  }

  async #record(entries: Entry[]): Promise<void> {
    if (this.trouble) throw this.trouble
    const operation = this.#options.newId()
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      const position = await this.#follower.current()
      this.#checkMayWrite(position)
      const batch = new Batch(this.#options.model, position)
      const outcomes = await this.#decide(entries, batch)
      const snapshotNow = entries.some((entry) => entry.isForSnapshot) && position.tail.length > 0
      if (batch.events.length === 0 && !snapshotNow) return this.#answer(entries, outcomes, batch.end, null)
      const boarded = await this.#board(batch)
      const plan = await this.#plan(position, batch, operation, snapshotNow)
      const commit = await this.#commit(plan, position, batch)
      if (commit !== null) {
        this.#answer(entries, outcomes, batch.end, commit)
        /** What is found to be committed may be an attempt before, which had less on board. */
        await this.#rides.land(boarded, attempt === 1 ? null : await this.#follower.current())
        return this.#tell(batch.events)
      }
      await this.#backOff(attempt)
    }
    const message = `${this.#follower.store.name}: expected to win the branch within ${MAX_ATTEMPTS} attempts, lost each of them`
    throw new RingmasterError('outside', { code: 'ledger-contended', message, hint: 'Try again; others are writing.' })
  }

  async #decide(entries: Entry[], batch: Batch): Promise<Outcome[]> {
    const outcomes: Outcome[] = []
    for (const entry of entries) {
      if (batch.bytes > MAX_BATCH_BYTES) break
      try {
        outcomes.push({ kind: 'decided', ...(await batch.add(entry.decide)) })
      } catch (error) {
        if (isIntegrityError(error)) throw error
        outcomes.push({ kind: 'refused', error })
      }
    }
    // What did not fit goes first into the commit after this one.
    this.#queue.unshift(...entries.splice(outcomes.length))
    return outcomes
  }

  /** Takes bookkeeping into a batch that is going to be written anyway. */
  async #board(batch: Batch): Promise<Boarded> {
    if (batch.events.length === 0) return new Map()
    const booked = this.#options.bookkeeping?.() ?? []
    if (booked.length > 0) {
      try {
        await batch.add(async () => ({ events: booked, result: undefined }))
      } catch (error) {
        // What was decided does not wait for it: it is asked again at the next commit.
        if (isIntegrityError(error)) throw error
      }
    }
    return this.#rides.board(batch)
  }

  #plan(position: Position, batch: Batch, operation: string, snapshotNow: boolean): Promise<CommitPlan> {
    const { clock, newId, snapshotEvery = SNAPSHOT_EVERY } = this.#options
    return planCommit({ position, batch, operation, newId, now: clock(), snapshotNow, snapshotEvery })
  }

  /** The commit that holds the plan, or null when the race was lost. */
  async #commit(plan: CommitPlan, before: Position, batch: Batch): Promise<string | null> {
    try {
      const outcome = await this.#follower.store.commit(plan.request)
      if (outcome.kind === 'committed') {
        const { commit } = outcome
        const { head, tail, index } = plan
        const { states, documents } = batch
        this.#follower.advance(before.next({ commit, head, tail, index, states, documents }))
        return commit
      }
    } catch (error) {
      return this.#settleDoubt(plan, error)
    }
    return this.#found(plan, await this.#follower.move())
  }

  /** After an answer that was lost: the operation's id in the newest head tells whether the commit was made. */
  async #settleDoubt(plan: CommitPlan, error: unknown): Promise<string> {
    const position = await this.#follower.move().catch((reason: unknown) => {
      throw isIntegrityError(reason) ? reason : error
    })
    const commit = this.#found(plan, position)
    if (commit === null) throw error
    return commit
  }

  #found(plan: CommitPlan, position: Position): string | null {
    return position.head.operations.includes(plan.request.operation) ? position.commit : null
  }

  #answer(
    entries: readonly Entry[],
    outcomes: readonly Outcome[],
    end: { seq: number; tip: string },
    commit: string | null,
  ) {
    const head = { seq: end.seq, digest: end.tip }
    for (const [index, outcome] of outcomes.entries()) {
      const entry = entries[index]
      if (outcome.kind === 'refused') entry?.reject(outcome.error)
      else {
        const { result, events } = outcome
        entry?.resolve({ result, events, head, commit: events.length > 0 ? commit : null })
      }
    }
  }

  #tell(events: readonly LedgerEvent[]): void {
    if (events.length === 0) return
    for (const listener of this.#listeners) queueMicrotask(() => listener(events))
  }

  async #moveOn(): Promise<HeadMark> {
    if (this.trouble) throw this.trouble
    const position = await this.#follower.move()
    this.#checkMayWrite(position)
    return sessionOf(position).head
  }

  #checkMayWrite(position: Position): void {
    if (position.head.succeededBy !== undefined) {
      const { name } = this.#follower.store
      throw new RingmasterError('refused', {
        code: 'ledger-succeeded',
        message: `${name}: expected an open branch, found that it was closed: the log goes on in ${position.head.succeededBy}`,
        hint: 'Write there.',
      })
    }
    checkWriter(position.head, this.#options.writer)
  }

  async #backOff(attempt: number): Promise<void> {
    const { delay = sleep, random = Math.random } = this.#options
    const most = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (attempt - 1))
    await delay(most * (0.5 + random() / 2))
  }
}

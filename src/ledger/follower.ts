import type { LedgerEvent } from '../core/event.ts'
import { RingmasterError } from '../core/problem.ts'
import { HEAD_PATH, parseHead } from './codec.ts'
import { checkOpening } from './opening.ts'
import { emptyPosition, type Position, type Reading, readPosition } from './position.ts'
import type { Author, LedgerStore, Newest } from './store.ts'
import { checkAuthor, checkSuccession } from './succession.ts'
import { integrityError, integrityProblem, isIntegrityError, type LedgerProblem, onBranch } from './trouble.ts'

const FIRST_WAIT_MS = 200
const MAX_WAIT_MS = 5_000
const nextWaitMs = (waitMs: number): number => Math.min(MAX_WAIT_MS, waitMs * 2)
/** An epoch begins within so much of the end of the one before, wherever nothing lags. */
const OPENS_WITHIN_MS = 3_000

export interface FollowerOptions {
  readonly store: LedgerStore
  /** The store of another branch of the same repository, on which a closed log goes on. */
  readonly successor?: ((branch: string) => LedgerStore) | undefined
  readonly reading: Reading
  readonly author: Pick<Author, 'email'> | undefined
  /** Told of the events that it moved on over, as far as no snapshot has taken them in yet. */
  readonly followed?: ((events: readonly LedgerEvent[]) => void) | undefined
  readonly delay: (milliseconds: number) => Promise<void>
}

/** A branch, and where the log stands on it. */
interface Place {
  readonly store: LedgerStore
  readonly position: Position
}

/** The newest position that this process knows of, and how it moves on to commits of others: only after checking them. */
export class Follower {
  readonly #options: FollowerOptions
  #store: LedgerStore
  #position: Position | undefined
  #moving: Promise<Position> | undefined
  #trouble: RingmasterError | undefined

  constructor(options: FollowerOptions) {
    this.#options = options
    this.#store = options.store
  }

  /** The branch that the log is on now. */
  get store(): LedgerStore {
    return this.#store
  }

  /** The epoch of the position known; the first one before anything was read. */
  get epoch(): number {
    return this.#position?.head.epoch ?? 1
  }

  /** What was found to be wrong with the branch; it stays until the ledger is opened anew. */
  get trouble(): RingmasterError | undefined {
    return this.#trouble
  }

  /** Remembers what is wrong with the branch; other errors pass by. */
  note(error: unknown): void {
    if (isIntegrityError(error)) this.#trouble = error
  }

  /** The position known; read at the first time. What an old program must not write, it may still read. */
  async current(): Promise<Position> {
    if (this.#trouble && this.#trouble.code !== 'writer-too-old') throw this.#trouble
    return this.#position ?? this.move()
  }

  /** Takes over the position that a commit of this process made. */
  advance(position: Position): void {
    this.#position = position
  }

  /** Moves on to the newest commit. One move at a time; whoever asks meanwhile shares it. */
  move(): Promise<Position> {
    this.#moving ??= this.#readBelievable()
      .then(({ store, position }) => {
        const seq = this.#position?.head.seq ?? 0
        this.#store = store
        this.#position = position
        this.#options.followed?.(position.tailEvents().filter((event) => event.seq > seq))
        return position
      })
      .catch((error: unknown) => {
        this.note(error)
        throw error
      })
      .finally(() => {
        this.#moving = undefined
      })
    return this.#moving
  }

  /**
   * At the first read nothing is known by which a read that lags behind a restored branch could be told: what is wrong is
   * believed when it stays for as long as a read may lag.
   */
  async #readBelievable(): Promise<Place> {
    const { readLagMs } = this.#store
    for (let waitedMs = 0, waitMs = FIRST_WAIT_MS; ; waitMs = nextWaitMs(waitMs)) {
      try {
        return await this.#readNewest()
      } catch (error) {
        if (this.#position || !isIntegrityError(error) || waitedMs >= readLagMs) throw error
      }
      await this.#options.delay(waitMs)
      waitedMs += waitMs
    }
  }

  async #readNewest(): Promise<Place> {
    const { reading, author } = this.#options
    const store = this.#store
    const before = this.#position
    const newest = await this.#newestBeyondLag(before)
    if (!newest) {
      if (!before || before.commit === null) return { store, position: before ?? emptyPosition(reading) }
      const message = `${store.name}: expected a branch with commit ${before.commit}, found none`
      throw integrityError(integrityProblem('ledger-missing', message))
    }
    if (before && newest.info.commit === before.commit) return this.#moveOver({ store, position: before })
    checkAuthor(newest.info, author, store.name)
    const after = await readPosition(reading, newest.info.commit, newest.files.get(HEAD_PATH), before)
    if (before) await checkSuccession(store, reading.read, { before, after }, author)
    return this.#moveOver({ store, position: after })
  }

  /** From a closed branch to the one on which the log goes on, as far as that is known here. */
  async #moveOver(place: Place): Promise<Place> {
    const { reading, author, successor } = this.#options
    const closed = place.position
    const { succeededBy } = closed.head
    if (succeededBy === undefined || !successor) return place
    const store = successor(succeededBy)
    const opened = await onBranch(succeededBy, async () => {
      const newest = await this.#opened(store, succeededBy)
      checkAuthor(newest.info, author, store.name)
      const position = await readPosition(reading, newest.info.commit, newest.files.get(HEAD_PATH), closed)
      await checkOpening(reading.read, store.name, { closed, opened: position })
      return position
    })
    return this.#moveOver({ store, position: opened })
  }

  /** Between the end of an epoch and the beginning of the next one lie a few requests, which a read may lag behind. */
  async #opened(store: LedgerStore, branch: string): Promise<Newest> {
    for (let waitedMs = 0, waitMs = FIRST_WAIT_MS; ; waitMs = nextWaitMs(waitMs)) {
      const newest = await store.newest([HEAD_PATH])
      if (newest) return newest
      if (waitedMs >= Math.max(OPENS_WITHIN_MS, store.readLagMs)) break
      await this.#options.delay(waitMs)
      waitedMs += waitMs
    }
    const problem: LedgerProblem = {
      code: 'epoch-unopened',
      message: `expected the log to go on in ${store.name}, found no such branch`,
      hint: 'In a clone, fetch that branch. Else look at its activity on GitHub: where it was deleted, restore it; where it never was, repeat "ringmaster ledger epoch", which was interrupted after it closed the branch before.',
      branch,
    }
    throw new RingmasterError('outside', problem)
  }

  /** A read may lag behind what this process knows; it waits that long before it believes that the branch went back. */
  async #newestBeyondLag(before: Position | undefined): Promise<Newest | null> {
    const { delay } = this.#options
    const store = this.#store
    for (let waitedMs = 0, waitMs = FIRST_WAIT_MS; ; waitMs = nextWaitMs(waitMs)) {
      const newest = await store.newest([HEAD_PATH])
      if (!before || !mayBeBehind(before, newest) || waitedMs >= store.readLagMs) return newest
      await delay(waitMs)
      waitedMs += waitMs
    }
  }
}

/**
 * Whether what was read may be older than a position. Commits that only make snapshots stay at one event, so of another commit
 * there only that which follows the one known is surely newer; a second one behind it is no more than waited for.
 */
function mayBeBehind({ commit, head: { seq } }: Position, newest: Newest | null): boolean {
  if (commit === null) return false
  if (!newest) return true
  const head = parseHead(newest.files.get(HEAD_PATH))
  if (!head.ok || head.value.seq > seq) return false
  return head.value.seq < seq || (newest.info.commit !== commit && newest.info.parents[0] !== commit)
}

import type { RingmasterError } from '../core/problem.ts'
import { HEAD_PATH, parseHead } from './codec.ts'
import { emptyPosition, type Position, type Reading, readPosition } from './position.ts'
import type { Author, LedgerStore, Newest } from './store.ts'
import { checkAuthor, checkSuccession } from './succession.ts'
import { integrityError, integrityProblem, isIntegrityError } from './trouble.ts'

const FIRST_WAIT_MS = 200
const MAX_WAIT_MS = 5_000

export interface FollowerOptions {
  readonly store: LedgerStore
  readonly reading: Reading
  readonly author: Pick<Author, 'email'> | undefined
  readonly delay: (milliseconds: number) => Promise<void>
}

/** The newest position that this process knows of, and how it moves on to commits of others: only after checking them. */
export class Follower {
  readonly #options: FollowerOptions
  #position: Position | undefined
  #moving: Promise<Position> | undefined
  #trouble: RingmasterError | undefined

  constructor(options: FollowerOptions) {
    this.#options = options
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
    this.#moving ??= this.#readNewest()
      .then((position) => {
        this.#position = position
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

  async #readNewest(): Promise<Position> {
    const { store, reading, author } = this.#options
    const before = this.#position
    const newest = await this.#newestBeyondLag(before)
    if (!newest) {
      if (!before || before.commit === null) return before ?? emptyPosition(reading)
      const message = `${store.name}: expected a branch with commit ${before.commit}, found none`
      throw integrityError(integrityProblem('ledger-missing', message))
    }
    if (before && newest.info.commit === before.commit) return before
    checkAuthor(newest.info, author, store.name)
    const after = await readPosition(reading, newest.info.commit, newest.files.get(HEAD_PATH), before)
    if (before) await checkSuccession(store, reading.read, { before, after }, author)
    return after
  }

  /** A read may lag behind what this process wrote; it waits that long before it believes that the branch went back. */
  async #newestBeyondLag(before: Position | undefined): Promise<Newest | null> {
    const { store, delay } = this.#options
    for (let waitedMs = 0, waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(MAX_WAIT_MS, waitMs * 2)) {
      const newest = await store.newest([HEAD_PATH])
      const head = newest && parseHead(newest.files.get(HEAD_PATH))
      const seq = !newest ? -1 : head?.ok ? head.value.seq : Number.POSITIVE_INFINITY
      const wentBack = before !== undefined && before.commit !== null && seq < before.head.seq
      if (!wentBack || waitedMs >= store.readLagMs) return newest
      await delay(waitMs)
      waitedMs += waitMs
    }
  }
}

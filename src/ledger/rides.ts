import type { EventDraft, LedgerEvent } from '../core/event.ts'
import { RingmasterError } from '../core/problem.ts'
import type { Batch, Session } from './batch.ts'
import type { Position } from './position.ts'
import { isIntegrityError } from './trouble.ts'

/** Drafts an event on the state that a commit comes to. */
export type DraftOn = (session: Session) => Promise<EventDraft>

interface Ride {
  readonly draftOn: DraftOn
  readonly resolve: (events: readonly LedgerEvent[]) => void
  readonly reject: (error: unknown) => void
}

/** What is on board of a commit, with its events in it. */
export type Boarded = ReadonlyMap<Ride, readonly LedgerEvent[]>

/** What waits for a commit that is made for something else. */
export class Rides {
  readonly #waiting = new Set<Ride>()

  /** Settles with the commit that takes it along, and may be ignored. */
  add(draftOn: DraftOn): Promise<readonly LedgerEvent[]> {
    const settled = new Promise<readonly LedgerEvent[]>((resolve, reject) => {
      this.#waiting.add({ draftOn, resolve, reject })
    })
    settled.catch(() => {})
    return settled
  }

  /** Takes what waits into a batch; what is no event is refused, and what could not be read for waits for another batch. */
  async board(batch: Batch): Promise<Boarded> {
    const boarded = new Map<Ride, readonly LedgerEvent[]>()
    for (const ride of [...this.#waiting]) {
      try {
        const change = async (session: Session) => ({ events: [await ride.draftOn(session)], result: undefined })
        boarded.set(ride, (await batch.add(change)).events)
      } catch (error) {
        if (isIntegrityError(error)) throw error
        if (!(error instanceof RingmasterError && error.fault === 'bad-input')) continue
        this.#waiting.delete(ride)
        ride.reject(error)
      }
    }
    return boarded
  }

  /** Settles what was on board: all of it, or, after a commit that may have had less, what a position holds. */
  async land(boarded: Boarded, position: Position | null): Promise<void> {
    for (const [ride, events] of boarded) {
      const isHeld = position === null ? [] : await Promise.all(events.map(({ key }) => position.holdsEvent(key)))
      if (!isHeld.every(Boolean)) continue
      this.#waiting.delete(ride)
      ride.resolve(events)
    }
  }

  /** No commit follows: what waits was never taken along. */
  close(): void {
    for (const ride of this.#waiting) ride.resolve([])
    this.#waiting.clear()
  }
}

import { draft } from '../core/catalogue.ts'
import { CLOCKS_DIFFER_MS } from '../core/clocks.ts'
import type { EventDraft, LedgerEvent } from '../core/event.ts'
import type { Request } from '../core/request.ts'

/** The mark goes with commits that are made anyway in whole steps of this: it is read only after a crash. */
const MARK_EVERY_MS = 60_000

/**
 * GitHub delivers in any order: what is early is asked again for this long, and holds the mark as long. What comes later
 * than that is found by the hourly sweep.
 */
export const EARLY_MS = 2 * 60_000
/** The ends of runs of two minutes at thirty times the load that is planned for; more are left to the sweep. */
const MOST_EARLY = 10_000

/** A request that may count for more once others have come. */
export interface Early {
  readonly request: Request
  readonly receivedMs: number
  /** Where it keeps the mark. */
  readonly heldMs: number
}

/**
 * Which deliveries were taken, and the low-water mark that follows from them: the instant by GitHub's clock before which
 * nothing is owed to the log. After a crash GitHub's delivery log is read again from there.
 */
export class Deliveries {
  /** Deliveries taken and not yet durable, by GUID, with where they keep the mark. */
  readonly #open = new Map<string, number>()
  /** Deliveries that are known by their GUID alone, with when GitHub delivered them, or some time before that. */
  readonly #owed = new Map<string, number>()
  /** Deliveries handled since the delivery log was last compared. */
  readonly #handled = new Map<string, number>()
  /** Deliveries that the log names as the source of an event, whichever process took them. */
  readonly #booked = new Map<string, number>()
  readonly #early = new Map<string, Early>()
  #checkedMs = Number.NEGATIVE_INFINITY
  #heldMs = Number.POSITIVE_INFINITY
  #sweptMs = Number.NaN

  /** Notes that a delivery was received, by our clock, and is being handled; returns where it keeps the mark. */
  take(guid: string, receivedMs: number): number {
    this.#owed.delete(guid)
    /** By GitHub's clock it was delivered after what was compared when it came, whatever ours says. */
    const heldMs = Math.min(receivedMs, this.#checkedMs, this.#open.get(guid) ?? receivedMs)
    this.#open.set(guid, heldMs)
    return heldMs
  }

  /** Notes that all that a delivery asks for is settled. */
  settle(guid: string, receivedMs: number): void {
    this.#open.delete(guid)
    this.#handled.set(guid, receivedMs)
  }

  /** Notes that a delivery was taken for which there is no room: it has to be read from GitHub again. */
  postpone(guid: string, receivedMs: number): void {
    this.#owed.set(guid, receivedMs - CLOCKS_DIFFER_MS)
  }

  /** Keeps the mark for a request that was early, by delivery and place in it, for two minutes of what is compared at most. */
  keepEarly(key: string, early: Early): void {
    this.#early.set(key, early)
    const [oldest] = this.#early.keys()
    if (this.#early.size > MOST_EARLY && oldest !== undefined) this.#early.delete(oldest)
  }

  /** Keeps it for that request no more. */
  letEarlyGo(key: string): void {
    this.#early.delete(key)
  }

  /** The requests that were early, by what they are kept under, oldest first. */
  get early(): readonly (readonly [key: string, early: Early])[] {
    return [...this.#early]
  }

  /** Whether a delivery was taken: it need not be read from the delivery log. */
  knows(guid: string): boolean {
    return this.#handled.has(guid) || (this.#open.has(guid) && !this.#owed.has(guid))
  }

  /** Takes in which deliveries events of the log came by. */
  follow(events: readonly LedgerEvent[]): void {
    for (const { source, at } of events)
      if (source.kind === 'webhook' && source.delivery !== undefined) this.#booked.set(source.delivery, Date.parse(at))
  }

  /** Whether an event of the log is known to have come by a delivery that nothing is owed of here. */
  isBooked(guid: string): boolean {
    return this.#booked.has(guid) && !this.#owed.has(guid)
  }

  /** Notes a delivery that stands in GitHub's log and could not be read: the mark stays before it. */
  owe(guid: string, deliveredMs: number): void {
    if (this.knows(guid)) return
    this.#open.set(guid, deliveredMs)
    this.#owed.set(guid, deliveredMs)
  }

  /** Gives a delivery up that GitHub does not hand out any more, unless it was taken: nothing is owed of it. */
  letGo(guid: string, deliveredMs: number): void {
    if (this.knows(guid)) return
    this.#owed.delete(guid)
    this.#open.delete(guid)
    this.#handled.set(guid, deliveredMs)
  }

  /** Deliveries that have yet to be read and were delivered before an instant, by GUID with when that was. */
  owedBefore(atMs: number): readonly (readonly [guid: string, deliveredMs: number])[] {
    return [...this.#owed].filter(([, deliveredMs]) => deliveredMs < atMs)
  }

  /** When the oldest delivery was delivered that has yet to be read, or some time before; infinite where there is none. */
  get owedFromMs(): number {
    let oldestMs = Number.POSITIVE_INFINITY
    for (const deliveredMs of this.#owed.values()) oldestMs = Math.min(oldestMs, deliveredMs)
    return oldestMs
  }

  /** Notes that the delivery log was compared from an instant up to another by GitHub's clock: all of it was taken. */
  checked(untilMs: number, fromMs: number): void {
    this.#checkedMs = Math.max(this.#checkedMs, untilMs)
    /** Times of arrival are by our clock, those of the delivery log by GitHub's. */
    for (const known of [this.#handled, this.#booked])
      for (const [guid, atMs] of known) if (atMs < fromMs - CLOCKS_DIFFER_MS) known.delete(guid)
  }

  /** Keeps the mark at an instant while something older has to be looked up by other means; infinite to let go. */
  hold(atMs: number): void {
    this.#heldMs = atMs
  }

  /** Notes that what GitHub lists of the time before an instant by our clock was looked up, and is durable. */
  swept(untilMs: number): void {
    this.#sweptMs = untilMs
  }

  /** Deliveries that are not yet durable. */
  get open(): number {
    return this.#open.size
  }

  /**
   * The instant by GitHub's clock before which nothing is owed to the log, in milliseconds; not finite before the first
   * comparison.
   */
  get markMs(): number {
    let oldestMs = Math.min(this.#checkedMs, this.#heldMs)
    for (const heldMs of this.#open.values()) oldestMs = Math.min(oldestMs, heldMs)
    /** However long ago it was delivered: an App that is killed over what it reads again has to get on. */
    const earliestMs = this.#checkedMs - EARLY_MS
    for (const { heldMs } of this.#early.values()) oldestMs = Math.min(oldestMs, Math.max(heldMs, earliestMs))
    return oldestMs
  }

  /**
   * What the log is told of the mark, and of the last sweep beside it, with its next commit; under the same key until the
   * mark has moved on by a step, which is given in milliseconds.
   */
  bookkeeping(stepMs = MARK_EVERY_MS): readonly EventDraft[] {
    const { markMs } = this
    if (!Number.isFinite(markMs)) return []
    const until = new Date(markMs - (markMs % stepMs)).toISOString()
    const rest = { at: until, actor: null, source: { kind: 'timer' }, trust: 'platform' } as const
    const swept = Number.isNaN(this.#sweptMs) ? {} : { swept: new Date(this.#sweptMs).toISOString() }
    return [draft('intake.marked', { until, ...swept }, { key: `intake:${until}`, ...rest })]
  }
}

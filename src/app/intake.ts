import { draft } from '../core/catalogue.ts'
import { CLOCKS_DIFFER_MS } from '../core/clocks.ts'
import type { EventDraft, LedgerEvent } from '../core/event.ts'
import { RingmasterError } from '../core/problem.ts'
import type { Request } from '../core/request.ts'
import type { Engine } from '../engine/engine.ts'
import type { Log } from '../engine/ports.ts'
import type { Delivery, Installation } from '../webhooks/delivery.ts'
import { requestsOf } from '../webhooks/index.ts'
import { unreadIn } from '../webhooks/unread.ts'

export interface IntakeOptions {
  readonly engine: Pick<Engine, 'submit'>
  readonly installation: Installation
  readonly log: Log
  /** Adds to a request what only the shell can find out. */
  readonly refine: (request: Request) => Promise<Request>
  /** Shows a person that their commands were taken in; nothing waits for it, and nothing depends on it. */
  readonly acknowledge?: (request: CommandGiven) => Promise<unknown>
  /** Runs the work of a request among that of others, the urgent ones first. */
  readonly prioritised?: <T>(request: Request, work: () => Promise<T>) => Promise<T>
}

type CommandGiven = Extract<Request, { kind: 'command-given' }>

interface Early {
  readonly request: Request
  readonly receivedMs: number
  /** Where it keeps the mark. */
  readonly heldMs: number
}

/** How requests are handed to the engine. */
interface Submission {
  /** What a log line says of where they come from. */
  readonly origin: Readonly<Record<string, string>>
  /** Whether a command that is tried again keeps back those behind it. */
  readonly keepsBack: boolean
  readonly onEarly?: (request: Request, place: number) => void
}

/** What was taken from a delivery, or from what was found by looking. */
interface Taken {
  /** The delivery's GUID, or a name of what was found. */
  readonly id: string
  readonly lane: string | null
  readonly requests: readonly Request[]
  readonly submission: Omit<Submission, 'keepsBack'>
  /** Takes it anew. */
  readonly again: () => Promise<unknown>
  /** Called once all of it is settled, before what is behind it in its lane begins. */
  readonly onDone?: () => void
}

/** What was taken and of which something is tried again, or that waits for something before it in its lane. */
interface Failed extends Pick<Taken, 'lane' | 'again'> {
  /** How often it was tried; 0 while it has only waited. */
  readonly tries: number
}

/** The mark goes with commits that are made anyway in whole steps of this: it is read only after a crash. */
const MARK_EVERY_MS = 60_000

/**
 * GitHub delivers in any order: what is early is asked again for this long, and holds the mark as long. What comes later
 * than that is found by the hourly sweep.
 */
const EARLY_MS = 2 * 60_000
/** The ends of runs of two minutes at thirty times the load that is planned for; more are left to the sweep. */
const MOST_EARLY = 10_000
const ASKED_TOGETHER = 100

/** A payload takes tens of kilobytes: of more than so many only the GUID is kept, and GitHub is asked for them again. */
const MOST_FAILED = 2_000
const RETRIED_TOGETHER = 500

/**
 * So often a delivery is tried before what comes later in its lane: at once and at three looks a minute apart, for two
 * minutes at least. A command that nobody can decide must not keep an issue shut.
 */
const TRIES_AHEAD = 4

/**
 * Deliveries in, requests out. A delivery is acknowledged before it is durable: GitHub keeps every one with its payload
 * for three days, and what the mark does not cover is read again after a crash. Handling one twice changes nothing.
 */
export class Intake {
  readonly #options: IntakeOptions
  readonly #running = new Set<Promise<void>>()
  /** Deliveries taken and not yet durable, by GUID, with where they keep the mark. */
  readonly #open = new Map<string, number>()
  /** By GUID; those of a lane in their order. */
  readonly #failed = new Map<string, Failed>()
  /** Deliveries that are known by their GUID alone, with when GitHub delivered them, or some time before that. */
  readonly #owed = new Map<string, number>()
  /** Deliveries handled since the delivery log was last compared. */
  readonly #handled = new Map<string, number>()
  /** Deliveries that the log names as the source of an event, whichever process took them. */
  readonly #booked = new Map<string, number>()
  /** Requests that may count for more once others have come, by delivery and place in it, with when they came. */
  readonly #early = new Map<string, Early>()
  /** Requests that must keep their order: the commands on one issue. */
  readonly #lanes = new Map<string, Promise<void>>()
  #checkedMs = Number.NEGATIVE_INFINITY
  #heldMs = Number.POSITIVE_INFINITY
  #sweptMs = Number.NaN

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  /** Takes a delivery whose signature was verified, or that was read from GitHub; returns at once. */
  take(delivery: Delivery): void {
    const work = this.handle(delivery).finally(() => this.#running.delete(work))
    this.#running.add(work)
  }

  /**
   * Handles a delivery to its end. Its requests are decided in their order. One that is tried again keeps back the commands
   * behind it, of its own comment and of later ones on the issue, which may say the opposite, for two minutes; other
   * requests do not depend on each other.
   */
  async handle(delivery: Delivery): Promise<void> {
    const requests = this.#requestsOf(delivery)
    if (!this.knows(delivery.id)) this.#acknowledge(requests[0], delivery.id)
    const receivedMs = Date.parse(delivery.receivedAt)
    this.#owed.delete(delivery.id)
    /** By GitHub's clock it was delivered after what was compared when it came, whatever ours says. */
    const heldMs = Math.min(receivedMs, this.#checkedMs, this.#open.get(delivery.id) ?? receivedMs)
    this.#open.set(delivery.id, heldMs)
    const came = await this.#inTurn({
      id: delivery.id,
      lane: laneOf(requests[0]),
      requests,
      submission: {
        origin: { delivery: delivery.id },
        onEarly: (request, place) => this.#keepEarly(`${delivery.id}/${place}`, { request, receivedMs, heldMs }),
      },
      again: () => this.handle(delivery),
      onDone: () => {
        this.#open.delete(delivery.id)
        this.#handled.set(delivery.id, receivedMs)
      },
    })
    if (came === 'no room') this.#owed.set(delivery.id, receivedMs - CLOCKS_DIFFER_MS)
  }

  /**
   * Submits what was taken once it is its turn in its lane. What is not settled by that is kept to be tried again, as long as
   * there is room for it.
   */
  #inTurn({ id, lane, requests, submission, again, onDone }: Taken): Promise<'done' | 'kept' | 'no room'> {
    const keep = (tries: number) => {
      if (!this.#failed.has(id) && this.isFull) return 'no room'
      this.#failed.set(id, { lane, again, tries })
      return 'kept'
    }
    return this.#inLane(lane, async () => {
      const tries = this.#failed.get(id)?.tries ?? 0
      if (this.#isBehind(lane, id)) return keep(tries)
      if (await this.#submit(requests, { ...submission, keepsBack: tries + 1 < TRIES_AHEAD })) {
        this.#failed.delete(id)
        onDone?.()
        return 'done'
      }
      if (lane !== null && tries + 1 === TRIES_AHEAD)
        this.#options.log.error(submission.origin, 'commands failed for two minutes; those after them go on')
      return keep(tries + 1)
    })
  }

  /** Whether something before it in its lane is to be tried first; before what never failed is everything that did. */
  #isBehind(lane: string | null, id: string): boolean {
    if (lane === null) return false
    for (const [earlier, failed] of this.#failed) {
      if (earlier === id) return false
      if (failed.lane === lane && failed.tries < TRIES_AHEAD) return true
    }
    return false
  }

  /** Whether everything that a delivery asks for is settled; false when the outside or a bug kept some of it back. */
  async #submit(requests: readonly Request[], { origin, keepsBack, onEarly }: Submission): Promise<boolean> {
    const { engine, log, refine, prioritised = (_request, work) => work() } = this.#options
    let isDone = true
    for (const [place, request] of requests.entries()) {
      const about = { ...origin, request: request.kind }
      try {
        const outcome = await prioritised(request, async () => engine.submit(await refine(request)))
        if (outcome.kind === 'accept' && outcome.isEarly) onEarly?.(request, place)
        if (outcome.kind === 'refuse') log.info({ ...about, problems: outcome.problems }, 'a request was refused')
      } catch (error) {
        const isHopeless = error instanceof RingmasterError && error.fault === 'bad-input'
        isDone &&= isHopeless
        const follows = isHopeless ? 'it never can be' : 'it is tried again'
        log.error({ ...about, error: String(error) }, `a request could not be decided; ${follows}`)
        if (!isHopeless && keepsBack && laneOf(request) !== null) return false
      }
    }
    return isDone
  }

  /** One sign a comment, at its first taking in: by its first command. */
  #acknowledge(request: Request | undefined, delivery: string): void {
    const { acknowledge, log } = this.#options
    if (!acknowledge || request?.kind !== 'command-given') return
    const work = acknowledge(request)
      .then(
        () => {},
        (error: unknown) => log.info({ delivery, error: String(error) }, 'a comment got no sign that it was seen'),
      )
      .finally(() => this.#running.delete(work))
    this.#running.add(work)
  }

  /** What a delivery asks for; nothing where it cannot be read at all, which ends nothing else. */
  #requestsOf(delivery: Delivery): readonly Request[] {
    const { installation, log } = this.#options
    try {
      this.#tellUnread(delivery)
      return requestsOf(delivery, installation)
    } catch (error) {
      log.error({ delivery: delivery.id, event: delivery.event, error: String(error) }, 'a delivery was left out')
      return []
    }
  }

  /** A record that does not read asks for nothing: somebody has to hear of it all the same. */
  #tellUnread(delivery: Delivery): void {
    const problem = unreadIn(delivery, this.#options.installation)
    if (problem === null) return
    const { code, message, hint } = problem
    this.#options.log.error({ delivery: delivery.id, code, hint }, `a record was left out: ${message}`)
  }

  async #inLane<T>(lane: string | null, work: () => Promise<T>): Promise<T> {
    if (lane === null) return work()
    const before = this.#lanes.get(lane) ?? Promise.resolve()
    const result = before.then(work)
    const after = result.then(
      () => {},
      () => {},
    )
    this.#lanes.set(lane, after)
    void after.then(() => {
      if (this.#lanes.get(lane) === after) this.#lanes.delete(lane)
    })
    return result
  }

  #keepEarly(key: string, early: Early): void {
    this.#early.set(key, early)
    const [oldest] = this.#early.keys()
    if (this.#early.size > MOST_EARLY && oldest !== undefined) this.#early.delete(oldest)
  }

  /**
   * Handles again what failed, that of a lane in its order, and asks again what was early; what came two minutes before an
   * instant for the last time.
   */
  async retry(nowMs: number): Promise<void> {
    const failed = [...this.#failed.values()]
    for (let start = 0; start < failed.length; start += RETRIED_TOGETHER)
      await Promise.all(failed.slice(start, start + RETRIED_TOGETHER).map(({ again }) => again()))
    const early = [...this.#early]
    for (let start = 0; start < early.length; start += ASKED_TOGETHER)
      await Promise.all(
        early.slice(start, start + ASKED_TOGETHER).map(([key, kept]) => this.#askAgain(key, kept, nowMs)),
      )
  }

  /** Once more at least, however old it is: after an outage deliveries of hours are read at once. */
  async #askAgain(key: string, { request, receivedMs }: Early, nowMs: number): Promise<void> {
    let isEarly = false
    const onEarly = () => {
      isEarly = true
    }
    const isDone = await this.#submit([request], { origin: { early: key }, keepsBack: false, onEarly })
    const isOver = !isEarly || nowMs - receivedMs > EARLY_MS
    if (isDone && isOver) this.#early.delete(key)
  }

  /**
   * Handles what was found by looking. Whether all of it is settled: commands that are not are tried again in their order
   * like those of a delivery, and everything is found again by the next look.
   */
  async handleFound(found: { readonly event: string; readonly payload: unknown }, at: string): Promise<boolean> {
    const delivery = { id: 'sweep', receivedAt: at, ...found }
    const requests = this.#requestsOf(delivery).map((request): Request => {
      const { url } = request.source
      return { ...request, source: { kind: 'sweep', ...(url === undefined ? {} : { url }) } }
    })
    const submission = { origin: { sweep: found.event } }
    const [first] = requests
    if (first?.kind !== 'command-given') return this.#submit(requests, { ...submission, keepsBack: false })
    const id = `${first.repository.id}/${first.comment.id}`
    const again = () => this.handleFound(found, at)
    return (await this.#inTurn({ id, lane: laneOf(first), requests, submission, again })) === 'done'
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

  /** Whether so many deliveries wait to be tried again that no others need be read: they would only wait, too. */
  get isFull(): boolean {
    return this.#failed.size >= MOST_FAILED
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

  /** Settles when every delivery taken so far is handled. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled([...this.#running])
  }
}

const laneOf = (request: Request | undefined): string | null =>
  request?.kind === 'command-given' ? `${request.repository.id}/${request.issue.number}` : null

import { RingmasterError } from '../core/problem.ts'
import type { Request } from '../core/request.ts'
import type { Engine } from '../engine/engine.ts'
import type { Log } from '../engine/ports.ts'
import type { Delivery, Installation } from '../webhooks/delivery.ts'
import { requestsOf } from '../webhooks/index.ts'
import { unreadIn } from '../webhooks/unread.ts'
import { Deliveries, EARLY_MS, type Early } from './deliveries.ts'

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
  /** What was taken, and before when nothing is owed to the log. */
  readonly deliveries = new Deliveries()
  readonly #running = new Set<Promise<void>>()
  /** By GUID; those of a lane in their order. */
  readonly #failed = new Map<string, Failed>()
  /** Requests that must keep their order: the commands on one issue. */
  readonly #lanes = new Map<string, Promise<void>>()

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
    if (!this.deliveries.knows(delivery.id)) this.#acknowledge(requests[0], delivery.id)
    const receivedMs = Date.parse(delivery.receivedAt)
    const heldMs = this.deliveries.take(delivery.id, receivedMs)
    const came = await this.#inTurn({
      id: delivery.id,
      lane: laneOf(requests[0]),
      requests,
      submission: {
        origin: { delivery: delivery.id },
        onEarly: (request, place) =>
          this.deliveries.keepEarly(`${delivery.id}/${place}`, { request, receivedMs, heldMs }),
      },
      again: () => this.handle(delivery),
      onDone: () => this.deliveries.settle(delivery.id, receivedMs),
    })
    if (came === 'no room') this.deliveries.postpone(delivery.id, receivedMs)
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

  /**
   * Handles again what failed, that of a lane in its order, and asks again what was early; what came two minutes before an
   * instant for the last time.
   */
  async retry(nowMs: number): Promise<void> {
    const failed = [...this.#failed.values()]
    for (let start = 0; start < failed.length; start += RETRIED_TOGETHER)
      await Promise.all(failed.slice(start, start + RETRIED_TOGETHER).map(({ again }) => again()))
    const { early } = this.deliveries
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
    if (isDone && isOver) this.deliveries.letEarlyGo(key)
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

  /** Whether so many deliveries wait to be tried again that no others need be read: they would only wait, too. */
  get isFull(): boolean {
    return this.#failed.size >= MOST_FAILED
  }

  /** Settles when every delivery taken so far is handled. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled([...this.#running])
  }
}

const laneOf = (request: Request | undefined): string | null =>
  request?.kind === 'command-given' ? `${request.repository.id}/${request.issue.number}` : null

import { hasPassed } from '../core/clocks.ts'
import { COHORTS_KEY, type CohortIndex, cohortKey } from '../core/cohort/state.ts'
import { CHECKS_KEY, REFUSED_KEY, readConfiguration } from '../core/config/in-force.ts'
import type { Decision } from '../core/decision.ts'
import { type BoardState, boardKey } from '../core/deployment/schema.ts'
import type { AggregateKey, LedgerEvent } from '../core/event.ts'
import type { FactAnswer, FactQuery } from '../core/facts.ts'
import { model } from '../core/model.ts'
import { cutsKey } from '../core/product/cut-schema.ts'
import { nothingOpen, OPEN_KEY, type OpenIndex, releaseKey } from '../core/release/open.ts'
import type { Request } from '../core/request.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { subjectsOf } from '../render/desired.ts'
import { decisionOf } from './decisions.ts'
import { followUpsOf, sweepOf } from './follow-ups.ts'
import type { FactSource, Log, Outcome, Outlets } from './ports.ts'
import { Reconciler, type ReconcilerOptions } from './reconciler.ts'
import { type FactMemory, settleAt, settleView } from './settle.ts'
import { TellingAhead } from './telling-ahead.ts'

export interface EngineOptions {
  readonly ledger: Ledger
  readonly facts: FactSource
  readonly outlets: Outlets
  readonly around: ReconcilerOptions['around']
  readonly clock: () => string
  /** 128 random bits as 32 lower-case hexadecimal digits, new ones each time. */
  readonly random: () => string
  readonly log: Log
  /**
   * Whether nobody else writes to the log, so that everything durable is known here: then answers that only tell how things
   * stand are brought out before they are recorded. False when left out.
   */
  readonly isAlone?: boolean
  readonly delay?: (milliseconds: number) => Promise<void>
  /**
   * Runs the append of a request whose facts are at hand, without waiting for company where somebody waits for what it
   * comes to. As it is by default.
   */
  readonly appending?: <T>(request: Request, append: () => Promise<T>) => Promise<T>
  /** Of an output that could not be brought out: whether trying again comes to the same until somebody changes something. */
  readonly isLasting?: (error: unknown) => boolean
}

/** Facts → decide → append → reconcile: the one loop, wherever it runs. */
export interface Engine {
  /** Decides a request and settles when what follows from it is durable. Repeating a request changes nothing. */
  submit(request: Request): Promise<Outcome>
  /**
   * Decides everything open again and brings out what is not out yet: at a start, and by the clock. At a start, and then
   * every ten minutes, what people may have changed outside is looked at and set right.
   */
  sweep(): Promise<void>
  /** Takes in events that other processes wrote. */
  follow(events: readonly LedgerEvent[]): void
  /** Settles when no request is being decided and the outside is as the state wants it, as far as it can be reached. */
  idle(): Promise<void>
  /** Subjects whose outputs could not be brought out at the last try. */
  readonly failing: readonly string[]
  close(): Promise<void>
}

/**
 * Requests that wait for no commit where they come to nothing on what is known: what the log holds of a command is final,
 * and the others are asked anew whenever something changes. Waiting for their turn they would keep others waiting, such
 * as the next command on an issue, or a gate that could open. What is early is asked again, too.
 */
const WAITS_FOR_NOTHING: ReadonlySet<Request['kind']> = new Set([
  'command-given',
  'condition-seen',
  'gate-review',
  'release-review',
  'ring-reached',
])

/**
 * Requests that nobody waits for an answer to, and whose refusal raises an alarm: trouble of GitHub's that passes is no
 * reason to refuse them. They fail then, and are made again.
 */
const PATIENT: ReadonlySet<Request['kind']> = new Set(['configuration-seen', 'configuration-proposed'])

/** How often what stands outside is looked at although nothing has changed: a handful of requests for each open release. */
const LOOK_EVERY_MS = 10 * 60_000

export function createEngine(options: EngineOptions): Engine {
  const { ledger, facts, clock, log, appending = (_request, append) => append() } = options
  const sourceFor =
    ({ kind }: Request) =>
    async (query: FactQuery): Promise<FactAnswer> =>
      query.kind === 'random' ? { kind: 'random', text: options.random() } : facts(query, PATIENT.has(kind))
  const delay = options.delay ?? unrefDelay
  const pending = new Set<Promise<unknown>>()
  /** Follow-ups that wait to be decided: one of a kind is enough, however many events call for it. */
  const queued = new Map<string, Request>()
  let isDraining = false

  const track = <T>(work: Promise<T>): Promise<T> => {
    pending.add(work)
    const done = () => pending.delete(work)
    work.then(done, done)
    return work
  }

  const reconciler = new Reconciler({ ...options, delay, observe: (request) => submit(request) })

  const openIndex = async (): Promise<OpenIndex> =>
    ((await (await ledger.view()).state(OPEN_KEY)) as OpenIndex | undefined) ?? nothingOpen

  const ahead = new TellingAhead({ isAlone: options.isAlone ?? false, ledger, reconciler })
  const decide = (request: Request): Promise<Outcome> => ahead.during(request, () => decideOne(request))

  async function decideOne(request: Request): Promise<Outcome> {
    const memory: FactMemory = new Map()
    const source = sourceFor(request)
    const settled = (reader: Parameters<typeof settleAt>[1]) =>
      settleAt(decisionOf(request), reader, { source, memory })
    /** Outside facts are fetched before the turn to write comes, so that nobody waits for them. */
    const preview = await settled(await ledger.view())
    if (
      preview.kind === 'accept' &&
      preview.events.length === 0 &&
      (WAITS_FOR_NOTHING.has(request.kind) || preview.isEarly)
    )
      return acceptedAs(preview)
    const isTold = ahead.mayTell(request, preview)
    if (isTold) void track(ahead.tell(request, preview.events))
    const append = () =>
      ledger.append<Decision<unknown>>(async (session) => {
        /** What was told is what is recorded. */
        if (isTold) return { events: preview.events, result: preview }
        const decision = await settled(session)
        const documents = decision.kind === 'accept' ? (decision.documents ?? []) : []
        return { events: decision.events, documents, result: decision }
      }, preview.events)
    /** Nobody waits for what was told before, such as a delivery that is read again. */
    const receipt = await (preview.events.length > 0 ? appending(request, append) : append())
    await after(receipt.events)
    /** A proposal that was closed or edited by somebody is no event: what it should be is state already. */
    if (request.kind === 'proposal-seen' && request.source.kind === 'webhook')
      reconciler.suspect([releaseKey(request.release)])
    const decision = receipt.result
    if (decision.kind === 'accept' && decision.distrust) reconciler.suspect(decision.distrust)
    return decision.kind === 'accept' ? acceptedAs(decision) : { kind: 'refuse', problems: decision.problems }
  }

  async function after(events: readonly LedgerEvent[]): Promise<void> {
    if (events.length === 0) return
    const open = await openIndex()
    reconciler.mark(
      subjectsOf(
        events.flatMap((event) => model.keysOf(event)),
        open,
      ),
    )
    if (events.some((event) => event.type === 'bundles.signed')) reconciler.mark(await cohortSubjects())
    for (const request of followUpsOf(events, open, clock()))
      queued.set(JSON.stringify({ ...request, at: '', source: '' }), request)
    if (!isDraining && queued.size > 0) void track(drain())
  }

  async function cohortSubjects(): Promise<AggregateKey[]> {
    const index = (await (await ledger.view()).state(COHORTS_KEY)) as CohortIndex | undefined
    return (index?.cohorts ?? []).map(cohortKey)
  }

  async function drain(): Promise<void> {
    isDraining = true
    while (queued.size > 0) {
      const batch = [...queued.values()]
      queued.clear()
      await Promise.all(batch.map((request) => decide(request).catch((error) => logFailure(request, error))))
    }
    isDraining = false
  }

  const logFailure = (request: Request, error: unknown): void =>
    log.error(
      { request: request.kind, error: String(error) },
      'a follow-up could not be decided; the next sweep decides it again',
    )

  const submit = (request: Request): Promise<Outcome> => track(decide(request))

  /** Versions that completed before their cohorts were configured, or just before a crash. */
  async function servedCohorts(at: string): Promise<Request[]> {
    const view = await ledger.view()
    const inForce = await settleView(() => readConfiguration(), view)
    const products = new Set(inForce?.configuration.cohorts.map((cohort) => cohort.product) ?? [])
    const boards = await Promise.all(
      [...products].map((product) => view.state(boardKey(product)) as Promise<BoardState | undefined>),
    )
    return boards.flatMap((board) =>
      (board?.cells ?? []).flatMap((cell): Request[] =>
        board && cell.lastGood
          ? [
              {
                kind: 'ring-reached',
                product: board.product,
                version: cell.lastGood.version,
                environment: cell.environment,
                at,
                actor: null,
                source: { kind: 'timer' },
              },
            ]
          : [],
      ),
    )
  }

  let lookedAtMs = Number.NEGATIVE_INFINITY

  async function sweep(): Promise<void> {
    await ledger.refresh()
    const open = await openIndex()
    const requests = [...sweepOf(open, clock()), ...(await servedCohorts(clock()))]
    await Promise.all(requests.map((request) => submit(request).catch((error) => logFailure(request, error))))
    const nowMs = Date.parse(clock())
    const isDue = hasPassed(lookedAtMs, LOOK_EVERY_MS, nowMs)
    if (isDue) lookedAtMs = nowMs
    const ended = [...open.ending, ...(open.telling ?? [])]
    const releases = [...open.releases.map((release) => releaseKey(release.id)), ...ended.map(releaseKey)]
    if (isDue) reconciler.suspect([...releases, OPEN_KEY, REFUSED_KEY])
    reconciler.remind([
      ...releases,
      ...(open.gates as AggregateKey[]),
      ...(open.cuts ?? []).map(({ product }): AggregateKey => cutsKey(product)),
      ...(open.refusals ?? []).map((output) => output.slice(0, output.lastIndexOf('/')) as AggregateKey),
      ...((open.numbers ?? []) as AggregateKey[]),
      ...(open.replies.map((reply) => reply.issue) as AggregateKey[]),
      ...(await cohortSubjects()),
      OPEN_KEY,
      REFUSED_KEY,
      CHECKS_KEY,
    ])
  }

  async function idle(): Promise<void> {
    do {
      while (pending.size > 0) await Promise.allSettled([...pending])
      await reconciler.idle()
    } while (pending.size > 0)
  }

  return {
    submit,
    sweep: () => track(sweep()),
    follow: (events) => reconciler.follow(events),
    idle,
    get failing() {
      return reconciler.failing
    },
    async close() {
      await reconciler.close()
      while (pending.size > 0) await Promise.allSettled([...pending])
      await ledger.close()
    },
  }
}

const acceptedAs = ({ answer, isEarly }: Extract<Decision<unknown>, { kind: 'accept' }>): Outcome => ({
  kind: 'accept',
  answer,
  ...(isEarly ? { isEarly } : {}),
})

const unrefDelay = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref()
  })

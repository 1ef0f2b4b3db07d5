import { RingmasterError } from '../core/problem.ts'
import type { BudgetOptions } from './budget.ts'
import { type Headers, type Signal, signalOfAnswer, signalOfError } from './limit-signal.ts'
import { Pace } from './pace.ts'
import { allowanceOf, reserveBeside, spacingOf } from './pacing.ts'
import { PrimaryLimit } from './primary-limit.ts'
import { costOf, type RequestCost, type RequestOptions } from './request-cost.ts'
import type { Share } from './shared-budget.ts'
import { Shares, type SharesOptions, type Spending } from './shares.ts'
import { steadyClock } from './steady-clock.ts'
import { currentClass, WORK_CLASSES, type WorkClass } from './work-class.ts'

/** Runs something after some milliseconds; returns how to call it off. */
export type Timer = (milliseconds: number, run: () => void) => () => void

export interface GovernorOptions extends SharesOptions {
  readonly timer: Timer
  /** How often a branch of one repository may move, on average; GitHub recommends at most 6 a minute. */
  readonly pushesPerMinute: number
  /** What the secondary limit of the REST API is; those beside it are taken to be in proportion. */
  readonly pointsPerMinute: number
}

/** What an answer of Octokit has that matters here. */
export interface Answer {
  readonly headers: Headers
  readonly data: unknown
}

export interface GovernorState {
  readonly waiting: Readonly<Record<WorkClass, number>>
  readonly inFlight: number
  /** Until when nothing at all is sent, because GitHub asked for it; ISO 8601 UTC. */
  readonly pausedUntil: string | null
  /** How often GitHub has refused a request for a limit. */
  readonly limited: number
  readonly sent: Readonly<Record<WorkClass, number>>
  /** Whether the budgets are those of all processes together; else they are this one's part. */
  readonly isShared: boolean
  readonly budgets: Readonly<Record<string, { readonly limit: number; readonly left: number }>>
  readonly primary: Readonly<Record<'core' | 'graphql', ReturnType<PrimaryLimit['state']>>>
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

/** GitHub's secondary limit of the REST API (docs.github.com, rate limits for the REST API). */
export const POINTS_PER_MINUTE = 900

/** GitHub's secondary limits (the same page); `burst` is our own choice. */
const LIMITS = {
  rest: { limit: POINTS_PER_MINUTE, windowMs: MINUTE_MS, burst: 300 },
  graphql: { limit: 2_000, windowMs: MINUTE_MS, burst: 600 },
  'content-minute': { limit: 80, windowMs: MINUTE_MS, burst: 30 },
  'content-hour': { limit: 500, windowMs: HOUR_MS, burst: 120 },
} as const
type LimitName = keyof typeof LIMITS

/** The secondary limits where the REST API has so many points a minute. */
export function limitsOf(pointsPerMinute: number): Readonly<Record<LimitName, BudgetOptions>> {
  const times = pointsPerMinute / POINTS_PER_MINUTE
  const scaled = ({ limit, windowMs, burst }: BudgetOptions): BudgetOptions => ({
    limit: limit * times,
    windowMs,
    burst: burst * times,
  })
  return {
    rest: scaled(LIMITS.rest),
    graphql: scaled(LIMITS.graphql),
    'content-minute': scaled(LIMITS['content-minute']),
    'content-hour': scaled(LIMITS['content-hour']),
  }
}

const MAX_CONCURRENT = 100

/** The share that each class leaves to those before it, and whether it is spread over the hour when it runs short. */
const COURTESY: Readonly<Record<WorkClass, { readonly reserve: number; readonly spread: boolean }>> = {
  answer: { reserve: 0, spread: false },
  gate: { reserve: 0, spread: false },
  append: { reserve: 0.05, spread: false },
  read: { reserve: 0.1, spread: true },
  bulk: { reserve: 0.25, spread: true },
}

const FIRST_PAUSE_MS = 60_000
const MAX_PAUSE_MS = 15 * 60_000
/** An hour and a little: no header makes it wait longer. */
const MAX_OBEYED_MS = 65 * 60_000
const MAX_REFUSALS = 6
const MAX_DOUBTS = 2
const DOUBT_WAIT_MS = 500

/** The token of an installation is fetched inside the request that needs it; waiting for its own turn it never came. */
const PASSES = /\/app\/installations\/[^/]+\/access_tokens$/

interface Waiter {
  readonly cost: RequestCost
  readonly workClass: WorkClass
  /** Called with how many pauses had begun by then. */
  readonly go: (pauses: number) => void
  readonly fail: (error: Error) => void
}

/** A request that goes, and how many pauses had begun when its turn came. */
interface Turn {
  readonly cost: RequestCost
  readonly pauses: number
}

const countByClass = (count: (workClass: WorkClass) => number): Record<WorkClass, number> =>
  Object.fromEntries(WORK_CLASSES.map((name) => [name, count(name)])) as Record<WorkClass, number>

/**
 * All requests of one installation pass here. They are spread so that no limit of GitHub's is met, the urgent ones
 * first; what GitHub says of its limits is obeyed; what can safely be sent again is.
 */
export class Governor {
  readonly #options: GovernorOptions
  /** The clock of the machine, for people; budgets and waits go by a steady one. */
  readonly #clockMs: () => number
  readonly #shares: Shares
  readonly #budgets: Readonly<Record<LimitName, Share>>
  readonly #primary = { core: new PrimaryLimit(), graphql: new PrimaryLimit() } as const
  readonly #paces = new Map<string, Pace>()
  /** Requests of one class that count alike wait in one lane: one that cannot go holds up only its like. */
  readonly #lanes = new Map<string, Waiter[]>()
  readonly #sent = countByClass(() => 0)
  #inFlight = 0
  #limited = 0
  /** Of what was under way together all refusals are one. */
  #refusalsInARow = 0
  #pauses = 0
  #pausedUntilMs = 0
  #wakeAtMs = Number.POSITIVE_INFINITY
  #callOff: () => void = () => {}
  #isClosed = false

  constructor(options: GovernorOptions) {
    this.#options = { ...options, nowMs: steadyClock(options.nowMs) }
    this.#clockMs = options.nowMs
    this.#shares = new Shares(this.#options)
    const limits = limitsOf(options.pointsPerMinute)
    const share = (name: LimitName) => this.#shares.of(name, limits[name])
    this.#budgets = {
      rest: share('rest'),
      graphql: share('graphql'),
      'content-minute': share('content-minute'),
      'content-hour': share('content-hour'),
    }
  }

  /** How often the branches of a repository (`owner/name`) may move: the ledger asks it before each commit. */
  paceOf(repository: string): Pace {
    const name = repository.toLowerCase()
    const known = this.#paces.get(name)
    if (known) return known
    const { nowMs, timer, processes, pushesPerMinute } = this.#options
    const pace = new Pace({
      nowMs,
      timer,
      allowance: this.#shares.of(`pushes:${name}`, allowanceOf(pushesPerMinute)),
      spacingMs: () => spacingOf(this.#shares.isShared ? pushesPerMinute : pushesPerMinute / processes),
      learn: (share) => this.#shares.learn(share),
    })
    this.#paces.set(name, pace)
    return pace
  }

  /** Sends a request when its turn comes. Rejects as `send` does, after what may be tried again was. */
  async govern<T extends Answer>(options: RequestOptions, send: () => Promise<T>): Promise<T> {
    if (PASSES.test(options.url)) return send()
    const cost = costOf(options)
    const workClass = currentClass() ?? cost.workClass
    let doubts = 0
    for (let attempt = 1; ; attempt += 1) {
      const pauses = await this.#grantedTurn(cost, workClass)
      const { outcome, signal } = await this.#sendOnce({ cost, pauses }, send)
      if (signal.kind === 'limited' && attempt <= MAX_REFUSALS) continue
      if (signal.kind === 'doubt' && cost.isSafe && doubts < MAX_DOUBTS) {
        doubts += 1
        await this.#pause(DOUBT_WAIT_MS * 2 ** doubts)
        continue
      }
      if (outcome.kind === 'failed') throw outcome.error
      return outcome.answer
    }
  }

  /** What the other processes refuse waits for another turn, on what is known then. */
  async #grantedTurn(cost: RequestCost, workClass: WorkClass): Promise<number> {
    for (;;) {
      const pauses = await this.#turn(cost, workClass)
      if (await this.#shares.areGranted(this.#spendingsOf(cost, workClass))) return pauses
      this.#primary[cost.resource].takeBack()
      this.#sent[workClass] -= 1
      this.#inFlight -= 1
    }
  }

  #spendingsOf(cost: RequestCost, workClass: WorkClass): readonly Spending[] {
    const { reserve } = COURTESY[workClass]
    const spendings = this.#budgetsOf(cost).map(([name, amount]): Spending => {
      return { share: this.#budgets[name], amount, reserve, keepsToPart: true }
    })
    if (cost.pushesTo === null) return spendings
    const { allowance } = this.paceOf(cost.pushesTo)
    /** The log has asked before it collected what goes into the commit. */
    const pushReserve = workClass === 'append' ? null : reserveBeside(workClass)
    return [...spendings, { share: allowance, amount: 1, reserve: pushReserve, keepsToPart: false }]
  }

  async #sendOnce<T extends Answer>(
    turn: Turn,
    send: () => Promise<T>,
  ): Promise<{
    outcome: { readonly kind: 'answered'; readonly answer: T } | { readonly kind: 'failed'; readonly error: unknown }
    signal: Signal
  }> {
    const { resource } = turn.cost
    try {
      const answer = await send()
      this.#primary[resource].learn(answer.headers, this.#options.nowMs())
      const signal: Signal =
        resource === 'graphql' ? signalOfAnswer(answer.data, answer.headers, this.#options.nowMs()) : { kind: 'none' }
      this.#obey(turn, signal)
      return { outcome: { kind: 'answered', answer }, signal }
    } catch (error) {
      const headers = (error as { response?: { headers?: Headers } } | null)?.response?.headers
      if (headers) this.#primary[resource].learn(headers, this.#options.nowMs())
      const signal = signalOfError(error, this.#options.nowMs())
      this.#obey(turn, signal)
      return { outcome: { kind: 'failed', error }, signal }
    } finally {
      this.#inFlight -= 1
      this.#pump()
    }
  }

  /** What was under way when a pause began says nothing of whether that was long enough. */
  #obey({ cost, pauses }: Turn, signal: Signal): void {
    const isSince = pauses === this.#pauses
    if (signal.kind !== 'limited') {
      if (signal.kind === 'none' && isSince) this.#refusalsInARow = 0
      return
    }
    const nowMs = this.#options.nowMs()
    this.#limited += 1
    if (isSince) {
      this.#pauses += 1
      this.#refusalsInARow += 1
    }
    const unsaidMs = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.max(0, this.#refusalsInARow - 1))
    const untilMs = nowMs + Math.min(MAX_OBEYED_MS, signal.waitMs ?? unsaidMs)
    if (signal.scope === 'primary') this.#primary[cost.resource].exhaust(untilMs)
    else this.#pausedUntilMs = Math.max(this.#pausedUntilMs, untilMs)
  }

  /** Settles when the request may go, with how many pauses had begun by then. */
  #turn(cost: RequestCost, workClass: WorkClass): Promise<number> {
    if (this.#isClosed) return Promise.reject(closed())
    return new Promise((go, fail) => {
      const lane = `${workClass} ${cost.resource} ${cost.points} ${cost.isContent} ${cost.pushesTo ?? ''}`
      const waiting = this.#lanes.get(lane) ?? []
      waiting.push({ cost, workClass, go, fail })
      this.#lanes.set(lane, waiting)
      this.#pump()
    })
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.#options.timer(milliseconds, resolve)
    })
  }

  /** Lets go whatever may go, the urgent classes first, and sets the timer for the first of the others. */
  #pump(): void {
    const nowMs = this.#options.nowMs()
    let nextMs = Number.POSITIVE_INFINITY
    for (const workClass of WORK_CLASSES) {
      for (const [lane, waiting] of this.#lanes) {
        if (waiting[0]?.workClass !== workClass) continue
        let went = 0
        for (const waiter of waiting) {
          const waitMs = this.#waitMs(waiter, nowMs)
          if (waitMs > 0) {
            nextMs = Math.min(nextMs, waitMs)
            break
          }
          this.#spend(waiter, nowMs)
          waiter.go(this.#pauses)
          went += 1
        }
        if (went === waiting.length) this.#lanes.delete(lane)
        else waiting.splice(0, went)
      }
    }
    this.#wakeIn(nextMs, nowMs)
  }

  #wakeIn(waitMs: number, nowMs: number): void {
    // One that waits only for others to end is woken by their end.
    const wakeAtMs = nowMs + waitMs
    if (!Number.isFinite(waitMs) || (wakeAtMs >= this.#wakeAtMs && this.#wakeAtMs > nowMs)) return
    this.#callOff()
    this.#wakeAtMs = wakeAtMs
    this.#callOff = this.#options.timer(waitMs, () => {
      this.#wakeAtMs = Number.POSITIVE_INFINITY
      this.#pump()
    })
  }

  /** Milliseconds until this request may go; infinite while only the end of another can let it. */
  #waitMs({ cost, workClass }: Waiter, nowMs: number): number {
    const { processes } = this.#options
    const { reserve, spread } = COURTESY[workClass]
    if (this.#inFlight >= Math.floor((MAX_CONCURRENT / processes) * (1 - reserve))) return Number.POSITIVE_INFINITY
    const waits = [
      this.#pausedUntilMs - nowMs,
      this.#primary[cost.resource].waitMs(nowMs, reserve, spread ? processes : 0),
      ...this.#budgetsOf(cost).map(([name, amount]) => this.#budgets[name].waitMs(nowMs, amount, reserve)),
    ]
    // The log asks its pace before it collects what goes into a commit, so a commit that is made need not wait again.
    if (cost.pushesTo !== null && workClass !== 'append')
      waits.push(this.paceOf(cost.pushesTo).waitMs(nowMs, reserveBeside(workClass)))
    return Math.max(0, ...waits)
  }

  #budgetsOf(cost: RequestCost): readonly (readonly [LimitName, number])[] {
    const points = [cost.resource === 'graphql' ? 'graphql' : 'rest', cost.points] as const
    return cost.isContent ? [points, ['content-minute', 1], ['content-hour', 1]] : [points]
  }

  #spend({ cost, workClass }: Waiter, nowMs: number): void {
    for (const [name, amount] of this.#budgetsOf(cost)) this.#budgets[name].spend(nowMs, amount)
    if (cost.pushesTo !== null) this.paceOf(cost.pushesTo).spend(nowMs)
    this.#primary[cost.resource].spend(nowMs)
    this.#sent[workClass] += 1
    this.#inFlight += 1
  }

  /** Requests that were sent and not yet answered. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** What an operator wants to know. */
  get state(): GovernorState {
    const nowMs = this.#options.nowMs()
    const pausedMs = this.#pausedUntilMs - nowMs
    const waiters = [...this.#lanes.values()].flat()
    const pushes = [...this.#paces].map(([name, pace]) => [`pushes to ${name}`, pace.allowance] as const)
    const budgets = [...Object.entries(this.#budgets), ...pushes].map(([name, share]) => {
      return [name, { limit: share.limit, left: Math.floor(share.level(nowMs)) }] as const
    })
    return {
      waiting: countByClass((name) => waiters.filter((waiter) => waiter.workClass === name).length),
      inFlight: this.#inFlight,
      pausedUntil: pausedMs > 0 ? new Date(this.#clockMs() + pausedMs).toISOString() : null,
      limited: this.#limited,
      sent: { ...this.#sent },
      isShared: this.#shares.isShared,
      budgets: Object.fromEntries(budgets),
      primary: { core: this.#primary.core.state(nowMs), graphql: this.#primary.graphql.state(nowMs) },
    }
  }

  /** Sends nothing more; what waits is refused, and is found again by the delivery log or the next sweep. */
  close(): void {
    this.#isClosed = true
    this.#callOff()
    for (const waiter of [...this.#lanes.values()].flat()) waiter.fail(closed())
    this.#lanes.clear()
    for (const pace of this.#paces.values()) pace.close()
  }
}

const closed = (): RingmasterError =>
  new RingmasterError('outside', {
    code: 'governor-closed',
    message: 'expected to send a request, found that Ringmaster is stopping',
    hint: 'It is taken up again at the next start.',
  })

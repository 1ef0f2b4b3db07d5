import type { Octokit } from '@octokit/rest'
import type { GovernorOptions } from '../../src/github/governor.ts'
import { costOf } from '../../src/github/request-cost.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'

/** Time that stands still while work is done, and moves on to what is due next. */
export class SimulatedTime {
  nowMs: number
  /** Called whenever everything that could go on has. */
  onRest: () => void = () => {}
  /** Whether something is under way that takes no simulated time. */
  isBusy: () => boolean = () => false
  /** Settles when nothing is on its way that takes no simulated time. */
  settled: () => Promise<void> = async () => {}
  #working = 0
  readonly #timers = new Set<{ readonly atMs: number; readonly run: () => void }>()
  readonly #sandbox: Sandbox

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox
    this.nowMs = sandbox.clock.epochMs()
  }

  /** ISO 8601 UTC. */
  readonly clock = (): string => new Date(this.nowMs).toISOString()

  readonly timer: GovernorOptions['timer'] = (milliseconds, run) => {
    const entry = { atMs: this.nowMs + milliseconds, run }
    this.#timers.add(entry)
    return () => this.#timers.delete(entry)
  }

  readonly delay = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => {
      this.timer(milliseconds, resolve)
    })

  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 6; quiet += 1) {
      await new Promise((resolve) => setImmediate(resolve))
      await this.settled()
      while (this.isBusy() || this.#working > 0) {
        quiet = 0
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    }
    this.onRest()
  }

  async until(untilMs: number): Promise<void> {
    await this.settle()
    for (;;) {
      let next: { readonly atMs: number; readonly run: () => void } | undefined
      for (const entry of this.#timers) if (entry.atMs <= untilMs && (!next || entry.atMs < next.atMs)) next = entry
      if (!next) break
      this.#timers.delete(next)
      this.#moveTo(next.atMs)
      next.run()
      await this.settle()
    }
    this.#moveTo(untilMs)
  }

  /** Runs work that waits for simulated time. */
  async within<T>(work: Promise<T>): Promise<T> {
    let isDone = false
    const watched = work.finally(() => {
      isDone = true
    })
    watched.catch(() => {})
    while (!isDone) await this.until(this.nowMs + 1_000)
    return watched
  }

  /** Runs work that takes no simulated time but for what it sleeps. */
  async working<T>(work: (sleep: (milliseconds: number) => Promise<void>) => Promise<T>): Promise<T> {
    this.#working += 1
    try {
      return await work(async (milliseconds) => {
        this.#working -= 1
        await this.delay(milliseconds)
        this.#working += 1
      })
    } finally {
      this.#working -= 1
    }
  }

  #moveTo(atMs: number): void {
    if (atMs <= this.nowMs) return
    this.nowMs = atMs
    const behindMs = atMs - this.#sandbox.clock.epochMs()
    if (behindMs > 0) this.#sandbox.clock.advance(behindMs)
  }
}

/** Median 1.5 s, 99th percentile 6 s: exp(ln 1.5 + 2.326 σ) = 6. */
const COMMIT_MEDIAN_MS = 1_500
const COMMIT_SIGMA = Math.log(6 / 1.5) / 2.326
const OTHER_LATENCY_MS = 150

/** Adds what GitHub takes for an answer, in simulated time. */
export function withLatency(octokit: Octokit, time: SimulatedTime, random: () => number): void {
  octokit.hook.wrap('request', async (send, options) => {
    const answer = await send(options)
    /** Inside another request: time stands still until that one is answered. */
    if (options.url.endsWith('/access_tokens')) return answer
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    const isCommit = costOf(options as never).pushesTo !== null
    await time.delay(isCommit ? COMMIT_MEDIAN_MS * Math.exp(COMMIT_SIGMA * normal) : OTHER_LATENCY_MS)
    return answer
  })
}

import { answeredAt, type Headers } from './limit-signal.ts'

const HOUR_MS = 3_600_000
/** So much of an hour's limit may be spent ahead of an even pace: what comes in bursts is not held up. */
const AHEAD = 0.2

/** GitHub's own count of requests (or GraphQL points) in this hour, as its answers tell it. */
export class PrimaryLimit {
  #limit = 0
  #remaining = 0
  /** By GitHub's clock. */
  #resetMs = 0
  /** How far our clock is ahead of GitHub's, by its last answer; below zero when it is behind. */
  #aheadMs = 0
  #lastMs = Number.NEGATIVE_INFINITY

  /** Takes in what an answer says; a late answer of this hour never gives back what was spent since. */
  learn(headers: Headers, nowMs: number): void {
    const answeredMs = answeredAt(headers)
    if (answeredMs !== null) this.#aheadMs = nowMs - answeredMs
    const [limit, remaining, resetS] = ['limit', 'remaining', 'reset'].map((name) =>
      Number(headers[`x-ratelimit-${name}`] ?? Number.NaN),
    ) as [number, number, number]
    if (!(limit > 0) || Number.isNaN(remaining) || Number.isNaN(resetS)) return
    const resetMs = resetS * 1_000
    if (resetMs < this.#resetMs) return
    this.#remaining = resetMs > this.#resetMs ? remaining : Math.min(this.#remaining, remaining)
    this.#resetMs = resetMs
    this.#limit = limit
  }

  spend(nowMs: number): void {
    this.#remaining -= 1
    this.#lastMs = nowMs
  }

  /** What was noted was not sent after all. */
  takeBack(): void {
    this.#remaining += 1
  }

  /** GitHub said that nothing is left. */
  exhaust(untilMs: number): void {
    this.#limit = Math.max(1, this.#limit)
    this.#remaining = 0
    this.#resetMs = Math.max(this.#resetMs, untilMs - this.#aheadMs)
  }

  /**
   * Milliseconds until one more may be sent that leaves a share of the hour to others. `everyOf` > 0 spaces requests
   * evenly over the rest of the hour, for that many processes, once clearly more was spent than at an even pace.
   */
  waitMs(nowMs: number, reserve: number, everyOf: number): number {
    const leftMs = this.#leftMs(nowMs)
    if (leftMs <= 0) return 0
    const spare = this.#remaining - reserve * this.#limit
    if (spare < 1) return leftMs
    const evenly = (this.#limit * leftMs) / HOUR_MS
    if (everyOf === 0 || this.#remaining >= evenly - AHEAD * this.#limit) return 0
    return Math.max(0, Math.ceil(this.#lastMs + (leftMs / spare) * everyOf - nowMs))
  }

  #leftMs(nowMs: number): number {
    return this.#resetMs - (nowMs - this.#aheadMs)
  }

  /** For the operator; null before GitHub has said anything of this hour. */
  state(nowMs: number): { readonly limit: number; readonly remaining: number; readonly resetAt: string } | null {
    if (this.#leftMs(nowMs) <= 0) return null
    const remaining = Math.max(0, this.#remaining)
    return { limit: this.#limit, remaining, resetAt: new Date(this.#resetMs).toISOString() }
  }
}

import { Budget } from './budget.ts'
import type { Timer } from './governor.ts'

export interface PaceOptions {
  readonly nowMs: () => number
  readonly timer: Timer
  readonly pushesPerMinute: number
}

/** GitHub recommends a rate; it is kept over this time, so that people who work on a release need not wait at once. */
const WINDOW_MS = 10 * 60_000
/** How far apart commits are when the allowance is used up and nobody waits, at 6 pushes a minute. */
const FULL_SPACING_MS = 24_000

/** What commits that nobody waits for leave of the allowance, as long as they are not kept longer than the spacing. */
const URGENT_SHARE = 0.25

/**
 * When the branch of a repository may move again. Commits that nobody waits for move apart as the allowance runs down,
 * so that each takes more changes along; what people wait for goes at once while there is any left.
 */
export class Pace {
  readonly #options: PaceOptions
  readonly #budget: Budget
  readonly #spacingMs: number
  readonly #waiting = new Set<() => void>()
  #lastMs = Number.NEGATIVE_INFINITY
  #urgent = 0
  #isClosed = false

  constructor(options: PaceOptions) {
    this.#options = options
    const limit = options.pushesPerMinute * (WINDOW_MS / 60_000)
    this.#budget = new Budget({ limit, windowMs: WINDOW_MS, burst: Math.max(1, limit / 2) })
    this.#spacingMs = (FULL_SPACING_MS * 6) / options.pushesPerMinute
  }

  /** Notes that a branch moved. */
  spend(nowMs: number): void {
    this.#budget.spend(nowMs, 1)
    this.#lastMs = nowMs
  }

  /** Milliseconds until one more move is within the allowance. */
  waitMs(nowMs: number): number {
    return this.#budget.waitMs(nowMs, 1)
  }

  /** While this work runs, commits do not wait for company. */
  async urgently<T>(work: () => Promise<T>): Promise<T> {
    this.#urgent += 1
    for (const wake of this.#waiting) wake()
    try {
      return await work()
    } finally {
      this.#urgent -= 1
    }
  }

  /** Settles when the log may commit. */
  readonly turn = async (): Promise<void> => {
    for (let waitMs = this.#untilTurnMs(); waitMs > 0 && !this.#isClosed; waitMs = this.#untilTurnMs()) {
      await this.#wait(waitMs)
    }
  }

  #untilTurnMs(): number {
    const nowMs = this.#options.nowMs()
    const allowedMs = this.waitMs(nowMs)
    if (this.#urgent > 0) return allowedMs
    const used = 1 - Math.max(0, this.#budget.level(nowMs)) / this.#budget.burst
    const spacedMs = Math.ceil(this.#lastMs + this.#spacingMs * used - nowMs)
    const courteousMs = this.#budget.waitMs(nowMs, 1, URGENT_SHARE)
    const latestMs = Math.ceil(this.#lastMs + this.#spacingMs - nowMs)
    return Math.max(allowedMs, Math.min(latestMs, Math.max(spacedMs, courteousMs)))
  }

  #wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake)
        callOff()
        resolve()
      }
      const callOff = this.#options.timer(milliseconds, wake)
      this.#waiting.add(wake)
    })
  }

  /** Lets everything go that waits. */
  close(): void {
    this.#isClosed = true
    for (const wake of this.#waiting) wake()
  }
}

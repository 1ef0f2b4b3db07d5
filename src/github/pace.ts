import type { Timer } from './governor.ts'
import { atRest, moved, type Trail, type Urgency, waitOf } from './pacing.ts'
import type { Share } from './shared-budget.ts'

export interface PaceOptions {
  readonly nowMs: () => number
  readonly timer: Timer
  readonly allowance: Share
  readonly spacingMs: () => number
  /** Learns of what other processes spent of the allowance. */
  readonly learn: (allowance: Share) => Promise<void>
}

/** When the branch of a repository may move again. */
export class Pace {
  readonly #options: PaceOptions
  readonly allowance: Share
  readonly #waiting = new Set<() => void>()
  readonly #urgent = { answer: 0, gate: 0 }
  #trail: Trail = atRest
  #isClosed = false

  constructor(options: PaceOptions) {
    this.#options = options
    this.allowance = options.allowance
  }

  /** Notes that a branch moved. */
  spend(nowMs: number): void {
    this.allowance.spend(nowMs, 1)
    this.#trail = moved(this.#trail, nowMs, this.#options.spacingMs())
  }

  /** Milliseconds until one more move is within the allowance, and leaves a share (0 to 1) of its burst to the log. */
  waitMs(nowMs: number, reserve: number): number {
    return this.allowance.waitMs(nowMs, 1, reserve)
  }

  /** While this work runs, commits do not wait for company. */
  async urgently<T>(urgency: 'answer' | 'gate', work: () => Promise<T>): Promise<T> {
    this.#urgent[urgency] += 1
    for (const wake of this.#waiting) wake()
    try {
      return await work()
    } finally {
      this.#urgent[urgency] -= 1
    }
  }

  /** Settles when the log may commit. */
  readonly turn = async (): Promise<void> => {
    for (;;) {
      for (let waitMs = this.#untilTurnMs(); waitMs > 0 && !this.#isClosed; waitMs = this.#untilTurnMs()) {
        await this.#wait(waitMs)
      }
      await this.#options.learn(this.allowance)
      if (this.#isClosed || this.#untilTurnMs() === 0) return
    }
  }

  #untilTurnMs(): number {
    const nowMs = this.#options.nowMs()
    return waitOf(this.#trail, {
      nowMs,
      urgency: this.#urgency(),
      spacingMs: this.#options.spacingMs(),
      allowance: (reserve) => this.allowance.waitMs(nowMs, 1, reserve),
    })
  }

  #urgency(): Urgency {
    if (this.#urgent.answer > 0) return 'answer'
    return this.#urgent.gate > 0 ? 'gate' : 'none'
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

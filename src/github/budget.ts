/** How much may be spent in any stretch of time of this length. */
export interface BudgetOptions {
  readonly limit: number
  readonly windowMs: number
  /** What may be spent at once after a rest; the remainder of the limit flows in evenly. */
  readonly burst: number
}

/**
 * An allowance that fills up evenly: whatever the order of spending, no window of its length holds more than the limit,
 * and load is spread before the limit is met.
 */
export class Budget {
  readonly limit: number
  readonly burst: number
  readonly #perMs: number
  #level: number
  #atMs = Number.NEGATIVE_INFINITY

  constructor({ limit, windowMs, burst }: BudgetOptions) {
    this.limit = limit
    this.burst = burst
    this.#perMs = (limit - burst) / windowMs
    this.#level = burst
  }

  /** What may be spent now; below zero when more was spent than there was. */
  level(nowMs: number): number {
    if (nowMs > this.#atMs) {
      const grown = this.#atMs === Number.NEGATIVE_INFINITY ? 0 : (nowMs - this.#atMs) * this.#perMs
      this.#level = Math.min(this.burst, this.#level + grown)
      this.#atMs = nowMs
    }
    return this.#level
  }

  spend(nowMs: number, amount: number): void {
    this.#level = this.level(nowMs) - amount
  }

  /** Milliseconds until an amount may be spent that leaves a share (0 to 1) of the burst to others; 0 for now. */
  waitMs(nowMs: number, amount: number, reserve = 0): number {
    // What is larger than the whole allowance goes when that is full: else it would wait for ever.
    const needed = Math.min(this.burst, amount + reserve * this.burst)
    const missing = needed - this.level(nowMs)
    return missing <= 0 ? 0 : Math.max(1, Math.ceil(missing / this.#perMs))
  }
}

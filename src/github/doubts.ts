import { hasPassed } from '../core/clocks.ts'
import { RingmasterError } from '../core/problem.ts'
import { outside } from './trouble.ts'

/** GitHub's lists were seen to be up to half a minute behind what was made. */
const LISTS_LAG_MS = 30_000

/**
 * When whoever made something looks once more: others may have made it for as long as lists did not show it to them, and
 * lists may be as late to show theirs.
 */
export const LOOK_IN_MS = 2 * LISTS_LAG_MS

/** Whether GitHub may have done what was asked of it, and the answer alone is missing. */
export const isOutcomeUnknown = (error: unknown): boolean =>
  error instanceof RingmasterError && ['github-unreachable', 'github-failed'].includes(error.code)

/** Why nothing is made now: it may stand already, where no list shows it yet. */
export const inDoubt = (what: string): RingmasterError =>
  new RingmasterError('outside', {
    code: 'github-failed',
    message: `could not ${what}: it may be done already, for GitHub gave no answer to it a moment ago and lists may not show it yet`,
    hint: 'It is looked for again, and done when it is still not listed after half a minute.',
  })

/**
 * Outputs that were asked to be made, and of which nobody knows whether they were: none of them is made again on the word
 * of a list that may lag. Kept in memory, by output.
 */
export class Doubts {
  readonly #clock: () => string
  /** When it was not known of each, by output. */
  readonly #sinceMs = new Map<string, number>()

  constructor(clock: () => string) {
    this.#clock = clock
  }

  /** Whether a list that is read from now on may not show yet what was made; asked before the list is. */
  has(key: string): boolean {
    const sinceMs = this.#sinceMs.get(key)
    return sinceMs !== undefined && !hasPassed(sinceMs, LISTS_LAG_MS, this.#nowMs)
  }

  /** Makes an output; throws `RingmasterError` with what was tried. */
  async making<T>(what: string, key: string, make: () => Promise<T>): Promise<T> {
    try {
      return await outside(what, make)
    } catch (error) {
      if (isOutcomeUnknown(error)) this.#note(key)
      throw error
    }
  }

  get #nowMs(): number {
    return Date.parse(this.#clock())
  }

  #note(key: string): void {
    for (const other of this.#sinceMs.keys()) if (!this.has(other)) this.#sinceMs.delete(other)
    this.#sinceMs.set(key, this.#nowMs)
  }
}

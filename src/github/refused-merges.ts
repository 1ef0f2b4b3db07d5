import { RingmasterError } from '../core/problem.ts'
import { isFinal, statusOf } from './trouble.ts'

/** Somebody has to change a rule first, and each try counts as a push to the repository of the log. */
const REFUSED_FOR_MS = 10 * 60_000

/** What GitHub says of a pull request that it has not looked at yet, or is merging already, by the status of a refusal. */
const PASSES = /\bnot mergeable\b|\balready in progress\b/i

interface Refusal {
  readonly untilMs: number
  readonly error: RingmasterError
}

/** One that lasts longer than any was noted before the clock was set back. */
const hasPassed = (untilMs: number, nowMs: number): boolean => untilMs <= nowMs || untilMs > nowMs + REFUSED_FOR_MS

/** Everything that GitHub said: of rules that refuse, its first line only tells that there are some. */
const saidIn = (error: unknown): string => {
  const lines = (error instanceof Error ? error.message : String(error)).split('\n').map((line) => line.trim())
  return lines
    .filter((line) => line !== '')
    .join(' ')
    .slice(0, 600)
}

/** The merges that GitHub refused for good: none of them is asked for again for a while. */
export class RefusedMerges {
  readonly #refusals = new Map<string, Refusal>()

  /** Merges, unless that was refused within the last ten minutes: then it fails as it did, and nothing is sent. */
  async unlessRefused(merge: string, clock: () => string, work: () => Promise<void>): Promise<void> {
    const nowMs = Date.parse(clock())
    for (const [other, { untilMs }] of this.#refusals) if (hasPassed(untilMs, nowMs)) this.#refusals.delete(other)
    const refusal = this.#refusals.get(merge)
    if (refusal) throw refusal.error
    try {
      await work()
    } catch (error) {
      if (!(error instanceof RingmasterError) || !isFinal(error) || PASSES.test(error.message)) throw error
      const untilMs = Date.parse(clock()) + REFUSED_FOR_MS
      const refused = refusedUntil(untilMs, error)
      this.#refusals.set(merge, { untilMs, error: refused })
      throw refused
    }
  }
}

const refusedUntil = (untilMs: number, { code, cause }: RingmasterError): RingmasterError =>
  new RingmasterError(
    'outside',
    {
      code,
      message: `expected GitHub to merge a proposal, found that it refuses to: ${statusOf(cause)} (${saidIn(cause)}); it is not tried again before ${new Date(untilMs).toISOString()}`,
      hint: 'Change what GitHub names, or let the App bypass the rule; ringmaster doctor lists the ways of merging that are left.',
    },
    { cause },
  )

import type { Clock } from './clock.ts'

export type Bucket = 'core' | 'graphql'

export interface Allowance {
  readonly limit: number
  readonly used: number
  readonly remaining: number
  /** Epoch seconds. */
  readonly reset: number
}

/** What a request counts against the secondary limits. */
export interface Weight {
  readonly bucket: Bucket
  /** 1 for a read, 5 for a change. */
  readonly points: number
  /** Whether GitHub notifies people of it. */
  readonly isContent: boolean
}

export type SecondaryLimit = 'points' | 'content-minute' | 'content-hour'

export interface SecondaryRefusal {
  readonly limit: SecondaryLimit
  /** Seconds until the same request fits; null where the refusal does not say. */
  readonly retryAfter: number | null
}

/** How the secondary limits hold: not at all, or with refusals that say for how long or say nothing. */
export type SecondaryMode = 'off' | 'told' | 'silent'

/**
 * The limits of each identity. Primary: so many requests an hour, REST and GraphQL apart. Secondary: so many points in
 * any minute, REST and GraphQL apart, and so many requests that create content in any minute and any hour.
 */
export interface RateLimits {
  setLimit(limit: number): void
  /** Counts one request; undefined when none is left. */
  spend(identity: string, bucket: Bucket): Allowance | undefined
  /** Takes one back: an answer of 304 is free. */
  refund(identity: string, bucket: Bucket): void
  of(identity: string, bucket: Bucket): Allowance
  setSecondary(mode: SecondaryMode): void
  /** Counts one request against the secondary limits; refused ones do not count. Undefined when it may pass. */
  weigh(identity: string, weight: Weight): SecondaryRefusal | undefined
}

const hourMs = 3_600_000
const minuteMs = 60_000

/** GitHub's secondary limits (docs.github.com, rate limits for the REST API). */
const pointsAMinute: Readonly<Record<Bucket, number>> = { core: 900, graphql: 2_000 }
const contentLimits = [
  { limit: 'content-minute', most: 80, windowMs: minuteMs },
  { limit: 'content-hour', most: 500, windowMs: hourMs },
] as const

/** What was spent, oldest first, and how long one has to wait until an amount fits into a window. */
class Spending {
  #spent: { readonly atMs: number; readonly amount: number }[] = []

  waitMs(
    nowMs: number,
    amount: number,
    { most, windowMs }: { readonly most: number; readonly windowMs: number },
  ): number {
    const within = this.#spent.filter(({ atMs }) => atMs > nowMs - windowMs)
    let excess = within.reduce((sum, one) => sum + one.amount, amount) - most
    for (const one of within) {
      if (excess <= 0) break
      excess -= one.amount
      if (excess <= 0) return one.atMs + windowMs - nowMs
    }
    return 0
  }

  add(nowMs: number, amount: number): void {
    this.#spent = this.#spent.filter(({ atMs }) => atMs > nowMs - hourMs)
    this.#spent.push({ atMs: nowMs, amount })
  }
}

export function createRateLimits(clock: Clock, limitPerHour: number): RateLimits {
  let limit = limitPerHour
  let secondary: SecondaryMode = 'off'
  const spendings = new Map<string, Spending>()
  const spendingOf = (name: string): Spending => {
    const known = spendings.get(name) ?? new Spending()
    spendings.set(name, known)
    return known
  }
  const windows = new Map<string, { used: number; resetMs: number }>()
  const windowOf = (identity: string, bucket: Bucket) => {
    const key = `${bucket} ${identity}`
    const known = windows.get(key)
    if (known && known.resetMs > clock.epochMs()) return known
    const fresh = { used: 0, resetMs: clock.epochMs() + hourMs }
    windows.set(key, fresh)
    return fresh
  }
  const of = (identity: string, bucket: Bucket): Allowance => {
    const { used, resetMs } = windowOf(identity, bucket)
    return { limit, used, remaining: Math.max(0, limit - used), reset: Math.floor(resetMs / 1000) }
  }
  return {
    setLimit: (next) => {
      limit = next
    },
    spend(identity, bucket) {
      const window = windowOf(identity, bucket)
      if (window.used >= limit) return undefined
      window.used += 1
      return of(identity, bucket)
    },
    refund(identity, bucket) {
      const window = windowOf(identity, bucket)
      window.used = Math.max(0, window.used - 1)
    },
    of,
    setSecondary: (mode) => {
      secondary = mode
    },
    weigh(identity, { bucket, points, isContent }) {
      if (secondary === 'off') return undefined
      const nowMs = clock.epochMs()
      const counted = [
        {
          limit: 'points' as const,
          amount: points,
          spending: spendingOf(`${bucket} ${identity}`),
          most: pointsAMinute[bucket],
          windowMs: minuteMs,
        },
        ...(isContent
          ? contentLimits.map((one) => ({ ...one, amount: 1, spending: spendingOf(`${one.limit} ${identity}`) }))
          : []),
      ]
      const waits = counted.map((one) => ({ limit: one.limit, waitMs: one.spending.waitMs(nowMs, one.amount, one) }))
      const longest = waits.reduce((a, b) => (b.waitMs > a.waitMs ? b : a))
      if (longest.waitMs > 0) {
        const retryAfter = secondary === 'told' ? Math.ceil(longest.waitMs / 1_000) : null
        return { limit: longest.limit, retryAfter }
      }
      for (const { spending, amount } of counted) spending.add(nowMs, amount)
      return undefined
    },
  }
}

/** The headers of an answer. */
export const rateHeaders = ({ limit, used, remaining, reset }: Allowance, bucket: Bucket): Record<string, string> => ({
  'x-ratelimit-limit': String(limit),
  'x-ratelimit-remaining': String(remaining),
  'x-ratelimit-used': String(used),
  'x-ratelimit-reset': String(reset),
  'x-ratelimit-resource': bucket,
})

import type { Clock } from './clock.ts'

export type Bucket = 'core' | 'graphql'

export interface Allowance {
  readonly limit: number
  readonly used: number
  readonly remaining: number
  /** Epoch seconds. */
  readonly reset: number
}

/** The primary limits: so many requests an hour for each identity, REST and GraphQL apart. */
export interface RateLimits {
  setLimit(limit: number): void
  /** Counts one request; undefined when none is left. */
  spend(identity: string, bucket: Bucket): Allowance | undefined
  /** Takes one back: an answer of 304 is free. */
  refund(identity: string, bucket: Bucket): void
  of(identity: string, bucket: Bucket): Allowance
}

const hourMs = 3_600_000

export function createRateLimits(clock: Clock, limitPerHour: number): RateLimits {
  let limit = limitPerHour
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

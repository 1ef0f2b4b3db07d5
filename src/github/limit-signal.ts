/** What an answer says about limits and about trouble on the way. */
export type Signal =
  /** Not done; `waitMs` until GitHub wants to be asked again, null where it does not say. */
  | { readonly kind: 'limited'; readonly scope: 'primary' | 'secondary'; readonly waitMs: number | null }
  /** A timeout, a bad gateway, a cut connection: done or not. */
  | { readonly kind: 'doubt' }
  | { readonly kind: 'none' }

export type Headers = Readonly<Record<string, string | number | undefined>>

interface Told {
  readonly status?: unknown
  readonly message?: unknown
  readonly response?: { readonly headers?: Headers }
}

const NONE: Signal = { kind: 'none' }
const SECONDARY = /\bsecondary rate\b|\babuse\b/i
const LIMITED = /\brate limit\b/i

const numberOf = (value: string | number | undefined): number | null => {
  const number = value === undefined || value === '' ? Number.NaN : Number(value)
  return Number.isFinite(number) && number >= 0 ? number : null
}

/** When an answer was given, by the clock of who gave it: ours may be minutes off. Null where it does not say. */
export function answeredAt(headers: Headers): number | null {
  const atMs = Date.parse(String(headers['date']))
  return Number.isNaN(atMs) ? null : atMs
}

/**
 * `retry-after` first; else the reset of a budget that is used up. What is named by the clock is measured from when the
 * answer was given. Null when neither is said, or only what has passed: obeyed as it stands, that would be no wait at all.
 */
function waitOf(headers: Headers, nowMs: number): number | null {
  const answeredMs = answeredAt(headers) ?? nowMs
  const retryAfterS = numberOf(headers['retry-after'])
  const retryMs = retryAfterS === null ? Date.parse(String(headers['retry-after'])) - answeredMs : retryAfterS * 1_000
  const isUsedUp = numberOf(headers['x-ratelimit-remaining']) === 0
  const resetMs = isUsedUp ? (numberOf(headers['x-ratelimit-reset']) ?? 0) * 1_000 - answeredMs : 0
  return [retryMs, resetMs].find((waitMs) => waitMs > 0) ?? null
}

/** Reads the error that Octokit throws for a refused request. */
export function signalOfError(error: unknown, nowMs: number): Signal {
  const { status, message, response } = (typeof error === 'object' && error !== null ? error : {}) as Told
  const headers = response?.headers ?? {}
  const text = String(message)
  if (status === 429 || (status === 403 && (SECONDARY.test(text) || LIMITED.test(text)))) {
    const isPrimary = !SECONDARY.test(text) && numberOf(headers['x-ratelimit-remaining']) === 0
    return { kind: 'limited', scope: isPrimary ? 'primary' : 'secondary', waitMs: waitOf(headers, nowMs) }
  }
  if (status === 408 || typeof status !== 'number' || status >= 500) return { kind: 'doubt' }
  return NONE
}

/** Reads an answer of GraphQL, which is 200 whatever happened. Partial data means that something was done. */
export function signalOfAnswer(data: unknown, headers: Headers, nowMs: number): Signal {
  const { errors, data: partial } = (typeof data === 'object' && data !== null ? data : {}) as {
    errors?: unknown
    data?: Readonly<Record<string, unknown>> | null
  }
  if (!Array.isArray(errors) || Object.values(partial ?? {}).some((value) => value !== null)) return NONE
  const told = errors as readonly {
    readonly type?: unknown
    readonly message?: unknown
    readonly extensions?: unknown
  }[]
  if (told.some(({ message }) => SECONDARY.test(String(message)))) {
    return { kind: 'limited', scope: 'secondary', waitMs: waitOf(headers, nowMs) }
  }
  if (told.some(({ type }) => type === 'RATE_LIMITED')) {
    return { kind: 'limited', scope: 'primary', waitMs: waitOf(headers, nowMs) }
  }
  /** GitHub's own faults carry no type; what is wrong with a query carries none either, but a code in its extensions. */
  return told.some(({ type, extensions }) => type === undefined && extensions === undefined) ? { kind: 'doubt' } : NONE
}

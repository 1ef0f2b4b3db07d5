/** What a failed request to GitHub says about a mutation. */
export type Failure = 'stale' | 'exists' | 'empty-repository' | 'unknown' | 'refused'

interface Told {
  readonly status?: unknown
  readonly message?: unknown
  readonly errors?: unknown
  readonly data?: { readonly createCommitOnBranch?: unknown } | null
}

const STALE_TYPES = new Set(['STALE_DATA', 'STALE_HEAD_OID'])

const graphqlErrors = (error: Told): readonly { readonly type?: unknown; readonly message?: unknown }[] =>
  Array.isArray(error.errors) ? error.errors : []

const saysStale = (error: { readonly type?: unknown; readonly message?: unknown }): boolean =>
  (typeof error.type === 'string' && STALE_TYPES.has(error.type)) ||
  (typeof error.message === 'string' && /expected branch to point to/i.test(error.message))

/** In this order; the first that fits is the answer. */
const RULES: readonly { readonly failure: Failure; readonly fits: (error: Told) => boolean }[] = [
  { failure: 'stale', fits: (error) => graphqlErrors(error).some(saysStale) },
  {
    failure: 'stale',
    fits: ({ status, message }) => status === 422 && /not a fast.forward/i.test(String(message)),
  },
  {
    failure: 'exists',
    fits: ({ status, message }) => status === 422 && /reference already exists/i.test(String(message)),
  },
  {
    failure: 'empty-repository',
    fits: ({ status, message }) => status === 409 && /repository is empty/i.test(String(message)),
  },
  // To go on asking while GitHub says so gets an App banned.
  {
    failure: 'refused',
    fits: (error) =>
      [error, ...graphqlErrors(error)].some(({ message }) => /\bsecondary rate\b/i.test(String(message))),
  },
  { failure: 'unknown', fits: ({ data }) => Boolean(data?.createCommitOnBranch) },
  // GraphQL's own faults ("Something went wrong while executing your query") carry no type.
  { failure: 'unknown', fits: (error) => graphqlErrors(error).some(({ type }) => type === undefined) },
  { failure: 'refused', fits: (error) => graphqlErrors(error).length > 0 },
  { failure: 'unknown', fits: ({ status }) => typeof status !== 'number' || status >= 500 || status === 408 },
]

/**
 * Classifies what a client threw for a mutation. `unknown`: it may have been done or not (a timeout, 502, 504, a cut
 * connection). Sources: GitHub's REST and GraphQL error answers; a lost race is HTTP 200 with `STALE_DATA`.
 */
export function failureOf(error: unknown): Failure {
  const told: Told = typeof error === 'object' && error !== null ? error : {}
  return RULES.find(({ fits }) => fits(told))?.failure ?? 'refused'
}

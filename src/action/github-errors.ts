import { type Fault, impossible, type Problem, quoted, RingmasterError } from '../core/problem.ts'

export type GitHubProblemCode =
  | 'github-unauthorised'
  | 'github-forbidden'
  | 'github-not-found'
  | 'github-refused'
  | 'github-limited'
  | 'github-unavailable'

/** What a failed request says: its status (null when no answer came), headers and message. */
export interface RequestFailure {
  readonly status: number | null
  readonly headers: ReadonlyMap<string, string>
  readonly message: string
}

/** Reads an octokit error by its shape; null for anything else, which then is a bug of ours and passes on. */
export function failureOf(error: unknown): RequestFailure | null {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return null
  const response =
    'response' in error ? (error.response as { headers?: Record<string, unknown> } | undefined) : undefined
  const headers = Object.entries(response?.headers ?? {}).map(([name, value]) => [name, String(value)] as const)
  // Without an answer octokit invents the status 500.
  return { status: response ? error.status : null, headers: new Map(headers), message: error.message }
}

/** Whether GitHub refused for the number of requests, primary or secondary (https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api). */
const isLimited = ({ status, headers, message }: RequestFailure): boolean =>
  status === 429 ||
  (status === 403 &&
    (headers.get('x-ratelimit-remaining') === '0' ||
      headers.has('retry-after') ||
      /secondary rate limit/i.test(message)))

const isTransient = ({ status }: RequestFailure): boolean => status === null || status === 408 || status >= 500

/** A job waits no longer than this for GitHub before it fails with the reason. */
export const LONGEST_WAIT_MS = 120_000
const MAX_ATTEMPTS = 4
const SECONDARY_LIMIT_WAIT_MS = 60_000

/**
 * How long to wait before the next attempt, in milliseconds; null when there is to be none. `attempt` is the number of
 * the one that failed, from 1. GitHub's own word (`retry-after`, `x-ratelimit-reset`) goes before our doubling.
 */
export function waitBeforeRetryMs(failure: RequestFailure, attempt: number, nowMs: number): number | null {
  if (attempt >= MAX_ATTEMPTS) return null
  const wait = isLimited(failure) ? limitWaitMs(failure, nowMs) : isTransient(failure) ? 500 * 2 ** attempt : null
  return wait !== null && wait <= LONGEST_WAIT_MS ? wait : null
}

function limitWaitMs({ headers }: RequestFailure, nowMs: number): number {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN)
  if (Number.isFinite(seconds)) return Math.max(seconds, 1) * 1000
  const reset = Number(headers.get('x-ratelimit-reset') ?? Number.NaN)
  if (headers.get('x-ratelimit-remaining') === '0' && Number.isFinite(reset))
    return Math.max(reset * 1000 - nowMs, 1000)
  return SECONDARY_LIMIT_WAIT_MS
}

interface Translation {
  readonly when: (failure: RequestFailure) => boolean
  readonly fault: Fault
  readonly code: GitHubProblemCode
  readonly hint: (permission: string) => string
}

/** The first that fits. */
const TRANSLATIONS: readonly Translation[] = [
  {
    when: isLimited,
    fault: 'outside',
    code: 'github-limited',
    hint: () => 'run the job again later; GitHub limits the requests of one token',
  },
  {
    when: isTransient,
    fault: 'outside',
    code: 'github-unavailable',
    hint: () => 'run the job again; if it stays, look at GitHub’s status page or the runner’s network and proxy',
  },
  {
    when: ({ status }) => status === 401,
    fault: 'outside',
    code: 'github-unauthorised',
    hint: () => 'leave `github-token` out, or give one that has not expired',
  },
  {
    when: ({ status }) => status === 403,
    fault: 'outside',
    code: 'github-forbidden',
    hint: (permission) =>
      `give the job \`permissions: ${permission}\`; runs of forks and of Dependabot have read access only`,
  },
  {
    when: ({ status }) => status === 404,
    fault: 'outside',
    code: 'github-not-found',
    hint: (permission) => `check the commit and the repository, and that the job has \`permissions: ${permission}\``,
  },
  {
    when: () => true,
    fault: 'refused',
    code: 'github-refused',
    hint: () => 'mend what GitHub names, then run the job again',
  },
]

/** The one translator of GitHub's answers into our errors. `permission` is what the request needs, as a workflow writes it. */
export function translateFailure(
  failure: RequestFailure,
  what: string,
  permission: string,
  cause: unknown,
): RingmasterError {
  const found = failure.status === null ? 'no answer' : String(failure.status)
  const { fault, code, hint } =
    TRANSLATIONS.find(({ when }) => when(failure)) ?? impossible('a failure without a translation')
  const problem: Problem<GitHubProblemCode> = {
    code,
    message: `expected GitHub to ${what}, found ${found}: ${quoted(failure.message.split(' - https://')[0])}`,
    hint: hint(permission),
  }
  return new RingmasterError(fault, problem, { cause })
}

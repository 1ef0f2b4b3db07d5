import { Octokit } from '@octokit/rest'
import { failureOf, translateFailure, waitBeforeRetryMs } from './github-errors.ts'

/** What a request is for, in words that follow "expected GitHub to", and the permission that it needs. */
export interface Purpose {
  readonly what: string
  readonly permission: string
}

export interface Clock {
  readonly nowMs: () => number
  readonly sleep: (ms: number) => Promise<void>
}

export interface GitHubClient {
  readonly octokit: Octokit
  /** Repeats a request that may be repeated: network, 5xx, limits; at most four times in all. */
  retrying<T>(purpose: Purpose, request: () => Promise<T>): Promise<T>
  /**
   * Makes a thing exactly once as far as can be seen: looks for it before each try, so that a creation whose answer got
   * lost is found and not made again.
   */
  findOrCreate<T>(
    purpose: Purpose,
    ways: { readonly find: () => Promise<T | null>; readonly create: () => Promise<T> },
  ): Promise<{ readonly value: T; readonly created: boolean }>
}

const REQUEST_TIMEOUT_MS = 30_000
const USER_AGENT = 'ringmaster-action'

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** A client for one API address, such as `https://ghe.example.org/api/v3`. */
export async function connect(apiUrl: string, token: string, clock: Clock): Promise<GitHubClient> {
  const send = await fetchFor()
  const octokit = new Octokit({
    auth: token,
    baseUrl: apiUrl,
    userAgent: USER_AGENT,
    log: silent,
    request: {
      fetch: (url: string, init: RequestInit) =>
        send(url, { ...init, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) }),
    },
  })
  const attempt = async <T>(purpose: Purpose, request: () => Promise<T>): Promise<T> => {
    for (let number = 1; ; number += 1) {
      try {
        return await request()
      } catch (error) {
        const failure = failureOf(error)
        if (failure === null) throw error
        const waitMs = waitBeforeRetryMs(failure, number, clock.nowMs())
        if (waitMs === null) throw translateFailure(failure, purpose.what, purpose.permission, error)
        await clock.sleep(waitMs)
      }
    }
  }
  return {
    octokit,
    retrying: attempt,
    findOrCreate: (purpose, { find, create }) =>
      attempt(purpose, async () => {
        const found = await find()
        return found === null ? { value: await create(), created: true } : { value: found, created: false }
      }),
  }
}

type Fetch = (url: string, init: RequestInit) => Promise<Response>

const PROXY_VARIABLES = ['https_proxy', 'HTTPS_PROXY', 'http_proxy', 'HTTP_PROXY'] as const

/** Node's own `fetch` knows no proxy; behind one the toolkit's is taken, which honours `no_proxy` too. */
async function fetchFor(): Promise<Fetch> {
  if (!PROXY_VARIABLES.some((name) => process.env[name])) return fetch
  const { defaults } = await import('@actions/github/lib/utils')
  return (defaults.request?.['fetch'] as Fetch | undefined) ?? fetch
}

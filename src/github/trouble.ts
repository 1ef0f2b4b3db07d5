import { RingmasterError } from '../core/problem.ts'

export type GitHubCode =
  | 'github-unreachable'
  | 'github-refused'
  | 'github-not-found'
  | 'github-conflict'
  | 'github-limited'
  | 'github-failed'
  | 'github-too-large'

/** The HTTP status of an Octokit error, or undefined when it is none. */
export const statusOf = (error: unknown): number | undefined => {
  const status = error instanceof Error && 'status' in error ? error.status : undefined
  return typeof status === 'number' ? status : undefined
}

/** Octokit gives status 500 to an error of the network as well; only an answer of GitHub carries a response. */
const isUnanswered = (error: unknown): boolean =>
  error instanceof Error && error.name === 'HttpError' && !('response' in error && error.response)

/** GraphQL answers 200 whatever happened; its errors say by their type what REST says by a status. */
const STATUS_OF_TYPE: ReadonlyMap<unknown, number> = new Map([
  ['RATE_LIMITED', 429],
  ['FORBIDDEN', 403],
  ['NOT_FOUND', 404],
  ['STALE_DATA', 409],
  ['STALE_HEAD_OID', 409],
  ['UNPROCESSABLE', 422],
])

/** What a GraphQL answer with errors would be on REST; 502 for what GitHub gives no type; undefined for other errors. */
function graphqlStatusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || error.name !== 'GraphqlResponseError' || !('errors' in error)) return undefined
  const [first] = Array.isArray(error.errors) ? (error.errors as { readonly type?: unknown }[]) : []
  return STATUS_OF_TYPE.get(first?.type) ?? 502
}

const CODES: readonly {
  readonly test: (status: number, message: string) => boolean
  readonly code: GitHubCode
  readonly hint: string
}[] = [
  {
    test: (status, message) => status === 429 || (status === 403 && /rate limit|abuse/i.test(message)),
    code: 'github-limited',
    hint: 'It is tried again when the limit allows.',
  },
  {
    test: (status) => status === 401 || status === 403,
    code: 'github-refused',
    hint: 'Check the permissions of the installation; ringmaster doctor lists what is missing.',
  },
  {
    test: (status) => status === 404 || status === 410,
    code: 'github-not-found',
    hint: 'GitHub answers so for what the installation may not see, too.',
  },
  {
    /** Said of a pull request whose base has just moved, by the status of a refusal (https://github.com/cli/cli/issues/8092). */
    test: (status, message) => status === 405 && /base branch was modified/i.test(message),
    code: 'github-failed',
    hint: 'It is tried again.',
  },
  {
    test: (status) => status === 405 || status === 409 || status === 422,
    code: 'github-conflict',
    hint: 'The state at GitHub is not what was expected; it is read again.',
  },
  { test: (status) => status >= 500, code: 'github-failed', hint: 'GitHub had trouble; it is tried again.' },
  {
    test: () => true,
    code: 'github-failed',
    hint: 'GitHub took the request for another one than was meant; please report it.',
  },
]

/** The one translator of GitHub's errors: what was tried, what GitHub said (never a header or a token), what follows. */
export function translated(what: string, error: unknown): RingmasterError {
  if (error instanceof RingmasterError) return error
  const status = isUnanswered(error) ? undefined : (graphqlStatusOf(error) ?? statusOf(error))
  const said = error instanceof Error ? error.message.split('\n')[0]?.slice(0, 300) : String(error)
  const row = status === undefined ? undefined : CODES.find((entry) => entry.test(status, said ?? ''))
  return new RingmasterError(
    'outside',
    {
      code: row?.code ?? 'github-unreachable',
      message: `could not ${what}: ${status === undefined ? 'GitHub could not be reached' : `GitHub answered ${status}`} (${said})`,
      hint: row?.hint ?? 'Check the network and the address of GitHub.',
    },
    { cause: error },
  )
}

const FINAL: ReadonlySet<string> = new Set<GitHubCode>(['github-not-found', 'github-conflict', 'github-too-large'])

/**
 * Whether trying again comes to the same until somebody changes something at GitHub. A clock or a token that is off (401)
 * is put right elsewhere, and a limit passes.
 */
export function isFinal(error: RingmasterError): boolean {
  const isDenied = error.code === 'github-refused' && statusOf(error.cause) === 403
  return isDenied || FINAL.has(error.code)
}

/** Does something at GitHub; throws `RingmasterError` with what was tried. */
export async function outside<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw translated(what, error)
  }
}

/** Why something can never be said where it was to be: the conversation is locked, or gone. Null for other errors. */
export function unsayable(error: unknown): 'locked' | 'deleted' | null {
  const cause = error instanceof RingmasterError ? error.cause : error
  const status = statusOf(cause)
  if (status === 410) return 'deleted'
  return status === 403 && cause instanceof Error && /\block(?:ed)?\b/i.test(cause.message) ? 'locked' : null
}

/** As `outside`, but null where GitHub says that there is no such thing. */
export async function outsideOrNull<T>(what: string, work: () => Promise<T>): Promise<T | null> {
  try {
    return await work()
  } catch (error) {
    if (statusOf(error) === 404) return null
    throw translated(what, error)
  }
}

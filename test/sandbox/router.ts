import type { GitRepository } from './git/repository.ts'
import type { Identity } from './identity.ts'
import type { Account, Repository, Role } from './store.ts'
import type { World } from './world.ts'

export interface Answer {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** A body that is not JSON (raw file contents); not validated. */
  readonly raw?: Uint8Array
}

/** Thrown by a handler: GitHub's refusal with its `message` (and `errors`). Nothing may have been changed before. */
export class Refusal extends Error {
  readonly status: number
  readonly errors: readonly unknown[] | undefined
  constructor(status: number, message: string, errors?: readonly unknown[]) {
    super(message)
    this.status = status
    this.errors = errors
  }
}

export interface Context {
  readonly world: World
  readonly identity: Identity
  /** The acting account; refuses with 401 when there is none. */
  readonly actor: () => Account
  readonly params: Readonly<Record<string, string>>
  /** As asked, for Link headers. */
  readonly requestPath: string
  readonly query: URLSearchParams
  /** The parsed JSON body, already checked against the OpenAPI description (`{}` when there is none). */
  readonly body: Readonly<Record<string, unknown>>
  /** The body as sent, and its type. */
  readonly bytes: Uint8Array
  readonly contentType: string
  /** The token or JWT as sent; empty for nobody. */
  readonly credential: string
  /** `Accept`, lower case. */
  readonly accept: string
  /** Of `{owner}/{repo}` in the route; refuses with 404 when absent or not visible to the identity. */
  readonly repository: () => Repository
  readonly git: () => GitRepository
}

export type Handler = (context: Context) => Answer | Promise<Answer>

/**
 * Who may call. For an installation or actions token one of the permissions at that level (`issues: 'write'`);
 * for a person the role on the repository (default: read → read, write → write, admin → admin).
 * `'app'`: only with the App's JWT. `'installation'`: only with an App's installation token. `'anyone'`: no check but
 * that the repository is visible.
 */
export type Access =
  | 'anyone'
  | 'app'
  | 'installation'
  | {
      readonly permissions: readonly string[]
      readonly level: 'read' | 'write' | 'admin'
      readonly person?: Role
      /** False where GitHub takes no server-to-server token (or no person). */
      readonly only?: 'apps' | 'people'
    }

export interface Route {
  readonly method: string
  /** Exactly as in GitHub's OpenAPI description, which the request and the answer are checked against. */
  readonly path: string
  readonly access: Access
  readonly handle: Handler
  /** The body is no JSON (an uploaded file): see `bytes`. */
  readonly takesBytes?: boolean
}

export interface Resource {
  readonly routes: readonly Route[]
  /** Runs once when the sandbox starts: listen to pushes, keep timers. */
  readonly start?: (world: World) => void
}

/** `route('POST /repos/{owner}/{repo}/issues', writes('issues', { person: 'read' }), handler)` */
export function route(operation: `${string} /${string}`, access: Access, handle: Handler): Route {
  const blank = operation.indexOf(' ')
  return { method: operation.slice(0, blank), path: operation.slice(blank + 1), access, handle }
}

type Rest = { readonly person?: Role; readonly only?: 'apps' | 'people' }
const access =
  (level: 'read' | 'write' | 'admin') =>
  (permissions: string | readonly string[], rest: Rest = {}): Access => ({
    permissions: typeof permissions === 'string' ? [permissions] : permissions,
    level,
    ...rest,
  })
export const reads = access('read')
export const writes = access('write')

export const answer = (status: number, body: unknown, headers?: Record<string, string>): Answer =>
  headers ? { status, body, headers } : { status, body }
export const ok = (body: unknown): Answer => ({ status: 200, body })
export const created = (body: unknown): Answer => ({ status: 201, body })
export const noContent = (): Answer => ({ status: 204 })

export const notFound = (): Refusal => new Refusal(404, 'Not Found')
/** GitHub's 422 for one field, e.g. `invalid('Issue', 'title', 'missing_field')`. */
export const invalid = (resource: string, field: string, code: string, message?: string): Refusal =>
  new Refusal(422, 'Validation Failed', [{ resource, field, code, ...(message === undefined ? {} : { message }) }])
/** 422 whose message stands alone, e.g. "Reference already exists". */
export const unprocessable = (message: string): Refusal => new Refusal(422, message)

/** One page of `items` by `per_page` (default 30, at most 100) and `page`, with GitHub's Link header. */
export function paged<T>(
  context: Context,
  items: readonly T[],
  toBody: (page: T[]) => unknown = (page) => page,
): Answer {
  const number = (name: string, fallback: number, most: number) => {
    const value = Number(context.query.get(name) ?? fallback)
    return Number.isInteger(value) && value > 0 ? Math.min(value, most) : fallback
  }
  const perPage = number('per_page', 30, 100)
  const page = number('page', 1, Number.MAX_SAFE_INTEGER)
  const last = Math.max(1, Math.ceil(items.length / perPage))
  const body = toBody(items.slice((page - 1) * perPage, page * perPage))
  const links: string[] = []
  const link = (to: number, rel: string) => {
    const query = new URLSearchParams(context.query)
    query.set('page', String(to))
    links.push(`<${context.world.origin}${context.requestPath}?${query}>; rel="${rel}"`)
  }
  if (page > 1) link(page - 1, 'prev')
  if (page < last) link(page + 1, 'next')
  if (page < last) link(last, 'last')
  if (page > 1) link(1, 'first')
  return links.length === 0 ? ok(body) : answer(200, body, { link: links.join(', ') })
}

/** Parameters that may hold slashes: GitHub takes them encoded and plain. */
const multiSegment = new Set(['ref', 'path', 'basehead', 'branch', 'tag'])

const compile = (route: Route) => {
  const names: string[] = []
  const segments = route.path.split('/').map((segment) =>
    segment.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{(\w+)\}/g, (_, name: string) => {
      names.push(name)
      return multiSegment.has(name) ? '(.+)' : '([^/]+)'
    }),
  )
  const literals = route.path.split('/').filter((segment) => !segment.startsWith('{')).length
  return { route, names, pattern: new RegExp(`^${segments.join('/')}$`), literals }
}

export type Match = { readonly route: Route; readonly params: Readonly<Record<string, string>> }

/** Finds the route with the most literal segments; undefined when there is none. Takes the encoded path. */
export function createRouter(resources: readonly Resource[]): (method: string, path: string) => Match | undefined {
  const compiled = resources
    .flatMap((resource) => resource.routes)
    .map(compile)
    .sort((a, b) => b.literals - a.literals)
  return (method, path) => {
    for (const { route, names, pattern } of compiled) {
      if (route.method !== method) continue
      const match = pattern.exec(path)
      if (!match) continue
      return { route, params: Object.fromEntries(names.map((name, i) => [name, decode(match[i + 1] ?? '')])) }
    }
    return undefined
  }
}

/** Percent-decoded; as it is when it cannot be. */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

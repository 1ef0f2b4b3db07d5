import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { canSee, checkAccess } from './access.ts'
import type { FaultKind } from './faults.ts'
import { serveGit } from './git/http.ts'
import { answerGraphql } from './graphql/answer.ts'
import { accountOf, type Identity, labelOf } from './identity.ts'
import { servePages } from './pages-host.ts'
import { type Bucket, rateHeaders, type Weight } from './rate-limit.ts'
import { type Answer, type Context, createRouter, type Match, notFound, Refusal, type Resource } from './router.ts'
import type { RequestRecord } from './sandbox.ts'
import { type Repository, repositoryByName } from './store.ts'
import type { Validation } from './validation.ts'
import type { World } from './world.ts'

export interface FrontParts {
  readonly resources: readonly Resource[]
  readonly validation: Validation
  readonly requests: RequestRecord[]
  /** Settles when the request may be answered. */
  readonly wait: (path: string) => Promise<void>
}

export interface Incoming {
  readonly method: string
  /** Encoded, without query and without `/api/v3`. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly bytes: Buffer
}

/** What the log wants to know besides the answer. */
interface Trace {
  route: string | null
  identity: string
  fields: readonly string[]
  /** The limit it counts against; undefined when it is free. */
  bucket: Bucket | undefined
}

const mostBytes = 150_000_000

/** Serves one world over HTTP on 127.0.0.1. `world` is given when the port is known. */
export function createFront(parts: FrontParts): { server: Server; serve: (world: World) => void } {
  let handle: ((request: IncomingMessage, response: ServerResponse) => Promise<void>) | undefined
  const server = createServer((request, response) => {
    handle?.(request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined)
    })
  })
  /** Clients let go of a connection a second before; within that no process may stand still. */
  server.keepAliveTimeout = 60_000
  return {
    server,
    serve: (world) => {
      handle = createHandler(world, parts)
    },
  }
}

function createHandler(world: World, parts: FrontParts) {
  const router = createRouter(parts.resources)
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const bytes = await readBody(request)
    const startedMs = performance.now()
    const url = new URL(request.url ?? '/', world.origin)
    const incoming: Incoming = {
      method: request.method ?? 'GET',
      path: url.pathname.replace(/^\/api\/v3(?=\/)/, '').replace(/^\/api\/graphql$/, '/graphql'),
      query: url.searchParams,
      headers: request.headers,
      bytes,
    }
    await parts.wait(incoming.path)
    const trace: Trace = { route: null, identity: 'anonymous', fields: [], bucket: undefined }
    const answer = await respond(world, parts, router, incoming, trace)
    const written = answer === 'disconnect' ? 0 : write(world, incoming, response, answer, trace)
    if (answer === 'disconnect') request.socket.destroy()
    parts.requests.push({
      method: incoming.method,
      path: incoming.path,
      route: trace.route,
      identity: trace.identity,
      fields: trace.fields,
      status: answer === 'disconnect' ? 0 : response.statusCode,
      durationMs: performance.now() - startedMs,
      requestBytes: bytes.length,
      answerBytes: written,
    })
  }
}

function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > mostBytes) request.destroy()
      else chunks.push(chunk)
    })
    request.on('end', () => resolve(Buffer.concat(chunks)))
    request.on('error', reject)
  })
}

type Router = (method: string, path: string) => Match | undefined
const badGateway: Answer = { status: 502, body: { message: 'Server Error' } }

/** The faults of the switchboard around the real answer. */
async function respond(
  world: World,
  parts: FrontParts,
  router: Router,
  incoming: Incoming,
  trace: Trace,
): Promise<Answer | 'disconnect'> {
  const match = router(incoming.method, incoming.path)
  const isGraphql = incoming.path === '/graphql' && incoming.method === 'POST'
  trace.route = isGraphql ? 'POST /graphql' : match ? `${match.route.method} ${match.route.path}` : null
  const text = isGraphql ? incoming.bytes.toString() : ''
  const asked = { route: trace.route ?? '', text, identity: whoAsks(world, incoming) }
  const before = world.faults.take(isGraphql ? [...faultsBefore, 'graphql-trouble-before'] : faultsBefore, asked)
  if (before === 'disconnect-before') return 'disconnect'
  if (before) return answerOfFault(world, before, isGraphql)
  const page = await servePages(world, incoming)
  if (page) {
    trace.route = 'pages'
    return page
  }
  const answer = await refusing(async () => {
    const identity = world.identify(incoming.headers.authorization)
    trace.identity = labelOf(identity)
    trace.bucket = isGraphql ? 'graphql' : incoming.path === '/rate_limit' ? undefined : 'core'
    if (trace.bucket && !world.rateLimits.spend(trace.identity, trace.bucket))
      return rateLimited(trace.bucket, trace.identity)
    const refused =
      trace.bucket && world.rateLimits.weigh(trace.identity, weightOf(parts, trace.bucket, incoming, match))
    if (refused) return secondaryLimit(refused.retryAfter)
    if (isGraphql) return answerGraphql(world, identity, incoming.bytes.toString(), trace)
    const git = match ? undefined : await serveGit(world, identity, incoming)
    if (git) trace.route = 'git'
    return git ?? answerRest(world, parts, match, identity, incoming)
  }, world)
  const after = world.faults.take(isGraphql ? [...faultsAfter, 'graphql-trouble-after'] : faultsAfter, asked)
  return after === 'disconnect-after' ? 'disconnect' : after ? answerOfFault(world, after, isGraphql) : answer
}

const isRead = (method: string): boolean => method === 'GET' || method === 'HEAD' || method === 'OPTIONS'

/** GitHub's description says which operations notify people; a mutation is told from a query by its first word. */
function weightOf(
  { validation }: FrontParts,
  bucket: Bucket,
  { method, bytes }: Incoming,
  match: Match | undefined,
): Weight {
  const isChange = bucket === 'graphql' ? isMutation(bytes.toString()) : !isRead(method)
  const isContent = match !== undefined && validation.notifies(match.route.method, match.route.path)
  return { bucket, points: isChange ? 5 : 1, isContent }
}

function isMutation(text: string): boolean {
  try {
    return /^\s*mutation\b/.test(String((JSON.parse(text) as { query?: unknown }).query))
  } catch {
    return false
  }
}

const faultsBefore: readonly FaultKind[] = [
  'bad-gateway-before',
  'disconnect-before',
  'secondary-limit',
  'secondary-limit-silent',
  'primary-limit',
]
const faultsAfter: readonly FaultKind[] = ['bad-gateway-after', 'disconnect-after']

/** For the switchboard only: a credential that does not hold is nobody's. */
function whoAsks(world: World, incoming: Incoming): string {
  try {
    return labelOf(world.identify(incoming.headers.authorization))
  } catch {
    return 'nobody'
  }
}

function answerOfFault(world: World, fault: FaultKind, isGraphql: boolean): Answer {
  switch (fault) {
    case 'secondary-limit':
      return secondaryLimit(1)
    case 'secondary-limit-silent':
      return secondaryLimit(null)
    case 'primary-limit': {
      const message = 'API rate limit exceeded for the installation.'
      const reset = String(Math.floor(world.clock.epochMs() / 1_000) + 600)
      const headers = { 'x-ratelimit-limit': '5000', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset }
      return isGraphql
        ? { status: 200, headers, body: { errors: [{ type: 'RATE_LIMITED', message }] } }
        : { status: 403, headers, body: { message } }
    }
    case 'graphql-trouble-before':
    case 'graphql-trouble-after':
      return {
        status: 200,
        body: { data: null, errors: [{ message: 'Something went wrong while executing your query.' }] },
      }
    default:
      return badGateway
  }
}

/** REST refuses with 403, GraphQL with 200 and an error. */
function rateLimited(bucket: Bucket, identity: string): Answer {
  const message = `API rate limit exceeded for ${identity}.`
  if (bucket === 'graphql') return { status: 200, body: { errors: [{ type: 'RATE_LIMITED', message }] } }
  return { status: 403, body: { message, documentation_url: 'https://docs.github.com/rest' } }
}

const secondaryLimit = (retryAfter: number | null): Answer => ({
  status: 403,
  headers: retryAfter === null ? {} : { 'retry-after': String(retryAfter) },
  body: {
    message: 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.',
    documentation_url: 'https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits',
  },
})

async function refusing(work: () => Promise<Answer>, world: World): Promise<Answer> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Refusal) {
      const errors = error.errors === undefined ? {} : { errors: error.errors }
      const body = {
        message: error.message,
        documentation_url: 'https://docs.github.com/rest',
        status: String(error.status),
        ...errors,
      }
      return { status: error.status, body }
    }
    const problem = error instanceof Error ? (error.stack ?? error.message) : String(error)
    world.violations.push({ kind: 'answer', operation: 'sandbox', problems: [problem] })
    return { status: 500, body: { message: 'Server Error' } }
  }
}

async function answerRest(
  world: World,
  { validation }: FrontParts,
  match: Match | undefined,
  identity: Identity,
  incoming: Incoming,
): Promise<Answer> {
  const { method, path: requestPath, query } = incoming
  if (!match) {
    world.violations.push({
      kind: 'unknown-route',
      operation: `${method} ${requestPath}`,
      problems: ['the sandbox has no such route'],
    })
    throw notFound()
  }
  const { route, params } = match
  const operation = `${method} ${route.path}`
  const repository = repositoryOf(world, identity, params)
  checkAccess(world.store, identity, route.access, repository)
  const body = route.takesBytes ? undefined : readJson(incoming.bytes)
  const isDescribed = validation.knows(method, route.path)
  const problems = isDescribed ? validation.request(method, route.path, query, body) : []
  if (problems.length > 0) {
    world.violations.push({ kind: 'request', operation, problems })
    throw new Refusal(422, `Invalid request.\n\n${problems.join('\n')}`)
  }
  const context: Context = {
    world,
    identity,
    params,
    requestPath,
    query,
    body: body ?? {},
    bytes: incoming.bytes,
    contentType: String(incoming.headers['content-type'] ?? ''),
    credential: (incoming.headers.authorization ?? '').split(' ')[1] ?? '',
    accept: String(incoming.headers.accept ?? '').toLowerCase(),
    actor: () => {
      const account = accountOf(identity)
      if (!account) throw new Refusal(401, 'Requires authentication')
      return account
    },
    repository: () => {
      if (!repository) throw notFound()
      return repository
    },
    git: () => {
      if (!repository) throw notFound()
      return world.gitOf(repository)
    },
  }
  const answer = await route.handle(context)
  const faults = isDescribed && !answer.raw ? validation.answer(method, route.path, answer.status, answer.body) : []
  if (faults.length === 0) return answer
  world.violations.push({ kind: 'answer', operation, problems: faults })
  return { status: 500, body: { message: `The sandbox's answer is not GitHub's: ${faults.join('; ')}` } }
}

function repositoryOf(world: World, identity: Identity, params: Match['params']): Repository | undefined {
  const { owner, repo } = params
  if (owner === undefined || repo === undefined) return undefined
  const repository = repositoryByName(world.store, owner, repo)
  if (!repository || !canSee(world.store, identity, repository)) throw notFound()
  return repository
}

function readJson(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  if (bytes.length === 0) return undefined
  try {
    const value: unknown = JSON.parse(bytes.toString())
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {}
  throw new Refusal(400, 'Problems parsing JSON')
}

/** Sends the answer with the headers GitHub sends (ETag and 304 for reads); returns the bytes of the body. */
function write(world: World, incoming: Incoming, response: ServerResponse, answer: Answer, trace: Trace): number {
  const isJson = answer.raw === undefined && answer.body !== undefined
  const bytes = answer.raw ?? (isJson ? Buffer.from(JSON.stringify(answer.body)) : Buffer.alloc(0))
  const headers: Record<string, string> = {
    date: new Date(world.clock.epochMs()).toUTCString(),
    'x-github-request-id': String(world.nextId()),
    'x-github-media-type': 'github.v3; format=json',
    ...(isJson ? { 'content-type': 'application/json; charset=utf-8' } : {}),
    ...answer.headers,
  }
  if (trace.bucket) Object.assign(headers, rateHeaders(world.rateLimits.of(trace.identity, trace.bucket), trace.bucket))
  const isRead = incoming.method === 'GET' && answer.status === 200 && trace.route !== 'git' && trace.route !== 'pages'
  if (isRead) {
    headers['etag'] = `W/"${createHash('sha256').update(bytes).digest('hex')}"`
    headers['cache-control'] ??= 'private, max-age=60, s-maxage=60'
    if (incoming.headers['if-none-match'] === headers['etag']) {
      if (trace.bucket) world.rateLimits.refund(trace.identity, trace.bucket)
      response.writeHead(304, headers).end()
      return 0
    }
  }
  response.writeHead(answer.status, {
    ...headers,
    ...(answer.status === 204 || answer.status === 304 ? {} : { 'content-length': String(bytes.length) }),
  })
  response.end(incoming.method === 'HEAD' ? undefined : bytes)
  return bytes.length
}

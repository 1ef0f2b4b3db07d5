import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Octokit } from '@octokit/rest'
import { type RunHandle, type RunRequest, startRun } from './actions.ts'
import type { Clock } from './clock.ts'
import { createWorld } from './create-world.ts'
import type { Faults } from './faults.ts'
import { createFront } from './front.ts'
import { accountNamed, plant, plantCommit } from './plant.ts'
import type { SecondaryMode } from './rate-limit.ts'
import { resources } from './resources/index.ts'
import type { CommitSeed, Seed } from './seed.ts'
import { appBySlug, fullName, repositoryByName } from './store.ts'
import { sharedValidation, type Violation } from './validation.ts'
import type { Webhooks } from './webhooks.ts'
import type { World } from './world.ts'

export interface SandboxOptions {
  readonly seed?: Seed
  /** 0 or absent: any free port. */
  readonly port?: number
  /** ISO 8601; the machine's time when absent. The clock ticks on from there. */
  readonly startAt?: string
  /** Added to each answer (default 0). */
  readonly latencyMs?: number
}

/** One request as answered. */
export interface RequestRecord {
  readonly method: string
  readonly path: string
  /** As in the OpenAPI description (`GET /repos/{owner}/{repo}`), `POST /graphql`, `git`, or null when unknown. */
  readonly route: string | null
  readonly status: number
  /** `anonymous`, `ann`, `ringmaster (app)`, `ringmaster[bot]`, `github-actions[bot]`. */
  readonly identity: string
  /** Of GraphQL: the fields asked for at the top, e.g. `createCommitOnBranch`. */
  readonly fields: readonly string[]
  /** From the last byte of the request to the answer, latency included. */
  readonly durationMs: number
  readonly requestBytes: number
  readonly answerBytes: number
}

/** A person of the seed, acting with a token of their own. */
export interface Person {
  readonly login: string
  readonly id: number
  readonly token: string
  /** REST and GraphQL as that person; refusals throw RequestError as on GitHub. */
  readonly octokit: Octokit
}

export interface AppHandle {
  readonly id: number
  readonly slug: string
  readonly clientId: string
  /** PEM */
  readonly privateKey: string
  readonly webhookSecret: string
  setWebhookUrl(url: string): void
  /** The installation on that account; throws when there is none. */
  installationId(account: string): number
  /** REST and GraphQL with an installation token of all its permissions. */
  octokit(account: string): Octokit
  /** An installation token of all its permissions. */
  token(account: string): string
}

export interface RepositoryHandle {
  readonly id: number
  readonly fullName: string
  /** The bare repository on disk. A push by path passes no ruleset and sends no webhook: use `cloneUrl`. */
  readonly gitDirectory: string
  /** For `git clone` and `git push` over HTTP as the token's owner. */
  cloneUrl(token?: string): string
  /** Makes a commit as a push by `author` would: rulesets, webhooks and all. Returns its oid. */
  commit(commit: CommitSeed): Promise<string>
  /** The commit of a branch (or any revision); undefined when there is none. */
  head(revision?: string): Promise<string | undefined>
  /** A file's text at a revision (the default branch when absent); undefined when there is none. */
  read(path: string, revision?: string): Promise<string | undefined>
}

export interface Sandbox {
  /** `http://127.0.0.1:PORT`: the value for GITHUB_API_URL and for Octokit's `baseUrl`. */
  readonly origin: string
  /** `${origin}/graphql` */
  readonly graphqlUrl: string
  readonly clock: Clock
  /** Oldest first. Empty it (`length = 0`) to count from here. */
  readonly requests: RequestRecord[]
  /**
   * Requests and answers that GitHub's description does not accept, unknown routes, fields the sandbox lacks. A test that
   * expects one takes it out (`splice(0)`); `stop` throws about what is left.
   */
  readonly violations: Violation[]
  readonly webhooks: Webhooks
  readonly faults: Faults
  setLatency(ms: number): void
  /** From now on requests whose path begins so wait for their answer until the returned function is called. */
  hold(start: string): () => void
  /** Requests an hour for each identity, REST and GraphQL apart (15,000 at first). */
  setRateLimit(perHour: number): void
  /** Whether the secondary limits hold, and whether a refusal says for how long (off at first). */
  setSecondaryLimits(mode: SecondaryMode): void
  as(login: string): Person
  app(slug: string): AppHandle
  repository(fullName: string): RepositoryHandle
  /** Starts a workflow run; more of Actions in `actions.ts`. */
  startRun(request: RunRequest): Promise<RunHandle>
  /** For the sandbox's own parts. */
  readonly world: World
  /** Ends servers, processes and deliveries, and removes the temporary directory; throws, last, when `violations` has any. */
  stop(): Promise<void>
}

/** Octokit as a client of the sandbox; its log stays quiet, refusals throw. */
const client = (origin: string, token: string): Octokit => {
  const quiet = () => {}
  const log = { debug: quiet, info: quiet, warn: quiet, error: quiet }
  return new Octokit({ baseUrl: origin, auth: token, log })
}

/** Starts a local GitHub with the seed in it; nothing of it outlives `stop`. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const requests: RequestRecord[] = []
  let latencyMs = options.latencyMs ?? 0
  const validation = sharedValidation()
  const held = new Map<string, Promise<void>>()
  const wait = async (path: string) => {
    if (latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, latencyMs))
    await Promise.all([...held].filter(([start]) => path.startsWith(start)).map(([, released]) => released))
  }
  const front = createFront({ resources, validation, requests, wait })
  await new Promise<void>((resolve, reject) => {
    front.server.once('error', reject)
    front.server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  const { port } = front.server.address() as AddressInfo
  const origin = `http://127.0.0.1:${port}`
  const directory = await mkdtemp(join(tmpdir(), 'ringmaster-sandbox-'))
  const { world, close } = createWorld({ origin, directory, startAt: options.startAt })
  const end = async () => {
    front.server.closeAllConnections()
    await new Promise((resolve) => front.server.close(resolve))
    await close()
    await rm(directory, { recursive: true, force: true, maxRetries: 3 })
  }
  const stop = async () => {
    await end()
    refuseViolations(world.violations)
  }
  try {
    for (const resource of resources) resource.start?.(world)
    await plant(world, options.seed ?? {})
  } catch (error) {
    await end()
    throw error
  }
  front.serve(world)
  return {
    origin,
    graphqlUrl: `${origin}/graphql`,
    clock: world.clock,
    requests,
    violations: world.violations,
    webhooks: world.webhooks,
    faults: world.faults,
    setLatency: (ms) => {
      latencyMs = ms
    },
    hold: (start) => {
      let release = () => {}
      const released = new Promise<void>((resolve) => {
        release = resolve
      })
      held.set(start, released)
      return release
    },
    setRateLimit: world.rateLimits.setLimit,
    setSecondaryLimits: world.rateLimits.setSecondary,
    as: (login) => personOf(world, login),
    app: (slug) => appHandle(world, slug),
    repository: (name) => repositoryHandle(world, name),
    startRun: (request) => startRun({ world }, request),
    world,
    stop,
  }
}

const VIOLATIONS_SHOWN = 3

function refuseViolations(violations: readonly Violation[]): void {
  if (violations.length === 0) return
  throw new Error(
    `expected requests and answers that GitHub's description accepts, found ${violations.length} that it does not: ${JSON.stringify(violations.slice(0, VIOLATIONS_SHOWN))}`,
  )
}

function personOf(world: World, login: string): Person {
  const account = accountNamed(world, login)
  const token = world.mintPersonToken(account)
  return { login: account.login, id: account.id, token, octokit: client(world.origin, token) }
}

function appHandle(world: World, slug: string): AppHandle {
  const app = appBySlug(world.store, slug)
  if (!app) throw new Error(`expected an App of the seed, found ${JSON.stringify(slug)}`)
  const installationOn = (account: string) => {
    const owner = accountNamed(world, account)
    const found = [...world.store.installations.values()].find((one) => one.app === app && one.account === owner)
    if (!found) throw new Error(`the App ${slug} is not installed on ${account}`)
    return found
  }
  const token = (account: string) => world.mintInstallationToken(installationOn(account)).token
  return {
    id: app.id,
    slug: app.slug,
    clientId: app.clientId,
    get privateKey() {
      return app.privateKey
    },
    webhookSecret: app.webhookSecret,
    setWebhookUrl: (url) => {
      app.webhookUrl = url
    },
    installationId: (account) => installationOn(account).id,
    octokit: (account) => client(world.origin, token(account)),
    token,
  }
}

function repositoryHandle(world: World, name: string): RepositoryHandle {
  const [owner = '', short = ''] = name.split('/')
  const repository = repositoryByName(world.store, owner, short)
  if (!repository) throw new Error(`expected a repository of the seed, found ${JSON.stringify(name)}`)
  const git = world.gitOf(repository)
  return {
    id: repository.id,
    fullName: fullName(repository),
    gitDirectory: git.directory,
    cloneUrl: (token) =>
      `${token === undefined ? world.origin : world.origin.replace('://', `://x-access-token:${token}@`)}/${fullName(repository)}.git`,
    commit: (commit) => plantCommit(world, repository, commit),
    head: (revision = repository.defaultBranch) => git.resolveCommit(revision),
    async read(path, revision = repository.defaultBranch) {
      const commit = await git.resolveCommit(revision)
      return commit === undefined ? undefined : (await git.readFile(commit, path))?.toString()
    },
  }
}

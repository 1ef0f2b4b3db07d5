import type { Octokit } from '@octokit/rest'
import type { Clock } from './clock.ts'
import type { Faults } from './faults.ts'
import type { CommitSeed, Seed } from './seed.ts'
import type { Violation } from './validation.ts'
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
  /** Requests and answers that GitHub's description does not accept, unknown routes, fields the sandbox lacks. */
  readonly violations: Violation[]
  readonly webhooks: Webhooks
  readonly faults: Faults
  setLatency(ms: number): void
  as(login: string): Person
  app(slug: string): AppHandle
  repository(fullName: string): RepositoryHandle
  /** For the sandbox's own parts. */
  readonly world: World
  /** Ends servers, processes and deliveries, and removes the temporary directory. */
  stop(): Promise<void>
}

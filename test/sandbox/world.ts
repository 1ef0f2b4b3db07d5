import type { Clock } from './clock.ts'
import type { Faults } from './faults.ts'
import type { GitRepository } from './git/repository.ts'
import type { Identity } from './identity.ts'
import type { RateLimits } from './rate-limit.ts'
import type { Account, App, Installation, Permissions, Repository, Store } from './store.ts'
import type { Violation } from './validation.ts'
import type { Courier } from './webhooks.ts'

/** What happened in a repository, told to Apps as a webhook. */
export interface Happening {
  readonly event: string
  readonly action?: string
  readonly repository: Repository
  readonly sender: Account
  /** The event's own members; action, repository, organization, sender and installation are added. */
  readonly payload: Readonly<Record<string, unknown>>
  /** Only to this App (deployment_protection_rule). */
  readonly onlyTo?: App
}

export interface Push {
  readonly repository: Repository
  /** `refs/heads/…` or `refs/tags/…` */
  readonly ref: string
  /** All zeros = created. */
  readonly before: string
  /** All zeros = deleted. */
  readonly after: string
  readonly forced: boolean
  readonly by: Account
}

/** Everything the resources share; one per sandbox. */
export interface World {
  /** `http://127.0.0.1:PORT`: REST at the origin, GraphQL at `/graphql` (also `/api/v3`, `/api/graphql`). */
  readonly origin: string
  /** A temporary directory of the sandbox, removed when it stops. */
  readonly directory: string
  readonly clock: Clock
  readonly store: Store
  readonly webhooks: Courier
  readonly faults: Faults
  readonly rateLimits: RateLimits
  /** github-actions, the App behind GITHUB_TOKEN. */
  readonly actionsApp: App
  readonly violations: Violation[]
  nextId(): number
  /** One after the other for the same key: what must not interleave. */
  locked<T>(key: string, work: () => Promise<T>): Promise<T>
  addRepository(record: Repository): Promise<GitRepository>
  emitPush(push: Push): Promise<void>
  gitOf(repository: Repository): GitRepository
  /** Queues the webhook for each App that covers the repository and subscribed; the payload is a copy of this moment. */
  deliver(happening: Happening): void
  /** Whether any App would be told of such an event. */
  isWanted(event: string, repository: Repository): boolean
  /** A `GITHUB_TOKEN`: github-actions[bot] in that repository with these permissions. Ends by `revoke`. */
  mintActionsToken(repository: Repository, permissions: Permissions, runId: number): string
  /** The person's token, always the same. */
  mintPersonToken(account: Account): string
  mintInstallationToken(
    installation: Installation,
    narrowed?: { readonly permissions?: Permissions; readonly repositories?: ReadonlySet<number> },
  ): { token: string; expiresAtMs: number }
  revoke(token: string): void
  /** Of an Authorization header; refuses with 401. */
  identify(header: string | undefined): Identity
  /** Called after each change of a ref through any door, once its push webhook is queued; awaited one after the other. */
  onPush(listener: (push: Push) => void | Promise<void>): void
  /** Runs when the sandbox stops: end what you started. */
  onStop(end: () => void | Promise<void>): void
}

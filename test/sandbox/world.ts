import type { Clock } from './clock.ts'
import type { Faults } from './faults.ts'
import type { GitRepository } from './git/repository.ts'
import type { Identity } from './identity.ts'
import type { Account, App, Permissions, Repository, Store } from './store.ts'
import type { Webhooks } from './webhooks.ts'

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
  readonly webhooks: Webhooks
  readonly faults: Faults
  /** github-actions, the App behind GITHUB_TOKEN. */
  readonly actionsApp: App
  nextId(): number
  gitOf(repository: Repository): GitRepository
  /** Queues the webhook for each App that covers the repository and subscribed; the payload is a copy of this moment. */
  deliver(happening: Happening): void
  /** A `GITHUB_TOKEN`: github-actions[bot] in that repository with these permissions. Ends by `revoke`. */
  mintActionsToken(repository: Repository, permissions: Permissions, runId: number): string
  mintPersonToken(account: Account): string
  revoke(token: string): void
  identify(token: string): Identity | undefined
  /** Called after each change of a ref through any door, before its webhooks are sent. */
  onPush(listener: (push: Push) => void | Promise<void>): void
  /** Runs when the sandbox stops: end what you started. */
  onStop(end: () => void | Promise<void>): void
}

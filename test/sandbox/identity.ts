import type { Account, App, Installation, Permissions, Repository } from './store.ts'

/** Who asks. `actions` is the token of one workflow run (github-actions[bot]), bound to one repository. */
export type Identity =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'person'; readonly account: Account }
  | { readonly kind: 'app'; readonly app: App }
  | {
      readonly kind: 'installation'
      readonly app: App
      readonly installation: Installation
      readonly permissions: Permissions
      /** Repository ids the token was narrowed to; null = those of the installation. */
      readonly repositories: ReadonlySet<number> | null
    }
  | {
      readonly kind: 'actions'
      readonly app: App
      readonly repository: Repository
      readonly permissions: Permissions
      readonly runId: number
    }

/** The account that shows as author or sender; undefined for nobody and for an App's JWT. */
export function accountOf(identity: Identity): Account | undefined {
  switch (identity.kind) {
    case 'person':
      return identity.account
    case 'installation':
    case 'actions':
      return identity.app.bot
    default:
      return undefined
  }
}

/** The App behind the request, for `performed_via_github_app`. */
export const appOf = (identity: Identity): App | null =>
  identity.kind === 'installation' || identity.kind === 'actions' ? identity.app : null

/** As the request log and the rate limits name it. */
export const labelOf = (identity: Identity): string =>
  identity.kind === 'app' ? `${identity.app.slug} (app)` : (accountOf(identity)?.login ?? 'anonymous')

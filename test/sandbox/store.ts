/** What the sandbox remembers of accounts, repositories and Apps. Resources keep their own records in `perRepository`. */

export interface Account {
  readonly id: number
  login: string
  readonly type: 'User' | 'Organization' | 'Bot'
  name: string | null
  email: string | null
}

export const roles = ['none', 'read', 'triage', 'write', 'maintain', 'admin'] as const
export type Role = (typeof roles)[number]
export const atLeast = (role: Role, wanted: Role): boolean => roles.indexOf(role) >= roles.indexOf(wanted)

export interface Membership {
  role: 'member' | 'maintainer'
  state: 'active' | 'pending'
}

export interface Team {
  readonly id: number
  readonly organization: Account
  readonly slug: string
  name: string
  parent: Team | null
  /** By account id. */
  readonly members: Map<number, Membership>
}

export interface Repository {
  readonly id: number
  readonly owner: Account
  name: string
  description: string | null
  private: boolean
  defaultBranch: string
  archived: boolean
  hasIssues: boolean
  allowMergeCommit: boolean
  allowSquashMerge: boolean
  allowRebaseMerge: boolean
  deleteBranchOnMerge: boolean
  readonly createdAt: string
  pushedAt: string
  updatedAt: string
  /** Direct collaborators, by account id. */
  readonly collaborators: Map<number, Role>
  /** By team id. */
  readonly teams: Map<number, Role>
}

export type Level = 'read' | 'write' | 'admin'
export type Permissions = ReadonlyMap<string, Level>

export interface App {
  readonly id: number
  readonly slug: string
  name: string
  readonly clientId: string
  readonly owner: Account
  readonly bot: Account
  readonly publicKey: string
  readonly privateKey: string
  permissions: Permissions
  events: readonly string[]
  webhookUrl: string | null
  webhookSecret: string
  readonly hookId: number
  readonly createdAt: string
}

export interface Installation {
  readonly id: number
  readonly app: App
  readonly account: Account
  /** Repository ids; null = all repositories of the account, also future ones. */
  repositories: Set<number> | null
  permissions: Permissions
  events: readonly string[]
  suspendedAt: string | null
  readonly createdAt: string
}

export interface Store {
  readonly accounts: Map<number, Account>
  readonly organizationMembers: Map<number, Map<number, 'admin' | 'member'>>
  readonly teams: Map<number, Team>
  readonly repositories: Map<number, Repository>
  readonly apps: Map<number, App>
  readonly installations: Map<number, Installation>
}

export const createStore = (): Store => ({
  accounts: new Map(),
  organizationMembers: new Map(),
  teams: new Map(),
  repositories: new Map(),
  apps: new Map(),
  installations: new Map(),
})

const find = <T>(values: Iterable<T>, test: (value: T) => boolean): T | undefined => {
  for (const value of values) if (test(value)) return value
  return undefined
}

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

/** Logins, repository names and slugs are found whatever their case, as on GitHub. */
export const accountByLogin = (store: Store, login: string) =>
  find(store.accounts.values(), (a) => same(a.login, login))

export const repositoryByName = (store: Store, owner: string, name: string) =>
  find(store.repositories.values(), (r) => same(r.owner.login, owner) && same(r.name, name))

export const teamBySlug = (store: Store, organization: string, slug: string) =>
  find(store.teams.values(), (t) => same(t.organization.login, organization) && same(t.slug, slug))

export const appBySlug = (store: Store, slug: string) => find(store.apps.values(), (a) => same(a.slug, slug))

export const covers = (installation: Installation, repository: Repository): boolean =>
  installation.account === repository.owner &&
  installation.suspendedAt === null &&
  (installation.repositories === null || installation.repositories.has(repository.id))

export const fullName = (repository: Repository): string => `${repository.owner.login}/${repository.name}`

/** Whether the account is in the team or, as GitHub counts it, in one of its child teams. */
export function membershipOf(store: Store, team: Team, accountId: number): Membership | undefined {
  const direct = team.members.get(accountId)
  if (direct) return direct
  for (const child of store.teams.values()) {
    if (child.parent !== team) continue
    const inherited = membershipOf(store, child, accountId)
    if (inherited) return inherited
  }
  return undefined
}

/** The highest of: owner, organization owner, collaborator, team of the account; `read` for all on public repositories. */
export function roleOf(store: Store, repository: Repository, accountId: number): Role {
  if (repository.owner.id === accountId) return 'admin'
  const inOrganization = store.organizationMembers.get(repository.owner.id)?.get(accountId)
  if (inOrganization === 'admin') return 'admin'
  const found: Role[] = [
    repository.private ? 'none' : 'read',
    inOrganization ? 'read' : 'none',
    repository.collaborators.get(accountId) ?? 'none',
  ]
  for (const [teamId, role] of repository.teams) {
    const team = store.teams.get(teamId)
    if (team && membershipOf(store, team, accountId)?.state === 'active') found.push(role)
  }
  return found.reduce((best, role) => (atLeast(role, best) ? role : best))
}

/** A store of a resource of one repository, made when first asked for. */
export function perRepository<T>(make: () => T): (repository: Repository) => T {
  const made = new WeakMap<Repository, T>()
  return (repository) => {
    const known = made.get(repository)
    if (known !== undefined) return known
    const value = make()
    made.set(repository, value)
    return value
  }
}

import { accountOf } from '../identity.ts'
import {
  type Context,
  type Handler,
  noContent,
  notFound,
  ok,
  paged,
  Refusal,
  type Resource,
  reads,
  route,
} from '../router.ts'
import { type Body, repositoryUrl, rolePermissions, simpleTeamBody, userBody } from '../shapes/common.ts'
import {
  type Account,
  accountByLogin,
  atLeast,
  type Membership,
  membershipOf,
  type Role,
  roleOf,
  type Team,
  teamBySlug,
} from '../store.ts'

function accountAt(context: Context, name: string): Account {
  const account = accountByLogin(context.world.store, context.params[name] ?? '')
  if (!account) throw notFound()
  return account
}

function publicBody(context: Context, account: Account): Body {
  const { createdAt } = context.world.actionsApp
  return {
    ...userBody(context.world, account),
    name: account.name,
    company: null,
    blog: '',
    location: null,
    email: account.email,
    hireable: null,
    bio: null,
    twitter_username: null,
    public_repos: 0,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: createdAt,
    updated_at: createdAt,
  }
}

const viewer: Handler = (context) => {
  const account = accountOf(context.identity)
  if (!account) throw new Refusal(401, 'Requires authentication')
  if (account.type === 'Bot') throw new Refusal(403, 'Resource not accessible by integration')
  return ok(publicBody(context, account))
}

function organizationAt(context: Context): Account {
  const account = accountAt(context, 'org')
  if (account.type !== 'Organization') throw notFound()
  return account
}

function organizationBody(context: Context, account: Account): Body {
  const url = `${context.world.origin}/orgs/${account.login}`
  const { createdAt } = context.world.actionsApp
  const { node_id, avatar_url, html_url } = userBody(context.world, account)
  return {
    login: account.login,
    id: account.id,
    node_id,
    url,
    repos_url: `${url}/repos`,
    events_url: `${url}/events`,
    hooks_url: `${url}/hooks`,
    issues_url: `${url}/issues`,
    members_url: `${url}/members{/member}`,
    public_members_url: `${url}/public_members{/member}`,
    avatar_url,
    description: null,
    has_organization_projects: false,
    has_repository_projects: false,
    public_repos: 0,
    public_gists: 0,
    followers: 0,
    following: 0,
    html_url,
    type: 'Organization',
    created_at: createdAt,
    updated_at: createdAt,
    archived_at: null,
  }
}

/** Members and installations on the organization see its teams; to others it has none. */
function seesTeams(context: Context, organization: Account): boolean {
  const { identity, world } = context
  if (identity.kind === 'installation') return identity.installation.account === organization
  if (identity.kind !== 'person') return false
  return world.store.organizationMembers.get(organization.id)?.has(identity.account.id) ?? false
}

function teamAt(context: Context): Team {
  const team = teamBySlug(context.world.store, context.params['org'] ?? '', context.params['team_slug'] ?? '')
  if (!team || !seesTeams(context, team.organization)) throw notFound()
  return team
}

const parentBody = (context: Context, team: Team) => (team.parent ? simpleTeamBody(context.world, team.parent) : null)

const teamBody = (context: Context, team: Team): Body => ({
  ...simpleTeamBody(context.world, team),
  parent: parentBody(context, team),
})

const readTeam: Handler = (context) => {
  const team = teamAt(context)
  const { createdAt } = context.world.actionsApp
  return ok({
    ...teamBody(context, team),
    members_count: membersOf(context, team).length,
    repos_count: [...context.world.store.repositories.values()].filter((one) => one.teams.has(team.id)).length,
    created_at: createdAt,
    updated_at: createdAt,
    organization: organizationBody(context, team.organization),
  })
}

function membersOf(context: Context, team: Team): { account: Account; membership: Membership }[] {
  const { store } = context.world
  return [...store.accounts.values()].flatMap((account) => {
    const membership = membershipOf(store, team, account.id)
    return membership?.state === 'active' ? [{ account, membership }] : []
  })
}

const listMembers: Handler = (context) => {
  const team = teamAt(context)
  const role = context.query.get('role') ?? 'all'
  const found = membersOf(context, team).filter(({ membership }) => role === 'all' || membership.role === role)
  return paged(context, found, (page) =>
    page.map(({ account, membership }) => ({
      ...userBody(context.world, account),
      role: membership.role,
      inherited: !team.members.has(account.id),
    })),
  )
}

/** Owners of the organization show as maintainers, as on GitHub. */
const teamMembership: Handler = (context) => {
  const team = teamAt(context)
  const account = accountAt(context, 'username')
  const membership = membershipOf(context.world.store, team, account.id)
  if (!membership) throw notFound()
  const isOwner = context.world.store.organizationMembers.get(team.organization.id)?.get(account.id) === 'admin'
  const { url } = simpleTeamBody(context.world, team)
  return ok({
    url: `${url}/memberships/${account.login}`,
    role: isOwner ? 'maintainer' : membership.role,
    state: membership.state,
  })
}

const organizationMembership: Handler = (context) => {
  const organization = organizationAt(context)
  const account = accountAt(context, 'username')
  const role = context.world.store.organizationMembers.get(organization.id)?.get(account.id)
  if (role === undefined || !seesTeams(context, organization)) throw notFound()
  const {
    login,
    id,
    node_id,
    url,
    repos_url,
    events_url,
    hooks_url,
    issues_url,
    members_url,
    public_members_url,
    avatar_url,
    description,
  } = organizationBody(context, organization)
  return ok({
    url: `${String(url)}/memberships/${account.login}`,
    state: 'active',
    role,
    organization_url: url,
    organization: {
      login,
      id,
      node_id,
      url,
      repos_url,
      events_url,
      hooks_url,
      issues_url,
      members_url,
      public_members_url,
      avatar_url,
      description,
    },
    user: userBody(context.world, account),
  })
}

const isMember: Handler = (context) => {
  const organization = organizationAt(context)
  const account = accountAt(context, 'username')
  if (!seesTeams(context, organization)) throw notFound()
  if (!context.world.store.organizationMembers.get(organization.id)?.has(account.id)) throw notFound()
  return noContent()
}

const listTeams: Handler = (context) => {
  const organization = organizationAt(context)
  const teams = [...context.world.store.teams.values()].filter((team) => team.organization === organization)
  return paged(context, seesTeams(context, organization) ? teams : [], (page) =>
    page.map((team) => teamBody(context, team)),
  )
}

/** The four permissions of old, which hide maintain and triage. */
const legacy = {
  none: 'none',
  read: 'read',
  triage: 'read',
  write: 'write',
  maintain: 'write',
  admin: 'admin',
} as const satisfies Record<Role, string>

const collaborator = (context: Context, account: Account, role: Role): Body => ({
  ...userBody(context.world, account),
  permissions: rolePermissions(role),
  role_name: role,
})

const permission: Handler = (context) => {
  const account = accountAt(context, 'username')
  const role = roleOf(context.world.store, context.repository(), account.id)
  return ok({ permission: legacy[role], role_name: role, user: collaborator(context, account, role) })
}

/** Whoever has more than what everybody has of a public repository. */
function collaboratorsOf(context: Context): { account: Account; role: Role }[] {
  const { store } = context.world
  const repository = context.repository()
  return [...store.accounts.values()]
    .filter(({ type }) => type === 'User')
    .map((account) => ({ account, role: roleOf(store, repository, account.id) }))
    .filter(
      ({ account, role }) =>
        atLeast(role, 'triage') || repository.collaborators.has(account.id) || (repository.private && role !== 'none'),
    )
}

const listCollaborators: Handler = (context) =>
  paged(context, collaboratorsOf(context), (page) =>
    page.map(({ account, role }) => collaborator(context, account, role)),
  )

const isCollaborator: Handler = (context) => {
  const account = accountAt(context, 'username')
  if (!collaboratorsOf(context).some((one) => one.account === account)) throw notFound()
  return noContent()
}

const repositoryTeams: Handler = (context) => {
  const { teams } = context.repository()
  const found = [...teams].flatMap(([id, role]) => {
    const team = context.world.store.teams.get(id)
    const name = { none: 'none', read: 'pull', triage: 'triage', write: 'push', maintain: 'maintain', admin: 'admin' }[
      role
    ]
    return team
      ? [
          {
            ...teamBody(context, team),
            permission: name,
            permissions: rolePermissions(role),
            url: `${repositoryUrl(context.world, context.repository())}/teams/${team.slug}`,
          },
        ]
      : []
  })
  return paged(context, found)
}

const members = reads('members')

/** People, organizations, teams, and what they may do in a repository. */
export const people: Resource = {
  routes: [
    route('GET /user', 'anyone', viewer),
    route('GET /users/{username}', 'anyone', (context) => ok(publicBody(context, accountAt(context, 'username')))),
    route('GET /orgs/{org}', 'anyone', (context) => ok(organizationBody(context, organizationAt(context)))),
    route('GET /orgs/{org}/teams', members, listTeams),
    route('GET /orgs/{org}/teams/{team_slug}', members, readTeam),
    route('GET /orgs/{org}/teams/{team_slug}/members', members, listMembers),
    route('GET /orgs/{org}/teams/{team_slug}/memberships/{username}', members, teamMembership),
    route('GET /orgs/{org}/memberships/{username}', members, organizationMembership),
    route('GET /orgs/{org}/members/{username}', members, isMember),
    route('GET /repos/{owner}/{repo}/collaborators', reads('metadata'), listCollaborators),
    route('GET /repos/{owner}/{repo}/collaborators/{username}', reads('metadata'), isCollaborator),
    route('GET /repos/{owner}/{repo}/collaborators/{username}/permission', reads('metadata'), permission),
    route('GET /repos/{owner}/{repo}/teams', reads('administration'), repositoryTeams),
  ],
}

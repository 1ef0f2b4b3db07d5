import { createHash } from 'node:crypto'
import {
  type Account,
  type App,
  fullName,
  type Installation,
  type Permissions,
  type Repository,
  type Role,
  type Team,
} from '../store.ts'
import type { World } from '../world.ts'

export type Body = Record<string, unknown>

/** Opaque and stable, as node ids are: `PREFIX_` and 16 characters of a digest. */
export const nodeId = (prefix: string, id: number | string): string =>
  `${prefix}_kwDO${createHash('sha256').update(`${prefix}:${id}`).digest('base64url').slice(0, 16)}`

export const repositoryUrl = (world: World, repository: Repository): string =>
  `${world.origin}/repos/${fullName(repository)}`

/** What a browser would open. */
export const htmlUrl = (world: World, repository: Repository, rest = ''): string =>
  `${world.origin}/${fullName(repository)}${rest}`

const userLinks = {
  followers_url: '/followers',
  following_url: '/following{/other_user}',
  gists_url: '/gists{/gist_id}',
  starred_url: '/starred{/owner}{/repo}',
  subscriptions_url: '/subscriptions',
  organizations_url: '/orgs',
  repos_url: '/repos',
  events_url: '/events{/privacy}',
  received_events_url: '/received_events',
} as const

const withBase = (base: string, links: Readonly<Record<string, string>>): Body =>
  Object.fromEntries(Object.entries(links).map(([key, suffix]) => [key, base + suffix]))

/** GitHub's simple user. */
export function userBody(world: World, account: Account): Body {
  const login = encodeURIComponent(account.login)
  return {
    login: account.login,
    id: account.id,
    node_id: nodeId(account.type === 'Organization' ? 'O' : account.type === 'Bot' ? 'BOT' : 'U', account.id),
    avatar_url: `${world.origin}/avatars/u/${account.id}?v=4`,
    gravatar_id: '',
    url: `${world.origin}/users/${login}`,
    html_url: `${world.origin}/${account.type === 'Bot' ? `apps/${account.login.replace(/\[bot\]$/, '')}` : login}`,
    ...withBase(`${world.origin}/users/${login}`, userLinks),
    type: account.type,
    site_admin: false,
  }
}

export const userOrNull = (world: World, account: Account | null | undefined): Body | null =>
  account ? userBody(world, account) : null

const repositoryLinks = {
  archive_url: '/{archive_format}{/ref}',
  assignees_url: '/assignees{/user}',
  blobs_url: '/git/blobs{/sha}',
  branches_url: '/branches{/branch}',
  collaborators_url: '/collaborators{/collaborator}',
  comments_url: '/comments{/number}',
  commits_url: '/commits{/sha}',
  compare_url: '/compare/{base}...{head}',
  contents_url: '/contents/{+path}',
  contributors_url: '/contributors',
  deployments_url: '/deployments',
  downloads_url: '/downloads',
  events_url: '/events',
  forks_url: '/forks',
  git_commits_url: '/git/commits{/sha}',
  git_refs_url: '/git/refs{/sha}',
  git_tags_url: '/git/tags{/sha}',
  hooks_url: '/hooks',
  issue_comment_url: '/issues/comments{/number}',
  issue_events_url: '/issues/events{/number}',
  issues_url: '/issues{/number}',
  keys_url: '/keys{/key_id}',
  labels_url: '/labels{/name}',
  languages_url: '/languages',
  merges_url: '/merges',
  milestones_url: '/milestones{/number}',
  notifications_url: '/notifications{?since,all,participating}',
  pulls_url: '/pulls{/number}',
  releases_url: '/releases{/id}',
  stargazers_url: '/stargazers',
  statuses_url: '/statuses/{sha}',
  subscribers_url: '/subscribers',
  subscription_url: '/subscription',
  tags_url: '/tags',
  teams_url: '/teams',
  trees_url: '/git/trees{/sha}',
} as const

const epochSeconds = (iso: string): number => Math.floor(Date.parse(iso) / 1000)

/** As `push` alone shows it: epoch times, and an owner with name and e-mail. */
export function pushedRepositoryBody(world: World, repository: Repository): Body {
  const { owner } = repository
  return {
    ...repositoryBody(world, repository),
    owner: { ...userBody(world, owner), name: owner.login, email: owner.email },
    created_at: epochSeconds(repository.createdAt),
    pushed_at: epochSeconds(repository.pushedAt),
    stargazers: 0,
    master_branch: repository.defaultBranch,
  }
}

/** What every mention of a repository shows (also in minimal form). */
export function repositoryBody(world: World, repository: Repository): Body {
  const html = htmlUrl(world, repository)
  return {
    id: repository.id,
    node_id: nodeId('R', repository.id),
    name: repository.name,
    full_name: fullName(repository),
    private: repository.private,
    visibility: repository.private ? 'private' : 'public',
    owner: userBody(world, repository.owner),
    html_url: html,
    description: repository.description,
    fork: false,
    url: repositoryUrl(world, repository),
    ...withBase(repositoryUrl(world, repository), repositoryLinks),
    git_url: `${html.replace(/^http/, 'git')}.git`,
    ssh_url: `git@github.localhost:${fullName(repository)}.git`,
    clone_url: `${html}.git`,
    svn_url: html,
    mirror_url: null,
    homepage: null,
    language: null,
    license: null,
    forks_count: 0,
    stargazers_count: 0,
    watchers_count: 0,
    size: 0,
    default_branch: repository.defaultBranch,
    open_issues_count: 0,
    is_template: false,
    topics: [],
    has_issues: repository.hasIssues,
    has_projects: false,
    has_wiki: false,
    has_pages: false,
    has_downloads: true,
    has_discussions: false,
    archived: repository.archived,
    disabled: false,
    allow_forking: true,
    web_commit_signoff_required: false,
    allow_rebase_merge: repository.allowRebaseMerge,
    allow_squash_merge: repository.allowSquashMerge,
    allow_merge_commit: repository.allowMergeCommit,
    allow_auto_merge: false,
    delete_branch_on_merge: repository.deleteBranchOnMerge,
    custom_properties: {},
    forks: 0,
    open_issues: 0,
    watchers: 0,
    pushed_at: repository.pushedAt,
    created_at: repository.createdAt,
    updated_at: repository.updatedAt,
  }
}

export const rolePermissions = (role: Role): Record<string, boolean> => ({
  admin: role === 'admin',
  maintain: role === 'admin' || role === 'maintain',
  push: role === 'admin' || role === 'maintain' || role === 'write',
  triage: role !== 'none' && role !== 'read',
  pull: role !== 'none',
})

/** `GET /repos/{owner}/{repo}`. */
export function fullRepositoryBody(world: World, repository: Repository, role: Role): Body {
  const owner = repository.owner.type === 'Organization' ? { organization: userBody(world, repository.owner) } : {}
  return {
    ...repositoryBody(world, repository),
    ...owner,
    permissions: rolePermissions(role),
    subscribers_count: 0,
    network_count: 0,
  }
}

export const permissionsBody = (permissions: Permissions): Body => Object.fromEntries(permissions)

export function appBody(world: World, app: App): Body {
  return {
    id: app.id,
    client_id: app.clientId,
    slug: app.slug,
    node_id: nodeId('A', app.id),
    owner: userBody(world, app.owner),
    name: app.name,
    description: '',
    external_url: 'https://example.org',
    html_url: `${world.origin}/apps/${app.slug}`,
    created_at: app.createdAt,
    updated_at: app.createdAt,
    permissions: permissionsBody(app.permissions),
    events: app.events,
  }
}

export const appOrNull = (world: World, app: App | null): Body | null => (app ? appBody(world, app) : null)

export function installationBody(world: World, installation: Installation): Body {
  const { account, app } = installation
  return {
    id: installation.id,
    account: userBody(world, account),
    repository_selection: installation.repositories === null ? 'all' : 'selected',
    access_tokens_url: `${world.origin}/app/installations/${installation.id}/access_tokens`,
    repositories_url: `${world.origin}/installation/repositories`,
    html_url: `${world.origin}/settings/installations/${installation.id}`,
    app_id: app.id,
    client_id: app.clientId,
    app_slug: app.slug,
    target_id: account.id,
    target_type: account.type,
    permissions: permissionsBody(installation.permissions),
    events: installation.events,
    created_at: installation.createdAt,
    updated_at: installation.createdAt,
    single_file_name: null,
    has_multiple_single_files: false,
    single_file_paths: [],
    suspended_by: null,
    suspended_at: installation.suspendedAt,
  }
}

export function simpleTeamBody(world: World, team: Team): Body {
  const url = `${world.origin}/organizations/${team.organization.id}/team/${team.id}`
  return {
    id: team.id,
    node_id: nodeId('T', team.id),
    name: team.name,
    slug: team.slug,
    description: null,
    privacy: 'closed',
    notification_setting: 'notifications_enabled',
    permission: 'pull',
    url,
    html_url: `${world.origin}/orgs/${team.organization.login}/teams/${team.slug}`,
    members_url: `${url}/members{/member}`,
    repositories_url: `${url}/repos`,
    type: 'organization',
    organization_id: team.organization.id,
  }
}

/**
 * Computed without a viewer, as GitHub does: members of an organization whose membership is private (all, here) show as
 * NONE, so it never says more than ownership and direct collaboration.
 */
export function authorAssociation(repository: Repository, account: Account): string {
  if (repository.owner.id === account.id) return 'OWNER'
  return repository.collaborators.has(account.id) ? 'COLLABORATOR' : 'NONE'
}

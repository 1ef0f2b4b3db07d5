import { canSee } from '../access.ts'
import { zeroOid } from '../git/repository.ts'
import { labelOf } from '../identity.ts'
import {
  answer,
  type Context,
  type Handler,
  notFound,
  ok,
  paged,
  type Resource,
  reads,
  route,
  writes,
} from '../router.ts'
import { fullRepositoryBody, nodeId, repositoryBody, userBody } from '../shapes/common.ts'
import { accountByLogin, perRepository, type Repository, type Role, roleOf } from '../store.ts'
import type { Push } from '../world.ts'

interface Activity extends Push {
  readonly id: number
  readonly at: string
}

/** Every move of a ref, oldest first: the repository's own log of pushes. */
const activityOf = perRepository((): Activity[] => [])

const viewerRole = ({ world, identity }: Context, repository: Repository): Role =>
  identity.kind === 'person' ? roleOf(world.store, repository, identity.account.id) : 'read'

interface RepositoryChange {
  readonly description?: string
  readonly private?: boolean
  readonly default_branch?: string
  readonly archived?: boolean
  readonly has_issues?: boolean
  readonly allow_merge_commit?: boolean
  readonly allow_squash_merge?: boolean
  readonly allow_rebase_merge?: boolean
  readonly delete_branch_on_merge?: boolean
}

const fields = {
  description: 'description',
  private: 'private',
  default_branch: 'defaultBranch',
  archived: 'archived',
  has_issues: 'hasIssues',
  allow_merge_commit: 'allowMergeCommit',
  allow_squash_merge: 'allowSquashMerge',
  allow_rebase_merge: 'allowRebaseMerge',
  delete_branch_on_merge: 'deleteBranchOnMerge',
} as const satisfies Record<keyof RepositoryChange, keyof Repository>

const update: Handler = (context) => {
  const { world } = context
  const repository = context.repository()
  const request = context.body as RepositoryChange
  for (const [name, field] of Object.entries(fields)) {
    const value = request[name as keyof RepositoryChange]
    if (value !== undefined) Object.assign(repository, { [field]: value })
  }
  repository.updatedAt = world.clock.now()
  world.deliver({
    event: 'repository',
    action: 'edited',
    repository,
    sender: context.actor(),
    payload: { changes: {} },
  })
  return ok(fullRepositoryBody(world, repository, viewerRole(context, repository)))
}

const ofOwner =
  (name: string): Handler =>
  (context) => {
    const { world, identity } = context
    const owner = accountByLogin(world.store, context.params[name] ?? '')
    if (!owner) throw notFound()
    const found = [...world.store.repositories.values()].filter(
      (one) => one.owner === owner && canSee(world.store, identity, one),
    )
    return paged(context, found, (page) => page.map((one) => repositoryBody(world, one)))
  }

const typeOf = ({ before, after, forced }: Activity): string =>
  before === zeroOid ? 'branch_creation' : after === zeroOid ? 'branch_deletion' : forced ? 'force_push' : 'push'

/** Told in pages by cursors, as GitHub does: `after` is the last one of the page before. */
const listActivity: Handler = (context) => {
  const { query, world } = context
  const [ref, actor, type] = [query.get('ref'), query.get('actor'), query.get('activity_type')]
  const found = activityOf(context.repository())
    .filter((one) => ref === null || one.ref === ref || one.ref === `refs/heads/${ref}`)
    .filter((one) => actor === null || one.by.login.toLowerCase() === actor.toLowerCase())
    .filter((one) => type === null || typeOf(one) === type)
  const all = query.get('direction') === 'asc' ? found : found.toReversed()
  const perPage = Math.min(100, Math.max(1, Number(query.get('per_page') ?? 30) || 30))
  const after = query.get('after')
  const start = after === null ? 0 : all.findIndex(({ id }) => String(id) === after) + 1
  const page = all.slice(start, start + perPage)
  const body = page.map((one) => ({
    id: one.id,
    node_id: nodeId('PSH', one.id),
    before: one.before,
    after: one.after,
    ref: one.ref,
    timestamp: one.at,
    activity_type: typeOf(one),
    actor: userBody(world, one.by),
  }))
  const last = page.at(-1)
  if (!last || start + perPage >= all.length) return ok(body)
  const onward = new URLSearchParams(query)
  onward.set('after', String(last.id))
  return answer(200, body, { link: `<${world.origin}${context.requestPath}?${onward}>; rel="next"` })
}

/** Asking costs nothing. */
const rateLimit: Handler = ({ world, identity }) => {
  const [core, graphql] = (['core', 'graphql'] as const).map((bucket) => world.rateLimits.of(labelOf(identity), bucket))
  return ok({ resources: { core, search: core, graphql }, rate: core })
}

/** Repositories themselves, and what was pushed to them. */
export const repositories: Resource = {
  routes: [
    route('GET /repos/{owner}/{repo}', reads('metadata'), (context) => {
      const repository = context.repository()
      return ok(fullRepositoryBody(context.world, repository, viewerRole(context, repository)))
    }),
    route('PATCH /repos/{owner}/{repo}', writes('administration', { person: 'admin' }), update),
    route('GET /orgs/{org}/repos', reads('metadata'), ofOwner('org')),
    route('GET /users/{username}/repos', reads('metadata'), ofOwner('username')),
    route('GET /repos/{owner}/{repo}/activity', reads('contents'), listActivity),
    route('GET /rate_limit', 'anyone', rateLimit),
  ],
  start: (world) =>
    world.onPush(
      (push) => void activityOf(push.repository).push({ ...push, id: world.nextId(), at: world.clock.now() }),
    ),
}

import {
  type Context,
  created,
  type Handler,
  ok,
  paged,
  type Resource,
  reads,
  route,
  unprocessable,
  writes,
} from '../router.ts'
import { type Body, nodeId, repositoryBody, repositoryUrl, userBody } from '../shapes/common.ts'
import { commitBody } from '../shapes/git.ts'
import { type CommitStatus, statusesOf } from './check-state.ts'

/** GitHub refuses more than 1,000 of one context on a commit. */
const mostStatuses = 1000
const mostDescription = 140

async function oidAt(context: Context, name: string): Promise<string> {
  const revision = context.params[name] ?? ''
  const oid = await context.git().resolveCommit(revision)
  if (oid === undefined) throw unprocessable(`No commit found for SHA: ${revision}`)
  return oid
}

function bodyOf(context: Context, status: CommitStatus): Body {
  const creator = userBody(context.world, status.creator)
  return {
    url: `${repositoryUrl(context.world, context.repository())}/statuses/${status.oid}`,
    avatar_url: creator['avatar_url'],
    id: status.id,
    node_id: nodeId('SC', status.id),
    state: status.state,
    description: status.description,
    target_url: status.targetUrl,
    context: status.context,
    created_at: status.createdAt,
    updated_at: status.createdAt,
    creator,
  }
}

const create: Handler = async (context) => {
  const { world } = context
  const repository = context.repository()
  const oid = await oidAt(context, 'sha')
  const request = context.body as {
    state: CommitStatus['state']
    target_url?: string | null
    description?: string | null
    context?: string
  }
  const name = request.context ?? 'default'
  if ([...(request.description ?? '')].length > mostDescription)
    throw unprocessable(`description is too long (maximum is ${mostDescription} characters)`)
  const known = statusesOf(repository).filter((status) => status.oid === oid && status.context === name)
  if (known.length >= mostStatuses) {
    throw unprocessable('This SHA and context has reached the maximum number of statuses.')
  }
  const status: CommitStatus = {
    id: world.nextId(),
    oid,
    state: request.state,
    context: name,
    description: request.description ?? null,
    targetUrl: request.target_url ?? null,
    creator: context.actor(),
    createdAt: world.clock.now(),
  }
  statusesOf(repository).push(status)
  const commit = await context.git().readCommit(oid)
  const { id, state, description, targetUrl, createdAt } = status
  world.deliver({
    event: 'status',
    repository,
    sender: status.creator,
    payload: {
      id,
      sha: oid,
      name: `${repository.owner.login}/${repository.name}`,
      target_url: targetUrl,
      context: name,
      description,
      state,
      commit: commit ? commitBody(world, repository, commit) : null,
      branches: [],
      created_at: createdAt,
      updated_at: createdAt,
    },
  })
  return created(bodyOf(context, status))
}

const list: Handler = async (context) => {
  const oid = await oidAt(context, 'ref')
  const found = statusesOf(context.repository()).filter((status) => status.oid === oid)
  return paged(context, found.toReversed(), (page) => page.map((status) => bodyOf(context, status)))
}

const combined: Handler = async (context) => {
  const { world } = context
  const repository = context.repository()
  const oid = await oidAt(context, 'ref')
  const latest = new Map(
    statusesOf(repository)
      .filter((status) => status.oid === oid)
      .map((status) => [status.context, status]),
  )
  const states = [...latest.values()].map(({ state }) => state)
  const isFailed = states.some((state) => state === 'failure' || state === 'error')
  const state = isFailed ? 'failure' : states.length === 0 || states.includes('pending') ? 'pending' : 'success'
  const url = `${repositoryUrl(world, repository)}/commits/${oid}`
  return ok({
    state,
    statuses: [...latest.values()].map((status) => bodyOf(context, status)),
    sha: oid,
    total_count: latest.size,
    repository: repositoryBody(world, repository),
    commit_url: url,
    url: `${url}/status`,
  })
}

/** Commit statuses: another namespace than check runs. */
export const statuses: Resource = {
  routes: [
    route('POST /repos/{owner}/{repo}/statuses/{sha}', writes('statuses'), create),
    route('GET /repos/{owner}/{repo}/commits/{ref}/statuses', reads('statuses'), list),
    route('GET /repos/{owner}/{repo}/commits/{ref}/status', reads('statuses'), combined),
  ],
}

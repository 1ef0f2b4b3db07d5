import { may } from '../access.ts'
import { changeRefs } from '../git/ref-update.ts'
import type { GitRepository } from '../git/repository.ts'
import { zeroOid } from '../git/repository.ts'
import { accountOf, appOf } from '../identity.ts'
import { addIssue, conversationsOf, type Issue, type Pull, type PullStats } from '../records.ts'
import {
  answer,
  type Context,
  created,
  type Handler,
  invalid,
  noContent,
  notFound,
  ok,
  paged,
  Refusal,
  type Resource,
  reads,
  route,
  unprocessable,
  writes,
} from '../router.ts'
import { userBody } from '../shapes/common.ts'
import { pullBody, simplePullBody } from '../shapes/conversation.ts'
import { commitBody, diffEntryBody } from '../shapes/git.ts'
import { accountByLogin, type Repository } from '../store.ts'
import type { Push, World } from '../world.ts'
import { checkText, editIssue, mostBodyCharacters, mostTitleCharacters, tell } from './issues.ts'
import { mergeability, mergePull } from './pull-merge.ts'

export type PullIssue = Issue & { pull: Pull }
export const isPull = (issue: Issue): issue is PullIssue => issue.pull !== null

export function pullAt(context: Context): PullIssue {
  const issue = conversationsOf(context.repository()).issues.get(Number(context.params['pull_number']))
  if (!issue || !isPull(issue)) throw notFound()
  return issue
}

export const pullsOf = (repository: Repository): PullIssue[] =>
  [...conversationsOf(repository).issues.values()].filter(isPull)

/** Commits and changed lines of the head since it left the base. */
async function statsOf(git: GitRepository, baseOid: string, headOid: string): Promise<PullStats> {
  const [commits, mergeBase] = await Promise.all([
    git.listCommits([headOid, `^${baseOid}`]),
    git.mergeBase(baseOid, headOid),
  ])
  const files = await git.changedFiles(mergeBase, headOid)
  const sum = (key: 'additions' | 'deletions') => files.reduce((total, file) => total + file[key], 0)
  return {
    commits: commits.length,
    additions: sum('additions'),
    deletions: sum('deletions'),
    changedFiles: files.length,
  }
}

const list: Handler = (context) => {
  const { query, world } = context
  const repository = context.repository()
  const state = query.get('state') ?? 'open'
  const [head, base] = [query.get('head'), query.get('base')]
  const order = query.get('sort') === 'updated' ? ('updatedAt' as const) : ('createdAt' as const)
  const found = pullsOf(repository)
    .filter((issue) => state === 'all' || issue.state === state)
    .filter(
      (issue) =>
        head === null || `${repository.owner.login}:${issue.pull.headRef}`.toLowerCase() === head.toLowerCase(),
    )
    .filter((issue) => base === null || issue.pull.baseRef === base)
    .sort((a, b) => Date.parse(b[order]) - Date.parse(a[order]) || b.number - a.number)
  const isAscending = query.get('direction') === 'asc'
  const page = paged(context, isAscending ? found.toReversed() : found)
  return { ...page, body: (page.body as Issue[]).map((issue) => simplePullBody(world, repository, issue)) }
}

interface NewPull {
  readonly title?: string
  readonly head: string
  readonly base: string
  readonly body?: string | null
  readonly draft?: boolean
}

const create: Handler = async (context) => {
  const { world, identity } = context
  const repository = context.repository()
  const git = context.git()
  const body = context.body as unknown as NewPull
  const title = body.title ?? ''
  if (title.trim() === '') throw invalid('PullRequest', 'title', 'missing_field')
  checkText('PullRequest', 'title', title, mostTitleCharacters)
  checkText('PullRequest', 'body', body.body, mostBodyCharacters)
  const colon = body.head.indexOf(':')
  const isElsewhere = colon > 0 && body.head.slice(0, colon).toLowerCase() !== repository.owner.login.toLowerCase()
  const headRef = colon > 0 ? body.head.slice(colon + 1) : body.head
  const headOid = isElsewhere ? undefined : await git.readRef(`refs/heads/${headRef}`)
  if (headOid === undefined) throw invalid('PullRequest', 'head', 'invalid')
  const baseOid = await git.readRef(`refs/heads/${body.base}`)
  if (baseOid === undefined) throw invalid('PullRequest', 'base', 'invalid')
  const custom = (message: string) =>
    new Refusal(422, 'Validation Failed', [{ resource: 'PullRequest', code: 'custom', message }])
  const isSame = (issue: PullIssue) => issue.pull.headRef === headRef && issue.pull.baseRef === body.base
  const refuseSecond = () => {
    if (pullsOf(repository).some((issue) => issue.state === 'open' && isSame(issue)))
      throw custom(`A pull request already exists for ${repository.owner.login}:${headRef}.`)
  }
  refuseSecond()
  if ((await git.mergeBase(baseOid, headOid)) === undefined) {
    throw custom(`The ${headRef} branch has no history in common with ${body.base}`)
  }
  const stats = await statsOf(git, baseOid, headOid)
  if (stats.commits === 0) throw custom(`No commits between ${body.base} and ${headRef}`)
  /** Another may have opened it while git was asked. */
  refuseSecond()
  const issue = addIssue(world, repository, {
    title,
    body: body.body ?? null,
    author: context.actor(),
    app: appOf(identity),
  })
  issue.pull = {
    id: world.nextId(),
    headRef,
    baseRef: body.base,
    headOid,
    baseOid,
    draft: body.draft ?? false,
    mergedAt: null,
    isLanding: false,
    mergedBy: null,
    mergeCommitOid: null,
    reviewers: [],
    stats,
  }
  tell(context, issue, 'opened')
  return created(pullBody(world, repository, issue, { mergeable: null, state: 'unknown' }))
}

const read: Handler = async (context) => {
  const issue = pullAt(context)
  return ok(
    pullBody(
      context.world,
      context.repository(),
      issue,
      await mergeability(context.world, context.repository(), issue),
    ),
  )
}

interface PullChange {
  readonly title?: string
  readonly body?: string | null
  readonly state?: 'open' | 'closed'
  readonly base?: string
}

const update: Handler = async (context) => {
  const { world, identity } = context
  const repository = context.repository()
  const git = context.git()
  const issue = pullAt(context)
  const change = context.body as PullChange
  const isAuthor = accountOf(identity) === issue.author
  if (!isAuthor && !may(world.store, identity, repository, ['pull_requests'], 'write')) throw notFound()
  if (change.state === 'open' && issue.state === 'closed') {
    if (issue.pull.mergedAt !== null)
      throw invalid('PullRequest', 'state', 'invalid', 'state cannot be changed. The pull request is merged.')
    if ((await git.readRef(`refs/heads/${issue.pull.headRef}`)) === undefined) {
      const message = `state cannot be changed. The ${issue.pull.headRef} branch has been deleted.`
      throw invalid('PullRequest', 'state', 'invalid', message)
    }
  }
  if (change.base !== undefined && change.base !== issue.pull.baseRef) {
    const baseOid = await git.readRef(`refs/heads/${change.base}`)
    if (baseOid === undefined) throw invalid('PullRequest', 'base', 'invalid')
    const from = { ref: { from: issue.pull.baseRef }, sha: { from: issue.pull.baseOid } }
    const stats = await statsOf(git, baseOid, issue.pull.headOid)
    Object.assign(issue.pull, { baseRef: change.base, baseOid, stats })
    tell(context, issue, 'edited', { changes: { base: from } })
  }
  editIssue(context, issue, change)
  return ok(pullBody(world, repository, issue, await mergeability(world, repository, issue)))
}

const listFiles: Handler = async (context) => {
  const { pull } = pullAt(context)
  const git = context.git()
  const files = await git.changedFiles(await git.mergeBase(pull.baseOid, pull.headOid), pull.headOid)
  return paged(context, files.slice(0, 3000), (page) =>
    page.map((file) => diffEntryBody(context.world, context.repository(), pull.headOid, file)),
  )
}

/** At most 250, oldest first. */
const listCommits: Handler = async (context) => {
  const { pull } = pullAt(context)
  const git = context.git()
  const oids = await git.listCommits([pull.headOid, `^${pull.baseOid}`], ['--reverse'])
  const page = paged(context, oids.slice(0, 250))
  const commits = await git.readCommits(page.body as string[])
  return { ...page, body: commits.map((commit) => commitBody(context.world, context.repository(), commit)) }
}

const requestReviewers =
  (isAdded: boolean): Handler =>
  (context) => {
    const { world } = context
    const issue = pullAt(context)
    for (const login of (context.body as { reviewers?: string[] }).reviewers ?? []) {
      const account = accountByLogin(world.store, login)
      const isKnown = account !== undefined && issue.pull.reviewers.includes(account)
      if (!account || account === issue.author) {
        throw unprocessable(
          'Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator.',
        )
      }
      if (isKnown === isAdded) continue
      issue.pull.reviewers = isAdded
        ? [...issue.pull.reviewers, account]
        : issue.pull.reviewers.filter((one) => one !== account)
      const requested = { requested_reviewer: userBody(world, account) }
      tell(context, issue, isAdded ? 'review_requested' : 'review_request_removed', requested)
    }
    const body = simplePullBody(world, context.repository(), issue)
    return isAdded ? created(body) : ok(body)
  }

const updateBranch: Handler = async (context) => {
  const { world, identity } = context
  const git = context.git()
  const issue = pullAt(context)
  const expected = (context.body as { expected_head_sha?: string }).expected_head_sha
  if (expected !== undefined && expected !== issue.pull.headOid)
    throw unprocessable('expected head sha didn’t match current head ref.')
  const base = (await git.readRef(`refs/heads/${issue.pull.baseRef}`)) ?? zeroOid
  if (await git.isAncestor(base, issue.pull.headOid))
    throw unprocessable('There are no new commits on the base branch.')
  const oid = await mergePull.commit(context, {
    ours: issue.pull.headOid,
    theirs: base,
    message: `Merge branch '${issue.pull.baseRef}' into ${issue.pull.headRef}`,
  })
  if (oid === undefined) throw unprocessable('merge conflict between base and head')
  const change = { ref: `refs/heads/${issue.pull.headRef}`, after: oid, before: issue.pull.headOid }
  const outcome = await changeRefs(world, context.repository(), identity, [change])
  if (outcome.kind !== 'done') throw unprocessable('Update is not a fast forward')
  return answer(202, {
    message: 'Updating pull request branch.',
    url: simplePullBody(world, context.repository(), issue)['html_url'],
  })
}

const ofCommit: Handler = async (context) => {
  const { world } = context
  const repository = context.repository()
  const git = context.git()
  const oid = await git.resolveCommit(context.params['commit_sha'] ?? '')
  if (oid === undefined) throw unprocessable(`No commit found for SHA: ${context.params['commit_sha']}`)
  const found: PullIssue[] = []
  for (const issue of pullsOf(repository)) {
    const { headOid, baseOid, mergeCommitOid } = issue.pull
    const isIn = (await git.isAncestor(oid, headOid)) && !(await git.isAncestor(oid, baseOid))
    if (isIn || (mergeCommitOid === oid && issue.pull.mergedAt !== null)) found.push(issue)
  }
  return paged(context, found, (page) => page.map((issue) => simplePullBody(world, repository, issue)))
}

/** A push to a head synchronises its pull requests; a deleted head closes them; a base that holds the head has merged them. */
async function follow(world: World, push: Push): Promise<void> {
  const { repository, after } = push
  if (!push.ref.startsWith('refs/heads/')) return
  const branch = push.ref.slice('refs/heads/'.length)
  const git = world.gitOf(repository)
  for (const issue of pullsOf(repository)) {
    if (issue.state !== 'open' || issue.pull.isLanding) continue
    if (issue.pull.headRef === branch) await followHead(world, push, issue)
    else if (issue.pull.baseRef === branch && after !== zeroOid && (await git.isAncestor(issue.pull.headOid, after))) {
      const now = world.clock.now()
      Object.assign(issue, { state: 'closed', closedAt: now, closedBy: push.by, updatedAt: now })
      Object.assign(issue.pull, { mergedAt: now, mergedBy: push.by, mergeCommitOid: after })
      announce(world, push, issue, 'closed')
    }
  }
}

async function followHead(world: World, push: Push, issue: PullIssue): Promise<void> {
  const { repository, before, after } = push
  const now = world.clock.now()
  issue.updatedAt = now
  if (after === zeroOid) {
    Object.assign(issue, { state: 'closed', closedAt: now, closedBy: push.by })
    announce(world, push, issue, 'closed')
    return
  }
  const git = world.gitOf(repository)
  const baseOid = (await git.readRef(`refs/heads/${issue.pull.baseRef}`)) ?? issue.pull.baseOid
  Object.assign(issue.pull, { headOid: after, baseOid, stats: await statsOf(git, baseOid, after) })
  announce(world, push, issue, 'synchronize', { before, after })
}

function announce(world: World, { repository, by }: Push, issue: PullIssue, action: string, more: object = {}): void {
  const payload = { number: issue.number, pull_request: pullBody(world, repository, issue), ...more }
  world.deliver({ event: 'pull_request', action, repository, sender: by, payload })
}

/** Pull requests from a branch of the repository to another one. */
export const pulls: Resource = {
  routes: [
    route('GET /repos/{owner}/{repo}/pulls', reads('pull_requests'), list),
    route('POST /repos/{owner}/{repo}/pulls', writes('pull_requests', { person: 'read' }), create),
    route('GET /repos/{owner}/{repo}/pulls/{pull_number}', reads('pull_requests'), read),
    route('PATCH /repos/{owner}/{repo}/pulls/{pull_number}', writes('pull_requests', { person: 'read' }), update),
    route('GET /repos/{owner}/{repo}/pulls/{pull_number}/files', reads('pull_requests'), listFiles),
    route('GET /repos/{owner}/{repo}/pulls/{pull_number}/commits', reads('pull_requests'), listCommits),
    route('GET /repos/{owner}/{repo}/pulls/{pull_number}/comments', reads('pull_requests'), (context) => {
      pullAt(context)
      return ok([])
    }),
    route('GET /repos/{owner}/{repo}/pulls/{pull_number}/merge', reads('contents'), (context) => {
      if (pullAt(context).pull.mergedAt === null) throw notFound()
      return noContent()
    }),
    route('PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge', writes('contents'), async (context) => {
      const oid = await mergePull.run(context, pullAt(context))
      return ok({ sha: oid, merged: true, message: 'Pull Request successfully merged' })
    }),
    route('PUT /repos/{owner}/{repo}/pulls/{pull_number}/update-branch', writes('contents'), updateBranch),
    route(
      'POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers',
      writes('pull_requests'),
      requestReviewers(true),
    ),
    route(
      'DELETE /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers',
      writes('pull_requests'),
      requestReviewers(false),
    ),
    route('GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls', reads('contents'), ofCommit),
  ],
  start: (world) => world.onPush((push) => follow(world, push)),
}

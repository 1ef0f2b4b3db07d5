import { may } from '../access.ts'
import { accountOf, appOf } from '../identity.ts'
import { addIssue, conversationsOf, type Issue, labelNamed } from '../records.ts'
import {
  type Access,
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
  writes,
} from '../router.ts'
import { type Body, userBody } from '../shapes/common.ts'
import { issueBody, labelBody, pullBody } from '../shapes/conversation.ts'
import { accountByLogin, roleOf } from '../store.ts'

export const mostBodyCharacters = 65_536
export const mostTitleCharacters = 256

/** Endpoints of issues serve pull requests too, and take the permission of either. */
const either = ['issues', 'pull_requests']
const readsEither: Access = reads(either)
const writesAsReader: Access = writes(either, { person: 'read' })
const writesAsTriage: Access = writes(either, { person: 'triage' })

export function checkText(resource: string, field: string, text: string | null | undefined, most: number): void {
  if (text !== undefined && text !== null && [...text].length > most) {
    throw invalid(resource, field, 'custom', `${field} is too long (maximum is ${most} characters)`)
  }
}

/** An App may touch an issue with `issues`, a pull request with `issues` or `pull_requests`. */
function guard({ world, identity, repository }: Context, issue: Issue, level: 'read' | 'write'): void {
  const names = issue.pull ? either : ['issues']
  if (identity.kind !== 'person' && !may(world.store, identity, repository(), names, level)) {
    throw new Refusal(403, 'Resource not accessible by integration')
  }
}

export function issueAt(context: Context, level: 'read' | 'write' = 'read'): Issue {
  const repository = context.repository()
  const issue = conversationsOf(repository).issues.get(Number(context.params['issue_number']))
  if (!issue) throw notFound()
  if (!repository.hasIssues && !issue.pull) throw new Refusal(410, 'Issues are disabled for this repo')
  guard(context, issue, level)
  return issue
}

export const canTriage = ({ world, identity, repository }: Context): boolean =>
  may(world.store, identity, repository(), either, 'write', 'triage')

/** Tells of an issue as `issues`, of a pull request as `pull_request`. */
export function tell(context: Context, issue: Issue, action: string, more: Body = {}): void {
  const { world } = context
  const repository = context.repository()
  issue.updatedAt = world.clock.now()
  const payload = issue.pull
    ? { number: issue.number, pull_request: pullBody(world, repository, issue) }
    : { issue: issueBody(world, repository, issue) }
  world.deliver({
    event: issue.pull ? 'pull_request' : 'issues',
    action,
    repository,
    sender: context.actor(),
    payload: { ...payload, ...more },
  })
}

const listIssues: Handler = (context) => {
  const { query, world } = context
  const repository = context.repository()
  const state = query.get('state') ?? 'open'
  const wanted = (query.get('labels') ?? '')
    .split(',')
    .filter(Boolean)
    .map((name) => name.toLowerCase())
  const [creator, assignee, since] = [query.get('creator'), query.get('assignee'), query.get('since')]
  const order = query.get('sort') === 'updated' ? ('updatedAt' as const) : ('createdAt' as const)
  const issues = [...conversationsOf(repository).issues.values()]
    .filter((issue) => state === 'all' || issue.state === state)
    .filter((issue) => wanted.every((name) => issue.labels.some((label) => label.name.toLowerCase() === name)))
    .filter((issue) => creator === null || issue.author.login.toLowerCase() === creator.toLowerCase())
    .filter((issue) => assignee === null || assignee === '*' || issue.assignees.some((one) => one.login === assignee))
    .filter((issue) => since === null || Date.parse(issue.updatedAt) >= Date.parse(since))
    .sort((a, b) => Date.parse(b[order]) - Date.parse(a[order]) || b.number - a.number)
  const ordered = query.get('direction') === 'asc' ? issues.toReversed() : issues
  const page = paged(context, ordered)
  return { ...page, body: (page.body as Issue[]).map((issue) => issueBody(world, repository, issue)) }
}

interface IssueWrite {
  readonly title?: string | number | null
  readonly body?: string | null
  readonly state?: 'open' | 'closed'
  readonly state_reason?: string | null
  readonly labels?: readonly (string | { readonly name?: string })[]
  readonly assignee?: string | null
  readonly assignees?: readonly string[]
}

const namesOf = (labels: readonly (string | { readonly name?: string })[]): string[] =>
  labels.map((label) => (typeof label === 'string' ? label : (label.name ?? ''))).filter((name) => name !== '')

const accountsOf = (context: Context, logins: readonly string[]) =>
  logins.flatMap((login) => {
    const account = accountByLogin(context.world.store, login)
    return account && roleOf(context.world.store, context.repository(), account.id) !== 'none' ? [account] : []
  })

const createIssue: Handler = (context) => {
  const { world, identity } = context
  const repository = context.repository()
  if (!repository.hasIssues) throw new Refusal(410, 'Issues are disabled for this repo')
  const body = context.body as IssueWrite
  const title = String(body.title ?? '')
  if (title.trim() === '') throw invalid('Issue', 'title', 'missing_field')
  checkText('Issue', 'title', title, mostTitleCharacters)
  checkText('Issue', 'body', body.body, mostBodyCharacters)
  const issue = addIssue(world, repository, {
    title,
    body: body.body ?? null,
    author: context.actor(),
    app: appOf(identity),
  })
  // Without push access GitHub drops these silently.
  if (canTriage(context)) {
    issue.labels = namesOf(body.labels ?? []).map((name) => labelNamed(world, repository, name))
    issue.assignees = accountsOf(context, [...(body.assignees ?? []), ...(body.assignee ? [body.assignee] : [])])
  }
  tell(context, issue, 'opened')
  for (const label of issue.labels) tell(context, issue, 'labeled', { label: labelBody(world, repository, label) })
  for (const assignee of issue.assignees) tell(context, issue, 'assigned', { assignee: userBody(world, assignee) })
  return created(issueBody(world, repository, issue))
}

function setLabels(context: Context, issue: Issue, names: readonly string[]): void {
  const { world } = context
  const repository = context.repository()
  const labels = [...new Set(names.map((name) => labelNamed(world, repository, name)))]
  const added = labels.filter((label) => !issue.labels.includes(label))
  const removed = issue.labels.filter((label) => !labels.includes(label))
  issue.labels = labels
  for (const label of added) tell(context, issue, 'labeled', { label: labelBody(world, repository, label) })
  for (const label of removed) tell(context, issue, 'unlabeled', { label: labelBody(world, repository, label) })
}

/** Title, body and state, with the webhooks GitHub sends; shared with pull requests. */
export function editIssue(
  context: Context,
  issue: Issue,
  body: Pick<IssueWrite, 'title' | 'body' | 'state' | 'state_reason'>,
): void {
  const { world } = context
  const changes: Body = {}
  if (body.title !== undefined && body.title !== null && String(body.title) !== issue.title) {
    const title = String(body.title)
    if (title.trim() === '') throw invalid('Issue', 'title', 'missing_field')
    checkText('Issue', 'title', title, mostTitleCharacters)
    changes['title'] = { from: issue.title }
    issue.title = title
  }
  checkText('Issue', 'body', body.body, mostBodyCharacters)
  if (body.body !== undefined && body.body !== issue.body) {
    changes['body'] = { from: issue.body ?? '' }
    issue.body = body.body
  }
  if (Object.keys(changes).length > 0) tell(context, issue, 'edited', { changes })
  if (body.state !== undefined && body.state !== issue.state) {
    const isClosed = body.state === 'closed'
    issue.state = body.state
    issue.closedAt = isClosed ? world.clock.now() : null
    issue.closedBy = isClosed ? context.actor() : null
    issue.stateReason = issue.pull ? null : isClosed ? (body.state_reason ?? 'completed') : 'reopened'
    tell(context, issue, isClosed ? 'closed' : 'reopened')
  }
}

const updateIssue: Handler = (context) => {
  const { world } = context
  const repository = context.repository()
  const issue = issueAt(context, 'write')
  const body = context.body as IssueWrite
  const isTriage = canTriage(context)
  if (!isTriage && accountOf(context.identity) !== issue.author) {
    throw new Refusal(403, 'Must have admin rights to Repository.')
  }
  editIssue(context, issue, body)
  if (isTriage && body.labels !== undefined) setLabels(context, issue, namesOf(body.labels))
  if (isTriage && body.assignees !== undefined) issue.assignees = accountsOf(context, body.assignees)
  return ok(issueBody(world, repository, issue))
}

const bodyOfLabels = (context: Context): string[] =>
  namesOf((context.body as { labels?: readonly (string | { name?: string })[] }).labels ?? [])

const labelsAnswer = (context: Context, issue: Issue) =>
  ok(issue.labels.map((label) => labelBody(context.world, context.repository(), label)))

const issueLabels = (change: (issue: Issue, context: Context) => readonly string[]): Handler => {
  return (context) => {
    const issue = issueAt(context, 'write')
    setLabels(context, issue, change(issue, context))
    return labelsAnswer(context, issue)
  }
}

const namesNow = (issue: Issue): string[] => issue.labels.map((label) => label.name)
const removedName = (issue: Issue, context: Context): string[] => {
  const name = (context.params['name'] ?? '').toLowerCase()
  if (!issue.labels.some((label) => label.name.toLowerCase() === name)) throw new Refusal(404, 'Label does not exist')
  return namesNow(issue).filter((one) => one.toLowerCase() !== name)
}

const assign =
  (isAdded: boolean): Handler =>
  (context) => {
    const issue = issueAt(context, 'write')
    const accounts = accountsOf(context, (context.body as { assignees?: string[] }).assignees ?? [])
    const changed = accounts.filter((account) => issue.assignees.includes(account) !== isAdded)
    issue.assignees = isAdded
      ? [...issue.assignees, ...changed]
      : issue.assignees.filter((one) => !changed.includes(one))
    for (const account of changed) {
      tell(context, issue, isAdded ? 'assigned' : 'unassigned', { assignee: userBody(context.world, account) })
    }
    const body = issueBody(context.world, context.repository(), issue)
    return isAdded ? created(body) : ok(body)
  }

const lock =
  (locked: boolean): Handler =>
  (context) => {
    const issue = issueAt(context, 'write')
    issue.locked = locked
    tell(context, issue, locked ? 'locked' : 'unlocked')
    return noContent()
  }

/** Issues, and the part of pull requests that is one. */
export const issues: Resource = {
  routes: [
    route('GET /repos/{owner}/{repo}/issues', readsEither, listIssues),
    route('POST /repos/{owner}/{repo}/issues', writes('issues', { person: 'read' }), createIssue),
    route('GET /repos/{owner}/{repo}/issues/{issue_number}', readsEither, (context) =>
      ok(issueBody(context.world, context.repository(), issueAt(context))),
    ),
    route('PATCH /repos/{owner}/{repo}/issues/{issue_number}', writesAsReader, updateIssue),
    route('PUT /repos/{owner}/{repo}/issues/{issue_number}/lock', writes(either), lock(true)),
    route('DELETE /repos/{owner}/{repo}/issues/{issue_number}/lock', writes(either), lock(false)),
    route('GET /repos/{owner}/{repo}/issues/{issue_number}/labels', readsEither, (context) =>
      paged(context, labelsAnswer(context, issueAt(context)).body as Body[]),
    ),
    route(
      'POST /repos/{owner}/{repo}/issues/{issue_number}/labels',
      writesAsTriage,
      issueLabels((issue, context) => [...namesNow(issue), ...bodyOfLabels(context)]),
    ),
    route(
      'PUT /repos/{owner}/{repo}/issues/{issue_number}/labels',
      writesAsTriage,
      issueLabels((_, context) => bodyOfLabels(context)),
    ),
    route('DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}', writesAsTriage, issueLabels(removedName)),
    route('DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels', writesAsTriage, (context) => {
      setLabels(context, issueAt(context, 'write'), [])
      return noContent()
    }),
    route('POST /repos/{owner}/{repo}/issues/{issue_number}/assignees', writesAsTriage, assign(true)),
    route('DELETE /repos/{owner}/{repo}/issues/{issue_number}/assignees', writesAsTriage, assign(false)),
  ],
}

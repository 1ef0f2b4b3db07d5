import { listedUntilMs } from '../git/lag.ts'
import { accountOf, appOf, labelOf } from '../identity.ts'
import { type Comment, conversationsOf, type Issue } from '../records.ts'
import {
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
import type { Body } from '../shapes/common.ts'
import { commentBody, issueBody } from '../shapes/conversation.ts'
import { canTriage, checkText, issueAt, mostBodyCharacters } from './issues.ts'

const either = ['issues', 'pull_requests']

function commentAt(context: Context): Comment {
  const comment = conversationsOf(context.repository()).comments.get(Number(context.params['comment_id']))
  if (!comment) throw notFound()
  issueAt({ ...context, params: { issue_number: String(comment.issue.number) } })
  return comment
}

function tell(context: Context, comment: Comment, action: string, more: Body = {}): void {
  const { world } = context
  const repository = context.repository()
  const payload = {
    issue: issueBody(world, repository, comment.issue),
    comment: commentBody(world, repository, comment),
    ...more,
  }
  world.deliver({ event: 'issue_comment', action, repository, sender: context.actor(), payload })
}

const LIST_OF_ISSUE = 'GET /repos/{owner}/{repo}/issues/{issue_number}/comments'

/** The `lag` fault does not list yet what was made on an issue in the last half minute. */
const seenOf = ({ world, identity }: Context): number =>
  listedUntilMs(world, { route: LIST_OF_ISSUE, text: '', identity: labelOf(identity) })

const list =
  (pick: (context: Context) => Issue | undefined): Handler =>
  (context) => {
    const issue = pick(context)
    const seenMs = issue === undefined ? Number.POSITIVE_INFINITY : seenOf(context)
    const since = context.query.get('since')
    const found = [...conversationsOf(context.repository()).comments.values()]
      .filter((comment) => issue === undefined || comment.issue === issue)
      .filter((comment) => Date.parse(comment.createdAt) <= seenMs)
      .filter((comment) => since === null || Date.parse(comment.updatedAt) >= Date.parse(since))
    const isDescending = context.query.get('direction') === 'desc'
    const page = paged(context, isDescending ? found.toReversed() : found)
    return {
      ...page,
      body: (page.body as Comment[]).map((comment) => commentBody(context.world, context.repository(), comment)),
    }
  }

function checkBody(text: string): void {
  if (text.trim() === '') throw invalid('IssueComment', 'body', 'missing_field')
  checkText('IssueComment', 'body', text, mostBodyCharacters)
}

const create: Handler = (context) => {
  const { world, identity } = context
  const issue = issueAt(context, 'write')
  if (issue.locked && !canTriage(context)) throw new Refusal(403, 'Unable to create comment because issue is locked.')
  const { body } = context.body as { body: string }
  checkBody(body)
  const now = world.clock.now()
  const author = context.actor()
  const comment: Comment = {
    id: world.nextId(),
    issue,
    body,
    author,
    app: appOf(identity),
    createdAt: now,
    updatedAt: now,
    reactions: [],
  }
  conversationsOf(context.repository()).comments.set(comment.id, comment)
  issue.updatedAt = now
  tell(context, comment, 'created')
  return created(commentBody(world, context.repository(), comment))
}

/** Its author, or who may triage (an App edits with the permission alone). */
function mayChange(context: Context, comment: Comment): void {
  if (!canTriage(context) && accountOf(context.identity) !== comment.author) {
    throw new Refusal(403, 'Must have admin rights to Repository.')
  }
}

const update: Handler = (context) => {
  const comment = commentAt(context)
  mayChange(context, comment)
  const { body } = context.body as { body: string }
  checkBody(body)
  const from = comment.body
  comment.body = body
  comment.updatedAt = context.world.clock.now()
  if (from !== body) tell(context, comment, 'edited', { changes: { body: { from } } })
  return ok(commentBody(context.world, context.repository(), comment))
}

const remove: Handler = (context) => {
  const comment = commentAt(context)
  mayChange(context, comment)
  conversationsOf(context.repository()).comments.delete(comment.id)
  tell(context, comment, 'deleted')
  return noContent()
}

/** Comments of issues and of pull requests' conversations. */
export const comments: Resource = {
  routes: [
    route(
      'GET /repos/{owner}/{repo}/issues/comments',
      reads(either),
      list(() => undefined),
    ),
    route(LIST_OF_ISSUE, reads(either), list(issueAt)),
    route('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', writes(either, { person: 'read' }), create),
    route('GET /repos/{owner}/{repo}/issues/comments/{comment_id}', reads(either), (context) =>
      ok(commentBody(context.world, context.repository(), commentAt(context))),
    ),
    route('PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}', writes(either, { person: 'read' }), update),
    route('DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}', writes(either, { person: 'read' }), remove),
  ],
}

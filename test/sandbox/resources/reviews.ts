import { accountOf } from '../identity.ts'
import { conversationsOf, type Review, type ReviewState } from '../records.ts'
import {
  type Context,
  type Handler,
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
import { rulesInForce } from '../rulesets.ts'
import { reviewBody, simplePullBody } from '../shapes/conversation.ts'
import { isPull, type PullIssue, pullAt } from './pulls.ts'

const stateOf = { APPROVE: 'APPROVED', REQUEST_CHANGES: 'CHANGES_REQUESTED', COMMENT: 'COMMENTED' } as const
type Verdict = keyof typeof stateOf

/** 422 as reviews answer it: the reasons are plain texts. */
const refused = (reason: string) => new Refusal(422, 'Unprocessable Entity', [reason])

function reviewAt(context: Context): Review {
  const issue = pullAt(context)
  const review = conversationsOf(context.repository()).reviews.get(Number(context.params['review_id']))
  if (!review || review.issue !== issue) throw notFound()
  if (review.state === 'PENDING' && review.author !== accountOf(context.identity)) throw notFound()
  return review
}

const bodyOf = (context: Context, review: Review) => reviewBody(context.world, context.repository(), review, 'rest')

function tell(context: Context, review: Review, action: string): void {
  const { world } = context
  const repository = context.repository()
  const payload = {
    review: reviewBody(world, repository, review, 'webhook'),
    pull_request: simplePullBody(world, repository, review.issue),
  }
  world.deliver({ event: 'pull_request_review', action, repository, sender: context.actor(), payload })
}

function checkVerdict(context: Context, issue: PullIssue, verdict: Verdict, body: string): void {
  const isOwn = context.actor() === issue.author
  if (isOwn && verdict === 'APPROVE') throw refused('Can not approve your own pull request')
  if (isOwn && verdict === 'REQUEST_CHANGES') throw refused('Can not request changes on your own pull request')
  if (verdict !== 'APPROVE' && body.trim() === '') throw refused('Body can not be blank')
}

function submit(context: Context, review: Review, verdict: Verdict): void {
  const issue = pullAt(context)
  review.state = stateOf[verdict]
  review.submittedAt = context.world.clock.now()
  issue.updatedAt = review.submittedAt
  issue.pull.reviewers = issue.pull.reviewers.filter((one) => one !== review.author)
  tell(context, review, 'submitted')
}

const create: Handler = async (context) => {
  const { world } = context
  const issue = pullAt(context)
  const request = context.body as { commit_id?: string; body?: string; event?: Verdict }
  const body = request.body ?? ''
  const commitOid = request.commit_id ?? issue.pull.headOid
  if (request.event) checkVerdict(context, issue, request.event, body)
  const isInPull =
    (await context.git().readCommit(commitOid)) !== undefined &&
    (await context.git().isAncestor(commitOid, issue.pull.headOid))
  if (!isInPull) throw refused('The commit_id is not part of the pull request')
  const { reviews } = conversationsOf(context.repository())
  const author = context.actor()
  const pending = [...reviews.values()].some(
    (one) => one.issue === issue && one.author === author && one.state === 'PENDING',
  )
  if (pending) throw refused('User can only have one pending review per pull request')
  const review: Review = { id: world.nextId(), issue, author, body, state: 'PENDING', commitOid, submittedAt: null }
  reviews.set(review.id, review)
  if (request.event) submit(context, review, request.event)
  return ok(bodyOf(context, review))
}

const list: Handler = (context) => {
  const issue = pullAt(context)
  const viewer = accountOf(context.identity)
  const found = [...conversationsOf(context.repository()).reviews.values()].filter(
    (review) => review.issue === issue && (review.state !== 'PENDING' || review.author === viewer),
  )
  return paged(context, found, (page) => page.map((review) => bodyOf(context, review)))
}

const submitPending: Handler = (context) => {
  const review = reviewAt(context)
  const request = context.body as { body?: string; event: Verdict }
  if (review.state !== 'PENDING') throw refused('Can not submit a review that is not pending')
  if (request.body !== undefined) review.body = request.body
  checkVerdict(context, pullAt(context), request.event, review.body)
  submit(context, review, request.event)
  return ok(bodyOf(context, review))
}

const edit: Handler = (context) => {
  const review = reviewAt(context)
  if (review.author !== accountOf(context.identity)) throw new Refusal(403, 'Must have admin rights to Repository.')
  review.body = (context.body as { body: string }).body
  tell(context, review, 'edited')
  return ok(bodyOf(context, review))
}

const dismiss: Handler = (context) => {
  const review = reviewAt(context)
  const { message } = context.body as { message: string }
  if (message.trim() === '') throw unprocessable('message can not be blank')
  const dismissible: readonly ReviewState[] = ['APPROVED', 'CHANGES_REQUESTED']
  if (!dismissible.includes(review.state)) {
    throw refused(`Can not dismiss a ${review.state.toLowerCase()} pull request review`)
  }
  review.state = 'DISMISSED'
  tell(context, review, 'dismissed')
  return ok(bodyOf(context, review))
}

const removePending: Handler = (context) => {
  const review = reviewAt(context)
  if (review.state !== 'PENDING') throw refused('Can not delete a non-pending pull request review')
  conversationsOf(context.repository()).reviews.delete(review.id)
  return ok(bodyOf(context, review))
}

const base = '/repos/{owner}/{repo}/pulls/{pull_number}/reviews'

/** Reviews by anybody who can read; whose count is for the reader of the list to say. */
export const reviews: Resource = {
  routes: [
    route(`GET ${base}`, reads('pull_requests'), list),
    route(`POST ${base}`, writes('pull_requests', { person: 'read' }), create),
    route(`GET ${base}/{review_id}`, reads('pull_requests'), (context) => ok(bodyOf(context, reviewAt(context)))),
    route(`PUT ${base}/{review_id}`, writes('pull_requests', { person: 'read' }), edit),
    route(`DELETE ${base}/{review_id}`, writes('pull_requests', { person: 'read' }), removePending),
    route(`POST ${base}/{review_id}/events`, writes('pull_requests', { person: 'read' }), submitPending),
    route(`PUT ${base}/{review_id}/dismissals`, writes('pull_requests'), dismiss),
  ],
  /** `dismiss_stale_reviews_on_push`: approvals of an older head go when the head moves. */
  start: (world) =>
    world.onPush((push) => {
      const branch = push.ref.replace(/^refs\/heads\//, '')
      const { issues, reviews: known } = conversationsOf(push.repository)
      for (const issue of issues.values()) {
        if (!isPull(issue) || issue.state !== 'open' || issue.pull.headRef !== branch) continue
        const rules = rulesInForce(world, push.repository, undefined, `refs/heads/${issue.pull.baseRef}`, true)
        const isStrict = rules.some(({ rule }) => rule.parameters?.['dismiss_stale_reviews_on_push'] === true)
        if (!isStrict) continue
        for (const review of known.values()) {
          if (review.issue !== issue || review.state !== 'APPROVED' || review.commitOid === push.after) continue
          review.state = 'DISMISSED'
          const payload = {
            review: reviewBody(world, push.repository, review, 'webhook'),
            pull_request: simplePullBody(world, push.repository, issue),
          }
          world.deliver({
            event: 'pull_request_review',
            action: 'dismissed',
            repository: push.repository,
            sender: push.by,
            payload,
          })
        }
      }
    }),
}

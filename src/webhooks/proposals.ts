import { z } from 'zod'
import { CommitSha } from '../core/product/schema.ts'
import { RELEASES_BRANCH } from '../core/release/composition.ts'
import type { Request } from '../core/request.ts'
import {
  actorOf,
  type Concern,
  type Delivery,
  Id,
  type Installation,
  instantOr,
  Repository,
  releaseOfBranch,
  repositoryOf,
  sourceOf,
  User,
} from './delivery.ts'

const Pull = z.object({
  number: Id,
  html_url: z.string().nullish(),
  merged_at: z.string().nullish(),
  user: User.nullish(),
  head: z.object({ ref: z.string(), sha: CommitSha, repo: z.object({ id: Id }).nullish() }),
  base: z.object({ ref: z.string() }),
})

const PullPayload = z.object({ action: z.string(), pull_request: Pull, repository: Repository, sender: User.nullish() })

const ReviewPayload = PullPayload.extend({
  review: z.object({
    id: Id,
    user: User.nullish(),
    state: z.string().nullish(),
    submitted_at: z.string().nullish(),
    html_url: z.string().nullish(),
  }),
})

/** The release that a pull request proposes, or null: a branch of the release repository itself, into our base. */
function releaseOf(pull: z.infer<typeof Pull>, repositoryId: number, installation: Installation): string | null {
  const isOurs = repositoryId === installation.releaseRepositoryId && pull.base.ref === RELEASES_BRANCH
  return isOurs && pull.head.repo?.id === repositoryId ? releaseOfBranch(pull.head.ref) : null
}

const reviewAgain = (
  release: string,
  delivery: Delivery,
  sender: z.infer<typeof User> | null | undefined,
): Request => ({
  kind: 'release-review',
  release,
  at: delivery.receivedAt,
  actor: actorOf(sender),
  source: sourceOf(delivery),
})

/** Proposals as they are opened, pushed to, edited, closed and merged. */
export const proposals: Concern = {
  events: ['pull_request'],
  toRequests(delivery, installation) {
    const payload = PullPayload.safeParse(delivery.payload)
    if (!payload.success) return []
    const { pull_request: pull, repository, sender } = payload.data
    const release = releaseOf(pull, repository.id, installation)
    if (release === null) return []
    return [
      {
        kind: 'proposal-seen',
        repository: repositoryOf(repository),
        release,
        number: pull.number,
        url: pull.html_url ?? '',
        head: pull.head.sha,
        author: pull.user?.login ?? 'ghost',
        merged: Boolean(pull.merged_at),
        ...interferenceIn(payload.data, installation),
        at: delivery.receivedAt,
        actor: actorOf(sender),
        source: sourceOf(delivery, pull.html_url ?? undefined),
      },
    ]
  },
}

/** Only we push to a proposal and merge it. */
function interferenceIn(
  { action, pull_request: pull, sender }: z.infer<typeof PullPayload>,
  { botLogin }: Installation,
): Pick<Extract<Request, { kind: 'proposal-seen' }>, 'interference'> {
  if (!sender || sender.login === botLogin) return {}
  if (action === 'synchronize') return { interference: { what: 'proposal-pushed', by: sender.login } }
  if (action === 'closed' && pull.merged_at) return { interference: { what: 'proposal-merged', by: sender.login } }
  return {}
}

type ReviewSubmitted = Extract<Request, { kind: 'review-submitted' }>

const OPINIONS: ReadonlyMap<string, ReviewSubmitted['state']> = new Map([
  ['approved', 'APPROVED'],
  ['changes_requested', 'CHANGES_REQUESTED'],
])

/** Reviews of proposals: each one makes the signatures worth deciding again, from GitHub's own list. */
export const reviews: Concern = {
  events: ['pull_request_review'],
  toRequests(delivery, installation) {
    const payload = ReviewPayload.safeParse(delivery.payload)
    if (!payload.success) return []
    const { action, review, pull_request: pull, repository, sender } = payload.data
    const release = releaseOf(pull, repository.id, installation)
    if (release === null) return []
    const again = reviewAgain(release, delivery, sender)
    /** Once it is dismissed, nothing else tells what it said: in time or late, this does. */
    const state = action === 'submitted' ? OPINIONS.get(review.state?.toLowerCase() ?? '') : undefined
    if (state !== undefined) {
      const { id: reviewId } = review
      const source = sourceOf(delivery, review.html_url ?? undefined)
      const rest = { at: delivery.receivedAt, actor: actorOf(review.user), source }
      return [
        again,
        { kind: 'review-submitted', repository: repositoryOf(repository), release, reviewId, state, ...rest },
      ]
    }
    if (action !== 'dismissed' || !sender) return [again]
    return [
      {
        kind: 'review-dismissed',
        repository: repositoryOf(repository),
        release,
        reviewId: review.id,
        by: sender.login,
        author: review.user?.login ?? 'ghost',
        at: instantOr(null, delivery.receivedAt),
        actor: actorOf(sender),
        source: sourceOf(delivery, review.html_url ?? undefined),
      },
      again,
    ]
  },
}

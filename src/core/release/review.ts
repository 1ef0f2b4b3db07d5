import { draft } from '../catalogue.ts'
import { readPolicy } from '../config/in-force.ts'
import type { PartyConfig } from '../config/schema.ts'
import { type Deciding, type Decision, fact, facts, state, type UsedFact } from '../decision.ts'
import type { ReviewFact } from '../facts.ts'
import { canonicalJson, sha256 } from '../json.ts'
import type { Request } from '../request.ts'
import { decideSignoff, type SignoffDecision } from '../signoff/decide.ts'
import { compositionDigest, releasePath } from './composition.ts'
import { releaseKey } from './open.ts'
import type { ReleaseState, SignoffRecord } from './schema.ts'

type ReleaseReview = Extract<Request, { kind: 'release-review' }>
type ProposalSeen = Extract<Request, { kind: 'proposal-seen' }>
type ReviewDismissed = Extract<Request, { kind: 'review-dismissed' }>
const nothing: Decision<null> = { kind: 'accept', events: [], answer: null }

/**
 * What the pull request of a release shows now. Its file is read at the commit: who pushed it does not matter. What is
 * said late of a pull request before the known one, or of one that is merged by now, changes nothing.
 */
export function* decideProposalSeen(request: ProposalSeen): Deciding<Decision<null>> {
  const release = yield* state<ReleaseState>(releaseKey(request.release))
  if (!release) return nothing
  const { number, url, head, author, merged, repository } = request
  const known = release.proposal
  if (known && (known.number > number || (known.number === number && known.merged && !merged))) return nothing
  const file = yield* fact({
    kind: 'file',
    repository: repository.fullName,
    commit: head,
    path: releasePath(release.id),
  })
  const headDigest =
    typeof file.text === 'string' && file.text !== 'unreadable' ? sha256(file.text) : `${file.text ?? 'absent'}`
  if (known?.number === number && known.head === head && known.headDigest === headDigest && known.merged === merged)
    return nothing
  return {
    kind: 'accept',
    answer: null,
    events: [
      draft(
        'proposal.seen',
        { release: release.id, repository, number, url, head, headDigest, author, merged },
        {
          /** With the time: a branch that is pushed back to a commit shows it once more. */
          key: `proposal:${repository.id}/${number}:${head}:${headDigest.slice(0, 23)}:${merged}:${request.at}`,
          at: request.at,
          actor: request.actor,
          source: request.source,
          trust: 'platform',
        },
      ),
    ],
  }
}

/** Who dismissed a review: GitHub's list of reviews does not say, its webhook does. */
export function* decideReviewDismissed(request: ReviewDismissed): Deciding<Decision<null>> {
  const release = yield* state<ReleaseState>(releaseKey(request.release))
  if (!release || release.dismissals.some((known) => known.reviewId === request.reviewId)) return nothing
  /** GitHub forgets what a dismissed review said; the decision before it knows whose objections stood. */
  const objected = release.objectors.some((login) => login.toLowerCase() === request.author.toLowerCase())
  const was = objected ? 'CHANGES_REQUESTED' : 'APPROVED'
  return {
    kind: 'accept',
    answer: null,
    events: [
      draft(
        'review.dismissed',
        { release: release.id, reviewId: request.reviewId, by: request.by, was },
        {
          key: `review:${request.reviewId}:dismissed`,
          at: request.at,
          actor: request.actor,
          source: request.source,
          trust: 'platform',
        },
      ),
    ],
  }
}

/**
 * Decides the signatures of a started release from GitHub's own list of reviews and the teams as they are now. Recorded
 * when anything that people would be told has changed.
 */
export function* decideReleaseReview(request: ReleaseReview): Deciding<Decision<null>> {
  const release = yield* state<ReleaseState>(releaseKey(request.release))
  if (!release || release.status !== 'in_progress' || !release.proposal || release.proposal.merged) return nothing
  const policy = yield* readPolicy(release.policyDigest)
  if (!policy) return unreadablePolicy(request, release)
  const { signoff } = policy.configuration
  const reviewsQuery = {
    kind: 'reviews',
    repository: release.repository.fullName,
    number: release.proposal.number,
  } as const
  const reviews = yield* fact(reviewsQuery)
  const teamQueries = teamsOf(signoff.parties).map((team) => ({ kind: 'team-members', team }) as const)
  const teams = yield* facts(teamQueries)
  const memberOf = (party: PartyConfig): readonly string[] | 'unreadable' => {
    const index = teamQueries.findIndex((query) => query.team === party.team)
    const members = party.team === undefined ? [] : (teams[index]?.members ?? 'unreadable')
    return members === 'unreadable' ? 'unreadable' : [...members.map((member) => member.login), ...party.users]
  }
  const digest = compositionDigest(release)
  const unreadable = [
    ...signoff.parties.filter((party) => memberOf(party) === 'unreadable').map((party) => party.name),
    ...(reviews.reviews === 'unreadable' ? signoff.parties.map((party) => party.name) : []),
  ]
  const decided = decideSignoff({
    parties: signoff.parties.map((party) => {
      const members = memberOf(party)
      return {
        name: party.name,
        members: members === 'unreadable' ? [] : [...members],
        count: party.seats,
        optional: party.optional,
      }
    }),
    proposal: {
      head: release.proposal.head,
      author: release.startedBy?.login ?? release.manager.login,
      editors: [...release.editors],
      contentDigests: release.proposal.contents.map((entry): [string, string] => [entry.commit, entry.digest]),
    },
    reviews: reviews.reviews === 'unreadable' ? [] : reviews.reviews.map((review) => toReview(review, release)),
    policy: {
      authorMaySign: signoff.authorMaySign,
      dismissers: signoff.dismissers,
      ...(signoff.expiresHours === undefined ? {} : { expiresHours: signoff.expiresHours }),
    },
    unreadable,
    now: request.at,
  })
  const record = toRecord(decided, {
    digest,
    policyDigest: policy.digest,
    head: release.proposal.head,
    shown: release.proposal.headDigest,
  })
  const used: UsedFact[] = [
    { query: reviewsQuery, answer: reviews },
    ...teamQueries.flatMap((query, index) => {
      const answer = teams[index]
      return answer ? [{ query, answer }] : []
    }),
  ]
  return decidedAs(request, release, record, used)
}

function decidedAs(
  request: ReleaseReview,
  release: ReleaseState,
  record: SignoffRecord,
  facts: readonly UsedFact[],
): Decision<null> {
  if (release.signoff && canonicalJson(release.signoff) === canonicalJson(record)) return nothing
  return {
    kind: 'accept',
    answer: null,
    events: [
      draft(
        'signoff.decided',
        { release: release.id, signoff: record, facts: [...facts] },
        {
          key: `signoff:${release.id}:${sha256(canonicalJson([record, request.at]))}`,
          at: request.at,
          actor: null,
          source: request.source,
          trust: 'platform',
        },
      ),
    ],
  }
}

/** Rules that cannot be read approve nothing, whatever was approved before. Objections stay known. */
function unreadablePolicy(request: ReleaseReview, release: ReleaseState): Decision<null> {
  const record: SignoffRecord = {
    status: 'blocked',
    digest: compositionDigest(release),
    policyDigest: release.policyDigest,
    head: release.proposal?.head ?? '',
    parties: [],
    evidence: [],
    ignored: [],
    vetoes: [...release.objectors],
    problems: ['the configuration that the release was opened under cannot be read; see ringmaster ledger verify'],
  }
  return decidedAs(request, release, record, [])
}

/**
 * The decision as it stands in the log. While the pull request does not show the current composition (it is being
 * brought up to date, or somebody else pushed), no approval fills a seat.
 */
function toRecord(
  decided: SignoffDecision,
  content: { readonly digest: string; readonly policyDigest: string; readonly head: string; readonly shown: string },
): SignoffRecord {
  const { shown, ...kept } = content
  const isShown = shown === content.digest
  const seatsOf = (party: SignoffDecision['parties'][number]) => (isShown ? party.filledBy : [])
  return {
    ...kept,
    status: !isShown && decided.status === 'approved' ? 'pending' : decided.status,
    parties: decided.parties.map((party) => ({
      party: party.name,
      optional: !party.required,
      seats: party.seats,
      filledBy: seatsOf(party).map((seat) => seat.login),
      couldFill: [...party.couldFill],
    })),
    evidence: decided.parties.flatMap((party) =>
      seatsOf(party).map(({ login, reviewId, commit, at }) => ({ party: party.name, login, reviewId, commit, at })),
    ),
    ignored: decided.ignored.map(({ login, reviewId, code, why }) => ({ login, reviewId, code, why })),
    vetoes: decided.vetoes.map((veto) => veto.login),
    problems: [
      ...decided.problems.map((problem) => problem.message),
      ...(isShown ? [] : ['the proposal does not show the current composition yet; approvals count once it does']),
    ],
  }
}

const teamsOf = (parties: readonly PartyConfig[]): string[] => [
  ...new Set(parties.flatMap((party) => (party.team === undefined ? [] : [party.team]))),
]

function toReview(review: ReviewFact, release: ReleaseState) {
  const dismissal = release.dismissals.find((known) => known.reviewId === review.id)
  return {
    user: review.user?.login ?? null,
    type: review.user?.type === 'Bot' ? ('Bot' as const) : ('User' as const),
    state: review.state,
    commit: review.commit ?? '',
    at: review.at ?? '',
    reviewId: review.id,
    ...(dismissal ? { was: dismissal.was, dismissedBy: dismissal.by } : {}),
  }
}

import { draft, type EventData } from '../catalogue.ts'
import { readPolicy } from '../config/in-force.ts'
import type { ParsedConfiguration } from '../config/parse.ts'
import type { SignoffConfiguration } from '../config/schema.ts'
import { type Deciding, type Decision, factKey, facts, state, type UsedFact } from '../decision.ts'
import type { EventDraft } from '../event.ts'
import type { FactQuery, ReviewFact } from '../facts.ts'
import { canonicalJson, sha256 } from '../json.ts'
import type { Request } from '../request.ts'
import { decideSignoff, type SignoffDecision } from '../signoff/decide.ts'
import { compositionDigest } from './composition.ts'
import { dismissersOf } from './dismissers.ts'
import { releaseKey } from './open.ts'
import { reminderDue } from './reminders.ts'
import type { ReleaseState, SignoffRecord } from './schema.ts'
import { signersOf } from './signers.ts'

type ReleaseReview = Extract<Request, { kind: 'release-review' }>
type ReviewSubmitted = Extract<Request, { kind: 'review-submitted' }>
type ReviewDismissed = Extract<Request, { kind: 'review-dismissed' }>
const nothing: Decision<null> = { kind: 'accept', events: [], answer: null }

/** What a review said, where no decision has seen it yet: it may be dismissed before the first one looks. */
export function* decideReviewSubmitted(request: ReviewSubmitted): Deciding<Decision<null>> {
  const release = yield* state<ReleaseState>(releaseKey(request.release))
  const { reviewId, state: said, at, actor, source } = request
  if (!release || release.conduct.reviews.some((review) => review.reviewId === reviewId)) return nothing
  return {
    kind: 'accept',
    answer: null,
    events: [
      draft(
        'review.submitted',
        { release: release.id, reviewId, state: said },
        { key: `review:${reviewId}:submitted`, at, actor, source, trust: 'platform' },
      ),
    ],
  }
}

/** Who dismissed a review: GitHub's list of reviews does not say, its webhook does. */
export function* decideReviewDismissed(request: ReviewDismissed): Deciding<Decision<null>> {
  const release = yield* state<ReleaseState>(releaseKey(request.release))
  if (!release || release.dismissals.some((known) => known.reviewId === request.reviewId)) return nothing
  /** GitHub forgets what a dismissed review said. What was never seen is not guessed: it may have been an objection. */
  const was = release.conduct.reviews.find((review) => review.reviewId === request.reviewId)?.state ?? null
  return {
    kind: 'accept',
    answer: null,
    events: [
      draft(
        'review.dismissed',
        { release: release.id, reviewId: request.reviewId, by: request.by, was, author: request.author },
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
 * when anything that people would be told has changed. A proposal that somebody merged by hand is no end: terms run out
 * and people leave all the same, and GitHub's API takes reviews of what is merged.
 */
export function* decideReleaseReview(request: ReleaseReview): Deciding<Decision<null>> {
  const release = yield* state<ReleaseState>(releaseKey(request.release))
  if (release?.status !== 'in_progress' || !release.proposal) return nothing
  const policy = yield* readPolicy(release.policyDigest)
  if (!policy) return unreadablePolicy(request, release)
  const { record, used } = yield* signaturesOf(release, release.proposal, policy, request.at)
  return decidedAs(request, release, record, used, policy.configuration.signoff)
}

/** What a pull request shows: its commit, the digest of its content, and those of its commits before. */
export type Shown = Pick<NonNullable<ReleaseState['proposal']>, 'head' | 'headDigest' | 'contents'>

/**
 * The signatures of a release at an instant, with what they were decided from; `supposed` approves what is shown beside
 * those who did.
 */
export function* signaturesOf(
  release: ReleaseState,
  shown: Shown,
  policy: ParsedConfiguration,
  at: string,
  supposed?: string,
): Deciding<{ readonly record: SignoffRecord; readonly used: readonly UsedFact[] }> {
  const { signoff } = policy.configuration
  const { fullName: repository } = release.repository
  /** Whoever can close a pull request and open another must not be able to leave an objection behind. */
  const numbers = [...(release.earlier ?? []), ...(release.proposal ? [release.proposal.number] : [])]
  const queries = numbers.map((number) => ({ kind: 'reviews', repository, number }) as const)
  const answers = yield* facts(queries)
  const digest = compositionDigest(release)
  const content = { digest, policyDigest: policy.digest, head: shown.head }
  if (answers.some((answer) => answer.reviews === 'too-large')) return tooLarge(release, content, queries)
  const given = answers.flatMap((answer) => (typeof answer.reviews === 'string' ? [] : answer.reviews))
  const reviews = supposed === undefined ? given : [...given, approvalBy(supposed, shown.head, at)]
  const signers = yield* signersOf(release, signoff, at)
  const dismissers = yield* dismissersOf(release, signoff)
  const isUnreadable = answers.some((answer) => answer.reviews === 'unreadable')
  const decided = decideSignoff({
    parties: [...signers.parties],
    proposal: {
      head: shown.head,
      author: release.startedBy?.login ?? release.manager.login,
      editors: [...release.editors],
      contentDigests: shown.contents.map((entry): [string, string] => [entry.commit, entry.digest]),
    },
    reviews: isUnreadable ? [] : reviews.map((review) => toReview(review, release)),
    policy: {
      authorMaySign: signoff.authorMaySign,
      dismissers: dismissers.logins,
      ...(signoff.expiresHours === undefined ? {} : { expiresHours: signoff.expiresHours }),
    },
    unreadable: isUnreadable ? signers.parties.map((party) => party.name) : [...signers.unreadable],
    now: at,
  })
  const record = toRecord(decided, { ...content, shown: shown.headDigest })
  const named = { ...record, problems: [...record.problems, ...dismissers.problems] }
  const used = queries.flatMap((query, index) => {
    const answer = answers[index]
    return answer ? [{ query, answer }] : []
  })
  /** A team may both sign and lift objections: it is asked for once. */
  const asked = new Map([...signers.used, ...dismissers.used].map((one) => [factKey(one.query), one]))
  const whole = { record: named, used: [...used, ...asked.values()] }
  return Buffer.byteLength(canonicalJson(whole)) > MAX_DECISION_BYTES ? tooLarge(release, content, queries) : whole
}

/** An event of the log is a line of at most 128 KiB. */
const MAX_DECISION_BYTES = 120_000

/** What the log cannot hold decides nothing: nobody could decide it again. Objections stay known. */
function tooLarge(
  release: ReleaseState,
  content: Pick<SignoffRecord, 'digest' | 'policyDigest' | 'head'>,
  queries: readonly Extract<FactQuery, { kind: 'reviews' }>[],
): { readonly record: SignoffRecord; readonly used: readonly UsedFact[] } {
  const problem =
    'there are more reviews, or members of the teams that sign, than the log can hold of one decision: dismiss what says nothing, or let smaller teams sign'
  return {
    record: blockedFor(release, content, problem),
    used: queries.map((query) => ({ query, answer: { kind: 'reviews', reviews: 'too-large' } })),
  }
}

const blockedFor = (
  release: ReleaseState,
  content: Pick<SignoffRecord, 'digest' | 'policyDigest' | 'head'>,
  problem: string,
): SignoffRecord => ({
  status: 'blocked',
  ...content,
  parties: [],
  evidence: [],
  ignored: [],
  vetoes: [...release.objectors],
  problems: [problem],
})

/** The id of an approval that nobody has given: above every one that GitHub gives. */
export const SUPPOSED_REVIEW = Number.MAX_SAFE_INTEGER

const approvalBy = (login: string, commit: string, at: string): ReviewFact => ({
  id: SUPPOSED_REVIEW,
  user: { login, id: 0, type: 'User' },
  state: 'APPROVED',
  commit,
  at,
})

function decidedAs(
  request: ReleaseReview,
  release: ReleaseState,
  record: SignoffRecord,
  facts: readonly UsedFact[],
  signoff: SignoffConfiguration | null,
): Decision<null> {
  const rest = { at: request.at, actor: null, source: request.source, trust: 'platform' as const }
  const isNew = !release.signoff || canonicalJson(release.signoff) !== canonicalJson(record)
  const slot = `signoff:${release.id}:${sha256(canonicalJson([record, request.at]))}`
  const reminder = signoff ? reminderDue(release, record, signoff.reminders, request.at) : null
  const events = [
    ...(isNew
      ? [
          draft('signoff.decided', { release: release.id, signoff: record, facts: [...facts] }, { ...rest, key: slot }),
          ...turned(release, record).map((event) => ({ ...event, ...rest, key: `${slot}:turned` })),
        ]
      : []),
    ...(reminder ? [{ ...rest, ...reminder }] : []),
  ]
  return events.length === 0 ? nothing : { kind: 'accept', answer: null, events }
}

/** What others wait for: everybody has signed, or no longer has. */
function turned(release: ReleaseState, record: SignoffRecord): Pick<EventDraft, 'type' | 'data'>[] {
  const wasApproved = release.signoff?.status === 'approved'
  return wasApproved === (record.status === 'approved') ? [] : [turnOf(release.id, record)]
}

/** What is told when the signatures of a release turned to what a record says. */
export function turnOf(release: string, record: SignoffRecord): Pick<EventDraft, 'type' | 'data'> {
  const { digest, head, status, evidence } = record
  if (status !== 'approved')
    return { type: 'signoff.lost', data: { release, digest, status } satisfies EventData<'signoff.lost'> }
  const signers = evidence.map((seat) => seat.login)
  return {
    type: 'signoff.completed',
    data: { release, digest, head, signers } satisfies EventData<'signoff.completed'>,
  }
}

/** Rules that cannot be read approve nothing, whatever was approved before. Objections stay known. */
function unreadablePolicy(request: ReleaseReview, release: ReleaseState): Decision<null> {
  const content = {
    digest: compositionDigest(release),
    policyDigest: release.policyDigest,
    head: release.proposal?.head ?? '',
  }
  const problem = 'the configuration that the release was opened under cannot be read; see ringmaster ledger verify'
  return decidedAs(request, release, blockedFor(release, content, problem), [], null)
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

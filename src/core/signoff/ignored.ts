import { isAway, type Opinion, personOf, stateOf } from './opinions.ts'
import type { Review, SignoffGiven } from './schema.ts'

/** Why a review fills no seat and vetoes nothing; a sentence for people each. */
const WHY = {
  'account-gone': 'the account no longer exists',
  bot: 'bots do not sign',
  'not-submitted': 'the review was never submitted',
  comment: 'a comment is no opinion',
  'unknown-state': 'GitHub gives a state that is not known here',
  'not-a-member': 'not a member of any party',
  'members-unreadable': 'the members of the party could not be read',
  dismissed: 'it was dismissed',
  'veto-lifted': 'the request for changes was lifted by its author or by someone who may',
  'dismissal-unexplained': 'it was dismissed, and nothing tells what it said',
  superseded: 'the same person reviewed again later',
  author: 'whoever opened the release does not sign it',
  editor: 'whoever changed the composition does not sign it',
  away: 'somebody else signs in the place of this person for now',
  'old-content': 'it approved another content than the current one',
  'time-unreadable': 'the time of the review could not be read',
  expired: 'it is older than approvals may be',
  'out-of-turn': 'it came before the parties that sign first; approve again once they have',
  'no-seat-left': 'every seat that this person could fill is filled',
} as const

export type IgnoredCode = keyof typeof WHY

export interface IgnoredReview {
  readonly review: Review
  readonly login: string | null
  readonly reviewId: number | null
  readonly code: IgnoredCode
  readonly why: string
}

interface Known {
  /** Oldest first. */
  readonly opinions: readonly Opinion[]
  readonly excluded: ReadonlySet<string>
  /** Vetoes, and what may be one. */
  readonly standing: ReadonlySet<Review>
  readonly counted: ReadonlySet<Review>
  /** Approvals that would fill a seat if there were one. */
  readonly valid: ReadonlySet<Review>
  /** Those of them that came before their turn. */
  readonly early: ReadonlySet<Review>
}

/** Explains every review that does not count, oldest first, those that are no opinion last. */
export function ignoredReviews(given: SignoffGiven, known: Known): IgnoredReview[] {
  const opinions = new Map(known.opinions.map((opinion) => [opinion.review, opinion]))
  const latest = new Map(known.opinions.map((opinion) => [opinion.person, opinion]))
  const rest = given.reviews.filter((review) => !opinions.has(review)).sort(byTimeThenId)
  return [...opinions.keys(), ...rest].flatMap((review) => {
    const opinion = opinions.get(review)
    const code = opinion === undefined ? silence(review) : reasonFor(opinion, latest.get(opinion.person), given, known)
    if (code === undefined) return []
    return [{ review, login: review.user, reviewId: review.reviewId ?? null, code, why: WHY[code] }]
  })
}

const byTimeThenId = (a: Review, b: Review): number =>
  a.at < b.at ? -1 : a.at > b.at ? 1 : (a.reviewId ?? 0) - (b.reviewId ?? 0)

const SILENCES = new Map<string, IgnoredCode>([
  ['PENDING', 'not-submitted'],
  ['COMMENTED', 'comment'],
])
const OPINIONS = new Set(['APPROVED', 'CHANGES_REQUESTED', 'DISMISSED'])

function silence(review: Review): IgnoredCode {
  if (review.user === null) return 'account-gone'
  const state = stateOf(review)
  const code = SILENCES.get(state)
  if (code !== undefined) return code
  if (!OPINIONS.has(state)) return 'unknown-state'
  // Opinions of people are handled elsewhere; what is left was a comment before its dismissal, or a bot's.
  return SILENCES.has(review.was?.toUpperCase() ?? '') ? 'comment' : 'bot'
}

function reasonFor(
  opinion: Opinion,
  latest: Opinion | undefined,
  given: SignoffGiven,
  { excluded, standing, counted, valid, early }: Known,
): IgnoredCode | undefined {
  const { review, person, kind } = opinion
  if (counted.has(review) || (kind === 'veto' && standing.has(review))) return undefined
  const own = given.parties.filter((party) => party.members.some((login) => personOf(login) === person))
  if (own.length === 0) return 'not-a-member'
  if (kind === 'unknown') return standing.has(review) ? 'dismissal-unexplained' : 'dismissed'
  if (kind === 'veto') return 'veto-lifted'
  if (opinion.isDismissed) return 'dismissed'
  if (latest !== opinion) return 'superseded'
  if (excluded.has(person)) return person === personOf(given.proposal.author) ? 'author' : 'editor'
  if (own.every((party) => isAway(party, person))) return 'away'
  if (!opinion.isCurrent) return 'old-content'
  if (Number.isNaN(opinion.atMs)) return 'time-unreadable'
  if (!valid.has(review)) return 'expired'
  if (early.has(review)) return 'out-of-turn'
  const unreadable = new Set(given.unreadable ?? [])
  return own.every((party) => unreadable.has(party.name)) ? 'members-unreadable' : 'no-seat-left'
}

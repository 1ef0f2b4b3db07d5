import type { Party, Review, SignoffGiven } from './schema.ts'

/** What a person said about the proposal with one review; comments and unfinished reviews are none. */
export interface Opinion {
  readonly review: Review
  readonly person: string
  /** `unknown`: dismissed, and nobody knows what it said. */
  readonly kind: 'approval' | 'veto' | 'unknown'
  readonly isDismissed: boolean
  /** Dismissed by the person, or by somebody who may lift the vetoes of others. */
  readonly isLifted: boolean
  readonly isCurrent: boolean
  /** Milliseconds since 1970; not a number when it cannot be read. */
  readonly atMs: number
}

/** GitHub's logins ignore case. */
export const personOf = (login: string): string => login.toLowerCase()

/** Whether a member lets somebody else sign for a party in their place. */
export const isAway = ({ away }: Party, login: string): boolean =>
  away?.some((member) => personOf(member) === personOf(login)) === true

export const stateOf = (review: Review): string => review.state.toUpperCase()

/** Says of a login whether it is a bot's: by its name, or because one of the reviews says so. */
export function botsIn(reviews: readonly Review[]): (login: string) => boolean {
  const bots = new Set(
    reviews.flatMap(({ user, type }) => (user !== null && type?.toLowerCase() === 'bot' ? [personOf(user)] : [])),
  )
  return (login) => personOf(login).endsWith('[bot]') || bots.has(personOf(login))
}

/** The opinions of people, oldest first: by time, then review id. Where both are equal the veto is the later one. */
export function opinionsIn({ proposal, reviews, policy }: SignoffGiven): Opinion[] {
  const isBot = botsIn(reviews)
  const digests = new Map(proposal.contentDigests ?? [])
  const digest = digests.get(proposal.head)
  const dismissers = new Set((policy?.dismissers ?? []).map(personOf))
  const opinions = reviews.flatMap((review): Opinion[] => {
    const kind = kindOf(review)
    if (kind === undefined || review.user === null || isBot(review.user)) return []
    const person = personOf(review.user)
    const by = review.dismissedBy == null || isBot(review.dismissedBy) ? undefined : personOf(review.dismissedBy)
    const isDismissed = stateOf(review) === 'DISMISSED'
    const isSameContent = digest !== undefined && digests.get(review.commit) === digest
    return [
      {
        review,
        person,
        kind,
        isDismissed,
        isLifted: isDismissed && by !== undefined && (by === person || dismissers.has(by)),
        isCurrent: review.commit !== '' && (review.commit === proposal.head || isSameContent),
        atMs: Date.parse(review.at),
      },
    ]
  })
  return opinions.sort(
    (a, b) =>
      compare(order(a.atMs), order(b.atMs)) ||
      compare(a.review.reviewId ?? 0, b.review.reviewId ?? 0) ||
      compare(SEVERITY[a.kind], SEVERITY[b.kind]) ||
      compare(Number(a.isDismissed), Number(b.isDismissed)) ||
      compare(Number(b.isCurrent), Number(a.isCurrent)),
  )
}

const SEVERITY = { approval: 0, unknown: 1, veto: 2 } as const satisfies Record<Opinion['kind'], number>

const compare = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0)

/** A veto without a readable time must not be taken for an old one. */
const order = (atMs: number): number => (Number.isNaN(atMs) ? Number.POSITIVE_INFINITY : atMs)

const KINDS = new Map<string, Opinion['kind']>([
  ['APPROVED', 'approval'],
  ['CHANGES_REQUESTED', 'veto'],
])
const SILENT = new Set(['COMMENTED', 'PENDING'])

function kindOf(review: Review): Opinion['kind'] | undefined {
  const state = stateOf(review)
  if (state !== 'DISMISSED') return KINDS.get(state)
  const was = review.was?.toUpperCase() ?? ''
  return SILENT.has(was) ? undefined : (KINDS.get(was) ?? 'unknown')
}

/**
 * The opinions, oldest first, that the same person has not followed with an approval of the current content: an
 * approval that was dismissed lifts nothing, one that ran out since does.
 */
export function notTakenBack(opinions: readonly Opinion[]): Opinion[] {
  const approving = new Set<string>()
  return opinions
    .toReversed()
    .filter(({ person, kind, isDismissed, isCurrent, atMs }) => {
      const isLast = !approving.has(person)
      if (kind === 'approval' && !isDismissed && isCurrent && !Number.isNaN(atMs)) approving.add(person)
      return isLast
    })
    .reverse()
}

import type { Problem } from '../problem.ts'
import { blockersOf, type Row, type SignoffProblem, unexplainedProblem } from './blockers.ts'
import { type IgnoredReview, ignoredReviews } from './ignored.ts'
import { botsIn, isAway, notTakenBack, type Opinion, opinionsIn, personOf } from './opinions.ts'
import type { Party, SignoffGiven } from './schema.ts'
import { approvingSince, seatInTurn } from './turns.ts'

/** One person in one seat, and the review that says so. */
export interface FilledSeat {
  readonly login: string
  readonly reviewId: number | null
  readonly commit: string
  readonly at: string
}

export interface PartyDecision {
  readonly name: string
  readonly required: boolean
  readonly seats: number
  readonly filledBy: readonly FilledSeat[]
  readonly missing: number
  /** Logins that may sign for the party and have no seat yet; empty when nothing is missing. */
  readonly couldFill: readonly string[]
}

export interface SignoffDecision {
  readonly status: 'blocked' | 'vetoed' | 'pending' | 'approved'
  /** Party → filled seats. */
  readonly filled: ReadonlyMap<string, number>
  readonly parties: readonly PartyDecision[]
  readonly countedApprovals: readonly (FilledSeat & { readonly party: string })[]
  /** Every review that neither fills a seat nor is a standing veto, with the reason. */
  readonly ignored: readonly IgnoredReview[]
  readonly vetoes: readonly { readonly login: string; readonly reviewId: number | null; readonly at: string }[]
  readonly problems: readonly Problem<SignoffProblem>[]
}

/**
 * Who has signed the content that the proposal shows now. The order of the reviews does not matter. Fails closed:
 * without a required party, or where one cannot be read or filled at all, the answer is `blocked`, with every reason.
 */
export function decideSignoff(given: SignoffGiven): SignoffDecision {
  const { parties, policy } = given
  const perPerson = policy?.seatsPerPerson ?? 'one'
  const opinions = opinionsIn(given)
  const excluded = excludedIn(given)
  const rows = rowsOf(given, excluded)
  const valid = validApprovals(opinions, given)
  const { seated, early } = seatInTurn(rows, valid, approvingSince(opinions), perPerson)
  const seatedAnywhere = new Set(seated.flat())
  const decided = new Map(
    rows.map((row, index) => {
      const people = seated[index] ?? []
      return [row.party, partyDecision(row, people, perPerson === 'one' ? seatedAnywhere : new Set(people), valid)]
    }),
  )
  const ordered = parties.flatMap((party) => decided.get(party) ?? [])
  const members = new Set(parties.flatMap((party) => party.members.map(personOf)))
  const standing = notTakenBack(opinions).filter(
    (opinion) => opinion.kind !== 'approval' && members.has(opinion.person) && !opinion.isLifted,
  )
  const vetoes = standing.filter((opinion) => opinion.kind === 'veto')
  const unexplained = standing.filter((opinion) => opinion.kind === 'unknown')
  const blockers = blockersOf(rows, new Set(given.unreadable ?? []), perPerson)
  const isFull = ordered.every((party) => !party.required || party.missing === 0) && unexplained.length === 0
  return {
    status: blockers.length > 0 ? 'blocked' : vetoes.length > 0 ? 'vetoed' : isFull ? 'approved' : 'pending',
    filled: new Map(ordered.map((party) => [party.name, party.filledBy.length])),
    parties: ordered,
    countedApprovals: ordered.flatMap((party) => party.filledBy.map((seat) => ({ party: party.name, ...seat }))),
    ignored: ignoredReviews(given, {
      opinions,
      excluded,
      standing: new Set(standing.map(({ review }) => review)),
      counted: new Set([...seatedAnywhere].flatMap((person) => valid.get(person)?.review ?? [])),
      valid: new Set([...valid.values()].map(({ review }) => review)),
      early: new Set([...early].flatMap((person) => valid.get(person)?.review ?? [])),
    }),
    vetoes: vetoes.map(({ review }) => ({
      login: review.user ?? '',
      reviewId: review.reviewId ?? null,
      at: review.at,
    })),
    problems: [...blockers, ...unexplained.map(unexplainedProblem)],
  }
}

/** Those who made the content may not sign it, unless the policy says so. */
const excludedIn = ({ proposal, policy }: SignoffGiven): Set<string> =>
  new Set(policy?.authorMaySign === true ? [] : [proposal.author, ...proposal.editors].map(personOf))

/** The parties with those who may sign for them, required ones first. */
function rowsOf({ parties, reviews, unreadable }: SignoffGiven, excluded: ReadonlySet<string>): Row[] {
  const isBot = botsIn(reviews)
  const hidden = new Set(unreadable ?? [])
  const mayBeSeated = (login: string) => !isBot(login) && !excluded.has(personOf(login))
  const eligibleOf = (party: Party) =>
    hidden.has(party.name) ? [] : distinct(party.members.filter((login) => mayBeSeated(login) && !isAway(party, login)))
  return [...parties]
    .sort((a, b) => Number(a.optional === true) - Number(b.optional === true))
    .map((party) => ({ party, eligible: eligibleOf(party) }))
}

/** The same person in another case is one person; the first spelling stays. */
function distinct(logins: readonly string[]): string[] {
  const spelling = new Map<string, string>()
  for (const login of logins) if (!spelling.has(personOf(login))) spelling.set(personOf(login), login)
  return [...spelling.values()]
}

function partyDecision(
  { party, eligible }: Row,
  people: readonly string[],
  seated: ReadonlySet<string>,
  valid: ReadonlyMap<string, Opinion>,
): PartyDecision {
  const filledBy = people.flatMap((person): FilledSeat[] => {
    const review = valid.get(person)?.review
    if (review === undefined) return []
    return [{ login: review.user ?? person, reviewId: review.reviewId ?? null, commit: review.commit, at: review.at }]
  })
  const missing = Math.max(0, party.count - filledBy.length)
  const couldFill = missing === 0 ? [] : eligible.filter((login) => !seated.has(personOf(login)))
  return { name: party.name, required: party.optional !== true, seats: party.count, filledBy, missing, couldFill }
}

/** Person → the approval that could fill a seat: their latest opinion, of the current content, in time. Oldest first. */
function validApprovals(opinions: readonly Opinion[], { policy, now }: SignoffGiven): Map<string, Opinion> {
  const latest = new Map<string, Opinion>()
  for (const opinion of opinions) {
    latest.delete(opinion.person)
    latest.set(opinion.person, opinion)
  }
  const nowMs = Date.parse(now)
  const isInTime = ({ atMs }: Opinion) =>
    policy?.expiresHours === undefined ? !Number.isNaN(atMs) : nowMs - atMs <= policy.expiresHours * 3_600_000
  return new Map(
    [...latest].filter(
      ([, opinion]) => opinion.kind === 'approval' && !opinion.isDismissed && opinion.isCurrent && isInTime(opinion),
    ),
  )
}

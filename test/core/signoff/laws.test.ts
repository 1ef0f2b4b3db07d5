import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { decideSignoff } from '../../../src/core/signoff/decide.ts'
import type { Review, SignoffGiven } from '../../../src/core/signoff/schema.ts'
import { HEAD, history, hour, PEOPLE } from './histories.ts'

const runs = { numRuns: Number(process.env['RINGMASTER_LAW_RUNS'] ?? 1_500) }
const lower = (login: string) => login.toLowerCase()
const distinct = (logins: readonly string[]) => [...new Set(logins.map(lower))]

/** Who may be counted, said again without looking at how the decision finds it. */
function signers({ proposal, reviews, policy, now }: SignoffGiven): string[] {
  const digests = new Map(proposal.contentDigests)
  return PEOPLE.filter((person) => {
    if (person.endsWith('[bot]')) return false
    if (!policy?.authorMaySign && [proposal.author, ...proposal.editors].map(lower).includes(person)) return false
    const said = reviews.filter(
      ({ user, state }) => user !== null && lower(user) === person && !['COMMENTED', 'PENDING'].includes(state),
    )
    const last = said.reduce<Review | undefined>((newest, next) => {
      if (newest === undefined || next.at > newest.at) return next
      return next.at === newest.at && (next.reviewId ?? 0) > (newest.reviewId ?? 0) ? next : newest
    }, undefined)
    if (last?.state !== 'APPROVED' || (last.commit !== HEAD && digests.get(last.commit) !== 'one')) return false
    const ageHours = (Date.parse(now) - Date.parse(last.at)) / 3_600_000
    return policy?.expiresHours === undefined || ageHours <= policy.expiresHours
  })
}

/** Every way of giving seats to different people is tried. */
function canFill(seats: readonly (readonly string[])[], free: readonly string[]): boolean {
  const [first, ...rest] = seats
  if (first === undefined) return true
  return free.some(
    (person) =>
      first.includes(person) &&
      canFill(
        rest,
        free.filter((other) => other !== person),
      ),
  )
}

const seatsOf = ({ parties, unreadable }: SignoffGiven, isWanted: (optional: boolean) => boolean) =>
  parties
    .filter((party) => isWanted(party.optional === true))
    .flatMap((party) =>
      Array.from({ length: party.count }, () => (unreadable?.includes(party.name) ? [] : distinct(party.members))),
    )

describe('sign-off over random histories', () => {
  it('is approved only with different people in all required seats, and with nobody against it', () => {
    let approved = 0
    fc.assert(
      fc.property(history, (given) => {
        const decided = decideSignoff(given)
        if (decided.status !== 'approved') return
        approved += 1
        expect(given.parties.some((party) => !party.optional)).toBe(true)
        expect(
          canFill(
            seatsOf(given, (optional) => !optional),
            signers(given),
          ),
        ).toBe(true)
        const people = decided.countedApprovals.map(({ login }) => lower(login))
        expect(new Set(people).size).toBe(people.length)
        for (const { party, login } of decided.countedApprovals) {
          expect(signers(given)).toContain(lower(login))
          expect(distinct(given.parties.find(({ name }) => name === party)?.members ?? [])).toContain(lower(login))
        }
      }),
      runs,
    )
    expect(approved).toBeGreaterThan(0)
  })

  it('is pending only when the required seats can not be filled by those who approved, or a dismissal is unexplained', () => {
    fc.assert(
      fc.property(history, (given) => {
        const { status, problems } = decideSignoff(given)
        if (status !== 'pending' || problems.length > 0) return
        expect(
          canFill(
            seatsOf(given, (optional) => !optional),
            signers(given),
          ),
        ).toBe(false)
      }),
      runs,
    )
  })

  it('does not depend on the order in which reviews arrive', () => {
    fc.assert(
      fc.property(
        history.chain((given) =>
          fc.tuple(fc.constant(given), fc.shuffledSubarray(given.reviews, { minLength: given.reviews.length })),
        ),
        ([given, shuffled]) => {
          expect(decideSignoff({ ...given, reviews: shuffled })).toEqual(decideSignoff(given))
        },
      ),
      runs,
    )
  })

  it('does not depend on reviews that are delivered twice', () => {
    fc.assert(
      fc.property(history, (given) => {
        const twice = decideSignoff({ ...given, reviews: [...given.reviews, ...given.reviews] })
        const once = decideSignoff(given)
        expect([twice.status, twice.parties]).toEqual([once.status, once.parties])
      }),
      runs,
    )
  })

  it('is never less approved for one more approval of the current content', () => {
    const RANK = { blocked: 0, vetoed: 1, pending: 2, approved: 3 }
    fc.assert(
      fc.property(history, fc.constantFrom(...PEOPLE), (given, user) => {
        const one = { user, state: 'APPROVED', commit: HEAD, at: hour(60), reviewId: 1_000 }
        const before = decideSignoff(given)
        const after = decideSignoff({ ...given, reviews: [...given.reviews, one] })
        expect(RANK[after.status]).toBeGreaterThanOrEqual(RANK[before.status])
        const filled = (parties: typeof after.parties) =>
          parties.reduce((sum, party) => sum + (party.required ? party.filledBy.length : 0), 0)
        expect(filled(after.parties)).toBeGreaterThanOrEqual(filled(before.parties))
      }),
      runs,
    )
  })

  it('keeps no approval when the content changes', () => {
    fc.assert(
      fc.property(history, (given) => {
        const changed = { ...given, proposal: { ...given.proposal, head: 'd'.repeat(40) } }
        expect(decideSignoff(changed).countedApprovals).toEqual([])
      }),
      runs,
    )
  })

  it('explains every review exactly once: a seat, a veto, or why it does not count', () => {
    fc.assert(
      fc.property(history, (given) => {
        const { countedApprovals, vetoes, ignored } = decideSignoff(given)
        const explained = [
          ...new Set(countedApprovals.map(({ reviewId }) => reviewId)),
          ...vetoes.map(({ reviewId }) => reviewId),
          ...ignored.map(({ reviewId }) => reviewId),
        ]
        expect(explained.toSorted()).toEqual(given.reviews.map(({ reviewId }) => reviewId).toSorted())
      }),
      runs,
    )
  })
})

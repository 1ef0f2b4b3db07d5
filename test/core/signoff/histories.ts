import fc from 'fast-check'
import type { Review, SignoffGiven } from '../../../src/core/signoff/schema.ts'

export const PEOPLE = ['ann', 'bob', 'cid', 'dee', 'eve', 'ci[bot]'] as const
export const HEAD = 'a'.repeat(40)
const COMMITS = [HEAD, 'b'.repeat(40), 'c'.repeat(40)] as const

export const hour = (hours: number): string =>
  new Date(Date.UTC(2026, 10, 18) + hours * 3_600_000).toISOString().replace('.000', '')

const login = fc.constantFrom(...PEOPLE, 'Ann', 'BOB')

const review: fc.Arbitrary<Review> = fc
  .record({
    user: fc.oneof({ weight: 12, arbitrary: login }, { weight: 1, arbitrary: fc.constant(null) }),
    state: fc.constantFrom(
      'APPROVED',
      'APPROVED',
      'APPROVED',
      'CHANGES_REQUESTED',
      'COMMENTED',
      'DISMISSED',
      'PENDING',
    ),
    commit: fc.constantFrom(HEAD, HEAD, ...COMMITS),
    at: fc.integer({ min: 0, max: 60 }).map(hour),
    was: fc.constantFrom('APPROVED', 'CHANGES_REQUESTED', undefined),
    dismissedBy: fc.constantFrom('ann', 'lead', 'eve', null),
  })
  .map(({ state, was, dismissedBy, ...rest }) =>
    state === 'DISMISSED' ? { ...rest, state, dismissedBy, ...(was === undefined ? {} : { was }) } : { ...rest, state },
  )

const party = fc.record({
  members: fc.uniqueArray(login, { maxLength: 5 }),
  count: fc.integer({ min: 0, max: 3 }),
  optional: fc.boolean(),
})

const digests = (isSameContent: boolean): [string, string][] => [
  [HEAD, 'one'],
  [COMMITS[1], isSameContent ? 'one' : 'two'],
]

/** Random parties and reviews: few people, so that they meet often. Review ids differ, as GitHub's do. */
export const history: fc.Arbitrary<SignoffGiven> = fc
  .record({
    parties: fc.array(party, { maxLength: 4 }),
    author: login,
    editors: fc.uniqueArray(login, { maxLength: 1 }),
    reviews: fc.array(review, { maxLength: 10 }),
    unreadable: fc.constantFrom<string[]>([], [], [], ['p0']),
    authorMaySign: fc.boolean(),
    expiresHours: fc.constantFrom(undefined, undefined, 30),
    isSameContent: fc.boolean(),
  })
  .map(({ parties, author, editors, reviews, unreadable, authorMaySign, expiresHours, isSameContent }) => ({
    parties: parties.map((entry, index) => ({ name: `p${index}`, ...entry })),
    proposal: {
      head: HEAD,
      author,
      editors,
      contentDigests: digests(isSameContent),
    },
    reviews: reviews.map((entry, index) => ({ ...entry, reviewId: index + 1 })),
    policy: { authorMaySign, dismissers: ['lead'], ...(expiresHours === undefined ? {} : { expiresHours }) },
    unreadable,
    now: hour(61),
  }))

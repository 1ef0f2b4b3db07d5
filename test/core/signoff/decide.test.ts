import { describe, expect, it } from '@jest/globals'
import { decideSignoff } from '../../../src/core/signoff/decide.ts'
import type { Review, SignoffGiven } from '../../../src/core/signoff/schema.ts'
import { HEAD, hour } from './histories.ts'

const OTHER = 'b'.repeat(40)
let id = 0
const says = (user: string | null, state: string, more: Partial<Review> = {}): Review => {
  id += 1
  return { user, state, commit: HEAD, at: hour(id / 10), reviewId: id, ...more }
}

const given = (reviews: readonly Review[], bent: Partial<SignoffGiven> = {}): SignoffGiven => ({
  parties: [{ name: 'qa', members: ['ann', 'bob'], count: 1 }],
  proposal: { head: HEAD, author: 'rel', editors: [] },
  reviews: [...reviews],
  now: hour(60),
  ...bent,
})

describe('which reviews count', () => {
  it.each<[string, Review[], string, string]>([
    ['an account that is gone', [says(null, 'APPROVED')], 'pending', 'account-gone'],
    ['a bot by its type', [says('ann', 'APPROVED', { type: 'Bot' })], 'pending', 'bot'],
    ['a bot by its name', [says('ci[bot]', 'APPROVED')], 'pending', 'bot'],
    ['a review that was never submitted', [says('ann', 'PENDING', { at: '' })], 'pending', 'not-submitted'],
    ['a comment', [says('ann', 'COMMENTED')], 'pending', 'comment'],
    ['a state that GitHub invents', [says('ann', 'APPLAUDED')], 'pending', 'unknown-state'],
    ['a stranger', [says('eve', 'APPROVED')], 'pending', 'not-a-member'],
    ['an approval of another content', [says('ann', 'APPROVED', { commit: OTHER })], 'pending', 'old-content'],
    ['an approval of a commit that is gone', [says('ann', 'APPROVED', { commit: '' })], 'pending', 'old-content'],
    ['an approval without a time', [says('ann', 'APPROVED', { at: '' })], 'pending', 'time-unreadable'],
    ['a dismissed approval', [says('ann', 'DISMISSED', { was: 'APPROVED', dismissedBy: 'x' })], 'pending', 'dismissed'],
    ['the first of two approvals', [says('ann', 'APPROVED'), says('ann', 'APPROVED')], 'approved', 'superseded'],
    ['one approval too many', [says('ann', 'APPROVED'), says('bob', 'APPROVED')], 'approved', 'no-seat-left'],
    [
      'a veto that was followed',
      [says('ann', 'CHANGES_REQUESTED'), says('ann', 'APPROVED')],
      'approved',
      'veto-lifted',
    ],
    [
      'a veto that its author dismissed',
      [says('ann', 'APPROVED'), says('bob', 'DISMISSED', { was: 'CHANGES_REQUESTED', dismissedBy: 'BOB' })],
      'approved',
      'veto-lifted',
    ],
  ])('explains why %s does not', (_, reviews, status, code) => {
    const decided = decideSignoff(given(reviews))
    expect(decided.status).toBe(status)
    expect(decided.ignored.map((entry) => entry.code)).toEqual([code])
    expect(decided.ignored[0]?.why).not.toBe('')
  })

  it('reads the lower-case states of webhooks', () => {
    expect(decideSignoff(given([says('ann', 'approved')])).status).toBe('approved')
  })

  it('counts an approval of another commit with the same content', () => {
    const contentDigests: [string, string][] = [
      [HEAD, 'one'],
      [OTHER, 'one'],
    ]
    const proposal = { head: HEAD, author: 'rel', editors: [], contentDigests }
    expect(decideSignoff(given([says('ann', 'APPROVED', { commit: OTHER })], { proposal })).status).toBe('approved')
  })

  it('takes no digest for granted: two unknown contents are not the same', () => {
    const proposal = { head: HEAD, author: 'rel', editors: [], contentDigests: [] }
    expect(decideSignoff(given([says('ann', 'APPROVED', { commit: 'constructor' })], { proposal })).status).toBe(
      'pending',
    )
  })
})

describe('vetoes', () => {
  it.each<[string, Review[]]>([
    [
      'lifted only by an approval of another content',
      [says('ann', 'CHANGES_REQUESTED'), says('ann', 'APPROVED', { commit: OTHER })],
    ],
    [
      'lifted only by an approval that was dismissed',
      [says('ann', 'CHANGES_REQUESTED'), says('ann', 'DISMISSED', { was: 'APPROVED', dismissedBy: 'lead' })],
    ],
    ['of an older content', [says('ann', 'CHANGES_REQUESTED', { commit: OTHER })]],
    ['without a time', [says('ann', 'CHANGES_REQUESTED', { at: '' }), says('ann', 'APPROVED')]],
    ['dismissed by a bot', [says('ann', 'DISMISSED', { was: 'CHANGES_REQUESTED', dismissedBy: 'lead[bot]' })]],
    ['dismissed by nobody knows whom', [says('ann', 'DISMISSED', { was: 'CHANGES_REQUESTED', dismissedBy: null })]],
  ])('stand when %s', (_, reviews) => {
    const policy = { dismissers: ['lead', 'lead[bot]'] }
    expect(decideSignoff(given([...reviews, says('bob', 'APPROVED')], { policy })).status).toBe('vetoed')
  })

  it('count for a party whose members could not be read: an error never lifts one', () => {
    const parties = [
      { name: 'qa', members: ['ann'], count: 1 },
      { name: 'legal', members: ['lee'], count: 1, optional: true },
    ]
    const reviews = [says('ann', 'APPROVED'), says('lee', 'CHANGES_REQUESTED')]
    expect(decideSignoff(given(reviews, { parties, unreadable: ['legal'] })).status).toBe('vetoed')
  })

  it('may hide in a dismissal that nothing explains, which holds the release', () => {
    const decided = decideSignoff(
      given([says('ann', 'APPROVED'), says('bob', 'DISMISSED', { dismissedBy: 'mallory' })]),
    )
    expect(decided.status).toBe('pending')
    expect(decided.problems.map(({ code }) => code)).toEqual(['dismissal-unexplained'])
  })
})

describe('what can never be filled', () => {
  it.each<[string, Partial<SignoffGiven>, string]>([
    ['no parties', { parties: [] }, 'no-required-party'],
    [
      'optional parties only',
      { parties: [{ name: 'qa', members: ['ann'], count: 1, optional: true }] },
      'no-required-party',
    ],
    ['a party that asks for nobody', { parties: [{ name: 'qa', members: ['ann'], count: 0 }] }, 'asks-for-nobody'],
    ['a party that cannot be read', { unreadable: ['qa'] }, 'members-unreadable'],
    ['a party of bots', { parties: [{ name: 'qa', members: ['a[bot]'], count: 1 }] }, 'too-few-members'],
    ['a party of the author', { parties: [{ name: 'qa', members: ['REL'], count: 1 }] }, 'too-few-members'],
    [
      'two parties of the same name',
      {
        parties: [
          { name: 'qa', members: ['ann'], count: 1 },
          { name: 'qa', members: ['bob'], count: 1 },
        ],
      },
      'duplicate-party',
    ],
    [
      'one person for two parties',
      {
        parties: [
          { name: 'qa', members: ['ann'], count: 1 },
          { name: 'dev', members: ['Ann'], count: 1 },
        ],
      },
      'too-few-people-together',
    ],
  ])('says at once that %s blocks', (_, bent, code) => {
    const decided = decideSignoff(given([says('ann', 'APPROVED')], bent))
    expect(decided.status).toBe('blocked')
    expect(decided.problems.map((problem) => problem.code)).toEqual([code])
  })

  it('says everything that blocks together', () => {
    const parties = [
      { name: 'qa', members: [], count: 1 },
      { name: 'dev', members: ['ann'], count: 1 },
    ]
    const { problems } = decideSignoff(given([], { parties, unreadable: ['dev'] }))
    expect(problems.map(({ code }) => code)).toEqual(['too-few-members', 'members-unreadable'])
  })
})

describe('seats', () => {
  it('lets one person sign for every party where the policy says so', () => {
    const parties = [
      { name: 'qa', members: ['ann'], count: 1 },
      { name: 'dev', members: ['ann'], count: 1 },
    ]
    const decided = decideSignoff(given([says('ann', 'APPROVED')], { parties, policy: { seatsPerPerson: 'all' } }))
    expect(decided.status).toBe('approved')
    expect(decided.filled).toEqual(
      new Map([
        ['qa', 1],
        ['dev', 1],
      ]),
    )
  })

  it('moves people between parties until as many seats as possible are filled', () => {
    const parties = [
      { name: 'a', members: ['u1', 'u2'], count: 1 },
      { name: 'b', members: ['u1', 'u3'], count: 1 },
      { name: 'c', members: ['u1'], count: 1 },
    ]
    const reviews = ['u1', 'u2', 'u3'].map((user) => says(user, 'APPROVED'))
    expect(decideSignoff(given(reviews, { parties })).status).toBe('approved')
  })

  it('names who could fill what is missing', () => {
    const parties = [{ name: 'qa', members: ['ann', 'bob', 'rel', 'ci[bot]', 'BOB'], count: 2 }]
    const decided = decideSignoff(given([says('ann', 'APPROVED')], { parties }))
    expect(decided.parties).toMatchObject([{ name: 'qa', required: true, seats: 2, missing: 1, couldFill: ['bob'] }])
  })

  it('decides on dozens of parties and thousands of reviews quickly', () => {
    const people = Array.from({ length: 2_000 }, (_, index) => `p${index}`)
    const parties = Array.from({ length: 40 }, (_, index) => ({
      name: `party ${index}`,
      members: people.slice(index * 25, index * 25 + 1_000),
      count: 40,
    }))
    const reviews = people.map((user) => says(user, 'APPROVED', { at: hour(1) }))
    const startedAt = performance.now()
    expect(decideSignoff(given(reviews, { parties })).status).toBe('approved')
    expect(performance.now() - startedAt).toBeLessThan(5_000)
  })
})

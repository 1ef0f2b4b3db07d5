import { describe, expect, it } from '@jest/globals'
import { decideSignoff } from '../../../src/core/signoff/decide.ts'
import type { Review, SignoffGiven } from '../../../src/core/signoff/schema.ts'
import { HEAD, hour } from './histories.ts'

const says = (user: string, state: string, at: number, more: Partial<Review> = {}): Review => ({
  user,
  state,
  commit: HEAD,
  at: hour(at),
  reviewId: at * 10,
  ...more,
})

const given = (reviews: readonly Review[], bent: Partial<SignoffGiven> = {}): SignoffGiven => ({
  parties: [{ name: 'qa', members: ['alice', 'bob'], count: 2 }],
  proposal: { head: HEAD, author: 'rel', editors: [] },
  reviews: [...reviews],
  now: hour(60),
  ...bent,
})

/** Histories that tools which count reviews are known to take for approved, or for not approved, wrongly. */
describe('what other tools count wrongly', () => {
  it.each<[string, SignoffGiven, string]>([
    [
      'one person who approves twice fills one seat',
      given([says('alice', 'APPROVED', 1), says('alice', 'APPROVED', 2)]),
      'pending',
    ],
    [
      'who approved and then asks for changes no longer approves',
      given([says('alice', 'APPROVED', 1), says('bob', 'APPROVED', 2), says('bob', 'CHANGES_REQUESTED', 3)]),
      'vetoed',
    ],
    [
      'a comment that contains a command approves nothing',
      given([says('alice', 'COMMENTED', 1), says('bob', 'COMMENTED', 2)]),
      'pending',
    ],
    ['a login is the same in any case', given([says('Alice', 'APPROVED', 1), says('bob', 'APPROVED', 2)]), 'approved'],
    [
      'another member cannot lift an objection by approving',
      given([says('alice', 'CHANGES_REQUESTED', 1), says('bob', 'APPROVED', 2)], {
        parties: [{ name: 'qa', members: ['alice', 'bob'], count: 1 }],
      }),
      'vetoed',
    ],
    [
      'a dismissed approval does not revive the one before it',
      given([
        says('alice', 'APPROVED', 1),
        says('alice', 'DISMISSED', 2, { was: 'APPROVED', dismissedBy: 'alice' }),
        says('bob', 'APPROVED', 3),
      ]),
      'pending',
    ],
    [
      'an approval of the commit before a push does not count, however late it came',
      given([says('alice', 'APPROVED', 1), says('bob', 'APPROVED', 59, { commit: 'b'.repeat(40) })]),
      'pending',
    ],
    ['no party at all approves nothing', given([says('alice', 'APPROVED', 1)], { parties: [] }), 'blocked'],
    [
      'a party that only optional seats ask for approves nothing',
      given([says('alice', 'APPROVED', 1)], {
        parties: [{ name: 'qa', members: ['alice'], count: 1, optional: true }],
      }),
      'blocked',
    ],
    [
      'whoever edited the composition does not sign it',
      given([says('alice', 'APPROVED', 1), says('bob', 'APPROVED', 2)], {
        proposal: { head: HEAD, author: 'rel', editors: ['Bob'] },
      }),
      'blocked',
    ],
  ])('%s', (_name, history, status) => {
    expect(decideSignoff(history).status).toBe(status)
  })
})

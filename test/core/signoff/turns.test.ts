import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { decideSignoff } from '../../../src/core/signoff/decide.ts'
import type { SignoffGiven } from '../../../src/core/signoff/schema.ts'

const at = (minute: number): string => new Date(Date.UTC(2026, 0, 15, 12, minute)).toISOString()
type Said = readonly [user: string, minute: number, state?: string]

const given = (reviews: readonly Said[], more: Partial<SignoffGiven> = {}): SignoffGiven => ({
  parties: [
    { name: 'Product', members: ['pia', 'both'], count: 1, after: ['QA'] },
    { name: 'QA', members: ['quinn', 'both'], count: 1 },
  ],
  proposal: { head: 'h', author: 'ann', editors: [] },
  reviews: reviews.map(([user, minute, state = 'APPROVED'], index) => ({
    user,
    state,
    commit: 'h',
    at: at(minute),
    reviewId: index + 1,
    ...(state === 'DISMISSED' ? { was: 'APPROVED', dismissedBy: user } : {}),
  })),
  now: at(59),
  ...more,
})

describe('a party that signs after another', () => {
  it.each<readonly [string, readonly Said[], string, readonly string[]]>([
    [
      'counts behind it',
      [
        ['quinn', 1],
        ['pia', 2],
      ],
      'approved',
      [],
    ],
    [
      'counts in the same moment',
      [
        ['quinn', 1],
        ['pia', 1],
      ],
      'approved',
      [],
    ],
    [
      'does not count before it',
      [
        ['pia', 1],
        ['quinn', 2],
      ],
      'pending',
      ['out-of-turn'],
    ],
    ['does not count alone', [['pia', 1]], 'pending', ['out-of-turn']],
    [
      'counts when it approves once more',
      [
        ['pia', 1],
        ['quinn', 2],
        ['pia', 3],
      ],
      'approved',
      ['superseded'],
    ],
    [
      'still counts when the first approves again',
      [
        ['quinn', 1],
        ['pia', 2],
        ['quinn', 3],
      ],
      'approved',
      ['superseded'],
    ],
    [
      'has to approve again when the first had taken its own back',
      [
        ['quinn', 1],
        ['pia', 2],
        ['quinn', 3, 'CHANGES_REQUESTED'],
        ['quinn', 4],
      ],
      'pending',
      ['superseded', 'out-of-turn', 'veto-lifted'],
    ],
    ['is another person', [['both', 1]], 'pending', []],
    [
      'may be whoever of two approved later',
      [
        ['both', 1],
        ['pia', 2],
      ],
      'approved',
      [],
    ],
    [
      'waits for a dismissed approval too',
      [
        ['quinn', 1, 'DISMISSED'],
        ['pia', 2],
      ],
      'pending',
      ['dismissed', 'out-of-turn'],
    ],
  ])('%s', (_name, reviews, status, ignored) => {
    const decision = decideSignoff(given(reviews))
    expect([decision.status, decision.ignored.map(({ code }) => code)]).toEqual([status, ignored])
  })

  it('does not wait for an optional one', () => {
    const { parties, ...rest } = given([['pia', 1]])
    const [product, qa] = parties
    if (!product || !qa) throw new Error('expected two parties')
    expect(decideSignoff({ ...rest, parties: [product, { ...qa, optional: true }] }).status).toBe('approved')
  })

  it('never counts behind one that is not there', () => {
    const { parties, ...rest } = given([
      ['quinn', 1],
      ['pia', 2],
    ])
    expect(decideSignoff({ ...rest, parties: parties.filter(({ name }) => name === 'Product') }).status).toBe('pending')
  })

  it('is asked in a chain, link by link', () => {
    const chain = {
      parties: ['a', 'b', 'c'].map((name, index, names) => ({
        name,
        members: [`of-${name}`],
        count: 1,
        ...(index === 0 ? {} : { after: [names[index - 1] ?? ''] }),
      })),
    }
    const filled = (reviews: readonly Said[]) => [...decideSignoff(given(reviews, chain)).filled.values()]
    expect(
      filled([
        ['of-c', 1],
        ['of-b', 2],
        ['of-a', 3],
      ]),
    ).toEqual([1, 0, 0])
    expect(
      filled([
        ['of-a', 1],
        ['of-c', 2],
        ['of-b', 3],
      ]),
    ).toEqual([1, 1, 0])
    expect(
      filled([
        ['of-a', 1],
        ['of-b', 2],
        ['of-c', 3],
      ]),
    ).toEqual([1, 1, 1])
  })
})

describe('laws of turns', () => {
  const said = fc.tuple(
    fc.constantFrom('pia', 'quinn', 'both', 'quim'),
    fc.integer({ min: 0, max: 50 }),
    fc.constantFrom('APPROVED', 'APPROVED', 'CHANGES_REQUESTED', 'DISMISSED'),
  )
  const parties = [
    { name: 'Product', members: ['pia', 'both'], count: 1, after: ['QA'] },
    { name: 'QA', members: ['quinn', 'both', 'quim'], count: 2 },
  ]

  it('approve only what every party signed behind those that sign first', () => {
    fc.assert(
      fc.property(fc.array(said, { maxLength: 12 }), (reviews) => {
        const decision = decideSignoff(given(reviews, { parties }))
        if (decision.status !== 'approved') return
        const product = decision.parties.find(({ name }) => name === 'Product')?.filledBy[0]
        const qa = decision.parties.find(({ name }) => name === 'QA')?.filledBy ?? []
        for (const { login } of qa) {
          const own = reviews.filter(([user, minute]) => user === login && at(minute) <= (product?.at ?? ''))
          expect(own.some(([, , state]) => state === 'APPROVED')).toBe(true)
        }
      }),
    )
  })

  it('are never less approved for one more approval', () => {
    const RANK = { blocked: 0, vetoed: 1, pending: 2, approved: 3 }
    fc.assert(
      fc.property(
        fc.array(said, { maxLength: 10 }),
        fc.constantFrom('pia', 'quinn', 'both', 'quim'),
        fc.constantFrom(parties, given([]).parties),
        (reviews, user, among) => {
          const before = decideSignoff(given(reviews, { parties: among }))
          const after = decideSignoff(given([...reviews, [user, 55]], { parties: among }))
          expect(RANK[after.status]).toBeGreaterThanOrEqual(RANK[before.status])
        },
      ),
      { numRuns: Number(process.env['RINGMASTER_LAW_RUNS'] ?? 1_000) },
    )
  })

  it('do not depend on the order of delivery', () => {
    fc.assert(
      fc.property(fc.array(said, { maxLength: 10 }), (reviews) => {
        const whole = given(reviews, { parties })
        const turned = decideSignoff({ ...whole, reviews: whole.reviews.toReversed() })
        expect(turned.status).toBe(decideSignoff(whole).status)
        expect(turned.filled).toEqual(decideSignoff(whole).filled)
      }),
    )
  })
})

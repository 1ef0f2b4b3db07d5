import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type ClaimBook, claimsAdmission } from '../../../src/core/cohort/claims.ts'
import { DeclaredPhase, Device } from '../../../src/core/cohort/schema.ts'

const book = (held: readonly string[], others = 0, size = 10): ClaimBook => ({
  count: () => held.length + others,
  holds: (_, { pseudonym }) => pseudonym !== undefined && held.includes(pseudonym),
  cohortSize: () => size,
})

const admit = (phase: unknown, claims: ClaimBook, device: Partial<Device> = { pseudonym: 'p-1' }) =>
  claimsAdmission(claims).of('R', DeclaredPhase.parse(phase))(Device.parse(device), 0)

describe('counted admission', () => {
  it.each([
    ['the second of two', { kind: 'count', count: 2 }, book([], 1), 'within_limit'],
    ['the third of two', { kind: 'count', count: 2 }, book([], 2), 'limit_reached'],
    ['one single device, which a numeric phase cannot say', { kind: 'count', count: 1 }, book([], 0), 'within_limit'],
    ['nobody at a count of 0', { kind: 'count', count: 0 }, book([], 0), 'limit_reached'],
    ['29 percent of a hundred, the 29th', { kind: 'share', share: '0.29' }, book([], 28, 100), 'within_limit'],
    ['29 percent of a hundred, the 30th', { kind: 'share', share: '0.29' }, book([], 29, 100), 'limit_reached'],
    ['a holder though the limit is reached', { kind: 'count', count: 2 }, book(['p-1'], 5), 'claim_held'],
    ['everybody at a share of 1.0, whatever was claimed', { kind: 'share', share: '1.0' }, book([], 99), 'everybody'],
    [
      'nobody while halted, holders included',
      { kind: 'count', count: 9, halted: { at: '2026-01-01T00:00:00Z', reason: 'x' } },
      book(['p-1']),
      'halted',
    ],
    [
      'nobody by a ramp, which needs no counting',
      { kind: 'ramp', from: '0', to: '1', startsAt: '2026-01-01T00:00:00Z', endsAt: '2026-01-02T00:00:00Z' },
      book([]),
      'malformed',
    ],
  ])('decides %s', (_, phase, claims, code) => {
    expect(admit(phase, claims).code).toBe(code)
  })

  it('takes a claim by tag too, so that canaries count against the share that follows', () => {
    expect(admit({ kind: 'tags', tags: ['canary'] }, book([]), { tags: ['canary'] })).toEqual({
      admitted: true,
      code: 'tag',
      takesClaim: true,
    })
  })

  it('never admits more than the limit, whoever asks in whatever order', () => {
    fc.assert(
      fc.property(
        fc.nat(12),
        fc.array(
          fc.nat(20).map((i) => `p-${i}`),
          { maxLength: 60 },
        ),
        (count, asking) => {
          const held: string[] = []
          for (const pseudonym of asking) {
            const admission = admit({ kind: 'count', count }, book(held), { pseudonym })
            if (admission.admitted && admission.takesClaim) held.push(pseudonym)
          }
          expect(new Set(held).size).toBe(held.length)
          expect(held.length).toBe(Math.min(count, new Set(asking).size))
        },
      ),
    )
  })
})

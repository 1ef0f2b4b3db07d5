import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { staticAdmission } from '../../../src/core/cohort/phase.ts'
import { sortRoster } from '../../../src/core/cohort/roster.ts'
import type { DeclaredPhase, Phase } from '../../../src/core/cohort/schema.ts'
import { type PermissionContext, permitted } from '../../../src/core/manifest/permission.ts'
import { unwrap } from '../../../src/core/problem.ts'

const scope = { cohort: 'eu', release: 'R2', salt: 's' }
const names = Array.from({ length: 300 }, (_, at) => `p-${at}`)
const roster = { roster: unwrap(sortRoster(scope, names)), epoch: 4 }
const NOW = '2026-11-20T12:00:00Z'

const context = (changes: Partial<PermissionContext> = {}): PermissionContext => ({
  release: 'R2',
  salt: 's',
  roster: undefined,
  previous: undefined,
  issuedAt: NOW,
  rampStepSeconds: 3_600,
  ...changes,
})

/** Who of the roster a published phase admits, by the admission that devices use. */
function admitted(phase: Phase, now = NOW): readonly string[] {
  const admit = staticAdmission('eu').of('R2', phase)
  return names.filter(
    (pseudonym) => admit({ pseudonym, epoch: 4, tags: [], quarantined: false }, Date.parse(now)).admitted,
  )
}

const share = (text: string): DeclaredPhase => ({ kind: 'share', share: text })
const count = (number: number): DeclaredPhase => ({ kind: 'count', count: number })

describe('permissions for a declared phase', () => {
  it.each<[string, DeclaredPhase, number]>([
    ['nobody for a share of 0', share('0'), 0],
    ['floor(share × enrolled)', share('0.379'), 113],
    ['everybody for a share of 1', share('1.0'), 300],
    ['exactly one', count(1), 1],
    ['exactly a hundred, by list', count(100), 100],
    ['exactly a hundred and one, by threshold', count(101), 101],
    ['all where fewer are enrolled than counted', count(1_000), 300],
  ])('with a roster: %s', (_name, declared, expected) => {
    expect(admitted(unwrap(permitted(declared, context({ roster }))))).toHaveLength(expected)
  })

  it('refuse an exact count without a roster and say why', () => {
    expect(permitted(count(5), context())).toMatchObject({
      ok: false,
      problems: [{ code: 'roster-needed', path: 'phase.count' }],
    })
  })

  it('name the epoch up to which the roster counts', () => {
    expect(permitted(share('0.5'), context({ roster }))).toMatchObject({ value: { epoch: 4 } })
  })

  it('never shrink, whatever is declared next', () => {
    const declared = fc.oneof(
      fc.integer({ min: 0, max: 300 }).map(count),
      fc.integer({ min: 0, max: 100 }).map((percent) => share((percent / 100).toFixed(2))),
      fc.constant<DeclaredPhase>({ kind: 'tags', tags: ['lab'] }),
    )
    fc.assert(
      fc.property(fc.array(declared, { minLength: 2, maxLength: 6 }), (phases) => {
        let previous: Phase | undefined
        let before: readonly string[] = []
        for (const phase of phases) {
          previous = unwrap(permitted(phase, context({ roster, previous })))
          const now = new Set(admitted(previous))
          expect(before.every((name) => now.has(name))).toBe(true)
          before = [...now]
        }
      }),
      { numRuns: 40 },
    )
  })

  it('keep everybody once everybody was let in, and stop by halt alone', () => {
    const everybody: Phase = { kind: 'everybody' }
    expect(unwrap(permitted(share('0.1'), context({ previous: everybody })))).toEqual({ kind: 'everybody' })
    const halted = unwrap(
      permitted({ ...share('0.1'), halted: { at: NOW, reason: 'smoke' } }, context({ previous: everybody })),
    )
    expect(admitted(halted)).toHaveLength(0)
  })
})

describe('a ramp', () => {
  const ramp: DeclaredPhase = {
    kind: 'ramp',
    from: '0',
    to: '1',
    startsAt: '2026-11-20T10:00:00Z',
    endsAt: '2026-11-20T20:00:00Z',
  }

  it('goes at most one step past its issue, however late it is read', () => {
    const phase = unwrap(permitted(ramp, context()))
    const atOnce = admitted(phase).length
    const late = admitted(phase, '2027-01-01T00:00:00Z').length
    expect(atOnce).toBeGreaterThan(30)
    expect(late).toBeGreaterThan(atOnce)
    expect(late).toBeLessThan(130)
  })

  it('takes nothing back when it is issued again later', () => {
    const first = unwrap(permitted(ramp, context()))
    const second = unwrap(permitted(ramp, context({ previous: first, issuedAt: '2026-11-20T13:00:00Z' })))
    const now = new Set(admitted(second, '2026-11-20T13:00:00Z'))
    expect(admitted(first).every((name) => now.has(name))).toBe(true)
  })

  it('is refused when it would start after permissions were given', () => {
    const previous = unwrap(permitted(share('0.5'), context()))
    const later = { ...ramp, startsAt: '2026-11-20T14:00:00Z' }
    expect(permitted(later, context({ previous }))).toMatchObject({ ok: false, problems: [{ code: 'phase-shrinks' }] })
  })

  it('is refused when a halt is lifted as if it had run on', () => {
    const halted = unwrap(permitted({ ...ramp, halted: { at: NOW, reason: 'smoke' } }, context()))
    const resumed = permitted(ramp, context({ previous: halted, issuedAt: '2026-11-20T18:00:00Z' }))
    expect(resumed).toMatchObject({ ok: false, problems: [{ code: 'ramp-jumps' }] })
  })
})

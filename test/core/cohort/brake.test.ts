import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { decideBrake } from '../../../src/core/cohort/brake.ts'
import {
  type CountQuestion,
  countPhase,
  deploymentReports,
  type PhaseCounts,
} from '../../../src/core/cohort/brake-counts.ts'
import { BrakeRules, InstallReport } from '../../../src/core/cohort/brake-schema.ts'
import { Halt } from '../../../src/core/cohort/schema.ts'

const NOW = '2026-11-20T12:00:00Z'
const hoursAgo = (hours: number): string => new Date(Date.parse(NOW) - hours * 3_600_000).toISOString()

const RULES: BrakeRules = {
  failures: { share: '0.05', minimum: 20 },
  silence: { share: '0.1', minimum: 50, afterSeconds: 86_400 },
}

const counted = (changes: Partial<PhaseCounts> = {}): PhaseCounts => ({
  permitted: 1_000,
  asked: 200,
  installed: 100,
  failed: 0,
  silent: 0,
  ...changes,
})

const decided = (counts: PhaseCounts, rules = RULES) => {
  const { kind, readings } = decideBrake(rules, counts, { now: NOW })
  return `${kind} ${readings.map(({ brake, verdict }) => `${brake}:${verdict}`).join(' ')}`.trim()
}

describe('a phase that watches itself', () => {
  it.each<[string, Partial<PhaseCounts>, string]>([
    ['goes on while all is well', {}, 'go_on failures:within silence:within'],
    ['goes on at exactly the share', { installed: 95, failed: 5 }, 'go_on failures:within silence:within'],
    ['halts just above it', { installed: 95, failed: 6 }, 'halt failures:beyond silence:within'],
    ['halts when everything fails', { installed: 0, failed: 20 }, 'halt failures:beyond silence:within'],
    ['waits for enough ends', { installed: 0, failed: 19 }, 'go_on failures:too_few silence:within'],
    ['goes on before anything happened', { asked: 0, installed: 0 }, 'go_on failures:too_few silence:too_few'],
    ['goes on at exactly the silence allowed', { silent: 20 }, 'go_on failures:within silence:within'],
    ['halts when more are silent', { silent: 21 }, 'halt failures:within silence:beyond'],
    ['waits for enough devices', { asked: 49, installed: 20, silent: 29 }, 'go_on failures:within silence:too_few'],
    ['halts for both', { installed: 0, failed: 100, silent: 90 }, 'halt failures:beyond silence:beyond'],
    ['does not count permissions that nobody used', { permitted: 1_000_000 }, 'go_on failures:within silence:within'],
  ])('%s', (_, changes, expected) => {
    expect(decided(counted(changes))).toBe(expected)
  })

  it.each<[string, BrakeRules, string]>([
    ['without rules', {}, 'go_on'],
    ['with failures alone', { failures: RULES.failures! }, 'halt failures:beyond'],
    ['with silence alone', { silence: RULES.silence! }, 'halt silence:beyond'],
    ['with a share of 0, by the first failure', { failures: { share: '0', minimum: 1 } }, 'halt failures:beyond'],
    ['with a share of 1, never', { failures: { share: '1', minimum: 1 } }, 'go_on failures:within'],
  ])('%s', (_, rules, expected) => {
    expect(decided(counted({ installed: 0, failed: 100, silent: 90 }), rules)).toBe(expected)
  })

  it('says in one reason everything that tripped, and gives a halt that a manifest carries', () => {
    const decision = decideBrake(RULES, counted({ installed: 92, failed: 8, silent: 30 }), { now: NOW })
    expect(decision).toMatchObject({
      kind: 'halt',
      halted: {
        at: NOW,
        reason:
          'halted by itself: 8 of 100 installs that ended have failed, more than the 5 % allowed; 30 of 200 devices that took the release have been silent for 24 hours, more than the 10 % allowed',
      },
    })
    expect(decision.kind === 'halt' && Halt.safeParse(decision.halted).success).toBe(true)
  })

  it.each([
    ['0.025', '2.5 %'],
    ['0.5', '50 %'],
    ['0', '0 %'],
    ['0.000000000000000001', '0.0000000000000001 %'],
  ])('writes the share %s as %s', (share, text) => {
    const decision = decideBrake({ failures: { share, minimum: 1 } }, counted({ installed: 0, failed: 9 }), {
      now: NOW,
    })
    expect(decision.kind === 'halt' && decision.halted.reason).toContain(`more than the ${text} allowed`)
  })

  it.each([
    [90, '90 seconds'],
    [120, '2 minutes'],
    [5_400, '90 minutes'],
    [172_800, '2 days'],
  ])('writes %d seconds of silence as %s', (afterSeconds, text) => {
    const rules = { silence: { share: '0', minimum: 1, afterSeconds } }
    const decision = decideBrake(rules, counted({ silent: 9 }), { now: NOW })
    expect(decision.kind === 'halt' && decision.halted.reason).toContain(`silent for ${text},`)
  })

  it('leaves a halt that stands as it is, and never releases one', () => {
    const halted = { at: hoursAgo(1), reason: 'bad boot' }
    expect(decideBrake(RULES, counted({ failed: 100 }), { halted, now: NOW }).kind).toBe('halted')
    expect(decideBrake(RULES, counted(), { halted, now: NOW }).kind).toBe('halted')
  })

  it('does not lose a failure to rounding, whatever the size of the fleet', () => {
    const of = 3 * 10 ** 8
    const rules = { failures: { share: '0.333333333333333333', minimum: 1 } }
    expect(decided(counted({ installed: of - of / 3, failed: of / 3 }), rules)).toBe('halt failures:beyond')
  })
})

describe('the rules of a brake', () => {
  it.each<[string, unknown]>([
    ['a share above 1', { failures: { share: '1.5', minimum: 1 } }],
    ['a negative share', { failures: { share: '-0.1', minimum: 1 } }],
    ['a share that is a number', { failures: { share: 0.1, minimum: 1 } }],
    ['no minimum', { failures: { share: '0.1' } }],
    ['a minimum of nothing', { failures: { share: '0.1', minimum: 0 } }],
    ['silence at once', { silence: { share: '0.1', minimum: 1, afterSeconds: 0 } }],
    ['a brake that there is not', { smoke: {} }],
  ])('are refused with %s', (_, rules) => {
    expect(BrakeRules.safeParse(rules).success).toBe(false)
  })
})

const question = (changes: Partial<CountQuestion> = {}): CountQuestion => ({
  release: 'R2',
  permitted: 10,
  permits: () => true,
  since: null,
  silentAfterSeconds: 86_400,
  now: NOW,
  ...changes,
})

const report = (device: string, said: InstallReport['said'], hours: number, release = 'R2'): InstallReport =>
  InstallReport.parse({ device, release, said, at: hoursAgo(hours) })

const NOTHING = { permitted: 10, asked: 0, installed: 0, failed: 0, silent: 0 }

describe('what is counted of a phase', () => {
  it.each<[string, InstallReport[], Partial<CountQuestion>, Partial<PhaseCounts>]>([
    ['nothing', [], {}, {}],
    ['a device that took the offer just now', [report('a', 'asked', 1)], {}, { asked: 1 }],
    ['a device that was never heard of again', [report('a', 'asked', 25)], {}, { asked: 1, silent: 1 }],
    ['silence from its very second on', [report('a', 'asked', 24)], {}, { asked: 1, silent: 1 }],
    [
      'a device that asks again and is not silent',
      [report('a', 'asked', 25), report('a', 'asked', 2)],
      {},
      { asked: 1 },
    ],
    [
      'no silence where no rule looks for it',
      [report('a', 'asked', 900)],
      { silentAfterSeconds: undefined },
      { asked: 1 },
    ],
    [
      'an install, however long ago',
      [report('a', 'asked', 50), report('a', 'installed', 49)],
      {},
      { asked: 1, installed: 1 },
    ],
    ['an install of which only the end arrived', [report('a', 'installed', 1)], {}, { asked: 1, installed: 1 }],
    [
      'a failure, also when it asks again',
      [report('a', 'failed', 3), report('a', 'asked', 2)],
      {},
      { asked: 1, failed: 1 },
    ],
    [
      'a failure mended by a later install',
      [report('a', 'failed', 3), report('a', 'installed', 1)],
      {},
      { asked: 1, installed: 1 },
    ],
    [
      'an install that was taken back',
      [report('a', 'installed', 3), report('a', 'failed', 1)],
      {},
      { asked: 1, failed: 1 },
    ],
    [
      'the graver word of one instant',
      [report('a', 'failed', 1), report('a', 'installed', 1)],
      {},
      { asked: 1, failed: 1 },
    ],
    [
      'each device once',
      [report('a', 'failed', 1), report('a', 'failed', 2), report('b', 'failed', 1)],
      {},
      { asked: 2, failed: 2 },
    ],
    [
      'names of any kind',
      [report('__proto__', 'failed', 1), report('constructor', 'installed', 1)],
      {},
      { asked: 2, failed: 1, installed: 1 },
    ],
    ['no other release', [report('a', 'failed', 1, 'R1')], {}, {}],
    ['no device that the phase does not let in', [report('a', 'failed', 1)], { permits: () => false }, {}],
    ['nothing from before the phase was resumed', [report('a', 'failed', 3)], { since: hoursAgo(2) }, {}],
    ['nothing from the future', [report('a', 'failed', -1)], {}, {}],
    ['nothing by a clock that cannot be read', [report('a', 'failed', 1)], { now: 'soon' }, {}],
    ['nothing since an instant that cannot be read', [report('a', 'failed', 1)], { since: 'then' }, {}],
  ])('is %s', (_, reports, changes, expected) => {
    expect(countPhase(reports, question(changes))).toEqual({ ...NOTHING, ...expected })
  })

  const anyReport = fc.record({
    device: fc.constantFrom('a', 'b', 'c', 'd'),
    release: fc.constantFrom('R2', 'R2', 'R3'),
    said: fc.constantFrom('asked' as const, 'installed' as const, 'failed' as const),
    at: fc.integer({ min: -2, max: 60 }).map(hoursAgo),
  })

  it('does not depend on the order of reports, nor on repetitions', () => {
    fc.assert(
      fc.property(fc.array(anyReport, { maxLength: 12 }), fc.infiniteStream(fc.nat()), (reports, random) => {
        const shuffled = [...reports, ...reports]
          .map((one) => ({ one, rank: random.next().value as number }))
          .sort((a, b) => a.rank - b.rank)
          .map(({ one }) => one)
        expect(countPhase(shuffled, question())).toEqual(countPhase(reports, question()))
      }),
    )
  })

  it('puts no device into two places', () => {
    fc.assert(
      fc.property(fc.array(anyReport, { maxLength: 12 }), (reports) => {
        const { asked, installed, failed, silent } = countPhase(reports, question())
        expect(installed + failed + silent).toBeLessThanOrEqual(asked)
        expect(asked).toBeLessThanOrEqual(4)
      }),
    )
  })

  it('takes deployments for reports: started, completed and failed speak, the others do not', () => {
    const attempts = (['pending', 'started', 'completed', 'failed', 'aborted'] as const).map((status) => ({
      environment: `site-${status}`,
      status,
      at: hoursAgo(30),
    }))
    const counts = countPhase(deploymentReports('R2', attempts), question())
    expect(counts).toEqual({ ...NOTHING, asked: 3, installed: 1, failed: 1, silent: 1 })
  })
})

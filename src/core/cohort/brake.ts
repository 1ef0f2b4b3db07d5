import type { PhaseCounts } from './brake-counts.ts'
import type { BrakeRules } from './brake-schema.ts'
import type { Halt } from './schema.ts'
import { parseShare } from './threshold.ts'

/** What one brake measured: `count` of `of`. `too_few`: the sample is below its minimum, so the share says nothing. */
export interface BrakeReading {
  readonly brake: 'failures' | 'silence'
  readonly count: number
  readonly of: number
  readonly share: string
  readonly minimum: number
  readonly verdict: 'too_few' | 'within' | 'beyond'
}

export type BrakeDecision =
  /** Halted already, by whomever: nothing to decide, and the first reason stands. */
  | { readonly kind: 'halted'; readonly readings: readonly BrakeReading[] }
  | { readonly kind: 'go_on'; readonly readings: readonly BrakeReading[] }
  | { readonly kind: 'halt'; readonly halted: Halt; readonly readings: readonly BrakeReading[] }

/** Whether count/of is more than the share, in integers. A share that cannot be read is passed at once: brakes fail shut. */
function isBeyond(count: number, of: number, share: string): boolean {
  const limit = parseShare(share)
  return limit === undefined || BigInt(count) * limit.denominator > limit.numerator * BigInt(of)
}

function readingOf(
  brake: BrakeReading['brake'],
  count: number,
  of: number,
  { share, minimum }: { readonly share: string; readonly minimum: number },
): BrakeReading {
  const verdict = of < minimum ? 'too_few' : isBeyond(count, of, share) ? 'beyond' : 'within'
  return { brake, count, of, share, minimum, verdict }
}

function readingsOf(rules: BrakeRules, counts: PhaseCounts): BrakeReading[] {
  const { failures, silence } = rules
  const { asked, installed, failed, silent } = counts
  return [
    ...(failures === undefined ? [] : [readingOf('failures', failed, installed + failed, failures)]),
    ...(silence === undefined ? [] : [readingOf('silence', silent, asked, silence)]),
  ]
}

/** Decimal text as a percentage, exact: `0.025` is 2.5. */
function percentOf(share: string): string {
  const [whole = '0', decimals = ''] = share.split('.')
  const padded = decimals.padEnd(2, '0')
  const rest = padded.slice(2).replace(/0+$/, '')
  const percent = BigInt(`${whole}${padded.slice(0, 2)}`)
  return rest === '' ? `${percent}` : `${percent}.${rest}`
}

const UNITS = [
  [86_400, 'days'],
  [3_600, 'hours'],
  [60, 'minutes'],
  [1, 'seconds'],
] as const

function spanText(seconds: number): string {
  const [size, unit] = UNITS.find(([unitSeconds]) => seconds % unitSeconds === 0 && seconds / unitSeconds > 1) ?? [
    1,
    'seconds',
  ]
  return `${seconds / size} ${unit}`
}

/** One sentence for the issue and for the devices' explanation. */
function reasonOf({ brake, count, of, share }: BrakeReading, rules: BrakeRules): string {
  const limit = `more than the ${percentOf(share)} % allowed`
  if (brake === 'failures') return `${count} of ${of} installs that ended have failed, ${limit}`
  const span = spanText(rules.silence?.afterSeconds ?? 0)
  return `${count} of ${of} devices that took the release have been silent for ${span}, ${limit}`
}

/**
 * Whether a phase halts by itself, at `now`. A brake trips when its share is passed and its sample is large enough; all
 * that trip are named in the reason. It never releases a phase: resuming is a person's.
 */
export function decideBrake(
  rules: BrakeRules,
  counts: PhaseCounts,
  phase: { readonly halted?: Halt | null | undefined; readonly now: string },
): BrakeDecision {
  const readings = readingsOf(rules, counts)
  if (phase.halted != null) return { kind: 'halted', readings }
  const tripped = readings.filter(({ verdict }) => verdict === 'beyond')
  if (tripped.length === 0) return { kind: 'go_on', readings }
  const reason = `halted by itself: ${tripped.map((reading) => reasonOf(reading, rules)).join('; ')}`
  return { kind: 'halt', halted: { at: phase.now, reason }, readings }
}

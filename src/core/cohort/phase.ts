import type { Admission, AdmissionPort, Admit } from './admission.ts'
import { type BucketScope, bucketHasher } from './bucket.ts'
import { instantMs } from './instant.ts'
import { type Device, type Halt, Phase, Ramp } from './schema.ts'
import { formatThreshold, isBelow, paddedThreshold, parseThreshold } from './threshold.ts'

const MALFORMED: Admission = { admitted: false, code: 'malformed' }
const EVERYBODY_IN: Admission = { admitted: true, code: 'everybody', takesClaim: false }
const TAG_IN: Admission = { admitted: true, code: 'tag', takesClaim: false }
const BUCKET_IN: Admission = { admitted: true, code: 'bucket', takesClaim: false }
const LISTED_IN: Admission = { admitted: true, code: 'listed', takesClaim: false }
const NOT_LISTED: Admission = { admitted: false, code: 'not_listed' }

const admitNobody: Admit = () => MALFORMED

export const haltedAdmission = ({ at, reason }: Halt): Admission => ({ admitted: false, code: 'halted', at, reason })

/** Tests a device for any one of the tags; tags are compared exactly, letter case included. */
export function taggedWith(tags: readonly string[]): (device: Device) => boolean {
  const wanted = new Set(tags)
  return (device) => device.tags.some((tag) => wanted.has(tag))
}

const secondsOf = (ms: number): bigint => BigInt(Math.floor(ms / 1000))

interface RampLine {
  readonly from: bigint
  readonly to: bigint
  readonly startSeconds: bigint
  readonly durationSeconds: bigint
  readonly untilMs: number
}

/** The ramp's numbers, or undefined where rounding to whole seconds leaves it no duration. */
function rampLine(ramp: Ramp): RampLine | undefined {
  const from = parseThreshold(ramp.from)
  const to = parseThreshold(ramp.to)
  const startMs = instantMs(ramp.startsAt)
  const endMs = instantMs(ramp.endsAt)
  const untilMs = instantMs(ramp.until)
  if (from === undefined || to === undefined) return undefined
  if (startMs === undefined || endMs === undefined || untilMs === undefined) return undefined
  const startSeconds = secondsOf(startMs)
  const durationSeconds = secondsOf(endMs) - startSeconds
  return durationSeconds > 0n ? { from, to, startSeconds, durationSeconds, untilMs } : undefined
}

/** The threshold at t = min(now, until); undefined before the start. */
function thresholdAt(line: RampLine, nowMs: number): bigint | undefined {
  const elapsed = secondsOf(Math.min(nowMs, line.untilMs)) - line.startSeconds
  if (elapsed < 0n) return undefined
  if (elapsed >= line.durationSeconds) return line.to
  return line.from + ((line.to - line.from) * elapsed) / line.durationSeconds
}

/** The threshold of a ramp at an instant: 0 before its start; undefined where ramp or instant cannot be read. */
export function rampThreshold(ramp: unknown, now: string): bigint | undefined {
  const read = Ramp.safeParse(ramp)
  const nowMs = instantMs(now)
  const line = read.success ? rampLine(read.data) : undefined
  return line === undefined || nowMs === undefined ? undefined : (thresholdAt(line, nowMs) ?? 0n)
}

type BucketPhase = Extract<Phase, { salt: string }>
type ByBucket = (bucket: string, nowMs: number) => Admission

function byThreshold(threshold: bigint): ByBucket {
  const padded = paddedThreshold(threshold)
  const above: Admission = { admitted: false, code: 'above_threshold', threshold: formatThreshold(threshold) }
  return (bucket) => (isBelow(bucket, padded) ? BUCKET_IN : above)
}

function byRamp(phase: Extract<Phase, { kind: 'ramp' }>): ByBucket | undefined {
  const line = rampLine(phase)
  if (line === undefined) return undefined
  const early: Admission = { admitted: false, code: 'not_started', startsAt: phase.startsAt }
  return (bucket, nowMs) => {
    if (Number.isNaN(nowMs)) return MALFORMED
    const threshold = thresholdAt(line, nowMs)
    return threshold === undefined ? early : byThreshold(threshold)(bucket, nowMs)
  }
}

function byList(buckets: readonly string[]): ByBucket {
  const listed = new Set(buckets)
  return (bucket) => (listed.has(bucket) ? LISTED_IN : NOT_LISTED)
}

function byBucketOf(phase: BucketPhase): ByBucket | undefined {
  switch (phase.kind) {
    case 'share': {
      const threshold = parseThreshold(phase.threshold)
      return threshold === undefined ? undefined : byThreshold(threshold)
    }
    case 'ramp':
      return byRamp(phase)
    case 'list':
      return byList(phase.buckets)
  }
}

const enrolledBy = (device: Device, epoch: number): boolean =>
  typeof device.epoch === 'number' && Number.isInteger(device.epoch) && device.epoch >= 0 && device.epoch <= epoch

/** Tags first, because they admit whatever the bucket; then who the device is; then when it enrolled; then the bucket. */
function admitByBucket(scope: BucketScope, phase: BucketPhase): Admit {
  const test = byBucketOf(phase)
  if (test === undefined || scope.cohort === '' || scope.release === '') return admitNobody
  const hash = bucketHasher(scope)
  const isTagged = taggedWith(phase.tags ?? [])
  const epoch = phase.epoch ?? undefined
  return (device, nowMs) => {
    if (isTagged(device)) return TAG_IN
    if (typeof device.pseudonym !== 'string' || device.pseudonym === '') return MALFORMED
    if (epoch !== undefined && !enrolledBy(device, epoch))
      return { admitted: false, code: 'not_enrolled_in_time', epoch }
    return test(hash(device.pseudonym), nowMs)
  }
}

function admitByTags(tags: readonly string[]): Admit {
  const isTagged = taggedWith(tags)
  const refusal: Admission = { admitted: false, code: 'not_tagged', tags }
  return (device) => (isTagged(device) ? TAG_IN : refusal)
}

function admitBy(cohort: string, release: string, phase: Phase): Admit {
  if (phase.halted != null) {
    const refusal = haltedAdmission(phase.halted)
    return () => refusal
  }
  if (phase.kind === 'everybody') return () => EVERYBODY_IN
  if (phase.kind === 'tags') return admitByTags(phase.tags)
  return admitByBucket({ cohort, release, salt: phase.salt }, phase)
}

/**
 * Admission by the manifest alone: the device's bucket against the phase that the release carries. A phase that is
 * not exactly as the schema says admits nobody (code `malformed`), and neither does a ramp at an instant that is none.
 */
export function staticAdmission(cohort: string): AdmissionPort {
  return {
    of: (releaseId, raw) => {
      const phase = Phase.safeParse(raw)
      return phase.success ? admitBy(cohort, releaseId, phase.data) : admitNobody
    },
  }
}

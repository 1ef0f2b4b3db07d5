import { z } from 'zod'
import { bucketOf } from '../../src/core/cohort/bucket.ts'
import { instantMs } from '../../src/core/cohort/instant.ts'
import { rampThreshold, staticAdmission } from '../../src/core/cohort/phase.ts'
import { countThreshold, permittedBy, sortRoster } from '../../src/core/cohort/roster.ts'
import { formatThreshold, sharePermissions, shareThreshold } from '../../src/core/cohort/threshold.ts'
import { caseFile } from './case-files.ts'
import { type CaseCheck, caseDevice, equal, runFile } from './cohort-cases.ts'
import type { Suite } from './suite.ts'

const Rejected = z.object({ rejected: z.literal(true) })

const BucketCase = z.object({
  cohort: z.string(),
  release: z.string(),
  salt: z.string(),
  device: z.string(),
  bucket: z.string(),
})

/** A share is decimal text: anything else is refused, and a case may say so. */
const Share = z.unknown().transform((share) => (typeof share === 'string' ? share : undefined))

const ShareCase = z.object({ share: Share }).and(z.union([Rejected, z.object({ threshold: z.string() })]))

const RosterShareCase = z
  .object({ share: Share, enrolled: z.int() })
  .and(z.union([Rejected, z.object({ permissions: z.int() })]))

const CountCase = z.object({
  cohort: z.string(),
  release: z.string(),
  salt: z.string(),
  rosterPattern: z.string().regex(/^[^%]*%0?\d*d[^%]*$/),
  enrolled: z.int().min(0),
  count: z.int().min(0),
  admitted: z.int(),
  thresholdFrom: z.string(),
  thresholdTo: z.string(),
})

const RampCase = z
  .object({ ramp: z.unknown(), now: z.string() })
  .and(z.union([Rejected, z.object({ threshold: z.string() })]))

/** A name that is no text names nothing, and is as malformed as an empty one. */
const Name = z.unknown().transform((name) => (typeof name === 'string' ? name : ''))

const AdmissionCase = z.object({
  cohort: Name,
  release: Name,
  phase: z.unknown().optional(),
  device: z.unknown().optional(),
  now: z.string(),
  admitted: z.boolean(),
  code: z.string(),
})

function bucketCheck(raw: unknown): string[] {
  const { device, bucket, ...scope } = BucketCase.parse(raw)
  return equal('bucket', bucketOf(scope, device), bucket)
}

function shareCheck(raw: unknown): string[] {
  const given = ShareCase.parse(raw)
  const threshold = given.share === undefined ? undefined : shareThreshold(given.share)
  if ('rejected' in given) return equal('threshold', threshold, undefined)
  return equal('threshold', threshold === undefined ? undefined : formatThreshold(threshold), given.threshold)
}

function rosterShareCheck(raw: unknown): string[] {
  const given = RosterShareCase.parse(raw)
  const permissions = given.share === undefined ? undefined : sharePermissions(given.share, given.enrolled)
  return equal('permissions', permissions, 'rejected' in given ? undefined : given.permissions)
}

/** `p-%06d` as in C's printf, for the one number of the pattern. */
function pseudonymsOf(pattern: string, enrolled: number): string[] {
  const [, head = '', zero, width, tail = ''] = /^([^%]*)%(0?)(\d*)d([^%]*)$/.exec(pattern) ?? []
  return Array.from(
    { length: enrolled },
    (_, i) => head + String(i).padStart(Number(width || 0), zero ? '0' : ' ') + tail,
  )
}

function countCheck(raw: unknown): string[] {
  const given = CountCase.parse(raw)
  const sorted = sortRoster(given, pseudonymsOf(given.rosterPattern, given.enrolled))
  if (!sorted.ok) return sorted.problems.map((problem) => problem.message)
  const threshold = countThreshold(sorted.value, given.count)
  const from = BigInt(`0x${given.thresholdFrom}`)
  const to = BigInt(`0x${given.thresholdTo}`)
  return [
    ...equal('admitted', permittedBy(sorted.value, threshold), given.admitted),
    ...(threshold >= from && threshold <= to ? [] : [`threshold ${formatThreshold(threshold)} is out of range`]),
    ...equal('admitted at thresholdFrom', permittedBy(sorted.value, from), given.admitted),
    ...equal('admitted at thresholdTo', permittedBy(sorted.value, to), given.admitted),
  ]
}

function rampCheck(raw: unknown): string[] {
  const given = RampCase.parse(raw)
  const threshold = rampThreshold(given.ramp, given.now)
  if ('rejected' in given) return equal('threshold', threshold, undefined)
  return equal('threshold', threshold === undefined ? undefined : formatThreshold(threshold), given.threshold)
}

function admissionCheck(raw: unknown): string[] {
  const given = AdmissionCase.parse(raw)
  const admit = staticAdmission(given.cohort).of(given.release, given.phase)
  const admission = admit(caseDevice(given.device), instantMs(given.now) ?? Number.NaN)
  return [...equal('admitted', admission.admitted, given.admitted), ...equal('code', admission.code, given.code)]
}

const CHECKS = {
  buckets: bucketCheck,
  shares: shareCheck,
  rosterShares: rosterShareCheck,
  exactCounts: countCheck,
  ramps: rampCheck,
  admissions: admissionCheck,
} as const

const File = z.object({ schema: z.literal('phasing-cases/2') }).catchall(z.unknown())

function casesOf(file: unknown): CaseCheck[] {
  return Object.entries(File.parse(file)).flatMap(([name, rows]) => {
    if (!Array.isArray(rows)) return []
    const check = new Map<string, (raw: unknown) => string[]>(Object.entries(CHECKS)).get(name)
    return rows.map((raw: unknown, at) => ({
      id: `${name}[${at}]`,
      run: () =>
        check === undefined ? [`expected one of ${Object.keys(CHECKS).join(', ')}, found ${name}`] : check(raw),
    }))
  })
}

/** Buckets, thresholds, ramps and admission; every element of every array of the file is one case. */
export const phasingSuite: Suite = {
  files: [caseFile('phasing.json')],
  run: (file) => runFile(file, casesOf),
}

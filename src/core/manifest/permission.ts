import { instantMs } from '../cohort/instant.ts'
import { rampThreshold } from '../cohort/phase.ts'
import { grownCountThreshold, listedBuckets, type SortedRoster } from '../cohort/roster.ts'
import { type DeclaredPhase, Phase } from '../cohort/schema.ts'
import {
  EVERYBODY,
  formatThreshold,
  grown,
  parseThreshold,
  sharePermissions,
  shareThreshold,
} from '../cohort/threshold.ts'
import { accepted, type Checked, rejected } from '../problem.ts'

export type PermissionCode = 'roster-needed' | 'phase-shrinks' | 'ramp-jumps' | 'phase-malformed'

/** Everybody enrolled at an epoch, sorted for one channel release. */
export interface RosterAtEpoch {
  readonly roster: SortedRoster
  readonly epoch: number
}

export interface PermissionContext {
  /** The release, for messages. */
  readonly release: string
  /** New for each channel release, the same for as long as the release lives. */
  readonly salt: string
  /** Undefined where the cohort keeps no roster. */
  readonly roster: RosterAtEpoch | undefined
  /** The phase that was last published for the release. */
  readonly previous: Phase | undefined
  /** When the manifest is issued, ISO 8601 UTC. */
  readonly issuedAt: string
  /** How far past its issue a ramp may run, in seconds, while a halt is withheld from a device. */
  readonly rampStepSeconds: number
}

/** Up to here a count is a list of buckets, which later enrolments cannot slip under. */
const MAX_LISTED_COUNT = 100

/**
 * The permissions that a manifest publishes for a declared phase. What was permitted stays permitted: thresholds,
 * lists and epochs only grow, and who wants less halts.
 */
export function permitted(declared: DeclaredPhase, context: PermissionContext): Checked<Phase, PermissionCode> {
  const { previous } = context
  const halted = declared.halted && { halted: declared.halted }
  if (previous?.kind === 'everybody' || declared.kind === 'everybody') return accepted({ kind: 'everybody', ...halted })
  if (declared.kind === 'tags') return tagsOnly(declared, context)
  if (declared.kind === 'ramp') return ramped(declared, context)
  const wanted = wantedCount(declared, context)
  if (!wanted.ok) return wanted
  return accepted({ ...wanted.value, ...bucketMembers(declared, context), ...halted })
}

type ByBucket = Extract<DeclaredPhase, { kind: 'share' | 'count' | 'ramp' }>

const bucketMembers = (declared: ByBucket, { salt, roster, previous }: PermissionContext) => {
  const before = previous && 'epoch' in previous ? (previous.epoch ?? null) : null
  const epoch = roster ? Math.max(roster.epoch, before ?? 0) : before
  const kept = previous && 'tags' in previous ? (previous.tags ?? []) : []
  const tags = [...new Set([...kept, ...(declared.tags ?? [])])]
  return { salt, epoch, ...(tags.length > 0 && { tags }) }
}

/** What is permitted by buckets now, as the threshold that permits no less. */
function reached(previous: Phase | undefined, at: string): bigint {
  switch (previous?.kind) {
    case undefined:
    case 'tags':
      return 0n
    case 'everybody':
      return EVERYBODY
    case 'share':
      return parseThreshold(previous.threshold) ?? 0n
    case 'ramp':
      return rampThreshold(previous, previous.halted?.at ?? at) ?? 0n
    case 'list':
      return previous.buckets.reduce((most, bucket) => grown(most, BigInt(`0x${bucket}`) + 1n), 0n)
  }
}

function tagsOnly(
  declared: Extract<DeclaredPhase, { kind: 'tags' }>,
  context: PermissionContext,
): Checked<Phase, PermissionCode> {
  const { previous } = context
  const halted = declared.halted && { halted: declared.halted }
  if (!previous || previous.kind === 'tags') {
    const tags = [...new Set([...(previous?.tags ?? []), ...declared.tags])]
    return accepted({ kind: 'tags', tags, ...halted })
  }
  // From a share to tags: those who had permission by bucket keep it.
  const share = { kind: 'share', share: '0', tags: declared.tags, ...halted } as const
  return permitted(share, context)
}

type CountOrShare = Extract<DeclaredPhase, { kind: 'share' | 'count' }>
type Wanted = { kind: 'share'; threshold: string } | { kind: 'list'; buckets: string[] }

function wantedCount(declared: CountOrShare, context: PermissionContext): Checked<Wanted, PermissionCode> {
  const before = reached(context.previous, context.issuedAt)
  const { roster, previous } = context
  if (!roster) {
    if (declared.kind === 'count') return refuseCount(declared.count, context)
    return accepted(shareOf(grown(before, shareThreshold(declared.share) ?? 0n)))
  }
  const enrolled = roster.roster.buckets.length
  if (declared.kind === 'share' && shareThreshold(declared.share) === EVERYBODY) return accepted(shareOf(EVERYBODY))
  const count = declared.kind === 'count' ? declared.count : (sharePermissions(declared.share, enrolled) ?? 0)
  if (declared.kind === 'count' && count <= MAX_LISTED_COUNT && (!previous || previous.kind === 'list')) {
    const buckets = new Set([...(previous?.buckets ?? []), ...listedBuckets(roster.roster, count)])
    return accepted({ kind: 'list', buckets: [...buckets].sort() })
  }
  return accepted(shareOf(grownCountThreshold(roster.roster, count, before)))
}

const shareOf = (threshold: bigint) => ({ kind: 'share' as const, threshold: formatThreshold(threshold) })

const refuseCount = (count: number, { release }: PermissionContext) =>
  rejected<PermissionCode>({
    code: 'roster-needed',
    message: `expected a roster to permit exactly ${count} devices for the release ${release}, found none`,
    hint: 'Keep a roster of enrolled devices for the cohort, or give a share; a share without a roster only comes near a count.',
    path: 'phase.count',
  })

/** The ramp of a manifest ends its reach at most one step past the issue, so that a withheld halt cannot complete it. */
function ramped(
  declared: Extract<DeclaredPhase, { kind: 'ramp' }>,
  context: PermissionContext,
): Checked<Phase, PermissionCode> {
  const { previous, issuedAt } = context
  const before = reached(previous, issuedAt)
  const same =
    previous?.kind === 'ramp' && previous.startsAt === declared.startsAt && previous.endsAt === declared.endsAt
  const from = grown(same ? (parseThreshold(previous.from) ?? 0n) : before, rosterShare(declared.from, context))
  const to = grown(grown(from, before), rosterShare(declared.to, context))
  const issuedMs = instantMs(issuedAt) ?? 0
  const until = new Date(issuedMs + context.rampStepSeconds * 1000).toISOString()
  const phase = {
    kind: 'ramp' as const,
    from: formatThreshold(from),
    to: formatThreshold(to),
    startsAt: declared.startsAt,
    endsAt: declared.endsAt,
    until,
    ...bucketMembers(declared, context),
    ...(declared.halted && { halted: declared.halted }),
  }
  const now = rampThreshold(phase, issuedAt)
  if (now === undefined) return refuseRamp('phase-malformed', context, 'expected a ramp of whole seconds that grows')
  if (now < before)
    return refuseRamp('phase-shrinks', context, 'expected a ramp that permits at least what is permitted now')
  if (previous?.halted && !declared.halted && now > before) {
    return refuseRamp(
      'ramp-jumps',
      context,
      'expected a resumed ramp that goes on where it was halted, found one that ran on meanwhile',
    )
  }
  return accepted(Phase.parse(phase))
}

const rosterShare = (share: string, { roster }: PermissionContext): bigint => {
  const plain = shareThreshold(share) ?? 0n
  if (!roster || plain === EVERYBODY) return plain
  return grownCountThreshold(roster.roster, sharePermissions(share, roster.roster.buckets.length) ?? 0, 0n)
}

const refuseRamp = (code: PermissionCode, { release }: PermissionContext, message: string) =>
  rejected<PermissionCode>({
    code,
    message: `${message} (release ${release})`,
    hint: 'Give a ramp that starts now, from the share that is permitted already; or halt it.',
    path: 'phase',
  })

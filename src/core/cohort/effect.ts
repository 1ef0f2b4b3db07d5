import { type PermissionCode, permitted } from '../manifest/permission.ts'
import { type Manifest, QUARANTINE_ID, type Quarantine } from '../manifest/schema.ts'
import type { Problem } from '../problem.ts'
import type { AdmissionPort, Admit } from './admission.ts'
import { type BucketScope, pseudonymDigest } from './bucket.ts'
import { type ClaimBook, claimsAdmission } from './claims.ts'
import type { ChannelEffect, EffectFinding } from './effect-schema.ts'
import { fleetFor, type KnownVersion } from './fleet.ts'
import { framedKey } from './framed-key.ts'
import { instantMs } from './instant.ts'
import { mergeMoves } from './merge-moves.ts'
import { staticAdmission } from './phase.ts'
import { publishedAdmission, publishedOffer } from './published-offer.ts'
import { type Enrolled, type RosterProblem, sortRoster, type Tally } from './roster.ts'
import { type Channel, type DeclaredPhase, type DeviceReport, type Override, Phase } from './schema.ts'
import { type SimulatedChannel, simulate } from './simulate.ts'
import type { ReleaseSalt } from './state.ts'

/** A channel with what decides who is let in. */
export interface CohortOffer {
  readonly channel: Channel
  readonly overrides: readonly Override[]
  readonly salts: readonly ReleaseSalt[]
  readonly admission: 'static' | 'claims'
  readonly quarantine: Quarantine | null
  readonly entryRelease: string | null
  /** Bundles that have reached a ring which serves the cohort. */
  readonly released: readonly string[]
}

/** What decides who is let in to one cohort, outside the ledger. */
export interface CohortKnown {
  /** Everybody enrolled; null where the cohort keeps no roster. */
  readonly roster: { readonly epoch: number; readonly entries: readonly Enrolled[] } | null
  /** What devices read now: permissions only grow from there. */
  readonly published: Manifest | undefined
  /** What the server has counted. */
  readonly book: ClaimBook | undefined
}

/** What is known of a cohort's devices outside the ledger. */
export interface FleetKnown extends CohortKnown {
  /** What devices said that they run, by pseudonym. */
  readonly reports: ReadonlyMap<string, DeviceReport>
  /** The cohort that they are to go to, where a change sends them to another one. */
  readonly goesTo?: CohortKnown
}

const RAMP_STEP_SECONDS = 3_600
const MOVES_SHOWN = 20
const FINDINGS_SHOWN = 50
const TARGETS_SHOWN = 20

const NOBODY_COUNTED: ClaimBook = { count: () => 0, holds: () => false, cohortSize: () => 0 }

type PhaseProblem = Problem<PermissionCode | RosterProblem | 'ramp-in-claims'>

/** By scope and epoch: to sort a million buckets takes seconds, and before and after mostly need the same. */
type SortedRosters = Map<string, ReturnType<typeof sortRoster>>

/** From where one side of a change is looked at. */
interface Standpoint {
  readonly known: CohortKnown
  readonly now: string
  readonly sorted: SortedRosters
}

function sortedUpTo(scope: BucketScope, entries: readonly Enrolled[], epoch: number | undefined, all: SortedRosters) {
  const key = framedKey([scope.cohort, scope.release, scope.salt, epoch === undefined ? null : String(epoch)])
  const known = all.get(key)
  if (known !== undefined) return known
  const counted = entries.filter((entry) => epoch === undefined || entry.epoch <= epoch)
  const sorted = sortRoster(
    scope,
    counted.map(({ pseudonym }) => pseudonym),
  )
  all.set(key, sorted)
  return sorted
}

/** The phases as a manifest would carry them now; what none could carry is told in `problems` and admits nobody. */
function staticPhases(
  { channel, salts }: CohortOffer,
  { known: { roster, published }, now, sorted: all }: Standpoint,
  problems: PhaseProblem[],
): AdmissionPort<DeclaredPhase> {
  const { cohort } = channel
  const bySalt = new Map(salts.map(({ release, salt }) => [release, salt]))
  const port = staticAdmission(cohort)
  return {
    of(id, declared) {
      const before = published?.releases.find((release) => release.id === id)
      const read = before && Phase.safeParse(before.phase)
      const previous = read?.success ? read.data : undefined
      const kept = previous && 'salt' in previous ? previous : undefined
      const salt = kept?.salt ?? bySalt.get(id) ?? id
      const epoch = kept?.epoch ?? roster?.epoch
      const isCounted = declared.kind !== 'everybody' && declared.kind !== 'tags'
      const sorted =
        isCounted && roster ? sortedUpTo({ cohort, release: id, salt }, roster.entries, epoch, all) : undefined
      const phase = permitted(declared, {
        release: id,
        salt,
        roster: sorted?.ok && epoch !== undefined ? { roster: sorted.value, epoch } : undefined,
        previous,
        issuedAt: now,
        rampStepSeconds: RAMP_STEP_SECONDS,
      })
      if (sorted && !sorted.ok) problems.push(...sorted.problems)
      if (!phase.ok) problems.push(...phase.problems)
      return port.of(id, phase.ok && sorted?.ok !== false ? phase.value : null)
    },
  }
}

function claimedPhases(known: CohortKnown, problems: PhaseProblem[]): AdmissionPort<DeclaredPhase> {
  const { roster } = known
  const book = known.book ?? { ...NOBODY_COUNTED, cohortSize: () => roster?.entries.length ?? 0 }
  const port = claimsAdmission(book)
  return {
    of(id, phase) {
      if (phase.kind === 'ramp')
        problems.push({
          code: 'ramp-in-claims',
          message: `expected a share or a count for ${id}, found a ramp in a cohort that the server counts`,
          hint: 'A ramp grows by the clock of each device; say a larger share from time to time instead.',
        })
      return port.of(id, phase)
    },
  }
}

const admissionOf = (offer: CohortOffer, from: Standpoint, problems: PhaseProblem[]) =>
  readOnce(offer.admission === 'static' ? staticPhases(offer, from, problems) : claimedPhases(from.known, problems))

/** Reads the phase of a release once, however often it is asked: what is wrong with it is told once. */
function readOnce(port: AdmissionPort<DeclaredPhase>): AdmissionPort<DeclaredPhase> {
  const read = new Map<string, { readonly phase: DeclaredPhase; readonly admit: Admit }>()
  return {
    of(id, phase) {
      const known = read.get(id)
      if (known?.phase === phase) return known.admit
      const admit = port.of(id, phase)
      read.set(id, { phase, admit })
      return admit
    },
  }
}

function sideOf(offer: CohortOffer, admission: AdmissionPort<DeclaredPhase>): SimulatedChannel {
  const { channel, overrides, quarantine, entryRelease } = offer
  const named = new Set(quarantine?.devices)
  const scope = { id: QUARANTINE_ID, salt: quarantine?.salt ?? '' }
  return {
    channel,
    overrides,
    admission,
    entryRelease,
    isQuarantined: ({ pseudonym }) =>
      named.size > 0 && pseudonym !== undefined && named.has(pseudonymDigest(scope, pseudonym)),
  }
}

/** What the latest release permits, were it not halted: what devices did with it is counted elsewhere. */
function tallyOfLatest({ channel, admission }: SimulatedChannel, { roster }: CohortKnown, now: string): Tally | null {
  const latest = channel.releases.find(({ next }) => next === null)
  if (roster === null || latest === undefined) return null
  const { halted: _, ...phase } = latest.phase
  const admit = admission.of(latest.id, phase as DeclaredPhase)
  const nowMs = instantMs(now) ?? Number.NaN
  const enrolled = roster.entries.length
  const permitted = roster.entries.filter(
    ({ pseudonym, epoch, tags }) => admit({ pseudonym, epoch, tags: [...tags], quarantined: false }, nowMs).admitted,
  ).length
  return { enrolled, permitted, left: enrolled - permitted }
}

/** What is told is bounded, and no number of warnings may crowd out an error. */
const errorsFirst = (a: EffectFinding, b: EffectFinding): number =>
  Number(b.severity === 'error') - Number(a.severity === 'error')

const shortened = (text: string, most: number): string => (text.length <= most ? text : `${text.slice(0, most - 1)}…`)

/** What stood before a change. Its own faults are not the change's doing. */
function standingOf(before: EffectQuestion['before'], from: Standpoint) {
  if (before === null) return null
  const isManifest = 'schema' in before
  const offer = isManifest ? publishedOffer(before) : before
  return { offer, side: sideOf(offer, isManifest ? publishedAdmission(before) : admissionOf(before, from, [])) }
}

/** What to do about an error of a change: insist, as the surface has it; no insisting makes a count without a roster. */
export function remedyOf({ code, hint }: Pick<EffectFinding, 'code' | 'hint'>, insist: string): string {
  const own = hint === undefined ? '' : `${hint.replace(/\.$/, '')}.`
  return code === 'roster-needed' ? own : `${own} ${insist}`.trim()
}

export interface EffectQuestion {
  /** What stood before: by the log, or by the manifest alone where there is no log; null where nothing did. */
  readonly before: CohortOffer | Manifest | null
  readonly after: CohortOffer
  /** Versions that devices may run beside those of the channel, oldest first. */
  readonly others: readonly KnownVersion[]
  readonly now: string
}

/** Plays a change over the devices that are known, as `simulate` does, and keeps what people have to see of it. */
export function effectOf(question: EffectQuestion, known: FleetKnown): ChannelEffect {
  const { after, others, now } = question
  const { goesTo } = known
  const problems: PhaseProblem[] = []
  const sorted: SortedRosters = new Map()
  const there = { known: goesTo ?? known, now, sorted }
  const side = sideOf(after, admissionOf(after, there, problems))
  const standing = standingOf(question.before, { known, now, sorted })
  const sides = standing === null ? [side] : [standing.side, side]
  const { basis, held, places, cut, groups } = fleetFor(
    { before: standing?.offer ?? null, after, others },
    sides,
    known,
    now,
  )
  const enrolled = known.roster?.entries.length ?? null
  const simulation = simulate({
    before: standing?.side,
    after: side,
    fleet: groups,
    now,
    bundleVersions: new Map(others.map(({ bundle, version }) => [bundle, version])),
    releasedBundles: new Set(after.released),
    isMove: goesTo !== undefined,
    ...(enrolled === null ? {} : { enrolled }),
  })
  const findings: EffectFinding[] = [
    ...problems.map((problem) => ({ ...problem, severity: 'error' as const })),
    ...simulation.findings,
  ].map(({ code, severity, message, hint }) => ({
    code,
    severity,
    message: shortened(message, 2_000),
    ...(hint === undefined ? {} : { hint: shortened(hint, 2_000) }),
  }))
  const { devices, changed, downgrades, stranded } = simulation
  const changes = simulation.moves.filter((move) => move.before !== move.after)
  const moves = mergeMoves(changes, places, held)
    .slice(0, MOVES_SHOWN)
    .map((move) => ({
      ...move,
      from: shortened(move.from, 600),
      before: move.before && shortened(move.before, 600),
      after: move.after && shortened(move.after, 600),
    }))
  return {
    basis,
    ...(held.length > 0 && { targets: held.slice(0, TARGETS_SHOWN).map((target) => shortened(target, 256)) }),
    ...(cut && { cut }),
    enrolled,
    tally: tallyOfLatest(side, goesTo ?? known, now),
    devices,
    changed,
    downgrades,
    stranded,
    moves,
    findings: findings.sort(errorsFirst).slice(0, FINDINGS_SHOWN),
  }
}

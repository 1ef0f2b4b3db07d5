import { type PermissionCode, permitted } from '../manifest/permission.ts'
import { type Manifest, QUARANTINE_ID, type Quarantine } from '../manifest/schema.ts'
import type { Problem } from '../problem.ts'
import type { AdmissionPort } from './admission.ts'
import { pseudonymDigest } from './bucket.ts'
import { type ClaimBook, claimsAdmission } from './claims.ts'
import type { ChannelEffect, EffectFinding } from './effect-schema.ts'
import { instantMs } from './instant.ts'
import { staticAdmission } from './phase.ts'
import { publishedAdmission, publishedOffer } from './published-offer.ts'
import { type Enrolled, sortRoster, type Tally } from './roster.ts'
import { type Channel, type DeclaredPhase, type Device, type DeviceReport, type Override, Phase } from './schema.ts'
import { combinedFleet, type FleetGroup, OTHER_TARGETS, type SimulatedChannel, simulate } from './simulate.ts'
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
/** Versions that devices may be on, counted back from the latest release. */
const VERSIONS_TRIED = 5
const MOVES_SHOWN = 20
const FINDINGS_SHOWN = 50
const TARGETS_SHOWN = 20

const NOBODY_COUNTED: ClaimBook = { count: () => 0, holds: () => false, cohortSize: () => 0 }

type PhaseProblem = Problem<PermissionCode | 'ramp-in-claims'>

/** The phases as a manifest would carry them now; what none could carry is told in `problems` and admits nobody. */
function staticPhases(
  { channel, salts }: CohortOffer,
  { roster, published }: CohortKnown,
  now: string,
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
      const enrolled = roster?.entries.filter((entry) => epoch === undefined || entry.epoch <= epoch)
      const sorted =
        isCounted && enrolled
          ? sortRoster(
              { cohort, release: id, salt },
              enrolled.map(({ pseudonym }) => pseudonym),
            )
          : undefined
      const phase = permitted(declared, {
        release: id,
        salt,
        roster: sorted?.ok && epoch !== undefined ? { roster: sorted.value, epoch } : undefined,
        previous,
        issuedAt: now,
        rampStepSeconds: RAMP_STEP_SECONDS,
      })
      if (!phase.ok) problems.push(...phase.problems)
      return port.of(id, phase.ok ? phase.value : null)
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

const admissionOf = (offer: CohortOffer, known: CohortKnown, now: string, problems: PhaseProblem[]) =>
  offer.admission === 'static' ? staticPhases(offer, known, now, problems) : claimedPhases(known, problems)

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

const reportOf = ({ id, bundle, version }: Channel['releases'][number]): DeviceReport => ({
  release: id,
  bundle,
  ...(version === undefined ? {} : { version }),
})

/** The newest releases of a channel, each a place where devices may stand. */
const places = ({ releases }: Channel): DeviceReport[] => releases.slice(-VERSIONS_TRIED).map(reportOf)

type Place = (entry: Enrolled) => Device

const here: Place = ({ pseudonym, epoch, tags }) => ({ pseudonym, epoch, tags: [...tags], quarantined: false })
/** An epoch counts in the cohort that gave it: elsewhere nobody is on the roster of an exact count. */
const elsewhere: Place = ({ pseudonym, tags }) => ({ pseudonym, tags: [...tags], quarantined: false })

/** The targets that something is held for; nothing else tells one target from another. */
function heldTargets(channels: readonly Channel[]): string[] {
  const holds = channels.flatMap(({ releases }) => releases.flatMap((release) => release.holds ?? []))
  return [...new Set(holds.map(({ target }) => target))]
}

/** A roster does not know targets. A device without one would count as held, so each is tried for every target. */
const ofTargets = (device: Device, held: readonly string[]): readonly Device[] =>
  held.length === 0 ? [device] : [...held, OTHER_TARGETS].map((target) => ({ ...device, target }))

type Tried = { readonly place: Place; readonly held: readonly string[] }

function* reported({ roster, reports }: FleetKnown, { place, held }: Tried): Generator<FleetGroup> {
  for (const entry of roster?.entries ?? []) {
    const report = reports.get(entry.pseudonym) ?? {}
    for (const device of ofTargets(place(entry), held)) yield { device, report, devices: 1 }
  }
}

function* everywhere(
  entries: readonly Enrolled[],
  at: readonly DeviceReport[],
  { place, held }: Tried,
): Generator<FleetGroup> {
  for (const report of at)
    for (const entry of entries)
      for (const device of ofTargets(place(entry), held)) yield { device, report, devices: 1 }
}

function versionsAlone(after: Channel, at: readonly DeviceReport[], held: readonly string[]): Iterable<FleetGroup> {
  const tags = new Set(after.releases.flatMap(({ phase }) => ('tags' in phase ? (phase.tags ?? []) : [])))
  return combinedFleet({
    reports: at,
    tags: [[], ...(tags.size > 0 ? [[...tags]] : [])],
    targets: held.length === 0 ? [undefined] : [...held, OTHER_TARGETS],
  })
}

function fleetOf(known: FleetKnown, before: CohortOffer | null, after: CohortOffer) {
  const { roster, reports } = known
  const place = known.goesTo === undefined ? here : elsewhere
  const isEntryChanged = before !== null && before.entryRelease !== after.entryRelease
  const at = [...places((before ?? after).channel), ...(isEntryChanged ? [{}] : [])]
  const held = heldTargets(before === null ? [after.channel] : [before.channel, after.channel])
  if (roster === null) return { basis: 'versions', held, fleet: versionsAlone(after.channel, at, held) } as const
  return reports.size > 0
    ? ({ basis: 'reports', held, fleet: reported(known, { place, held }) } as const)
    : ({ basis: 'roster', held, fleet: everywhere(roster.entries, at, { place, held }) } as const)
}

const shortened = (text: string, most: number): string => (text.length <= most ? text : `${text.slice(0, most - 1)}…`)

export interface EffectQuestion {
  /** What stood before: by the log, or by the manifest alone where there is no log; null where nothing did. */
  readonly before: CohortOffer | Manifest | null
  readonly after: CohortOffer
  readonly now: string
}

/** Plays a change over the devices that are known, as `simulate` does, and keeps what people have to see of it. */
export function effectOf(question: EffectQuestion, known: FleetKnown): ChannelEffect {
  const { after, now } = question
  const manifest = question.before !== null && 'schema' in question.before ? question.before : undefined
  const before =
    question.before !== null && 'schema' in question.before ? publishedOffer(question.before) : question.before
  const problems: PhaseProblem[] = []
  const { basis, fleet, held } = fleetOf(known, before, after)
  const enrolled = known.roster?.entries.length ?? null
  const { goesTo } = known
  const side = sideOf(after, admissionOf(after, goesTo ?? known, now, problems))
  const simulation = simulate({
    before:
      before === null
        ? undefined
        : sideOf(before, manifest ? publishedAdmission(manifest) : admissionOf(before, known, now, [])),
    after: side,
    fleet,
    now,
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
  const moves = simulation.moves
    .filter((move) => move.before !== move.after)
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
    enrolled,
    tally: tallyOfLatest(side, goesTo ?? known, now),
    devices,
    changed,
    downgrades,
    stranded,
    moves,
    findings: findings.slice(0, FINDINGS_SHOWN),
  }
}

import type { AdmissionPort, Admit } from './admission.ts'
import { instantMs } from './instant.ts'
import { compileRequirement, type Requirement, type RequirementDialect } from './requirement.ts'
import type { TargetHold } from './schema.ts'
import { compareVersions, parseVersion, type SemanticVersion } from './semantic-version.ts'
import { cellOf, firstCovering, type Span, spansOf, type VersionLine, versionLine } from './version-line.ts'

/** What resolution reads of a release, whoever stores it; `phase` is read by the admission alone. */
export interface ResolvableRelease<Phase = unknown> {
  readonly id: string
  readonly bundle: string
  readonly version?: string | null | undefined
  /** An empty text means none, as in the documented clients. */
  readonly requirement?: string | null | undefined
  readonly next: string | null
  readonly required: boolean
  readonly disabled?: { readonly reason: string } | undefined
  readonly holds?: readonly TargetHold[] | undefined
  readonly schedule: string
  readonly phase: Phase
}

/** `version-position`: requirements bind only a device that was placed by its version. */
export type RequirementScope = 'every-position' | 'version-position'

export interface ChannelQuestion<Phase> {
  /** In the order of their creation. */
  readonly releases: readonly ResolvableRelease<Phase>[]
  readonly admission: AdmissionPort<Phase>
  readonly requirementDialect?: RequirementDialect | undefined
  readonly requirementScope?: RequirementScope | undefined
  /** Whether everything in the release's bundle is signed and there; without it every bundle is complete. */
  readonly isBundleComplete?: ((releaseId: string, bundle: string) => boolean) | undefined
}

/** One release, read once. `next` and `stop` are places in the channel's own list. */
export interface Station {
  readonly id: string
  readonly bundle: string
  readonly requirement: string | undefined
  /** Undefined: no requirement. Empty: none that can be met, which is also what an unreadable one gives. */
  readonly spans: readonly Span[] | undefined
  readonly requirementReadable: boolean
  readonly versionCell: number | undefined
  readonly version: SemanticVersion | undefined
  readonly next: number | undefined
  readonly isLatest: boolean
  /** Where the walk forward from here ends: the first required release or the latest. Undefined on a broken path. */
  readonly stop: number | undefined
  readonly disabled: { readonly reason: string } | undefined
  readonly holds: readonly TargetHold[]
  readonly schedule: string
  readonly scheduleMs: number
  readonly admit: Admit
  readonly isComplete: boolean
}

export interface PreparedChannel {
  readonly stations: readonly Station[]
  readonly byId: ReadonlyMap<string, number>
  readonly byBundle: ReadonlyMap<string, number>
  readonly line: VersionLine
  /** For each cell of the line the release where a device of such a version enters, or -1. */
  readonly entries: Int32Array
  readonly requirementScope: RequirementScope
}

interface ReadRelease<Phase> {
  readonly release: ResolvableRelease<Phase>
  readonly version: SemanticVersion | undefined
  readonly requirement: Requirement | undefined
  readonly hasRequirement: boolean
}

function readRelease<Phase>(release: ResolvableRelease<Phase>, dialect: RequirementDialect): ReadRelease<Phase> {
  const text = release.requirement ?? ''
  const compiled = text === '' ? undefined : compileRequirement(text, dialect)
  return {
    release,
    version: release.version == null ? undefined : parseVersion(release.version),
    requirement: compiled?.ok ? compiled.value : undefined,
    hasRequirement: text !== '',
  }
}

/** The first release of each id: a repeated id is refused before it ships, and must not move devices if it did. */
function indexIds(releases: readonly ResolvableRelease[]): Map<string, number> {
  const byId = new Map<string, number>()
  releases.forEach(({ id }, at) => {
    if (!byId.has(id)) byId.set(id, at)
  })
  return byId
}

const OPEN = -2
const BROKEN = -1

/**
 * Where each walk forward ends. A cycle, or a link to a release that is not there, breaks every path that leads into
 * it and comes to no required release before; each release is visited once.
 */
function walkEnds(releases: readonly ResolvableRelease[], nextOf: readonly (number | undefined)[]): Int32Array {
  const ends = new Int32Array(releases.length).fill(OPEN)
  releases.forEach((_, start) => {
    const walked: number[] = []
    const seen = new Set<number>()
    let at: number | undefined = start
    let end = BROKEN
    while (at !== undefined && !seen.has(at)) {
      const known = ends[at]
      if (known !== undefined && known !== OPEN) {
        end = known
        break
      }
      seen.add(at)
      walked.push(at)
      const release: ResolvableRelease | undefined = releases[at]
      if (release?.required || release?.next === null) {
        end = at
        break
      }
      at = nextOf[at]
    }
    for (const place of walked) ends[place] = end
  })
  return ends
}

/** Of several releases that serve one bundle: those with a version first, the lowest of them, else the earliest. */
function indexBundles(reads: readonly ReadRelease<unknown>[]): Map<string, number> {
  const byBundle = new Map<string, number>()
  reads.forEach(({ release, version }, at) => {
    const before = byBundle.get(release.bundle)
    const rival = before === undefined ? undefined : reads[before]
    if (rival === undefined) byBundle.set(release.bundle, at)
    else if (version === undefined) return
    else if (rival.version === undefined || compareVersions(version, rival.version) < 0)
      byBundle.set(release.bundle, at)
  })
  return byBundle
}

/** Entry by version: of the releases with a version and a satisfied requirement the lowest, the earliest of equals. */
function entriesOf(
  line: VersionLine,
  reads: readonly ReadRelease<unknown>[],
  spans: readonly (readonly Span[])[],
): Int32Array {
  const candidates = reads.flatMap(({ version, requirement }, id) =>
    version === undefined || requirement === undefined ? [] : [{ id, version, spans: spans[id] ?? [] }],
  )
  return firstCovering(
    line,
    candidates.sort((a, b) => compareVersions(a.version, b.version) || a.id - b.id),
  )
}

/**
 * Reads a channel once so that each decision is a search and a short walk. It never fails: what cannot be read (a
 * requirement, a phase, a schedule, a link) closes the release or the path that it stands on. Use `checkChannel` to
 * be told what is wrong.
 */
export function prepareChannel<Phase>(question: ChannelQuestion<Phase>): PreparedChannel {
  const { releases, admission, requirementDialect = 'elixir', requirementScope = 'every-position' } = question
  const reads = releases.map((release) => readRelease(release, requirementDialect))
  const line = versionLine(
    reads.flatMap(({ requirement }) => requirement ?? []),
    reads.flatMap(({ version }) => version ?? []),
  )
  const spans = reads.map(({ requirement }) => (requirement === undefined ? [] : spansOf(line, requirement)))
  const byId = indexIds(releases)
  const nextOf = releases.map(({ next }) => (next === null ? undefined : byId.get(next)))
  const ends = walkEnds(releases, nextOf)
  const stations = reads.map(({ release, version, requirement, hasRequirement }, at): Station => {
    const end = ends[at] ?? BROKEN
    return {
      id: release.id,
      bundle: release.bundle,
      requirement: hasRequirement ? (release.requirement ?? undefined) : undefined,
      spans: hasRequirement ? spans[at] : undefined,
      requirementReadable: !hasRequirement || requirement !== undefined,
      version,
      versionCell: version === undefined ? undefined : cellOf(line, version),
      next: nextOf[at],
      isLatest: release.next === null,
      stop: end === BROKEN ? undefined : end,
      disabled: release.disabled,
      holds: release.holds ?? [],
      schedule: release.schedule,
      scheduleMs: instantMs(release.schedule) ?? Number.POSITIVE_INFINITY,
      admit: admission.of(release.id, release.phase),
      isComplete: question.isBundleComplete?.(release.id, release.bundle) ?? true,
    }
  })
  return {
    stations,
    byId,
    byBundle: indexBundles(reads),
    line,
    entries: entriesOf(line, reads, spans),
    requirementScope,
  }
}

import { instantMs } from '../cohort/instant.ts'
import { staticAdmission } from '../cohort/phase.ts'
import { type PreparedChannel, prepareChannel } from '../cohort/prepared-channel.ts'
import { resolve } from '../cohort/resolve.ts'
import { type Artifact, type Bundle, type ManifestRelease, Phase } from '../cohort/schema.ts'
import { compareVersions, parseVersion, type SemanticVersion } from '../cohort/semantic-version.ts'
import { type Problem, quoted } from '../problem.ts'
import type { Manifest } from './schema.ts'

/** What a view for plain clients is made of: a manifest as published, and the bundles that it names. */
export interface ViewSource {
  readonly manifest: Manifest
  readonly bundles: ReadonlyMap<string, Bundle>
  /** ISO 8601 UTC. */
  readonly now: string
}

export type ViewCode =
  | 'manifest-expired'
  | 'expiry-not-carried'
  | 'cohort-moved'
  | 'override-not-carried'
  | 'quarantine-not-carried'
  | 'phase-not-carried'
  | 'schedule-not-carried'
  | 'barrier-not-carried'
  | 'choice-not-carried'
  | 'version-missing'
  | 'artifact-missing'
  | 'name-unusable'

export type ViewProblem = Problem<ViewCode>

/** A release in a view, with the artifact that devices of one target would take. */
export interface ViewRelease {
  readonly release: ManifestRelease
  readonly version: string
  readonly order: SemanticVersion
  readonly artifact: Artifact
}

const refused = (code: ViewCode, message: string, hint: string): ViewProblem => ({ code, message, hint })

const PHASE_HINT =
  'Complete or halt the phase; until then this view offers nothing, and devices that verify manifests go on.'
const VIEW_HINT = 'Such devices need a client that reads manifests (docs/devices.md), or a cohort of their own.'

/** Nobody is let in by what is halted or malformed: leaving such a release out says the same. */
const admitsSome = (phase: unknown): boolean => {
  const read = Phase.safeParse(phase)
  return read.success && read.data.halted == null && read.data.kind !== 'everybody'
}

const admitsAll = (phase: unknown): boolean => {
  const read = Phase.safeParse(phase)
  return read.success && read.data.halted == null && read.data.kind === 'everybody'
}

function releaseProblems({ id, phase, schedule, disabled }: ManifestRelease, nowMs: number): ViewProblem[] {
  if (disabled !== undefined) return []
  const problems: ViewProblem[] = []
  if (admitsSome(phase)) {
    const message = `expected ${quoted(id)} to be open to everybody or to nobody, found a phase that a plain client would ignore and so take part in whole`
    problems.push(refused('phase-not-carried', message, PHASE_HINT))
  }
  if ((instantMs(schedule) ?? Number.POSITIVE_INFINITY) > nowMs) {
    const message = `expected ${quoted(id)} to have started, found that it starts at ${quoted(schedule)}: a plain client reads no start`
    problems.push(refused('schedule-not-carried', message, 'Publish again when it has started.'))
  }
  return problems
}

/** What no plain client reads, all at once; an override that is over, or a quarantine of nobody, costs nothing. */
export function plainProblems({ manifest, now }: ViewSource): ViewProblem[] {
  const nowMs = instantMs(now) ?? Number.POSITIVE_INFINITY
  const { overrides, quarantine, movedTo, cohort, expiresAt } = manifest
  const problems = manifest.releases.flatMap((release) => releaseProblems(release, nowMs))
  if (nowMs >= (instantMs(expiresAt) ?? 0))
    problems.push(
      refused(
        'manifest-expired',
        `expected a manifest valid at ${now}, found one until ${expiresAt}`,
        'Publish the cohort again.',
      ),
    )
  if (movedTo !== null && movedTo !== cohort)
    problems.push(
      refused(
        'cohort-moved',
        `expected devices to stay in their cohort, found them moved to ${quoted(movedTo)}`,
        VIEW_HINT,
      ),
    )
  const forced = overrides.filter(({ endsAt }) => endsAt == null || (instantMs(endsAt) ?? 0) > nowMs)
  if (forced.length > 0) {
    const names = forced.map(({ id }) => quoted(id)).join(', ')
    problems.push(refused('override-not-carried', `expected no override in force or ahead, found ${names}`, VIEW_HINT))
  }
  if (quarantine !== null && quarantine.devices.length > 0)
    problems.push(
      refused(
        'quarantine-not-carried',
        `expected no device in quarantine, found ${quarantine.devices.length}`,
        VIEW_HINT,
      ),
    )
  return problems
}

/** The releases with version and artifact for a target; a problem for each that a view could not name. */
export function viewReleases(
  { manifest, bundles }: ViewSource,
  target: string,
): { readonly releases: readonly ViewRelease[]; readonly problems: readonly ViewProblem[] } {
  const problems: ViewProblem[] = []
  const releases = manifest.releases.flatMap((release): ViewRelease[] => {
    const version = release.version ?? bundles.get(release.bundle)?.version
    const order = version === undefined ? undefined : parseVersion(version)
    const artifacts = (bundles.get(release.bundle)?.artifacts ?? []).filter((artifact) => artifact.target === target)
    const [artifact] = artifacts
    if (version === undefined || order === undefined) {
      problems.push(
        refused(
          'version-missing',
          `expected a version of ${quoted(release.id)} that has an order, found ${quoted(version ?? 'none')}`,
          'Plain clients know releases by version.',
        ),
      )
      return []
    }
    if (artifact === undefined || artifacts.length > 1) {
      problems.push(
        refused(
          'artifact-missing',
          `expected one artifact of ${quoted(release.bundle)} for ${quoted(target)}, found ${artifacts.length}`,
          'Plain clients take one file for each version.',
        ),
      )
      return []
    }
    return [{ release, version, order, artifact }]
  })
  return { releases, problems }
}

/** The targets of all bundles that the channel names, sorted. */
export const targetsOf = ({ manifest, bundles }: ViewSource): string[] =>
  [
    ...new Set(
      manifest.releases.flatMap(({ bundle }) => (bundles.get(bundle)?.artifacts ?? []).map(({ target }) => target)),
    ),
  ].sort()

const preparedOf = (manifest: Manifest): PreparedChannel =>
  prepareChannel({
    releases: manifest.releases.map((release) => ({ ...release, phase: release.phase })),
    admission: staticAdmission(manifest.cohort),
    requirementDialect: manifest.requirementDialect,
  })

/**
 * What the channel offers to a device of the target on each release, by the device's own resolution: the id of the
 * release it would move to, or null.
 */
export function decisionsOf({ manifest, now }: ViewSource, target: string): ReadonlyMap<string, string | null> {
  const channel = preparedOf(manifest)
  return new Map(
    manifest.releases.map(({ id, bundle, version }) => {
      const report = { release: id, bundle, ...(version === undefined ? {} : { version }) }
      const device = { tags: [], quarantined: false, target }
      const resolution = resolve({ channel, overrides: [], report, device, now })
      return [id, resolution.kind === 'update' ? resolution.source.id : null] as const
    }),
  )
}

const isOpen = ({ disabled, holds, phase }: ManifestRelease, target: string): boolean =>
  disabled === undefined && !(holds ?? []).some((hold) => hold.target === target) && admitsAll(phase)

/** The highest version that everybody of the target may take; undefined when there is none. */
export function newestOpen(releases: readonly ViewRelease[], target: string, now: string): ViewRelease | undefined {
  const nowMs = instantMs(now) ?? Number.NEGATIVE_INFINITY
  return releases
    .filter(
      ({ release }) => isOpen(release, target) && (instantMs(release.schedule) ?? Number.POSITIVE_INFINITY) <= nowMs,
    )
    .reduce<ViewRelease | undefined>(
      (best, one) => (best && compareVersions(best.order, one.order) >= 0 ? best : one),
      undefined,
    )
}

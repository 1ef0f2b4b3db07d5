import { type ChannelRule, checkChannel } from '../cohort/channel.ts'
import type { Bundle, Channel, ManifestRelease, Override, Phase as PhaseType } from '../cohort/schema.ts'
import { Phase } from '../cohort/schema.ts'
import { canonicalJson, sha256 } from '../json.ts'
import { type Checked, type Problem, quoted, rejected } from '../problem.ts'
import { checkIssues } from './issues.ts'
import { bundlePath } from './names.ts'
import { type PermissionCode, permitted, type RosterAtEpoch } from './permission.ts'
import { type BundleReference, Manifest, type Quarantine } from './schema.ts'

/** Everything that a cohort's manifest is made of, as the ledger knows it. */
export interface ManifestSource {
  readonly channel: Channel
  /** At least those that releases and overrides name; `group` says which bundles role signs each. */
  readonly bundles: readonly { readonly bundle: Bundle; readonly group: string }[]
  readonly overrides: readonly Override[]
  readonly quarantine: Quarantine | null
  readonly movedTo: string | null
  readonly entryRelease: string | null
  readonly pollAfterSeconds: number
  /** Random text for each release whose phase goes by bucket, chosen when the release was made. */
  readonly salts: ReadonlyMap<string, string>
  /** By release, because buckets are salted for each; empty where the cohort keeps no roster. */
  readonly rosters: ReadonlyMap<string, RosterAtEpoch>
  /** What was published last: permissions only grow from there. */
  readonly previous: Manifest | undefined
}

export interface Issue {
  /** ISO 8601 UTC. */
  readonly issuedAt: string
  readonly expiresAt: string
  readonly ledgerHead: string
  /** How far past its issue a ramp may run, in seconds. */
  readonly rampStepSeconds?: number
}

export type BuildCode =
  | PermissionCode
  | ChannelRule
  | 'bundle-unknown'
  | 'release-unknown'
  | 'salt-missing'
  | 'expiry-invalid'
  | 'manifest-invalid'

const DEFAULT_RAMP_STEP_SECONDS = 3_600

/** The exact bytes of a bundle's document: what the bundles key signs the digest of. */
export const bundleDocument = (bundle: Bundle): Uint8Array =>
  Buffer.from(canonicalJson({ schema: 'ringmaster/bundle/1', bundle }), 'utf8')

/** How a manifest names a bundle. */
export function referenceTo(bundle: Bundle, group: string): BundleReference {
  const bytes = bundleDocument(bundle)
  return {
    id: bundle.id,
    product: bundle.product,
    version: bundle.version,
    path: bundlePath(group, bundle.id),
    sha256: sha256(bytes).slice(7),
    size: bytes.length,
  }
}

/** The exact bytes of a manifest. */
export const encodeManifest = (manifest: Manifest): Uint8Array => Buffer.from(canonicalJson(manifest), 'utf8')

/**
 * The manifest of a cohort at an instant. Pure; says all problems at once: a rule that the channel breaks, a bundle or
 * release that is named but not there, a phase that would take permissions back or needs a roster, an expiry that does
 * not come after the issue.
 */
export function buildManifest(state: ManifestSource, issue: Issue): Checked<Manifest, BuildCode> {
  const { channel } = state
  const named = new Set([
    ...channel.releases.map(({ bundle }) => bundle),
    ...state.overrides.map(({ bundle }) => bundle),
  ])
  const phases = channel.releases.map((release) => phaseOf(release, state, issue))
  const problems: Problem<BuildCode>[] = [
    ...brokenRules(channel, issue),
    ...missingBundles(named, state),
    ...missingEntry(state),
    ...wrongTimes(issue),
    ...phases.flatMap((phase) => (phase.ok ? [] : phase.problems)),
  ]
  if (problems.length > 0) return rejected(...problems)
  const releases = channel.releases.flatMap((release, at): ManifestRelease[] => {
    const phase = phases[at]
    return phase?.ok ? [{ ...release, phase: phase.value }] : []
  })
  return parseManifest({
    schema: 'ringmaster/manifest/1',
    cohort: channel.cohort,
    issuedAt: issue.issuedAt,
    expiresAt: issue.expiresAt,
    pollAfterSeconds: state.pollAfterSeconds,
    requirementDialect: channel.requirementDialect,
    releases,
    bundles: state.bundles
      .filter(({ bundle }) => named.has(bundle.id))
      .map(({ bundle, group }) => referenceTo(bundle, group)),
    overrides: state.overrides,
    quarantine: state.quarantine,
    movedTo: state.movedTo,
    entryRelease: state.entryRelease,
    ledgerHead: issue.ledgerHead,
  })
}

/** Reads a manifest; every member that does not fit is named. */
export const parseManifest = (value: unknown): Checked<Manifest, 'manifest-invalid'> =>
  checkIssues(Manifest, value, 'manifest-invalid', 'the manifest')

function phaseOf(
  release: Channel['releases'][number],
  state: ManifestSource,
  issue: Issue,
): Checked<PhaseType, BuildCode> {
  const before = state.previous?.releases.find(({ id }) => id === release.id)
  const read = before && Phase.safeParse(before.phase)
  const previous = read?.success ? read.data : undefined
  const kept = previous && 'salt' in previous ? previous.salt : undefined
  const byBucket = release.phase.kind !== 'everybody' && release.phase.kind !== 'tags'
  const salt = kept ?? state.salts.get(release.id)
  if (salt === undefined && byBucket) {
    return rejected({
      code: 'salt-missing',
      message: `expected a salt for the release ${quoted(release.id)}, whose phase goes by bucket, found none`,
      hint: 'A release gets its salt when it is made; this one was made by a version of Ringmaster that did not.',
    })
  }
  return permitted(release.phase, {
    release: release.id,
    salt: salt ?? release.id,
    roster: state.rosters.get(release.id),
    previous,
    issuedAt: issue.issuedAt,
    rampStepSeconds: issue.rampStepSeconds ?? DEFAULT_RAMP_STEP_SECONDS,
  })
}

function brokenRules(channel: Channel, { issuedAt }: Issue): Problem<BuildCode>[] {
  const checked = checkChannel(channel, issuedAt)
  return checked.ok ? [] : checked.problems.map((problem) => ({ ...problem, path: 'channel.releases' }))
}

function missingBundles(named: ReadonlySet<string>, state: ManifestSource): Problem<BuildCode>[] {
  const known = new Set(state.bundles.map(({ bundle }) => bundle.id))
  return [...named]
    .filter((id) => !known.has(id))
    .map((id) => ({
      code: 'bundle-unknown' as const,
      message: `expected the bundle ${quoted(id)}, because the channel or an override offers it, found none of that id`,
      path: 'bundles',
    }))
}

function missingEntry({ entryRelease, channel }: ManifestSource): Problem<BuildCode>[] {
  if (entryRelease === null || channel.releases.some(({ id }) => id === entryRelease)) return []
  return [
    {
      code: 'release-unknown',
      message: `expected the entry release in the channel, found no release ${quoted(entryRelease)}`,
      path: 'entryRelease',
    },
  ]
}

function wrongTimes({ issuedAt, expiresAt }: Issue): Problem<BuildCode>[] {
  if (Date.parse(expiresAt) > Date.parse(issuedAt)) return []
  return [
    {
      code: 'expiry-invalid',
      message: `expected an expiry after the issue at ${quoted(issuedAt)}, found ${quoted(expiresAt)}`,
      path: 'expiresAt',
    },
  ]
}

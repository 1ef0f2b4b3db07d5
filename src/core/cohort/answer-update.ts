import type { CohortConfig } from '../config/schema.ts'
import type { Manifest } from '../manifest/schema.ts'
import { QUARANTINE_ID } from '../manifest/schema.ts'
import { pseudonymDigest } from './bucket.ts'
import { type ClaimBook, claimsAdmission } from './claims.ts'
import { explain } from './explain.ts'
import { signedReleases } from './offer.ts'
import { prepareOverrides } from './override.ts'
import { staticAdmission } from './phase.ts'
import { type PreparedChannel, prepareChannel } from './prepared-channel.ts'
import { type Resolution, resolve } from './resolve.ts'
import type { Bundle, ChannelRelease, Device, DeviceReport } from './schema.ts'
import type { CohortState } from './state.ts'

/** Everything that answers a device of one cohort, at one moment. */
export interface UpdateQuestion {
  readonly config: CohortConfig
  readonly state: CohortState
  /** Ids of the bundles that their holders have signed. */
  readonly signed: ReadonlySet<string>
  /** What is published; a cohort that goes by it alone is answered from it. */
  readonly published: Manifest | undefined
  readonly book: ClaimBook
  readonly device: Device & { readonly pseudonym: string }
  readonly report: DeviceReport
  readonly now: string
}

function channelFor({ config, state, signed, published, book }: UpdateQuestion): PreparedChannel | undefined {
  const { requirementDialect } = config
  if (config.admission === 'claims')
    return prepareChannel({
      releases: signedReleases(state.releases, signed) ?? [],
      admission: claimsAdmission(book),
      requirementDialect,
    })
  return (
    published &&
    prepareChannel({
      releases: published.releases.map((release) => ({ ...release, phase: release.phase })),
      admission: staticAdmission(state.id),
      requirementDialect,
    })
  )
}

/** Decides one check that came to the server, by the rules that the cohort's devices would apply themselves. */
export function resolveUpdate(question: UpdateQuestion): Resolution {
  const { state, published, device, report, now, config } = question
  const fromFile = config.admission === 'static'
  const overrides = fromFile ? (published?.overrides ?? []) : state.overrides
  const quarantine = fromFile ? (published?.quarantine ?? null) : state.quarantine
  const digest = quarantine && pseudonymDigest({ id: QUARANTINE_ID, salt: quarantine.salt }, device.pseudonym)
  const quarantined = quarantine?.devices.includes(digest ?? '') ?? false
  return resolve({
    channel: channelFor(question),
    overrides: prepareOverrides(overrides.filter(({ bundle }) => question.signed.has(bundle))),
    report,
    device: { ...device, quarantined },
    now,
  })
}

/** The body of an answer in the words of the documented device API, with our explanation beside it. */
export interface UpdateBody {
  readonly status: Resolution['kind']
  readonly source_type: 'release' | 'bundle_override' | null
  readonly release: {
    readonly prn: string
    readonly version: string | null
    readonly version_requirement: string | null
  } | null
  readonly bundle_override: { readonly prn: string } | null
  readonly bundle: { readonly prn: string } | null
  readonly cohort: { readonly prn: string }
  readonly manifest: readonly UpdateArtifact[] | null
  readonly explanation: readonly string[]
}

interface UpdateArtifact {
  readonly artifact: { readonly name: string }
  readonly artifact_version: { readonly version: string }
  readonly target: string
  readonly size: number
  readonly hash: string
  readonly url: string
  readonly custom_metadata: Readonly<Record<string, unknown>>
}

const artifactsOf = (bundle: Bundle): UpdateArtifact[] =>
  bundle.artifacts.map(({ name, target, size, sha256, url, customMetadata }) => ({
    artifact: { name },
    artifact_version: { version: bundle.version },
    target,
    size,
    hash: sha256,
    url,
    custom_metadata: customMetadata ?? {},
  }))

const releaseBody = ({ id, version, requirement }: ChannelRelease) => ({
  prn: id,
  version: version ?? null,
  version_requirement: requirement ?? null,
})

export function updateBody(resolution: Resolution, { state }: UpdateQuestion): UpdateBody {
  const explanation = explain(resolution).map(({ text }) => text)
  const nothing = { source_type: null, release: null, bundle_override: null, bundle: null, manifest: null }
  const cohort = { prn: state.id }
  if (resolution.kind !== 'update') return { status: resolution.kind, ...nothing, cohort, explanation }
  const { source } = resolution
  const release = source.kind === 'release' ? state.releases.find(({ id }) => id === source.id) : undefined
  const bundle = state.bundles.find(({ id }) => id === resolution.bundle)
  if (bundle === undefined) return { status: 'no_update', ...nothing, cohort, explanation }
  return {
    status: 'update',
    source_type: source.kind === 'release' ? 'release' : 'bundle_override',
    release: release ? releaseBody(release) : null,
    bundle_override: source.kind === 'override' ? { prn: source.id } : null,
    bundle: { prn: bundle.id },
    cohort,
    manifest: artifactsOf(bundle),
    explanation,
  }
}

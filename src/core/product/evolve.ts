import type { TypedEvent } from '../catalogue.ts'
import type { Trust } from '../event.ts'
import {
  type Artifact,
  BUILD_STATUSES,
  type CommitState,
  type ProductState,
  placeOf,
  type VersionState,
} from './schema.ts'

/** How many of a product's versions its summary keeps at hand; each version keeps its own state for ever. */
const VERSIONS_AT_HAND = 200

type BuildRecorded = TypedEvent<'build.recorded'>

export function evolveProduct(state: ProductState | undefined, event: BuildRecorded): ProductState {
  const { product, version, sha, repository, path } = event.data
  const known: ProductState = state ?? {
    name: product,
    repository,
    path,
    firstSeenAt: event.at,
    trust: event.trust,
    versions: [],
  }
  const better = { repository, trust: isBetter(event.trust, known.trust) ? event.trust : known.trust }
  if (known.versions.some((entry) => entry.version === version)) return { ...known, ...better }
  return {
    ...known,
    ...better,
    versions: [...known.versions, { version, sha, at: event.at }].slice(-VERSIONS_AT_HAND),
  }
}

const TRUSTS = ['claimed', 'oidc', 'platform'] as const
const isBetter = (a: Trust, b: Trust): boolean => TRUSTS.indexOf(a) > TRUSTS.indexOf(b)

type Build = VersionState['builds'][number]
const BUILDS_AT_HAND = 50

const isSameBuild = (a: Build, b: Build): boolean =>
  a.run.id === b.run.id && a.run.attempt === b.run.attempt && a.run.job === b.run.job

/** An end counts more than what leads to it; of two alike the later counts, so that any order of arrival ends alike. */
const rankOf = (build: Build): number => Math.min(BUILD_STATUSES.indexOf(build.status), 2)
const byWeight = (a: Build, b: Build): number =>
  rankOf(a) - rankOf(b) ||
  compare(a.at, b.at) ||
  BUILD_STATUSES.indexOf(a.status) - BUILD_STATUSES.indexOf(b.status) ||
  compare(a.url, b.url)

const byRun = (a: Build, b: Build): number =>
  a.run.id - b.run.id || a.run.attempt - b.run.attempt || compare(a.run.job, b.run.job)
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function withBuild(builds: readonly Build[], next: Build): Build[] {
  const known = builds.find((other) => isSameBuild(other, next))
  if (known && byWeight(known, next) >= 0) return [...builds]
  return [...builds.filter((other) => other !== known), next].sort(byRun).slice(-BUILDS_AT_HAND)
}

/** What devices may install never changes under a name and target once it is recorded. */
function withArtifacts(known: readonly Artifact[], more: readonly Artifact[]): Artifact[] {
  const byPlace = new Map<string, Artifact>()
  for (const artifact of [...known, ...more]) {
    const place = placeOf(artifact)
    if (!byPlace.has(place)) byPlace.set(place, artifact)
  }
  return [...byPlace.values()]
}

export function evolveVersion(state: VersionState | undefined, event: BuildRecorded): VersionState {
  const { product, version, sha, repository, status, run, url, artifacts, customerAction } = event.data
  const { trust, at } = event
  const known: VersionState = state ?? {
    product,
    version,
    sha,
    repository,
    trust,
    status,
    recordedAt: at,
    builds: [],
    artifacts: [],
  }
  const builds = withBuild(known.builds, { run, status, at, url })
  /** What somebody merely claimed gives way to what the platform vouches for, and never adds to it. */
  const isRaised = known.trust === 'claimed' && trust !== 'claimed'
  const kept = isRaised ? [] : known.artifacts
  const said = isRaised ? undefined : known.customerAction
  const action = said ?? (trust === 'claimed' && known.trust !== 'claimed' ? undefined : customerAction)
  const { customerAction: _, ...others } = known
  return {
    ...others,
    trust: isBetter(trust, known.trust) ? trust : known.trust,
    recordedAt: compare(at, known.recordedAt) < 0 ? at : known.recordedAt,
    builds,
    artifacts: trust === 'claimed' && known.trust !== 'claimed' ? [...kept] : withArtifacts(kept, artifacts),
    status: builds.some((entry) => entry.status === 'completed') ? 'completed' : (builds.at(-1)?.status ?? status),
    ...(action === undefined ? {} : { customerAction: action }),
  }
}

export function evolveCommit(state: CommitState | undefined, event: BuildRecorded): CommitState {
  const { product, version, sha } = event.data
  const items = state?.items ?? []
  if (items.some((item) => item.product === product && item.version === version)) return { sha, items }
  return { sha, items: [...items, { product, version }] }
}

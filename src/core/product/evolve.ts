import type { TypedEvent } from '../catalogue.ts'
import type { CommitState, ProductState, VersionState } from './schema.ts'

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
  if (known.versions.some((entry) => entry.version === version)) return { ...known, repository }
  return {
    ...known,
    repository,
    versions: [...known.versions, { version, sha, at: event.at }].slice(-VERSIONS_AT_HAND),
  }
}

export function evolveVersion(state: VersionState | undefined, event: BuildRecorded): VersionState {
  const { product, version, sha, repository, status, run, url, artifacts } = event.data
  const known: VersionState = state ?? {
    product,
    version,
    sha,
    repository,
    trust: event.trust,
    status,
    recordedAt: event.at,
    builds: [],
    artifacts: [],
  }
  const build = { run, status, at: event.at, url }
  const others = known.builds.filter((other) => other.run.id !== run.id || other.run.attempt !== run.attempt)
  const builds = [...others, build].sort((a, b) => a.run.id - b.run.id || a.run.attempt - b.run.attempt).slice(-50)
  /** What devices may install never changes under a name once it is recorded. */
  const added = artifacts.filter(
    (artifact) => !known.artifacts.some((other) => other.name === artifact.name && other.target === artifact.target),
  )
  return {
    ...known,
    builds,
    artifacts: [...known.artifacts, ...added],
    status: builds.some((entry) => entry.status === 'completed') ? 'completed' : (builds.at(-1)?.status ?? status),
  }
}

export function evolveCommit(state: CommitState | undefined, event: BuildRecorded): CommitState {
  const { product, version, sha } = event.data
  const items = state?.items ?? []
  if (items.some((item) => item.product === product && item.version === version)) return { sha, items }
  return { sha, items: [...items, { product, version }] }
}

import { type BuildCode, buildManifest, type Issue, type ManifestSource } from '../core/manifest/build.ts'
import { parseDocument } from '../core/manifest/issues.ts'
import { cohortRole, manifestPath, targetFile } from '../core/manifest/names.ts'
import type { ManifestCode } from '../core/manifest/problems.ts'
import { type Change, cohortPayload, type PublicationRules } from '../core/manifest/publication.ts'
import type { Repository } from '../core/manifest/repository.ts'
import { Manifest } from '../core/manifest/schema.ts'
import { finishRequest, type OpenRequest } from '../core/manifest/sign-request.ts'
import { accepted, type Checked, type Problem, rejected } from '../core/problem.ts'
import { getOne, type Publication } from './publication.ts'
import { type Published, publish } from './publish.ts'
import { readRepository } from './read-back.ts'
import type { Signer } from './signer.ts'

export type PublishCode = ManifestCode | BuildCode | 'publication-conflict'

/** What a cohort is offered; what was published last is read back by itself. */
export interface CohortSource extends Omit<ManifestSource, 'previous'> {
  /** That of the publication where left out. */
  readonly issue?: Issue
}

export interface ManifestPublication {
  readonly publication: Publication
  /** A root file that the publisher trusts; published with the first publication when it is the first root. */
  readonly pinnedRoot: Uint8Array
  readonly cohorts: readonly CohortSource[]
  /** Complete signing requests: new roots, targets, bundles. */
  readonly requests: readonly OpenRequest[]
  readonly signers: readonly Signer[]
  readonly issue: Issue
  readonly rules: PublicationRules
}

/** Builds the manifests of cohorts and publishes them, with what came back from the holders of offline keys. */
export async function publishManifests(options: ManifestPublication): Promise<Checked<Published, PublishCode>> {
  const repository = await readRepository(options.publication, options.pinnedRoot)
  if (!repository.ok) return repository
  const change = changeOf(options.requests)
  if (!change.ok) return change
  const built = await Promise.all(
    options.cohorts.map(async (cohort) => {
      const previous = await readManifest(options.publication, repository.value, cohort.channel.cohort)
      return buildManifest({ ...cohort, previous }, cohort.issue ?? options.issue)
    }),
  )
  const problems: Problem<PublishCode>[] = built.flatMap((manifest) => (manifest.ok ? [] : manifest.problems))
  if (problems.length > 0) return rejected(...problems)
  const isFirst = repository.value.root === undefined
  return publish({
    ...options,
    change: {
      ...change.value,
      roots: [...(isFirst ? [options.pinnedRoot] : []), ...(change.value.roots ?? [])],
      manifests: built.flatMap((manifest) => (manifest.ok ? [cohortPayload(manifest.value)] : [])),
    },
  })
}

/** What came back from the holders of offline keys and is not published yet: an older version never goes out again. */
export const newer = (requests: readonly OpenRequest[], repository: Repository): OpenRequest[] =>
  requests.filter(({ request, metadata }) => {
    const published = repository.roles.get(request.role)?.metadata.signed.version ?? 0
    return metadata.signed.version > published
  })

/** What complete requests change; a problem for each that still wants signatures. */
export function changeOf(requests: readonly OpenRequest[]): Checked<Change, ManifestCode> {
  const finished = requests.map((open) => ({ open, bytes: finishRequest(open) }))
  const problems = finished.flatMap(({ bytes }) => (bytes.ok ? [] : bytes.problems))
  if (problems.length > 0) return rejected(...problems)
  const files = finished.flatMap(({ open, bytes }) =>
    bytes.ok ? [{ open, role: open.request.role, bytes: bytes.value }] : [],
  )
  return accepted({
    roots: files
      .filter(({ role }) => role === 'root')
      .sort((a, b) => a.open.metadata.signed.version - b.open.metadata.signed.version)
      .map(({ bytes }) => bytes),
    offline: files.filter(({ role }) => role !== 'root').map(({ role, bytes }) => ({ role, bytes })),
    documents: files.flatMap(({ open }) =>
      open.request.documents.map(({ path, text }) => ({ path, bytes: Buffer.from(text, 'utf8') })),
    ),
  })
}

/** The manifest that is published for a cohort now; undefined where there is none, or none that reads. */
export async function readManifest(
  publication: Publication,
  repository: Repository,
  cohort: string,
): Promise<Manifest | undefined> {
  const targets = repository.roles.get(cohortRole(cohort))?.metadata.signed.targets
  const path = manifestPath(cohort)
  const digest = targets && Object.hasOwn(targets, path) ? targets[path]?.hashes['sha256'] : undefined
  const bytes = digest === undefined ? null : await getOne(publication, targetFile(path, digest))
  const parsed = bytes && parseDocument(Manifest, bytes, 'manifest-invalid', path)
  return parsed?.ok ? parsed.value : undefined
}

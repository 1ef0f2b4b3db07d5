import type { Bundle } from '../core/cohort/schema.ts'
import type { ViewsPlan } from '../core/config/views.ts'
import { parseDocument } from '../core/manifest/issues.ts'
import { targetFile } from '../core/manifest/names.ts'
import { type Repository, topRoleKeys } from '../core/manifest/repository.ts'
import { BundleDocument, type Manifest } from '../core/manifest/schema.ts'
import type { ViewSource } from '../core/manifest/views.ts'
import { RingmasterError, unwrap } from '../core/problem.ts'
import type { RosterStore } from '../roster/store.ts'
import type { Publication } from './publication.ts'
import { readManifest } from './publish-manifests.ts'
import { type CohortViews, type PublishedViews, publishViews } from './publish-views.ts'
import type { Signer } from './signer.ts'

export interface ViewsRefresh {
  readonly publication: Publication
  /** As it is published: views say what devices read, and nothing that is only wanted yet. */
  readonly repository: Repository
  readonly plan: ViewsPlan
  readonly signers: readonly Signer[]
  /** Null where no cohort keeps a roster: then nothing is tallied. */
  readonly roster: RosterStore | null
  /** ISO 8601 UTC. */
  readonly now: string
}

/**
 * Makes the views of a plan from what is published, and writes those that differ. A cohort that was never published has
 * none yet. The checksums are signed by the first timestamp key at hand.
 */
export async function refreshViews({
  publication,
  repository,
  plan,
  signers,
  roster,
  now,
}: ViewsRefresh): Promise<PublishedViews> {
  const named = [...plan.cohorts, ...plan.rings.flatMap(({ packages }) => packages)].map(({ cohort }) => cohort)
  if (named.length === 0 || repository.root === undefined) return { files: [], closed: [] }
  const keys = new Set(topRoleKeys(repository.root, 'timestamp').keys.map(({ keyID }) => keyID))
  const signer = signers.find(({ keyId }) => keys.has(keyId))
  if (signer === undefined) throw noSigner(keys)
  const sources = new Map<string, ViewSource>()
  for (const cohort of new Set(named)) {
    const manifest = await readManifest(publication, repository, cohort)
    if (manifest) sources.set(cohort, { manifest, bundles: await bundlesOf(publication, manifest), now })
  }
  const sourceOf = (cohort: string): ViewSource[] => {
    const source = sources.get(cohort)
    return source ? [source] : []
  }
  const cohorts: CohortViews[] = []
  for (const { cohort, tally, ...views } of plan.cohorts) {
    const enrolled = tally && sources.has(cohort) ? await roster?.read(cohort, Number.MAX_SAFE_INTEGER) : null
    const tallied = enrolled ? { tallied: enrolled.entries } : {}
    cohorts.push(...sourceOf(cohort).map((source) => ({ source, ...views, ...tallied })))
  }
  const views = await publishViews({
    publication: onlyChanged(publication),
    signer,
    cohorts,
    rings: plan.rings.map(({ packages, ...ring }) => ({
      ...ring,
      packages: packages.flatMap(({ cohort, product }) => sourceOf(cohort).map((source) => ({ product, source }))),
    })),
  })
  return unwrap(views, 'refused')
}

async function bundlesOf(publication: Publication, manifest: Manifest): Promise<ReadonlyMap<string, Bundle>> {
  const paths = manifest.bundles.map(({ path, sha256 }) => targetFile(path, sha256))
  const files = await publication.get(paths)
  const read = manifest.bundles.flatMap(({ id }, index): [string, Bundle][] => {
    const bytes = files.get(paths[index] ?? '')
    const parsed = bytes && parseDocument(BundleDocument, bytes, 'bundle-mismatch', id)
    return parsed?.ok ? [[id, parsed.value.bundle]] : []
  })
  return new Map(read)
}

const onlyChanged = (publication: Publication): Publication => ({
  ...publication,
  async put(files) {
    const stored = await publication.get(files.map(({ path }) => path))
    const changed = files.filter(({ path, bytes }) => Buffer.compare(stored.get(path) ?? NOTHING, bytes) !== 0)
    return changed.length === 0 ? { kind: 'stored' } : publication.put(changed)
  },
})

const NOTHING = Buffer.alloc(0)

const noSigner = (keys: ReadonlySet<string>): RingmasterError =>
  new RingmasterError('refused', {
    code: 'key-unknown',
    message: 'expected a timestamp key to sign checksums with, found none at hand',
    hint: `The role is signed by: ${[...keys].map((id) => id.slice(0, 12)).join(', ')}.`,
  })

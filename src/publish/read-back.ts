import type { Metadata, Root, Targets } from '@tufjs/models'
import { decodeMetadata } from '../core/manifest/metadata.ts'
import { metadataFile } from '../core/manifest/names.ts'
import type { ManifestCode } from '../core/manifest/problems.ts'
import { EMPTY_REPOSITORY, type MetadataFile, type Repository, snapshotEntries } from '../core/manifest/repository.ts'
import { acceptRoot, type TrustedSet, trustRoot } from '../core/manifest/trusted-set.ts'
import { accepted, type Checked, rejected } from '../core/problem.ts'
import { getOne, type Publication } from './publication.ts'

/** The publisher judges what is published by its keys and versions, not by its age: it is there to renew what is old. */
const ANY_TIME_MS = 0

/**
 * Reads what is published now, for the next plan. `pinnedRoot` is a root file that the publisher trusts; the published
 * roots after it are followed. Nothing published yet answers the empty repository.
 */
export async function readRepository(
  publication: Publication,
  pinnedRoot: Uint8Array,
): Promise<Checked<Repository, ManifestCode>> {
  const timestampBytes = await getOne(publication, metadataFile('timestamp', null))
  if (!timestampBytes) return accepted(EMPTY_REPOSITORY)
  const root = await readRoot(publication, pinnedRoot)
  if (!root.ok) return root
  // Not checked against the root's keys: a publication that died after a root with new keys left an old timestamp, and
  // only version numbers are taken from here. Targets are checked by the plan.
  const timestamp = decodeMetadata('timestamp', 'timestamp', timestampBytes)
  if (!timestamp.ok) return timestamp
  const snapshotVersion = timestamp.value.signed.snapshotMeta.version
  const snapshotBytes = await getOne(publication, metadataFile('snapshot', snapshotVersion))
  if (!snapshotBytes) return missing(`${snapshotVersion}.snapshot.json`, publication)
  const snapshot = decodeMetadata('snapshot', 'snapshot', snapshotBytes)
  if (!snapshot.ok) return snapshot
  const roles = await readRoles(publication, snapshotEntries(snapshot.value))
  if (!roles.ok) return roles
  return accepted({
    root: root.value,
    timestampVersion: timestamp.value.signed.version,
    timestampExpires: timestamp.value.signed.expires,
    snapshot: { bytes: snapshotBytes, metadata: snapshot.value },
    roles: roles.value,
  })
}

async function readRoot(
  publication: Publication,
  pinnedRoot: Uint8Array,
): Promise<Checked<Metadata<Root>, ManifestCode>> {
  const pinned = trustRoot(pinnedRoot, ANY_TIME_MS)
  if (!pinned.ok) return pinned
  let trusted: TrustedSet = pinned.value
  while (true) {
    const bytes = await getOne(publication, metadataFile('root', trusted.root.signed.version + 1))
    if (!bytes) return accepted(trusted.root)
    const next = acceptRoot(trusted, bytes)
    if (!next.ok) return next
    trusted = next.value
  }
}

async function readRoles(
  publication: Publication,
  entries: ReturnType<typeof snapshotEntries>,
): Promise<Checked<Repository['roles'], ManifestCode>> {
  const paths = [...entries].map(([role, meta]) => [role, metadataFile(role, meta.version)] as const)
  const stored = await publication.get(paths.map(([, path]) => path))
  const roles = new Map<string, MetadataFile<Metadata<Targets>>>()
  for (const [role, path] of paths) {
    const bytes = stored.get(path)
    if (!bytes) return missing(path, publication)
    const metadata = decodeMetadata('targets', role, bytes)
    if (!metadata.ok) return metadata
    roles.set(role, { bytes, metadata: metadata.value })
  }
  return accepted(roles)
}

const missing = (path: string, publication: Publication) =>
  rejected<ManifestCode>({
    code: 'metadata-missing',
    message: `expected ${path} in ${publication.name}, because the published metadata names it, found nothing`,
    hint: 'Restore the file from a copy or from history; Ringmaster does not publish over a damaged publication.',
    path,
  })

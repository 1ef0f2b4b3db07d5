import type { Metadata, Root, Targets } from '@tufjs/models'
import { decodeMetadata, matchesMeta } from '../core/manifest/metadata.ts'
import { metadataFile } from '../core/manifest/names.ts'
import type { ManifestCode } from '../core/manifest/problems.ts'
import { EMPTY_REPOSITORY, type MetadataFile, type Repository, snapshotEntries } from '../core/manifest/repository.ts'
import { acceptRoot, isSigned, type TrustedSet, trustRoot } from '../core/manifest/trusted-set.ts'
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
  const roots = await readRoots(publication, pinnedRoot)
  if (!roots.ok) return roots
  const [root] = roots.value
  const timestamp = decodeMetadata('timestamp', 'timestamp', timestampBytes)
  if (!timestamp.ok) return timestamp
  // By any of the roots: a publication that died after a root with new keys left an old timestamp. By one of them at
  // least, and all else as it says: whoever can write files here could else drive the versions to where none follows.
  if (!roots.value.some((one) => isSigned(one, 'timestamp', timestamp.value)))
    return foreign('timestamp.json', publication)
  const snapshotVersion = timestamp.value.signed.snapshotMeta.version
  const snapshotBytes = await getOne(publication, metadataFile('snapshot', snapshotVersion))
  if (!snapshotBytes) return missing(`${snapshotVersion}.snapshot.json`, publication)
  if (!matchesMeta(timestamp.value.signed.snapshotMeta, snapshotBytes))
    return foreign(`${snapshotVersion}.snapshot.json`, publication)
  const snapshot = decodeMetadata('snapshot', 'snapshot', snapshotBytes)
  if (!snapshot.ok) return snapshot
  const roles = await readRoles(publication, snapshotEntries(snapshot.value))
  if (!roles.ok) return roles
  return accepted({
    root,
    timestampVersion: timestamp.value.signed.version,
    timestampExpires: timestamp.value.signed.expires,
    snapshot: { bytes: snapshotBytes, metadata: snapshot.value },
    roles: roles.value,
  })
}

type Roots = readonly [Metadata<Root>, ...Metadata<Root>[]]

/** The newest root, then those before it as far as they are vouched for. */
async function readRoots(publication: Publication, pinnedRoot: Uint8Array): Promise<Checked<Roots, ManifestCode>> {
  const pinned = trustRoot(pinnedRoot, ANY_TIME_MS)
  if (!pinned.ok) return pinned
  let trusted: TrustedSet = pinned.value
  let before = await rootBefore(publication, trusted.root)
  while (true) {
    const bytes = await getOne(publication, metadataFile('root', trusted.root.signed.version + 1))
    if (!bytes) return accepted([trusted.root, ...before])
    const next = acceptRoot(trusted, bytes)
    if (!next.ok) return next
    before = [trusted.root, ...before]
    trusted = next.value
  }
}

/** The root before the pinned one, when the holders of the pinned one's keys signed it. */
async function rootBefore(publication: Publication, pinned: Metadata<Root>): Promise<Metadata<Root>[]> {
  const version = pinned.signed.version - 1
  const bytes = version < 1 ? undefined : await getOne(publication, metadataFile('root', version))
  const root = bytes ? decodeMetadata('root', `${version}.root`, bytes) : undefined
  return root?.ok && isSigned(pinned, 'root', root.value) ? [root.value] : []
}

async function readRoles(
  publication: Publication,
  entries: ReturnType<typeof snapshotEntries>,
): Promise<Checked<Repository['roles'], ManifestCode>> {
  const paths = [...entries].map(([role, meta]) => [role, metadataFile(role, meta.version), meta] as const)
  const stored = await publication.get(paths.map(([, path]) => path))
  const roles = new Map<string, MetadataFile<Metadata<Targets>>>()
  for (const [role, path, meta] of paths) {
    const bytes = stored.get(path)
    if (!bytes) return missing(path, publication)
    if (!matchesMeta(meta, bytes)) return foreign(path, publication)
    const metadata = decodeMetadata('targets', role, bytes)
    if (!metadata.ok) return metadata
    roles.set(role, { bytes, metadata: metadata.value })
  }
  return accepted(roles)
}

const foreign = (path: string, publication: Publication) =>
  rejected<ManifestCode>({
    code: 'metadata-unsigned',
    message: `expected ${path} in ${publication.name} as it was published, signed by keys that a root names, found something else`,
    hint: 'Somebody else wrote there. Restore the file from a copy or from history, and find out who may write.',
    path,
  })

const missing = (path: string, publication: Publication) =>
  rejected<ManifestCode>({
    code: 'metadata-missing',
    message: `expected ${path} in ${publication.name}, because the published metadata names it, found nothing`,
    hint: 'Restore the file from a copy or from history; Ringmaster does not publish over a damaged publication.',
    path,
  })

import type { Metadata, MetaFile, Snapshot, Timestamp } from '@tufjs/models'
import { encodeMetadata, metaOf, snapshotMetadata, timestampMetadata } from './metadata.ts'
import { metadataFile } from './names.ts'
import { metadataOf } from './plan-publication.ts'
import type { PublicationPlan, PublishedFile, RoleFile } from './publication.ts'
import { type MetadataFile, snapshotEntries } from './repository.ts'

/** Which roles the snapshot of a plan names, once the cohort roles are signed. */
export function planSnapshot(plan: PublicationPlan, signed: readonly RoleFile[]): Metadata<Snapshot> | null {
  if (!plan.snapshot) return null
  const entries = new Map<string, MetaFile>(snapshotEntries(plan.previous.snapshot?.metadata))
  for (const { role, file } of [...plan.offline, ...signed]) {
    entries.set(role, metaOf({ role, version: file.metadata.signed.version, bytes: file.bytes }))
  }
  const files = [...entries].map(([role, meta]) => ({ role, meta }))
  return snapshotMetadata({ ...plan.snapshot, files })
}

/** The timestamp of a plan over the snapshot that goes out (or stays) with it. */
export const planTimestamp = (plan: PublicationPlan, snapshot: MetadataFile<Metadata<Snapshot>>): Metadata<Timestamp> =>
  timestampMetadata({
    ...plan.timestamp,
    snapshot: { role: 'snapshot', version: snapshot.metadata.signed.version, bytes: snapshot.bytes },
  })

/** All files of a publication in the order that they go out: immutable ones first, the pointer last. */
export function filesInOrder(
  plan: PublicationPlan,
  signed: {
    readonly roles: readonly RoleFile[]
    readonly snapshot: MetadataFile<Metadata<Snapshot>> | null
    readonly timestamp: Metadata<Timestamp>
  },
): readonly PublishedFile[] {
  const snapshot = signed.snapshot && {
    path: metadataFile('snapshot', signed.snapshot.metadata.signed.version),
    bytes: signed.snapshot.bytes,
    immutable: true,
  }
  return [
    ...plan.ready,
    ...signed.roles.map(metadataOf),
    ...(snapshot ? [snapshot] : []),
    { path: metadataFile('timestamp', null), bytes: encodeMetadata(signed.timestamp), immutable: false },
  ]
}

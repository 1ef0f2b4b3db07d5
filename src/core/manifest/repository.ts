import type { Metadata, MetaFile, Root, Snapshot, Targets } from '@tufjs/models'
import type { RoleKeys } from './metadata.ts'

/** A published metadata file with the exact bytes that snapshot and clients hash. */
export interface MetadataFile<M> {
  readonly bytes: Uint8Array
  readonly metadata: M
}

/** Everything that is published now, as the publisher reads it back before it plans the next publication. */
export interface Repository {
  /** The newest root; undefined before the first publication. */
  readonly root: Metadata<Root> | undefined
  /** 0 before the first publication. */
  readonly timestampVersion: number
  /** ISO 8601 UTC; null before the first publication. */
  readonly timestampExpires: string | null
  readonly snapshot: MetadataFile<Metadata<Snapshot>> | undefined
  /** `targets` and the roles it delegates to, by role name. */
  readonly roles: ReadonlyMap<string, MetadataFile<Metadata<Targets>>>
}

export const EMPTY_REPOSITORY: Repository = {
  root: undefined,
  timestampVersion: 0,
  timestampExpires: null,
  snapshot: undefined,
  roles: new Map(),
}

/** The keys and the threshold that root names for a top role. */
export function topRoleKeys(root: Metadata<Root>, role: 'root' | 'targets' | 'snapshot' | 'timestamp'): RoleKeys {
  const { keyIDs = [], threshold = 1 } = root.signed.roles[role] ?? {}
  return { threshold, keys: keyIDs.flatMap((id) => root.signed.keys[id] ?? []) }
}

/** The delegations of targets, in their order of precedence. */
export function delegationsOf(targets: Metadata<Targets>) {
  const { delegations } = targets.signed
  return Object.values(delegations?.roles ?? {}).map((role) => ({
    name: role.name,
    threshold: role.threshold,
    keys: role.keyIDs.flatMap((id) => delegations?.keys[id] ?? []),
    paths: role.paths ?? [],
  }))
}

/** The keys and the threshold of any role but the top ones; undefined when targets does not delegate to it. */
export const delegatedKeys = (targets: Metadata<Targets>, role: string): RoleKeys | undefined =>
  delegationsOf(targets).find((delegation) => delegation.name === role)

/** The entries of a snapshot by role name, without `.json`. */
export const snapshotEntries = (snapshot: Metadata<Snapshot> | undefined): ReadonlyMap<string, MetaFile> =>
  new Map(
    Object.entries(snapshot?.signed.meta ?? {}).map(([file, meta]) => [file.replace(/\.json$/, ''), meta] as const),
  )

import { sha256 } from '../core/json.ts'
import { encodeStored } from './codec.ts'
import type { KeptKey, NewKey } from './keys.ts'
import { SCHEMA_VERSION, type SnapshotIndex } from './schema.ts'
import { INDEX_PATH, kindOf, type SnapshotReader } from './snapshot.ts'
import { FileChanges, grouped } from './snapshot-changes.ts'
import { rewriteKeys } from './snapshot-keys.ts'
import { rewriteKind } from './snapshot-shards.ts'
import type { Addition } from './store.ts'

export interface SnapshotPlan {
  readonly index: SnapshotIndex
  readonly digest: string
  readonly additions: readonly Addition[]
  readonly deletions: readonly string[]
}

export interface SnapshotInput {
  readonly reader: SnapshotReader
  /** The last event that the snapshot holds. */
  readonly seq: number
  /** The states of all aggregates that changed since the snapshot before; undefined removes one. */
  readonly dirty: ReadonlyMap<string, unknown>
  /** Of the events since the snapshot before; such as were kept already, by their places. */
  readonly keys: readonly (NewKey | KeptKey)[]
  readonly now: string
}

/** The files that turn the snapshot before into one at `seq`; what did not change is not written. */
export async function planSnapshot({ reader, seq, dirty, keys, now }: SnapshotInput): Promise<SnapshotPlan> {
  const changes = new FileChanges()
  const rewriting = { reader, changes }
  const byKind = grouped(dirty, ([key]) => kindOf(key))
  const pages = reader.index.pages.filter((page) => !byKind.has(page.kind))
  const [kept, ...rewritten] = await Promise.all([
    rewriteKeys(rewriting, keys, { seq, now }),
    ...[...byKind].map(([kind, entries]) => rewriteKind(rewriting, kind, new Map(entries))),
  ])
  pages.push(...rewritten.flat())
  pages.sort((a, b) => (a.path < b.path ? -1 : 1))
  const index: SnapshotIndex = { schemaVersion: SCHEMA_VERSION, seq, pages, keys: kept }
  const bytes = encodeStored(index)
  changes.write(INDEX_PATH, bytes)
  return { index, digest: sha256(bytes), additions: changes.additions, deletions: changes.deletions }
}

import { canonicalJson, sha256 } from '../core/json.ts'
import { encodeStored } from './codec.ts'
import { covering, freePrefix, partition, placeOf, prefixPath } from './prefixes.ts'
import type { NamedFile } from './reads.ts'
import { SCHEMA_VERSION } from './schema.ts'
import type { PageRecord, ShardRecord } from './snapshot.ts'
import { grouped, homePrefix, type Rewriting } from './snapshot-changes.ts'
import type { Addition } from './store.ts'

/** Files of the snapshot stay far below GraphQL's cut of 512,000 bytes. */
const MAX_FILE_BYTES = 256 * 1024
/** Shards and pages split early, because a changed aggregate rewrites the whole of its shard and page. */
const SPLIT_BYTES = 32 * 1024

const folderOf = (kind: string): string => `snapshots/${kind}`

function shardFiles(kind: string, prefix: string, entries: readonly (readonly [string, unknown])[]): Addition[] {
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1))
  const bytes = encodeStored({ schemaVersion: SCHEMA_VERSION, kind, prefix, entries: sorted })
  const files: Addition[] = []
  for (let start = 0; start < bytes.length; start += MAX_FILE_BYTES) {
    const extension = start === 0 ? 'json' : `${start / MAX_FILE_BYTES}.json`
    const path = prefixPath(folderOf(kind), prefix, 'shard', extension)
    files.push({ path, bytes: bytes.subarray(start, start + MAX_FILE_BYTES) })
  }
  return files
}

const named = ({ path, bytes }: Addition): NamedFile => ({ path, digest: sha256(bytes) })

/** Puts changed aggregates into a shard, splits it when it has grown, and returns the records that take its place. */
async function rewriteShard(
  { reader, changes }: Rewriting,
  kind: string,
  { prefix, record }: { readonly prefix: string; readonly record: ShardRecord | undefined },
  dirty: ReadonlyMap<string, unknown>,
): Promise<ShardRecord[]> {
  const before = record ? await reader.entriesOf(record) : new Map<string, unknown>()
  const entries = new Map(before)
  for (const [key, state] of dirty) {
    if (state === undefined) entries.delete(key)
    else entries.set(key, state)
  }
  const kept = new Map(record?.parts.map((part) => [part.path, part.digest]))
  const sized = [...entries].map((entry) => ({
    entry,
    place: placeOf(entry[0]),
    bytes: Buffer.byteLength(canonicalJson(entry)) + 1,
  }))
  const leaves = partition(sized, prefix, {
    place: (item) => item.place,
    bytes: (item) => item.bytes,
    maxBytes: SPLIT_BYTES,
  })
  const records = leaves.map((leaf) => {
    const held = leaf.items.map((item) => item.entry)
    const files = shardFiles(kind, leaf.prefix, held)
    const parts = files.map(named)
    reader.remember(parts, new Map(held))
    for (const [index, file] of files.entries()) {
      if (kept.get(file.path) !== parts[index]?.digest) changes.write(file.path, file.bytes)
      kept.delete(file.path)
    }
    return { prefix: leaf.prefix, parts }
  })
  for (const path of kept.keys()) changes.remove(path)
  return records
}

interface PagePlace {
  readonly prefix: string
  readonly stored: PageRecord | undefined
}

async function rewritePage(
  rewriting: Rewriting,
  kind: string,
  page: PagePlace,
  dirty: ReadonlyMap<string, unknown>,
): Promise<PageRecord[]> {
  const before = page.stored ? await rewriting.reader.shardsOf(page.stored) : []
  const targets = grouped(dirty, ([key]) => {
    const place = placeOf(key)
    return covering(before, place)?.prefix ?? homePrefix(before, page.prefix, place)
  })
  // Asked for together, so that the shards of all kinds come in one request.
  const rewritten = await Promise.all(
    [...targets].map(([prefix, entries]) => {
      const record = before.find((shard) => shard.prefix === prefix)
      return rewriteShard(rewriting, kind, { prefix, record }, new Map(entries))
    }),
  )
  const untouched = before.filter((shard) => !targets.has(shard.prefix))
  return writePages(rewriting, kind, page, [...untouched, ...rewritten.flat()])
}

function writePages(
  { reader, changes }: Rewriting,
  kind: string,
  page: PagePlace,
  shards: readonly ShardRecord[],
): PageRecord[] {
  if (page.stored) changes.remove(page.stored.path)
  const sorted = [...shards].sort((a, b) => (a.prefix < b.prefix ? -1 : 1))
  const bytesOf = (shard: ShardRecord) => Buffer.byteLength(canonicalJson(shard)) + 1
  const leaves = partition(sorted, page.prefix, {
    place: (shard) => shard.prefix,
    bytes: bytesOf,
    maxBytes: SPLIT_BYTES,
  })
  return leaves.map(({ prefix, items }) => {
    const path = prefixPath(folderOf(kind), prefix, 'page', 'json')
    const bytes = encodeStored({ schemaVersion: SCHEMA_VERSION, kind, prefix, shards: items })
    const record = { kind, prefix, path, digest: sha256(bytes) }
    changes.write(path, bytes)
    reader.remember([record], items)
    return record
  })
}

/** Puts changed aggregates of a kind into its shards; returns the pages that list them then. */
export async function rewriteKind(
  rewriting: Rewriting,
  kind: string,
  dirty: ReadonlyMap<string, unknown>,
): Promise<PageRecord[]> {
  const before = rewriting.reader.index.pages.filter((page) => page.kind === kind)
  const byPage = grouped(dirty, ([key]) => {
    const stored = covering(before, placeOf(key))
    return stored ? stored.prefix : freePrefix(before, placeOf(key))
  })
  const rewritten = await Promise.all(
    [...byPage].map(([prefix, entries]) => {
      const stored = before.find((page) => page.prefix === prefix)
      return rewritePage(rewriting, kind, { prefix, stored }, new Map(entries))
    }),
  )
  return [...before.filter((page) => !byPage.has(page.prefix)), ...rewritten.flat()]
}

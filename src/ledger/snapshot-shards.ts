import { canonicalJson, sha256 } from '../core/json.ts'
import { encodeStored } from './codec.ts'
import { covering, partition, placeOf, prefixPath } from './prefixes.ts'
import type { NamedFile } from './reads.ts'
import { type PageRecord, SCHEMA_VERSION } from './schema.ts'
import type { ShardRecord } from './snapshot.ts'
import { grouped, homePrefix, type Rewriting } from './snapshot-changes.ts'
import type { Addition } from './store.ts'

/** Files of the snapshot stay far below GraphQL's cut of 512,000 bytes. */
const MAX_FILE_BYTES = 256 * 1024
/** Shards and pages split early, because a changed aggregate rewrites the whole of its shard and page. */
const SPLIT_BYTES = 32 * 1024
/** Pages of pages split earlier: what looks up a new key reads one on the way. */
const SPLIT_BRANCH_BYTES = 12 * 1024
/** Of a kind in the index, which whoever looks up anything reads. */
const MAX_INDEXED_BYTES = 4 * 1024

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
  const leaves = partition(sorted, page.prefix, {
    place: (shard) => shard.prefix,
    bytes: bytesIn,
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

/** Writes pages of one level into pages of the level above. */
function writeBranches(
  { reader, changes }: Rewriting,
  kind: string,
  at: { readonly level: number; readonly prefix: string },
  pages: readonly PageRecord[],
): PageRecord[] {
  const sorted = [...pages].sort((a, b) => (a.prefix < b.prefix ? -1 : 1))
  const branches = partition(sorted, at.prefix, {
    place: (page) => page.prefix,
    bytes: bytesIn,
    maxBytes: SPLIT_BRANCH_BYTES,
  })
  return branches.map(({ prefix, items }) => {
    const path = prefixPath(folderOf(kind), prefix, `pages-${at.level}`, 'json')
    const bytes = encodeStored({ schemaVersion: SCHEMA_VERSION, kind, prefix, pages: items })
    const record = { kind, prefix, path, digest: sha256(bytes), level: at.level }
    changes.write(path, bytes)
    reader.remember([record], items)
    return record
  })
}

/** The pages of one level below a prefix, as they are and as they become. */
interface PageList {
  readonly level: number
  readonly prefix: string
  readonly pages: readonly PageRecord[]
}

/** Puts changed aggregates into the shards below a list of pages; returns the pages that take their place in it. */
async function rewriteList(
  rewriting: Rewriting,
  kind: string,
  { level, prefix: above, pages }: PageList,
  dirty: ReadonlyMap<string, unknown>,
): Promise<PageRecord[]> {
  const byPage = grouped(dirty, ([key]) => {
    const place = placeOf(key)
    return covering(pages, place)?.prefix ?? homePrefix(pages, above, place)
  })
  const rewritten = await Promise.all(
    [...byPage].map(async ([prefix, entries]) => {
      const stored = pages.find((page) => page.prefix === prefix)
      if (level === 0) return rewritePage(rewriting, kind, { prefix, stored }, new Map(entries))
      const below = stored ? await rewriting.reader.pagesOf(stored) : []
      const list = { level: level - 1, prefix, pages: below }
      const listed = await rewriteList(rewriting, kind, list, new Map(entries))
      if (stored) rewriting.changes.remove(stored.path)
      return writeBranches(rewriting, kind, { level, prefix }, listed)
    }),
  )
  return [...pages.filter((page) => !byPage.has(page.prefix)), ...rewritten.flat()]
}

const bytesIn = (record: PageRecord | ShardRecord): number => Buffer.byteLength(canonicalJson(record)) + 1

/**
 * Puts changed aggregates of a kind into its shards; returns the pages that the index lists for it then. Where those are
 * many, pages of pages take their place, so that the index stays small however much it leads to.
 */
export async function rewriteKind(
  rewriting: Rewriting,
  kind: string,
  dirty: ReadonlyMap<string, unknown>,
): Promise<PageRecord[]> {
  const before = rewriting.reader.index.pages.filter((page) => page.kind === kind)
  let level = before[0]?.level ?? 0
  let pages = await rewriteList(rewriting, kind, { level, prefix: '', pages: before }, dirty)
  while (pages.length > 1 && pages.reduce((sum, page) => sum + bytesIn(page), 0) > MAX_INDEXED_BYTES) {
    level += 1
    pages = writeBranches(rewriting, kind, { level, prefix: '' }, pages)
  }
  return pages
}

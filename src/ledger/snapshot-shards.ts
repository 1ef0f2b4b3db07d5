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

const bytesOf = (files: readonly Addition[]): number => files.reduce((sum, { bytes }) => sum + bytes.length, 0)

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
  if (record) reader.forget(record.parts)
  const leaves = partition(sized, prefix, {
    place: (item) => item.place,
    bytes: (item) => item.bytes,
    maxBytes: SPLIT_BYTES,
  })
  const records = leaves.map((leaf) => {
    const held = leaf.items.map((item) => item.entry)
    const files = shardFiles(kind, leaf.prefix, held)
    const parts = files.map(named)
    reader.remember(parts, new Map(held), bytesOf(files))
    for (const [index, file] of files.entries()) {
      if (kept.get(file.path) !== parts[index]?.digest) changes.write(file.path, file.bytes)
      kept.delete(file.path)
    }
    return { prefix: leaf.prefix, parts }
  })
  for (const path of kept.keys()) changes.remove(path)
  return records
}

type Listed = PageRecord | ShardRecord

const bytesIn = (record: Listed): number => Buffer.byteLength(canonicalJson(record)) + 1

/** Pages of level 0 list shards; those of a higher level list the pages of the level below them. */
interface PagePlace {
  readonly level: number
  readonly prefix: string
}

/** Writes what lies below a prefix into as many pages as it takes. */
function writePages(
  { reader, changes }: Rewriting,
  kind: string,
  { level, prefix: above }: PagePlace,
  members: readonly Listed[],
): PageRecord[] {
  const isOfShards = level === 0
  const sorted = [...members].sort((a, b) => (a.prefix < b.prefix ? -1 : 1))
  const pages = partition(sorted, above, {
    place: (member) => member.prefix,
    bytes: bytesIn,
    maxBytes: isOfShards ? SPLIT_BYTES : SPLIT_BRANCH_BYTES,
  })
  return pages.map(({ prefix, items }) => {
    const path = prefixPath(folderOf(kind), prefix, isOfShards ? 'page' : `pages-${level}`, 'json')
    const listed = isOfShards ? { shards: items } : { pages: items }
    const bytes = encodeStored({ schemaVersion: SCHEMA_VERSION, kind, prefix, ...listed })
    const record = { kind, prefix, path, digest: sha256(bytes), ...(isOfShards ? {} : { level }) }
    changes.write(path, bytes)
    reader.remember([record], items, bytes.length)
    return record
  })
}

/** A list with other members in the places of those that changed aggregates belong to. */
async function withRewritten<T extends Listed>(
  { members, prefix: above }: { readonly members: readonly T[]; readonly prefix: string },
  dirty: ReadonlyMap<string, unknown>,
  rewrite: (prefix: string, stored: T | undefined, dirty: ReadonlyMap<string, unknown>) => Promise<readonly T[]>,
): Promise<readonly T[]> {
  const byMember = grouped(dirty, ([key]) => {
    const place = placeOf(key)
    return covering(members, place)?.prefix ?? homePrefix(members, above, place)
  })
  // Asked for together, so that the shards of all kinds come in one request.
  const rewritten = await Promise.all(
    [...byMember].map(([prefix, entries]) => {
      const stored = members.find((member) => member.prefix === prefix)
      return rewrite(prefix, stored, new Map(entries))
    }),
  )
  return [...members.filter((member) => !byMember.has(member.prefix)), ...rewritten.flat()]
}

/** Puts changed aggregates into what lies below a page; returns the pages that take its place. */
async function rewritePage(
  rewriting: Rewriting,
  kind: string,
  { level, prefix, stored }: PagePlace & { readonly stored: PageRecord | undefined },
  dirty: ReadonlyMap<string, unknown>,
): Promise<readonly PageRecord[]> {
  const { reader, changes } = rewriting
  const members: readonly Listed[] =
    level === 0
      ? await withRewritten(
          { members: stored ? await reader.shardsOf(stored) : [], prefix },
          dirty,
          (own, record, part) => rewriteShard(rewriting, kind, { prefix: own, record }, part),
        )
      : await withRewritten({ members: stored ? await reader.pagesOf(stored) : [], prefix }, dirty, (own, page, part) =>
          rewritePage(rewriting, kind, { level: level - 1, prefix: own, stored: page }, part),
        )
  if (stored) {
    changes.remove(stored.path)
    reader.forget([stored])
  }
  return writePages(rewriting, kind, { level, prefix }, members)
}

/**
 * Puts changed aggregates of a kind into its shards; returns the pages that the index lists for it then. Where those are
 * many, pages of pages take their place, so that the index stays small however much it leads to.
 */
export async function rewriteKind(
  rewriting: Rewriting,
  kind: string,
  dirty: ReadonlyMap<string, unknown>,
): Promise<readonly PageRecord[]> {
  const members = rewriting.reader.index.pages.filter((page) => page.kind === kind)
  const top = members[0]?.level ?? 0
  let pages = await withRewritten({ members, prefix: '' }, dirty, (prefix, stored, part) =>
    rewritePage(rewriting, kind, { level: top, prefix, stored }, part),
  )
  let level = top
  while (pages.length > 1 && pages.reduce((sum, page) => sum + bytesIn(page), 0) > MAX_INDEXED_BYTES) {
    level += 1
    pages = writePages(rewriting, kind, { level, prefix: '' }, pages)
  }
  return pages
}

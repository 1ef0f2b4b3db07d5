import { canonicalJson, sha256 } from '../core/json.ts'
import { unwrap } from '../core/problem.ts'
import { encodeStored, parseStored } from './codec.ts'
import {
  decodeKeys,
  hashKey,
  holdsKey,
  type NewKey,
  type PlannedSegment,
  planSegments,
  segmentsOf,
  writeSegment,
} from './keys.ts'
import type { Lru } from './lru.ts'
import { covering, freePrefix, partition, placeOf } from './prefixes.ts'
import { type NamedFile, type ReadFiles, readNamed } from './reads.ts'
import { type KeySegment, SCHEMA_VERSION, Shard, ShardPage, type SnapshotIndex } from './schema.ts'
import type { Addition } from './store.ts'

export const INDEX_PATH = 'snapshots/index.json'

/** Files of the snapshot stay far below GraphQL's cut of 512,000 bytes. */
const MAX_FILE_BYTES = 256 * 1024
/** Shards and pages split early, because a changed aggregate rewrites the whole of its shard and page. */
const SPLIT_BYTES = 32 * 1024

type ShardRecord = ShardPage['shards'][number]
type PageRecord = SnapshotIndex['pages'][number]

const directoryOf = (kind: string, prefix: string): string => ['snapshots', kind, ...prefix].join('/')

/** The kind of an aggregate key. It becomes part of a path, so anything but a plain word is refused. */
export function kindOf(key: string): string {
  const kind = key.slice(0, Math.max(0, key.indexOf('/')))
  if (!/^[a-z][a-z-]{0,40}$/.test(kind))
    throw new TypeError('expected an aggregate key "kind/id" with a plain lower-case kind')
  return kind
}

const nameOf = (files: readonly NamedFile[]): string => files.map((file) => file.digest).join('+')

/** What has been read of snapshots, by digest; shared by all positions of a ledger. */
export type SnapshotCache = Lru<string, { readonly value: unknown }>

export const EMPTY_INDEX: SnapshotIndex = { schemaVersion: SCHEMA_VERSION, seq: 0, pages: [], keys: [] }

/** A snapshot at a commit, read page by page and shard by shard as it is asked; every file is checked by its digest. */
export class SnapshotReader {
  readonly #read: ReadFiles
  readonly #commit: string
  readonly #cache: SnapshotCache
  readonly index: SnapshotIndex

  constructor(parts: { read: ReadFiles; commit: string; cache: SnapshotCache; index: SnapshotIndex }) {
    this.#read = parts.read
    this.#commit = parts.commit
    this.#cache = parts.cache
    this.index = parts.index
  }

  /** The snapshot's state of an aggregate; undefined when it holds none. */
  async stateOf(key: string): Promise<unknown> {
    const { record } = await this.locate(key)
    return record && (await this.entriesOf(record)).get(key)
  }

  /** The page and the shard that hold a key, or would, as far as they exist. */
  async locate(key: string): Promise<{ page: PageRecord | undefined; record: ShardRecord | undefined }> {
    const place = placeOf(key)
    const kind = kindOf(key)
    const page = covering(
      this.index.pages.filter((entry) => entry.kind === kind),
      place,
    )
    return { page, record: page && covering(await this.shardsOf(page), place) }
  }

  /** The shards that a page lists. */
  async shardsOf(page: PageRecord): Promise<readonly ShardRecord[]> {
    const parse = ([bytes]: Uint8Array[]) => unwrap(parseStored(ShardPage, page.path, bytes), 'refused').shards
    return this.#cached([page], parse)
  }

  /** The aggregates of a shard. */
  async entriesOf(record: ShardRecord): Promise<ReadonlyMap<string, unknown>> {
    const parse = (parts: Uint8Array[]) => {
      const path = record.parts[0]?.path ?? ''
      return new Map(unwrap(parseStored(Shard, path, Buffer.concat(parts)), 'refused').entries)
    }
    return this.#cached(record.parts, parse)
  }

  /** Whether one of the recent segments holds this event key. */
  async holdsKey(key: string): Promise<boolean> {
    const hash = hashKey(key)
    const files = await Promise.all(this.index.keys.map((segment) => this.bytesOf(segment)))
    return files.some((bytes) => holdsKey(bytes, hash))
  }

  async bytesOf(segment: KeySegment): Promise<Uint8Array> {
    return this.#cached([segment], ([bytes]) => bytes ?? new Uint8Array())
  }

  /** Keeps what was just written, so that it need not be read back. */
  remember(files: readonly NamedFile[], value: unknown): void {
    this.#cache.set(nameOf(files), { value })
  }

  async #cached<T>(files: readonly NamedFile[], parse: (bytes: Uint8Array[]) => T): Promise<T> {
    const name = nameOf(files)
    const found = this.#cache.get(name)
    if (found) return found.value as T
    const value = parse(await readNamed(this.#read, this.#commit, files))
    this.#cache.set(name, { value })
    return value
  }
}

export interface SnapshotPlan {
  readonly index: SnapshotIndex
  readonly digest: string
  readonly additions: readonly Addition[]
  readonly deletions: readonly string[]
}

/** The file changes of a plan; what is written in the end wins over what was to be deleted. */
class FileChanges {
  readonly #changes = new Map<string, Uint8Array | null>()

  write(path: string, bytes: Uint8Array): void {
    this.#changes.set(path, bytes)
  }

  remove(path: string): void {
    if (!this.#changes.get(path)) this.#changes.set(path, null)
  }

  get additions(): Addition[] {
    return [...this.#changes].flatMap(([path, bytes]) => (bytes ? [{ path, bytes }] : []))
  }

  get deletions(): string[] {
    return [...this.#changes].flatMap(([path, bytes]) => (bytes ? [] : [path]))
  }
}

function shardFiles(kind: string, prefix: string, entries: readonly (readonly [string, unknown])[]): Addition[] {
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1))
  const bytes = encodeStored({ schemaVersion: SCHEMA_VERSION, kind, prefix, entries: sorted })
  const directory = directoryOf(kind, prefix)
  const files: Addition[] = []
  for (let start = 0; start < bytes.length; start += MAX_FILE_BYTES) {
    const name = start === 0 ? 'shard.json' : `shard.${start / MAX_FILE_BYTES}.json`
    files.push({ path: `${directory}/${name}`, bytes: bytes.subarray(start, start + MAX_FILE_BYTES) })
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

interface Rewriting {
  readonly reader: SnapshotReader
  readonly changes: FileChanges
}

const grouped = <T, K>(items: Iterable<T>, by: (item: T) => K): Map<K, T[]> => {
  const groups = new Map<K, T[]>()
  for (const item of items) {
    const group = groups.get(by(item))
    if (group) group.push(item)
    else groups.set(by(item), [item])
  }
  return groups
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
  let shards: ShardRecord[] = [...before]
  for (const [prefix, entries] of targets) {
    const record = before.find((shard) => shard.prefix === prefix)
    const rewritten = await rewriteShard(rewriting, kind, { prefix, record }, new Map(entries))
    shards = [...shards.filter((shard) => shard !== record), ...rewritten]
  }
  return writePages(rewriting, kind, page, shards)
}

/** Where a key without a shard goes: below its page's prefix, clear of the shards that exist. */
const homePrefix = (shards: readonly ShardRecord[], pagePrefix: string, place: string): string => {
  const free = freePrefix(shards, place)
  return free.length < pagePrefix.length ? pagePrefix : free
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
    const path = `${directoryOf(kind, prefix)}/page.json`
    const bytes = encodeStored({ schemaVersion: SCHEMA_VERSION, kind, prefix, shards: items })
    const record = { kind, prefix, path, digest: sha256(bytes) }
    changes.write(path, bytes)
    reader.remember([record], items)
    return record
  })
}

async function rewriteKind(
  rewriting: Rewriting,
  kind: string,
  dirty: ReadonlyMap<string, unknown>,
): Promise<PageRecord[]> {
  const before = rewriting.reader.index.pages.filter((page) => page.kind === kind)
  const byPage = grouped(dirty, ([key]) => {
    const stored = covering(before, placeOf(key))
    return stored ? stored.prefix : freePrefix(before, placeOf(key))
  })
  let pages = before
  for (const [prefix, entries] of byPage) {
    const stored = before.find((page) => page.prefix === prefix)
    const rewritten = await rewritePage(rewriting, kind, { prefix, stored }, new Map(entries))
    pages = [...pages.filter((page) => page !== stored), ...rewritten]
  }
  return pages
}

const storedSegment = (reader: SnapshotReader, stored: KeySegment): PlannedSegment => ({
  ...stored,
  hashes: async () => decodeKeys(await reader.bytesOf(stored)),
  stored,
})

async function rewriteKeys(
  { reader, changes }: Rewriting,
  added: readonly NewKey[],
  now: string,
): Promise<KeySegment[]> {
  const stored = reader.index.keys.map((segment) => storedSegment(reader, segment))
  const from = reader.index.keys.at(-1)?.until ?? now
  const planned = planSegments(stored, segmentsOf(added, from < now ? from : now, now), now)
  const records: KeySegment[] = []
  for (const segment of planned) {
    const { record, bytes } = await writeSegment(segment)
    if (bytes) {
      changes.write(record.path, bytes)
      reader.remember([record], bytes)
    }
    records.push(record)
  }
  const kept = new Set(records.map((record) => record.path))
  for (const { path } of reader.index.keys) if (!kept.has(path)) changes.remove(path)
  return records
}

export interface SnapshotInput {
  readonly reader: SnapshotReader
  /** The last event that the snapshot holds. */
  readonly seq: number
  /** The states of all aggregates that changed since the snapshot before; undefined removes one. */
  readonly dirty: ReadonlyMap<string, unknown>
  readonly keys: readonly NewKey[]
  readonly now: string
}

/** The files that turn the snapshot before into one at `seq`; what did not change is not written. */
export async function planSnapshot({ reader, seq, dirty, keys, now }: SnapshotInput): Promise<SnapshotPlan> {
  const changes = new FileChanges()
  const rewriting = { reader, changes }
  const byKind = grouped(dirty, ([key]) => kindOf(key))
  const pages = reader.index.pages.filter((page) => !byKind.has(page.kind))
  for (const [kind, entries] of byKind) pages.push(...(await rewriteKind(rewriting, kind, new Map(entries))))
  pages.sort((a, b) => (a.path < b.path ? -1 : 1))
  const segments = await rewriteKeys(rewriting, keys, now)
  const index: SnapshotIndex = { schemaVersion: SCHEMA_VERSION, seq, pages, keys: segments }
  const bytes = encodeStored(index)
  changes.write(INDEX_PATH, bytes)
  return { index, digest: sha256(bytes), additions: changes.additions, deletions: changes.deletions }
}

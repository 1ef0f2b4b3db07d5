import { canonicalJson, sha256 } from '../core/json.ts'
import { unwrap } from '../core/problem.ts'
import { encodeStored, parseStored } from './codec.ts'
import {
  bytesOfKey,
  decodeKeys,
  encodeKeys,
  type KeptKey,
  keptAfter,
  keyFilePath,
  keyPagePath,
  type NewKey,
} from './keys.ts'
import type { Lru } from './lru.ts'
import { covering, freePrefix, partition, placeOf, prefixPath } from './prefixes.ts'
import { type NamedFile, type ReadFiles, readNamed } from './reads.ts'
import {
  type KeptKeys,
  KeyPage,
  type KeyRange,
  SCHEMA_VERSION,
  Shard,
  ShardPage,
  type SnapshotIndex,
} from './schema.ts'
import type { Addition } from './store.ts'

const ROOT = 'snapshots'
export const INDEX_PATH = `${ROOT}/index.json`

/** Files of the snapshot stay far below GraphQL's cut of 512,000 bytes. */
const MAX_FILE_BYTES = 256 * 1024
/** Shards and pages split early, because a changed aggregate rewrites the whole of its shard and page. */
const SPLIT_BYTES = 32 * 1024
/** Every append looks into one file of event keys and its page. */
const SPLIT_KEY_BYTES = 8 * 1024
/** What has lapsed is taken away little by little, so that no commit becomes large by it. */
const LAPSED_PAGES_A_SNAPSHOT = 2

type ShardRecord = ShardPage['shards'][number]
type PageRecord = SnapshotIndex['pages'][number]

const folderOf = (kind: string): string => `snapshots/${kind}`

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

/** The index before the first snapshot, for a log whose keys are kept from an event on. */
export const emptyIndex = (since: number): SnapshotIndex => ({
  schemaVersion: SCHEMA_VERSION,
  seq: 0,
  pages: [],
  keys: { since, marks: [], pages: [] },
})
export const EMPTY_INDEX: SnapshotIndex = emptyIndex(1)

/** A snapshot at a commit, read page by page and shard by shard as it is asked; every file is checked by its digest. */
export class SnapshotReader {
  readonly #read: ReadFiles
  readonly #commit: string
  readonly #cache: SnapshotCache
  readonly #root: string
  readonly index: SnapshotIndex

  /** `root`: the directory that its files lie in, where it is not the one that they name. */
  constructor(parts: {
    read: ReadFiles
    commit: string
    cache: SnapshotCache
    index: SnapshotIndex
    root?: string
  }) {
    this.#read = parts.read
    this.#commit = parts.commit
    this.#cache = parts.cache
    this.#root = parts.root ?? ROOT
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

  /** Whether an event with this key is among those whose keys are kept. */
  async holdsKey(key: string): Promise<boolean> {
    const { pages, since } = this.index.keys
    const place = placeOf(key)
    const page = covering(pages, place)
    const file = page && covering(await this.keyFilesOf(page), place)
    return file !== undefined && (await this.keysOf(file)).some((kept) => kept.place === place && kept.seq >= since)
  }

  /** The files of event keys that a page lists. */
  async keyFilesOf({ prefix, digest }: KeyRange): Promise<readonly KeyRange[]> {
    const path = keyPagePath(prefix)
    return this.#cached([{ path, digest }], ([bytes]) => unwrap(parseStored(KeyPage, path, bytes), 'refused').files)
  }

  /** The keys of a file, those that lapsed too. */
  async keysOf({ prefix, digest }: KeyRange): Promise<readonly KeptKey[]> {
    const bytes = await this.#cached([{ path: keyFilePath(prefix), digest }], ([found]) => found ?? new Uint8Array())
    // Kept as bytes, because a process keeps hundreds of them.
    return decodeKeys(bytes)
  }

  /** Keeps what was just written, so that it need not be read back. */
  remember(files: readonly NamedFile[], value: unknown): void {
    this.#cache.set(nameOf(files), { value })
  }

  async #cached<T>(files: readonly NamedFile[], parse: (bytes: Uint8Array[]) => T): Promise<T> {
    const name = nameOf(files)
    const found = this.#cache.get(name)
    if (found) return found.value as T
    const lying = files.map(({ path, digest }) => ({ path: this.#root + path.slice(ROOT.length), digest }))
    const value = parse(await readNamed(this.#read, this.#commit, lying))
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

/** Where a key without a shard or file goes: below its page's prefix, clear of those that exist. */
const homePrefix = (held: readonly { readonly prefix: string }[], pagePrefix: string, place: string): string => {
  const free = freePrefix(held, place)
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
    const path = prefixPath(folderOf(kind), prefix, 'page', 'json')
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
  const rewritten = await Promise.all(
    [...byPage].map(([prefix, entries]) => {
      const stored = before.find((page) => page.prefix === prefix)
      return rewritePage(rewriting, kind, { prefix, stored }, new Map(entries))
    }),
  )
  return [...before.filter((page) => !byPage.has(page.prefix)), ...rewritten.flat()]
}

const placeOfKey = ({ place }: KeptKey): string => place

/** Puts new keys into a file, takes the lapsed ones out, splits it when it has grown; returns what takes its place. */
async function rewriteKeyFile(
  { reader, changes }: Rewriting,
  { prefix, stored, since }: KeyPlace,
  added: readonly KeptKey[],
): Promise<KeyRange[]> {
  const before = stored ? await reader.keysOf(stored) : []
  if (stored) changes.remove(keyFilePath(stored.prefix))
  const keys = [...before.filter(({ seq }) => seq >= since), ...added]
  const leaves = partition(keys, prefix, { place: placeOfKey, bytes: bytesOfKey, maxBytes: SPLIT_KEY_BYTES })
  return leaves.map((leaf) => {
    const bytes = encodeKeys(leaf.items)
    const last = leaf.items.reduce((newest, { seq }) => Math.max(newest, seq), 1)
    const file = { path: keyFilePath(leaf.prefix), digest: sha256(bytes) }
    changes.write(file.path, bytes)
    reader.remember([file], bytes)
    return { prefix: leaf.prefix, digest: file.digest, last }
  })
}

interface KeyPlace {
  readonly prefix: string
  readonly stored: KeyRange | undefined
  /** Keys of events before this one have lapsed. */
  readonly since: number
}

async function rewriteKeyPage(
  rewriting: Rewriting,
  { prefix, stored, since }: KeyPlace,
  added: readonly KeptKey[],
): Promise<KeyRange[]> {
  const { reader, changes } = rewriting
  const before = stored ? await reader.keyFilesOf(stored) : []
  if (stored) changes.remove(keyPagePath(stored.prefix))
  const targets = grouped(added, ({ place }) => covering(before, place)?.prefix ?? homePrefix(before, prefix, place))
  const rewritten = await Promise.all(
    [...targets].map(([target, keys]) => {
      const file = before.find((entry) => entry.prefix === target)
      return rewriteKeyFile(rewriting, { prefix: target, stored: file, since }, keys)
    }),
  )
  const untouched = before.filter((file) => !targets.has(file.prefix))
  for (const file of untouched) if (file.last < since) changes.remove(keyFilePath(file.prefix))
  const files = [...untouched.filter((file) => file.last >= since), ...rewritten.flat()]
  const sorted = files.sort((a, b) => (a.prefix < b.prefix ? -1 : 1))
  const bytes = (file: KeyRange) => Buffer.byteLength(canonicalJson(file)) + 1
  const leaves = partition(sorted, prefix, { place: (file) => file.prefix, bytes, maxBytes: SPLIT_KEY_BYTES })
  return leaves.map((leaf) => {
    const page: KeyPage = { schemaVersion: SCHEMA_VERSION, prefix: leaf.prefix, files: [...leaf.items] }
    const encoded = encodeStored(page)
    const written = { path: keyPagePath(leaf.prefix), digest: sha256(encoded) }
    changes.write(written.path, encoded)
    reader.remember([written], page.files)
    return { prefix: leaf.prefix, digest: written.digest, last: Math.max(...page.files.map((file) => file.last)) }
  })
}

async function rewriteKeys(
  rewriting: Rewriting,
  added: readonly (NewKey | KeptKey)[],
  at: { readonly seq: number; readonly now: string },
): Promise<KeptKeys> {
  const before = rewriting.reader.index.keys
  const { since, marks } = keptAfter(before, at)
  const keys = added
    .filter(({ seq }) => seq >= since)
    .map((kept) => ('place' in kept ? kept : { place: placeOf(kept.key), seq: kept.seq }))
  const byPage = grouped(keys, ({ place }) => covering(before.pages, place)?.prefix ?? freePrefix(before.pages, place))
  const lapsed = before.pages.filter(({ prefix, last }) => last < since && !byPage.has(prefix))
  for (const { prefix } of lapsed.slice(0, LAPSED_PAGES_A_SNAPSHOT)) byPage.set(prefix, [])
  const rewritten = await Promise.all(
    [...byPage].map(([prefix, items]) => {
      const stored = before.pages.find((page) => page.prefix === prefix)
      return rewriteKeyPage(rewriting, { prefix, stored, since }, items)
    }),
  )
  const untouched = before.pages.filter(({ prefix }) => !byPage.has(prefix))
  return { since, marks, pages: [...untouched, ...rewritten.flat()].sort((a, b) => (a.prefix < b.prefix ? -1 : 1)) }
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

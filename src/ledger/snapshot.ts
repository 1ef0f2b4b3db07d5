import { unwrap } from '../core/problem.ts'
import { parseStored } from './codec.ts'
import { decodeKeys, type KeptKey, keyFilePath, keyPagePath } from './keys.ts'
import { Lru } from './lru.ts'
import { covering, placeOf } from './prefixes.ts'
import { type NamedFile, type ReadFiles, readNamed } from './reads.ts'
import {
  BranchPage,
  KeyPage,
  type KeyRange,
  type PageRecord,
  SCHEMA_VERSION,
  Shard,
  ShardPage,
  type SnapshotIndex,
} from './schema.ts'
import { grouped } from './snapshot-changes.ts'

/** The directory of the snapshot, and of nothing else. */
export const ROOT = 'snapshots'
export const INDEX_PATH = `${ROOT}/index.json`

/** A shard as its page lists it. */
export type ShardRecord = ShardPage['shards'][number]

/** The kind of an aggregate key. It becomes part of a path, so anything but a plain word is refused. */
export function kindOf(key: string): string {
  const kind = key.slice(0, Math.max(0, key.indexOf('/')))
  if (!/^[a-z][a-z-]{0,40}$/.test(kind))
    throw new TypeError('expected an aggregate key "kind/id" with a plain lower-case kind')
  return kind
}

const bytesOf = (parts: readonly Uint8Array[]): number => parts.reduce((sum, { length }) => sum + length, 0)

const nameOf = (files: readonly Pick<NamedFile, 'digest'>[]): string => files.map((file) => file.digest).join('+')

/** What has been read of snapshots, by digest; shared by all positions of a ledger. */
export type SnapshotCache = Lru<string, { readonly value: unknown; readonly bytes: number }>

/** What is read from files takes about half as much again in memory. */
const CACHED_BYTES = 32 * 1024 * 1024

/** Keeps what files of so many bytes hold. */
export const snapshotCache = (maxBytes: number = CACHED_BYTES): SnapshotCache => new Lru(maxBytes, ({ bytes }) => bytes)

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

  /** The page of shards, and the shard, that hold a key or would, as far as they exist. */
  async locate(key: string): Promise<{ page: PageRecord | undefined; record: ShardRecord | undefined }> {
    const place = placeOf(key)
    const kind = kindOf(key)
    let page = covering(
      this.index.pages.filter((entry) => entry.kind === kind),
      place,
    )
    while (page?.level) page = covering(await this.pagesOf(page), place)
    return { page, record: page && covering(await this.shardsOf(page), place) }
  }

  /** The pages that list shards, of all kinds, in the order of the index. */
  async *leafPages(from: readonly PageRecord[] = this.index.pages): AsyncGenerator<PageRecord> {
    for (const page of from) {
      if (page.level) yield* this.leafPages(await this.pagesOf(page))
      else yield page
    }
  }

  /** Reads the pages that lead to some keys, each once and those of a level together: to locate the keys costs no request then. */
  async readPages(keys: readonly string[], among: readonly PageRecord[] = this.index.pages): Promise<void> {
    const ways = grouped(keys, (key) => {
      const kind = kindOf(key)
      return covering(
        among.filter((page) => page.kind === kind),
        placeOf(key),
      )
    })
    await Promise.all(
      [...ways].map(async ([page, below]) => {
        if (page?.level) await this.readPages(below, await this.pagesOf(page))
        else if (page) await this.shardsOf(page)
      }),
    )
  }

  /** The pages that a page of pages lists. */
  async pagesOf(page: PageRecord): Promise<readonly PageRecord[]> {
    return this.#cached([page], ([bytes]) => unwrap(parseStored(BranchPage, page.path, bytes), 'refused').pages)
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

  /** Keeps what was just written, in so many bytes, so that it need not be read back. */
  remember(files: readonly NamedFile[], value: unknown, bytes: number): void {
    this.#cache.set(nameOf(files), { value, bytes })
  }

  /** Lets go of what was just written anew. */
  forget(files: readonly Pick<NamedFile, 'digest'>[]): void {
    this.#cache.delete(nameOf(files))
  }

  async #cached<T>(files: readonly NamedFile[], parse: (bytes: Uint8Array[]) => T): Promise<T> {
    const name = nameOf(files)
    const found = this.#cache.get(name)
    if (found) return found.value as T
    const lying = files.map(({ path, digest }) => ({ path: this.#root + path.slice(ROOT.length), digest }))
    const parts = await readNamed(this.#read, this.#commit, lying)
    const value = parse(parts)
    this.#cache.set(name, { value, bytes: bytesOf(parts) })
    return value
  }
}

import { freePrefix } from './prefixes.ts'
import type { SnapshotReader } from './snapshot.ts'
import type { Addition } from './store.ts'

/** The file changes of a plan; what is written in the end wins over what was to be deleted. */
export class FileChanges {
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

/** The snapshot before, and what becomes other than it. */
export interface Rewriting {
  readonly reader: SnapshotReader
  readonly changes: FileChanges
}

/** Items by what they have in common, in their order. */
export const grouped = <T, K>(items: Iterable<T>, by: (item: T) => K): Map<K, T[]> => {
  const groups = new Map<K, T[]>()
  for (const item of items) {
    const group = groups.get(by(item))
    if (group) group.push(item)
    else groups.set(by(item), [item])
  }
  return groups
}

/** Where a key without a shard or file goes: below its page's prefix, clear of those that exist. */
export const homePrefix = (held: readonly { readonly prefix: string }[], pagePrefix: string, place: string): string => {
  const free = freePrefix(held, place)
  return free.length < pagePrefix.length ? pagePrefix : free
}

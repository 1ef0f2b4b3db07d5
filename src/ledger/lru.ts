/** A map that forgets what was not used for longest once it holds more than `limit` entries. */
export class Lru<K, V> {
  readonly #limit: number
  readonly #entries: Map<K, V>

  constructor(limit: number, entries: Iterable<readonly [K, V]> = []) {
    this.#limit = limit
    this.#entries = new Map(entries)
  }

  get(key: K): V | undefined {
    const value = this.#entries.get(key)
    if (value === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, value)
    return value
  }

  set(key: K, value: V): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size <= this.#limit) return
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest)
      return
    }
  }

  delete(key: K): void {
    this.#entries.delete(key)
  }

  /** A copy that goes its own way. */
  copy(): Lru<K, V> {
    return new Lru(this.#limit, this.#entries)
  }
}

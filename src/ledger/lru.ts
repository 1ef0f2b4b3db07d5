/** A map that forgets what was not used for longest once the sizes of its values come to more than `limit`. */
export class Lru<K, V> {
  readonly #limit: number
  readonly #sizeOf: (value: V) => number
  readonly #entries: Map<K, V>
  #size = 0

  /** `sizeOf`: what a value counts for, always the same; 1 by default. */
  constructor(limit: number, sizeOf: (value: V) => number = () => 1, entries: Iterable<readonly [K, V]> = []) {
    this.#limit = limit
    this.#sizeOf = sizeOf
    this.#entries = new Map(entries)
    for (const value of this.#entries.values()) this.#size += sizeOf(value)
  }

  get(key: K): V | undefined {
    const value = this.#entries.get(key)
    if (value === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, value)
    return value
  }

  set(key: K, value: V): void {
    this.delete(key)
    this.#entries.set(key, value)
    this.#size += this.#sizeOf(value)
    for (const oldest of this.#entries.keys()) {
      if (this.#size <= this.#limit) return
      this.delete(oldest)
    }
  }

  delete(key: K): void {
    const value = this.#entries.get(key)
    if (value === undefined) return
    this.#entries.delete(key)
    this.#size -= this.#sizeOf(value)
  }

  /** A copy that goes its own way. */
  copy(): Lru<K, V> {
    return new Lru(this.#limit, this.#sizeOf, this.#entries)
  }
}

import { hash } from 'node:crypto'

const HASH_CHARACTERS = 32

/**
 * Where a key lies among others, as hexadecimal digits, so that outside text never becomes part of a path: the largest
 * number that stands alone in it, and 128 bits of its SHA-256. GitHub's ids grow, so what happens at one time lies
 * together, and few files change. That is for speed alone: any place would do.
 */
export function placeOf(key: string): string {
  const digest = hash('sha256', key, 'hex').slice(0, HASH_CHARACTERS)
  let largest = 0
  for (const digits of key.match(/\b\d{5,15}\b/g) ?? []) largest = Math.max(largest, Number(digits))
  if (largest === 0) return `0${digest}`
  const number = largest.toString(16)
  // The length first: so the order of the texts is the order of the numbers.
  return `${number.length.toString(16)}${number}${digest}`
}

/** The file of a prefix below a folder. Two digits a folder, so that none becomes large and none lies deep. */
export function prefixPath(folder: string, prefix: string, name: string, extension: string): string {
  const rest = prefix.length % 2 === 0 ? '' : `-${prefix.at(-1)}`
  return [folder, ...(prefix.match(/../g) ?? []), `${name}${rest}.${extension}`].join('/')
}

export interface Leaf<T> {
  readonly prefix: string
  readonly items: readonly T[]
}

export interface Sizing<T> {
  /** Hexadecimal digits that begin with the prefix being split. */
  readonly place: (item: T) => string
  readonly bytes: (item: T) => number
  readonly maxBytes: number
}

/**
 * Splits items by the digits of their places until each leaf holds at most `maxBytes`, or a single item. Leaves come in
 * the order of their prefixes; empty ones are left out.
 */
export function partition<T>(items: readonly T[], prefix: string, sizing: Sizing<T>): Leaf<T>[] {
  if (items.length === 0) return []
  const size = items.reduce((sum, item) => sum + sizing.bytes(item), 0)
  const divisible = items.length > 1 && items.some((item) => sizing.place(item).length > prefix.length)
  if (size <= sizing.maxBytes || !divisible) return [{ prefix, items }]
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const child = sizing.place(item).slice(0, prefix.length + 1)
    const group = groups.get(child)
    if (group) group.push(item)
    else groups.set(child, [item])
  }
  return [...groups.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([child, group]) => partition(group, child, sizing))
}

/** The entry whose prefix covers a place, or undefined; prefixes of one list never overlap. */
export const covering = <T extends { readonly prefix: string }>(entries: readonly T[], place: string): T | undefined =>
  entries.find((entry) => place.startsWith(entry.prefix))

/** The shortest prefix of a place that overlaps none of those taken. */
export function freePrefix(taken: readonly { readonly prefix: string }[], place: string): string {
  let length = 0
  while (taken.some((entry) => entry.prefix.startsWith(place.slice(0, length)))) length += 1
  return place.slice(0, length)
}

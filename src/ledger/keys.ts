import { hash } from 'node:crypto'
import type { KeptKeys } from './schema.ts'

/** GitHub redelivers for three days; keys are kept for four. */
export const KEEP_KEYS_MS = 4 * 24 * 60 * 60 * 1000
/** How far apart the places of the log are whose time is noted: how much longer than needed a key may be kept. */
const MARK_EVERY_MS = 12 * 60 * 60 * 1000

const HASH_CHARACTERS = 32

export interface NewKey {
  readonly seq: number
  readonly key: string
}

/** An event's key as it is kept: where, and the number of its event. */
export interface KeptKey {
  readonly place: string
  readonly seq: number
}

/**
 * Where an event key is kept, as hexadecimal digits: the largest number that stands alone in it, and 128 bits of its
 * SHA-256. GitHub's ids grow, so what happens at one time lies together, and few files change. That is for speed alone:
 * any place would do.
 */
export function keyPlace(key: string): string {
  const digest = hash('sha256', key, 'hex').slice(0, HASH_CHARACTERS)
  let largest = 0
  for (const digits of key.match(/\b\d{5,15}\b/g) ?? []) largest = Math.max(largest, Number(digits))
  if (largest === 0) return `0${digest}`
  const number = largest.toString(16)
  // The length first: so the order of the texts is the order of the numbers.
  return `${number.length.toString(16)}${number}${digest}`
}

const lineOf = ({ place, seq }: KeptKey): string => `${place} ${seq}`

/** What a key takes in its file. */
export const bytesOfKey = (key: KeptKey): number => lineOf(key).length + 1

/** One key a line, in the order of their text. */
export const encodeKeys = (keys: readonly KeptKey[]): Uint8Array =>
  Buffer.from(`${keys.map(lineOf).sort().join('\n')}\n`, 'latin1')

/** The keys of a file. */
export const decodeKeys = (bytes: Uint8Array): KeptKey[] => {
  const lines = Buffer.from(bytes).toString('latin1').split('\n').slice(0, -1)
  return lines.map((line) => {
    const [place = '', seq] = line.split(' ')
    return { place, seq: Number(seq) }
  })
}

/**
 * From which event on keys are kept after a snapshot at `seq`, and the marks that tell when events were recorded:
 * whatever was recorded within the last four days is kept.
 */
export function keptAfter(
  { since, marks }: Pick<KeptKeys, 'since' | 'marks'>,
  { seq, now }: { readonly seq: number; readonly now: string },
): Pick<KeptKeys, 'since' | 'marks'> {
  const oldestMs = Date.parse(now) - KEEP_KEYS_MS
  const lapsed = marks.filter((mark) => Date.parse(mark.at) < oldestMs)
  const kept = marks.slice(lapsed.length)
  const newest = marks.at(-1)
  // A clock that went back makes no mark: keys then stay longer, never shorter.
  const isDue = !newest || Date.parse(now) - Date.parse(newest.at) >= MARK_EVERY_MS
  return {
    since: Math.max(since, (lapsed.at(-1)?.seq ?? 0) + 1),
    marks: isDue ? [...kept, { seq, at: now }] : kept,
  }
}

const directoryOf = (prefix: string): string => ['snapshots/_keys', ...(prefix.match(/../g) ?? [])].join('/')

const rest = (prefix: string): string => (prefix.length % 2 === 0 ? '' : `-${prefix.at(-1)}`)

/** The files of a prefix. Two digits a directory, so that none becomes large and none lies deep. */
export const keyFilePath = (prefix: string): string => `${directoryOf(prefix)}/keys${rest(prefix)}.txt`
export const keyPagePath = (prefix: string): string => `${directoryOf(prefix)}/page${rest(prefix)}.json`

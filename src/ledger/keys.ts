import { prefixPath } from './prefixes.ts'
import type { KeptKeys } from './schema.ts'

/** GitHub redelivers for three days; keys are kept for four. */
export const KEEP_KEYS_MS = 4 * 24 * 60 * 60 * 1000
/** How far apart the places of the log are whose time is noted: how much longer than needed a key may be kept. */
const MARK_EVERY_MS = 12 * 60 * 60 * 1000

export interface NewKey {
  readonly seq: number
  readonly key: string
}

/** An event's key as it is kept: where, and the number of its event. */
export interface KeptKey {
  readonly place: string
  readonly seq: number
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

const FOLDER = 'snapshots/_keys'

export const keyFilePath = (prefix: string): string => prefixPath(FOLDER, prefix, 'keys', 'txt')
export const keyPagePath = (prefix: string): string => prefixPath(FOLDER, prefix, 'page', 'json')

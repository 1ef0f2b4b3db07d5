import { hash } from 'node:crypto'
import { sha256 } from '../core/json.ts'
import type { KeySegment } from './schema.ts'

/** GitHub redelivers for three days; keys are kept for four. */
export const KEEP_KEYS_MS = 4 * 24 * 60 * 60 * 1000
/** Segments grow together only while they span less than this, so that old keys can leave. */
const MAX_SPAN_MS = 24 * 60 * 60 * 1000
/** 11,000 records of 23 bytes are 253,000 bytes. */
const MAX_SEGMENT_KEYS = 11_000

const HASH_CHARACTERS = 22
const RECORD_BYTES = HASH_CHARACTERS + 1

/** 132 bits of a key's SHA-256, in characters that need no escape. */
export const hashKey = (key: string): string => hash('sha256', key, 'base64url').slice(0, HASH_CHARACTERS)

/** One hash a line, sorted, so that a file is searched as it lies. */
export const encodeKeys = (hashes: readonly string[]): Uint8Array =>
  Buffer.from(`${[...hashes].sort().join('\n')}\n`, 'latin1')

export const decodeKeys = (bytes: Uint8Array): string[] =>
  Buffer.from(bytes).toString('latin1').split('\n').slice(0, -1)

/** Whether a sorted file of hashes holds this one. */
export function holdsKey(bytes: Uint8Array, hash: string): boolean {
  const wanted = Buffer.from(hash, 'latin1')
  let low = 0
  let high = Math.floor(bytes.length / RECORD_BYTES)
  while (low < high) {
    const middle = (low + high) >>> 1
    const at = middle * RECORD_BYTES
    const order = Buffer.compare(bytes.subarray(at, at + HASH_CHARACTERS), wanted)
    if (order === 0) return true
    if (order < 0) low = middle + 1
    else high = middle
  }
  return false
}

/** A segment while it is planned: its hashes are known when it is new, and read only when it has to be merged. */
export interface PlannedSegment {
  readonly first: number
  readonly last: number
  readonly count: number
  readonly from: string
  readonly until: string
  readonly hashes: () => Promise<readonly string[]>
  /** The record of an unchanged file. */
  readonly stored: KeySegment | null
}

const joined = (a: PlannedSegment, b: PlannedSegment): PlannedSegment => ({
  first: a.first,
  last: b.last,
  count: a.count + b.count,
  from: a.from,
  until: b.until,
  hashes: async () => [...(await a.hashes()), ...(await b.hashes())],
  stored: null,
})

const mayJoin = (a: PlannedSegment, b: PlannedSegment): boolean =>
  a.count <= 2 * b.count &&
  a.count + b.count <= MAX_SEGMENT_KEYS &&
  Date.parse(b.until) - Date.parse(a.from) <= MAX_SPAN_MS

/**
 * The segments after a snapshot, oldest first: those older than four days leave, the new keys join, and neighbours of
 * like size become one, so that each key is rewritten only a few times and the number of files stays small.
 */
export function planSegments(
  stored: readonly PlannedSegment[],
  added: readonly PlannedSegment[],
  now: string,
): PlannedSegment[] {
  const oldest = Date.parse(now) - KEEP_KEYS_MS
  // From the front only: the segments stay without a gap even where the clocks of writers differ.
  const firstKept = stored.findIndex((segment) => Date.parse(segment.until) >= oldest)
  const planned = firstKept < 0 ? [] : stored.slice(firstKept)
  for (const segment of added) {
    let next = segment
    for (let before = planned.at(-1); before && mayJoin(before, next); before = planned.at(-1)) {
      planned.pop()
      next = joined(before, next)
    }
    planned.push(next)
  }
  return planned
}

export interface NewKey {
  readonly seq: number
  readonly key: string
}

/** Segments for the keys of newly recorded events, in the order of their numbers, each small enough for one file. */
export function segmentsOf(keys: readonly NewKey[], from: string, until: string): PlannedSegment[] {
  const segments: PlannedSegment[] = []
  for (let start = 0; start < keys.length; start += MAX_SEGMENT_KEYS) {
    const part = keys.slice(start, start + MAX_SEGMENT_KEYS)
    const [first, last] = [part[0]?.seq ?? 0, part.at(-1)?.seq ?? 0]
    const hashes = part.map(({ key }) => hashKey(key))
    segments.push({ first, last, count: part.length, from, until, hashes: async () => hashes, stored: null })
  }
  return segments
}

/** The file and the record of a planned segment. */
export async function writeSegment(segment: PlannedSegment): Promise<{ record: KeySegment; bytes: Uint8Array | null }> {
  if (segment.stored) return { record: segment.stored, bytes: null }
  const bytes = encodeKeys(await segment.hashes())
  const { first, last, count, from, until } = segment
  const path = `snapshots/_keys/${first}-${last}.txt`
  return { record: { path, digest: sha256(bytes), first, last, count, from, until }, bytes }
}

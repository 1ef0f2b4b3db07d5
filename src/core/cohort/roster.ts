import { accepted, type Checked, quoted, rejected } from '../problem.ts'
import { type BucketScope, bucketHasher } from './bucket.ts'
import { EVERYBODY, grown } from './threshold.ts'

/** One device as the roster knows it. */
export interface Enrolled {
  readonly pseudonym: string
  readonly epoch: number
  readonly tags: readonly string[]
}

/** The buckets of everybody enrolled at an epoch, ascending and all different: what proves a count. */
export interface SortedRoster {
  readonly scope: BucketScope
  readonly buckets: readonly string[]
}

/** What a threshold permits among those enrolled; what devices did with it is counted elsewhere. */
export interface Tally {
  readonly enrolled: number
  readonly permitted: number
  readonly left: number
}

export type RosterProblem = 'pseudonym-empty' | 'pseudonym-repeated'

const FIRST_DIGITS = 2

/** Buckets spread evenly over their first digits, so many short sorts take half the time of one of a million. */
function ascending(buckets: readonly string[]): string[] {
  const groups = new Map<string, string[]>()
  for (const bucket of buckets) {
    const start = bucket.slice(0, FIRST_DIGITS)
    const group = groups.get(start)
    if (group === undefined) groups.set(start, [bucket])
    else group.push(bucket)
  }
  return [...groups.keys()].sort().flatMap((start) => groups.get(start)?.sort() ?? [])
}

/**
 * Sorts the roster by bucket. Strictly increasing buckets are what makes a count exact, so a repeated pseudonym
 * (a cloned image, a double enrolment) is refused and named; so is an empty one.
 */
export function sortRoster(scope: BucketScope, pseudonyms: Iterable<string>): Checked<SortedRoster, RosterProblem> {
  const hash = bucketHasher(scope)
  const given = [...pseudonyms]
  const buckets = ascending(given.map(hash))
  const repeated = buckets.filter((bucket, at) => buckets[at - 1] === bucket)
  const empty = given.includes('')
  if (!empty && repeated.length === 0) return accepted({ scope, buckets })
  const first = given.find((pseudonym) => hash(pseudonym) === repeated[0])
  return rejected(
    ...(empty
      ? [
          {
            code: 'pseudonym-empty' as const,
            message: 'expected a pseudonym for every enrolled device, found an empty one',
          },
        ]
      : []),
    ...(repeated.length > 0
      ? [
          {
            code: 'pseudonym-repeated' as const,
            message: `expected each pseudonym once, found ${repeated.length} repeated, the first of them ${quoted(first)}`,
            hint: 'devices that share a pseudonym move together; enrol each of them anew',
          },
        ]
      : []),
  )
}

const bucketNumber = (bucket: string): bigint => BigInt(`0x${bucket}`)

/** Every threshold from `from` to `to`, both included, permits exactly `permitted` devices of the roster. */
export interface CountRange {
  readonly from: bigint
  readonly to: bigint
  readonly permitted: number
}

/** The thresholds that permit exactly `count` devices of the roster, or all of them where it has fewer. */
export function countRange(roster: SortedRoster, count: number): CountRange {
  const { buckets } = roster
  const permitted = Math.min(count, buckets.length)
  if (permitted === 0) return { from: 0n, to: 0n, permitted }
  const last = buckets[permitted - 1]
  const next = buckets[permitted]
  return {
    from: last === undefined ? 0n : bucketNumber(last) + 1n,
    to: next === undefined ? EVERYBODY : bucketNumber(next),
    permitted,
  }
}

/** A threshold for exactly `count` permissions, half way between two buckets, so that it names no device. */
export function countThreshold(roster: SortedRoster, count: number): bigint {
  const { from, to } = countRange(roster, count)
  return (from + to) / 2n
}

/** How many of the roster a threshold permits. */
export function permittedBy(roster: SortedRoster, threshold: bigint): number {
  let low = 0
  let high = roster.buckets.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const bucket = roster.buckets[middle]
    if (bucket !== undefined && bucketNumber(bucket) < threshold) low = middle + 1
    else high = middle
  }
  return low
}

/** The buckets of the first `count` devices: the list form, for counts so small that the file stays small. */
export const listedBuckets = (roster: SortedRoster, count: number): string[] => roster.buckets.slice(0, count)

/** The threshold for `count` permissions that takes nothing back from what `before` permitted. */
export const grownCountThreshold = (roster: SortedRoster, count: number, before: bigint): bigint =>
  permittedBy(roster, before) >= count ? before : grown(before, countThreshold(roster, count))

/** What is published about a phase: permissions, never who holds them. */
export function tallyOf(roster: SortedRoster, threshold: bigint): Tally {
  const enrolled = roster.buckets.length
  const permitted = permittedBy(roster, threshold)
  return { enrolled, permitted, left: enrolled - permitted }
}

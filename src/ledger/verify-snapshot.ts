import { canonicalJson } from '../core/json.ts'
import { quoted } from '../core/problem.ts'
import { decodeKeys } from './keys.ts'
import { placeOf } from './prefixes.ts'
import { INDEX_PATH, kindOf, type SnapshotReader } from './snapshot.ts'
import { integrityProblem, isIntegrityError, type LedgerProblem } from './trouble.ts'

export interface SnapshotFindings {
  readonly problems: readonly LedgerProblem[]
  readonly shards: number
  readonly keySegments: number
}

const damaged = (path: string, message: string) => integrityProblem('ledger-damaged', `${path}: ${message}`, { path })

/** The problems of something that reads the snapshot; other errors go on. */
async function problemsOf(look: () => Promise<readonly LedgerProblem[]>): Promise<readonly LedgerProblem[]> {
  try {
    return await look()
  } catch (error) {
    if (isIntegrityError(error)) return error.problems as readonly LedgerProblem[]
    throw error
  }
}

function entryProblem(
  path: string,
  [key, state]: readonly [string, unknown],
  expected: unknown,
  shard: { readonly kind: string; readonly prefix: string },
): LedgerProblem[] {
  if (kindOf(key) !== shard.kind || !placeOf(key).startsWith(shard.prefix)) {
    return [damaged(path, `expected only keys of its own place, found ${quoted(key)}`)]
  }
  const [found, wanted] = [canonicalJson(state), expected === undefined ? 'nothing' : canonicalJson(expected)]
  if (found === wanted) return []
  return [damaged(path, `expected the state of ${quoted(key)} that the events give, found another`)]
}

async function comparePage(
  reader: SnapshotReader,
  page: SnapshotReader['index']['pages'][number],
  states: ReadonlyMap<string, unknown>,
  missing: Set<string>,
): Promise<{ problems: readonly LedgerProblem[]; shards: number }> {
  let shards = 0
  const problems = await problemsOf(async () => {
    const records = await reader.shardsOf(page)
    shards = records.length
    // Asked for together, so that the shards of a page come in one request.
    const found = await Promise.all(
      records.map((record) =>
        problemsOf(async () => {
          const path = record.parts[0]?.path ?? page.path
          const entries = [...(await reader.entriesOf(record))]
          for (const [key] of entries) missing.delete(key)
          const shard = { kind: page.kind, prefix: record.prefix }
          return entries.flatMap((entry) => entryProblem(path, entry, states.get(entry[0]), shard))
        }),
      ),
    )
    return found.flat()
  })
  return { problems, shards }
}

/** Compares a snapshot with the states that replaying the events up to it gave, shard by shard. */
export async function compareStates(
  reader: SnapshotReader,
  states: ReadonlyMap<string, unknown>,
): Promise<SnapshotFindings> {
  const missing = new Set([...states].filter(([, state]) => state !== undefined).map(([key]) => key))
  const problems: LedgerProblem[] = []
  let shards = 0
  for (const page of reader.index.pages) {
    const found = await comparePage(reader, page, states, missing)
    shards += found.shards
    problems.push(...found.problems)
  }
  if (problems.length === 0) {
    for (const key of missing) problems.push(damaged(INDEX_PATH, `expected the state of ${quoted(key)}, found none`))
  }
  return { problems, shards, keySegments: 0 }
}

/** Compares the kept event keys with those of the events: each segment whole, and no gap up to the snapshot. */
export async function compareKeys(
  reader: SnapshotReader,
  hashOf: (seq: number) => string | undefined,
): Promise<SnapshotFindings> {
  const segments = reader.index.keys
  const problems: LedgerProblem[] = []
  for (const [index, segment] of segments.entries()) {
    const next = segments[index + 1]
    if ((next?.first ?? reader.index.seq + 1) !== segment.last + 1) {
      problems.push(damaged(INDEX_PATH, `expected the event keys after ${segment.last} to be kept without a gap`))
    }
    if (segment.last > reader.index.seq || segment.count !== segment.last - segment.first + 1) {
      problems.push(damaged(INDEX_PATH, `expected ${segment.path} to hold the keys of recorded events`))
      continue
    }
    const found = await problemsOf(async () => {
      const stored = decodeKeys(await reader.bytesOf(segment))
      const expected: string[] = []
      for (let seq = segment.first; seq <= segment.last; seq += 1) expected.push(hashOf(seq) ?? '')
      const isSame = stored.join() === expected.sort().join()
      return isSame
        ? []
        : [damaged(segment.path, `expected the keys of events ${segment.first} to ${segment.last}, found others`)]
    })
    problems.push(...found)
  }
  return { problems, shards: 0, keySegments: segments.length }
}

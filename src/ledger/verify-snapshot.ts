import { canonicalJson } from '../core/json.ts'
import { quoted } from '../core/problem.ts'
import { keyFilePath, keyPagePath } from './keys.ts'
import { placeOf } from './prefixes.ts'
import type { KeyRange, PageRecord } from './schema.ts'
import { INDEX_PATH, kindOf, type SnapshotReader } from './snapshot.ts'
import { integrityProblem, isIntegrityError, type LedgerProblem } from './trouble.ts'

export interface SnapshotFindings {
  readonly problems: readonly LedgerProblem[]
  readonly shards: number
  readonly keyFiles: number
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
  page: PageRecord,
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
  const walked = await problemsOf(async () => {
    for await (const page of reader.leafPages()) {
      const found = await comparePage(reader, page, states, missing)
      shards += found.shards
      problems.push(...found.problems)
    }
    return []
  })
  problems.push(...walked)
  if (problems.length === 0) {
    for (const key of missing) problems.push(damaged(INDEX_PATH, `expected the state of ${quoted(key)}, found none`))
  }
  return { problems, shards, keyFiles: 0 }
}

/** What is wrong with a file of keys; the events whose keys it holds leave `missing`. */
async function compareKeyFile(
  reader: SnapshotReader,
  file: KeyRange,
  places: ReadonlyMap<number, string>,
  missing: Set<number>,
): Promise<readonly LedgerProblem[]> {
  const path = keyFilePath(file.prefix)
  return problemsOf(async () => {
    const problems: LedgerProblem[] = []
    for (const { place, seq } of await reader.keysOf(file)) {
      if (seq < reader.index.keys.since) continue
      const isRight = places.get(seq) === place && place.startsWith(file.prefix) && seq <= file.last
      if (!isRight || !missing.delete(seq))
        problems.push(damaged(path, `expected the key of event ${seq}, found another`))
    }
    return problems
  })
}

/** Compares the kept event keys with those that the events give: every one, once, in its place, and no others. */
export async function compareKeys(
  reader: SnapshotReader,
  places: ReadonlyMap<number, string>,
): Promise<SnapshotFindings> {
  const { since, pages } = reader.index.keys
  const missing = new Set([...places.keys()].filter((seq) => seq >= since))
  const problems: LedgerProblem[] = []
  let keyFiles = 0
  for (const page of pages) {
    const found = await problemsOf(async () => {
      const files = await reader.keyFilesOf(page)
      keyFiles += files.length
      const strays = files.filter((file) => !file.prefix.startsWith(page.prefix))
      const misplaced = strays.map(({ prefix }) => damaged(keyPagePath(page.prefix), `expected no file ${prefix}`))
      const compared = await Promise.all(files.map((file) => compareKeyFile(reader, file, places, missing)))
      return [...misplaced, ...compared.flat()]
    })
    problems.push(...found)
  }
  if (problems.length === 0) {
    for (const seq of missing) problems.push(damaged(INDEX_PATH, `expected the key of event ${seq} to be kept`))
  }
  return { problems, shards: 0, keyFiles }
}

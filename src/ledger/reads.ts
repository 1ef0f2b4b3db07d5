import { sha256 } from '../core/json.ts'
import type { Files, LedgerStore } from './store.ts'
import { integrityError, integrityProblem } from './trouble.ts'

export type ReadFiles = (commit: string, paths: readonly string[]) => Promise<Files>

interface Waiting {
  readonly paths: Set<string>
  readonly files: Promise<Files>
}

/** Reads that are asked for in the same turn of the event loop go to the store as one request per commit. */
export function coalescedReads(store: LedgerStore): ReadFiles {
  const waiting = new Map<string, Waiting>()
  const begin = (commit: string): Waiting => {
    const paths = new Set<string>()
    const files = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      waiting.delete(commit)
      return store.read(commit, [...paths])
    })
    const entry = { paths, files }
    waiting.set(commit, entry)
    return entry
  }
  return async (commit, wanted) => {
    if (wanted.length === 0) return new Map()
    const entry = waiting.get(commit) ?? begin(commit)
    for (const path of wanted) entry.paths.add(path)
    const files = await entry.files
    return new Map(wanted.map((path) => [path, files.get(path) ?? null]))
  }
}

export interface NamedFile {
  readonly path: string
  readonly digest: string
}

/**
 * The bytes of files whose digests are known, in the order asked. Throws `ledger-damaged` naming every file that is
 * missing or has other bytes.
 */
export async function readNamed(read: ReadFiles, commit: string, named: readonly NamedFile[]): Promise<Uint8Array[]> {
  const files = await read(
    commit,
    named.map((file) => file.path),
  )
  const problems = named.flatMap(({ path, digest }) => {
    const bytes = files.get(path)
    const found = bytes ? sha256(bytes) : 'no file'
    if (found === digest) return []
    return [integrityProblem('ledger-damaged', `${path}: expected ${digest}, found ${found}`, { path })]
  })
  if (problems.length > 0) throw integrityError(problems)
  return named.flatMap(({ path }) => files.get(path) ?? [])
}

import { type EventFile, HEAD_PATH, parseEventFile } from './codec.ts'
import { eventPaths, firstSeqOf } from './event-files.ts'
import type { LedgerStore, Newest } from './store.ts'
import { integrityProblem, type LedgerProblem } from './trouble.ts'

export interface WalkedFile extends EventFile {
  readonly path: string
}

export type Walked =
  | { readonly kind: 'file'; readonly file: WalkedFile }
  | { readonly kind: 'broken'; readonly problems: readonly LedgerProblem[] }

/** Where a walk begins: after an event that is known, or wherever the first file does. */
export type WalkStart = { readonly seq: number; readonly tip: string } | 'first-file'

const FILES_PER_READ = 50

const stranger = (path: string): LedgerProblem =>
  integrityProblem('ledger-damaged', `expected only event files under events/, found ${path}`, { path })

/** What is wrong with a branch that holds neither a head nor an event: whatever it is, it is no log. Null for any other. */
export async function noLogProblem(store: LedgerStore, { info, files }: Newest): Promise<LedgerProblem | null> {
  if (files.get(HEAD_PATH)) return null
  for await (const _ of eventPaths(store, info.commit)) return null
  const message = `${store.name}: expected a log, found neither ${HEAD_PATH} nor an event in commit ${info.commit}`
  return integrityProblem('ledger-missing', message)
}

async function* inChunks<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let chunk: T[] = []
  for await (const item of items) {
    chunk.push(item)
    if (chunk.length < size) continue
    yield chunk
    chunk = []
  }
  if (chunk.length > 0) yield chunk
}

/**
 * Reads the event files of a commit one after the other, each checked and chained to the one before. Ends with the
 * first one that is missing, misplaced or broken: nothing behind it could be trusted.
 */
export async function* walkLog(
  store: LedgerStore,
  commit: string,
  start: WalkStart,
  options: { readonly since?: string } = {},
): AsyncGenerator<Walked> {
  let at: { seq: number; tip: string | null } | null =
    start === 'first-file' ? null : { seq: start.seq, tip: start.tip }
  for await (const chunk of inChunks(eventPaths(store, commit, options), FILES_PER_READ)) {
    const known = chunk.filter((found) => found.known).map((found) => found.path)
    const files = await store.read(commit, known)
    for (const { path, known: isKnown } of chunk) {
      if (!isKnown) return yield { kind: 'broken', problems: [stranger(path)] }
      const first = firstSeqOf(path) ?? 0
      at ??= { seq: first - 1, tip: null }
      if (first !== at.seq + 1) {
        const message = `${path}: expected a file that begins with event ${at.seq + 1}: a file is missing or out of place`
        return yield { kind: 'broken', problems: [integrityProblem('ledger-damaged', message, { path, line: 1 })] }
      }
      const parsed = parseEventFile(path, files.get(path) ?? new Uint8Array(), at)
      if (!parsed.ok) return yield { kind: 'broken', problems: parsed.problems }
      at = parsed.value.position
      yield { kind: 'file', file: { path, ...parsed.value } }
    }
  }
}

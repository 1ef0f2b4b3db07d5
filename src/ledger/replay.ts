import type { AggregateKey, EventDraft, LedgerEvent, Model } from '../core/event.ts'
import { beginningOf, checkFirst, loadCarried } from './carried.ts'
import { HEAD_PATH, parseHead, refuseOtherVersion } from './codec.ts'
import { KEEP_KEYS_MS, type KeptKey, type NewKey } from './keys.ts'
import { endProblem } from './log-end.ts'
import { evolved } from './position.ts'
import { Redactions } from './redactions.ts'
import type { Head, LogPosition } from './schema.ts'
import type { CommitInfo, LedgerStore } from './store.ts'
import { integrityError, integrityProblem } from './trouble.ts'
import { noLogProblem, walkLog } from './walk.ts'
import { minWriterIn } from './writer.ts'

export interface Replayed {
  readonly commit: string
  /** As it stands; when it cannot be read, the first of the epoch, with what it still asks of writers. */
  readonly head: Head
  /** The end of the log by its lines. */
  readonly end: LogPosition
  readonly states: ReadonlyMap<AggregateKey, unknown>
  /** The keys of the last four days, in the order of the log. */
  readonly keys: readonly (NewKey | KeptKey)[]
  /** The directory of the last event file, and how many it holds. */
  readonly folder: Head['folder']
}

/** How far back a head is looked for that can be read: more commits than anybody breaks one by one. */
const MOST_HEADS = 100

/** The newest head before a commit that can be read, within a hundred commits: the log cannot end before the end that it names. */
async function headBefore(store: LedgerStore, { parents }: CommitInfo): Promise<Head | null> {
  const [parent] = parents
  if (parent === undefined) return null
  for (const info of await store.history(parent, { limit: MOST_HEADS })) {
    const parsed = parseHead((await store.read(info.commit, [HEAD_PATH])).get(HEAD_PATH))
    if (parsed.ok) return parsed.value
  }
  return null
}

/**
 * Folds every event of a branch from the beginning, trusting nothing but the lines and their chain, and in a later epoch
 * the state that its first event names. `seen` is told of each event with the digest of its line. Throws what is wrong with
 * the log, also when it ends before or otherwise than its head says, or, where that cannot be read, the one before.
 */
export async function replayLog(
  store: LedgerStore,
  model: Model,
  options: {
    readonly now: string
    /** A redaction that is about to be recorded: the texts it names may be gone already. */
    readonly pending?: EventDraft
    readonly seen?: (event: LedgerEvent, digest: string, path: string, line: number) => void
  },
): Promise<Replayed> {
  const newest = await store.newest([HEAD_PATH])
  if (!newest) throw integrityError(integrityProblem('ledger-missing', `${store.name}: expected a branch, found none`))
  const strange = await noLogProblem(store, newest)
  if (strange) throw integrityError(strange)
  const bytes = newest.files.get(HEAD_PATH)
  refuseOtherVersion(HEAD_PATH, bytes)
  const parsed = parseHead(bytes)
  const head = parsed.ok
    ? parsed.value
    : { ...(await beginningOf(store, newest.info.commit)), minWriter: minWriterIn(bytes) }
  const oldestMs = Date.parse(options.now) - KEEP_KEYS_MS
  const carried = await loadCarried(store, newest.info.commit, head)
  const states = new Map<AggregateKey, unknown>(carried?.states)
  let keys: (NewKey | KeptKey)[] = [...(carried?.keys ?? [])]
  let end: LogPosition = head.origin
  let last: string | null = null
  let folder: Head['folder'] = { path: '', files: 0 }
  const redactions = new Redactions(options.pending)
  for await (const walked of walkLog(store, newest.info.commit, end)) {
    if (walked.kind === 'broken') throw integrityError(walked.problems)
    const { path, events, position } = walked.file
    redactions.note(walked.file)
    if (end.seq === head.origin.seq) {
      checkFirst(walked.file, head, carried)
      if (Date.parse(events[0]?.at ?? '') < oldestMs) keys = []
    }
    const directory = path.slice(0, path.lastIndexOf('/'))
    folder = { path: directory, files: folder.path === directory ? folder.files + 1 : 1 }
    for (const [index, event] of events.entries()) {
      for (const key of model.keysOf(event)) states.set(key, evolved(model, key, states.get(key), event))
      options.seen?.(event, events[index + 1]?.prev ?? position.tip, path, index + 1)
    }
    /** By file, so that the kept keys stay without a gap although the clocks of events differ. */
    if (events.some((event) => Date.parse(event.at) >= oldestMs) || keys.length > 0)
      keys = keys.concat(events.map(({ seq, key }) => ({ seq, key })))
    end = position
    last = path
  }
  const lastHead = parsed.ok ? head : await headBefore(store, newest.info)
  const wrongEnd = lastHead && endProblem(lastHead, end, last)
  if (wrongEnd) throw integrityError(wrongEnd)
  const problems = redactions.problems()
  if (problems.length > 0) throw integrityError(problems)
  return { commit: newest.info.commit, head, end, states, keys, folder }
}

import { draft, type EventData } from '../core/catalogue.ts'
import type { Model } from '../core/event.ts'
import { RingmasterError } from '../core/problem.ts'
import { checkAuthorship, lineageOf } from './authorship.ts'
import { Batch } from './batch.ts'
import { CARRIED } from './carried.ts'
import { cutIntoFiles, encodeEvents, encodeStored, HEAD_PATH, parseHead } from './codec.ts'
import { MAX_OPERATIONS, planCommit } from './commit-plan.ts'
import { divergenceOf } from './divergence.ts'
import { eventFilePath, folderFor } from './event-files.ts'
import { readPosition } from './position.ts'
import { headOn, readLog } from './read-log.ts'
import { coalescedReads } from './reads.ts'
import type { Head } from './schema.ts'
import { snapshotCache } from './snapshot.ts'
import { type CommitRequest, commitMessage, type LedgerStore } from './store.ts'
import { integrityError, integrityProblem, isIntegrityError, type LedgerProblem } from './trouble.ts'
import { checkWriter, type Writer } from './writer.ts'

/** A branch that was closed: nothing is appended to it any more. */
export interface ClosedEpoch {
  readonly commit: string
  readonly head: Head
}

interface Making {
  readonly now: string
  readonly newId: () => string
}

interface Closing extends Making {
  readonly writer: Writer
  /** Up to this commit it is known who made the branch. */
  readonly known?: string | undefined
}

const MAX_ATTEMPTS = 12

const missing = (store: LedgerStore) =>
  integrityError(integrityProblem('ledger-missing', `${store.name}: expected a branch, found none`))

/**
 * Closes a branch by one commit: a snapshot at its last event, and a head that names the branch on which the log goes on.
 * Does nothing to one that is closed already. Whoever appends meanwhile wins, and the branch is closed behind that.
 * Throws what is wrong with the branch, also who else committed to it, or `ledger-contended`.
 */
export async function closeEpoch(
  store: LedgerStore,
  model: Model,
  next: string,
  { now, newId, writer, known }: Closing,
): Promise<ClosedEpoch> {
  const cache = snapshotCache()
  let until = known ?? null
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    const newest = await store.newest([HEAD_PATH])
    if (!newest) throw missing(store)
    const { commit } = newest.info
    await checkAuthorship(store, commit, { author: writer.author, until })
    until = commit
    const reading = { model, read: coalescedReads(store), cache }
    const position = await readPosition(reading, commit, newest.files.get(HEAD_PATH))
    if (position.head.succeededBy !== undefined) return { commit, head: position.head }
    checkWriter(position.head, writer)
    const operation = newId()
    const batch = new Batch(model, position)
    const plan = await planCommit({ position, batch, operation, newId, now, snapshotNow: true, snapshotEvery: 1 })
    const head: Head = { ...plan.head, succeededBy: next }
    const outcome = await store.commit({
      ...plan.request,
      message: commitMessage(`ledger: epoch ${head.epoch} ends at event ${head.seq}, ${next} goes on`, operation),
      additions: plan.request.additions.map((file) =>
        file.path === HEAD_PATH ? { path: HEAD_PATH, bytes: encodeStored(head) } : file,
      ),
    })
    if (outcome.kind === 'committed') return { commit: outcome.commit, head }
  }
  throw new RingmasterError('outside', {
    code: 'ledger-contended',
    message: `${store.name}: expected to win the branch within ${MAX_ATTEMPTS} attempts, lost each of them`,
    hint: 'Stop the App first, then try again.',
  })
}

/**
 * Opens the epoch that follows a closed branch, as the first commit of a branch of the same repository: the event that says
 * what it goes on from, the closed one's snapshot as the state to go on with and once more as what was taken over, and its
 * documents. Does nothing when the branch is that already. Throws `epoch-taken` when it is another one.
 */
export async function openEpoch(
  { from, closed, branch }: { readonly from: LedgerStore; readonly closed: ClosedEpoch; readonly branch: string },
  to: LedgerStore,
  model: Model,
  making: Making,
): Promise<string> {
  const there = await openedAlready(to, closed)
  if (there !== null) return there
  const outcome = await to.commit(await openingCommit(from, closed, branch, model, making))
  if (outcome.kind === 'committed') return outcome.commit
  const other = await openedAlready(to, closed)
  if (other !== null) return other
  throw new RingmasterError('outside', {
    code: 'ledger-contended',
    message: `${to.name}: expected to make the branch, found that GitHub shows neither it nor another`,
    hint: 'Try again.',
  })
}

async function openedAlready(to: LedgerStore, { head }: ClosedEpoch): Promise<string | null> {
  const newest = await to.newest([HEAD_PATH])
  if (!newest) return null
  const parsed = parseHead(newest.files.get(HEAD_PATH))
  const opened = parsed.ok ? parsed.value : null
  const isOurs = opened?.epoch === head.epoch + 1 && opened.origin.seq === head.seq && opened.origin.tip === head.tip
  if (isOurs) return newest.info.commit
  throw epochTaken(to, head.seq)
}

const epochTaken = (to: LedgerStore, seq: number): RingmasterError =>
  new RingmasterError('refused', {
    code: 'epoch-taken',
    message: `${to.name}: expected no branch, or the log that goes on from event ${seq}, found another branch of that name`,
    hint: 'Somebody made it. An admin switches the ruleset off, deletes the branch and switches it on again; then repeat.',
  })

/** Throws `epoch-taken` where a branch stands already in the place of the next epoch of a log that is still open. */
export async function checkFree(to: LedgerStore, seq: number): Promise<void> {
  if ((await to.newest([])) !== null) throw epochTaken(to, seq)
}

async function openingCommit(
  from: LedgerStore,
  { commit, head: before }: ClosedEpoch,
  branch: string,
  model: Model,
  { now, newId }: Making,
): Promise<CommitRequest> {
  const origin = { seq: before.seq, tip: before.tip }
  const epoch = before.epoch + 1
  if (before.snapshot?.seq !== before.seq)
    throw new TypeError('expected a closed branch to have a snapshot at its last event')
  const opened = draft(
    'epoch.opened',
    {
      epoch,
      previous: { branch, commit, seq: origin.seq, digest: origin.tip },
      state: before.snapshot.index,
    },
    { key: `epoch:${epoch}`, at: now, actor: null, source: { kind: 'operator' }, trust: 'claimed' },
  )
  const { lines, position } = encodeEvents([opened], origin, model.textsOf)
  const [file] = cutIntoFiles(lines, position.seq)
  const folder = folderFor(now, { path: '', files: 0 })
  const path = eventFilePath(folder.path, position.seq, newId())
  const operation = newId()
  const { succeededBy: _, ...open } = before
  // With those before: a writer whose answer was lost looks here for its operation.
  const operations = [...before.operations, operation].slice(-MAX_OPERATIONS)
  const head: Head = { ...open, ...position, epoch, origin, tail: [path], folder, operations }
  return {
    expectedHead: null,
    operation,
    message: commitMessage(`ledger: epoch ${epoch} goes on from event ${origin.seq}`, operation),
    additions: [
      { path: HEAD_PATH, bytes: encodeStored(head) },
      { path, bytes: file?.bytes ?? new Uint8Array() },
    ],
    deletions: [],
    directories: [
      ...(await documentDirectories(from, commit)).map((name) => ({ path: name, from: { commit, path: name } })),
      ...['snapshots', CARRIED].map((name) => ({ path: name, from: { commit, path: 'snapshots' } })),
    ],
  }
}

/** What stands beside events and snapshots, such as configurations: decisions and verification go on reading it. */
async function documentDirectories(from: LedgerStore, commit: string): Promise<string[]> {
  const entries = await from.list(commit, '')
  return entries.flatMap(({ name, kind }) =>
    kind === 'directory' && !['events', 'snapshots', CARRIED].includes(name) ? [name] : [],
  )
}

/** A branch of a log; `head` is null where it cannot be read, for the `problems` that it has. */
export interface EpochBranch {
  readonly branch: string
  readonly store: LedgerStore
  readonly head: Head | null
  readonly problems: readonly LedgerProblem[]
}

/** What is wrong where a branch was closed and the one on which its log goes on is not there: why, only its activity tells. */
export const successorMissing = (closed: LedgerStore, next: string): LedgerProblem =>
  integrityProblem(
    'ledger-missing',
    `${closed.name}: expected the log to go on in ${next}, found no such branch: it was not fetched, it was deleted, or "ringmaster ledger epoch" was interrupted before it made it and is to be repeated. The activity of ${next} on GitHub tells which: a branch that never was has none`,
    { branch: next },
  )

/** Throws it for the branches of a log that is not read to its end. */
export function checkLastEpoch(epochs: readonly EpochBranch[]): void {
  const last = epochs.at(-1)
  const next = last?.head?.succeededBy
  if (last && next !== undefined && !epochs.some(({ branch }) => branch === next))
    throw integrityError(successorMissing(last.store, next))
}

/**
 * Throws what is wrong with the head of the last branch that was found: nobody knows then whether the log goes on in another.
 * Who reads the events of that branch to their end is told there.
 */
export function checkLastHead(epochs: readonly EpochBranch[]): void {
  const problems = epochs.at(-1)?.problems ?? []
  if (problems.length > 0) throw integrityError(problems)
}

/** What the first event of a later epoch says it goes on from; undefined where it is none that can be read. */
async function previousOf(store: LedgerStore): Promise<EventData<'epoch.opened'>['previous'] | undefined> {
  try {
    for await (const { event } of readLog(store, { type: 'epoch.opened' }))
      return (event.data as EventData<'epoch.opened'>).previous
  } catch (error) {
    if (!isIntegrityError(error)) throw error
  }
  return undefined
}

/** Whether two branches were begun by one author, whoever committed to them later. */
async function haveOneBeginner(one: LedgerStore, other: LedgerStore): Promise<boolean> {
  const [mine, theirs] = await Promise.all([lineageOf([one]), lineageOf([other])])
  return mine.author?.email === theirs.author?.email
}

/**
 * What is wrong where a branch is open although its log goes on in the one of the next epoch (`next`), which the same author
 * began: it was put back to before it was closed. Null where nothing is, for a branch that somebody else made, which is never
 * followed, and where it was closed while this was asked.
 */
export async function reopenedProblem(
  store: LedgerStore,
  epoch: number,
  next: LedgerStore,
): Promise<LedgerProblem | null> {
  const after = parseHead((await next.newest([HEAD_PATH]))?.files.get(HEAD_PATH))
  if (!after.ok || after.value.epoch !== epoch + 1) return null
  const newest = await store.newest([HEAD_PATH])
  const head = parseHead(newest?.files.get(HEAD_PATH))
  if (!newest || !head.ok || head.value.succeededBy !== undefined) return null
  if (!(await haveOneBeginner(store, next))) return null
  const previous = await previousOf(next)
  const { kind } = previous ? await divergenceOf(store, previous.commit, newest.info.commit) : { kind: 'truncated' }
  const commit = previous === undefined ? '' : `, in commit ${previous.commit}`
  const message = `${store.name}: expected it to be closed at event ${after.value.origin.seq}${commit}, where ${next.name} goes on from it, found it open at event ${head.value.seq}: it was put back to before that, or, in a clone, not fetched since`
  return integrityProblem(kind === 'forked' ? 'ledger-forked' : 'ledger-rewound', message)
}

/** Throws it for the branches of a log; `epochBranch` is the branch that an epoch would have. */
export async function checkReopened(
  epochs: readonly EpochBranch[],
  epochBranch: (epoch: number) => LedgerStore,
): Promise<void> {
  const last = epochs.at(-1)
  if (!last?.head || last.head.succeededBy !== undefined) return
  const { epoch } = last.head
  const problem = await reopenedProblem(last.store, epoch, epochBranch(epoch + 1))
  if (problem) throw integrityError(problem)
}

/** The branches of a log from the first one as far as heads lead, oldest first; none when there is no such branch. */
export async function epochsOf(
  storeOf: (branch: string) => LedgerStore,
  first: string,
): Promise<readonly EpochBranch[]> {
  const found: EpochBranch[] = []
  for (let branch: string | undefined = first; branch !== undefined; ) {
    const store = storeOf(branch)
    const newest = await store.newest([HEAD_PATH])
    if (!newest) break
    const parsed = headOn(store, newest)
    const head: Head | null = parsed.ok ? parsed.value : null
    found.push({ branch, store, head, problems: parsed.ok ? [] : parsed.problems })
    const next: string | undefined = head?.succeededBy
    branch = found.some((seen) => seen.branch === next) ? undefined : next
  }
  return found
}

import type { Model } from '../core/event.ts'
import { RingmasterError } from '../core/problem.ts'
import { checkAuthorship } from './authorship.ts'
import { encodeStored, HEAD_PATH, parseHead, parseStored, refuseOtherVersion } from './codec.ts'
import { MAX_OPERATIONS } from './commit-plan.ts'
import { keyPagePath } from './keys.ts'
import { type Replayed, replayLog } from './replay.ts'
import { BranchPage, type Head, type PageRecord, ShardPage, SnapshotIndex } from './schema.ts'
import { emptyIndex, INDEX_PATH, ROOT, SnapshotReader, snapshotCache } from './snapshot.ts'
import { planSnapshot } from './snapshot-plan.ts'
import { type Addition, commitMessage, type Files, type LedgerStore } from './store.ts'
import { checkWriter, minWriterAfter, type Writer } from './writer.ts'

export interface Rebuilt {
  readonly commit: string
  readonly seq: number
  readonly aggregates: number
  readonly files: number
}

const FILES_PER_READ = 50

/** Nothing of the old snapshot is read: it may be what is broken. */
const emptyReader = (since: number): SnapshotReader =>
  new SnapshotReader({
    read: async () => new Map(),
    commit: '',
    cache: snapshotCache(Number.POSITIVE_INFINITY),
    index: emptyIndex(since),
  })

/** Files of the old snapshot, none of which is of another version. */
async function ofThisVersion(store: LedgerStore, commit: string, paths: readonly string[]): Promise<Files> {
  const found: Files = new Map()
  for (let start = 0; start < paths.length; start += FILES_PER_READ) {
    const files = await store.read(commit, paths.slice(start, start + FILES_PER_READ))
    for (const [path, bytes] of files) {
      refuseOtherVersion(path, bytes)
      found.set(path, bytes)
    }
  }
  return found
}

/** Throws `unknown-schema-version` for the old snapshot, as far as its files lead. Those of keys name no version. */
async function refuseOtherVersions(store: LedgerStore, commit: string): Promise<void> {
  const index = parseStored(
    SnapshotIndex,
    INDEX_PATH,
    (await ofThisVersion(store, commit, [INDEX_PATH])).get(INDEX_PATH),
  )
  if (!index.ok) return
  const { keys } = index.value
  await ofThisVersion(
    store,
    commit,
    keys.pages.map(({ prefix }) => keyPagePath(prefix)),
  )
  for (let { pages } = index.value; pages.length > 0; ) {
    const files = await ofThisVersion(
      store,
      commit,
      pages.map(({ path }) => path),
    )
    const below: PageRecord[] = []
    for (const { path, level } of pages) {
      if (level) {
        const branch = parseStored(BranchPage, path, files.get(path))
        if (branch.ok) below.push(...branch.value.pages)
        continue
      }
      const page = parseStored(ShardPage, path, files.get(path))
      const shards = page.ok ? page.value.shards.flatMap(({ parts }) => parts[0]?.path ?? []) : []
      await ofThisVersion(store, commit, shards)
    }
    pages = below
  }
}

/** Refuses to write on a branch that was closed: the epoch after it names its last commit and its snapshot. */
function refuseClosed(branch: string, succeededBy: string | undefined): void {
  if (succeededBy === undefined) return
  throw new RingmasterError('refused', {
    code: 'ledger-succeeded',
    message: `${branch}: expected an open branch, found that it was closed: the log goes on in ${succeededBy}`,
    hint: 'What was closed stays as it is. If it was changed, put it back to the commit that the first event of the next epoch names.',
  })
}

/**
 * Makes head and snapshots anew from the event files alone, as one commit. Events are never touched: a log whose lines
 * or chain are broken is refused, and so is one that was closed, also when its head cannot say so any more: `successor` is
 * the branch of an epoch, if there is one. Nothing that a newer program wrote is overwritten: `unknown-schema-version`,
 * `writer-too-old`. Nothing that somebody else committed is built on: `foreign-author`. Throws `ledger-contended` when the branch moved meanwhile.
 */
export async function rebuildSnapshots(
  store: LedgerStore,
  model: Model,
  {
    now,
    newId,
    writer,
    successor,
  }: {
    readonly now: string
    readonly newId: () => string
    readonly writer: Writer
    readonly successor?: (epoch: number) => LedgerStore
  },
): Promise<Rebuilt> {
  const replayed = await replayLog(store, model, { now })
  const next = successor?.(replayed.head.epoch + 1)
  const after = parseHead((await next?.newest([HEAD_PATH]))?.files.get(HEAD_PATH))
  if (next && after.ok && after.value.origin.tip === replayed.end.tip) refuseClosed(store.name, next.name)
  return commitRebuilt(store, replayed, { now, newId, writer, headline: 'rebuilt from the events', additions: [] })
}

/**
 * Throws where head and snapshots may not be made anew: `ledger-succeeded`, `writer-too-old`, `foreign-author`,
 * `unknown-schema-version`.
 */
export async function checkRebuildable(
  store: LedgerStore,
  { commit, head }: Pick<Replayed, 'commit' | 'head'>,
  writer: Writer,
): Promise<void> {
  refuseClosed(store.name, head.succeededBy)
  checkWriter(head, writer)
  await checkAuthorship(store, commit, writer)
  await refuseOtherVersions(store, commit)
}

/**
 * Commits head and snapshots for what a replay came to, with further files. Throws `ledger-contended` when the branch
 * moved meanwhile.
 */
export async function commitRebuilt(
  store: LedgerStore,
  { commit, head, end, states, keys, folder }: Replayed,
  {
    now,
    newId,
    writer,
    headline,
    additions,
  }: {
    readonly now: string
    readonly newId: () => string
    readonly writer: Writer
    readonly headline: string
    readonly additions: readonly Addition[]
  },
): Promise<Rebuilt> {
  await checkRebuildable(store, { commit, head }, writer)
  const plan = await planSnapshot({
    reader: emptyReader(keys[0]?.seq ?? end.seq + 1),
    seq: end.seq,
    dirty: states,
    keys,
    now,
  })
  const operation = newId()
  const rebuilt: Head = {
    ...head,
    ...end,
    tail: [],
    folder,
    snapshot: { ...end, index: plan.digest },
    minWriter: minWriterAfter(head.minWriter),
    operations: [...head.operations, operation].slice(-MAX_OPERATIONS),
  }
  const outcome = await store.commit({
    expectedHead: commit,
    operation,
    message: commitMessage(`ledger: snapshot at ${end.seq}, ${headline}`, operation),
    additions: [{ path: HEAD_PATH, bytes: encodeStored(rebuilt) }, ...additions, ...plan.additions],
    deletions: [],
    // Anew as a whole: the files of four days of keys are too many to be listed one by one.
    replaces: [ROOT],
  })
  if (outcome.kind === 'stale') {
    throw new RingmasterError('outside', {
      code: 'ledger-contended',
      message: `${store.name}: expected the branch to rest while it is rebuilt, found that it moved`,
      hint: 'Stop the App first, then try again.',
    })
  }
  const aggregates = [...states.values()].filter((state) => state !== undefined).length
  return { commit: outcome.commit, seq: end.seq, aggregates, files: plan.additions.length }
}

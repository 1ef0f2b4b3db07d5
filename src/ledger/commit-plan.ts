import type { AggregateKey } from '../core/event.ts'
import type { Batch } from './batch.ts'
import { cutIntoFiles, encodeStored, HEAD_PATH } from './codec.ts'
import { eventFilePath, folderFor } from './event-files.ts'
import type { Position, TailFile } from './position.ts'
import type { Head, SnapshotIndex } from './schema.ts'
import type { SnapshotReader } from './snapshot.ts'
import { planSnapshot } from './snapshot-plan.ts'
import { type Addition, type CommitRequest, commitMessage } from './store.ts'
import { minWriterAfter } from './writer.ts'

/** A snapshot comes at the latest when the tail has this many files: they all have to be read at a start. */
const MAX_TAIL_FILES = 64
/** How many operations a head remembers. */
export const MAX_OPERATIONS = 32

export interface CommitPlan {
  readonly request: CommitRequest
  readonly head: Head
  readonly tail: readonly TailFile[]
  readonly index: SnapshotIndex
}

interface PlanInput {
  readonly position: Position
  readonly batch: Batch
  readonly operation: string
  readonly newId: () => string
  /** ISO 8601 UTC. */
  readonly now: string
  /** Whether the snapshot is asked for now. */
  readonly snapshotNow: boolean
  readonly snapshotEvery: number
}

function eventFiles({ position, batch, now, newId }: PlanInput) {
  let folder = position.head.folder
  const additions: Addition[] = []
  const tail: TailFile[] = []
  const files = cutIntoFiles(batch.lines, position.head.seq + 1)
  for (const [index, { firstSeq, bytes }] of files.entries()) {
    folder = folderFor(now, folder)
    const path = eventFilePath(folder.path, firstSeq, newId())
    const next = files[index + 1]
    const events = batch.events.filter(({ seq }) => seq >= firstSeq && (!next || seq < next.firstSeq))
    const following = next && batch.events.find(({ seq }) => seq === next.firstSeq)
    const end = following ? { seq: following.seq - 1, tip: following.prev } : batch.end
    additions.push({ path, bytes })
    tail.push({ path, events, position: end })
  }
  return { folder, additions, tail }
}

/**
 * Reads the pages and then the shards of the snapshot that hold these aggregates, each once and those of a kind of file
 * together: their states cost no request after that, nor does the snapshot that replaces them.
 */
async function readAhead(snapshot: SnapshotReader, keys: readonly AggregateKey[]): Promise<void> {
  await snapshot.readPages(keys)
  const located = await Promise.all(keys.map((key) => snapshot.locate(key)))
  const shards = new Set(located.flatMap(({ record }) => record ?? []))
  await Promise.all([...shards].map((shard) => snapshot.entriesOf(shard)))
}

async function snapshotOf({ position, batch, now }: PlanInput) {
  const others = position.dirtyKeys().filter((key) => !batch.states.has(key))
  await readAhead(position.snapshot, [...batch.states.keys(), ...others])
  const states = await Promise.all(others.map(async (key) => [key, await position.state(key)] as const))
  const dirty = new Map<AggregateKey, unknown>([...batch.states, ...states])
  const keys = [...position.tailEvents(), ...batch.events].map(({ seq, key }) => ({ seq, key }))
  return planSnapshot({ reader: position.snapshot, seq: batch.end.seq, dirty, keys, now })
}

const headline = ({ batch, position }: PlanInput): string => {
  const first = position.head.seq + 1
  if (batch.events.length === 0) return `ledger: snapshot at ${position.head.seq}`
  if (batch.events.length === 1) return `ledger: event ${first}, ${batch.events[0]?.type}`
  return `ledger: events ${first} to ${batch.end.seq}`
}

/** The commit that records a batch; with a snapshot when one is due. The operation id stands in its message and head. */
export async function planCommit(input: PlanInput): Promise<CommitPlan> {
  const { position, batch, operation, snapshotEvery, snapshotNow } = input
  const before = position.head
  const files = eventFiles(input)
  const tail = [...position.tail, ...files.tail]
  const sinceSnapshot = batch.end.seq - (before.snapshot ?? before.origin).seq
  const isDue = snapshotNow || sinceSnapshot >= snapshotEvery || tail.length >= MAX_TAIL_FILES
  const snapshot = isDue ? await snapshotOf(input) : null
  const head: Head = {
    ...before,
    ...batch.end,
    tail: snapshot ? [] : tail.map((file) => file.path),
    folder: files.folder,
    snapshot: snapshot ? { ...batch.end, index: snapshot.digest } : before.snapshot,
    minWriter: minWriterAfter(before.minWriter),
    operations: [...before.operations, operation].slice(-MAX_OPERATIONS),
  }
  const documents = batch.documents.map(({ path, text }) => ({ path, bytes: Buffer.from(text, 'utf8') }))
  const additions = [
    { path: HEAD_PATH, bytes: encodeStored(head) },
    ...files.additions,
    ...documents,
    ...(snapshot?.additions ?? []),
  ]
  const request: CommitRequest = {
    expectedHead: position.commit,
    operation,
    message: commitMessage(headline(input), operation),
    additions,
    deletions: snapshot?.deletions ?? [],
  }
  return { request, head, tail: snapshot ? [] : tail, index: snapshot?.index ?? position.snapshot.index }
}

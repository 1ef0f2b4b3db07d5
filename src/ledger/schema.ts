import { z } from 'zod'

/** The version of every stored file of the ledger but the event lines, whose version is the head's. */
export const SCHEMA_VERSION = 1

export const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/)

/** A place in the log: the number of an event and the digest of its exact line. */
export const LogPosition = z.strictObject({ seq: z.int().nonnegative(), tip: Digest })
export type LogPosition = z.infer<typeof LogPosition>

/** `head.json`: where the log stands, and everything needed to read its state in a bounded number of requests. */
export const Head = z.strictObject({
  schemaVersion: z.literal(SCHEMA_VERSION),
  epoch: z.int().positive(),
  /** What the first line of this epoch follows: nothing, or the head of the epoch before. */
  origin: LogPosition,
  /** The last event. */
  seq: z.int().nonnegative(),
  tip: Digest,
  /** The event files since the snapshot, in order. */
  tail: z.array(z.string()),
  /** The directory that takes the next event file, and how many it holds. */
  folder: z.strictObject({ path: z.string(), files: z.int().nonnegative() }),
  /** The newest snapshot: the place in the log it stands for, and the digest of `snapshots/index.json`. */
  snapshot: LogPosition.extend({ index: Digest }).nullable(),
  /** Programs older than this version must not write. */
  minWriter: z.string(),
  /** The last operations, newest last, so that a commit whose answer was lost is recognised. */
  operations: z.array(z.string()),
  /** The branch on which the log goes on: then this one is closed for ever. */
  succeededBy: z
    .string()
    .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$/)
    .optional(),
})
export type Head = z.infer<typeof Head>

const StoredFile = z.strictObject({ path: z.string(), digest: Digest })

/**
 * A page as what is above it lists it. `level` 0, which is left out: it lists shards; 1: such pages; and so on. All pages of a
 * kind in one list are of one level.
 */
const PageRecord = StoredFile.extend({ kind: z.string(), prefix: z.string(), level: z.int().positive().optional() })
export type PageRecord = z.infer<typeof PageRecord>

/** A page of pages: those of a kind, one level below, whose key hashes begin with `prefix`. */
export const BranchPage = z.strictObject({
  schemaVersion: z.literal(SCHEMA_VERSION),
  kind: z.string(),
  prefix: z.string(),
  pages: z.array(PageRecord).min(1),
})
export type BranchPage = z.infer<typeof BranchPage>

/** One page of the snapshot: the shards of a kind whose key hashes begin with `prefix`. */
export const ShardPage = z.strictObject({
  schemaVersion: z.literal(SCHEMA_VERSION),
  kind: z.string(),
  prefix: z.string(),
  shards: z.array(z.strictObject({ prefix: z.string(), parts: z.array(StoredFile).min(1) })),
})
export type ShardPage = z.infer<typeof ShardPage>

/** Aggregates of one kind as key and state; keys hold outside text, so this is a list and no object. */
export const Shard = z.strictObject({
  schemaVersion: z.literal(SCHEMA_VERSION),
  kind: z.string(),
  prefix: z.string(),
  entries: z.array(z.tuple([z.string(), z.unknown()])),
})
export type Shard = z.infer<typeof Shard>

const Digits = z.string().regex(/^[0-9a-f]{0,60}$/)

/** A file of recent event keys, or a page of such files: those whose places begin with `prefix`, up to event `last`. */
export const KeyRange = z.strictObject({ prefix: Digits, digest: Digest, last: z.int().positive() })
export type KeyRange = z.infer<typeof KeyRange>

/** One page of the files of recent event keys. */
export const KeyPage = z.strictObject({
  schemaVersion: z.literal(SCHEMA_VERSION),
  prefix: Digits,
  files: z.array(KeyRange).min(1),
})
export type KeyPage = z.infer<typeof KeyPage>

/** The recent event keys: of the event `since` and all after it. Older ones may still lie there and do not count. */
export const KeptKeys = z.strictObject({
  since: z.int().positive(),
  /** Everything up to event `seq` had been recorded at this time, ISO 8601 UTC; oldest first. */
  marks: z.array(z.strictObject({ seq: z.int().nonnegative(), at: z.iso.datetime() })),
  pages: z.array(KeyRange),
})
export type KeptKeys = z.infer<typeof KeptKeys>

/** `snapshots/index.json`: the uppermost pages of each kind, which lead to the shards, and the recent event keys. */
export const SnapshotIndex = z.strictObject({
  schemaVersion: z.literal(SCHEMA_VERSION),
  seq: z.int().nonnegative(),
  pages: z.array(PageRecord),
  keys: KeptKeys,
})
export type SnapshotIndex = z.infer<typeof SnapshotIndex>

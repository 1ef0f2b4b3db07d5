import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { parseDocument } from '../core/manifest/issues.ts'
import { RingmasterError, unwrap } from '../core/problem.ts'
import { type Condition, openBucket, type S3Options } from '../publish/bucket.ts'
import { shardedRoster } from './sharded.ts'
import type { RosterStore } from './store.ts'

export interface S3RosterOptions extends S3Options {
  /** How long a writer waits for another one. */
  readonly waitMs?: number
}

/** Who is at work on a cohort's files; null for nobody. The object stays: the credentials need not delete. */
const Lock = z.strictObject({ holder: z.string().nullable() })

const TRY_EVERY_MS = 50
/** A write is begun within this time or not at all, and its tries then last two minutes at most. */
const HELD_AT_MOST_MS = 60_000
/** The lock is that of a dead writer then: a living one has begun its last write long ago. */
const STALE_AFTER_MS = 300_000

/**
 * Rosters in a bucket that is not public. Writers of several machines wait for each other by a lock object, and each
 * file is written only over the version that was read, so that nobody is lost even when a lock is taken over.
 */
export function s3Roster(options: S3RosterOptions): RosterStore {
  const { bucket: bucketName, prefix = '', waitMs = 30_000 } = options
  const whereIs = (path: string): string => `s3://${bucketName}/${prefix}${path}`
  const bucket = openBucket(options, trouble)
  /** Until when the writer of a folder may begin a write, by the clock that no one sets. */
  const heldUntil = new Map<string, number>()

  async function writeLock(path: string, holder: string | null, condition: Condition): Promise<boolean> {
    const bytes = Buffer.from(`${JSON.stringify({ holder })}\n`, 'utf8')
    return (await bucket.write(path, bytes, { condition })) === 'stored'
  }
  async function take(path: string, holder: string): Promise<boolean> {
    const found = await bucket.read(path)
    if (found === null) return writeLock(path, holder, { kind: 'absent' })
    const lock = unwrap(parseDocument(Lock, found.bytes, 'roster-invalid', whereIs(path)), 'outside')
    const isFree = lock.holder === null || (found.ageMs ?? 0) > STALE_AFTER_MS
    return isFree && writeLock(path, holder, { kind: 'is', version: found.version })
  }
  /** One that was taken over is left to whoever has it now. */
  async function release(path: string, holder: string): Promise<void> {
    const found = await bucket.read(path)
    const lock = found && parseDocument(Lock, found.bytes, 'roster-invalid', whereIs(path))
    if (found && lock?.ok && lock.value.holder === holder)
      await writeLock(path, null, { kind: 'is', version: found.version })
  }

  async function locked<T>(folder: string, work: () => Promise<T>): Promise<T> {
    const path = `${folder}/lock.json`
    const holder = randomUUID()
    const until = performance.now() + waitMs
    let asked = performance.now()
    while (!(await take(path, holder))) {
      if (performance.now() > until) throw busy(whereIs(path), waitMs)
      await sleep(TRY_EVERY_MS * (1 + Math.random()))
      asked = performance.now()
    }
    heldUntil.set(folder, asked + HELD_AT_MOST_MS)
    try {
      return await work()
    } finally {
      heldUntil.delete(folder)
      /** The work is done, or has its own reason; a lock that stays goes stale. */
      await release(path, holder).catch(() => undefined)
    }
  }
  /** Writers of one process stand in line here, which costs no requests. */
  const lines = new Map<string, Promise<unknown>>()
  function alone<T>(folder: string, work: () => Promise<T>): Promise<T> {
    const before = lines.get(folder) ?? Promise.resolve()
    const next = before.then(() => locked(folder, work))
    lines.set(
      folder,
      next.catch(() => undefined),
    )
    return next
  }

  return shardedRoster({
    name: whereIs(''),
    whereIs,
    read: (path) => bucket.read(path),
    async write(path, bytes, before) {
      const folder = path.slice(0, path.lastIndexOf('/'))
      if (performance.now() > (heldUntil.get(folder) ?? 0)) throw tooSlow(whereIs(path))
      const condition: Condition = before === null ? { kind: 'absent' } : { kind: 'is', version: before.version }
      if ((await bucket.write(path, bytes, { condition })) === 'conflict') throw overtaken(whereIs(path))
    },
    alone,
  })

  function trouble(what: string, found: string): RingmasterError {
    return new RingmasterError('outside', {
      code: 'roster-io',
      message: `expected to ${what} in ${whereIs('')}, found ${found}`,
      hint: 'Look at the address, the region, the clock and the permissions (get, put and list).',
    })
  }
}

const AGAIN = 'Do it again: who is enrolled already keeps the epoch.'

const busy = (lock: string, waitMs: number): RingmasterError =>
  new RingmasterError('outside', {
    code: 'roster-locked',
    message: `expected the lock ${lock} to be free within ${waitMs / 1_000} seconds, found it held`,
    hint: `Another command is at work there; try again when it has ended, or in ${STALE_AFTER_MS / 60_000} minutes if it was killed.`,
  })
const tooSlow = (file: string): RingmasterError =>
  new RingmasterError('outside', {
    code: 'roster-locked',
    message: `expected to write ${file} within ${HELD_AT_MOST_MS / 1_000} seconds of taking the lock, found them over`,
    hint: AGAIN,
  })
const overtaken = (file: string): RingmasterError =>
  new RingmasterError('outside', {
    code: 'roster-conflict',
    message: `expected ${file} as it was read, found that another writer has changed it`,
    hint: AGAIN,
  })

import { mkdir, open, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { RingmasterError } from '../core/problem.ts'

const TRY_EVERY_MS = 50
const WAIT_MS = 15_000
/** A holder that lives renews nothing: what it does takes seconds, so an old lock is that of a dead one. */
const STALE_AFTER_MS = 120_000

/** Runs some work while no other process holds the lock file. Throws when it is held for too long. */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const until = Date.now() + WAIT_MS
  while (!(await taken(path))) {
    if (Date.now() > until)
      throw new RingmasterError('outside', {
        code: 'roster-locked',
        message: `expected the lock ${path} to be free within ${WAIT_MS / 1_000} seconds, found it held`,
        hint: 'Another command is at work there; try again when it has ended.',
      })
    await sleep(TRY_EVERY_MS)
  }
  try {
    return await work()
  } finally {
    await rm(path, { force: true })
  }
}

async function taken(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx', 0o600)).close()
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const held = await stat(path).catch(() => null)
    if (held && Date.now() - held.mtimeMs > STALE_AFTER_MS) await rm(path, { force: true })
    return false
  }
}

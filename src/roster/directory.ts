import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RingmasterError } from '../core/problem.ts'
import { writeDurably } from '../publish/durable-file.ts'
import { withLock } from './lock.ts'
import { shardedRoster } from './sharded.ts'
import type { RosterStore } from './store.ts'

/** Rosters in a directory. Only its owner may read them. Writers of several processes wait for each other. */
export const directoryRoster = (directory: string): RosterStore =>
  shardedRoster({
    name: `the directory ${directory}`,
    whereIs: (path) => join(directory, path),
    async read(path) {
      const bytes = await readOrNull(join(directory, path))
      return bytes && { bytes, version: '' }
    },
    write: (path, bytes) => writeDurably(join(directory, path), bytes, 0o600),
    alone: (folder, work) => withLock(join(directory, folder, 'lock'), work),
  })

async function readOrNull(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new RingmasterError(
      'outside',
      { code: 'roster-unreadable', message: `expected to read ${path}, found ${String(error)}` },
      { cause: error },
    )
  }
}

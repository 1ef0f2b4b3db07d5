import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ulid } from 'ulid'

/**
 * Writes a file beside its place, flushes it, renames it: a reader sees the old file or the whole new one, also after
 * a power cut. Makes the directory where it is missing. Throws what the file system says.
 */
export async function writeDurably(path: string, bytes: Uint8Array, mode = 0o644): Promise<void> {
  const beside = `${path}.${ulid()}.tmp`
  await mkdir(dirname(path), { recursive: true })
  try {
    const handle = await open(beside, 'wx', mode)
    try {
      await handle.writeFile(bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(beside, path)
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
  await syncDirectory(dirname(path))
}

/** The rename itself has to reach the disk before the next file may follow. */
async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } catch (error) {
    // Some file systems cannot flush a directory; they order the rename anyway.
    if (!['EINVAL', 'ENOTSUP', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  } finally {
    await handle.close()
  }
}

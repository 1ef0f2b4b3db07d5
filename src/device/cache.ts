import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writeDurably } from '../publish/durable-file.ts'

/** A device's own files, by plain name. */
export interface Cache {
  readonly name: string
  /** Null when the file is not there. */
  read(name: string): Promise<Uint8Array | null>
  write(name: string, bytes: Uint8Array): Promise<void>
  remove(name: string): Promise<void>
  /** Names in no particular order. */
  list(): Promise<readonly string[]>
}

/** Files of one directory; names are escaped, so that none leads out of it. */
export function directoryCache(directory: string): Cache {
  const pathOf = (name: string) => join(directory, `${encodeURIComponent(name)}.json`)
  return {
    name: directory,
    async read(name) {
      return readFile(pathOf(name)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return null
        throw error
      })
    },
    write: (name, bytes) => writeDurably(pathOf(name), bytes, 0o600),
    remove: (name) => rm(pathOf(name), { force: true }),
    async list() {
      const names = await readdir(directory).catch(() => [])
      return names.flatMap((name) => (name.endsWith('.json') ? [decodeURIComponent(name.slice(0, -5))] : []))
    },
  }
}

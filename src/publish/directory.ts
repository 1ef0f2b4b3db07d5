import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PublishedFile } from '../core/manifest/publication.ts'
import { RingmasterError } from '../core/problem.ts'
import { writeDurably } from './durable-file.ts'
import { conflictsOf, type Publication } from './publication.ts'

/** A directory that a web server serves, or that is copied to one (also the air-gapped export). */
export function directoryPublication(directory: string): Publication {
  const publication: Publication = {
    name: `the directory ${directory}`,
    async get(paths) {
      const read = async (path: string) => [path, await readOrNull(join(directory, path))] as const
      return new Map(await Promise.all(paths.map(read)))
    },
    async put(files) {
      const paths = await conflictsOf(publication, files)
      if (paths.length > 0) return { kind: 'conflict', paths }
      for (const file of files) await write(directory, file)
      return { kind: 'stored' }
    },
  }
  return publication
}

async function readOrNull(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw outside(`read ${path}`, error)
  }
}

async function write(directory: string, file: PublishedFile): Promise<void> {
  const path = join(directory, file.path)
  try {
    await writeDurably(path, file.bytes)
  } catch (error) {
    throw outside(`write ${path}`, error)
  }
}

const outside = (what: string, error: unknown): RingmasterError =>
  new RingmasterError(
    'outside',
    {
      code: 'publication-io',
      message: `expected to ${what}, found ${error instanceof Error ? error.message : String(error)}`,
      hint: 'Look at the permissions and the free space of the directory; clients still see the publication before.',
    },
    { cause: error },
  )

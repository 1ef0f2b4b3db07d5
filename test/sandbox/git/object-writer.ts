import { createHash, randomBytes } from 'node:crypto'
import { access, mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { deflate } from 'node:zlib'
import type { GitObject } from '../../../src/ledger/git-objects.ts'

const compress = promisify(deflate)

/**
 * Writes a loose object as `git hash-object -w` does and returns its oid. Done here because a process for each object
 * costs ten milliseconds, and a commit needs half a dozen of them; `git fsck` in the tests watches over the format.
 */
export async function writeObject(directory: string, type: GitObject['type'], content: Uint8Array): Promise<string> {
  const bytes = Buffer.concat([Buffer.from(`${type} ${content.length}\0`), content])
  const oid = createHash('sha1').update(bytes).digest('hex')
  const folder = join(directory, 'objects', oid.slice(0, 2))
  const file = join(folder, oid.slice(2))
  if (await exists(file)) return oid
  await mkdir(folder, { recursive: true })
  const temporary = join(folder, `tmp_obj_${randomBytes(6).toString('hex')}`)
  await writeFile(temporary, await compress(bytes, { level: 1 }), { mode: 0o444 })
  await rename(temporary, file)
  return oid
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  )

/** Node loads these at their first use: a bump that reads no file by them starts sooner. */
import { promises as files } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { quoted, RingmasterError } from '../core/problem.ts'

/** Far above every roster, manifest and lock file, and below what a runner cannot hold. */
const MAX_FILE_BYTES = 512 * 1024 * 1024

/** Why no file can be had, with the words of "expected a file of the workspace, found …". */
interface NoFile {
  readonly why: 'none' | 'outside' | 'unreadable'
  readonly found: string
}

/** The file itself, which may not be there yet, or why it cannot be had. */
export type Located = { readonly file: string } | NoFile

/** A file itself with its bytes, or why it cannot be had. */
export type FileRead = { readonly file: string; readonly bytes: Buffer } | NoFile

/** A file itself with its size, or why it cannot be had. */
type FileFound = { readonly file: string; readonly size: number } | NoFile

/** The bytes of a file within a folder, named from a folder of it; nothing outside is read. Never throws. */
export async function readWithin(
  root: string,
  from: string,
  path: string,
  maxBytes: number = MAX_FILE_BYTES,
): Promise<FileRead> {
  const found = await findWithin(root, from, path)
  if ('why' in found) return found
  const { file, size } = found
  if (size > maxBytes) return { why: 'unreadable', found: `${size} bytes, more than the ${maxBytes} that are read` }
  try {
    return { file, bytes: await files.readFile(file) }
  } catch (error) {
    return noFileOf(error)
  }
}

/** A file within a folder that is there, whatever its size. Never throws. */
export async function findWithin(root: string, from: string, path: string): Promise<FileFound> {
  const located = await locateWithin(root, from, path)
  if ('why' in located) return located
  try {
    const stats = await files.stat(located.file)
    if (stats.isFile()) return { file: located.file, size: stats.size }
    return { why: 'none', found: stats.isDirectory() ? 'a folder' : 'something that is no file' }
  } catch (error) {
    return noFileOf(error)
  }
}

/**
 * Where a file within a folder is or will be, named from a folder of it, with links followed: what a link leads to outside
 * is neither read nor written. Never throws.
 */
export async function locateWithin(root: string, from: string, path: string): Promise<Located> {
  const named = insideFolder(root, resolve(root, from, path))
  if (named === null) return { why: 'outside', found: 'a path out of the workspace' }
  try {
    const workspace = await files.realpath(root)
    const isThere = await files.lstat(named).then(
      () => true,
      () => false,
    )
    const file = isThere ? await files.realpath(named) : join(await files.realpath(dirname(named)), basename(named))
    const isInside = insideFolder(workspace, relative(workspace, file)) !== null
    return isInside ? { file } : { why: 'outside', found: 'a link out of the workspace' }
  } catch (error) {
    return noFileOf(error)
  }
}

const NOT_THERE: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR'])

/** What a file system says of a file that cannot be read. */
function noFileOf(error: unknown): NoFile {
  const { code = 'trouble' } = error as NodeJS.ErrnoException
  if (NOT_THERE.has(code)) return { why: 'none', found: 'nothing' }
  return { why: code === 'ELOOP' ? 'none' : 'unreadable', found: code }
}

/**
 * A file as the rewriting takes it. One that is there and cannot be read is refused also where nobody named it: else it
 * would keep its old version, and nobody would be told.
 */
export function toRewrite(
  read: FileRead,
  path: string,
): { readonly file: string; readonly bytes: Buffer } | { readonly bytes: null; readonly found: string } {
  if ('bytes' in read) return read
  if (read.why !== 'unreadable') return { bytes: null, found: read.found }
  throw new RingmasterError('bad-input', {
    code: 'file-unreadable',
    message: `expected a version file that can be read at ${quoted(path)}, found ${read.found}`,
    hint: 'mend who may read it, or name other files',
    path,
  })
}

/** A path inside a folder as an absolute one; null when it leads out of it. Links are not followed here. */
export function insideFolder(folder: string, path: string): string | null {
  const absolute = resolve(folder, path)
  const inside = relative(resolve(folder), absolute)
  return inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside) ? null : absolute
}

import { lstat, realpath } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { insideWorkspace, workspaceOf } from './context.ts'
import type { Inputs } from './read-inputs.ts'
import type { Shell } from './shell.ts'

/** The file itself, or what was found in its place: "expected a file of the workspace, found …". */
type Located = { readonly file: string } | { readonly found: string }

/**
 * Where a file of the workspace is or will be, named from the working directory, with links followed: what lies outside
 * must neither be published nor written because a link leads there. Never throws.
 */
export async function locateFile(
  path: string,
  { workingDirectory }: Pick<Inputs, 'workingDirectory'>,
  { environment }: Pick<Shell, 'environment'>,
): Promise<Located> {
  const root = workspaceOf(environment)
  const named = insideWorkspace(root, resolve(root, workingDirectory, path))
  if (named === null) return { found: 'a path out of the workspace' }
  try {
    const workspace = await realpath(root)
    const isThere = await lstat(named).then(
      () => true,
      () => false,
    )
    const file = isThere ? await realpath(named) : join(await realpath(dirname(named)), basename(named))
    const isInside = insideWorkspace(workspace, relative(workspace, file)) !== null
    return isInside ? { file } : { found: 'a link out of the workspace' }
  } catch (error) {
    return { found: foundOf(error) }
  }
}

/** What a file system says of a file that cannot be read. */
export function foundOf(error: unknown): string {
  const { code = 'trouble' } = error as NodeJS.ErrnoException
  return code === 'ENOENT' ? 'nothing' : code
}

import { readFile, realpath, stat, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { unwrap } from '../core/problem.ts'
import { rewriteFiles, versionFilePaths } from '../core/version/rewrite-files.ts'
import { insideWorkspace, workspaceOf } from './context.ts'
import type { Inputs } from './read-inputs.ts'
import type { Shell } from './shell.ts'

/**
 * Writes a version into the product's files of the checkout: those that are named, else the usual ones that are there.
 * All of them or, where one is refused, none. Answers with the paths that changed, from the working directory.
 */
export async function writeVersionFiles(inputs: Inputs, shell: Shell, version: string): Promise<readonly string[]> {
  const { versionFiles, path } = inputs
  const found = await Promise.all(
    versionFilePaths(versionFiles, path).map(async (name) => {
      const file = await locate(name, inputs, shell)
      return { path: name, file, bytes: file === null ? null : await readFile(file) }
    }),
  )
  const rewritten = unwrap(rewriteFiles(found, version, { named: versionFiles.length > 0 }))
  for (const { path: name, text } of rewritten) {
    const file = found.find((one) => one.path === name)?.file
    if (file) await writeFile(file, text)
  }
  return rewritten.map(({ path: name }) => name)
}

/** The file itself, links followed; null where there is none, or it is not of the workspace. */
async function locate(path: string, inputs: Inputs, shell: Shell): Promise<string | null> {
  const root = workspaceOf(shell.environment)
  try {
    const workspace = await realpath(root)
    const file = await realpath(join(root, inputs.workingDirectory, path))
    const isInside = insideWorkspace(workspace, relative(workspace, file)) !== null
    return isInside && (await stat(file)).isFile() ? file : null
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')) return null
    throw error
  }
}

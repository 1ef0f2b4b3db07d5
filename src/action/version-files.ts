import { writeFile } from 'node:fs/promises'
import { unwrap } from '../core/problem.ts'
import { rewriteFiles, versionFilePaths } from '../core/version/rewrite-files.ts'
import { toRewrite } from '../git/checkout-file.ts'
import type { Inputs } from './read-inputs.ts'
import type { Shell } from './shell.ts'
import { readWorkspaceFile } from './workspace-file.ts'

/**
 * Writes a version into the product's files of the checkout: those that are named, else the usual ones that are there.
 * All of them or, where one is refused, none. Answers with the paths that changed, from the working directory.
 */
export async function writeVersionFiles(inputs: Inputs, shell: Shell, version: string): Promise<readonly string[]> {
  const { versionFiles, path } = inputs
  const found = await Promise.all(
    versionFilePaths(versionFiles, path).map(async (name) => ({
      path: name,
      ...toRewrite(await readWorkspaceFile(name, inputs, shell), name),
    })),
  )
  const rewritten = unwrap(rewriteFiles(found, version, { named: versionFiles.length > 0 }))
  for (const { path: name, text } of rewritten) {
    const place = found.find((one) => one.path === name)
    if (place !== undefined && 'file' in place) await writeFile(place.file, text)
  }
  return rewritten.map(({ path: name }) => name)
}

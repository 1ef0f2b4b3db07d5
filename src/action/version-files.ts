import { readFile, realpath, stat, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { type Problem, quoted, RingmasterError } from '../core/problem.ts'
import { usualVersionFiles, writeVersion } from '../core/version/files.ts'
import { insideWorkspace, workspaceOf } from './context.ts'
import type { Inputs } from './read-inputs.ts'
import type { Shell } from './shell.ts'

interface Edit {
  readonly path: string
  readonly file: string
  readonly before: string
  readonly after: string
}

/**
 * Writes a version into the product's files of the checkout: those that are named, else the usual ones that are there.
 * All of them or, where one is refused, none. Answers with the paths that changed, from the working directory.
 */
export async function writeVersionFiles(inputs: Inputs, shell: Shell, version: string): Promise<readonly string[]> {
  const edits: Edit[] = []
  const problems: Problem[] = []
  for (const path of await pathsOf(inputs, shell)) {
    const found = await editOf(path, inputs, shell, version)
    if (found.kind === 'edit') edits.push(found.edit)
    else if (!isOfAnother(inputs, found.problems)) problems.push(...found.problems)
  }
  if (problems.length > 0) throw new RingmasterError('bad-input', problems)
  const changed = edits.filter(({ before, after }) => before !== after)
  for (const { file, after } of changed) await writeFile(file, after)
  return changed.map(({ path }) => path)
}

const ELSEWHERE: ReadonlySet<string> = new Set(['version-file-none', 'version-file-elsewhere'])

/** A usual file that nobody named may be there for other things, such as a private package.json without a version. */
const isOfAnother = ({ versionFiles }: Inputs, problems: readonly Problem[]): boolean =>
  versionFiles.length === 0 && problems.every(({ code }) => ELSEWHERE.has(code))

async function pathsOf(inputs: Inputs, shell: Shell): Promise<readonly string[]> {
  if (inputs.versionFiles.length > 0) return inputs.versionFiles
  const usual = usualVersionFiles.map((name) => join(inputs.path ?? '.', name))
  const there = await Promise.all(usual.map((path) => locate(path, inputs, shell)))
  return usual.filter((_, at) => there[at] !== null)
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

type Found =
  | { readonly kind: 'edit'; readonly edit: Edit }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] }

async function editOf(path: string, inputs: Inputs, shell: Shell, version: string): Promise<Found> {
  const file = await locate(path, inputs, shell)
  if (file === null) {
    const message = `expected a file of the workspace as one of version-files, found ${quoted(path)}`
    return { kind: 'refused', problems: [{ code: 'version-file-missing', message, path }] }
  }
  const bytes = await readFile(file)
  const before = bytes.toString('utf8')
  if (!Buffer.from(before).equals(bytes)) {
    const message = `expected UTF-8 in ${quoted(path)}, found other bytes`
    return { kind: 'refused', problems: [{ code: 'version-file-unread', message, path }] }
  }
  const written = writeVersion(path, before, version)
  if (!written.ok) return { kind: 'refused', problems: written.problems }
  return { kind: 'edit', edit: { path, file, before, after: written.value.text } }
}

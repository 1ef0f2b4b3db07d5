import { type FileRead, type Located, locateWithin, readWithin } from '../git/checkout-file.ts'
import { workspaceOf } from './context.ts'
import type { Inputs } from './read-inputs.ts'
import type { Shell } from './shell.ts'

/**
 * Where a file of the workspace is or will be, named from the working directory, with links followed: what lies outside
 * must neither be published nor written because a link leads there. Never throws.
 */
export const locateFile = (
  path: string,
  { workingDirectory }: Pick<Inputs, 'workingDirectory'>,
  { environment }: Pick<Shell, 'environment'>,
): Promise<Located> => locateWithin(workspaceOf(environment), workingDirectory, path)

/** The bytes of a file of the workspace, named from the working directory; nothing outside it is read. Never throws. */
export const readWorkspaceFile = (
  path: string,
  { workingDirectory }: Pick<Inputs, 'workingDirectory'>,
  { environment }: Pick<Shell, 'environment'>,
): Promise<FileRead> => readWithin(workspaceOf(environment), workingDirectory, path)

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The repository's root: the nearest folder above this file, compiled or not, that holds package.json. */
function repositoryRoot(from: string): string {
  const above = dirname(from)
  if (existsSync(join(from, 'package.json')) || above === from) return from
  return repositoryRoot(above)
}

/** Where the worked cases lie by default: beside the checkout, never inside it. */
export const caseFile = (name: string): string =>
  join(repositoryRoot(import.meta.dirname), '..', 'shared', 'cases', name)

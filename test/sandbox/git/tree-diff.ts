import type { GitRepository, TreeEntry } from './repository.ts'

export interface ChangedNames {
  readonly added: string[]
  readonly removed: string[]
  readonly modified: string[]
}

/** Paths that differ between two trees (undefined = empty); only directories that differ are read. */
export async function changedNames(
  git: GitRepository,
  from: string | undefined,
  to: string | undefined,
): Promise<ChangedNames> {
  const names: ChangedNames = { added: [], removed: [], modified: [] }
  await compare(git, from, to, '', names)
  return names
}

const entriesOf = async (git: GitRepository, oid: string | undefined): Promise<Map<string, TreeEntry>> =>
  new Map(((oid === undefined ? undefined : await git.readTree(oid)) ?? []).map((entry) => [entry.name, entry]))

async function compare(
  git: GitRepository,
  from: string | undefined,
  to: string | undefined,
  prefix: string,
  names: ChangedNames,
): Promise<void> {
  const [old, now] = await Promise.all([entriesOf(git, from), entriesOf(git, to)])
  for (const name of new Set([...old.keys(), ...now.keys()])) {
    const [was, is] = [old.get(name), now.get(name)]
    if (was?.oid === is?.oid && was?.mode === is?.mode) continue
    const path = `${prefix}${name}`
    const [wasTree, isTree] = [was?.mode === '040000', is?.mode === '040000']
    if (wasTree || isTree) {
      await compare(git, wasTree ? was?.oid : undefined, isTree ? is?.oid : undefined, `${path}/`, names)
    }
    const [wasFile, isFile] = [was !== undefined && !wasTree, is !== undefined && !isTree]
    if (wasFile && isFile) names.modified.push(path)
    else if (isFile) names.added.push(path)
    else if (wasFile) names.removed.push(path)
  }
}

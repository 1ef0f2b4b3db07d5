import type { TreeChange, TreeEntry, TreeMode } from './repository.ts'

export interface TreeStore {
  readTree(oid: string): Promise<TreeEntry[] | undefined>
  writeTree(entries: readonly TreeEntry[]): Promise<string>
}

/** What changes below one directory: its own entries, and the changes within each of its directories. */
interface Edit {
  readonly entries: Map<string, { readonly mode: string; readonly oid: string | null }>
  readonly directories: Map<string, Edit>
}

const newEdit = (): Edit => ({ entries: new Map(), directories: new Map() })

function gather(changes: readonly TreeChange[]): Edit {
  const root = newEdit()
  for (const { path, mode, oid } of changes) {
    const parts = path.split('/')
    const name = parts.pop() ?? ''
    let edit = root
    for (const part of parts) {
      const below = edit.directories.get(part) ?? newEdit()
      edit.directories.set(part, below)
      edit = below
    }
    edit.entries.set(name, { mode, oid })
  }
  return root
}

/**
 * The tree `base` (empty when undefined) with the changes; only the directories on their paths are read and written. A
 * file gives way to a directory of its name and the other way round; an emptied directory goes.
 */
export async function editTree(
  store: TreeStore,
  base: string | undefined,
  changes: readonly TreeChange[],
): Promise<string> {
  return store.writeTree(await apply(store, base, gather(changes)))
}

async function apply(store: TreeStore, base: string | undefined, edit: Edit): Promise<TreeEntry[]> {
  const known = base === undefined ? [] : ((await store.readTree(base)) ?? [])
  const entries = new Map(known.map((entry) => [entry.name, entry]))
  for (const [name, { mode, oid }] of edit.entries) {
    if (oid === null) entries.delete(name)
    else entries.set(name, { name, mode: mode as TreeMode, oid })
  }
  for (const [name, below] of edit.directories) {
    const current = entries.get(name)
    const written = await apply(store, current?.mode === '040000' ? current.oid : undefined, below)
    const isOnlyDeleting = written.length === 0
    if (!isOnlyDeleting) entries.set(name, { name, mode: '040000', oid: await store.writeTree(written) })
    else if (current?.mode === '040000') entries.delete(name)
  }
  return [...entries.values()]
}

/** git's order of entries: by bytes, directories as if their name ended in a slash. */
const sortKey = ({ name, mode }: TreeEntry): Buffer => Buffer.from(mode === '040000' ? `${name}/` : name)

export function encodeTree(entries: readonly TreeEntry[]): Buffer {
  const sorted = entries.map((entry) => ({ entry, key: sortKey(entry) })).sort((a, b) => Buffer.compare(a.key, b.key))
  return Buffer.concat(
    sorted.flatMap(({ entry: { mode, name, oid } }) => [
      Buffer.from(`${mode.replace(/^0/, '')} ${name}\0`),
      Buffer.from(oid, 'hex'),
    ]),
  )
}

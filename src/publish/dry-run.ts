import { conflictsOf, type Publication } from './publication.ts'

/**
 * A publication that shows what would be stored as if it were, and stores nothing: what is read back after a publication
 * is found, for as long as the value lives. Conflicts are those of the place behind it.
 */
export function dryPublication(behind: Publication): Publication {
  const kept = new Map<string, Uint8Array>()
  const publication: Publication = {
    name: behind.name,
    async get(paths) {
      const stored = await behind.get(paths.filter((path) => !kept.has(path)))
      return new Map(paths.map((path) => [path, kept.get(path) ?? stored.get(path) ?? null]))
    },
    async put(files) {
      const paths = await conflictsOf(publication, files)
      if (paths.length > 0) return { kind: 'conflict', paths }
      for (const { path, bytes } of files) kept.set(path, bytes)
      return { kind: 'stored' }
    },
  }
  return publication
}

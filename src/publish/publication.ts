import type { PublishedFile } from '../core/manifest/publication.ts'

/** What became of a publication: stored whole, or nothing that clients can see was changed. */
export type PutOutcome =
  | { readonly kind: 'stored' }
  /** An immutable path holds other bytes: a publication died half-way before, or two of them raced. */
  | { readonly kind: 'conflict'; readonly paths: readonly string[] }

/**
 * The place that clients fetch from. Paths are relative, with `/`, and safe: they come from `core/manifest/names.ts`.
 * What the outside refuses or cannot answer is thrown.
 */
export interface Publication {
  /** For messages, such as `the directory site/`. */
  readonly name: string
  /** The bytes now stored; null for each path that is not there. */
  get(paths: readonly string[]): Promise<ReadonlyMap<string, Uint8Array | null>>
  /**
   * Stores the files in the order given; a later one is visible only when all before it are durable. Writing an
   * immutable file again with the same bytes does nothing.
   */
  put(files: readonly PublishedFile[]): Promise<PutOutcome>
}

/** One path of a publication, or null. */
export async function getOne(publication: Publication, path: string): Promise<Uint8Array | null> {
  return (await publication.get([path])).get(path) ?? null
}

/** The immutable paths that already hold other bytes. */
export async function conflictsOf(
  publication: Publication,
  files: readonly PublishedFile[],
): Promise<readonly string[]> {
  const immutable = files.filter((file) => file.immutable)
  const stored = await publication.get(immutable.map((file) => file.path))
  return immutable.flatMap(({ path, bytes }) => {
    const before = stored.get(path)
    return before && Buffer.compare(before, bytes) !== 0 ? [path] : []
  })
}

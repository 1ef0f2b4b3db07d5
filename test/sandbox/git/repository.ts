/** A bare repository, read and written by git's plumbing. Oids are full 40-digit hexadecimal; absent = undefined. */
export interface GitRepository {
  readonly directory: string
  /** The oid a full ref name points to (the tag object for an annotated tag). */
  readRef(name: string): Promise<string | undefined>
  /** Any revision (branch, tag, oid, short oid, `a/b`) to a commit oid. */
  resolveCommit(revision: string): Promise<string | undefined>
  readCommit(oid: string): Promise<Commit | undefined>
  readFile(commitOid: string, path: string): Promise<Uint8Array | undefined>
  isAncestor(ancestor: string, descendant: string): Promise<boolean>
}

export interface Signature {
  readonly name: string
  readonly email: string
  /** ISO 8601 UTC */
  readonly date: string
}

export interface Commit {
  readonly oid: string
  readonly tree: string
  readonly parents: readonly string[]
  readonly author: Signature
  readonly committer: Signature
  readonly message: string
}

/** Who made a commit, as the store tells it. */
export interface Author {
  readonly name: string
  readonly email: string
}

export interface CommitInfo {
  readonly commit: string
  /** First parent first; empty for the first commit. */
  readonly parents: readonly string[]
  readonly author: Author
  /** Whether the platform itself vouches for the author (GitHub's own signature); `unknown` where nobody signs. */
  readonly signed: 'by-platform' | 'no' | 'unknown'
  readonly message: string
}

/** The newest commit of the branch with some of its files, read in one go so that they belong together. */
export interface Newest {
  readonly info: CommitInfo
  readonly files: Files
}

/** File bytes by path; null where the path is not in that commit. */
export type Files = Map<string, Uint8Array | null>

export interface Addition {
  readonly path: string
  readonly bytes: Uint8Array
}

/** A directory that is taken as it is from another commit of the same repository, whatever branch holds that. */
export interface TakenDirectory {
  readonly path: string
  readonly from: { readonly commit: string; readonly path: string }
}

export interface CommitRequest {
  /** The commit that must be the newest one now; null when the branch must not exist yet. */
  readonly expectedHead: string | null
  /** Unique; stands in `message` as the trailer `Operation: <id>`, so that a lost answer can be looked up. */
  readonly operation: string
  readonly message: string
  /** New or replaced files; paths are relative, unique, and safe (`isSafePath`). */
  readonly additions: readonly Addition[]
  /** Paths that exist at `expectedHead`. */
  readonly deletions: readonly string[]
  /** Directories that hold the additions below them afterwards, at least one, and nothing of what lay there before. */
  readonly replaces?: readonly string[]
  /** For the first commit of a branch alone; one that is not there is left out. */
  readonly directories?: readonly TakenDirectory[]
}

export type CommitOutcome = { readonly kind: 'committed'; readonly commit: string } | { readonly kind: 'stale' }

export interface TreeEntry {
  readonly name: string
  readonly kind: 'file' | 'directory'
}

/**
 * One branch that only Ringmaster writes. Reads go by commit, so that they are repeatable; writes compare and swap.
 * What the outside refuses or cannot answer is thrown; a lost race is a value.
 */
export interface LedgerStore {
  /** For messages, such as `acme/releases@ringmaster-data`. */
  readonly name: string
  /** How long a read of the newest commit may show an older one, in milliseconds. */
  readonly readLagMs: number
  /** The newest commit with the files asked for; null when the branch does not exist. */
  newest(paths: readonly string[]): Promise<Newest | null>
  /** Files of one commit; null for each path that is not there. */
  read(commit: string, paths: readonly string[]): Promise<Files>
  /**
   * Makes one commit on `expectedHead`, or says `stale` when that is not the newest one any more. When it throws, the
   * outcome is unknown: look for the operation before asking again.
   */
  commit(request: CommitRequest): Promise<CommitOutcome>
  /** The entries of a directory of one commit by name; empty when it is not there. `''` is the root. */
  list(commit: string, directory: string): Promise<readonly TreeEntry[]>
  /** Commits from `commit` backwards, newest first, up to but without `until`, at most `limit`. */
  history(
    commit: string,
    options: { readonly until?: string | null; readonly limit: number },
  ): Promise<readonly CommitInfo[]>
}

/** The message of a ledger commit: the trailers come last, after two empty lines, where GitHub reads `skip-checks`. */
export const commitMessage = (headline: string, operation: string): string =>
  `${headline}\n\n\nOperation: ${operation}\nskip-checks: true\n`

/** Whether a commit message carries this operation as a trailer line of its own. */
export const carriesOperation = (message: string, operation: string): boolean =>
  message.split('\n').some((line) => line.trimEnd() === `Operation: ${operation}`)

const SAFE_SEGMENT = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$/

/** Whether a path can be written as it is to every store: plain relative segments, nothing to quote or to climb. */
export const isSafePath = (path: string): boolean =>
  path.length <= 400 && path.split('/').every((segment) => SAFE_SEGMENT.test(segment))

import { impossible } from '../core/problem.ts'
import { decodeName, decodeText, NulSeparatedTexts, splitAtNul } from './decode.ts'
import { git, gitInPieces } from './git.ts'

/** One commit as git has it. */
export interface GitCommit {
  readonly sha: string
  /** First parent first; empty for a root commit. */
  readonly parents: readonly string[]
  /** The whole message. Bytes that are not UTF-8 survive as Latin-1. */
  readonly message: string
  /**
   * Paths from the repository's root that the commit changed (both names of a rename; for a merge, what it brought to
   * its first parent). Undefined when they were not asked for.
   */
  readonly files?: readonly string[]
}

export interface CommitRange {
  /** Commits reachable from here are left out; null takes everything from the first commit on. */
  readonly from: string | null
  /** A commit's SHA. */
  readonly to: string
  /** Costs a tree comparison per commit, so only asked for when paths matter. */
  readonly withFiles: boolean
  /** Follow first parents only: then what a merge brought counts by the merge's own message and by nothing else. */
  readonly firstParent: boolean
}

const WITHOUT_FILES = ['--format=tformat:%H%x00%P%x00%B']

/** The leading NUL makes an empty piece, which no path can be, so it ends the list of paths of the commit before. */
const WITH_FILES = [
  '--format=tformat:%x00%H%x00%P%x00%B%x00',
  '--name-only',
  '--diff-merges=first-parent',
  '--no-renames',
  '--no-ext-diff',
  '--ignore-submodules=none',
]

/**
 * The commits of a range, newest first by commit date, yet a child always before its parents.
 * Throws `RingmasterError` when git fails. Messages in other encodings that a commit declares are re-coded by git.
 * `onCommit` gets each of them while git still works, to prepare what is done with them; not in ranges with files.
 */
export async function readCommits(
  directory: string,
  range: CommitRange,
  onCommit: (commit: GitCommit) => void = () => undefined,
): Promise<GitCommit[]> {
  return readLog(directory, range.withFiles, revisionsOf(range), onCommit)
}

/** A boundary is a commit left out whose child is in the range. */
const WITH_MARKS = ['--boundary', '--format=tformat:%m%H%x00%P%x00%B']

/**
 * As `readCommits`, and what bounds the range: a commit that leads to its end is always among them, unless it is its end. Of
 * a git that fails it says no more than that.
 */
export async function readBoundedCommits(
  directory: string,
  range: CommitRange & { readonly from: string },
  onCommit: (commit: GitCommit) => void = () => undefined,
): Promise<{ readonly commits: readonly GitCommit[]; readonly boundary: ReadonlySet<string> }> {
  const commits: GitCommit[] = []
  const boundary = new Set<string>()
  const take = (marked: GitCommit): void => {
    const commit = { ...marked, sha: marked.sha.slice(1) }
    if (marked.sha.startsWith('-')) boundary.add(commit.sha)
    else {
      commits.push(commit)
      onCommit(commit)
    }
  }
  await readFields(directory, [...WITH_MARKS, ...revisionsOf(range)], take, { isUnexplained: true })
  return { commits, boundary }
}

const revisionsOf = ({ from, to, firstParent }: CommitRange): string[] => [
  ...(firstParent ? ['--first-parent'] : []),
  '--end-of-options',
  to,
  ...(from === null ? [] : [`^${from}`]),
]

/** All that leads to a tag or to what is checked out, in the same order; bare repositories will do. */
export const readWholeHistory = (directory: string, withFiles: boolean): Promise<GitCommit[]> =>
  readLog(directory, withFiles, ['--tags', 'HEAD'])

async function readLog(
  directory: string,
  withFiles: boolean,
  revisions: readonly string[],
  onCommit: (commit: GitCommit) => void = () => undefined,
): Promise<GitCommit[]> {
  if (withFiles) return parseWithFiles(splitAtNul(await git(directory, logOf([...WITH_FILES, ...revisions]))))
  const commits: GitCommit[] = []
  await readFields(directory, [...WITHOUT_FILES, ...revisions], (commit) => {
    commits.push(commit)
    onCommit(commit)
  })
  return commits
}

const logOf = (args: readonly string[]): string[] => [
  ...['log', '-z', '--date-order', '--encoding=UTF-8', '--no-color'],
  ...args,
  '--',
]

async function readFields(
  directory: string,
  args: readonly string[],
  onCommit: (commit: GitCommit) => void,
  options: Parameters<typeof gitInPieces>[3] = {},
): Promise<void> {
  const fields = new FieldsOfCommits(onCommit)
  const texts = new NulSeparatedTexts((all) => fields.add(all))
  await gitInPieces(directory, logOf(args), (piece) => texts.add(piece), options)
}

const parentsOf = (text: string): string[] => (text === '' ? [] : text.split(' '))

/** Puts three texts together to a commit, however they arrive. */
class FieldsOfCommits {
  private pending: string[] = []
  private readonly onCommit: (commit: GitCommit) => void

  constructor(onCommit: (commit: GitCommit) => void) {
    this.onCommit = onCommit
  }

  add(texts: readonly string[]): void {
    const fields = this.pending.length === 0 ? texts : [...this.pending, ...texts]
    let at = 0
    for (; at + 2 < fields.length; at += 3) {
      this.onCommit({ sha: fields[at] ?? '', parents: parentsOf(fields[at + 1] ?? ''), message: fields[at + 2] ?? '' })
    }
    this.pending = fields.slice(at)
  }
}

function parseWithFiles(pieces: readonly Buffer[]): GitCommit[] {
  const commits: GitCommit[] = []
  let at = 0
  while (at < pieces.length) {
    const [start, sha, parents, message, end] = pieces.slice(at, at + 5)
    if (start?.length !== 0 || !sha || !parents || !message || (end && end.length > 0)) {
      return impossible(`git log answered in another form than asked for, near piece ${at}`)
    }
    at += 5
    const files: string[] = []
    for (let piece = pieces[at]; piece && piece.length > 0; piece = pieces[++at]) {
      // Git puts a line feed between the message and the first path, also with -z.
      files.push(decodeName(files.length === 0 ? piece.subarray(1) : piece))
    }
    commits.push({ sha: sha.toString(), parents: parentsOf(parents.toString()), message: decodeText(message), files })
  }
  return commits
}

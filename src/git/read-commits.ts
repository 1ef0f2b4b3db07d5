import { isUtf8 } from 'node:buffer'
import { impossible } from '../core/problem.ts'
import { decodeName, decodeText, splitAtNul } from './decode.ts'
import { git } from './git.ts'

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
 */
export async function readCommits(directory: string, range: CommitRange): Promise<GitCommit[]> {
  const output = await git(directory, [
    'log',
    '-z',
    '--date-order',
    '--encoding=UTF-8',
    '--no-color',
    ...(range.withFiles ? WITH_FILES : WITHOUT_FILES),
    ...(range.firstParent ? ['--first-parent'] : []),
    '--end-of-options',
    range.to,
    ...(range.from === null ? [] : [`^${range.from}`]),
    '--',
  ])
  return range.withFiles ? parseWithFiles(splitAtNul(output)) : parseWithoutFiles(output)
}

const parentsOf = (text: string): string[] => (text === '' ? [] : text.split(' '))

function parseWithoutFiles(output: Buffer): GitCommit[] {
  // One decoding of the whole is several times faster than one per field; only odd bytes need the slow way.
  const fields = isUtf8(output) ? output.toString('utf8').split('\0') : splitAtNul(output).map(decodeText)
  const commits: GitCommit[] = []
  for (let at = 0; at + 2 < fields.length; at += 3) {
    commits.push({ sha: fields[at] ?? '', parents: parentsOf(fields[at + 1] ?? ''), message: fields[at + 2] ?? '' })
  }
  return commits
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

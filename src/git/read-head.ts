import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { git, gitAtOnce } from './git.ts'

/** What is checked out. */
export interface GitHead {
  readonly sha: string
  /** True when the history was cut off, as `actions/checkout` does unless told otherwise. */
  readonly shallow: boolean
}

/**
 * The checked-out commit, on a branch or detached, or the one `at` a full hash. Throws `RingmasterError` (`no-commits`,
 * `not-a-repository` …).
 */
export async function readHead(directory: string, at = 'HEAD'): Promise<GitHead> {
  const plain = at === 'HEAD' ? readPlainHead(join(directory, '.git')) : null
  if (plain !== null) return plain
  const output = gitAtOnce(directory, ['rev-parse', '--is-shallow-repository', `${at}^{commit}`])
  const [shallow, sha = ''] = output.toString('utf8').trim().split('\n')
  return { sha, shallow: shallow === 'true' }
}

const WHOLE_SHA = /^(?:[0-9a-f]{40}|[0-9a-f]{64})\n?$/
const BRANCH = /^ref: (refs\/heads\/(?!.*\.\.)[\w./-]+)\n?$/

/**
 * What an ordinary checkout says in its own files, which spares the start of one git; null wherever they say anything
 * else (a linked work tree, packed refs, another ref storage), and git is asked.
 */
function readPlainHead(folder: string): GitHead | null {
  try {
    const head = readFileSync(join(folder, 'HEAD'), 'latin1')
    const branch = BRANCH.exec(head)?.[1]
    const sha = branch === undefined ? head : readFileSync(join(folder, branch), 'latin1')
    return WHOLE_SHA.test(sha) ? { sha: sha.trimEnd(), shallow: existsSync(join(folder, 'shallow')) } : null
  } catch {
    return null
  }
}

/** Whether a commit has a folder or a file at a path from the root of the repository, without `./` before it. */
export function hasPath(directory: string, sha: string, path: string): boolean {
  return gitAtOnce(directory, ['ls-tree', '--full-tree', '--name-only', '-z', sha, '--', path]).length > 0
}

/** The remote that history may be fetched from: `origin`, else the only one there is, else null. */
export async function readRemote(directory: string): Promise<string | null> {
  const names = (await git(directory, ['remote'])).toString('utf8').split('\n').filter(Boolean)
  if (names.includes('origin')) return 'origin'
  return names.length === 1 ? (names[0] ?? null) : null
}

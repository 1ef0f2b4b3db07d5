import { git } from './git.ts'

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
  const output = await git(directory, ['rev-parse', '--is-shallow-repository', `${at}^{commit}`])
  const [shallow, sha = ''] = output.toString('utf8').trim().split('\n')
  return { sha, shallow: shallow === 'true' }
}

/** The remote that history may be fetched from: `origin`, else the only one there is, else null. */
export async function readRemote(directory: string): Promise<string | null> {
  const names = (await git(directory, ['remote'])).toString('utf8').split('\n').filter(Boolean)
  if (names.includes('origin')) return 'origin'
  return names.length === 1 ? (names[0] ?? null) : null
}

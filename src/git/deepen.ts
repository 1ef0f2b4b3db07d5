import { promises as files } from 'node:fs'
import { resolve } from 'node:path'
import { type Problem, RingmasterError } from '../core/problem.ts'
import { git } from './git.ts'
import { readRemote } from './read-head.ts'

export type HistoryProblemCode = 'history-incomplete'

const FETCH_TIMEOUT_MS = 10 * 60_000

/** How many commits more to ask for, one after the other; then everything. Most releases are within the first two. */
export const DEEPENING_STEPS: readonly (number | 'everything')[] = [64, 512, 4096, 'everything']

/** The refusal of a shallow checkout, with the remedy. */
export const incompleteHistory = (found: string, cause?: unknown): RingmasterError => {
  const problem: Problem<HistoryProblemCode> = {
    code: 'history-incomplete',
    message: `expected the history back to the last release, found a shallow checkout ${found}`,
    hint: 'set `fetch-depth: 0` on the step `uses: actions/checkout`',
  }
  return new RingmasterError('refused', problem, { cause })
}

/** The remote to deepen from. Throws `history-incomplete` with the remedy where there is none. */
export async function remoteToDeepenFrom(directory: string): Promise<string> {
  const remote = await readRemote(directory)
  if (remote === null) throw incompleteHistory('without a remote to fetch the rest from')
  return remote
}

/**
 * Fetches more history of one commit, and of nothing else: no tags, no branches, no ref is written.
 * `ownRef` (such as `refs/heads/main`) is the second try where a server hands out no bare commits.
 * Throws `history-incomplete` when the remote gives none.
 */
export async function deepen(
  directory: string,
  source: { readonly remote: string; readonly sha: string; readonly ownRef: string | null },
  step: number | 'everything',
): Promise<void> {
  const depth = step === 'everything' ? '--unshallow' : `--deepen=${step}`
  const fetch = (what: string): Promise<Buffer> =>
    git(
      directory,
      [
        'fetch',
        '--quiet',
        '--no-tags',
        '--no-write-fetch-head',
        '--no-recurse-submodules',
        depth,
        '--end-of-options',
        source.remote,
        what,
      ],
      { timeoutMs: FETCH_TIMEOUT_MS },
    )
  try {
    await fetch(source.sha)
  } catch (first) {
    if (source.ownRef === null) throw incompleteHistory(`whose remote refuses the rest (${textOf(first)})`, first)
    await fetch(source.ownRef).catch((second: unknown) => {
      throw incompleteHistory(`whose remote refuses the rest (${textOf(second)})`, second)
    })
  }
}

/** What an error says, for a sentence about it. */
export const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Every commit that can be reached from `head` as far as the checkout knows. */
export async function readAncestry(
  directory: string,
  head: string,
  without: string | null = null,
): Promise<Set<string>> {
  const output = await git(directory, ['rev-list', '--end-of-options', head, ...(without ? [`^${without}`] : [])])
  return new Set(output.toString('utf8').split('\n').filter(Boolean))
}

/** The commits at which the history was cut off; empty for a complete checkout. */
export async function readBoundary(directory: string): Promise<string[]> {
  const path = (await git(directory, ['rev-parse', '--git-path', 'shallow'])).toString('utf8').replace(/\n$/, '')
  try {
    return (await files.readFile(resolve(directory, path), 'utf8')).split('\n').filter(Boolean)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

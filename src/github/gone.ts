import type { Octokit } from '@octokit/rest'
import { RingmasterError } from '../core/problem.ts'
import { outsideOrNull, statusOf } from './trouble.ts'

/**
 * Whether what GitHub answered 404 for is gone: where its repository is shown, the installation sees what stands there.
 * What belongs to a repository that is not shown either may be seen again.
 */
export async function isGone(
  octokit: Octokit,
  { owner, repo }: { readonly owner: string; readonly repo: string },
  error: unknown,
): Promise<boolean> {
  if (statusOf(error instanceof RingmasterError ? error.cause : error) !== 404) return false
  const repository = await outsideOrNull(`read ${owner}/${repo}`, () =>
    octokit.request('GET /repos/{owner}/{repo}', { owner, repo }),
  )
  return repository !== null
}

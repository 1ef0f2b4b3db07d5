import { RingmasterError } from '../core/problem.ts'
import { type GitHubCode, statusOf } from './trouble.ts'

/** GitHub's words for it: of refs and pull requests in its message, of releases as the code of a field. */
const THERE = /\balready[ _]exists\b/i

/** Reads may be half a minute behind what was made, and the answer to making it may have been lost: it is no refusal. */
const unseen = (what: string, cause: unknown): RingmasterError =>
  new RingmasterError(
    'outside',
    {
      code: 'github-failed' satisfies GitHubCode,
      message: `could not ${what}: GitHub says that it is there already, and shows none yet`,
      hint: 'It is looked for again.',
    },
    { cause },
  )

/**
 * Makes something at GitHub, unless it refuses that with 422: then what is there already, which somebody else made
 * meanwhile, or we did and never heard of it. Throws what is no refusal (`github-failed`) where GitHub does not show it yet.
 */
export async function madeUnlessThere<T>(
  what: string,
  make: () => Promise<T>,
  find: () => Promise<T | null>,
): Promise<T> {
  try {
    return await make()
  } catch (error) {
    if (statusOf(error) !== 422) throw error
    const there = await find()
    if (there !== null) return there
    throw THERE.test((error as Error).message) ? unseen(what, error) : error
  }
}

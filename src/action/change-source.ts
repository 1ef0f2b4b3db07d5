import { unwrap } from '../core/problem.ts'
import { parseLabelRule, type Reread, rereadBy } from '../core/version/pull-requests.ts'
import type { GitCommit } from '../git/read-commits.ts'
import { readContext } from './context.ts'
import type { Inputs } from './read-inputs.ts'
import { pullRequestsOf } from './read-pull-requests.ts'
import { connectWith, type Shell } from './shell.ts'

/** Reads the pull requests of commits and judges them in the commits' place: by their titles, or by their labels. */
export async function rereadByPullRequests(
  inputs: Inputs,
  shell: Shell,
  commits: readonly GitCommit[],
): Promise<Reread> {
  const rule = unwrap(parseLabelRule(inputs.labelLevels))
  const context = unwrap(readContext(shell.environment))
  const client = await connectWith(inputs, context, shell.clock)
  const found = await pullRequestsOf(
    client,
    context,
    commits.map(({ sha }) => sha),
  )
  return rereadBy(inputs.source === 'labels' ? rule : null, commits, found)
}

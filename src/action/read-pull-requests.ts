import { z } from 'zod'
import { quoted, RingmasterError } from '../core/problem.ts'
import type { PullRequest } from '../core/version/pull-requests.ts'
import { type AskPullRequests, PullRequestAnswer, readPullRequests } from '../github/pull-requests.ts'
import type { RunContext } from './context.ts'
import type { GitHubClient } from './github-client.ts'

const PURPOSE = { what: 'name the pull requests of commits', permission: 'pull-requests: read' }

/** The merged pull request that each commit came by, asked with the token of the job. */
export const pullRequestsOf = (
  client: GitHubClient,
  { owner, repository }: RunContext,
  shas: readonly string[],
): Promise<ReadonlyMap<string, PullRequest>> => readPullRequests(askWith(client), { owner, name: repository }, shas)

const askWith =
  (client: GitHubClient): AskPullRequests =>
  async (query, variables) => {
    const answer = await client.retrying(PURPOSE, () =>
      client.octokit.graphql(query, { ...variables }).catch(translated),
    )
    const read = PullRequestAnswer.safeParse(answer)
    if (read.success) return read.data
    throw refused(z.prettifyError(read.error), read.error)
  }

/** GraphQL tells its own refusals in an answer that succeeded; the others have a status and pass on. */
function translated(error: unknown): never {
  if (error instanceof Error && 'errors' in error) throw refused(error.message, error)
  throw error
}

const refused = (found: string, cause: unknown): RingmasterError =>
  new RingmasterError(
    'outside',
    {
      code: 'github-refused',
      message: `expected GitHub to ${PURPOSE.what}, found ${quoted(found)}`,
      hint: `give the job \`permissions: ${PURPOSE.permission}\``,
    },
    { cause },
  )

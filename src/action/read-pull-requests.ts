import { z } from 'zod'
import { quoted, RingmasterError } from '../core/problem.ts'
import type { PullRequest } from '../core/version/pull-requests.ts'
import type { RunContext } from './context.ts'
import type { GitHubClient } from './github-client.ts'

const PURPOSE = { what: 'name the pull requests of commits', permission: 'pull-requests: read' }

/** As many as stay far below GitHub's limit of nodes in one question. */
const COMMITS_AT_ONCE = 50

const PULL_REQUESTS = `... on Commit {
  associatedPullRequests(first: 5) {
    nodes { number title merged mergeCommit { oid } labels(first: 100) { nodes { name } } }
  }
}`

const Node = z.object({
  number: z.int(),
  title: z.string(),
  merged: z.boolean(),
  mergeCommit: z.object({ oid: z.string() }).nullable(),
  labels: z.object({ nodes: z.array(z.object({ name: z.string() })) }).nullable(),
})
type Node = z.infer<typeof Node>

/** Null for a commit that GitHub does not have; other objects have no such member. */
const Answer = z.object({
  repository: z.record(
    z.string(),
    z.object({ associatedPullRequests: z.object({ nodes: z.array(Node) }).nullish() }).nullable(),
  ),
})

/**
 * The merged pull request that each commit came by, in one question for fifty commits. Of several, the one whose merge
 * the commit is, else the first; commits without one are left out.
 */
export async function readPullRequests(
  client: GitHubClient,
  { owner, repository }: RunContext,
  shas: readonly string[],
): Promise<ReadonlyMap<string, PullRequest>> {
  const found = new Map<string, PullRequest>()
  for (let at = 0; at < shas.length; at += COMMITS_AT_ONCE) {
    const some = shas.slice(at, at + COMMITS_AT_ONCE)
    const { repository: objects } = await ask(client, some, { owner, name: repository })
    for (const [index, sha] of some.entries()) {
      const nodes = objects[`c${index}`]?.associatedPullRequests?.nodes ?? []
      const chosen = chosenOf(nodes, sha)
      if (chosen !== undefined) found.set(sha, toPullRequest(chosen))
    }
  }
  return found
}

/** The hashes are ours, from git: 40 or 64 hexadecimal digits. */
async function ask(
  client: GitHubClient,
  shas: readonly string[],
  variables: { readonly owner: string; readonly name: string },
): Promise<z.infer<typeof Answer>> {
  const objects = shas.map((sha, index) => `c${index}: object(oid: "${sha}") { ${PULL_REQUESTS} }`)
  const query = `query($owner: String!, $name: String!) { repository(owner: $owner, name: $name) { ${objects.join('\n')} } }`
  const answer = await client.retrying(PURPOSE, () => client.octokit.graphql(query, { ...variables }).catch(translated))
  const read = Answer.safeParse(answer)
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

const chosenOf = (nodes: readonly Node[], sha: string): Node | undefined => {
  const merged = nodes.filter((node) => node.merged).sort((a, b) => a.number - b.number)
  return merged.find(({ mergeCommit }) => mergeCommit?.oid === sha) ?? merged[0]
}

const toPullRequest = ({ number, title, labels }: Node): PullRequest => ({
  number,
  title,
  labels: labels?.nodes.map(({ name }) => name) ?? [],
})

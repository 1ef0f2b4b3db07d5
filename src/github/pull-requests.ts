import { z } from 'zod'
import type { PullRequest } from '../core/version/pull-requests.ts'

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

/** What GitHub's GraphQL answers. Null for a commit that it does not have; other objects have no such member. */
export const PullRequestAnswer = z.object({
  repository: z.record(
    z.string(),
    z.object({ associatedPullRequests: z.object({ nodes: z.array(Node) }).nullish() }).nullable(),
  ),
})
export type PullRequestAnswer = z.infer<typeof PullRequestAnswer>

/** Asks GitHub's GraphQL and reads the answer; what is tried again, and what is said of a refusal, is its own matter. */
export type AskPullRequests = (
  query: string,
  variables: { readonly owner: string; readonly name: string },
) => Promise<PullRequestAnswer>

/**
 * The merged pull request that each commit came by, in one question for fifty commits. Of several, the one whose merge
 * the commit is, else the first; commits without one are left out. The hashes are 40 or 64 hexadecimal digits.
 */
export async function readPullRequests(
  ask: AskPullRequests,
  of: { readonly owner: string; readonly name: string },
  shas: readonly string[],
): Promise<ReadonlyMap<string, PullRequest>> {
  const found = new Map<string, PullRequest>()
  for (let at = 0; at < shas.length; at += COMMITS_AT_ONCE) {
    const some = shas.slice(at, at + COMMITS_AT_ONCE)
    const { repository: objects } = await ask(queryFor(some), of)
    for (const [index, sha] of some.entries()) {
      const nodes = objects[`c${index}`]?.associatedPullRequests?.nodes ?? []
      const chosen = chosenOf(nodes, sha)
      if (chosen !== undefined) found.set(sha, toPullRequest(chosen))
    }
  }
  return found
}

function queryFor(shas: readonly string[]): string {
  const objects = shas.map((sha, index) => `c${index}: object(oid: "${sha}") { ${PULL_REQUESTS} }`)
  return `query($owner: String!, $name: String!) { repository(owner: $owner, name: $name) { ${objects.join('\n')} } }`
}

const chosenOf = (nodes: readonly Node[], sha: string): Node | undefined => {
  const merged = nodes.filter((node) => node.merged).sort((a, b) => a.number - b.number)
  return merged.find(({ mergeCommit }) => mergeCommit?.oid === sha) ?? merged[0]
}

const toPullRequest = ({ number, title, labels }: Node): PullRequest => ({
  number,
  title,
  labels: labels?.nodes.map(({ name }) => name) ?? [],
})

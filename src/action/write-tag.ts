import { RingmasterError } from '../core/problem.ts'
import { tagElsewhere } from '../core/product/cut-plan.ts'
import {
  beginBranch,
  createRelease,
  createTag,
  headOf,
  type Place,
  type ReleaseText,
  releaseAddress,
  taggedCommit,
} from '../github/tags.ts'
import type { RunContext } from './context.ts'
import type { GitHubClient } from './github-client.ts'

const PERMISSION = 'contents: write'

/** What is to be tagged. */
export interface Tagging {
  readonly client: GitHubClient
  readonly context: RunContext
  readonly sha: string
  readonly tag: string
  readonly message: string
}

const at = ({ context }: Tagging): Place => ({ owner: context.owner, repo: context.repository })

const readTaggedCommit = (tagging: Tagging): Promise<string | null> =>
  taggedCommit(tagging.client.octokit, at(tagging), tagging.tag)

/**
 * Says whether the tag is there already. Throws `tag-elsewhere` (refused) for one that leads to another commit: what was
 * published under a name never changes.
 */
export async function isTagged(tagging: Tagging): Promise<boolean> {
  const { client, tag, sha } = tagging
  const purpose = { what: `read the tag ${tag}`, permission: 'contents: read' }
  const commit = await client.retrying(purpose, () => readTaggedCommit(tagging))
  if (commit !== null && commit !== sha) throw new RingmasterError('refused', tagElsewhere(tag, sha, commit))
  return commit !== null
}

/** Makes GitHub hold the annotated tag exactly once, at this commit; answers whether this call made it. */
export async function writeTag(tagging: Tagging): Promise<boolean> {
  const { client, sha, tag } = tagging
  const purpose = { what: `create the tag ${tag}`, permission: PERMISSION }
  const { value, created } = await client.findOrCreate<string>(purpose, {
    find: () => readTaggedCommit(tagging),
    create: () => createTag(client.octokit, at(tagging), tagging),
  })
  if (value !== sha) throw new RingmasterError('refused', tagElsewhere(tag, sha, value))
  return created
}

/** Cuts a branch at the commit unless it is there: a branch that went on since stays where it is. Answers with its head. */
export async function writeBranch(
  tagging: Tagging,
  branch: string,
  dryRun: boolean,
): Promise<{ readonly head: string; readonly created: boolean }> {
  const { client, sha } = tagging
  const purpose = { what: `cut the branch ${branch}`, permission: PERMISSION }
  const find = (): Promise<string | null> => headOf(client.octokit, at(tagging), branch)
  if (dryRun) return { head: (await client.retrying(purpose, find)) ?? sha, created: false }
  const { value, created } = await client.findOrCreate<string>(purpose, {
    find,
    create: () => beginBranch(client.octokit, at(tagging), branch, sha),
  })
  return { head: value, created }
}

/** Makes GitHub hold the Release of the tag exactly once; one that is there stays as it is. */
export async function writeRelease(
  tagging: Tagging,
  text: ReleaseText,
): Promise<{ readonly url: string; readonly created: boolean }> {
  const { client, tag } = tagging
  const purpose = { what: `publish the release ${tag}`, permission: PERMISSION }
  const { value, created } = await client.findOrCreate<string>(purpose, {
    find: () => releaseAddress(client.octokit, at(tagging), tag),
    create: () => createRelease(client.octokit, at(tagging), tag, text),
  })
  return { url: value, created }
}

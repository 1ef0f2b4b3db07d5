import { type Problem, quoted, RingmasterError } from '../core/problem.ts'
import type { RunContext } from './context.ts'
import type { GitHubClient } from './github-client.ts'
import { failureOf } from './github-errors.ts'

const PERMISSION = 'contents: write'

/** What is to be tagged. */
export interface Tagging {
  readonly client: GitHubClient
  readonly context: RunContext
  readonly sha: string
  readonly tag: string
  readonly message: string
}

const at = ({ context }: Pick<Tagging, 'context'>) => ({ owner: context.owner, repo: context.repository })

/** Looks at a name of `refs/`; null where it is free. */
async function readRef(tagging: Pick<Tagging, 'client' | 'context'>, ref: string): Promise<GitObject | null> {
  const found = await orNull(() =>
    tagging.client.octokit.request('GET /repos/{owner}/{repo}/git/ref/{ref}', { ...at(tagging), ref }),
  )
  // An old server answers with all names that begin so.
  return found === null || found.data.ref !== `refs/${ref}` ? null : found.data.object
}

interface GitObject {
  readonly type: string
  readonly sha: string
}

const orNull = async <T>(request: () => Promise<T>): Promise<T | null> => {
  try {
    return await request()
  } catch (error) {
    if (failureOf(error)?.status === 404) return null
    throw error
  }
}

/** A tag of a tag of a tag is nothing that people make. */
const MOST_PEELED = 5

/** The commit that the tag leads to; null where there is no such tag. */
async function readTaggedCommit(tagging: Tagging): Promise<string | null> {
  let object = await readRef(tagging, `tags/${tagging.tag}`)
  for (let peeled = 0; object?.type === 'tag' && peeled < MOST_PEELED; peeled += 1) {
    const { data } = await tagging.client.octokit.request('GET /repos/{owner}/{repo}/git/tags/{tag_sha}', {
      ...at(tagging),
      tag_sha: object.sha,
    })
    object = data.object
  }
  return object?.sha ?? null
}

/**
 * Says whether the tag is there already. Throws `tag-elsewhere` (refused) for one that leads to another commit: what was
 * published under a name never changes.
 */
export async function isTagged(tagging: Tagging): Promise<boolean> {
  const purpose = { what: `read the tag ${tagging.tag}`, permission: 'contents: read' }
  const commit = await tagging.client.retrying(purpose, () => readTaggedCommit(tagging))
  if (commit !== null && commit !== tagging.sha) throw new RingmasterError('refused', elsewhere(tagging, commit))
  return commit !== null
}

const elsewhere = ({ tag, sha }: Tagging, found: string): Problem<'tag-elsewhere'> => ({
  code: 'tag-elsewhere',
  message: `expected the tag ${quoted(tag)} at ${sha}, found it at ${found}`,
  hint: 'a version belongs to one commit; give this commit the next version',
})

/** Makes GitHub hold the annotated tag exactly once, at this commit; answers whether this call made it. */
export async function writeTag(tagging: Tagging): Promise<boolean> {
  const { client, sha, tag, message } = tagging
  const purpose = { what: `create the tag ${tag}`, permission: PERMISSION }
  const { value, created } = await client.findOrCreate<string>(purpose, {
    find: () => readTaggedCommit(tagging),
    create: async () => {
      const { data } = await client.octokit.request('POST /repos/{owner}/{repo}/git/tags', {
        ...at(tagging),
        ...{ tag, message, object: sha, type: 'commit' },
      })
      const mine = await createRef(tagging, `tags/${tag}`, data.sha)
      // Somebody was faster: what counts is the commit, not who said so.
      return mine ? sha : ((await readTaggedCommit(tagging)) ?? sha)
    },
  })
  if (value !== sha) throw new RingmasterError('refused', elsewhere(tagging, value))
  return created
}

/** Creates a name; false where it is there already, as somebody else just made it. */
async function createRef(tagging: Pick<Tagging, 'client' | 'context'>, ref: string, sha: string): Promise<boolean> {
  try {
    await tagging.client.octokit.request('POST /repos/{owner}/{repo}/git/refs', {
      ...at(tagging),
      ref: `refs/${ref}`,
      sha,
    })
    return true
  } catch (error) {
    if (failureOf(error)?.status === 422 && (await readRef(tagging, ref)) !== null) return false
    throw error
  }
}

/** Cuts a branch at the commit unless it is there: a branch that went on since stays where it is. Answers with its head. */
export async function writeBranch(
  tagging: Tagging,
  branch: string,
  dryRun: boolean,
): Promise<{ readonly head: string; readonly created: boolean }> {
  const { client, sha } = tagging
  const purpose = { what: `cut the branch ${branch}`, permission: PERMISSION }
  const find = async (): Promise<string | null> => (await readRef(tagging, `heads/${branch}`))?.sha ?? null
  if (dryRun) return { head: (await client.retrying(purpose, find)) ?? sha, created: false }
  const { value, created } = await client.findOrCreate<string>(purpose, {
    find,
    create: async () => ((await createRef(tagging, `heads/${branch}`, sha)) ? sha : ((await find()) ?? sha)),
  })
  return { head: value, created }
}

/** What a GitHub Release says beside its tag. */
export interface ReleaseText {
  readonly body: string
  /** Whether GitHub writes its own notes below the body. */
  readonly generated: boolean
  readonly prerelease: boolean
}

/** Makes GitHub hold the Release of the tag exactly once; one that is there stays as it is. */
export async function writeRelease(
  tagging: Tagging,
  text: ReleaseText,
): Promise<{ readonly url: string; readonly created: boolean }> {
  const { client, tag } = tagging
  const purpose = { what: `publish the release ${tag}`, permission: PERMISSION }
  const { value, created } = await client.findOrCreate<string>(purpose, {
    find: async () => {
      const found = await orNull(() =>
        client.octokit.request('GET /repos/{owner}/{repo}/releases/tags/{tag}', { ...at(tagging), tag }),
      )
      return found?.data.html_url ?? null
    },
    create: async () => {
      const { data } = await client.octokit.request('POST /repos/{owner}/{repo}/releases', {
        ...at(tagging),
        ...{ tag_name: tag, name: tag, body: text.body, prerelease: text.prerelease },
        generate_release_notes: text.generated,
        // By date and version, so that a fix of an old line does not become the latest release.
        make_latest: text.prerelease ? 'false' : 'legacy',
      })
      return data.html_url
    },
  })
  return { url: value, created }
}

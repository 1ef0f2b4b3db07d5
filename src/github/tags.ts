import type { Octokit } from '@octokit/rest'
import { madeUnlessThere } from './already-there.ts'
import { statusOf } from './trouble.ts'

/** A repository, as requests name it. */
export interface Place {
  readonly owner: string
  readonly repo: string
}

/** What a name leads to: a commit, or an annotated tag, which is no commit itself. */
export interface GitObject {
  readonly type: string
  readonly sha: string
}

const orNull = async <T>(request: () => Promise<T>): Promise<T | null> => {
  try {
    return await request()
  } catch (error) {
    if (statusOf(error) === 404) return null
    throw error
  }
}

/** Looks at a name of `refs/`; null where it is free. */
async function readRef(octokit: Octokit, at: Place, ref: string): Promise<GitObject | null> {
  const found = await orNull(() => octokit.request('GET /repos/{owner}/{repo}/git/ref/{ref}', { ...at, ref }))
  // An old server answers with all names that begin so.
  return found === null || found.data.ref !== `refs/${ref}` ? null : found.data.object
}

/** The commit that a branch leads to; null where there is none. */
export const headOf = async (octokit: Octokit, at: Place, branch: string): Promise<string | null> =>
  (await readRef(octokit, at, `heads/${branch}`))?.sha ?? null

/** A tag of a tag of a tag is nothing that people make. */
const MOST_PEELED = 5

/** The commit that an object leads to, however many annotated tags stand between. */
export async function peeled(octokit: Octokit, at: Place, found: GitObject): Promise<string> {
  let object = found
  for (let steps = 0; object.type === 'tag' && steps < MOST_PEELED; steps += 1) {
    const { data } = await octokit.request('GET /repos/{owner}/{repo}/git/tags/{tag_sha}', {
      ...at,
      tag_sha: object.sha,
    })
    object = data.object
  }
  return object.sha
}

/** The commit that a tag leads to; null where there is no such tag. */
export async function taggedCommit(octokit: Octokit, at: Place, tag: string): Promise<string | null> {
  const object = await readRef(octokit, at, `tags/${tag}`)
  return object === null ? null : peeled(octokit, at, object)
}

/** All of them, whether GitHub tells them at once or in pages; how long those are cannot be asked for. */
const matchingTags = (octokit: Octokit, at: Place, prefix: string) =>
  octokit.paginate(octokit.rest.git.listMatchingRefs, { ...at, ref: `tags/${prefix}` })

/** The tags whose names begin so, each with the object that it names itself. */
export async function tagObjects(
  octokit: Octokit,
  at: Place,
  prefix: string,
): Promise<(GitObject & { readonly name: string })[]> {
  const data = await matchingTags(octokit, at, prefix)
  return data.map(({ ref, object: { type, sha } }) => ({ name: ref.slice('refs/tags/'.length), type, sha }))
}

/** More tags of one release than anybody makes; each may take a request of its own. */
const MOST_TAGS = 200

/** The tags whose names begin so, with the commits that they lead to. Throws where there are too many to look at. */
export async function tagsBeginning(
  octokit: Octokit,
  at: Place,
  prefix: string,
): Promise<{ readonly name: string; readonly sha: string }[]> {
  const data = await matchingTags(octokit, at, prefix)
  if (data.length > MOST_TAGS)
    throw new Error(`expected at most ${MOST_TAGS} tags beginning with ${prefix}, found ${data.length}`)
  return Promise.all(
    data.map(async ({ ref, object }) => ({
      name: ref.slice('refs/tags/'.length),
      sha: await peeled(octokit, at, object),
    })),
  )
}

/** Creates a name, unless somebody is faster: the answer is what theirs leads to then. */
const createRef = (octokit: Octokit, at: Place, ref: string, object: GitObject): Promise<GitObject> =>
  madeUnlessThere(
    `make ${ref}`,
    async () => {
      await octokit.request('POST /repos/{owner}/{repo}/git/refs', { ...at, ref: `refs/${ref}`, sha: object.sha })
      return object
    },
    () => readRef(octokit, at, ref),
  )

/** Creates an annotated tag, unless somebody is faster: the answer is the commit that it leads to then. */
export async function createTag(
  octokit: Octokit,
  at: Place,
  { tag, message, sha }: { readonly tag: string; readonly message: string; readonly sha: string },
): Promise<string> {
  const { data } = await octokit.request('POST /repos/{owner}/{repo}/git/tags', {
    ...at,
    ...{ tag, message, object: sha, type: 'commit' },
  })
  const object = await createRef(octokit, at, `tags/${tag}`, { type: 'tag', sha: data.sha })
  // Somebody was faster: what counts is the commit, not who said so.
  return object.sha === data.sha ? sha : peeled(octokit, at, object)
}

/** Creates a branch, unless somebody is faster: the answer is its head then. */
export async function beginBranch(octokit: Octokit, at: Place, branch: string, sha: string): Promise<string> {
  const object = await createRef(octokit, at, `heads/${branch}`, { type: 'commit', sha })
  return object.sha
}

/** What a GitHub Release says beside its tag. */
export interface ReleaseText {
  readonly body: string
  /** Whether GitHub writes its own notes below the body. */
  readonly generated: boolean
  readonly prerelease: boolean
}

/** The address of the GitHub Release of a tag; null where there is none. */
export async function releaseAddress(octokit: Octokit, at: Place, tag: string): Promise<string | null> {
  const found = await orNull(() => octokit.request('GET /repos/{owner}/{repo}/releases/tags/{tag}', { ...at, tag }))
  return found?.data.html_url ?? null
}

/** Publishes the GitHub Release of a tag, unless somebody is faster: the answer is the address of theirs then. */
export const createRelease = (octokit: Octokit, at: Place, tag: string, text: ReleaseText): Promise<string> =>
  madeUnlessThere(
    `publish the GitHub Release ${tag}`,
    async () => {
      const { data } = await octokit.request('POST /repos/{owner}/{repo}/releases', {
        ...at,
        ...{ tag_name: tag, name: tag, body: text.body, prerelease: text.prerelease },
        generate_release_notes: text.generated,
        // By date and version, so that a fix of an old line does not become the latest release.
        make_latest: text.prerelease ? 'false' : 'legacy',
      })
      return data.html_url
    },
    () => releaseAddress(octokit, at, tag),
  )

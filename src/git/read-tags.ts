import { quoted, RingmasterError } from '../core/problem.ts'
import { decodeName } from './decode.ts'
import { git, gitAtOnce } from './git.ts'

/** A tag and the commit it leads to, however many annotated tags stand between. */
export interface GitTag {
  /** Without `refs/tags/`. */
  readonly name: string
  readonly sha: string
}

const LOCAL_FORMAT = '--format=%(objecttype) %(objectname) %(*objecttype) %(*objectname) %(refname)'
const REF = /^refs\/tags\/(.+)$/s
/** A list of names; a server that needs longer is not there. */
const ANSWER_TIMEOUT_MS = 60_000
const REMOTE_LINE = /^([0-9a-f]{40}|[0-9a-f]{64})\trefs\/tags\/(.+?)(\^\{\})?$/

/**
 * The tags of the checkout whose commit is `head` or one of its ancestors, by name. Tags of trees or files are no
 * versions and left out.
 */
export const readMergedTags = (directory: string, head: string): Promise<GitTag[]> =>
  readLocalTags(directory, [`--merged=${head}`])

/** Every tag of the repository that leads to a commit, by name. */
export const readAllTags = (directory: string): Promise<GitTag[]> => readLocalTags(directory, [])

async function readLocalTags(directory: string, which: readonly string[]): Promise<GitTag[]> {
  const output = gitAtOnce(directory, ['for-each-ref', ...which, LOCAL_FORMAT, 'refs/tags/'])
  const tags = decodeName(output)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => toTag(directory, line))
  return (await Promise.all(tags)).filter((tag) => tag !== null)
}

/** The commit that a tag of the checkout leads to; null where there is no such tag, or it leads to no commit. */
export async function readTagCommit(directory: string, name: string): Promise<string | null> {
  // No name of a tag holds a sign that would make this a pattern; a folder of tags is not the tag itself.
  const output = await git(directory, ['for-each-ref', LOCAL_FORMAT, `refs/tags/${name}`])
  const lines = decodeName(output).split('\n').filter(Boolean)
  const tags = await Promise.all(lines.map((line) => toTag(directory, line)))
  return tags.find((tag) => tag?.name === name)?.sha ?? null
}

/** The refusal to tell of a release that nobody tagged, as if it had been one. */
export const notTagged = (name: string, otherwise: string): RingmasterError =>
  new RingmasterError('bad-input', {
    code: 'release-not-tagged',
    message: `expected the tag ${quoted(name)} of the release to tell of, found none in this checkout`,
    hint: `run \`git fetch --tags\` if the remote has it, look at the tag pattern, or ${otherwise}`,
  })

async function toTag(directory: string, line: string): Promise<GitTag | null> {
  const [type, sha = '', peeledType, peeledSha = '', ...rest] = line.split(' ')
  const ref = rest.join(' ')
  const name = REF.exec(ref)?.[1]
  if (name === undefined) return null
  if (type === 'commit') return { name, sha }
  if (peeledType === 'commit') return { name, sha: peeledSha }
  // A tag of a tag: older gits peel one level only.
  if (peeledType !== 'tag') return null
  const commit = await git(directory, ['rev-parse', '--verify', '--end-of-options', `${ref}^{commit}`])
  return { name, sha: decodeName(commit).trim() }
}

/**
 * All tags of a remote, asked without fetching anything. Annotated tags lead to what the remote says they peel to;
 * whether that is a commit of one's own history is the caller's question.
 */
export async function readRemoteTags(directory: string, remote: string): Promise<GitTag[]> {
  const output = await git(directory, ['ls-remote', '--tags', '--', remote], { timeoutMs: ANSWER_TIMEOUT_MS })
  const byName = new Map<string, string>()
  for (const line of decodeName(output).split('\n')) {
    const [, sha, name] = REMOTE_LINE.exec(line) ?? []
    // `name^{}` follows `name` and names the peeled object, so the later line wins.
    if (sha !== undefined && name !== undefined) byName.set(name, sha)
  }
  return [...byName].map(([name, sha]) => ({ name, sha }))
}

import type { Octokit } from '@octokit/rest'
import { unwrap } from '../core/problem.ts'
import { type CommitSource, countsFor, rereadByRule } from '../core/product/bump-options.ts'
import type { Reread } from '../core/version/pull-requests.ts'
import type { Commit } from '../core/version/schema.ts'
import {
  lastRelease,
  parseTagPattern,
  readTags,
  rivalsOf,
  type TagPattern,
  type VersionTag,
} from '../core/version/tags.ts'
import type { Version } from '../core/version/version.ts'
import { type AskPullRequests, PullRequestAnswer, readPullRequests } from './pull-requests.ts'
import { type GitObject, type Place, peeled, tagObjects } from './tags.ts'
import { statusOf } from './trouble.ts'

/**
 * The commits since a release that count for the product, as GitHub has them, newest first; the pull requests that
 * brought them in their place where these say what a change asks for.
 */
export interface CommitRange extends Reread {
  /** The release that they are counted from; null before the first. */
  readonly from: VersionTag | null
  /** How many commits change nothing of it. */
  readonly outside: number
}

/** Each page of a hundred is a request. Who has more has a checkout, and the Action or the command line. */
const MOST_COMMITS = 500
/** GitHub tells the files of one commit at a time. */
const MOST_WITH_FILES = 100
const PER_PAGE = 100

/**
 * Reads what came since the last release below `below`, up to `head`, along GitHub's API. `too-many` where that, or to
 * find that release, would take more requests than an answer is worth; it is never guessed. Throws what Octokit throws.
 */
export async function readCommitRange(
  octokit: Octokit,
  at: Place,
  source: CommitSource,
  head: string,
  below: Version | null,
): Promise<CommitRange | 'too-many'> {
  const pattern = unwrap(parseTagPattern(source.tagPattern, source.scheme))
  const counts = unwrap(countsFor(source))
  const from = await lastReleaseOf(octokit, at, pattern, head, below)
  if (from === 'too-many') return from
  const all = from === null ? await allBefore(octokit, at, head) : await between(octokit, at, from.sha, head)
  if (all === 'too-many' || (counts !== null && all.length > MOST_WITH_FILES)) return 'too-many'
  const counted: Commit[] = []
  for (const commit of all) if (counts === null || counts(await filesOf(octokit, at, commit.sha))) counted.push(commit)
  return { from, ...(await reread(octokit, at, source, counted)), outside: all.length - counted.length }
}

async function reread(
  octokit: Octokit,
  { owner, repo }: Place,
  { pullRequests }: CommitSource,
  commits: readonly Commit[],
): Promise<Reread> {
  if (pullRequests === undefined) return { commits }
  const shas = commits.map(({ sha }) => sha)
  const ask: AskPullRequests = async (query, variables) =>
    PullRequestAnswer.parse(await octokit.graphql(query, { ...variables }))
  return unwrap(rereadByRule(pullRequests, commits, await readPullRequests(ask, { owner, name: repo }, shas)))
}

/** Releases of other lines may stand above the one that is behind the commit; each is compared with it. */
const MOST_TRIED = 20
/** Annotated tags that are looked into one by one, where more releases than that stand above. */
const MOST_PEELED = 200

/** A tag of a release, with the object that its name leads to in the place of the commit. */
type Unpeeled = VersionTag & GitObject

/** The release that a checkout would be counted from. `too-many` where it cannot be told from the others here. */
async function lastReleaseOf(
  octokit: Octokit,
  at: Place,
  pattern: TagPattern,
  head: string,
  below: Version | null,
): Promise<VersionTag | 'too-many' | null> {
  const objects = await tagObjects(octokit, at, pattern.prefix)
  const { versions, unread } = unwrap(readTags(pattern, objects))
  const types = new Map(objects.map(({ name, type }) => [name, type]))
  const unpeeled = (tags: readonly VersionTag[]): Unpeeled[] =>
    tags.map((tag) => ({ ...tag, type: types.get(tag.name) ?? 'commit' }))
  const releases = versions.filter((tag) => lastRelease({ versions: [tag], unread }, below ?? undefined) !== null)
  const last = await highestBehind(octokit, at, unpeeled(releases), head)
  if (last === null || last === 'too-many') return last
  return newestOf(octokit, at, last, unpeeled(rivalsOf({ versions, unread }, last)), head)
}

async function highestBehind(
  octokit: Octokit,
  at: Place,
  releases: readonly Unpeeled[],
  head: string,
): Promise<VersionTag | 'too-many' | null> {
  for (const tag of releases.slice(0, MOST_TRIED)) {
    const sha = await peeled(octokit, at, tag)
    if (await isBehind(octokit, at, sha, head)) return { ...tag, sha }
  }
  const rest = releases.slice(MOST_TRIED)
  return rest.length === 0 ? null : highestInHistory(octokit, at, rest, head)
}

/** Looks the commits of tags up in the whole history, so that only annotated ones take a request each. */
async function highestInHistory(
  octokit: Octokit,
  at: Place,
  releases: readonly Unpeeled[],
  head: string,
): Promise<VersionTag | 'too-many' | null> {
  const all = await allBefore(octokit, at, head)
  if (all === 'too-many') return all
  const history = new Set(all.map(({ sha }) => sha))
  let annotated = 0
  for (const tag of releases) {
    if (tag.type === 'tag') annotated += 1
    if (annotated > MOST_PEELED) return 'too-many'
    const sha = await peeled(octokit, at, tag)
    if (history.has(sha)) return { ...tag, sha }
  }
  return null
}

/** A release, or of its rivals the one that comes after it: what is released there is not released again. */
async function newestOf(
  octokit: Octokit,
  at: Place,
  last: VersionTag,
  rivals: readonly Unpeeled[],
  head: string,
): Promise<VersionTag | 'too-many'> {
  if (rivals.length > MOST_TRIED) return 'too-many'
  let newest = last
  for (const tag of rivals) {
    const sha = await peeled(octokit, at, tag)
    const isAfter =
      sha !== newest.sha && (await isBehind(octokit, at, newest.sha, sha)) && (await isBehind(octokit, at, sha, head))
    if (isAfter) newest = { ...tag, sha }
  }
  return newest
}

const compare = (octokit: Octokit, at: Place, base: string, head: string, page: number) =>
  octokit.request('GET /repos/{owner}/{repo}/compare/{basehead}', {
    ...at,
    basehead: `${base}...${head}`,
    per_page: PER_PAGE,
    page,
  })

/** Whether a commit is another or one of its ancestors. */
async function isBehind(octokit: Octokit, at: Place, base: string, head: string): Promise<boolean> {
  try {
    const { data } = await compare(octokit, at, base, head, 1)
    return data.status === 'ahead' || data.status === 'identical'
  } catch (error) {
    /** Two histories with nothing in common. */
    if (statusOf(error) === 404) return false
    throw error
  }
}

interface Told {
  readonly sha: string
  readonly commit: { readonly message: string }
}

const toCommit = ({ sha, commit }: Told): Commit => ({ sha, message: commit.message })

async function between(octokit: Octokit, at: Place, base: string, head: string): Promise<Commit[] | 'too-many'> {
  const commits: Commit[] = []
  for (let page = 1; ; page += 1) {
    const { data } = await compare(octokit, at, base, head, page)
    if (data.total_commits > MOST_COMMITS) return 'too-many'
    commits.push(...data.commits.map(toCommit))
    if (data.commits.length < PER_PAGE) return commits.reverse()
  }
}

async function allBefore(octokit: Octokit, at: Place, head: string): Promise<Commit[] | 'too-many'> {
  const commits: Commit[] = []
  for (let page = 1; ; page += 1) {
    const { data } = await octokit.request('GET /repos/{owner}/{repo}/commits', {
      ...at,
      sha: head,
      per_page: PER_PAGE,
      page,
    })
    commits.push(...data.map(toCommit))
    if (commits.length > MOST_COMMITS) return 'too-many'
    if (data.length < PER_PAGE) return commits
  }
}

const FILES_PER_PAGE = 300
/** GitHub tells no more than 3,000 files of a commit. */
const MOST_PAGES = 10

/** Both names of a renamed file; of a merge, what it brought to its first parent. */
async function filesOf(octokit: Octokit, at: Place, ref: string): Promise<string[]> {
  const names: string[] = []
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const { data } = await octokit.request('GET /repos/{owner}/{repo}/commits/{ref}', { ...at, ref, page })
    const files = data.files ?? []
    names.push(
      ...files.flatMap(({ filename, previous_filename: before }) => (before ? [filename, before] : [filename])),
    )
    if (files.length < FILES_PER_PAGE) break
  }
  return names
}

import type { Octokit } from '@octokit/rest'
import { unwrap } from '../core/problem.ts'
import { type CommitSource, countsFor } from '../core/product/bump-options.ts'
import type { Commit } from '../core/version/schema.ts'
import { lastRelease, parseTagPattern, readTags, type TagPattern, type VersionTag } from '../core/version/tags.ts'
import type { Version } from '../core/version/version.ts'
import { type Place, taggedCommit, tagObjects } from './tags.ts'
import { statusOf } from './trouble.ts'

/** The commits since a release, as GitHub has them. */
export interface CommitRange {
  /** The release that they are counted from; null before the first. */
  readonly from: VersionTag | null
  /** Those that count for the product, newest first. */
  readonly commits: readonly Commit[]
  /** How many change nothing of it. */
  readonly outside: number
}

/** Each page of a hundred is a request. Who has more has a checkout, and the Action or the command line. */
const MOST_COMMITS = 500
/** GitHub tells the files of one commit at a time. */
const MOST_WITH_FILES = 100
const PER_PAGE = 100

/**
 * Reads what came since the last release below `below`, up to `head`, along GitHub's API. `too-many` where that would
 * take more requests than an answer is worth. Throws what Octokit throws.
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
  const all = from === null ? await allBefore(octokit, at, head) : await between(octokit, at, from.sha, head)
  if (all === 'too-many' || (counts !== null && all.length > MOST_WITH_FILES)) return 'too-many'
  if (counts === null) return { from, commits: all, outside: 0 }
  const commits: Commit[] = []
  for (const commit of all) if (counts(await filesOf(octokit, at, commit.sha))) commits.push(commit)
  return { from, commits, outside: all.length - commits.length }
}

/** Releases of other lines may stand above the one that is behind the commit. */
const MOST_TRIED = 20

async function lastReleaseOf(
  octokit: Octokit,
  at: Place,
  pattern: TagPattern,
  head: string,
  below: Version | null,
): Promise<VersionTag | null> {
  const { versions, unread } = unwrap(readTags(pattern, await tagObjects(octokit, at, pattern.prefix)))
  let left = versions
  for (let tried = 0; tried < MOST_TRIED; tried += 1) {
    const tag = lastRelease({ versions: left, unread }, below ?? undefined)
    if (tag === null) return null
    const sha = await taggedCommit(octokit, at, tag.name)
    if (sha !== null && (await isBehind(octokit, at, sha, head))) return { ...tag, sha }
    left = left.slice(left.indexOf(tag) + 1)
  }
  return null
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

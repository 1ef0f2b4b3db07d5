import { quoted, RingmasterError } from '../core/problem.ts'
import {
  DEEPENING_STEPS,
  deepen,
  incompleteHistory,
  readAncestry,
  readBoundary,
  remoteToDeepenFrom,
  textOf,
} from './deepen.ts'
import { type GitCommit, readBoundedCommits, readCommits } from './read-commits.ts'
import { type GitHead, readHead, readRemote } from './read-head.ts'
import { readPlainTags } from './read-tag-names.ts'
import { type GitTag, readMergedTags, readRemoteTags } from './read-tags.ts'

/** What a version is computed from: the commits since the last release, and the release they are counted from. */
export interface History {
  /** The commit that was asked about, as a rule the one that is checked out. */
  readonly head: string
  /** The tag that was chosen; null when no release is an ancestor of `head`. */
  readonly last: GitTag | null
  /** Every tag that leads to `head` or one of its ancestors; `last` alone where the question has no doubt of others. */
  readonly tags: readonly GitTag[]
  /** The commits after `last`, newest first; all of them when there is none. */
  readonly commits: readonly GitCommit[]
  /** True when more history had to be fetched. */
  readonly deepened: boolean
  /**
   * What is known of releases that the checkout lacks: a remote is asked for its tags when there is no release here, or
   * the history is cut off. `no-answer`: it was asked and did not say.
   */
  readonly remoteTags: 'not-asked' | 'asked' | 'no-answer'
}

export interface HistoryQuestion {
  /**
   * Picks the last release among tags, null for none. It must take the greatest of what it is given by a fixed order:
   * that is how a shallow checkout can know that a release further back cannot be greater.
   */
  readonly choose: (tags: readonly GitTag[]) => GitTag | null
  /** Tags as great as the chosen one at other commits: one that has the chosen one behind it is taken in its place. */
  readonly rivals?: (chosen: GitTag, tags: readonly GitTag[]) => readonly GitTag[]
  /**
   * Whether names of tags of the whole repository hold any that has to be known to lead to `head` or not, beside the
   * chosen one. Left out where all have to.
   */
  readonly isDoubtful?: (names: readonly string[]) => boolean
  /** Picks another tag that has to be as certain as the last release; the same rule holds. */
  readonly beside?: (tags: readonly GitTag[]) => GitTag | null
  readonly withFiles: boolean
  readonly firstParent: boolean
  /** A commit's full hash in the place of what is checked out. */
  readonly at?: string
  /** Gets each commit while git still works; the same object comes in the answer. Not where files are asked for. */
  readonly onCommit?: (commit: GitCommit) => void
  /** The full name of the ref that the checkout came from, when known. */
  readonly ownRef: string | null
}

/**
 * Reads the commits since the last release from a local checkout. A shallow checkout is deepened along its own commit
 * until the answer is certain; where that is impossible it throws `history-incomplete`. Never guesses.
 */
export async function readHistory(directory: string, question: HistoryQuestion): Promise<History> {
  const head = await readHead(directory, question.at)
  const spared = await readAtOnce(directory, head, question)
  if (spared !== null) return spared
  const known = await readMergedTags(directory, head.sha)
  const { tags, remoteTags, deepened } = await settledTags(directory, head, known, question)
  const last = await newestOf(directory, question, tags)
  const range = {
    from: last?.sha ?? null,
    to: head.sha,
    withFiles: question.withFiles,
    firstParent: question.firstParent,
  }
  const commits = range.from === range.to ? [] : await readCommits(directory, range, question.onCommit)
  return { head: head.sha, last, tags, commits, deepened, remoteTags }
}

/**
 * The answer by one git alone, for what is asked most: a whole checkout whose highest release leads to what is checked
 * out, with nothing in doubt. Null where anything is, and every tag has to be looked at.
 */
async function readAtOnce(directory: string, head: GitHead, question: HistoryQuestion): Promise<History | null> {
  const { choose, rivals, beside, isDoubtful, withFiles, firstParent, onCommit } = question
  if (head.shallow || withFiles || question.at !== undefined || isDoubtful === undefined) return null
  const plain = readPlainTags(directory)
  if (plain === null || isDoubtful(plain.names)) return null
  const unpeeled = plain.names.map((name) => ({ name, sha: name }))
  const chosen = choose(unpeeled)
  const sha = chosen === null ? null : await plain.commitOf(chosen.name)
  if (chosen === null || sha === null || rivals?.(chosen, unpeeled).length || beside?.(unpeeled)) return null
  const last = { name: chosen.name, sha }
  const answer = { head: head.sha, last, tags: [last], deepened: false, remoteTags: 'not-asked' } as const
  if (sha === head.sha) return { ...answer, commits: [] }
  const range = { from: sha, to: head.sha, withFiles, firstParent }
  try {
    const { commits, boundary } = await readBoundedCommits(directory, range, onCommit)
    return boundary.has(sha) ? { ...answer, commits } : null
  } catch (error) {
    /** A tag of something else than a commit; whatever else it is meets the longer way, too. */
    if (error instanceof RingmasterError) return null
    throw error
  }
}

/** The chosen tag, or of its rivals the one that comes after it: what is released there is not released again. */
async function newestOf(
  directory: string,
  { choose, rivals }: HistoryQuestion,
  tags: readonly GitTag[],
): Promise<GitTag | null> {
  let newest = choose(tags)
  if (newest === null || rivals === undefined) return newest
  for (const rival of rivals(newest, tags)) {
    const onlyBehindNewest = await readAncestry(directory, newest.sha, rival.sha)
    if (onlyBehindNewest.size === 0) newest = rival
  }
  return newest
}

type SettledTags = Pick<History, 'tags' | 'remoteTags' | 'deepened'>

async function settledTags(
  directory: string,
  head: GitHead,
  known: readonly GitTag[],
  question: HistoryQuestion,
): Promise<SettledTags> {
  if (head.shallow) return { ...(await completeTags(directory, head, known, question)), remoteTags: 'asked' }
  if (question.choose(known) !== null) return { tags: known, remoteTags: 'not-asked', deepened: false }
  return withRemoteTags(directory, head, known)
}

/** A whole history without a release may be a clone that left the tags out, and then it is not the first one. */
async function withRemoteTags(directory: string, head: GitHead, known: readonly GitTag[]): Promise<SettledTags> {
  const remote = await readRemote(directory)
  if (remote === null) return { tags: known, remoteTags: 'not-asked', deepened: false }
  try {
    const all = unionOf(await readRemoteTags(directory, remote), known)
    const ancestry = await readAncestry(directory, head.sha)
    return { tags: all.filter((tag) => ancestry.has(tag.sha)), remoteTags: 'asked', deepened: false }
  } catch (error) {
    if (error instanceof RingmasterError) return { tags: known, remoteTags: 'no-answer', deepened: false }
    throw error
  }
}

/** Deepens until the chosen tag is certain and every commit since is there; returns the tags that lead to the head. */
async function completeTags(
  directory: string,
  head: GitHead,
  known: readonly GitTag[],
  question: HistoryQuestion,
): Promise<Pick<History, 'tags' | 'deepened'>> {
  const remote = await remoteToDeepenFrom(directory)
  const theirs = await readRemoteTags(directory, remote).catch((error: unknown) => {
    throw incompleteHistory(`whose remote does not name its tags (${textOf(error)})`, error)
  })
  const all = unionOf(theirs, known)
  const greatest = question.choose(all)
  for (const step of [0, ...DEEPENING_STEPS]) {
    if (step !== 0) await deepen(directory, { remote, sha: head.sha, ownRef: question.ownRef }, step)
    const ancestry = await readAncestry(directory, head.sha)
    const merged = all.filter((tag) => ancestry.has(tag.sha))
    const certain = { tags: merged, deepened: step !== 0 }
    const boundary = (await readBoundary(directory)).filter((sha) => ancestry.has(sha))
    if (boundary.length === 0) return certain
    const last = question.choose(merged)
    if (last === null || last.name !== greatest?.name) continue
    if (question.beside && question.beside(merged)?.name !== question.beside(all)?.name) continue
    const since = await readAncestry(directory, head.sha, last.sha)
    if (!boundary.some((sha) => since.has(sha))) return certain
  }
  throw incompleteHistory(`whose remote ${quoted(remote)} does not have the rest either`)
}

/** One tag per name; the checkout's own word wins over the remote's. */
const unionOf = (remote: readonly GitTag[], local: readonly GitTag[]): GitTag[] => [
  ...new Map([...remote, ...local].map((tag) => [tag.name, tag])).values(),
]

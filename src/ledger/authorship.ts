import type { Author, CommitInfo, LedgerStore } from './store.ts'
import { foreignProblem } from './succession.ts'
import { integrityError, integrityProblem, type LedgerProblem } from './trouble.ts'

/** Commits are read so many at a time, however long the history is. */
const COMMITS_PER_READ = 1_000

/** What says that a commit is none of the one line that its writer made; null when nothing does. */
export function strangerProblem(
  info: CommitInfo,
  author: Pick<Author, 'email'> | undefined,
  branch: string,
): LedgerProblem | null {
  const foreign = foreignProblem(info, author, branch)
  if (foreign || info.parents.length <= 1) return foreign
  return integrityProblem('foreign-author', `expected commit ${info.commit} to have one parent, found a merge`)
}

async function* lineOf(store: LedgerStore, commit: string, until: string | null): AsyncGenerator<CommitInfo> {
  for (let from: string | undefined = commit; from !== undefined && from !== until; ) {
    const infos: readonly CommitInfo[] = await store.history(from, { until, limit: COMMITS_PER_READ })
    yield* infos
    from = infos.length < COMMITS_PER_READ ? undefined : infos.at(-1)?.parents[0]
  }
}

interface Looking {
  readonly author?: Pick<Author, 'email'> | undefined
  readonly until?: string | null
}

/**
 * Whose commits belong on a branch (left out, whoever made the oldest one), and the oldest commit of somebody else from
 * `commit` back to its beginning or to one that was looked at before (`until`); null when there is none.
 */
async function authorshipOf(
  store: LedgerStore,
  commit: string,
  { author, until = null }: Looking,
): Promise<{ readonly author: Pick<Author, 'email'> | undefined; readonly problem: LedgerProblem | null }> {
  /** The oldest commit of each author, the later found the older. */
  const oldestBy = new Map<string, CommitInfo>()
  let odd: LedgerProblem | null = null
  let oldest: CommitInfo | undefined
  for await (const info of lineOf(store, commit, until)) {
    odd = strangerProblem(info, undefined, store.name) ?? odd
    oldestBy.delete(info.author.email)
    oldestBy.set(info.author.email, info)
    oldest = info
  }
  const expected = author ?? oldest?.author
  const other = [...oldestBy.values()].findLast((info) => info.author.email !== expected?.email)
  return { author: expected, problem: (other && strangerProblem(other, expected, store.name)) ?? odd }
}

/**
 * The same through the branches of a log, oldest first: whoever began the first one has to have written all of them. A branch
 * that is not there tells nothing.
 */
export async function lineageOf(
  stores: readonly LedgerStore[],
): Promise<{ readonly author: Pick<Author, 'email'> | undefined; readonly problems: readonly LedgerProblem[] }> {
  const problems: LedgerProblem[] = []
  let author: Pick<Author, 'email'> | undefined
  for (const store of stores) {
    const newest = await store.newest([])
    if (!newest) continue
    const found = await authorshipOf(store, newest.info.commit, { author })
    if (found.problem) problems.push(found.problem)
    author = found.author
  }
  return { author, problems }
}

/**
 * Throws `foreign-author` for the oldest commit of somebody else. What is committed on top makes that commit the App's own, and
 * the App trusts what follows its own.
 */
export async function checkAuthorship(store: LedgerStore, commit: string, looking: Looking): Promise<void> {
  const { problem } = await authorshipOf(store, commit, looking)
  if (problem) throw integrityError(problem)
}

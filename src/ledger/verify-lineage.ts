import { lineageOf, strangerProblem } from './authorship.ts'
import { reopenedProblem, successorMissing } from './epoch.ts'
import type { Author, CommitInfo, LedgerStore } from './store.ts'
import { integrityProblem, type LedgerProblem } from './trouble.ts'

const MAX_COMMITS = 2_000_000_000

/** Of commits of which none is by the author that is expected: one line, for they may be hundreds of thousands. */
const noneProblem = (store: LedgerStore, author: Pick<Author, 'email'>, count: number, newest: CommitInfo) =>
  integrityProblem(
    'foreign-author',
    `${store.name}: expected commits by ${author.email}, found none among ${count}: the newest, ${newest.commit}, is by ${newest.author.email}`,
  )

/**
 * Who made the commits up to one: the author of all, who is the one given, or whoever began the first of the branches of the
 * epochs before (`before`), or else this one; and what is wrong with commits of others, oldest first.
 */
export async function checkCommits(
  store: LedgerStore,
  commit: string,
  {
    author: given,
    before,
  }: { readonly author: Pick<Author, 'email'> | undefined; readonly before: readonly LedgerStore[] },
): Promise<{ readonly author: string | null; readonly commits: number; readonly problems: readonly LedgerProblem[] }> {
  const commits = await store.history(commit, { limit: MAX_COMMITS })
  const lineage = given ? { author: given, problems: [] } : await lineageOf(before)
  const author = lineage.author ?? commits.at(-1)?.author
  const [newest] = commits
  const hasNone = author && commits.length > 1 && commits.every((info) => info.author.email !== author.email)
  const strangers = [...commits]
    .reverse()
    .flatMap((info) => strangerProblem(info, hasNone ? undefined : author, store.name) ?? [])
  const none = hasNone && newest ? [noneProblem(store, author, commits.length, newest)] : []
  return {
    author: author?.email ?? null,
    commits: commits.length,
    problems: [...lineage.problems, ...none, ...strangers],
  }
}

/** What is wrong with where the log of a branch goes on; null when nothing is, or it is not asked. */
export async function checkNext(
  store: LedgerStore,
  { epoch, succeededBy }: { readonly epoch: number | null; readonly succeededBy: string | null },
  {
    successor,
    epochBranch,
  }: {
    readonly successor?: ((branch: string) => LedgerStore) | undefined
    readonly epochBranch?: ((epoch: number) => LedgerStore) | undefined
  },
): Promise<LedgerProblem | null> {
  if (succeededBy === null)
    return epochBranch && epoch !== null ? reopenedProblem(store, epoch, epochBranch(epoch + 1)) : null
  const next = await successor?.(succeededBy).newest([])
  return next === null ? successorMissing(store, succeededBy) : null
}

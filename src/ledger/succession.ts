import { HEAD_PATH, parseEventFile } from './codec.ts'
import { divergenceError, divergenceOf } from './divergence.ts'
import type { Position } from './position.ts'
import type { ReadFiles } from './reads.ts'
import type { Author, CommitInfo, LedgerStore } from './store.ts'
import { integrityError, integrityProblem, type LedgerProblem } from './trouble.ts'

/** How many commits are read at a time when a process comes back to a branch that moved on. */
const COMMITS_PER_READ = 100

/** What says that a commit was not made by the one writer of the branch, as far as the store can tell; else null. */
export function foreignProblem(
  info: CommitInfo,
  expected: Pick<Author, 'email'> | undefined,
  branch: string,
): LedgerProblem | null {
  if (info.signed === 'no') {
    const message = `${branch}: expected commit ${info.commit} to be signed by the platform, found it is not`
    return integrityProblem('foreign-author', message)
  }
  if (!expected || info.author.email === expected.email) return null
  const message = `${branch}: expected commit ${info.commit} by ${expected.email}, found ${info.author.email}`
  return integrityProblem('foreign-author', message)
}

/** Throws it. */
export function checkAuthor(info: CommitInfo, expected: Pick<Author, 'email'> | undefined, branch: string): void {
  const problem = foreignProblem(info, expected, branch)
  if (problem) throw integrityError(problem)
}

/** The newest event file that a position has read, if it is not behind a snapshot. */
const lastFile = (position: Position) => position.tail.at(-1)

/** What stands at the place that was read before, when it is something else: "expected …, found …"; null when it is not. */
async function otherPast(read: ReadFiles, before: Position, after: Position): Promise<string | null> {
  if (before.head.seq === 0) return null
  const inTail = after.tailEvents().find((event) => event.seq === before.head.seq + 1)
  if (after.head.seq === before.head.seq || inTail) {
    const found = inTail ? inTail.prev : after.head.tip
    if (found === before.head.tip) return null
    return `expected event ${before.head.seq} to be ${before.head.tip}, found ${found}`
  }
  const file = lastFile(before)
  const first = file?.events[0]
  if (!file || !first || after.commit === null) return null
  const bytes = (await read(after.commit, [file.path])).get(file.path)
  if (!bytes) return `expected the event file ${file.path}, found none`
  const parsed = parseEventFile(file.path, bytes, { seq: first.seq - 1, tip: first.prev })
  if (!parsed.ok) return parsed.problems.map((problem) => problem.message).join('; ')
  return parsed.value.position.tip === before.head.tip ? null : `${file.path} has other events than before`
}

/**
 * Checks that a newer position continues the one this process knew: the log did not get shorter, what was read is still
 * there, and every commit in between follows the one before and was made by the writer. Throws what is wrong, and what must
 * have happened to the branch.
 */
export async function checkSuccession(
  store: LedgerStore,
  read: ReadFiles,
  positions: { readonly before: Position; readonly after: Position },
  writer: Pick<Author, 'email'> | undefined,
): Promise<void> {
  const { before, after } = positions
  if (before.commit === null || after.commit === null) return
  const [seen, found] = [before.commit, after.commit]
  const named = async (why: string) =>
    divergenceError(store.name, await divergenceOf(store, seen, found), why, { path: HEAD_PATH })
  if (after.head.seq < before.head.seq)
    throw await named(`expected event ${before.head.seq} or later, found ${after.head.seq}`)
  const other = await otherPast(read, before, after)
  if (other !== null) throw await named(other)
  let from: string | undefined = found
  while (from !== undefined) {
    const commits: readonly CommitInfo[] = await store.history(from, { until: seen, limit: COMMITS_PER_READ })
    for (const info of commits) checkAuthor(info, writer, store.name)
    const oldest = commits.at(-1)
    if (!oldest || oldest.parents[0] === seen) return
    if (commits.length < COMMITS_PER_READ || oldest.parents[0] === undefined)
      throw await named(`expected commit ${oldest.commit} to follow ${seen}`)
    from = oldest.parents[0]
  }
}

import { HEAD_PATH, parseEventFile } from './codec.ts'
import type { Position } from './position.ts'
import type { ReadFiles } from './reads.ts'
import type { Author, CommitInfo, LedgerStore } from './store.ts'
import { integrityError, integrityProblem } from './trouble.ts'

/** How many commits are read at a time when a process comes back to a branch that moved on. */
const COMMITS_PER_READ = 100

/** Throws `foreign-author` when a commit was not made by the one writer of the branch, as far as the store can tell. */
export function checkAuthor(info: CommitInfo, expected: Pick<Author, 'email'> | undefined, branch: string): void {
  if (info.signed === 'no') {
    const message = `${branch}: expected commit ${info.commit} to be signed by the platform, found it is not`
    throw integrityError(integrityProblem('foreign-author', message))
  }
  if (!expected || info.author.email === expected.email) return
  const message = `${branch}: expected commit ${info.commit} by ${expected.email}, found ${info.author.email}`
  throw integrityError(integrityProblem('foreign-author', message))
}

const replaced = (branch: string, why: string) =>
  integrityError(integrityProblem('ledger-replaced', `${branch}: the branch was replaced: ${why}`, { path: HEAD_PATH }))

/** The newest event file that a position has read, if it is not behind a snapshot. */
const lastFile = (position: Position) => position.tail.at(-1)

async function checkOwnPast(read: ReadFiles, before: Position, after: Position, branch: string): Promise<void> {
  if (before.head.seq === 0) return
  const inTail = after.tailEvents().find((event) => event.seq === before.head.seq + 1)
  if (after.head.seq === before.head.seq || inTail) {
    const found = inTail ? inTail.prev : after.head.tip
    if (found === before.head.tip) return
    throw replaced(branch, `expected event ${before.head.seq} to be ${before.head.tip}, found ${found}`)
  }
  const file = lastFile(before)
  const first = file?.events[0]
  if (!file || !first || after.commit === null) return
  const bytes = (await read(after.commit, [file.path])).get(file.path)
  if (!bytes) throw replaced(branch, `expected the event file ${file.path}, found none`)
  const parsed = parseEventFile(file.path, bytes, { seq: first.seq - 1, tip: first.prev })
  if (!parsed.ok) throw integrityError(parsed.problems)
  if (parsed.value.position.tip !== before.head.tip) throw replaced(branch, `${file.path} has other events than before`)
}

/**
 * Checks that a newer position continues the one this process knew: the log did not get shorter, what was read is still
 * there, and every commit in between follows the one before and was made by the writer. Throws what is wrong.
 */
export async function checkSuccession(
  store: LedgerStore,
  read: ReadFiles,
  positions: { readonly before: Position; readonly after: Position },
  writer: Pick<Author, 'email'> | undefined,
): Promise<void> {
  const { before, after } = positions
  if (before.commit === null || after.commit === null) return
  if (after.head.seq < before.head.seq) {
    const message = `${store.name}: the branch was set back: expected event ${before.head.seq} or later, found ${after.head.seq}`
    throw integrityError(integrityProblem('ledger-rewound', message, { path: HEAD_PATH }))
  }
  await checkOwnPast(read, before, after, store.name)
  let from: string | undefined = after.commit
  while (from !== undefined) {
    const commits: readonly CommitInfo[] = await store.history(from, { until: before.commit, limit: COMMITS_PER_READ })
    for (const info of commits) checkAuthor(info, writer, store.name)
    const oldest = commits.at(-1)
    if (!oldest || oldest.parents[0] === before.commit) return
    if (commits.length < COMMITS_PER_READ || oldest.parents[0] === undefined)
      throw replaced(store.name, `expected commit ${oldest.commit} to follow ${before.commit}`)
    from = oldest.parents[0]
  }
}

import { existsSync } from 'node:fs'
import type { EventData } from '../core/catalogue.ts'
import { quoted } from '../core/problem.ts'
import { type FoundAnchors, findAnchors, type GatedRun } from '../github/anchors.ts'
import { lineageOf } from '../ledger/authorship.ts'
import { readLog } from '../ledger/read-log.ts'
import type { LedgerStore } from '../ledger/store.ts'
import { isIntegrityError } from '../ledger/trouble.ts'
import type { CommandIo } from './command.ts'
import { readerOf } from './ledger-store.ts'

const RUNS = 50
/** GitHub deletes runs after 90 days; a month holds enough of them. */
const LOOK_BACK_MS = 30 * 24 * 3_600_000

/** The newest runs that the log names a gate of; none where it cannot be read, which its verification will say. */
async function gatedRuns(store: LedgerStore, now: string): Promise<GatedRun[]> {
  const runs = new Map<string, GatedRun>()
  const since = new Date(Date.parse(now) - LOOK_BACK_MS).toISOString()
  try {
    for await (const { event } of readLog(store, { type: 'gate.requested', since })) {
      const { repository, runId } = event.data as EventData<'gate.requested'>
      const key = `${repository.id}/${runId}`
      runs.delete(key)
      runs.set(key, { repository: repository.fullName, runId })
    }
  } catch (error) {
    if (!isIntegrityError(error)) throw error
  }
  return [...runs.values()].slice(-RUNS)
}

/** The App that commits under an address of GitHub's for bots, such as `7+ringmaster[bot]@…`; null for any other. */
const appOf = (author: string | undefined): string | null => /^\d+\+(.+)\[bot\]@/.exec(author ?? '')?.[1] ?? null

const ofNoApp = (author: string | undefined): FoundAnchors => ({
  anchors: [],
  lookedAt: { commits: 0, runs: 0 },
  unread: [
    `checks and answers on GitHub, for only those of an App are told from what others write, and the log is by ${author === undefined ? 'nobody' : `${quoted(author)}; --author names the address that the App commits under`}`,
  ],
})

/**
 * What stands on GitHub of a log there, by the App that makes its commits (left out, that of the first one); null for a log
 * in a directory. It has to be asked for before the log is read: what is recorded meanwhile must not look like a log that
 * was cut.
 */
export async function anchorsOnGitHub(
  store: LedgerStore,
  { repo, author }: { readonly repo: string; readonly author: string | undefined },
  io: Pick<CommandIo, 'env' | 'now'>,
): Promise<FoundAnchors | null> {
  if (existsSync(repo)) return null
  const by = author ?? (await lineageOf([store])).author?.email
  const app = appOf(by)
  if (app === null) return ofNoApp(by)
  return findAnchors(readerOf(repo, io), repo, { app, runs: await gatedRuns(store, io.now) })
}

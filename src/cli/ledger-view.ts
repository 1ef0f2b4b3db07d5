import type { AggregateKey } from '../core/event.ts'
import { model } from '../core/model.ts'
import { DATA_BRANCH } from '../core/own-branches.ts'
import { gitStore } from '../ledger/git.ts'
import { openLedger, type Session } from '../ledger/ledger.ts'
import { VERSION } from '../version.ts'
import { newestOf } from './ledger-store.ts'

/**
 * A read-only look at the ledger of a local repository, in its newest epoch unless a branch is named. Throws what is wrong
 * with the branches of its epochs.
 */
export async function ledgerView(directory: string, branch: string | undefined, now: string): Promise<Session> {
  const author = { name: 'reader', email: 'reader@localhost' }
  const storeOf = (name: string) => gitStore({ directory, branch: name, author, clock: () => now })
  await newestOf(storeOf, branch)
  return openLedger({
    store: storeOf(branch ?? DATA_BRANCH),
    ...(branch === undefined ? { successor: storeOf } : {}),
    model,
    clock: () => now,
    newId: () => {
      throw new Error('a reader makes no commits')
    },
    writer: { version: VERSION },
  }).view()
}

export const stateOf = async <T>(view: Session, key: AggregateKey): Promise<T | undefined> =>
  (await view.state(key)) as T | undefined

import type { AggregateKey } from '../core/event.ts'
import { model } from '../core/model.ts'
import { DATA_BRANCH } from '../core/own-branches.ts'
import { gitStore } from '../ledger/git.ts'
import { openLedger, type Session } from '../ledger/ledger.ts'
import { VERSION } from '../version.ts'

/** A read-only look at the ledger of a local repository. */
export function ledgerView(directory: string, branch: string | undefined, now: string): Promise<Session> {
  const store = gitStore({
    directory,
    branch: branch ?? DATA_BRANCH,
    author: { name: 'reader', email: 'reader@localhost' },
    clock: () => now,
  })
  return openLedger({
    store,
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

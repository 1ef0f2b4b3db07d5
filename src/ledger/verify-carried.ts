import type { EventData } from '../core/catalogue.ts'
import type { LedgerEvent } from '../core/event.ts'
import { HEAD_PATH, parseHead } from './codec.ts'
import type { Head } from './schema.ts'
import type { LedgerStore } from './store.ts'
import { integrityProblem, type LedgerProblem } from './trouble.ts'

/** The end of the epoch before, the digest of the state that was taken over, and what both were compared with. */
export type CarriedFrom = EventData<'epoch.opened'>['previous'] & {
  readonly state: string
  readonly comparedWith: string | null
}

/** The epoch before: its store, or how to come to that by the name of its branch. */
export type Predecessor = LedgerStore | ((branch: string) => LedgerStore)

/** What a later epoch goes on from, as its first event says; null where that says nothing. */
export function carriedFromOf(first: LedgerEvent | undefined, head: Head): CarriedFrom | null {
  if (head.epoch === 1 || first?.type !== 'epoch.opened') return null
  const { previous, state } = first.data as EventData<'epoch.opened'>
  return { ...previous, state, comparedWith: null }
}

const damaged = (message: string): LedgerProblem =>
  integrityProblem('ledger-damaged', `${HEAD_PATH}: ${message}`, { path: HEAD_PATH })

/** Holds what an epoch says of the one before against that itself, as far as that is there. */
export async function compareWithPredecessor(
  from: CarriedFrom,
  head: Head,
  told: Predecessor,
): Promise<{ readonly from: CarriedFrom; readonly problems: readonly LedgerProblem[] }> {
  const predecessor = typeof told === 'function' ? told(from.branch) : told
  const newest = await predecessor.newest([HEAD_PATH])
  if (!newest) return { from, problems: [] }
  const compared = { ...from, comparedWith: predecessor.name }
  const parsed = parseHead(newest.files.get(HEAD_PATH))
  if (!parsed.ok) {
    const message = `expected the epoch before in ${predecessor.name}, found none that can be read`
    return { from: compared, problems: [damaged(message)] }
  }
  const before = parsed.value
  const claims: readonly (readonly [string, string | number, string | number | undefined])[] = [
    ['epoch', head.epoch - 1, before.epoch],
    ['last event', from.seq, before.seq],
    ['digest', from.digest, before.tip],
    ['last commit', from.commit, newest.info.commit],
    ['state', from.state, before.snapshot?.index],
  ]
  const problems = claims.flatMap(([what, named, found]) => {
    if (named === found) return []
    const message = `expected the epoch before to have the ${what} ${named}, as the first event names it, found ${found} in ${predecessor.name}`
    return [damaged(message)]
  })
  return { from: compared, problems }
}

import { perRepository, type Repository } from '../store.ts'
import { interpolate, isTruthy, type Scope, toText } from './expression.ts'

interface Group {
  running: Member | undefined
  pending: Member | undefined
}
interface Member {
  readonly begin: (outcome: 'go' | 'cancelled') => void
  readonly cancel: () => void
}

const groupsOf = perRepository(() => new Map<string, Group>())

/** What `concurrency:` says; texts may hold `${{ }}`. */
export interface Concurrency {
  readonly group: string
  readonly cancelInProgress: boolean | string
}

export interface Entrant {
  readonly repository: Repository
  readonly concurrency: Concurrency
  readonly scope: Scope
  /** Ends it when it is in progress and a newcomer wants that. */
  readonly cancel: () => void
  readonly signal: AbortSignal
  /** Called when it has to wait. */
  readonly onWait: () => void
}

/**
 * Waits for its turn in a concurrency group: at most one runs and one waits; a newcomer cancels the one that waits (and
 * the running one when it says so). Resolves with `leave`, to be called at the end, or undefined when it was cancelled
 * before its turn. Group names are found whatever their case, as on GitHub.
 */
export async function enterGroup(entrant: Entrant): Promise<(() => void) | undefined> {
  const { concurrency, scope, cancel, signal } = entrant
  const group = groupOf(entrant.repository, toText(interpolate(concurrency.group, scope)).toLowerCase())
  const leave = (): void => {
    group.running = group.pending
    group.pending = undefined
    group.running?.begin('go')
  }
  if (group.running === undefined) {
    group.running = { begin: () => {}, cancel }
    return leave
  }
  group.pending?.begin('cancelled')
  const { cancelInProgress } = concurrency
  if (typeof cancelInProgress === 'string' ? isTruthy(interpolate(cancelInProgress, scope)) : cancelInProgress)
    group.running.cancel()
  entrant.onWait()
  const outcome = await new Promise<'go' | 'cancelled'>((begin) => {
    const member = { begin, cancel }
    group.pending = member
    const giveUp = (): void => {
      if (group.pending !== member) return
      group.pending = undefined
      begin('cancelled')
    }
    signal.addEventListener('abort', giveUp, { once: true })
  })
  return outcome === 'go' ? leave : undefined
}

function groupOf(repository: Repository, name: string): Group {
  const groups = groupsOf(repository)
  const group = groups.get(name) ?? { running: undefined, pending: undefined }
  groups.set(name, group)
  return group
}

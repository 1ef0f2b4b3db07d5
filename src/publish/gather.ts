import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'

export interface GatherOptions<Item, Result> {
  /** Sends items together; an outcome for each, in their order. */
  readonly send: (items: readonly Item[]) => Promise<readonly PromiseSettledResult<Result>[]>
  /** Begins a sending when the one before has ended; what comes meanwhile goes along with the next. */
  readonly inTurn: (work: () => Promise<void>) => Promise<void>
  /** Two items of one key never go together: the later one builds on the earlier. */
  readonly keyOf: (item: Item) => string
  /** What waits no longer than its turn, and goes before the others. */
  readonly isUrgent: (item: Item) => Promise<boolean>
  /** The least time from one sending to the next; 0 for none. */
  readonly everyMs: number
  /** How many go together at most. */
  readonly most: number
}

interface Waiting<Item, Result> {
  readonly item: Item
  readonly settle: (outcome: PromiseSettledResult<Result>) => void
}

/** Hands in items one by one, which are sent together as far as they wait at the same time. */
export function gather<Item, Result>(options: GatherOptions<Item, Result>): (item: Item) => Promise<Result> {
  const { send, inTurn, keyOf, isUrgent, everyMs, most } = options
  let waiting: Waiting<Item, Result>[] = []
  let sentAtMs = Number.NEGATIVE_INFINITY

  function take(): readonly Waiting<Item, Result>[] {
    const byKey = new Map<string, Waiting<Item, Result>>()
    for (const entry of waiting) {
      const key = keyOf(entry.item)
      if (!byKey.has(key) && byKey.size < most) byKey.set(key, entry)
    }
    const taken = new Set(byKey.values())
    waiting = waiting.filter((entry) => !taken.has(entry))
    return [...taken]
  }

  async function sendWaiting(): Promise<void> {
    const taken = take()
    if (taken.length === 0) return
    sentAtMs = performance.now()
    const outcomes = await send(taken.map(({ item }) => item)).catch((reason: unknown) =>
      taken.map((): PromiseRejectedResult => ({ status: 'rejected', reason })),
    )
    for (const [index, { settle }] of taken.entries()) {
      const outcome = outcomes[index]
      settle(outcome ?? { status: 'rejected', reason: new Error('expected an outcome for each item, found fewer') })
    }
  }

  return async (item) => {
    const isHurried = (everyMs > 0 || waiting.length >= most) && (await isUrgent(item))
    const outcome = new Promise<PromiseSettledResult<Result>>((settle) => {
      if (isHurried) waiting.unshift({ item, settle })
      else waiting.push({ item, settle })
    })
    const leftMs = sentAtMs + everyMs - performance.now()
    if (leftMs > 0 && !isHurried) void sleep(leftMs, undefined, { ref: false }).then(() => inTurn(sendWaiting))
    else void inTurn(sendWaiting)
    const settled = await outcome
    if (settled.status === 'rejected') throw settled.reason
    return settled.value
  }
}

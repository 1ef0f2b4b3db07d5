import type { AggregateKey, EventDraft, LedgerEvent, Model } from '../../src/core/event.ts'

/** A model of counters: each event adds its amount to the products it names, and lists itself at the board. */
export const counterModel: Model = {
  keysOf(event) {
    if (event.type === 'note.taken') return []
    const { products } = event.data as { products: readonly string[] }
    return [...new Set(products)]
      .flatMap((name): AggregateKey[] => [`product/${name}`, 'board/all'])
      .filter((key, index, all) => all.indexOf(key) === index)
  },
  evolve(key, state, event) {
    const { amount } = event.data as { amount: number }
    if (event.type === 'counter.cleared' && key !== 'board/all') return undefined
    const before = (state ?? { total: 0, last: 0 }) as { total: number; last: number }
    return { total: before.total + amount, last: event.seq }
  },
}

let serial = 0

/** An event that counts, valid and with a key of its own unless told otherwise. */
export function counted(products: readonly string[], amount = 1, more: Partial<EventDraft> = {}): EventDraft {
  serial += 1
  return {
    type: 'counter.raised',
    key: `test-${serial}`,
    at: '2026-11-20T10:00:00Z',
    actor: { login: 'ann', id: 42 },
    source: { kind: 'webhook', delivery: `delivery-${serial}` },
    trust: 'platform',
    data: { products, amount },
    ...more,
  }
}

/** What the model makes of events, without any ledger. */
export function replayed(events: readonly LedgerEvent[]): Map<string, unknown> {
  const states = new Map<string, unknown>()
  for (const event of events) {
    for (const key of counterModel.keysOf(event)) {
      const state = counterModel.evolve(key, states.get(key), event)
      if (state === undefined) states.delete(key)
      else states.set(key, state)
    }
  }
  return states
}

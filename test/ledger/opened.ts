import type { EventDraft } from '../../src/core/event.ts'
import { type Ledger, type LedgerOptions, openLedger } from '../../src/ledger/ledger.ts'
import type { LedgerStore } from '../../src/ledger/store.ts'
import { counterModel } from './small-model.ts'

let ids = 0

/** Ids in the shape of a ULID, in order. */
export const nextId = (): string => {
  ids += 1
  return `01J${String(ids).padStart(23, '0')}`
}

/** A ledger over a store with the counter model, a clock that stands still, and no waiting. */
export const opened = (store: LedgerStore, more: Partial<LedgerOptions> = {}): Ledger =>
  openLedger({
    store,
    model: counterModel,
    clock: () => '2026-11-20T10:00:00Z',
    newId: nextId,
    writer: { version: '0.1.0' },
    delay: async () => {},
    random: () => 0,
    ...more,
  })

/** Appends events as one change. */
export const record = (ledger: Ledger, ...events: readonly EventDraft[]) =>
  ledger.append(async () => ({ events, result: undefined }))

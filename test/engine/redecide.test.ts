import { beforeAll, describe, expect, it } from '@jest/globals'
import type { AggregateKey, LedgerEvent } from '../../src/core/event.ts'
import { model } from '../../src/core/model.ts'
import { redecide } from '../../src/engine/redecide.ts'
import { memoryStore } from '../../src/ledger/memory.ts'
import { redactEvent } from '../../src/ledger/redact.ts'
import { verifyLedger } from '../../src/ledger/verify.ts'
import { nextId } from '../ledger/opened.ts'
import { command, eventsOf, gateRequested, play, proposedHead, releaseReview, stage, started } from './stage.ts'

let log: LedgerEvent[] = []
let documents: (path: string) => Promise<string | undefined>

beforeAll(async () => {
  const on = stage()
  await started(on)
  await play(on, gateRequested())
  on.outside.approve('eve', proposedHead(on.outside))
  on.outside.approve('mallory', proposedHead(on.outside))
  on.now = '2026-11-20T11:00:00Z'
  await play(on, releaseReview())
  await on.engine.close()
  log = eventsOf(on.branch) as unknown as LedgerEvent[]
  documents = async (path) => (await on.ledger.view()).document(path)
})

/** Every event of a log decided again on the state that the events before it fold to. */
async function again(events: readonly LedgerEvent[], read = documents) {
  const states = new Map<AggregateKey, unknown>()
  const found: { type: string; problems: readonly { code: string; message: string }[] | null }[] = []
  for (const event of events) {
    found.push({ type: event.type, problems: await redecide(event, (key) => states.get(key), read) })
    for (const key of model.keysOf(event)) states.set(key, model.evolve(key, states.get(key), event))
  }
  return found
}

const changed = (type: string, change: (data: never) => void): LedgerEvent[] => {
  const index = log.findLastIndex((event) => event.type === type)
  return log.map((event, at) => {
    if (at !== index) return event
    const copy = structuredClone(event)
    change(copy.data as never)
    return copy
  })
}

const differing = async (events: readonly LedgerEvent[], read = documents) =>
  (await again(events, read)).filter((entry) => (entry.problems ?? []).length > 0)

describe('deciding again what was recorded', () => {
  it('comes to the same for every decision of the log, and says nothing of facts', async () => {
    const found = await again(log)
    const decided = found.filter((entry) => entry.problems !== null)
    expect(decided.map((entry) => entry.problems)).toEqual(decided.map(() => []))
    expect(new Set(decided.map((entry) => entry.type))).toEqual(new Set(['signoff.decided', 'gate.decided']))
    expect(found.some((entry) => entry.problems === null)).toBe(true)
  })

  it.each<[string, string, string, (data: never) => void]>([
    [
      'a status that was changed',
      'signoff.decided',
      '/data/signoff/status": "approved" comes out, "vetoed" is recorded',
      (data: { signoff: { status: string } }) => {
        data.signoff.status = 'vetoed'
      },
    ],
    [
      'a signature that was added',
      'signoff.decided',
      '/data/signoff/parties/0/filledBy/1": nothing comes out, "mallory" is recorded',
      (data: { signoff: { parties: { filledBy: string[] }[] } }) => {
        data.signoff.parties[0]?.filledBy.push('mallory')
      },
    ],
    [
      'a fact that was changed',
      'signoff.decided',
      '/data/signoff/',
      (data: { facts: { answer: { reviews: { state: string }[] } }[] }) => {
        const review = data.facts[0]?.answer.reviews[0]
        if (review) review.state = 'CHANGES_REQUESTED'
      },
    ],
    [
      'a fact that was removed',
      'signoff.decided',
      'was not recorded',
      (data: { facts: unknown[] }) => {
        data.facts.length = 0
      },
    ],
    [
      'a verdict that was changed',
      'gate.decided',
      '/data/verdict": "approved" comes out, "waiting" is recorded',
      (data: { verdict: string }) => {
        data.verdict = 'waiting'
      },
    ],
    [
      'a version that was slipped in',
      'gate.decided',
      '/data/items/1": nothing comes out, ',
      (data: { items: { product: string; version: string }[] }) => {
        data.items.push({ product: 'user-service', version: '6.6.6' })
      },
    ],
  ])('names the event of %s, and where', async (_, type, where, change) => {
    const events = changed(type, change)
    const seq = events.find((event, index) => event !== log[index])?.seq
    const found = await differing(events)
    expect(found[0]?.problems?.[0]?.message).toContain(where)
    expect(found[0]).toMatchObject({
      type,
      problems: [{ code: 'decision-differs', message: expect.stringContaining(`event ${seq} (${type})`) }],
    })
  })

  it('names the decisions whose configuration is gone', async () => {
    const found = await differing(log, async () => undefined)
    expect(found.map((entry) => entry.type)).toContain('signoff.decided')
  })
})

describe('deciding again after a text was taken out', () => {
  it('agrees with decisions that quote it, and still sees one that was changed', async () => {
    const on = stage({ ledger: { snapshotEvery: 5 } })
    await started(on)
    await play(on, command('hold', 'Initech complains about sums'), gateRequested(601))
    await on.engine.close()
    const find = (type: string) => eventsOf(on.branch).findLast((event) => event.type === type)
    expect(find('gate.decided')?.data).toMatchObject({
      blockers: expect.arrayContaining([expect.objectContaining({ message: expect.stringContaining('Initech') })]),
    })
    const store = memoryStore(on.branch)
    const redact = (seq: number) =>
      redactEvent(store, model, { seq, reason: 'x', by: 'ann' }, { now: on.now, newId: nextId })
    const { copies } = await redact(find('release.held')?.seq ?? 0)
    expect(copies.map(({ seq }) => seq)).toContain(find('gate.decided')?.seq)
    expect(await verifyLedger(store, model, { redecide })).toMatchObject({ ok: true, problems: [] })
    for (const { seq } of copies) await redact(seq)
    expect(JSON.stringify(eventsOf(on.branch))).not.toContain('Initech')
    const report = await verifyLedger(store, model, { redecide })
    expect(report).toMatchObject({ ok: true, problems: [], counts: { redacted: expect.any(Number) } })
    const harmed = eventsOf(on.branch) as unknown as LedgerEvent[]
    const last = harmed.findLast((event) => event.type === 'gate.decided')
    ;(last?.data as { verdict: string }).verdict = 'approved'
    const found = await differing(harmed, async (path) => (await on.ledger.view()).document(path))
    expect(found[0]?.problems?.[0]?.message).toContain('/data/verdict')
  })
})

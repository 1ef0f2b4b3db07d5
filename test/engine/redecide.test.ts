import { beforeAll, describe, expect, it } from '@jest/globals'
import { personQuery } from '../../src/core/access/decide.ts'
import { configDocument } from '../../src/core/config/in-force.ts'
import { CONFIG_PATH, parseConfiguration } from '../../src/core/config/parse.ts'
import type { AggregateKey, LedgerEvent } from '../../src/core/event.ts'
import { sha256 } from '../../src/core/json.ts'
import { model } from '../../src/core/model.ts'
import { redecide } from '../../src/engine/redecide.ts'
import { memoryStore } from '../../src/ledger/memory.ts'
import { redactEvent } from '../../src/ledger/redact.ts'
import { verifyLedger } from '../../src/ledger/verify.ts'
import {
  asked,
  MALLORY,
  minute,
  sha,
  CONFIGURATION as WORLD_CONFIGURATION,
  RELEASES as WORLD_RELEASES,
  World,
} from '../core/decided.ts'
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
  await play(on, { ...command('hold', 'no'), actor: { login: 'mallory', id: 66 } })
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
    expect(new Set(decided.map((entry) => entry.type))).toEqual(
      new Set(['config.accepted', 'signoff.decided', 'signoff.completed', 'gate.decided', 'command.answered']),
    )
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
      'a signer that was added',
      'signoff.completed',
      '/data/signers/1": nothing comes out, "mallory" is recorded',
      (data: { signers: string[] }) => {
        data.signers.push('mallory')
      },
    ],
    [
      'a configuration that followed another',
      'config.accepted',
      '/data/previous": "null" comes out, "sha256:0" is recorded',
      (data: { previous: string | null }) => {
        data.previous = 'sha256:0'
      },
    ],
    [
      'a refusal that was made a success',
      'command.answered',
      '/data/answer/code": "refused" comes out, "release-held" is recorded',
      (data: { answer: { code: string; problems: unknown[] } }) => {
        data.answer = { ...data.answer, code: 'release-held', problems: [] }
      },
    ],
    [
      'a success that nobody was asked for',
      'command.answered',
      'the fact person was not recorded',
      (data: { answer: { code: string; problems: unknown[] }; facts: unknown[] }) => {
        data.answer = { ...data.answer, code: 'release-held', problems: [] }
        data.facts.length = 0
      },
    ],
    [
      'a refusal of somebody who was entitled',
      'command.answered',
      '/data/answer/problems/0": nothing comes out, ',
      (data: { facts: { answer: { permission: string } }[] }) => {
        const [fact] = data.facts
        if (fact) fact.answer.permission = 'admin'
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
      redactEvent(
        store,
        model,
        { seq, reason: 'x', by: 'ann' },
        { now: on.now, newId: nextId, writer: { version: '0.1.0' } },
      )
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

describe('deciding again whether a configuration took effect', () => {
  const OLGA = { login: 'olga', id: 9 }
  const PULL_HEAD = 'f'.repeat(40)
  const CHANGED = WORLD_CONFIGURATION.replace('label: beta', 'label: preview')
  const repository = WORLD_RELEASES.fullName

  function changedConfiguration(): World {
    const world = new World().accounts([OLGA])
    const parsed = parseConfiguration(WORLD_CONFIGURATION)
    if (!parsed.ok) throw new Error('expected the configuration of the tests to be sound')
    const standing = { kind: 'person', permission: 'write', teams: [] } as const
    for (const [commit, text] of [
      [sha('c1'), WORLD_CONFIGURATION],
      [sha('c2'), CHANGED],
      [PULL_HEAD, CHANGED],
      [sha('0d'), 'schemaVersion: 0\n'],
    ] as const)
      world.fact({ kind: 'file', repository, commit, path: CONFIG_PATH }, { kind: 'file', text })
    const pulls = [
      { number: 3, head: sha('0d'), approvers: [MALLORY] },
      { number: 4, head: PULL_HEAD, approvers: [OLGA] },
    ]
    world
      .fact({ kind: 'merged-pulls', repository, commit: sha('c2'), path: CONFIG_PATH }, { kind: 'merged-pulls', pulls })
      .fact(personQuery(OLGA, repository, parsed.value.configuration.roles), standing)
    for (const commit of [sha('c1'), sha('c2')])
      world.ask({ kind: 'configuration-seen', repository: WORLD_RELEASES, commit, ...asked, at: minute(1) })
    expect(world.log.map((event) => event.type)).toEqual(['config.accepted', 'config.accepted'])
    return world
  }
  const againIn = (world: World, bend: (data: { facts: { query: { kind: string } }[] }) => void = () => {}) => {
    const events = structuredClone(world.log) as LedgerEvent[]
    bend(events[1]?.data as never)
    return again(events, async (path) => world.documents.get(path))
  }

  it('comes to the same from the pull request, the file that its approvers saw, and their roles', async () => {
    expect((await againIn(changedConfiguration())).map((entry) => entry.problems)).toEqual([[], []])
  })

  it.each(['merged-pulls', 'file', 'person', 'account'])('does not come to it without the fact %s', async (kind) => {
    const found = await againIn(changedConfiguration(), (data) => {
      data.facts = data.facts.filter(({ query }) => query.kind !== kind)
    })
    expect(found[0]?.problems).toEqual([])
    expect(found[1]?.problems).toMatchObject([{ code: 'decision-differs' }])
  })

  it('does not come to it for another text', async () => {
    const world = changedConfiguration()
    world.documents.set(configDocument(sha256(CHANGED)), WORLD_CONFIGURATION)
    expect((await againIn(world))[1]?.problems).toMatchObject([{ code: 'decision-differs' }])
  })
})

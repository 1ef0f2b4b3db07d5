import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, describe, expect, it } from '@jest/globals'
import type { Model } from '../../src/core/event.ts'
import { sha256 } from '../../src/core/json.ts'
import { branchOfEpoch } from '../../src/core/own-branches.ts'
import { checkReopened, closeEpoch, epochsOf, openEpoch, reopenedProblem } from '../../src/ledger/epoch.ts'
import { gitStore } from '../../src/ledger/git.ts'
import type { LedgerOptions } from '../../src/ledger/ledger.ts'
import { type MemoryBranch, memoryBranch, memoryStore } from '../../src/ledger/memory.ts'
import { rebuildSnapshots } from '../../src/ledger/rebuild.ts'
import { redactEvent } from '../../src/ledger/redact.ts'
import type { LedgerStore } from '../../src/ledger/store.ts'
import { verifyLedger } from '../../src/ledger/verify.ts'
import { BOT } from './fake-github.ts'
import { nextId, opened, record } from './opened.ts'
import { counted, counterModel } from './small-model.ts'

const NOW = '2026-11-20T10:00:00Z'
const making = { now: NOW, newId: nextId, writer: { version: '0.1.0' } }
const [FIRST, SECOND, THIRD] = [1, 2, 3].map((epoch) => branchOfEpoch(epoch)) as [string, string, string]
const directory = mkdtempSync(join(tmpdir(), 'ledger-epoch-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const EVE = { name: 'eve', email: 'eve@example.org' }

type StoreOf = (branch: string) => LedgerStore

const inMemory = () => {
  const branches = new Map<string, MemoryBranch>([[FIRST, memoryBranch()]])
  const branchOf = (name: string): MemoryBranch => {
    const branch = branches.get(name) ?? memoryBranch(branches.get(FIRST))
    branches.set(name, branch)
    return branch
  }
  return { branchOf, storeOf: ((name) => memoryStore(branchOf(name))) as StoreOf }
}

let repositories = 0
const REPOSITORIES: Record<string, () => StoreOf> = {
  memory: () => inMemory().storeOf,
  git: () => {
    repositories += 1
    const path = join(directory, `${repositories}.git`)
    execFileSync('git', ['init', '--quiet', '--bare', path])
    return (branch) => gitStore({ directory: path, branch, author: BOT, clock: () => NOW })
  },
}

/** A log with a snapshot and a tail, and a document. */
async function written(storeOf: StoreOf) {
  const ledger = opened(storeOf(FIRST), { snapshotEvery: 3 })
  await ledger.append(async () => ({
    events: [counted(['a', 'b'], 1, { key: 'first' })],
    documents: [{ path: 'configs/one.yml', text: 'one: 1\n' }],
    result: undefined,
  }))
  for (let turn = 0; turn < 3; turn += 1) await record(ledger, counted(['a'], 10))
  return record(ledger, counted(['c'], 100))
}

const turned = async (storeOf: StoreOf, from = FIRST, to = SECOND, model: Model = counterModel) => {
  const closed = await closeEpoch(storeOf(from), model, to, making)
  return { closed, commit: await openEpoch({ from: storeOf(from), closed, branch: from }, storeOf(to), model, making) }
}

const following = (storeOf: StoreOf, more: Partial<LedgerOptions> = {}) =>
  opened(storeOf(FIRST), { successor: storeOf, snapshotEvery: 3, ...more })

describe.each(Object.entries(REPOSITORIES))('a new epoch in %s', (_, fresh) => {
  it('goes on from the numbers, the chain, the state, the event keys and the documents of the one before', async () => {
    const storeOf = fresh()
    const { head } = await written(storeOf)
    const { closed } = await turned(storeOf)
    const ledger = following(storeOf)
    const view = await ledger.view()
    expect(view.head.seq).toBe(head.seq + 1)
    expect(ledger.epoch).toBe(2)
    expect(await view.state('product/a')).toEqual({ total: 31, last: 4 })
    expect(await view.document('configs/one.yml')).toBe('one: 1\n')
    const { events } = await record(ledger, counted(['a'], 7, { key: 'first' }), counted(['c'], 1))
    expect(events).toMatchObject([{ seq: head.seq + 2, data: { products: ['c'] } }])
    for (let turn = 0; turn < 3; turn += 1) await record(ledger, counted(['a']))
    const report = await verifyLedger(storeOf(SECOND), counterModel, { predecessor: storeOf(FIRST) })
    expect(report).toMatchObject({ ok: true, problems: [], counts: { events: 5, aggregates: 4 } })
    expect(report.carried).toEqual({
      branch: FIRST,
      commit: closed.commit,
      seq: head.seq,
      digest: head.digest,
      state: closed.head.snapshot?.index,
      comparedWith: storeOf(FIRST).name,
    })
    const before = await verifyLedger(storeOf(FIRST), counterModel)
    expect(before).toMatchObject({ ok: true, carried: null, succeededBy: SECOND, head })
    expect((await epochsOf(storeOf, FIRST)).map(({ branch }) => branch)).toEqual([FIRST, SECOND])
  })

  it('opens once when two do it at a time, and closes behind what is appended meanwhile', async () => {
    const storeOf = fresh()
    await written(storeOf)
    const writer = following(storeOf, { delay: setTimeout })
    await writer.view()
    const [one, two] = await Promise.all([turned(storeOf), turned(storeOf), record(writer, counted(['d']))])
    expect(one.closed.commit).toBe(two.closed.commit)
    expect(one.commit).toBe(two.commit)
    await writer.refresh()
    expect(await (await writer.view()).state('product/d')).toMatchObject({ total: 1 })
    expect(await verifyLedger(storeOf(SECOND), counterModel)).toMatchObject({ ok: true })
  })
})

describe('a new epoch', () => {
  it('takes a running writer along, whether it was at the end of the closed branch or behind', async () => {
    const { storeOf } = inMemory()
    await written(storeOf)
    const [near, behind] = [following(storeOf), following(storeOf)]
    await Promise.all([near.view(), behind.view()])
    await record(near, counted(['a']))
    await turned(storeOf)
    await record(near, counted(['b'], 5))
    expect(near.epoch).toBe(2)
    await behind.refresh()
    expect(await (await behind.view()).state('product/b')).toMatchObject({ total: 6 })
    await record(behind, counted(['b'], 5))
    await turned(storeOf, SECOND, THIRD)
    await record(near, counted(['b'], 5))
    expect(await (await near.view()).state('product/b')).toMatchObject({ total: 16 })
    const reports = await Promise.all(
      [FIRST, SECOND, THIRD].map((branch) => verifyLedger(storeOf(branch), counterModel)),
    )
    expect(reports.map(({ problems }) => problems)).toEqual([[], [], []])
  })

  it('does not let a writer that cannot follow write on a closed branch, and lets it read', async () => {
    const { storeOf } = inMemory()
    await written(storeOf)
    const old = opened(storeOf(FIRST))
    await old.view()
    await turned(storeOf)
    await expect(record(old, counted(['a']))).rejects.toMatchObject({
      code: 'ledger-succeeded',
      message: expect.stringContaining(`the log goes on in ${SECOND}`),
    })
    expect(await (await opened(storeOf(FIRST)).view()).state('product/c')).toMatchObject({ total: 100 })
    expect((await storeOf(FIRST).newest([]))?.info.message).toContain('ledger: epoch 1 ends at event 5')
  })

  it('comes to the same when it is interrupted anywhere and repeated', async () => {
    const { storeOf } = inMemory()
    const { head } = await written(storeOf)
    const closed = await closeEpoch(storeOf(FIRST), counterModel, SECOND, making)
    await expect(record(following(storeOf), counted(['a']))).rejects.toMatchObject({
      code: 'epoch-unopened',
      fault: 'outside',
    })
    const one = await turned(storeOf)
    expect(one.closed).toEqual(closed)
    expect(await turned(storeOf)).toEqual(one)
    await record(following(storeOf), counted(['a']))
    expect((await turned(storeOf)).closed).toEqual(closed)
    const report = await verifyLedger(storeOf(SECOND), counterModel, { predecessor: storeOf(FIRST) })
    expect(report).toMatchObject({ ok: true, head: { seq: head.seq + 2 } })
  })

  it('is gone on to after two at a time, of which the second was not begun at first', async () => {
    const { storeOf } = inMemory()
    await written(storeOf)
    const ledger = following(storeOf)
    await ledger.view()
    await turned(storeOf)
    const closed = await closeEpoch(storeOf(SECOND), counterModel, THIRD, making)
    for (let look = 0; look < 2; look += 1) {
      await expect(ledger.refresh()).rejects.toMatchObject({ code: 'epoch-unopened' })
      expect(ledger.trouble).toBeUndefined()
      expect(ledger.epoch).toBe(1)
    }
    await openEpoch({ from: storeOf(SECOND), closed, branch: SECOND }, storeOf(THIRD), counterModel, making)
    await record(ledger, counted(['a'], 5))
    expect(ledger.epoch).toBe(3)
    expect(await verifyLedger(storeOf(THIRD), counterModel)).toMatchObject({ ok: true, counts: { events: 2 } })
  })

  it('that is not there is named by who verifies the log to its end, and not by who looks at one branch', async () => {
    const { storeOf, branchOf } = inMemory()
    await written(storeOf)
    await turned(storeOf)
    const successor = storeOf
    expect(await verifyLedger(storeOf(FIRST), counterModel, { successor })).toMatchObject({ ok: true })
    branchOf(SECOND).head = null
    expect(await verifyLedger(storeOf(FIRST), counterModel)).toMatchObject({ ok: true })
    expect(await verifyLedger(storeOf(FIRST), counterModel, { successor })).toMatchObject({
      ok: false,
      problems: [
        {
          code: 'ledger-missing',
          message: expect.stringMatching(
            /go on in ringmaster-data-2, .+ deleted, or "ringmaster ledger epoch" was inter/,
          ),
        },
      ],
    })
  })

  it('does not take over a branch that somebody else made', async () => {
    const { storeOf } = inMemory()
    await written(storeOf)
    await record(opened(storeOf(SECOND)), counted(['a']))
    await expect(turned(storeOf)).rejects.toMatchObject({
      code: 'epoch-taken',
      hint: expect.stringContaining('deletes the branch'),
    })
    await expect(following(storeOf).view()).rejects.toMatchObject({
      code: 'ledger-damaged',
      message: expect.stringContaining('expected epoch 2, found 1'),
    })
  })
})

describe('in a later epoch', () => {
  it('head and snapshots are made anew from what was taken over and the events since, also without a head', async () => {
    const { storeOf, branchOf } = inMemory()
    await written(storeOf)
    await turned(storeOf)
    await record(following(storeOf), counted(['a'], 2), counted(['d'], 3))
    await rebuildSnapshots(storeOf(SECOND), counterModel, making)
    expect(await verifyLedger(storeOf(SECOND), counterModel)).toMatchObject({ ok: true, counts: { aggregates: 5 } })
    await edited(branchOf(SECOND), 'head.json', () => '{')
    await rebuildSnapshots(storeOf(SECOND), counterModel, making)
    expect(await verifyLedger(storeOf(SECOND), counterModel)).toMatchObject({ ok: true, problems: [] })
    const ledger = following(storeOf)
    expect(await (await ledger.view()).state('product/a')).toMatchObject({ total: 33 })
    const { events } = await record(ledger, counted(['a'], 7, { key: 'first' }), counted(['a']))
    expect(events).toHaveLength(1)
  })

  it('the closed branch before is neither rebuilt nor redacted, also when its head was lost', async () => {
    const { storeOf, branchOf } = inMemory()
    await written(storeOf)
    const { closed } = await turned(storeOf)
    const successor = (epoch: number) => storeOf(branchOfEpoch(epoch))
    const rebuild = () => rebuildSnapshots(storeOf(FIRST), counterModel, { ...making, successor })
    const redact = (branch: string, seq: number) =>
      redactEvent(storeOf(branch), counterModel, { seq, reason: 'a name', by: 'ann' }, making)
    await expect(rebuild()).rejects.toMatchObject({ code: 'ledger-succeeded' })
    const instead = { code: 'ledger-succeeded', hint: expect.stringContaining('Take out its copies') }
    await expect(redact(FIRST, 1)).rejects.toMatchObject({
      ...instead,
      message: expect.stringContaining(`expected the branch of the epoch that is open, found that it was closed`),
    })
    await expect(redact(SECOND, 1)).rejects.toMatchObject({
      ...instead,
      message: expect.stringContaining('from 6 on, found event 1 of one that was closed'),
    })
    expect(branchOf(FIRST).head).toBe(closed.commit)
    await edited(branchOf(FIRST), 'head.json', () => '{')
    await expect(rebuild()).rejects.toMatchObject({
      code: 'ledger-succeeded',
      hint: expect.stringContaining('put it back'),
    })
  })

  it('texts are taken out as before', async () => {
    const model: Model = {
      ...counterModel,
      textsOf: ({ data, type }) =>
        type === 'event.redacted' ? ['/reason'] : (data as { note?: string }).note === undefined ? [] : ['/note'],
    }
    const { storeOf } = inMemory()
    const open = () => opened(storeOf(FIRST), { model, successor: storeOf })
    await record(open(), counted(['a']))
    await turned(storeOf, FIRST, SECOND, model)
    const { head } = await record(open(), counted(['b'], 1, { data: { products: ['b'], amount: 1, note: 'Initech' } }))
    await redactEvent(storeOf(SECOND), model, { seq: head.seq, reason: 'a name', by: 'ann' }, making)
    expect(await verifyLedger(storeOf(SECOND), model)).toMatchObject({ ok: true, counts: { redacted: 1 } })
  })
})

/** Ends the head of a branch with its only event, whatever stands in that. */
async function signed(branch: MemoryBranch): Promise<void> {
  const path = pathIn(branch, /^events/)
  const bytes = branch.commits.get(branch.head ?? '')?.tree.get(path) ?? new Uint8Array()
  const tip = sha256(bytes.subarray(0, -1))
  await edited(branch, 'head.json', (text) => text.replace(/("seq":6,.*"tip":")[^"]+/, `$1${tip}`))
}

/** A file of the newest commit with another text, committed by the App's own name. */
async function edited(branch: MemoryBranch, path: string, change: (text: string) => string): Promise<void> {
  const bytes = branch.commits.get(branch.head ?? '')?.tree.get(path)
  const text = Buffer.from(bytes ?? []).toString('utf8')
  expect(change(text)).not.toBe(text)
  await memoryStore(branch).commit({
    expectedHead: branch.head,
    operation: nextId(),
    message: 'by hand',
    additions: [{ path, bytes: Buffer.from(change(text)) }],
    deletions: [],
  })
}

const pathIn = (branch: MemoryBranch, wanted: RegExp): string =>
  [...(branch.commits.get(branch.head ?? '')?.tree.keys() ?? [])].find((path) => wanted.test(path)) ?? ''

const OTHER = `sha256:${'0'.repeat(64)}`

describe('a branch that was closed and is open again', () => {
  /** A log of two epochs, whose first branch was put back to before it was closed. */
  async function reopened() {
    const { storeOf, branchOf } = inMemory()
    await written(storeOf)
    const { closed } = await turned(storeOf)
    const put = (commit: string | undefined) => Object.assign(branchOf(FIRST), { head: commit ?? null })
    put(branchOf(FIRST).commits.get(closed.commit)?.info.parents[0])
    return { storeOf, branchOf, closed, put }
  }
  const asked = async (storeOf: StoreOf) =>
    checkReopened(await epochsOf(storeOf, FIRST), (epoch) => storeOf(branchOfEpoch(epoch)))

  it('is named, with the commit that closed it', async () => {
    const { storeOf, closed, put } = await reopened()
    await expect(asked(storeOf)).rejects.toMatchObject({
      code: 'ledger-rewound',
      message: expect.stringContaining(`expected it to be closed at event 5, in commit ${closed.commit}, where`),
    })
    put(closed.commit)
    await asked(storeOf)
  })

  it.each([
    [FIRST, 'ledger-forked'],
    [SECOND, 'ledger-rewound'],
  ])('is named also where somebody else committed to %s since, as %s', async (name, code) => {
    const { storeOf, branchOf } = await reopened()
    const branch = branchOf(name)
    const stray = { operation: 'x', message: 'x', additions: [{ path: 'x', bytes: Buffer.from('x') }], deletions: [] }
    await memoryStore(branch, EVE).commit({ ...stray, expectedHead: branch.head })
    await expect(asked(storeOf)).rejects.toMatchObject({ code })
  })

  it('is named as forked where the log went on in it', async () => {
    const { storeOf } = await reopened()
    await record(opened(storeOf(FIRST)), counted(['a']))
    await expect(asked(storeOf)).rejects.toMatchObject({ code: 'ledger-forked' })
  })

  it('is none where it is closed while that is asked', async () => {
    const { storeOf, closed, put } = await reopened()
    const turning: LedgerStore = {
      ...storeOf(SECOND),
      newest: (paths) => {
        put(closed.commit)
        return storeOf(SECOND).newest(paths)
      },
    }
    expect(await reopenedProblem(storeOf(FIRST), 1, turning)).toBeNull()
  })
})

it('a branch of the next epoch that somebody else began says nothing of the log', async () => {
  const { storeOf, branchOf } = inMemory()
  await written(storeOf)
  const aside = (name: string): LedgerStore => memoryStore(branchOf(name), EVE)
  const before = branchOf(FIRST).head
  await turned(aside)
  branchOf(FIRST).head = before
  expect(await reopenedProblem(storeOf(FIRST), 1, storeOf(SECOND))).toBeNull()
})

describe('a forged beginning', () => {
  const FORGERIES: readonly [string, RegExp, (text: string) => string, RegExp][] = [
    [
      'another end of the epoch before',
      /^events/,
      (text) => text.replace(/"digest":"sha256:[0-9a-f]+"/, `"digest":"${OTHER}"`),
      /found that it names event 5 \(sha256:0000/,
    ],
    [
      'another first event',
      /^events/,
      (text) => text.replace('epoch.opened', 'counter.raised'),
      /expected epoch.opened as event 6/,
    ],
    [
      'another state in the first event',
      /^events/,
      (text) => text.replace(/("state":"sha256:).{4}/, '$10000'),
      /expected it to name the state in carried/,
    ],
    [
      'another state that was taken over',
      /^carried\/index/,
      (text) => text.replace('"seq":5', '"seq":4'),
      /expected (it to name the state in )?carried\/index.json/,
    ],
    [
      'another origin',
      /^head/,
      (text) => text.replace(/("origin":\{"seq":5,"tip":"sha256:).{4}/, '$10000'),
      /expected (it to go on from event 5|the chain to name)/,
    ],
    ['another epoch', /^head/, (text) => text.replace('"epoch":2', '"epoch":3'), /epoch 3, found 2|epoch 2, found 3/],
  ]

  it.each(FORGERIES)('with %s is named, and not gone on with', async (_, path, change, said) => {
    const { storeOf, branchOf } = inMemory()
    await written(storeOf)
    const running = following(storeOf)
    await running.view()
    await turned(storeOf)
    await edited(branchOf(SECOND), pathIn(branchOf(SECOND), path), change)
    if (path.test('events/')) await signed(branchOf(SECOND))
    const report = await verifyLedger(storeOf(SECOND), counterModel, { predecessor: storeOf(FIRST) })
    expect(report.problems[0]).toMatchObject({ code: 'ledger-damaged', message: expect.stringMatching(said) })
    expect(report.ok).toBe(false)
    for (const ledger of [running, following(storeOf)]) {
      await expect(record(ledger, counted(['a']))).rejects.toMatchObject({ code: 'ledger-damaged' })
      expect(ledger.trouble?.message).toMatch(said)
    }
  })

  it('with another shard of what was taken over is named', async () => {
    const { storeOf, branchOf } = inMemory()
    await written(storeOf)
    await turned(storeOf)
    const path = pathIn(branchOf(SECOND), /^carried\/product\/.*shard/)
    await edited(branchOf(SECOND), path, (text) => text.replace('100', '900'))
    expect((await verifyLedger(storeOf(SECOND), counterModel)).problems).toMatchObject([{ path }])
  })

  it('that is sound by itself is named by the epoch before', async () => {
    const { storeOf } = inMemory()
    const other = inMemory()
    await written(storeOf)
    await turned(storeOf)
    await record(opened(other.storeOf(FIRST)), ...[1, 2, 3, 4, 5].map(() => counted(['a'], 900)))
    await turned(other.storeOf)
    expect(await verifyLedger(other.storeOf(SECOND), counterModel)).toMatchObject({ ok: true })
    const report = await verifyLedger(other.storeOf(SECOND), counterModel, { predecessor: storeOf(FIRST) })
    expect(report.problems.map(({ message }) => /have the ([a-z ]+) /.exec(message)?.[1])).toEqual([
      'digest',
      'last commit',
      'state',
    ])
  })

  it('by somebody who led the log there is named by who began it, without any author given', async () => {
    const { storeOf, branchOf } = inMemory()
    await written(storeOf)
    const began = branchOf(FIRST).head ?? ''
    const byEve = (branch: string) => memoryStore(branchOf(branch), EVE)
    await turned(byEve)
    await turned(byEve, SECOND, THIRD)
    const before = [FIRST, SECOND].map(storeOf)
    const options = { before, predecessor: storeOf(SECOND) }
    const { author, problems } = await verifyLedger(storeOf(THIRD), counterModel, options)
    const { email } = branchOf(FIRST).commits.get(began)?.info.author ?? EVE
    expect(author).toBe(email)
    expect(problems.map(({ code }) => code)).toEqual(['foreign-author', 'foreign-author', 'foreign-author'])
    const [first] = problems
    expect(first?.message).toContain(`by ${email}, found ${EVE.email}`)
    expect(await verifyLedger(storeOf(SECOND), counterModel, { before: [storeOf(FIRST)], author: EVE })).toMatchObject({
      author: EVE.email,
      ok: true,
    })
  })

  it('of another log, which says nothing of the one before, is named', async () => {
    const { storeOf } = inMemory()
    await written(storeOf)
    await closeEpoch(storeOf(FIRST), counterModel, SECOND, making)
    await record(opened(storeOf(SECOND)), counted(['a']))
    const report = await verifyLedger(storeOf(SECOND), counterModel, { before: [storeOf(FIRST)] })
    expect(report.problems).toMatchObject([
      { code: 'ledger-damaged', message: 'head.json: expected epoch 2, to which the one before leads, found 1' },
    ])
  })

  it('event that stands elsewhere in a log is named', async () => {
    const { storeOf } = inMemory()
    const ledger = opened(storeOf(FIRST))
    await record(ledger, counted(['a']))
    await record(ledger, counted([], 1, { type: 'epoch.opened', key: 'epoch:2' }))
    expect(await verifyLedger(storeOf(FIRST), counterModel)).toMatchObject({
      problems: [{ message: expect.stringContaining('to be the first event of a later epoch') }],
    })
  })
})

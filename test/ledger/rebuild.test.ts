import { describe, expect, it } from '@jest/globals'
import type { Model } from '../../src/core/event.ts'
import { closeEpoch } from '../../src/ledger/epoch.ts'
import { type MemoryBranch, memoryBranch, memoryStore } from '../../src/ledger/memory.ts'
import { rebuildSnapshots } from '../../src/ledger/rebuild.ts'
import { redactEvent } from '../../src/ledger/redact.ts'
import { verifyLedger } from '../../src/ledger/verify.ts'
import { nextId, opened, record } from './opened.ts'
import { counted, counterModel } from './small-model.ts'

const making = { now: '2026-11-20T10:00:00Z', newId: nextId, writer: { version: '0.1.0' } }
const model: Model = {
  ...counterModel,
  keysOf: (event) => (event.type === 'event.redacted' ? [] : counterModel.keysOf(event)),
  textsOf: ({ type }) => (type === 'event.redacted' ? ['/reason'] : ['/note']),
}

const DATA = { products: ['a'], amount: 1, note: 'Eve Adams' }
const EVE = { name: 'eve', email: 'eve@example.org' }

const textOf = (branch: MemoryBranch, path: string): string =>
  Buffer.from(branch.commits.get(branch.head ?? '')?.tree.get(path) ?? []).toString('utf8')

async function write(branch: MemoryBranch, path: string, text: string): Promise<void> {
  await memoryStore(branch).commit({
    expectedHead: branch.head,
    operation: nextId(),
    message: 'by hand',
    additions: [{ path, bytes: Buffer.from(text) }],
    deletions: [],
  })
}

/** A log with a snapshot, a tail, and a text in its first event. */
async function written(): Promise<MemoryBranch> {
  const branch = memoryBranch()
  const ledger = opened(memoryStore(branch), { model, snapshotEvery: 2 })
  await record(ledger, counted(['a'], 1, { data: DATA }), counted(['b'], 1, { data: DATA }))
  await record(ledger, counted(['b'], 1, { data: DATA }))
  return branch
}

type Writing = (branch: MemoryBranch) => Promise<unknown>
const rebuild: Writing = (branch) => rebuildSnapshots(memoryStore(branch), model, making)
const redact: Writing = (branch) =>
  redactEvent(memoryStore(branch), model, { seq: 1, reason: 'a name', by: 'ann' }, making)
const close: Writing = (branch) => closeEpoch(memoryStore(branch), model, 'ringmaster-data-2', making)

const WRITING: readonly (readonly [string, Writing])[] = [
  ['rebuilding', rebuild],
  ['redacting', redact],
  ['closing', close],
]

describe.each(WRITING)('%s a log', (name, work) => {
  it.each<[string, string, (branch: MemoryBranch) => string]>([
    ['that says it is of a newer version', 'head.json', () => '{"schemaVersion":9}\n'],
    [
      'whose snapshot is of a newer version',
      'snapshots/index.json',
      (branch) => textOf(branch, 'snapshots/index.json').replace('"schemaVersion":1', '"schemaVersion":9'),
    ],
  ])('%s is refused, and nothing is overwritten', async (_, path, change) => {
    const branch = await written()
    await write(branch, path, change(branch))
    const before = branch.head
    // Who closes a log reads its snapshot by the digest that the head names.
    const code = name === 'closing' && path !== 'head.json' ? 'ledger-damaged' : 'unknown-schema-version'
    await expect(work(branch)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(`${path}: expected`),
      problems: [expect.objectContaining({ path })],
    })
    expect(branch.head).toBe(before)
  })

  it('to which somebody else committed valid events is refused, also with commits of the App on top', async () => {
    const branch = await written()
    await record(opened(memoryStore(branch, EVE), { model }), counted(['a'], 1_000, { data: DATA }))
    const foreign = branch.head ?? ''
    await record(opened(memoryStore(branch), { model }), counted(['a'], 1, { data: DATA }))
    const before = branch.head
    await expect(work(branch)).rejects.toMatchObject({
      code: 'foreign-author',
      message: `memory: expected commit ${foreign} by ringmaster[bot]@users.noreply.github.com, found eve@example.org`,
    })
    expect(branch.head).toBe(before)
  })

  it.each([
    ['broken', '{'],
    ['gone', null],
  ])('that was closed, and whose head is %s since, is not redacted', async (_, text) => {
    const branch = await written()
    await close(branch)
    await memoryStore(branch).commit({
      expectedHead: branch.head,
      operation: nextId(),
      message: 'by hand',
      additions: text === null ? [] : [{ path: 'head.json', bytes: Buffer.from(text) }],
      deletions: text === null ? ['head.json'] : [],
    })
    const before = branch.head
    await expect(redact(branch)).rejects.toMatchObject({ problems: [expect.objectContaining({ path: 'head.json' })] })
    expect(branch.head).toBe(before)
  })

  it('whose last events went away with its head is refused by what the head before says', async () => {
    const branch = await written()
    const files = [...(branch.commits.get(branch.head ?? '')?.tree.keys() ?? [])].filter((path) =>
      path.startsWith('events/'),
    )
    const last = files.sort().at(-1) ?? ''
    await memoryStore(branch).commit({
      expectedHead: branch.head,
      operation: nextId(),
      message: 'by hand',
      additions: [],
      deletions: [last, 'head.json'],
    })
    await expect(rebuildSnapshots(memoryStore(branch), model, making)).rejects.toMatchObject({
      code: 'ledger-damaged',
      message: expect.stringContaining(last),
    })
  })

  it('that asks for a newer writer is refused', async () => {
    const branch = await written()
    await write(branch, 'head.json', textOf(branch, 'head.json').replace('"minWriter":"0.1.0"', '"minWriter":"7.0.0"'))
    const before = branch.head
    await expect(work(branch)).rejects.toMatchObject({
      code: 'writer-too-old',
      message: 'head.json: expected a writer of version "7.0.0" or newer, found this one at "0.1.0"',
    })
    expect(branch.head).toBe(before)
  })
})

it('makes no log of a branch that never was one', async () => {
  const branch = memoryBranch()
  const store = memoryStore(branch)
  const file = { path: 'README.md', bytes: Buffer.from('hi') }
  await store.commit({ expectedHead: null, operation: 'a', message: 'a', additions: [file], deletions: [] })
  const before = branch.head
  await expect(rebuildSnapshots(store, counterModel, making)).rejects.toMatchObject({ code: 'ledger-missing' })
  expect(branch.head).toBe(before)
})

describe('rebuilding a log', () => {
  it('whose snapshot has a shard of a newer version is refused by the name of the shard', async () => {
    const branch = await written()
    const path = 'snapshots/product/shard.json'
    await write(branch, path, textOf(branch, path).replace('"schemaVersion":1', '"schemaVersion":"2"'))
    await expect(rebuild(branch)).rejects.toMatchObject({
      code: 'unknown-schema-version',
      message: `${path}: expected schemaVersion 1, found "2"`,
    })
  })

  it.each<[string, (text: string) => string | null]>([
    ['is missing', () => null],
    ['was edited', (text) => text.replace('"login":"ann"', '"login":"eve"')],
  ])('whose last file %s is refused by its name, as long as the head tells of it', async (_, change) => {
    const branch = await written()
    const path =
      [...(branch.commits.get(branch.head ?? '')?.tree.keys() ?? [])].find((name) => name.includes('/3-')) ?? ''
    const text = change(textOf(branch, path))
    if (text === null)
      await memoryStore(branch).commit({
        expectedHead: branch.head,
        operation: nextId(),
        message: 'by hand',
        additions: [],
        deletions: [path],
      })
    else await write(branch, path, text)
    const before = branch.head
    await expect(rebuild(branch)).rejects.toMatchObject({ code: 'ledger-damaged', problems: [{ path }] })
    expect(branch.head).toBe(before)
  })

  it('does not forget which writers a head asks for that cannot be read as a whole', async () => {
    const branch = await written()
    await write(branch, 'head.json', '{"schemaVersion":1,"minWriter":"7.0.0","more":1}\n')
    await expect(rebuild(branch)).rejects.toMatchObject({ code: 'writer-too-old' })
  })

  it.each(['{', '{}', 'null', '{"schemaVersion":1,"seq":0}'])(
    'goes on where the head is merely broken: %s',
    async (text) => {
      const branch = await written()
      await write(branch, 'head.json', text)
      await rebuild(branch)
      expect(await verifyLedger(memoryStore(branch), model)).toMatchObject({ ok: true, head: { seq: 3 } })
    },
  )
})

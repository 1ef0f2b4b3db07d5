import { describe, expect, it } from '@jest/globals'
import { branchOfEpoch } from '../../src/core/own-branches.ts'
import { checkLastHead, closeEpoch, epochsOf, openEpoch } from '../../src/ledger/epoch.ts'
import { type MemoryBranch, memoryBranch, memoryStore } from '../../src/ledger/memory.ts'
import { type LogFilter, readEpochs, readLog } from '../../src/ledger/read-log.ts'
import type { LedgerStore } from '../../src/ledger/store.ts'
import { nextId, opened, record } from './opened.ts'
import { counted, counterModel } from './small-model.ts'

const [FIRST, SECOND] = [1, 2].map((epoch) => branchOfEpoch(epoch)) as [string, string]
const making = { now: '2026-11-20T10:00:00Z', newId: nextId, writer: { version: '0.1.0' } }

/** A log of two epochs: three events in the first one, and two in the second, of which it opens with one. */
async function written() {
  const first = memoryBranch()
  const branches: Readonly<Record<string, MemoryBranch>> = { [FIRST]: first, [SECOND]: memoryBranch(first) }
  const branchOf = (name: string): MemoryBranch => branches[name] ?? memoryBranch(first)
  const storeOf = (name: string): LedgerStore => ({ ...memoryStore(branchOf(name)), name })
  const ledger = opened(storeOf(FIRST), { successor: storeOf })
  for (let turn = 0; turn < 3; turn += 1) await record(ledger, counted(['a']))
  const closed = await closeEpoch(storeOf(FIRST), counterModel, SECOND, making)
  await openEpoch({ from: storeOf(FIRST), closed, branch: FIRST }, storeOf(SECOND), counterModel, making)
  await record(ledger, counted(['a']))
  return { branchOf, storeOf }
}

const pathIn = (branch: MemoryBranch, wanted: RegExp): string =>
  [...(branch.commits.get(branch.head ?? '')?.tree.keys() ?? [])].find((path) => wanted.test(path)) ?? ''

/** A commit by hand: a file with another text, or without it (null). */
const change = (branch: MemoryBranch, path: string, text: string | null) =>
  memoryStore(branch).commit({
    expectedHead: branch.head,
    operation: nextId(),
    message: 'by hand',
    additions: text === null ? [] : [{ path, bytes: Buffer.from(text) }],
    deletions: text === null ? [path] : [],
  })

/** The numbers of the events that are read, and what is thrown after them. */
async function readingOf(storeOf: (name: string) => LedgerStore, filter: LogFilter = {}) {
  const seqs: number[] = []
  try {
    for await (const { event } of readEpochs(await epochsOf(storeOf, FIRST), filter)) seqs.push(event.seq)
    return { seqs, error: null }
  } catch (error) {
    return { seqs, error }
  }
}

describe('a log of which something is missing', () => {
  it.each([
    [FIRST, /\/1-/, /\/2-/, []],
    [SECOND, /\/4-/, /\/5-/, [1, 2, 3]],
  ])('is named at the first file that is there: %s', async (name, missing, next, expected) => {
    const { branchOf, storeOf } = await written()
    expect(await readingOf(storeOf)).toEqual({ seqs: [1, 2, 3, 4, 5], error: null })
    await change(branchOf(name), pathIn(branchOf(name), missing), null)
    expect(await readingOf(storeOf)).toMatchObject({
      seqs: expected,
      error: { code: 'ledger-damaged', problems: [{ path: pathIn(branchOf(name), next) }] },
    })
  })

  const HEADS: readonly [string, string | null, string][] = [
    ['is missing', null, 'ledger-damaged'],
    ['is no JSON', '{', 'ledger-damaged'],
    ['is of another version', '{"schemaVersion":9}', 'unknown-schema-version'],
  ]

  it.each(HEADS)(
    'is read as far as it goes, and its head is named with its branch when it %s',
    async (_, text, code) => {
      for (const [name, all] of [
        [FIRST, [1, 2, 3]],
        [SECOND, [1, 2, 3, 4, 5]],
      ] as const) {
        const { branchOf, storeOf } = await written()
        await change(branchOf(name), 'head.json', text)
        const error = { code, fault: 'refused', message: expect.stringMatching(new RegExp(`^${name}: .*head\\.json`)) }
        expect(await readingOf(storeOf)).toMatchObject({ seqs: all, error })
        expect(await readingOf(storeOf, { since: '2026-11-20T00:00:00Z' })).toMatchObject({ seqs: all, error })
        const epochs = await epochsOf(storeOf, FIRST)
        expect(epochs.at(-1)).toMatchObject({ branch: name, head: null })
        expect(() => checkLastHead(epochs)).toThrow(expect.objectContaining({ code }))
      }
    },
  )

  it('names a line that is broken and a head that cannot be read at once', async () => {
    const { branchOf, storeOf } = await written()
    const path = pathIn(branchOf(FIRST), /\/2-/)
    await change(branchOf(FIRST), path, 'x\n')
    await change(branchOf(FIRST), 'head.json', '{')
    const read = async () => {
      for await (const _ of readLog(storeOf(FIRST)));
    }
    await expect(read()).rejects.toMatchObject({ problems: [{ path, line: 1 }, { path: 'head.json' }] })
  })
})

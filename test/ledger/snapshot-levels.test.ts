import { beforeAll, expect, it } from '@jest/globals'
import { closeEpoch, openEpoch } from '../../src/ledger/epoch.ts'
import { type MemoryBranch, memoryBranch, memoryStore } from '../../src/ledger/memory.ts'
import { rebuildSnapshots } from '../../src/ledger/rebuild.ts'
import { verifyLedger } from '../../src/ledger/verify.ts'
import { nextId, opened, record } from './opened.ts'
import { counted, counterModel } from './small-model.ts'

const making = { now: '2026-11-20T10:00:00Z', newId: nextId, writer: { version: '0.1.0' } }

/** Names so long that their states fill the pages of a kind that the index would list, and many more. */
const NAMES = Array.from({ length: 12_000 }, (_, index) => `p${index}-${'x'.repeat(1_000)}`)
const TOGETHER = 100

const treeOf = (branch: MemoryBranch) => branch.commits.get(branch.head ?? '')?.tree ?? new Map<string, Uint8Array>()
const branchesOf = (branch: MemoryBranch) => [...treeOf(branch).keys()].filter((path) => /\/pages-1/.test(path))

/** The branch as it is, on which others may go on. */
const copyOf = (branch: MemoryBranch): MemoryBranch => ({ ...branch, commits: new Map(branch.commits) })

let large: MemoryBranch

beforeAll(async () => {
  large = memoryBranch()
  const ledger = opened(memoryStore(large), { snapshotEvery: 1_000_000 })
  for (let start = 0; start < NAMES.length; start += TOGETHER)
    await record(ledger, counted(NAMES.slice(start, start + TOGETHER)))
  await ledger.snapshot()
}, 60_000)

it('keeps the index small by pages of pages, from which few files lead to a state', async () => {
  expect(branchesOf(large).length).toBeGreaterThan(1)
  expect(treeOf(large).get('snapshots/index.json')?.length).toBeLessThan(12_000)
  const store = memoryStore(large)
  const read: (readonly string[])[] = []
  const reader = opened({
    ...store,
    read: (commit, paths) => {
      read.push(paths)
      return store.read(commit, paths)
    },
  })
  expect(await (await reader.view()).state(`product/${NAMES[4_711]}`)).toEqual({ total: 1, last: 48 })
  /** Index, page of pages, page, shard. */
  expect(read.map((paths) => paths.length)).toEqual([1, 1, 1, 1])
  expect(await (await reader.view()).state('product/nobody')).toBeUndefined()
})

it('rewrites what leads to a changed state alone', async () => {
  const branch = copyOf(large)
  const before = treeOf(branch)
  const ledger = opened(memoryStore(branch))
  await record(ledger, counted([NAMES[7] ?? '', 'new']))
  await ledger.snapshot()
  const after = treeOf(branch)
  const changed = [...after].filter(
    ([path, bytes]) => path.startsWith('snapshots/product') && before.get(path) !== bytes,
  )
  /** Two ways of a page of pages, a page and a shard; a shard may have split into sixteen. */
  expect(changed.length).toBeLessThanOrEqual(2 * (3 + 16))
  const fresh = await opened(memoryStore(branch)).view()
  expect(await fresh.state(`product/${NAMES[7]}`)).toMatchObject({ total: 2 })
  expect(await fresh.state('product/new')).toMatchObject({ total: 1 })
  expect(await verifyLedger(memoryStore(branch), counterModel)).toMatchObject({ ok: true, problems: [] })
}, 30_000)

it('is made anew from the events, and goes over into a later epoch', async () => {
  const branch = copyOf(large)
  await rebuildSnapshots(memoryStore(branch), counterModel, making)
  expect(branchesOf(branch)).toEqual(branchesOf(large))
  const closed = await closeEpoch(memoryStore(branch), counterModel, 'ringmaster-data-2', making)
  const next = memoryBranch(branch)
  const from = memoryStore(branch)
  await openEpoch({ from, closed, branch: 'ringmaster-data' }, memoryStore(next), counterModel, making)
  expect(await (await opened(memoryStore(next)).view()).state(`product/${NAMES[11_999]}`)).toMatchObject({ total: 1 })
  expect(await verifyLedger(memoryStore(next), counterModel)).toMatchObject({ problems: [] })
}, 60_000)

it.each<[string, (text: string) => string]>([
  ['was edited', (text) => text.replace(/"digest":"sha256:./, '"digest":"sha256:g')],
  ['is of another version', (text) => text.replace('"schemaVersion":1', '"schemaVersion":9')],
])(
  'names a page of pages that %s',
  async (_, bend) => {
    const branch = copyOf(large)
    const [path = ''] = branchesOf(branch)
    const bytes = Buffer.from(bend(Buffer.from(treeOf(branch).get(path) ?? []).toString('utf8')))
    await memoryStore(branch).commit({
      expectedHead: branch.head,
      operation: nextId(),
      message: 'by hand',
      additions: [{ path, bytes }],
      deletions: [],
    })
    const { ok, problems } = await verifyLedger(memoryStore(branch), counterModel)
    expect(ok).toBe(false)
    expect(problems).toContainEqual(expect.objectContaining({ path, message: expect.stringContaining(path) }))
  },
  30_000,
)

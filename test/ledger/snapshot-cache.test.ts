import { expect, it } from '@jest/globals'
import { parseHead } from '../../src/ledger/codec.ts'
import { memoryBranch, memoryStore } from '../../src/ledger/memory.ts'
import { SnapshotIndex } from '../../src/ledger/schema.ts'
import { INDEX_PATH, SnapshotReader, snapshotCache } from '../../src/ledger/snapshot.ts'
import { FileChanges } from '../../src/ledger/snapshot-changes.ts'
import { rewriteKeys } from '../../src/ledger/snapshot-keys.ts'
import { rewriteKind } from '../../src/ledger/snapshot-shards.ts'
import { opened, record } from './opened.ts'
import { counted } from './small-model.ts'

const NOW = '2026-11-20T10:00:00Z'

/** A snapshot of one product and one key, read through a cache of so many bytes, and the paths that were read. */
async function snapshot(maxBytes?: number) {
  const branch = memoryBranch()
  await record(opened(memoryStore(branch), { snapshotEvery: 1 }), counted(['a'], 1, { key: 'the key' }))
  const store = memoryStore(branch)
  const newest = await store.newest(['head.json', INDEX_PATH])
  const commit = newest?.info.commit ?? ''
  expect(parseHead(newest?.files.get('head.json')).ok).toBe(true)
  const index = SnapshotIndex.parse(JSON.parse(Buffer.from(newest?.files.get(INDEX_PATH) ?? []).toString()))
  const asked: string[] = []
  const cache = snapshotCache(maxBytes)
  const reader = new SnapshotReader({
    read: (at, paths) => {
      asked.push(...paths)
      return store.read(at, paths)
    },
    commit,
    cache,
    index,
  })
  return { reader, cache, asked }
}

const look = async (reader: SnapshotReader) => ({
  state: await reader.stateOf('product/a'),
  holdsKey: await reader.holdsKey('the key'),
})
const FOUND = { state: { total: 1, last: 1 }, holdsKey: true }

it('keeps what was read at hand', async () => {
  const { reader, asked } = await snapshot()
  expect(await look(reader)).toEqual(FOUND)
  expect(asked).toHaveLength(4)
  expect(await look(reader)).toEqual(FOUND)
  expect(asked).toHaveLength(4)
})

it('reads again what there is no room for', async () => {
  const { reader, asked } = await snapshot(10)
  expect(await look(reader)).toEqual(FOUND)
  expect(await look(reader)).toEqual(FOUND)
  expect(asked).toHaveLength(8)
})

it('lets go of what is written anew, and has that at hand', async () => {
  const { reader, cache, asked } = await snapshot()
  expect(await look(reader)).toEqual(FOUND)
  const changes = new FileChanges()
  const pages = await rewriteKind({ reader, changes }, 'product', new Map([['product/a', { total: 2, last: 2 }]]))
  const keys = await rewriteKeys({ reader, changes }, [{ seq: 2, key: 'another' }], { seq: 2, now: NOW })
  expect(asked).toHaveLength(4)
  const after = new SnapshotReader({
    ...{ read: async () => new Map(), commit: '', cache },
    index: { ...reader.index, pages: [...pages], keys },
  })
  expect(await after.stateOf('product/a')).toEqual({ total: 2, last: 2 })
  expect(await after.holdsKey('another')).toBe(true)
  expect(await look(reader)).toEqual(FOUND)
  expect(asked).toHaveLength(8)
})

import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { AggregateKey } from '../../src/core/event.ts'
import { encodeEvents, ORIGIN, parseEventFile } from '../../src/ledger/codec.ts'
import { eventFilePath, eventPaths, firstSeqOf, folderFor } from '../../src/ledger/event-files.ts'
import { decodeKeys, encodeKeys, keptAfter } from '../../src/ledger/keys.ts'
import { memoryBranch, memoryStore } from '../../src/ledger/memory.ts'
import { covering, freePrefix, partition, placeOf } from '../../src/ledger/prefixes.ts'
import { readLog } from '../../src/ledger/read-log.ts'
import { verifyLedger } from '../../src/ledger/verify.ts'
import { opened, record } from './opened.ts'
import { counted, counterModel, replayed } from './small-model.ts'

const name = fc.oneof(
  fc.constantFrom('a', 'b', '__proto__', 'constructor', '../../x', 'a/b', 'toString', '\u202Ex', ''),
  fc.string({ unit: 'binary', maxLength: 12 }),
)
const step = fc.record({
  names: fc.array(name, { minLength: 1, maxLength: 3 }),
  amount: fc.integer({ min: -5, max: 5 }),
  isClearing: fc.boolean(),
  writer: fc.nat({ max: 2 }),
  again: fc.boolean(),
})

describe('the ledger, whatever is appended by whom', () => {
  it('holds the state that replaying its events gives, once each, and passes verification', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 25 }),
        fc.integer({ min: 1, max: 9 }),
        async (steps, snapshotEvery) => {
          const branch = memoryBranch()
          const writers = Array.from({ length: 3 }, () => opened(memoryStore(branch), { snapshotEvery }))
          for (const { names, amount, isClearing, writer, again } of steps) {
            const event = counted(names, amount, isClearing ? { type: 'counter.cleared' } : {})
            const ledger = writers[writer]!
            await Promise.all([record(ledger, event), ...(again ? [record(writers[0]!, event)] : [])])
          }
          const events = []
          for await (const entry of readLog(memoryStore(branch))) events.push(entry.event)
          expect(events.map((event) => event.seq)).toEqual(steps.map((_, index) => index + 1))
          const expected = replayed(events)
          for (const ledger of [opened(memoryStore(branch)), ...writers]) {
            await ledger.refresh()
            const view = await ledger.view()
            for (const key of steps.flatMap(({ names }) => names.map((text): AggregateKey => `product/${text}`))) {
              expect(await view.state(key)).toEqual(expected.get(key))
            }
          }
          if (steps.length > 0) expect((await verifyLedger(memoryStore(branch), counterModel)).problems).toEqual([])
        },
      ),
      { numRuns: 60 },
    )
  })

  it('splits its snapshot as it grows, keeps every file small, and rewrites only what changed', async () => {
    const branch = memoryBranch()
    const ledger = opened(memoryStore(branch), { snapshotEvery: 100 })
    const padded = (index: number) => counted([`product-${index}-${'x'.repeat(300)}`])
    for (let start = 0; start < 1_000; start += 100) {
      await record(ledger, ...Array.from({ length: 100 }, (_, index) => padded(start + index)))
    }
    const treeAt = () => branch.commits.get(branch.head ?? '')?.tree ?? new Map<string, Uint8Array>()
    const before = treeAt()
    const shards = [...before].filter(([path]) => path.endsWith('shard.json'))
    expect(shards.length).toBeGreaterThan(8)
    expect(Math.max(...shards.map(([, bytes]) => bytes.length))).toBeLessThan(64 * 1024)
    await record(ledger, padded(17))
    await ledger.snapshot()
    const changed = [...treeAt()].filter(([path, bytes]) => path.endsWith('shard.json') && before.get(path) !== bytes)
    const rewritten = changed.filter(([path, bytes]) => Buffer.compare(bytes, before.get(path) ?? Buffer.of()) !== 0)
    expect(rewritten).toHaveLength(2)
    expect(await verifyLedger(memoryStore(branch), counterModel)).toMatchObject({
      ok: true,
      counts: { aggregates: 1_001 },
    })
  })

  it('keeps an aggregate larger than a file in parts', async () => {
    const branch = memoryBranch()
    const model = {
      keysOf: () => ['board/all'] as const,
      evolve: (_: string, state: unknown, event: { data: unknown }) => [
        ...((state as unknown[] | undefined) ?? []),
        event.data,
      ],
    }
    const ledger = opened(memoryStore(branch), { model, snapshotEvery: 1 })
    const text = 'ü'.repeat(45_000)
    for (let turn = 0; turn < 4; turn += 1)
      await record(ledger, counted(['a'], 1, { data: { products: ['a'], amount: 1, text } }))
    const tree = branch.commits.get(branch.head ?? '')?.tree ?? new Map<string, Uint8Array>()
    expect([...tree.keys()].filter((path) => path.includes('board/shard'))).toEqual([
      'snapshots/board/shard.json',
      'snapshots/board/shard.1.json',
    ])
    expect(await (await opened(memoryStore(branch), { model }).view()).state('board/all')).toHaveLength(4)
    expect(await verifyLedger(memoryStore(branch), model)).toMatchObject({ ok: true })
  })
})

describe('event lines', () => {
  const value = fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' })

  it('come back as they were written, with their chain', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 8 }), (values) => {
        const drafts = values.map((data) => counted(['a'], 1, { data }))
        const encoded = encodeEvents(drafts, ORIGIN)
        const bytes = Buffer.from(`${encoded.lines.join('\n')}\n`)
        const parsed = parseEventFile('x', bytes, ORIGIN)
        expect(parsed).toEqual({
          ok: true,
          value: { events: encoded.events, position: encoded.position, redacted: [] },
        })
      }),
      { numRuns: 200 },
    )
  })

  it('do not survive the change of any one byte unnoticed', () => {
    const encoded = encodeEvents([counted(['a']), counted(['b']), counted(['c'])], ORIGIN)
    const bytes = Buffer.from(`${encoded.lines.join('\n')}\n`)
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const harmed = Buffer.from(bytes)
        harmed[at] = (harmed[at] ?? 0) ^ flip
        const parsed = parseEventFile('x', harmed, ORIGIN)
        expect(parsed.ok && parsed.value.position.tip === encoded.position.tip).toBe(false)
      }),
      { numRuns: 500 },
    )
  })

  it('are all checked, so that every broken one is reported with its number', () => {
    const { lines } = encodeEvents([counted(['a']), counted(['b']), counted(['c'])], ORIGIN)
    const parsed = parseEventFile('e.ndjson', Buffer.from(`x\n${lines[1]}\n\n`), ORIGIN)
    expect(parsed.ok ? [] : parsed.problems.map((problem) => [problem.path, problem.line])).toEqual([
      ['e.ndjson', 1],
      ['e.ndjson', 2],
      ['e.ndjson', 3],
    ])
  })

  it.each([
    ['an empty file', Buffer.of()],
    ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0x22, 0x0a])],
    ['a carriage return', Buffer.from('{}\r\n')],
  ])('refuse %s', (_, bytes) => {
    expect(parseEventFile('x', bytes, ORIGIN).ok).toBe(false)
  })
})

describe('prefixes', () => {
  const sizing = { place: placeOf, bytes: (key: string) => key.length + 1, maxBytes: 40 }

  it('part any keys into leaves that cover each of them exactly once and keep the size', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { maxLength: 60 }), fc.string(), (keys, other) => {
        const leaves = partition(keys, '', sizing)
        expect(leaves.flatMap((leaf) => leaf.items).sort()).toEqual([...keys].sort())
        for (const leaf of leaves) {
          const size = leaf.items.reduce((sum, key) => sum + sizing.bytes(key), 0)
          expect(size <= sizing.maxBytes || leaf.items.length === 1).toBe(true)
          for (const key of leaf.items) expect(covering(leaves, placeOf(key))).toBe(leaf)
        }
        if (covering(leaves, placeOf(other)) === undefined) {
          const free = freePrefix(leaves, placeOf(other))
          expect(leaves.some((leaf) => leaf.prefix.startsWith(free) || free.startsWith(leaf.prefix))).toBe(false)
        }
      }),
    )
  })
})

describe('kept keys', () => {
  const key = fc.oneof(
    fc.integer({ min: 1, max: 400 }).map((id) => `deployment:${10_000_000 + id * 70}:${id}:started:api@1.0.0`),
    fc.string(),
  )

  it('lie in the order of the numbers that they name, and differ where the keys do', () => {
    expect(placeOf('deployment:99999:1') < placeOf('deployment:100000:1')).toBe(true)
    expect(placeOf('run:78/16777215/1:ended') < placeOf('run:78/16777216/1:ended')).toBe(true)
    fc.assert(fc.property(key, key, (a, b) => expect(placeOf(a) === placeOf(b)).toBe(a === b)))
    fc.assert(fc.property(fc.string(), (text) => expect(placeOf(text)).toMatch(/^[0-9a-f]{33,50}$/)))
  })

  it('come back from their file', () => {
    fc.assert(
      fc.property(fc.uniqueArray(key, { minLength: 1, maxLength: 40 }), (keys) => {
        const kept = keys.map((text, seq) => ({ place: placeOf(text), seq }))
        const decoded = decodeKeys(encodeKeys(kept))
        expect(decoded.sort((a, b) => a.seq - b.seq)).toEqual(kept)
      }),
    )
  })

  it('are kept for four days and half a day more at most, whatever the clocks of the writers say', () => {
    const hours = fc.array(fc.integer({ min: -30, max: 40 }), { minLength: 1, maxLength: 60 })
    fc.assert(
      fc.property(hours, (steps) => {
        let kept = { since: 1, marks: [] as { seq: number; at: string }[] }
        let hour = 0
        const recorded: number[] = []
        for (const step of steps) {
          hour += step
          recorded.push(hour)
          kept = keptAfter(kept, {
            seq: recorded.length,
            now: new Date(Date.UTC(2026, 0, 1) + hour * 3_600_000).toISOString(),
          })
          const lapsed = recorded.slice(0, kept.since - 1)
          for (const at of lapsed) expect(Math.max(...recorded) - at).toBeGreaterThan(96)
          expect(kept.marks.length).toBeLessThan(12)
        }
      }),
    )
  })

  it('are found again after splits and lapses, in files of bounded size, and few of them change', async () => {
    const branch = memoryBranch()
    let minute = 0
    const clock = () => new Date(Date.UTC(2026, 10, 1) + minute * 60_000).toISOString()
    const ledger = opened(memoryStore(branch), { snapshotEvery: 50, clock })
    const treeAt = () => branch.commits.get(branch.head ?? '')?.tree ?? new Map<string, Uint8Array>()
    const written = (id: number) =>
      counted(['a'], 1, { key: `deployment:${10_000_000 + id * 70}:${id}:started:a@1.0.0` })
    for (let id = 0; id < 3_000; id += 50) {
      minute += 240
      await record(ledger, ...Array.from({ length: 50 }, (_, index) => written(id + index)))
    }
    const files = [...treeAt()].filter(([path]) => path.startsWith('snapshots/_keys/'))
    expect(Math.max(...files.map(([, bytes]) => bytes.length))).toBeLessThan(9 * 1024)
    /** Four and a half days of 300 keys a day. */
    const stored = files.flatMap(([path, bytes]) => (path.endsWith('.txt') ? decodeKeys(bytes) : []))
    expect(stored.length).toBeLessThan(2_000)
    const before = treeAt()
    await record(ledger, ...Array.from({ length: 50 }, (_, index) => written(3_000 + index)))
    const changed = [...treeAt()].filter(
      ([path, bytes]) => path.startsWith('snapshots/_keys/') && before.get(path) !== bytes,
    )
    const rewritten = changed.filter(([path, bytes]) => Buffer.compare(bytes, before.get(path) ?? Buffer.of()) !== 0)
    expect(rewritten.length).toBeLessThan(8)
    const reopened = opened(memoryStore(branch), { clock })
    const again = await record(reopened, written(2_999), written(2_500), written(5), written(9_999))
    expect(again.events.map(({ key }) => key)).toEqual([written(5).key, written(9_999).key])
    expect((await verifyLedger(memoryStore(branch), counterModel)).problems).toEqual([])
  })
})

describe('event files', () => {
  it.each([
    [
      'the hour of the commit',
      '2026-11-20T10:59:59Z',
      { path: 'events/2026/11/20/09', files: 7 },
      'events/2026/11/20/10',
      1,
    ],
    [
      'the same hour again',
      '2026-11-20T10:00:00.123Z',
      { path: 'events/2026/11/20/10', files: 7 },
      'events/2026/11/20/10',
      8,
    ],
    [
      'the folder before when a clock goes back',
      '2026-11-19T23:00:00Z',
      { path: 'events/2026/11/20/10', files: 7 },
      'events/2026/11/20/10',
      8,
    ],
    [
      'a second folder when the first is full',
      '2026-11-20T10:00:00Z',
      { path: 'events/2026/11/20/10', files: 2_900 },
      'events/2026/11/20/10-1',
      1,
    ],
    [
      'the second folder',
      '2026-11-20T10:00:00Z',
      { path: 'events/2026/11/20/10-1', files: 2 },
      'events/2026/11/20/10-1',
      3,
    ],
    [
      'a third folder',
      '2026-11-20T10:00:00Z',
      { path: 'events/2026/11/20/10-9', files: 2_900 },
      'events/2026/11/20/10-10',
      1,
    ],
    [
      'the next hour after a full one',
      '2026-11-20T11:00:00Z',
      { path: 'events/2026/11/20/10-1', files: 2 },
      'events/2026/11/20/11',
      1,
    ],
    ['the first folder of all', '2026-11-20T10:00:00Z', { path: '', files: 0 }, 'events/2026/11/20/10', 1],
  ])('go into %s', (_, now, before, path, files) => {
    expect(folderFor(now, before)).toEqual({ path, files })
  })

  it.each([
    ['events/2026/11/20/10/4711-01JABC.ndjson', 4711],
    ['events/2026/11/20/10-12/1-01JABC.ndjson', 1],
    ['events/2026/11/20/4711-01JABC.ndjson', undefined],
    ['events/2026/11/20/10/x-01JABC.ndjson', undefined],
    ['head.json', undefined],
  ])('say by their path where they begin: %s', (path, expected) => {
    expect(firstSeqOf(path)).toBe(expected)
  })

  it('are listed in the order of their events, whatever the order of their names', async () => {
    const folders = [
      'events/2026/11/20/10',
      'events/2026/11/20/10-2',
      'events/2026/11/20/10-10',
      'events/2026/11/20/11',
      'events/2027/01/01/00',
    ]
    const paths = folders.flatMap((folder, index) => [
      eventFilePath(folder, 2 * 10 ** index - 1, 'B'),
      eventFilePath(folder, 2 * 10 ** index, 'A'),
    ])
    const branch = memoryBranch()
    const store = memoryStore(branch)
    const additions = [...paths].reverse().map((path) => ({ path, bytes: Buffer.from('x') }))
    await store.commit({ expectedHead: null, operation: 'x', message: 'x', additions, deletions: [] })
    const found: string[] = []
    for await (const { path } of eventPaths(store, branch.head ?? '')) found.push(path)
    expect(found).toEqual(paths)
  })
})

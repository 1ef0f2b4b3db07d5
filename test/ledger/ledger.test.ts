import { describe, expect, it } from '@jest/globals'
import type { EventDraft, LedgerEvent } from '../../src/core/event.ts'
import type { Ledger } from '../../src/ledger/ledger.ts'
import { memoryBranch, memoryStore } from '../../src/ledger/memory.ts'
import { rebuildSnapshots } from '../../src/ledger/rebuild.ts'
import type { CommitRequest, LedgerStore } from '../../src/ledger/store.ts'
import { integrityError, integrityProblem } from '../../src/ledger/trouble.ts'
import { nextId, opened, record } from './opened.ts'
import { counted, counterModel } from './small-model.ts'

const AUTHOR = { name: 'ringmaster[bot]', email: 'ringmaster[bot]@users.noreply.github.com' }

/** A store whose commits wait until they are let go, and that counts its requests. */
function gated(store: LedgerStore) {
  const gates: (() => void)[] = []
  const counts = { commits: 0, reads: 0, newest: 0 }
  const slow: LedgerStore = {
    ...store,
    newest: (paths) => {
      counts.newest += 1
      return store.newest(paths)
    },
    read: (commit, paths) => {
      counts.reads += 1
      return store.read(commit, paths)
    },
    commit: async (request: CommitRequest) => {
      counts.commits += 1
      await new Promise<void>((resolve) => gates.push(resolve))
      return store.commit(request)
    },
  }
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  const release = async () => {
    while (gates.length === 0) await turn()
    gates.shift()?.()
  }
  return { store: slow, counts, release, turn }
}

describe('appending', () => {
  it('makes the branch with the first event and gives a receipt that names it', async () => {
    const ledger = opened(memoryStore())
    const receipt = await record(ledger, counted(['a'], 2))
    expect(receipt.events).toMatchObject([{ seq: 1, type: 'counter.raised', prev: `sha256:${'0'.repeat(64)}` }])
    expect(receipt.head.seq).toBe(1)
    expect(receipt.commit).toMatch(/^[0-9a-f]{40}$/)
    expect(await (await ledger.view()).state('product/a')).toEqual({ total: 2, last: 1 })
  })

  it('commits nothing for a change without events, nor for the documents beside it', async () => {
    const branch = memoryBranch()
    const ledger = opened(memoryStore(branch))
    const receipt = await ledger.append(async (session) => ({
      events: [],
      documents: [{ path: 'configs/a.yml', text: 'a' }],
      result: await session.state('product/a'),
    }))
    expect(receipt).toEqual({
      result: undefined,
      events: [],
      head: { seq: 0, digest: expect.any(String) },
      commit: null,
    })
    expect(branch.head).toBeNull()
  })

  it('records an event whose key is already in the log only once, in the tail, the batch and behind a snapshot', async () => {
    const ledger = opened(memoryStore(), { snapshotEvery: 2 })
    const event = counted(['a'])
    const twice = await record(ledger, event, event)
    expect(twice.events).toHaveLength(1)
    expect((await record(ledger, event)).events).toHaveLength(0)
    await record(ledger, counted(['b']), counted(['b']))
    const again = await record(ledger, event, counted(['c']))
    expect(again.events.map((found) => found.seq)).toEqual([4])
  })

  it('keeps event keys for at least four days and lets them go later', async () => {
    let now = '2026-11-01T10:00:00Z'
    const ledger = opened(memoryStore(), { snapshotEvery: 1, clock: () => now })
    const event = counted(['a'])
    await record(ledger, event)
    now = '2026-11-05T09:59:59Z'
    await record(ledger, counted(['b']))
    expect((await record(ledger, event)).events).toHaveLength(0)
    now = '2026-11-07T10:00:00Z'
    await record(ledger, counted(['c']))
    now = '2026-11-12T10:00:00Z'
    await record(ledger, counted(['d']))
    expect((await record(ledger, event)).events).toHaveLength(1)
  })

  it.each([
    ['a type outside the language', { type: 'Nonsense' }],
    ['a date that is none', { at: 'yesterday' }],
    ['an empty key', { key: '' }],
    ['more than fits a line', { data: { products: ['a'], amount: 1, text: 'x'.repeat(200_000) } }],
  ])('refuses an event with %s and keeps its neighbours', async (_, bad) => {
    const ledger = opened(memoryStore())
    const outcomes = await Promise.allSettled([
      record(ledger, counted(['a'])),
      record(ledger, counted(['a'], 1, bad)),
      record(ledger, counted(['a'])),
    ])
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(outcomes[1]).toMatchObject({ reason: { code: 'event-refused', fault: 'bad-input' } })
    expect(await (await ledger.view()).state('product/a')).toEqual({ total: 2, last: 2 })
  })

  it.each(['head.json', 'events/x', 'snapshots/index.json', '../x', 'a//b', '/a', 'configs/a:b', ''])(
    'refuses a document at %j',
    async (path) => {
      const ledger = opened(memoryStore())
      const appended = ledger.append(async () => ({
        events: [counted(['a'])],
        documents: [{ path, text: '' }],
        result: 0,
      }))
      await expect(appended).rejects.toMatchObject({ code: 'event-refused' })
    },
  )

  it('writes documents beside their events and reads them back', async () => {
    const branch = memoryBranch()
    const ledger = opened(memoryStore(branch))
    await ledger.append(async () => ({
      events: [counted(['a'])],
      documents: [{ path: 'configs/a.yml', text: 'rings: []\n' }],
      result: 0,
    }))
    for (const reader of [ledger, opened(memoryStore(branch))]) {
      const session = await reader.view()
      expect(await session.document('configs/a.yml')).toBe('rings: []\n')
      expect(await session.document('configs/b.yml')).toBeUndefined()
    }
  })

  it('hands out states that nobody can change', async () => {
    const ledger = opened(memoryStore())
    await record(ledger, counted(['a']))
    const state = (await (await ledger.view()).state('product/a')) as { total: number }
    expect(() => {
      state.total = 99
    }).toThrow(TypeError)
  })

  it.each(['__proto__', '../../x', 'a/b', '\u202Egnp.exe', 'x'.repeat(300), '`@everyone`', 'constructor'])(
    'takes the name %j as data, also behind a snapshot',
    async (name) => {
      const branch = memoryBranch()
      const ledger = opened(memoryStore(branch), { snapshotEvery: 1 })
      await record(ledger, counted([name], 7))
      await record(ledger, counted(['other'], 1))
      const session = await opened(memoryStore(branch)).view()
      expect(await session.state(`product/${name}`)).toEqual({ total: 7, last: 1 })
      const paths = [...(branch.commits.get(branch.head ?? '')?.tree.keys() ?? [])]
      expect(paths.filter((path) => !/^[A-Za-z0-9_./-]+$/.test(path) || path.includes('..'))).toEqual([])
    },
  )
})

describe('group commit', () => {
  it('puts the changes that arrive while a commit is in flight into the next one, each seeing those before it', async () => {
    const { store, counts, release } = gated(memoryStore())
    const ledger = opened(store)
    const first = record(ledger, counted(['a']))
    await release().then(() => first)
    const second = record(ledger, counted(['a']))
    await new Promise((resolve) => setTimeout(resolve, 5))
    const seen: unknown[] = []
    const later = [1, 2, 3].map(() =>
      ledger.append(async (session) => {
        seen.push(await session.state('product/a'))
        return { events: [counted(['a'])], result: 0 }
      }),
    )
    await release()
    await second
    expect(seen).toEqual([])
    await release()
    const receipts = await Promise.all(later)
    expect(seen).toEqual([2, 3, 4].map((total) => ({ total, last: total })))
    expect(counts.commits).toBe(3)
    expect(new Set(receipts.map((receipt) => receipt.commit)).size).toBe(1)
    expect(receipts.map((receipt) => receipt.head.seq)).toEqual([5, 5, 5])
  })

  it('gives a receipt only when the change is durable', async () => {
    const { store, release, turn } = gated(memoryStore())
    const ledger = opened(store)
    let isAnswered = false
    const appended = record(ledger, counted(['a'])).then(() => {
      isAnswered = true
    })
    for (let turns = 0; turns < 5; turns += 1) await turn()
    expect(isAnswered).toBe(false)
    await release()
    await appended
    expect(isAnswered).toBe(true)
  })

  it('records the neighbours of a look for news that comes to nothing', async () => {
    const branch = memoryBranch()
    const store = memoryStore(branch)
    let isDown = false
    const newest: typeof store.newest = async (paths) => {
      if (isDown) throw new Error('502')
      return store.newest(paths)
    }
    const ledger = opened({ ...store, newest })
    await record(ledger, counted(['a']))
    isDown = true
    const outcomes = await Promise.allSettled([ledger.refresh(), record(ledger, counted(['a'])), ledger.refresh()])
    expect(outcomes).toMatchObject([
      { status: 'rejected', reason: { message: '502' } },
      { status: 'fulfilled', value: { head: { seq: 2 }, commit: branch.head } },
      { status: 'rejected' },
    ])
    expect(ledger.trouble).toBeUndefined()
    isDown = false
    expect(await ledger.refresh()).toMatchObject({ seq: 2 })
  })

  it('answers a change that throws with what it threw, and records its neighbours', async () => {
    const ledger = opened(memoryStore())
    const outcomes = await Promise.allSettled([
      record(ledger, counted(['a'])),
      ledger.append(async () => {
        throw new Error('no such release')
      }),
      record(ledger, counted(['a'])),
    ])
    expect(outcomes).toMatchObject([
      { status: 'fulfilled' },
      { status: 'rejected', reason: { message: 'no such release' } },
      { status: 'fulfilled' },
    ])
  })

  it('starts anew for a change that arrives the moment a receipt is given', async () => {
    const ledger = opened(memoryStore())
    for (let turns = 0; turns < 20; turns += 1) await record(ledger, counted(['a']))
    expect(await (await ledger.view()).state('product/a')).toEqual({ total: 20, last: 20 })
  })

  it('lets bookkeeping ride with the next commit and never makes one for it', async () => {
    const branch = memoryBranch()
    const ledger = opened(memoryStore(branch))
    const riding = ledger.ride(async () => counted(['cursor'], 2, { key: 'cursor' }))
    const repeated = ledger.ride(async () => counted(['cursor'], 3, { key: 'cursor' }))
    await ledger.flush()
    expect(branch.head).toBeNull()
    const receipt = await record(ledger, counted(['a']))
    expect(receipt.events).toHaveLength(1)
    expect(await riding).toMatchObject([{ seq: 2, data: { amount: 2 } }])
    expect(await repeated).toEqual([])
    expect(branch.commits.size).toBe(1)
  })

  it('drafts bookkeeping at each attempt on what this commit comes to, again where that failed, and tells what is refused', async () => {
    const branch = memoryBranch()
    const [ledger, other] = [opened(memoryStore(branch)), opened(memoryStore(branch))]
    await record(ledger, counted(['a']))
    await record(other, counted(['a']))
    const riding = ledger.ride(async (session) => {
      const { total } = (await session.state('product/a')) as { readonly total: number }
      return counted(['seen'], total, { key: 'seen' })
    })
    const refused = ledger.ride(async () => ({ ...counted(['seen']), type: 'no type' }))
    let isDown = true
    const failing = ledger.ride(async () => {
      if (isDown) throw new TypeError('fetch failed')
      return counted(['again'])
    })
    await record(ledger, counted(['a']))
    expect(await riding).toMatchObject([{ seq: 4, data: { amount: 3 } }])
    await expect(refused).rejects.toMatchObject({ code: 'event-refused' })
    isDown = false
    await record(ledger, counted(['a']))
    expect(await failing).toMatchObject([{ seq: 6, data: { products: ['again'] } }])
  })

  it('leaves bookkeeping out of a commit where it cannot be read for, and takes it with the next', async () => {
    const branch = memoryBranch()
    await record(opened(memoryStore(branch), { snapshotEvery: 1 }), counted(['a']))
    let isDown = true
    const store: LedgerStore = {
      ...memoryStore(branch),
      read: async (commit, paths) => {
        if (isDown && paths.some((path) => path.startsWith('snapshots/product'))) throw new TypeError('fetch failed')
        return memoryStore(branch).read(commit, paths)
      },
    }
    const cursor = counted(['cursor'], 1, { key: 'cursor' })
    const ledger = opened(store, { bookkeeping: () => [cursor] })
    const note = () => counted([], 0, { type: 'note.taken' })
    const both = await Promise.all([record(ledger, note()), record(ledger, note())])
    expect(both.map(({ events }) => events.map(({ seq }) => seq))).toEqual([[2], [3]])
    expect((await ledger.view()).head.seq).toBe(3)
    isDown = false
    expect((await record(ledger, note())).head.seq).toBe(5)
    expect(await (await ledger.view()).state('product/cursor')).toMatchObject({ total: 1 })
  })

  it('tells listeners of each commit in order, until they stop', async () => {
    const ledger = opened(memoryStore())
    const told: number[][] = []
    const stop = ledger.onAppended((events) => told.push(events.map((event) => event.seq)))
    await record(ledger, counted(['a']), counted(['b']))
    await record(ledger, counted(['a']))
    stop()
    await record(ledger, counted(['a']))
    expect(told).toEqual([[1, 2], [3]])
  })

  it('passes the refusal of the pace on and goes on with what comes later', async () => {
    let isRefusing = true
    const pace = async () => {
      if (isRefusing) throw new Error('no budget')
    }
    const ledger = opened(memoryStore(), { pace })
    await expect(record(ledger, counted(['a']))).rejects.toThrow('no budget')
    isRefusing = false
    expect((await record(ledger, counted(['a']))).events).toHaveLength(1)
  })

  it('looks for commits of others while its own changes wait for their pace', async () => {
    const branch = memoryBranch()
    let go = (): void => {}
    const mayGo = new Promise<void>((resolve) => {
      go = resolve
    })
    const ledger = opened(memoryStore(branch), { pace: () => mayGo })
    await ledger.view()
    const waiting = record(ledger, counted(['a']))
    await record(opened(memoryStore(branch)), counted(['b']))
    expect((await ledger.refresh()).seq).toBe(1)
    go()
    expect((await waiting).events).toMatchObject([{ seq: 2 }])
  })

  it('reads what a change is foreseen to need while it waits for its pace', async () => {
    const branch = memoryBranch()
    await record(opened(memoryStore(branch), { snapshotEvery: 1 }), counted(['a']), counted(['b']))
    const { store, counts, release, turn } = gated(memoryStore(branch))
    let go = (): void => {}
    const mayGo = new Promise<void>((resolve) => {
      go = resolve
    })
    const ledger = opened(store, { pace: () => mayGo })
    await ledger.view()
    const append = (draft: EventDraft) => ledger.append(async () => ({ events: [draft], result: undefined }), [draft])
    const both = Promise.all([append(counted(['a'])), append(counted(['b']))])
    for (let turns = 0; turns < 20; turns += 1) await turn()
    const { reads } = counts
    expect(reads).toBeGreaterThan(0)
    go()
    await release()
    expect((await both).map(({ events }) => events[0]?.seq)).toEqual([3, 4])
    expect(counts.reads).toBe(reads)
  })

  it('shows what would follow, on the head that stands, and writes nothing of it', async () => {
    const branch = memoryBranch()
    const ledger = opened(memoryStore(branch))
    const { head } = await record(ledger, counted(['a']))
    const session = await ledger.viewWith([counted(['a']), counted(['b'], 3)])
    expect(session.head).toEqual(head)
    expect(await Promise.all([session.state('product/a'), session.state('product/b')])).toMatchObject([
      { total: 2 },
      { total: 3 },
    ])
    await ledger.close()
    expect(branch.commits.size).toBe(1)
    expect(await (await ledger.view()).state('product/a')).toMatchObject({ total: 1 })
  })

  it('ends what it looks at before it is closed', async () => {
    const order: string[] = []
    const memory = memoryStore()
    const ledger = opened({
      ...memory,
      newest: async (paths) => {
        await new Promise((resolve) => setTimeout(resolve, 5))
        order.push('looked')
        return memory.newest(paths)
      },
    })
    const looking = ledger.refresh()
    await ledger.close()
    order.push('closed')
    await looking
    expect(order).toEqual(['looked', 'closed'])
    await expect(ledger.refresh()).rejects.toMatchObject({ code: 'ledger-closed' })
  })

  it('finishes what it took and refuses the rest when it is closed', async () => {
    const ledger = opened(memoryStore())
    const taken = record(ledger, counted(['a']))
    await ledger.close()
    expect((await taken).events).toHaveLength(1)
    await expect(record(ledger, counted(['a']))).rejects.toMatchObject({ code: 'ledger-closed' })
  })

  it('cuts a flood into commits and files of bounded size, and loses nothing', async () => {
    const branch = memoryBranch()
    const ledger = opened(memoryStore(branch))
    const text = 'x'.repeat(60_000)
    const large = () => counted(['a'], 1, { data: { products: ['a'], amount: 1, text } })
    const receipts = await Promise.all(Array.from({ length: 40 }, () => record(ledger, large())))
    expect(receipts.flatMap((receipt) => receipt.events.map((event) => event.seq))).toEqual(
      Array.from({ length: 40 }, (_, index) => index + 1),
    )
    expect(branch.commits.size).toBeGreaterThan(1)
    const tree = branch.commits.get(branch.head ?? '')?.tree ?? new Map<string, Uint8Array>()
    expect(Math.max(...[...tree.values()].map((bytes) => bytes.length))).toBeLessThanOrEqual(256 * 1024)
    expect(await (await opened(memoryStore(branch)).view()).state('product/a')).toEqual({ total: 40, last: 40 })
  })
})

describe('several writers', () => {
  it('decides every change of a batch again on the new state after a lost race', async () => {
    const branch = memoryBranch()
    const [one, two] = [opened(memoryStore(branch)), opened(memoryStore(branch))]
    await record(one, counted(['a']))
    await two.view()
    await record(one, counted(['a']))
    const seen: unknown[] = []
    const receipt = await two.append(async (session) => {
      const state = await session.state('product/a')
      seen.push(state)
      return { events: [counted(['a'])], result: state }
    })
    expect(seen).toEqual([
      { total: 1, last: 1 },
      { total: 2, last: 2 },
    ])
    expect(receipt.result).toEqual({ total: 2, last: 2 })
    expect(receipt.events[0]?.seq).toBe(3)
  })

  it('does not take a read that lags behind a snapshot for a branch that was set back', async () => {
    const branch = memoryBranch()
    const one = opened(memoryStore(branch))
    await record(one, counted(['a']))
    const old = branch.head
    await one.snapshot()
    let lagging = 0
    const lags: LedgerStore = {
      ...memoryStore(branch),
      readLagMs: 30_000,
      newest: async (paths) => {
        lagging -= 1
        return memoryStore({ ...branch, head: lagging >= 0 ? old : branch.head }).newest(paths)
      },
    }
    const waited: number[] = []
    const two = opened(lags, { delay: async (milliseconds) => void waited.push(milliseconds) })
    await two.view()
    lagging = 4
    expect((await two.refresh()).seq).toBe(1)
    expect(waited).toHaveLength(4)
    expect(two.trouble).toBeUndefined()
    await record(one, counted(['a']))
    const before = branch.head
    await two.refresh()
    await rebuildSnapshots(memoryStore(branch), counterModel, {
      now: '2026-11-20T10:00:00Z',
      newId: nextId,
      writer: { version: '0.1.0' },
    })
    waited.length = 0
    /** What follows the commit that is known is not waited for. */
    expect(branch.head).not.toBe(before)
    expect((await two.refresh()).seq).toBe(2)
    expect(waited).toEqual([])
    branch.head = old
    await expect(two.refresh()).rejects.toMatchObject({ code: 'ledger-rewound' })
  })

  it('lets four writers raise one counter together without a lost or doubled event', async () => {
    const branch = memoryBranch()
    const writers = Array.from({ length: 4 }, () => opened(memoryStore(branch), { snapshotEvery: 7 }))
    await Promise.all(
      writers.map(async (ledger) => {
        for (let turn = 0; turn < 10; turn += 1) await record(ledger, counted(['a']))
      }),
    )
    const reader = opened(memoryStore(branch))
    expect(await (await reader.view()).state('product/a')).toEqual({ total: 40, last: 40 })
    for (const writer of writers) {
      await writer.refresh()
      expect(await (await writer.view()).state('product/a')).toEqual({ total: 40, last: 40 })
    }
  })

  it('tells of the events it finds: those behind the snapshot at first, then those of others', async () => {
    const branch = memoryBranch()
    const told: number[] = []
    await record(opened(memoryStore(branch), { snapshotEvery: 2 }), counted(['a']), counted(['a']))
    const other = opened(memoryStore(branch))
    await record(other, counted(['a']))
    const followed = (events: readonly LedgerEvent[]) => void told.push(...events.map(({ seq }) => seq))
    const ledger = opened(memoryStore(branch), { followed })
    await ledger.view()
    expect(told).toEqual([3])
    await record(ledger, counted(['b']))
    await record(other, counted(['c']))
    await record(ledger, counted(['d']))
    expect(told).toEqual([3, 5])
  })

  it('gives up a race after a bounded number of attempts', async () => {
    const store: LedgerStore = { ...memoryStore(), commit: async () => ({ kind: 'stale' }) }
    await expect(record(opened(store), counted(['a']))).rejects.toMatchObject({
      code: 'ledger-contended',
      fault: 'outside',
    })
  })

  it('keeps a view where it was while the log moves on', async () => {
    const ledger = opened(memoryStore(), { snapshotEvery: 2 })
    await record(ledger, counted(['a']))
    const view = await ledger.view()
    await record(ledger, counted(['a']), counted(['a']))
    expect(await view.state('product/a')).toEqual({ total: 1, last: 1 })
  })
})

describe('an answer that was lost', () => {
  const losing = (store: LedgerStore, when: 'before' | 'after'): LedgerStore => {
    let isLost = false
    return {
      ...store,
      async commit(request) {
        const outcome = isLost || when === 'after' ? await store.commit(request) : undefined
        if (isLost && outcome) return outcome
        isLost = true
        throw new Error('connection reset')
      },
    }
  }

  it('is settled by the operation at the head when the commit was made', async () => {
    const branch = memoryBranch()
    const ledger = opened(losing(memoryStore(branch), 'after'))
    const receipt = await record(ledger, counted(['a']))
    expect(receipt.events.map((event) => event.seq)).toEqual([1])
    expect(branch.commits.size).toBe(1)
    await record(ledger, counted(['a']))
    expect(await (await ledger.view()).state('product/a')).toEqual({ total: 2, last: 2 })
  })

  it('does not double an event when the process dies before it learns of its commit, and the event comes again', async () => {
    const branch = memoryBranch()
    const dying: LedgerStore = {
      ...memoryStore(branch),
      async commit(request) {
        await memoryStore(branch).commit(request)
        return new Promise(() => {})
      },
    }
    const event = counted(['a'])
    void record(opened(dying), event)
    while (branch.head === null) await new Promise((resolve) => setImmediate(resolve))
    const successor = opened(memoryStore(branch))
    const receipt = await record(successor, event, counted(['b']))
    expect(receipt.events.map(({ seq }) => seq)).toEqual([2])
    expect(await (await successor.view()).state('product/a')).toEqual({ total: 1, last: 1 })
  })

  it('fails the change when the commit was not made, and the same change can be appended again', async () => {
    const ledger = opened(losing(memoryStore(), 'before'))
    const event = counted(['a'])
    await expect(record(ledger, event)).rejects.toThrow('connection reset')
    expect((await record(ledger, event)).events).toHaveLength(1)
  })
})

describe('a branch that cannot be trusted', () => {
  const tampered = async (change: (branch: ReturnType<typeof memoryBranch>) => Promise<void> | void) => {
    const branch = memoryBranch()
    const ledger = opened(memoryStore(branch, AUTHOR), { writer: { version: '0.1.0', author: AUTHOR } })
    await record(ledger, counted(['a']))
    await record(ledger, counted(['a']))
    await change(branch)
    return { branch, ledger, head: branch.head }
  }
  const setTo = (branch: ReturnType<typeof memoryBranch>, commit: string | null) => {
    branch.head = commit
  }
  const rewrite = async (branch: ReturnType<typeof memoryBranch>, path: string, text: string, author = AUTHOR) => {
    const bytes = Buffer.from(text)
    const expectedHead = branch.head
    await memoryStore(branch, author).commit({
      expectedHead,
      operation: 'x',
      message: 'x',
      additions: [{ path, bytes }],
      deletions: [],
    })
  }

  it.each<[string, string, (branch: ReturnType<typeof memoryBranch>) => Promise<void> | void]>([
    ['was removed', 'ledger-missing', (branch) => setTo(branch, null)],
    [
      'was set back',
      'ledger-rewound',
      (branch) => setTo(branch, branch.commits.get(branch.head ?? '')?.info.parents[0] ?? null),
    ],
    [
      'was replaced by another log of the same length',
      'ledger-replaced',
      async (branch) => {
        branch.head = null
        const other = opened(memoryStore(branch, AUTHOR))
        await record(other, counted(['b']))
        await record(other, counted(['b']))
      },
    ],
    [
      'was replaced by a longer log that has its own snapshot',
      'ledger-replaced',
      async (branch) => {
        branch.head = null
        const other = opened(memoryStore(branch, AUTHOR), { snapshotEvery: 2 })
        for (let turn = 0; turn < 6; turn += 1) await record(other, counted(['b']))
      },
    ],
    [
      'was forked: set back, and written on by the same writer',
      'ledger-forked',
      async (branch) => {
        branch.head = branch.commits.get(branch.head ?? '')?.info.parents[0] ?? null
        const other = opened(memoryStore(branch, AUTHOR))
        await record(other, counted(['b']))
        await record(other, counted(['b']))
      },
    ],
    [
      'was forked, and has a snapshot behind what was seen',
      'ledger-forked',
      async (branch) => {
        branch.head = branch.commits.get(branch.head ?? '')?.info.parents[0] ?? null
        const other = opened(memoryStore(branch, AUTHOR), { snapshotEvery: 3 })
        for (let turn = 0; turn < 7; turn += 1) await record(other, counted(['b']))
      },
    ],
    [
      'was forked, and the other line is the shorter one',
      'ledger-forked',
      async (branch) => {
        const [first] = [branch.commits.get(branch.head ?? '')?.info.parents[0] ?? null]
        branch.head = first
        await rewrite(branch, 'README.md', 'hi')
      },
    ],
    [
      'was edited in its past, with everything behind it made to fit',
      'ledger-damaged',
      async (branch) => {
        const own = branch.head
        branch.head = null
        const other = opened(memoryStore(branch, AUTHOR))
        await record(other, counted(['b']))
        await record(other, counted(['b']))
        const tree = branch.commits.get(branch.head ?? '')?.tree ?? new Map<string, Uint8Array>()
        branch.head = own
        const old = branch.commits.get(own ?? '')?.tree ?? new Map<string, Uint8Array>()
        await memoryStore(branch, AUTHOR).commit({
          expectedHead: own,
          operation: 'z',
          message: 'z',
          additions: [...tree].map(([path, bytes]) => ({ path, bytes })),
          deletions: [...old.keys()].filter((path) => !tree.has(path)),
        })
      },
    ],
    ['has a head that is no JSON', 'ledger-damaged', (branch) => rewrite(branch, 'head.json', '{')],
    [
      'has a head of an unknown schema',
      'unknown-schema-version',
      (branch) => rewrite(branch, 'head.json', '{"schemaVersion":9}'),
    ],
    [
      'has a commit by somebody else',
      'foreign-author',
      (branch) => rewrite(branch, 'README.md', 'hi', { name: 'eve', email: 'eve@example.org' }),
    ],
    [
      'has a commit by somebody else behind hundreds of ours',
      'foreign-author',
      async (branch) => {
        await rewrite(branch, 'README.md', 'hi', { name: 'eve', email: 'eve@example.org' })
        for (let turn = 0; turn < 250; turn += 1) await rewrite(branch, 'README.md', `${turn}`)
      },
    ],
    [
      'goes on from hundreds of commits of another history with the same events',
      'ledger-replaced',
      async (branch) => {
        const tree = branch.commits.get(branch.head ?? '')?.tree ?? new Map<string, Uint8Array>()
        branch.head = null
        for (let turn = 0; turn < 250; turn += 1) await rewrite(branch, 'README.md', `${turn}`)
        const additions = [...tree].map(([path, bytes]) => ({ path, bytes }))
        await memoryStore(branch, AUTHOR).commit({
          expectedHead: branch.head,
          operation: 'y',
          message: 'y',
          additions,
          deletions: ['README.md'],
        })
      },
    ],
  ])('closes the ledger when it %s', async (_, code, change) => {
    const { branch, ledger, head } = await tampered(change)
    await expect(record(ledger, counted(['a']))).rejects.toMatchObject({ code, fault: 'refused' })
    const hint = code === 'unknown-schema-version' ? 'Update Ringmaster' : 'ledger verify'
    expect(ledger.trouble).toMatchObject({ code, hint: expect.stringContaining(hint) })
    await expect(record(ledger, counted(['a']))).rejects.toMatchObject({ code })
    await expect(ledger.view()).rejects.toMatchObject({ code })
    expect(branch.head).toBe(head)
  })

  it('names an event file that was edited, with its line, when it is opened', async () => {
    const { branch } = await tampered(() => {})
    const tree = branch.commits.get(branch.head ?? '')?.tree ?? new Map<string, Uint8Array>()
    const path = [...tree.keys()].find((name) => name.includes('/1-')) ?? ''
    await rewrite(
      branch,
      path,
      Buffer.from(tree.get(path) ?? [])
        .toString()
        .replace('"amount":1', '"amount":9'),
    )
    const ledger = opened(memoryStore(branch))
    const second = [...tree.keys()].find((name) => name.includes('/2-'))
    await expect(ledger.view()).rejects.toMatchObject({ code: 'ledger-damaged', problems: [{ path: second, line: 1 }] })
  })

  it('names a snapshot shard that was edited', async () => {
    const branch = memoryBranch()
    await record(opened(memoryStore(branch), { snapshotEvery: 1 }), counted(['a']))
    const path = 'snapshots/product/shard.json'
    await rewrite(branch, path, '{"entries":[],"kind":"product","prefix":"","schemaVersion":1}')
    const ledger = opened(memoryStore(branch))
    const view = await ledger.view()
    await expect(view.state('product/a')).rejects.toMatchObject({ code: 'ledger-damaged', problems: [{ path }] })
    expect(ledger.trouble).toMatchObject({ code: 'ledger-damaged', problems: [{ path }] })
    await expect(record(ledger, counted(['a']))).rejects.toMatchObject({ code: 'ledger-damaged' })
    await expect(record(ledger, counted(['b']))).rejects.toMatchObject({ code: 'ledger-damaged' })
  })

  it('is not written by a program older than its minWriter', async () => {
    const branch = memoryBranch()
    await record(opened(memoryStore(branch)), counted(['a']))
    const old = opened(memoryStore(branch), { writer: { version: '0.0.9' } })
    await expect(record(old, counted(['a']))).rejects.toMatchObject({ code: 'writer-too-old' })
    expect(await (await old.view()).state('product/a')).toEqual({ total: 1, last: 1 })
  })

  it.each([
    ['a look for commits of others', (ledger: Ledger) => ledger.refresh()],
    ['a view of what would follow', (ledger: Ledger) => ledger.viewWith([counted(['a'])])],
  ])('is seen to be no place for an older program by %s', async (_name, look) => {
    const branch = memoryBranch()
    await record(opened(memoryStore(branch)), counted(['a']))
    const old = opened(memoryStore(branch), { writer: { version: '0.0.9' } })
    await expect(look(old)).rejects.toMatchObject({ code: 'writer-too-old' })
    expect(old.trouble).toMatchObject({ code: 'writer-too-old' })
    await expect(look(old)).rejects.toMatchObject({ code: 'writer-too-old' })
  })

  it('is not looked at any more once it is distrusted', async () => {
    const { store, counts } = gated(memoryStore())
    const ledger = opened(store)
    await ledger.view()
    const { newest } = counts
    ledger.distrust(integrityError(integrityProblem('ledger-rewound', 'it was cut off')))
    await expect(ledger.refresh()).rejects.toMatchObject({ code: 'ledger-rewound' })
    await expect(ledger.viewWith([counted(['a'])])).rejects.toMatchObject({ code: 'ledger-rewound' })
    expect(counts.newest).toBe(newest)
  })

  it('waits for a lagging read before it says that the branch went back', async () => {
    const branch = memoryBranch()
    const store = memoryStore(branch)
    let lagging = 0
    let old: string | null = null
    const lagged: LedgerStore = {
      ...store,
      readLagMs: 30_000,
      async newest(paths) {
        lagging -= 1
        const head = branch.head
        if (lagging >= 0) branch.head = old
        const newest = await store.newest(paths)
        branch.head = head
        return newest
      },
    }
    const waited: number[] = []
    const ledger = opened(lagged, { delay: async (milliseconds) => void waited.push(milliseconds) })
    await record(ledger, counted(['a']))
    old = branch.head
    await record(ledger, counted(['a']))
    lagging = 3
    await ledger.refresh()
    expect(waited).toHaveLength(3)
    expect(await (await ledger.view()).state('product/a')).toEqual({ total: 2, last: 2 })
  })

  it('is looked at again when it is opened right after it was restored, until a read cannot lag any more', async () => {
    const { branch } = await tampered(() => {})
    const restored = branch.head
    await rewrite(branch, 'README.md', 'hi', { name: 'eve', email: 'eve@example.org' })
    const foreign = branch.head
    let lagging = 3
    const newest: LedgerStore['newest'] = (paths) => {
      lagging -= 1
      return memoryStore({ ...branch, head: lagging >= 0 ? foreign : restored }).newest(paths)
    }
    const waited: number[] = []
    const lagged: LedgerStore = { ...memoryStore(branch), readLagMs: 30_000, newest }
    const open = () =>
      opened(lagged, {
        writer: { version: '0.1.0', author: AUTHOR },
        delay: async (milliseconds) => void waited.push(milliseconds),
      })
    const ledger = open()
    expect((await ledger.view()).head.seq).toBe(2)
    expect(ledger.trouble).toBeUndefined()
    expect(waited).toHaveLength(3)
    lagging = Number.POSITIVE_INFINITY
    waited.length = 0
    await expect(open().view()).rejects.toMatchObject({ code: 'foreign-author' })
    const inAll = waited.reduce((sum, milliseconds) => sum + milliseconds, 0)
    expect(inAll).toBeGreaterThanOrEqual(30_000)
    expect(inAll).toBeLessThan(40_000)
  })
})

describe('requests', () => {
  it('reads a document once, however many commits come after', async () => {
    const branch = memoryBranch()
    const writer = opened(memoryStore(branch))
    const documents = [{ path: 'configs/a.yml', text: 'a' }]
    await writer.append(async () => ({ events: [counted(['a'])], documents, result: 0 }))
    let reads = 0
    const store = memoryStore(branch)
    const ledger = opened({
      ...store,
      read: (commit, paths) => {
        if (paths.includes('configs/a.yml')) reads += 1
        return store.read(commit, paths)
      },
    })
    for (let turn = 0; turn < 5; turn += 1) {
      const receipt = await ledger.append(async (session) => ({
        events: [counted(['a'])],
        result: await session.document('configs/a.yml'),
      }))
      expect(receipt.result).toBe('a')
    }
    expect(reads).toBe(1)
    await ledger.append(async () => ({
      events: [counted(['a'])],
      documents: [{ path: 'configs/a.yml', text: 'b' }],
      result: 0,
    }))
    expect(await (await ledger.view()).document('configs/a.yml')).toBe('b')
    expect(reads).toBe(1)
  })

  it('appends with one commit and no read once it is warm, and opens with a bounded number of reads', async () => {
    const branch = memoryBranch()
    const writer = opened(memoryStore(branch))
    /** As GitHub numbers deployments: a new one has a higher id than all before. */
    const deployment = (id: number) => ({ key: `deployment:${1_000_000 + id}:1:started:api@1.0.0` })
    for (let turn = 0; turn < 300; turn += 1)
      await record(writer, counted([`p${turn % 50}`], 1, turn % 3 === 0 ? {} : deployment(turn)))
    const { store, counts, release } = gated(memoryStore(branch))
    const ledger = opened(store)
    await (await ledger.view()).state('product/p3')
    expect(counts).toEqual({ commits: 0, newest: 1, reads: 3 })
    const append = async (event: EventDraft) => {
      const appended = record(ledger, event)
      await release()
      await appended
    }
    for (let turn = 300; turn < 303; turn += 1) await append(counted(['p3'], 1, deployment(turn)))
    expect(counts).toMatchObject({ commits: 3, newest: 1 })
    expect(counts.reads).toBeLessThanOrEqual(7)
    const { reads } = counts
    for (let turn = 303; turn < 306; turn += 1) await append(counted(['p3'], 1, deployment(turn)))
    expect(counts.reads).toBe(reads)
    // A key without a number lies anywhere: its file is read, and its page the first time.
    for (let turn = 0; turn < 3; turn += 1) await append(counted(['p3']))
    expect(counts.reads).toBeLessThanOrEqual(reads + 4)
  })

  it('reads the index of a snapshot once for all commits of others that make no new one', async () => {
    const branch = memoryBranch()
    const writer = opened(memoryStore(branch))
    await record(writer, counted(['a']))
    await writer.snapshot()
    const store = memoryStore(branch)
    let indexes = 0
    const reader = opened({
      ...store,
      read: (commit, paths) => {
        if (paths.includes('snapshots/index.json')) indexes += 1
        return store.read(commit, paths)
      },
    })
    for (let turn = 0; turn < 3; turn += 1) {
      await record(writer, counted(['a']))
      await reader.refresh()
    }
    expect([indexes, await (await reader.view()).state('product/a')]).toEqual([1, { total: 4, last: 4 }])
    await writer.snapshot()
    await reader.refresh()
    expect(indexes).toBe(2)
  })

  it('makes the first snapshot after a start with a few reads, however many aggregates changed', async () => {
    const branch = memoryBranch()
    const writer = opened(memoryStore(branch))
    const products = Array.from({ length: 2_000 }, (_, index) => `p${index}-${'x'.repeat(80)}`)
    await record(writer, ...products.map((product) => counted([product])))
    await writer.snapshot()
    const shards = [...(branch.commits.get(branch.head ?? '')?.tree.keys() ?? [])].filter((path) => /shard/.test(path))
    expect(shards.length).toBeGreaterThan(10)
    const dirty = products.slice(0, 200)
    await record(writer, ...dirty.map((product) => counted([product], 2)))
    const store = memoryStore(branch)
    const read: (readonly string[])[] = []
    const ledger = opened({
      ...store,
      read: (commit, paths) => {
        read.push(paths)
        return store.read(commit, paths)
      },
    })
    await ledger.snapshot()
    // The tail and the index, then pages, shards, and those of the keys of events.
    expect(read.length).toBeLessThanOrEqual(5)
    expect(new Set(read.flat()).size).toBe(read.flat().length)
    const session = await opened(memoryStore(branch)).view()
    expect(await session.state(`product/${dirty[0]}`)).toMatchObject({ total: 3 })
    expect(await session.state(`product/${products[1_999]}`)).toMatchObject({ total: 1 })
  })
})

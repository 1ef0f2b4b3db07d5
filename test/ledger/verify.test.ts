import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import { sha256 } from '../../src/core/json.ts'
import { encodeEvents } from '../../src/ledger/codec.ts'
import { gitStore } from '../../src/ledger/git.ts'
import { type MemoryBranch, memoryBranch, memoryStore } from '../../src/ledger/memory.ts'
import { readLog } from '../../src/ledger/read-log.ts'
import type { Author, LedgerStore } from '../../src/ledger/store.ts'
import { verifyLedger } from '../../src/ledger/verify.ts'
import { BOT } from './fake-github.ts'
import { nextId, opened, record } from './opened.ts'
import { counted, counterModel } from './small-model.ts'

const directory = mkdtempSync(join(tmpdir(), 'ledger-verify-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const POLICY = 'rings: []\n'
const POLICY_PATH = `configs/${sha256(POLICY).slice('sha256:'.length)}.yml`

/** Twelve events in several files, two snapshots, one accepted configuration. */
async function writeLog(store: LedgerStore): Promise<void> {
  const ledger = opened(store, { snapshotEvery: 5 })
  const accepted = counted(['config'], 0, {
    type: 'config.accepted',
    data: { products: ['config'], amount: 0, digest: sha256(POLICY) },
  })
  await ledger.append(async () => ({ events: [accepted], documents: [{ path: POLICY_PATH, text: POLICY }], result: 0 }))
  for (let turn = 0; turn < 5; turn += 1) await record(ledger, counted([`p${turn}`, '__proto__']), counted(['a/b']))
  await record(ledger, counted(['a/b']))
}

const treeOf = (branch: MemoryBranch) => branch.commits.get(branch.head ?? '')?.tree ?? new Map<string, Uint8Array>()
const textOf = (branch: MemoryBranch, path: string) => Buffer.from(treeOf(branch).get(path) ?? []).toString('utf8')
const pathOf = (branch: MemoryBranch, part: string) =>
  [...treeOf(branch).keys()].find((path) => path.includes(part)) ?? ''

/** A commit by hand on top of the branch. */
async function commitByHand(
  branch: MemoryBranch,
  files: Record<string, string | null>,
  author: Author = BOT,
): Promise<void> {
  const entries = Object.entries(files)
  await memoryStore(branch, author).commit({
    expectedHead: branch.head,
    operation: nextId(),
    message: 'by hand',
    additions: entries.flatMap(([path, text]) => (text === null ? [] : [{ path, bytes: Buffer.from(text) }])),
    deletions: entries.flatMap(([path, text]) => (text === null ? [path] : [])),
  })
}

const written = async () => {
  const branch = memoryBranch()
  await writeLog(memoryStore(branch, BOT))
  return branch
}

const headOf = (branch: MemoryBranch) => JSON.parse(textOf(branch, 'head.json')) as Record<string, unknown>

describe('verifying a sound log', () => {
  it('counts what it read and finds nothing', async () => {
    const branch = await written()
    const report = await verifyLedger(memoryStore(branch), counterModel, { author: BOT })
    expect(report.problems).toEqual([])
    expect(report).toMatchObject({
      ok: true,
      head: { seq: 12, digest: headOf(branch)['tip'] },
      counts: { files: 7, events: 12, aggregates: 9, documents: 1, commits: 7, redecided: 0 },
    })
    expect(report.counts.shards).toBeGreaterThan(0)
    expect(report.counts.keyFiles).toBeGreaterThan(0)
  })

  it('finds nothing in a real repository either', async () => {
    const path = join(directory, 'sound.git')
    execFileSync('git', ['init', '--quiet', '--bare', path])
    const store = gitStore({
      directory: path,
      branch: 'ringmaster-data',
      author: BOT,
      clock: () => '2026-11-20T10:00:00Z',
    })
    await writeLog(store)
    expect(await verifyLedger(store, counterModel, { author: BOT })).toMatchObject({
      ok: true,
      problems: [],
      counts: { events: 12 },
    })
    expect(execFileSync('git', ['--git-dir', path, 'for-each-ref', '--format=%(refname)']).toString().trim()).toBe(
      'refs/heads/ringmaster-data',
    )
    execFileSync('git', ['--git-dir', path, 'fsck', '--strict'], { stdio: 'pipe' })
  })

  it('agrees with anchors that stand outside the branch', async () => {
    const branch = memoryBranch()
    const ledger = opened(memoryStore(branch))
    const { head } = await record(ledger, counted(['a']))
    await record(ledger, counted(['a']))
    expect(await verifyLedger(memoryStore(branch), counterModel, { anchors: [head] })).toMatchObject({ ok: true })
  })

  it('decides recorded decisions again on the state before each of them', async () => {
    const branch = await written()
    const seen: unknown[] = []
    const report = await verifyLedger(memoryStore(branch), counterModel, {
      redecide: async (event, stateBefore, document) => {
        if (event.type === 'config.accepted') expect(await document(POLICY_PATH)).toBe(POLICY)
        if (event.seq !== 3 && event.seq !== 12) return null
        seen.push(stateBefore('product/a/b'))
        return event.seq === 12 ? [{ code: 'decided-otherwise', message: 'expected approved, found waiting' }] : []
      },
    })
    expect(seen).toEqual([undefined, { total: 5, last: 11 }])
    expect(report.counts.redecided).toBe(2)
    const path = pathOf(branch, '/12-')
    expect(report.problems).toEqual([
      { code: 'decided-otherwise', message: `${path}:1: expected approved, found waiting`, path, line: 1 },
    ])
  })
})

it('reads a configuration once for all decisions that go by it, also one that is not there', async () => {
  const store = memoryStore(await written())
  const asked: string[] = []
  const watched: LedgerStore = {
    ...store,
    read: (commit, paths) => {
      asked.push(...paths)
      return store.read(commit, paths)
    },
  }
  const report = await verifyLedger(watched, counterModel, {
    redecide: async (_event, _stateBefore, document) => {
      expect(await document(POLICY_PATH)).toBe(POLICY)
      expect(await document('configs/none.yml')).toBeUndefined()
      return []
    },
    documentsOf: () => [],
  })
  expect(report).toMatchObject({ ok: true, counts: { redecided: 12 } })
  expect(asked.filter((path) => path.startsWith('configs/'))).toEqual([POLICY_PATH, 'configs/none.yml'])
})

describe('the first problem of a log', () => {
  const differing = async () => [{ code: 'decision-differs', message: 'expected approved, found waiting' }]

  it('is the stored file that was changed, and not a decision or a snapshot that comes out otherwise', async () => {
    const branch = await written()
    await commitByHand(branch, { [POLICY_PATH]: 'rings: [prod]\n' })
    const { problems } = await verifyLedger(memoryStore(branch), counterModel, { redecide: differing })
    expect(problems[0]).toMatchObject({ code: 'ledger-damaged', path: POLICY_PATH })
    expect(problems.slice(1).map(({ code }) => code)).toEqual(Array(12).fill('decision-differs'))
  })

  it('is the line that was changed, although the snapshot at it is the first to come out otherwise', async () => {
    const branch = await written()
    const { seq } = headOf(branch)['snapshot'] as { seq: number }
    const [path = ''] = [...treeOf(branch).keys()].filter((name) => textOf(branch, name).includes(`{"seq":${seq},`))
    await commitByHand(branch, { [path]: textOf(branch, path).replaceAll('"ann"', '"eve"') })
    const { problems } = await verifyLedger(memoryStore(branch), counterModel)
    expect(problems[0]?.message).toMatch(/expected the chain to name/)
  })

  it('is one line for an address that no commit is by', async () => {
    const branch = await written()
    const { problems } = await verifyLedger(memoryStore(branch), counterModel, { author: { email: 'eve@example.org' } })
    const [newest] = [...branch.commits.keys()].slice(-1)
    expect(problems).toMatchObject([
      {
        code: 'foreign-author',
        message: `memory: expected commits by eve@example.org, found none among 7: the newest, ${newest}, is by ${BOT.email}`,
      },
    ])
  })
})

describe('a branch that is no log', () => {
  const strange = async () => {
    const branch = memoryBranch()
    for (const text of ['hi', 'hello']) await commitByHand(branch, { 'README.md': text })
    return branch
  }

  it('is named as such', async () => {
    const { problems } = await verifyLedger(memoryStore(await strange()), counterModel)
    expect(problems).toMatchObject([
      {
        code: 'ledger-missing',
        message: expect.stringMatching(/expected a log, found neither head.json nor an event/),
      },
    ])
  })

  it('was replaced, where anchors name a log', async () => {
    const branch = await written()
    const head = { seq: 12, digest: String(headOf(branch)['tip']) }
    for (const anchor of [head, { ...head, seq: null }]) {
      const { problems } = await verifyLedger(memoryStore(await strange()), counterModel, { anchors: [anchor] })
      expect(problems.map(({ code }) => code)).toEqual(['ledger-missing', 'ledger-replaced'])
    }
  })
})

describe('verifying a log that was harmed', () => {
  const edited = (branch: MemoryBranch, path: string, from: string | RegExp, to: string) => {
    const before = textOf(branch, path)
    const after = before.replace(from, to)
    expect(after).not.toBe(before)
    return commitByHand(branch, { [path]: after })
  }
  type Harm = (branch: MemoryBranch) => Promise<{ path?: string; line?: number }>

  it.each<[string, string, Harm]>([
    [
      'a line that is no JSON',
      'ledger-damaged',
      async (branch) => {
        const path = pathOf(branch, '/2-')
        await edited(branch, path, /\n\{.*\n$/, '\n{"seq":\n')
        return { path, line: 2 }
      },
    ],
    [
      'an edited event',
      'ledger-damaged',
      async (branch) => {
        const path = pathOf(branch, '/2-')
        await edited(branch, path, '"login":"ann"', '"login":"eve"')
        return { path, line: 2 }
      },
    ],
    [
      'an edited last event',
      'ledger-damaged',
      async (branch) => {
        const path = pathOf(branch, '/12-')
        await edited(branch, path, '"login":"ann"', '"login":"eve"')
        return { path }
      },
    ],
    [
      'a line more than there was',
      'ledger-damaged',
      async (branch) => {
        const path = pathOf(branch, '/4-')
        await commitByHand(branch, { [path]: `${textOf(branch, path)}${textOf(branch, path)}` })
        return { path, line: 3 }
      },
    ],
    [
      'a line without its end',
      'ledger-damaged',
      async (branch) => {
        const path = pathOf(branch, '/12-')
        await edited(branch, path, /\n$/, '')
        return { path, line: 1 }
      },
    ],
    [
      'an event with a field that does not belong',
      'ledger-damaged',
      async (branch) => {
        const path = pathOf(branch, '/12-')
        await edited(branch, path, '"trust"', '"extra":1,"trust"')
        return { path, line: 1 }
      },
    ],
    [
      'a missing file',
      'ledger-damaged',
      async (branch) => {
        const path = pathOf(branch, '/6-')
        const next = pathOf(branch, '/8-')
        await commitByHand(branch, { [path]: null })
        return { path: next, line: 1 }
      },
    ],
    [
      'a missing last file',
      'ledger-damaged',
      async (branch) => {
        const path = pathOf(branch, '/12-')
        await commitByHand(branch, { [path]: null })
        return { path }
      },
    ],
    [
      'a file that does not belong',
      'ledger-damaged',
      async (branch) => {
        await commitByHand(branch, { 'events/2026/notes.txt': 'hi' })
        return { path: 'events/2026/notes.txt' }
      },
    ],
    [
      'an edited snapshot shard',
      'ledger-damaged',
      async (branch) => {
        const path = pathOf(branch, 'snapshots/product/shard')
        await edited(branch, path, '"total":', '"total":1')
        return { path }
      },
    ],
    [
      'a missing snapshot page',
      'ledger-damaged',
      async (branch) => {
        await commitByHand(branch, { 'snapshots/board/page.json': null })
        return { path: 'snapshots/board/page.json' }
      },
    ],
    [
      'edited event keys',
      'ledger-damaged',
      async (branch) => {
        const path = pathOf(branch, 'snapshots/_keys/')
        await edited(branch, path, /^./, '-')
        return { path }
      },
    ],
    [
      'a head of an unknown schema',
      'unknown-schema-version',
      async (branch) => {
        await edited(branch, 'head.json', '"schemaVersion":1', '"schemaVersion":2')
        return { path: 'head.json' }
      },
    ],
    [
      'a snapshot of an unknown schema whose digest was put into the head',
      'unknown-schema-version',
      async (branch) => {
        const index = textOf(branch, 'snapshots/index.json').replace('"schemaVersion":1', '"schemaVersion":7')
        const head = headOf(branch)
        const snapshot = { ...(head['snapshot'] as object), index: sha256(index) }
        await commitByHand(branch, {
          'snapshots/index.json': index,
          'head.json': JSON.stringify({ ...head, snapshot }),
        })
        return { path: 'snapshots/index.json' }
      },
    ],
    [
      'a head that is behind its log',
      'ledger-damaged',
      async (branch) => {
        await edited(branch, 'head.json', '"seq":12', '"seq":11')
        return { path: 'head.json' }
      },
    ],
    [
      'no head at all',
      'ledger-damaged',
      async (branch) => {
        await commitByHand(branch, { 'head.json': null })
        return { path: 'head.json' }
      },
    ],
    [
      'an edited configuration',
      'ledger-damaged',
      async (branch) => {
        await commitByHand(branch, { [POLICY_PATH]: 'rings: [open]\n' })
        return { path: POLICY_PATH }
      },
    ],
    [
      'a missing configuration',
      'ledger-damaged',
      async (branch) => {
        await commitByHand(branch, { [POLICY_PATH]: null })
        return { path: POLICY_PATH }
      },
    ],
    [
      'a commit by another author',
      'foreign-author',
      async (branch) => {
        await commitByHand(branch, { 'README.md': 'hi' }, { name: 'eve', email: 'eve@example.org' })
        return {}
      },
    ],
  ])('finds %s', async (_, code, harm) => {
    const branch = await written()
    const where = await harm(branch)
    const report = await verifyLedger(memoryStore(branch), counterModel, { author: BOT })
    expect(report.ok).toBe(false)
    expect(report.problems[0]).toMatchObject({ code, ...where })
  })

  /** One more event with a key by hand, chained and named by the head, as no writer makes one. */
  async function appended(branch: MemoryBranch, key: string): Promise<string> {
    const head = headOf(branch) as { seq: number; tip: string; tail: string[] }
    const { lines, position } = encodeEvents([counted(['a/b'], 1, { key })], head)
    const path = `events/2026/11/20/10/${position.seq}-${nextId()}.ndjson`
    const tail = [...head.tail, path]
    await commitByHand(branch, {
      [path]: `${lines.join()}\n`,
      'head.json': JSON.stringify({ ...head, ...position, tail }),
    })
    return path
  }
  const keyAt = (branch: MemoryBranch, part: string) =>
    (JSON.parse(textOf(branch, pathOf(branch, part)).split('\n')[0] ?? '') as { key: string }).key

  it.each([
    ['behind a snapshot', 5],
    ['in a log without one', 1_000],
  ])('finds an event that was doubled under another number: %s', async (_, snapshotEvery) => {
    const branch = memoryBranch()
    const ledger = opened(memoryStore(branch, BOT), { snapshotEvery })
    for (let turn = 0; turn < 6; turn += 1) await record(ledger, counted(['a/b']))
    expect(await verifyLedger(memoryStore(branch), counterModel)).toMatchObject({ ok: true })
    const path = await appended(branch, keyAt(branch, '/2-'))
    const { problems } = await verifyLedger(memoryStore(branch), counterModel)
    expect(problems).toMatchObject([
      { code: 'ledger-damaged', path, line: 1, message: expect.stringContaining('found it at event 2 already') },
    ])
  })

  it('does not take an event for doubled that came again when its key was kept no longer', async () => {
    const branch = memoryBranch()
    let day = 10
    const ledger = opened(memoryStore(branch, BOT), { snapshotEvery: 1, clock: () => `2026-11-${day}T10:00:00Z` })
    for (; day < 18; day += 1) await record(ledger, counted(['a'], 1, day === 10 ? { key: 'again' } : {}))
    expect((await record(ledger, counted(['a'], 1, { key: 'again' }))).events).toHaveLength(1)
    expect(await verifyLedger(memoryStore(branch), counterModel)).toMatchObject({ ok: true, problems: [] })
  })

  it('finds a forged snapshot, digests and all, by replaying the events', async () => {
    const branch = await written()
    const shardPath = 'snapshots/product/shard.json'
    const pagePath = 'snapshots/product/page.json'
    const shard = textOf(branch, shardPath).replace('"total":', '"total":1')
    const swap = (text: string, path: string, forged: string) =>
      text.replace(sha256(Buffer.from(textOf(branch, path))), sha256(forged))
    const page = swap(textOf(branch, pagePath), shardPath, shard)
    const index = swap(textOf(branch, 'snapshots/index.json'), pagePath, page)
    const head = swap(textOf(branch, 'head.json'), 'snapshots/index.json', index)
    await commitByHand(branch, {
      [shardPath]: shard,
      [pagePath]: page,
      'snapshots/index.json': index,
      'head.json': head,
    })
    const { problems } = await verifyLedger(memoryStore(branch), counterModel)
    expect(problems).toMatchObject([{ code: 'ledger-damaged', path: shardPath }])
  })

  it('finds a whole log that was written anew by its anchor', async () => {
    const branch = await written()
    const { seq, tip } = headOf(branch) as { seq: number; tip: string }
    const other = await written()
    const report = await verifyLedger(memoryStore(other), counterModel, { anchors: [{ seq, digest: tip }] })
    expect(report.problems).toMatchObject([{ code: 'ledger-replaced', path: pathOf(other, '/12-'), line: 1 }])
  })

  it('finds a log that was forked by the anchors of both parts, and says after which event', async () => {
    const branch = memoryBranch()
    const store = memoryStore(branch, BOT)
    const first = await record(opened(store), counted(['a']))
    const fork = branch.head
    const lost = await record(opened(store), counted(['a']))
    branch.head = fork
    await record(opened(store), counted(['b']))
    await record(opened(store), counted(['b']))
    const { problems } = await verifyLedger(store, counterModel, { anchors: [first.head, lost.head] })
    expect(problems).toMatchObject([
      { code: 'ledger-forked', message: expect.stringContaining('forked after event 1'), line: 1 },
    ])
  })

  it('finds a log that was cut by its anchor', async () => {
    const branch = await written()
    const { seq, tip } = headOf(branch) as { seq: number; tip: string }
    branch.head = branch.commits.get(branch.head ?? '')?.info.parents[0] ?? null
    const report = await verifyLedger(memoryStore(branch), counterModel, { anchors: [{ seq, digest: tip }] })
    expect(report.problems).toMatchObject([{ code: 'ledger-rewound' }])
  })

  it('says so when there is no branch', async () => {
    const report = await verifyLedger(memoryStore(), counterModel)
    expect(report).toMatchObject({ ok: false, commit: null, problems: [{ code: 'ledger-missing' }] })
  })
})

describe('reading the log', () => {
  const entries = [
    counted(['a'], 1, { type: 'deployment.started', data: { products: [], amount: 0, product: 'api' } }),
    counted(['a'], 1, {
      type: 'deployment.completed',
      data: { products: [], amount: 0, product: 'web' },
      at: '2026-11-21T10:00:00Z',
    }),
    counted(['a'], 1, {
      type: 'release.opened',
      data: { products: [], amount: 0, release: 'r-1' },
      actor: { login: 'Bob', id: 7 },
    }),
    counted(['a'], 1, {
      type: 'release.version_added',
      data: { products: [], amount: 0, release: 'r-1', item: { product: 'api' } },
    }),
    counted(['a'], 1, {
      type: 'gate.decided',
      data: { products: [], amount: 0, releases: ['r-1'], items: [{ product: 'web' }] },
    }),
    counted(['a'], 1, { type: 'note.taken', data: { text: 'api r-1' }, actor: null }),
  ]
  const stored = async () => {
    const store = memoryStore()
    const ledger = opened(store)
    for (const event of entries) await record(ledger, event)
    return store
  }

  it.each([
    ['everything', {}, [1, 2, 3, 4, 5, 6]],
    ['one product, also inside items', { product: 'api' }, [1, 4]],
    ['one release, also among several', { release: 'r-1' }, [3, 4, 5]],
    ['one actor, without regard to case', { actor: 'bob' }, [3]],
    ['one type', { type: 'deployment.completed' }, [2]],
    ['all types of a noun', { type: 'release' }, [3, 4]],
    ['what is newer', { since: '2026-11-21T00:00:00Z' }, [2]],
    ['what fulfils all conditions', { product: 'api', release: 'r-1' }, [4]],
    ['nothing', { product: '__proto__' }, []],
  ])('gives %s', async (_, filter, expected) => {
    const found: number[] = []
    for await (const { event, line } of readLog(await stored(), filter)) {
      expect(line).toBe(1)
      found.push(event.seq)
    }
    expect(found).toEqual(expected)
  })

  it('leaves out the directories of days long before', async () => {
    const branch = memoryBranch()
    let now = '2026-10-01T10:00:00Z'
    const ledger = opened(memoryStore(branch), { clock: () => now })
    await record(ledger, counted(['a'], 1, { at: now }))
    now = '2026-11-20T10:00:00Z'
    await record(ledger, counted(['a'], 1, { at: now }))
    const asked: string[] = []
    const store = memoryStore(branch)
    const watched: LedgerStore = {
      ...store,
      list: (commit, path) => {
        asked.push(path)
        return store.list(commit, path)
      },
    }
    const found: number[] = []
    for await (const { event } of readLog(watched, { since: '2026-11-19T00:00:00Z' })) found.push(event.seq)
    expect(found).toEqual([2])
    expect(asked).toEqual(['events', 'events/2026', 'events/2026/11', 'events/2026/11/20', 'events/2026/11/20/10'])
  })

  it('stops at a broken line and names it', async () => {
    const branch = await written()
    const path = pathOf(branch, '/4-')
    await commitByHand(branch, { [path]: 'x\n' })
    const read = async () => {
      for await (const _ of readLog(memoryStore(branch)));
    }
    await expect(read()).rejects.toMatchObject({ code: 'ledger-damaged', problems: [{ path, line: 1 }] })
  })

  const ENDS: readonly (readonly [string, string | null])[] = [
    ['is missing', null],
    ['was edited', '"login":"eve"'],
  ]

  it.each(ENDS)('names the last file when it %s, also for what is newer than it', async (_, login) => {
    const branch = await written()
    const path = pathOf(branch, '/12-')
    await commitByHand(branch, { [path]: login && textOf(branch, path).replace('"login":"ann"', login) })
    for (const filter of [{}, { since: '2026-11-30T00:00:00Z' }]) {
      const read = async () => {
        for await (const _ of readLog(memoryStore(branch), filter));
      }
      await expect(read()).rejects.toMatchObject({ code: 'ledger-damaged', problems: [{ path }] })
    }
  })

  it('names the head where the files that are missing lie behind a snapshot, and the file that was cut', async () => {
    const branch = await written()
    await opened(memoryStore(branch, BOT)).snapshot()
    await commitByHand(branch, { [pathOf(branch, '/12-')]: null })
    const read = async () => {
      for await (const _ of readLog(memoryStore(branch)));
    }
    await expect(read()).rejects.toMatchObject({ problems: [{ path: 'head.json' }] })
    const cut = await written()
    await record(opened(memoryStore(cut, BOT)), counted(['a']), counted(['b']))
    const path = pathOf(cut, '/13-')
    await commitByHand(cut, { [path]: textOf(cut, path).replace(/(?<=\n)\{.*\n$/, '') })
    await expect(
      (async () => {
        for await (const _ of readLog(memoryStore(cut)));
      })(),
    ).rejects.toMatchObject({ problems: [{ path }] })
  })

  it('gives nothing where there is no branch', async () => {
    expect((await readLog(memoryStore()).next()).done).toBe(true)
  })
})

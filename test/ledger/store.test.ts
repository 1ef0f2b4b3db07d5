import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import { gitStore } from '../../src/ledger/git.ts'
import { gitHubStore } from '../../src/ledger/github.ts'
import { memoryBranch, memoryStore } from '../../src/ledger/memory.ts'
import {
  type CommitRequest,
  carriesOperation,
  commitMessage,
  isSafePath,
  type LedgerStore,
} from '../../src/ledger/store.ts'
import { BOT, fakeGitHub } from './fake-github.ts'
import { nextId, opened, record } from './opened.ts'
import { counted } from './small-model.ts'

const directory = mkdtempSync(join(tmpdir(), 'ledger-store-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

let repositories = 0

/** A fresh branch, and as many writers on it as are asked for. */
const BRANCHES: Record<string, () => () => LedgerStore> = {
  memory: () => {
    const branch = memoryBranch()
    return () => memoryStore(branch)
  },
  git: () => {
    repositories += 1
    const path = join(directory, `${repositories}.git`)
    execFileSync('git', ['init', '--quiet', '--bare', path])
    return () =>
      gitStore({ directory: path, branch: 'ringmaster-data', author: BOT, clock: () => '2026-11-20T10:00:00Z' })
  },
  github: () => {
    const branch = memoryBranch()
    const { client } = fakeGitHub(branch)
    return () =>
      gitHubStore({ client, owner: 'acme', repo: 'releases', branch: 'ringmaster-data', delay: async () => {} })
  },
}

const text = (bytes: Uint8Array | null | undefined) => (bytes ? Buffer.from(bytes).toString('utf8') : bytes)

const change = (
  expectedHead: string | null,
  files: Record<string, string>,
  deletions: string[] = [],
): CommitRequest => {
  const operation = nextId()
  const additions = Object.entries(files).map(([path, content]) => ({ path, bytes: Buffer.from(content) }))
  return { expectedHead, operation, message: commitMessage('ledger: test', operation), additions, deletions }
}

const made = async (store: LedgerStore, request: CommitRequest): Promise<string> => {
  const outcome = await store.commit(request)
  if (outcome.kind !== 'committed') throw new Error('expected to win the branch')
  return outcome.commit
}

describe.each(Object.entries(BRANCHES))('the %s store', (_, fresh) => {
  it('has no newest commit before the first one, and knows it afterwards with its files', async () => {
    const store = fresh()()
    expect(await store.newest(['head.json'])).toBeNull()
    const request = change(null, { 'head.json': '{}\n', 'events/2026/a.ndjson': 'one\n' })
    const commit = await made(store, request)
    const newest = await store.newest(['head.json', 'none.json', 'events'])
    expect(newest?.info).toMatchObject({ commit, parents: [], message: expect.stringContaining(request.operation) })
    expect(text(newest?.files.get('head.json'))).toBe('{}\n')
    expect(newest?.files.get('none.json')).toBeNull()
    expect(newest?.files.get('events')).toBeNull()
  })

  it('keeps exact bytes, replaces and deletes, and reads old commits as they were', async () => {
    const store = fresh()()
    const odd = '\uFEFF{"a":"ü\u2028"}\r\n\n'
    const first = await made(store, change(null, { a: odd, 'b/c': 'old', 'b/d': 'gone' }))
    const second = await made(store, change(first, { 'b/c': 'new', 'b/e/f': 'deep' }, ['b/d']))
    const read = async (commit: string) =>
      [...(await store.read(commit, ['a', 'b/c', 'b/d', 'b/e/f']))].map(([path, bytes]) => [path, text(bytes)])
    expect(await read(first)).toEqual([
      ['a', odd],
      ['b/c', 'old'],
      ['b/d', 'gone'],
      ['b/e/f', null],
    ])
    expect(await read(second)).toEqual([
      ['a', odd],
      ['b/c', 'new'],
      ['b/d', null],
      ['b/e/f', 'deep'],
    ])
  })

  it('makes directories anew as a whole in one commit, which loses to a faster one', async () => {
    const store = fresh()()
    const old = { 'head.json': '1', 's/a': 'old', 's/b/c': 'old', 't/x': 'stays', 't/y': 'goes' }
    const first = await made(store, change(null, old))
    const request = { ...change(first, { 'head.json': '2', 's/a': 'new', 's/d/e': 'new' }, ['t/y']), replaces: ['s'] }
    const second = await made(store, request)
    const paths = [...Object.keys(old), 's/d/e']
    const read = [...(await store.read(second, paths)).values()].map((bytes) => text(bytes))
    expect(read).toEqual(['2', 'new', null, 'stays', null, 'new'])
    expect((await store.list(second, 's')).map(({ name }) => name).sort()).toEqual(['a', 'd'])
    expect((await store.newest([]))?.info).toMatchObject({ commit: second, parents: [first], message: request.message })
    expect(await store.commit({ ...change(first, { 's/a': 'late' }), replaces: ['s'] })).toEqual({ kind: 'stale' })
    expect((await store.newest([]))?.info.commit).toBe(second)
  })

  it('keeps bytes that are no text', async () => {
    const store = fresh()()
    const bytes = Uint8Array.from([0, 255, 10, 254, 13, 10, 0])
    const request = { ...change(null, {}), additions: [{ path: 'raw', bytes }] }
    const first = await made(store, request)
    const second = await made(store, { ...change(first, {}), additions: [{ path: 'raw2', bytes }] })
    const files = await store.read(second, ['raw', 'raw2'])
    expect([...files.values()].map((found) => [...(found ?? [])])).toEqual([[...bytes], [...bytes]])
  })

  it('reads no files without a request and many in order', async () => {
    const store = fresh()()
    const files = Object.fromEntries(Array.from({ length: 120 }, (_, index) => [`many/${index}`, `text ${index}`]))
    const commit = await made(store, change(null, files))
    expect((await store.read(commit, [])).size).toBe(0)
    const read = await store.read(commit, Object.keys(files))
    expect(Object.fromEntries([...read].map(([path, bytes]) => [path, text(bytes)]))).toEqual(files)
  })

  it('lists directories with files and directories, and nothing where there is none', async () => {
    const store = fresh()()
    const commit = await made(store, change(null, { 'head.json': '{}', 'events/2026/11/x': 'a', 'events/y': 'b' }))
    const named = async (path: string) =>
      [...(await store.list(commit, path))].sort((a, b) => (a.name < b.name ? -1 : 1))
    expect(await named('')).toEqual([
      { name: 'events', kind: 'directory' },
      { name: 'head.json', kind: 'file' },
    ])
    expect(await named('events')).toEqual([
      { name: '2026', kind: 'directory' },
      { name: 'y', kind: 'file' },
    ])
    expect(await named('events/2027')).toEqual([])
  })

  it('tells the history newest first, up to a known commit, within a limit', async () => {
    const store = fresh()()
    const commits: string[] = []
    for (let turn = 0; turn < 5; turn += 1)
      commits.push(await made(store, change(commits.at(-1) ?? null, { a: `${turn}` })))
    const [first = '', second, third, fourth, fifth = ''] = commits
    const oids = async (until: string | null, limit: number) =>
      (await store.history(fifth, { until, limit })).map((info) => info.commit)
    expect(await oids(null, 100)).toEqual([fifth, fourth, third, second, first])
    expect(await oids(first, 100)).toEqual([fifth, fourth, third, second])
    expect(await oids(null, 2)).toEqual([fifth, fourth])
    const [newest] = await store.history(fifth, { limit: 1 })
    expect(newest).toMatchObject({ parents: [fourth], author: { name: expect.stringContaining('[bot]') } })
    expect(newest?.message).toMatch(/^ledger: test\n\n\nOperation: \w+\nskip-checks: true\n?$/)
  })

  it('lets only one of two writers win, also when both make the branch', async () => {
    const open = fresh()
    const [one, two] = [open(), open()]
    const outcomes = await Promise.all([one.commit(change(null, { a: '1' })), two.commit(change(null, { a: '2' }))])
    expect(outcomes.map((outcome) => outcome.kind).sort()).toEqual(['committed', 'stale'])
    const base = (await one.newest([]))?.info.commit ?? null
    const later = await Promise.all([one.commit(change(base, { a: '3' })), two.commit(change(base, { a: '4' }))])
    expect(later.map((outcome) => outcome.kind).sort()).toEqual(['committed', 'stale'])
    const newest = (await two.newest([]))?.info.commit ?? ''
    expect(await one.history(newest, { limit: 10 })).toHaveLength(2)
  })

  it('says stale for a branch that exists already and for a head that is behind, and writes nothing', async () => {
    const store = fresh()()
    const first = await made(store, change(null, { a: '1' }))
    const second = await made(store, change(first, { a: '2' }))
    expect(await store.commit(change(null, { a: '3' }))).toEqual({ kind: 'stale' })
    expect(await store.commit(change(first, { a: '3' }))).toEqual({ kind: 'stale' })
    expect((await store.newest([]))?.info.commit).toBe(second)
  })

  it('carries a ledger with two writers, a lost race, one retry, and snapshots', async () => {
    const open = fresh()
    const [one, two] = [opened(open(), { snapshotEvery: 3 }), opened(open(), { snapshotEvery: 3 })]
    await record(one, counted(['a']))
    await two.view()
    for (let turn = 0; turn < 3; turn += 1) {
      await record(one, counted(['a', 'b']))
      await record(two, counted(['a']))
    }
    const reader = opened(open())
    const view = await reader.view()
    expect(view.head.seq).toBe(7)
    expect(await Promise.all([view.state('product/a'), view.state('product/b')])).toEqual([
      { total: 7, last: 7 },
      { total: 3, last: 6 },
    ])
  })
})

describe('the git store', () => {
  const at = (path: string) =>
    gitStore({ directory: path, branch: 'ringmaster-data', author: BOT, clock: () => '2026-11-20T10:00:00Z' })

  it('works in a working copy and leaves its files and its branch alone', async () => {
    const path = join(directory, 'copy')
    execFileSync('git', ['init', '--quiet', path])
    const commit = await made(at(path), change(null, { 'head.json': '{}' }))
    expect((await at(path).newest([]))?.info.commit).toBe(commit)
    expect(execFileSync('git', ['-C', path, 'status', '--porcelain']).toString()).toBe('')
    expect(readdirSync(path)).toEqual(['.git'])
  })

  it('does not look for a repository around a directory that is none', async () => {
    const path = join(directory, 'copy', 'inner')
    mkdirSync(path, { recursive: true })
    await expect(at(path).commit(change(null, { a: '1' }))).rejects.toMatchObject({
      code: 'git-failed',
      fault: 'outside',
    })
  })

  it('tells a long history whole, up to a known commit, and within a limit', async () => {
    const path = join(directory, 'long.git')
    execFileSync('git', ['init', '--quiet', '--bare', path])
    const commits = Array.from({ length: 2_100 }, (_, index) => {
      const message = `commit ${index + 1}`
      return `commit refs/heads/ringmaster-data\ncommitter a <a@example.org> 1795000000 +0000\ndata ${message.length}\n${message}\n`
    })
    execFileSync('git', [`--git-dir=${path}`, 'fast-import', '--quiet'], { input: commits.join('') })
    const head = (await at(path).newest([]))?.info.commit ?? ''
    const told = async (options: { until?: string; limit: number }) =>
      (await at(path).history(head, options)).map(({ message }) => Number(message.trim().split(' ')[1]))
    const all = await told({ limit: 1_000_000 })
    expect(all).toEqual(Array.from({ length: 2_100 }, (_, index) => 2_100 - index))
    const at1000 = (await at(path).history(head, { limit: 1_001 })).at(-1)?.commit ?? ''
    expect(await told({ limit: 1_000_000, until: at1000 })).toEqual(all.slice(0, 1_000))
    const last = (await at(path).history(head, { limit: 1_000_000 })).at(-1)?.commit ?? ''
    expect(await told({ limit: 1_000_000, until: last })).toEqual(all.slice(0, -1))
    expect(await told({ limit: 2_000 })).toEqual(all.slice(0, 2_000))
  })

  it('does not take a branch below its name for its own', async () => {
    const path = join(directory, 'below.git')
    execFileSync('git', ['init', '--quiet', '--bare', path])
    const below = gitStore({
      directory: path,
      branch: 'ringmaster-data/x',
      author: BOT,
      clock: () => '2026-11-20T10:00:00Z',
    })
    await made(below, change(null, { a: '1' }))
    expect(await at(path).newest([])).toBeNull()
  })
})

describe('paths', () => {
  it.each(['head.json', 'events/2026/11/20/10-1/1-01J.ndjson', 'configs/0a.yml', '_keys/a-b'])('takes %s', (path) => {
    expect(isSafePath(path)).toBe(true)
  })
  it.each([
    '',
    '/',
    'a/',
    '/a',
    '..',
    'a/../b',
    '.git/x',
    '-x',
    'a b',
    'a\nb',
    'a:b',
    'ä',
    '"a"',
    `${'a/'.repeat(300)}a`,
  ])('refuses %j', (path) => {
    expect(isSafePath(path)).toBe(false)
  })
})

describe('operations', () => {
  it.each([
    ['its own trailer', commitMessage('ledger: x', '01A'), true],
    ['a trailer with a carriage return', 'x\r\n\r\nOperation: 01A\r\n', true],
    ['a longer id', commitMessage('ledger: x', '01AB'), false],
    ['a headline that quotes it', 'ledger: Operation: 01A', false],
  ])('are found by %s', (_, message, found) => {
    expect(carriesOperation(message, '01A')).toBe(found)
  })
})

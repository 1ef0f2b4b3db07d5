import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { closeEpoch, openEpoch } from '../../src/ledger/epoch.ts'
import { type GitHubClient, gitHubStore } from '../../src/ledger/github.ts'
import { commitMessage } from '../../src/ledger/store.ts'
import { verifyLedger } from '../../src/ledger/verify.ts'
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts'
import { nextId, opened, record } from './opened.ts'
import { counted, counterModel } from './small-model.ts'

let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await startSandbox({
    seed: {
      people: ['ann'],
      organizations: [{ login: 'acme', owners: ['ann'], members: [] }],
      repositories: [
        {
          name: 'acme/releases',
          private: true,
          commits: [{ message: 'Begin', files: { 'README.md': '# releases\n' }, author: 'ann' }],
        },
        { name: 'acme/fresh', private: true },
      ],
      apps: [
        { slug: 'ringmaster', permissions: { contents: 'write' }, events: [], installations: [{ account: 'acme' }] },
      ],
    },
  })
})
afterAll(() => sandbox.stop())

const storeIn = (repo: string, branch = 'ringmaster-data') =>
  gitHubStore({
    client: sandbox.app('ringmaster').octokit('acme'),
    owner: 'acme',
    repo,
    branch,
    delay: async () => {},
  })

describe('the ledger on the local GitHub', () => {
  it('makes its branch, appends with two writers and snapshots, and verifies with signed commits only', async () => {
    const [one, two] = [
      opened(storeIn('releases'), { snapshotEvery: 4 }),
      opened(storeIn('releases'), { snapshotEvery: 4 }),
    ]
    await record(one, counted(['a']))
    await two.view()
    for (let turn = 0; turn < 4; turn += 1) {
      await record(one, counted(['a', '__proto__']))
      await record(two, counted(['a']))
    }
    const report = await verifyLedger(storeIn('releases'), counterModel)
    expect(report).toMatchObject({ ok: true, problems: [], counts: { events: 9, commits: 9 } })
    expect(sandbox.violations).toEqual([])
  })

  it('goes on in a branch of its own in a new epoch, with what GitHub has already', async () => {
    const storeOf = (branch: string) => storeIn('releases', branch)
    const first = storeOf('ringmaster-data')
    const ledger = opened(first, { successor: storeOf })
    await ledger.append(async () => ({
      events: [counted(['a', 'ü'])],
      documents: [{ path: 'configs/one.yml', text: 'one: 1\n' }],
      result: undefined,
    }))
    const making = { now: '2026-11-20T10:00:00Z', newId: nextId, writer: { version: '0.1.0' } }
    const closed = await closeEpoch(first, counterModel, 'ringmaster-data-2', making)
    const from = { from: first, closed, branch: 'ringmaster-data' }
    const commit = await openEpoch(from, storeOf('ringmaster-data-2'), counterModel, making)
    expect(await openEpoch(from, storeOf('ringmaster-data-2'), counterModel, making)).toBe(commit)
    await record(ledger, counted(['a']))
    expect(ledger.epoch).toBe(2)
    const view = await ledger.view()
    expect(await view.document('configs/one.yml')).toBe('one: 1\n')
    const report = await verifyLedger(storeOf('ringmaster-data-2'), counterModel, { predecessor: first })
    expect(report).toMatchObject({ ok: true, problems: [], counts: { events: 2, commits: 2 } })
    expect(await verifyLedger(first, counterModel)).toMatchObject({ ok: true, succeededBy: 'ringmaster-data-2' })
    expect(sandbox.violations).toEqual([])
  })

  it('makes a commit of megabytes by requests of about one, seen only when it is whole, wherever it is interrupted', async () => {
    const client = sandbox.app('ringmaster').octokit('acme')
    const sent: number[] = []
    let left = Number.POSITIVE_INFINITY
    const watched: GitHubClient = {
      graphql: (query, variables) => {
        sent.push(JSON.stringify(variables).length)
        return client.graphql(query, variables)
      },
      request: async (route, parameters) => {
        left -= 1
        if (left < 0) throw Object.assign(new Error('killed'), { status: 403 })
        sent.push(JSON.stringify(parameters).length)
        return client.request(route as never, parameters as never) as never
      },
    }
    const store = gitHubStore({
      client: watched,
      owner: 'acme',
      repo: 'releases',
      branch: 'large',
      delay: async () => {},
    })
    const text = `${'{"a":"ü"}'.repeat(5_000)}\n`
    const files = (count: number, folder: string) =>
      Array.from({ length: count }, (_, at) => ({ path: `${folder}/${at}.json`, bytes: Buffer.from(`${at}${text}`) }))
    const request = (expectedHead: string | null, additions: ReturnType<typeof files>, replaces: string[] = []) => {
      const operation = nextId()
      const message = commitMessage('ledger: large', operation)
      return { expectedHead, operation, message, additions, deletions: [], replaces }
    }
    const first = await store.commit(request(null, [...files(3, 's/old'), ...files(1, 'kept')]))
    if (first.kind !== 'committed') throw new Error('expected a first commit')
    const large = request(first.commit, files(30, 's'), ['s'])
    sent.length = 0
    let attempts = 0
    for (let isDone = false; !isDone; attempts += 1) {
      left = attempts
      const outcome = await store.commit(large).catch(() => null)
      isDone = outcome?.kind === 'committed'
      if (!isDone) expect((await store.newest([]))?.info.commit).toBe(first.commit)
    }
    expect(attempts).toBeGreaterThan(4)
    expect(Math.max(...sent)).toBeLessThan(1.1 * 1024 * 1024)
    const newest = await store.newest(['s/29.json', 's/old/0.json', 'kept/0.json'])
    expect(newest?.info).toMatchObject({ parents: [first.commit], signed: 'by-platform', message: large.message })
    expect([...(newest?.files.values() ?? [])].map((bytes) => bytes?.length)).toEqual([
      large.additions[29]?.bytes.length,
      undefined,
      expect.any(Number),
    ])
    left = Number.POSITIVE_INFINITY
    const plain = request(newest?.info.commit ?? '', files(100, 'plain'))
    expect(await store.commit(plain)).toMatchObject({ kind: 'committed' })
    expect(Math.max(...sent)).toBeLessThan(1.1 * 1024 * 1024)
    expect(sandbox.violations).toEqual([])
  })

  it('names an empty repository', async () => {
    await expect(record(opened(storeIn('fresh')), counted(['a']))).rejects.toMatchObject({ code: 'empty-repository' })
  })
})

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { gitHubStore } from '../../src/ledger/github.ts'
import { verifyLedger } from '../../src/ledger/verify.ts'
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts'
import { opened, record } from './opened.ts'
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

const storeIn = (repo: string) =>
  gitHubStore({
    client: sandbox.app('ringmaster').octokit('acme'),
    owner: 'acme',
    repo,
    branch: 'ringmaster-data',
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

  it('names an empty repository', async () => {
    await expect(record(opened(storeIn('fresh')), counted(['a']))).rejects.toMatchObject({ code: 'empty-repository' })
  })
})

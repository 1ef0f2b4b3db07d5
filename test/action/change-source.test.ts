import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import nock from 'nock'
import { runAction } from '../../src/action/run-action.ts'
import { ScratchRepository } from '../git/scratch-repository.ts'
import { type Given, recordingRunner, stage } from './stage.ts'

const GRAPHQL = 'https://ghe.example.org'
let repository: ScratchRepository
const shas: string[] = []

beforeAll(() => {
  nock.disableNetConnect()
  repository = ScratchRepository.init()
  repository.commit('feat: first')
  repository.git('tag', 'v1.0.0')
  for (const message of ['fix: a', 'words', 'chore: b']) shas.unshift(repository.commit(message))
})
afterEach(() => {
  expect(nock.pendingMocks()).toEqual([])
})
afterAll(() => {
  nock.cleanAll()
  repository.remove()
})

const node = (number: number, title: string, labels: readonly string[], bent: object = {}) => ({
  ...{ number, title, merged: true, mergeCommit: null },
  labels: { nodes: labels.map((name) => ({ name })) },
  ...bent,
})

/** Answers for the commits in the order they are asked about, newest first. */
const answer = (...commits: readonly unknown[]) => ({
  data: {
    repository: Object.fromEntries(
      commits.map((nodes, at) => [`c${at}`, nodes === null ? null : { associatedPullRequests: { nodes } }]),
    ),
  },
})

const github = (reply: object, status = 200): string[] => {
  const queries: string[] = []
  nock(GRAPHQL)
    .post('/api/graphql', (body: { query: string }) => queries.push(body.query) > 0)
    .reply(status, reply)
  return queries
}

async function bump(inputs: Given) {
  const runner = recordingRunner()
  const shell = stage({ command: 'bump', ...inputs }, { GITHUB_WORKSPACE: repository.directory })
  const exitCode = await runAction(shell, runner)
  return {
    exitCode,
    version: runner.outputs.get('version'),
    codes: runner.annotations.map(({ problem }) => problem.code),
    runner,
  }
}

describe('deciding by pull requests', () => {
  it('reads the titles of what was merged, in one question, also on an Enterprise Server', async () => {
    const queries = github(answer([node(7, 'feat!: seven', [])], [node(7, 'feat!: seven', [])], null))
    const { version, runner } = await bump({ source: 'titles' })
    expect(version).toBe('2.0.0')
    expect(shas.map((sha) => queries[0]?.includes(sha))).toEqual([true, true, true])
    expect(runner.summaries.join()).toContain('seven')
  })

  it('reads labels instead, and asks nobody twice for one pull request', async () => {
    github(answer([node(7, 'feat!: seven', ['patch'])], [], [node(9, 'x', ['Feature'])]))
    expect((await bump({ source: 'labels' })).version).toBe('1.1.0')
    github(answer([node(7, 'feat!: seven', ['patch'])], [], [node(9, 'x', ['Feature'])]))
    expect((await bump({ source: 'labels', 'label-levels': 'patch: patch\n*: none' })).version).toBe('1.0.1')
  })

  it.each([
    ['what is not merged', [node(7, 'x', ['major'], { merged: false })], ''],
    ['all but the one whose merge the commit is', [node(3, 'x', ['major']), 'own'], '1.0.1'],
    ['all but the first of several', [node(9, 'x', ['major']), node(4, 'x', ['patch'])], '1.0.1'],
  ] as const)('passes over %s', async (_, nodes, expected) => {
    const own = node(5, 'x', ['patch'], { mergeCommit: { oid: shas[0] } })
    github(
      answer(
        nodes.map((one) => (one === 'own' ? own : one)),
        [],
        [],
      ),
    )
    expect((await bump({ source: 'labels' })).version).toBe(expected)
  })

  it.each([
    ['an answer of errors', { errors: [{ message: 'Resource not accessible by integration' }] }, 'github-refused'],
    ['an answer of another form', { data: { repository: { c0: { associatedPullRequests: 5 } } } }, 'github-refused'],
  ])('stops at %s with what to do', async (_, reply, code) => {
    github(reply)
    expect(await bump({ source: 'labels' })).toMatchObject({ exitCode: 3, codes: [code] })
  })

  it('tries again where GitHub is not there, and refuses bad labels before it asks', async () => {
    github({ message: 'bad gateway' }, 502)
    github(answer([], [], []))
    expect((await bump({ source: 'labels' })).exitCode).toBe(0)
    expect(await bump({ source: 'labels', 'label-levels': 'bug' })).toMatchObject({
      exitCode: 2,
      codes: ['label-level'],
    })
  })
})

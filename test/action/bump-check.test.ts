import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import nock from 'nock'
import { runAction } from '../../src/action/run-action.ts'
import { digestOf } from '../../src/core/json.ts'
import { ScratchRepository } from '../git/scratch-repository.ts'
import { API, type Given, recordingRunner, stage } from './stage.ts'

const HEAD_OF_PULL_REQUEST = 'b'.repeat(40)
const EXTERNAL_ID = `ringmaster/bump/1:${digestOf('api').slice(7, 23)}`
let repository: ScratchRepository
let sha = ''

beforeAll(() => {
  nock.disableNetConnect()
  repository = ScratchRepository.init()
  repository.commit('feat: first')
  repository.git('tag', 'v1.0.0')
  sha = repository.commit('fix: | @ann #1')
})
afterEach(() => {
  const left = nock.pendingMocks()
  nock.cleanAll()
  expect(left).toEqual([])
})
afterAll(() => repository.remove())

type Body = { readonly output: { readonly title: string; readonly summary: string } } & Record<string, unknown>

const finds = (commit: string, runs: readonly unknown[]) =>
  nock(API)
    .get(`/repos/acme/api/commits/${commit}/check-runs`)
    .query({ check_name: 'ringmaster/bump api', filter: 'all', per_page: 100, page: 1 })
    .reply(200, { total_count: runs.length, check_runs: runs })

const creates = (): Body[] => {
  const bodies: Body[] = []
  nock(API)
    .post('/repos/acme/api/check-runs', (body) => bodies.push(body as Body) > 0)
    .reply(201, { id: 9 })
  return bodies
}

async function bump(inputs: Given = {}, bent: Record<string, string> = {}) {
  const runner = recordingRunner()
  const shell = stage(
    { command: 'bump', check: 'true', ...inputs },
    { GITHUB_WORKSPACE: repository.directory, ...bent },
  )
  const exitCode = await runAction(shell, runner)
  return { exitCode, version: runner.outputs.get('version'), codes: runner.annotations.map((one) => one.problem.code) }
}

describe('a bump as a check run', () => {
  it('is neutral, on the checked-out commit, and says what the step summary says', async () => {
    finds(sha, [])
    const bodies = creates()
    expect(await bump()).toEqual({ exitCode: 0, version: '1.0.1', codes: [] })
    expect(bodies).toMatchObject([
      {
        name: 'ringmaster/bump api',
        head_sha: sha,
        external_id: EXTERNAL_ID,
        status: 'completed',
        conclusion: 'neutral',
        output: { title: 'api: 1.0.1 (patch)' },
      },
    ])
    expect(bodies[0]?.output.summary).toContain('| fix: \\| @\u200bann #\u200b1 | **patch** | type fix |')
  })

  it('stands on the head of the pull request that the run is about', async () => {
    const event = join(repository.directory, '.git', 'event.json')
    writeFileSync(event, JSON.stringify({ pull_request: { head: { sha: HEAD_OF_PULL_REQUEST } } }))
    finds(HEAD_OF_PULL_REQUEST, [])
    const bodies = creates()
    await bump({}, { GITHUB_EVENT_PATH: event })
    expect(bodies).toMatchObject([{ head_sha: HEAD_OF_PULL_REQUEST }])
  })

  it.each(['{', '{"pull_request":{"head":{"sha":"../x"}}}', '{}'])('passes over an event such as %s', async (text) => {
    const event = join(repository.directory, '.git', 'event.json')
    writeFileSync(event, text)
    finds(sha, [])
    const bodies = creates()
    await bump({}, { GITHUB_EVENT_PATH: event })
    expect(bodies).toMatchObject([{ head_sha: sha }])
  })

  it('is edited by a step that runs again, and left where it says the same', async () => {
    finds(sha, [])
    const bodies = creates()
    await bump()
    const found = { id: 9, ...bodies[0], output: { ...bodies[0]?.output, text: null } }
    finds(sha, [found])
    expect((await bump()).exitCode).toBe(0)
    finds(sha, [found])
    const edits: Body[] = []
    nock(API)
      .patch('/repos/acme/api/check-runs/9', (edit) => edits.push(edit as Body) > 0)
      .reply(200, { id: 9 })
    await bump({ rules: 'fix: minor' })
    expect(edits).toMatchObject([{ output: { title: 'api: 1.1.0 (minor)' } }])
  })

  it('is missed with a warning where the token may not write, and the version stands', async () => {
    finds(sha, [])
    nock(API).post('/repos/acme/api/check-runs').reply(403, { message: 'Resource not accessible by integration' })
    const { codes, ...rest } = await bump()
    expect(rest).toEqual({ exitCode: 0, version: '1.0.1' })
    expect(codes).toEqual(['github-forbidden'])
  })

  it('keeps to the length that GitHub takes', async () => {
    const long = ScratchRepository.init()
    long.commit('feat: first')
    long.git('tag', 'v1.0.0')
    long.commitAll(Array.from({ length: 220 }, (_, at) => `fix: ${'$'.repeat(90)}${at}`))
    finds(long.git('rev-parse', 'HEAD'), [])
    const bodies = creates()
    await bump({}, { GITHUB_WORKSPACE: long.directory })
    long.remove()
    expect(bodies[0]?.output.summary.length).toBeLessThanOrEqual(65_535)
    expect(bodies[0]?.output.summary).toMatch(/_and \d+ more_$/)
  })
})

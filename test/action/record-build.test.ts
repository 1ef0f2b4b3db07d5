import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import nock from 'nock'
import { runAction } from '../../src/action/run-action.ts'
import { digestOf } from '../../src/core/json.ts'
import { BuildRecord, buildExternalId } from '../../src/core/product/schema.ts'
import { ScratchRepository } from '../git/scratch-repository.ts'
import { API, type Given, recordingRunner, SHA, stage } from './stage.ts'

const RUN_REF = { id: 77, attempt: 2, job: 'build' }
const EXTERNAL_ID = buildExternalId(RUN_REF, digestOf('api'))
const CHECKS = '/repos/acme/api/commits/:sha/check-runs'.replace(':sha', SHA)

beforeEach(() => nock.disableNetConnect())
afterEach(() => {
  const left = nock.pendingMocks()
  nock.cleanAll()
  expect(left).toEqual([])
})

type Body = { name: string; head_sha: string; output: { title: string; summary: string; text: string } } & Record<
  string,
  unknown
>

const recordIn = (body: Body) =>
  BuildRecord.parse(JSON.parse(/```json\n([\s\S]*)\n```\n$/.exec(body.output.text)?.[1] ?? ''))

const finds = (runs: readonly unknown[], bend: Given = {}) =>
  nock(API)
    .get(CHECKS)
    .query({ check_name: `ringmaster/build ${bend.product ?? 'api'}`, filter: 'all', per_page: 100, page: 1 })
    .reply(200, { total_count: runs.length, check_runs: runs })

async function run(inputs: Given, bent: Record<string, string> = {}) {
  const runner = recordingRunner()
  const shell = stage({ command: 'record-build', version: '1.2.0', ...inputs }, bent)
  const exitCode = await runAction(shell, runner)
  return { runner, exitCode, slept: shell.slept }
}

describe('recording a build', () => {
  it('leaves a completed check run with the record on the commit', async () => {
    finds([])
    const bodies: Body[] = []
    nock(API, { reqheaders: { authorization: 'token token-of-the-run' } })
      .post('/repos/acme/api/check-runs', (body) => bodies.push(body as Body) > 0)
      .reply(201, { id: 901 })
    const { runner, exitCode } = await run({
      artifacts: `[{"name":"app","url":"https://d.example/app","size":3,"sha256":"${'0'.repeat(64)}"}]`,
    })

    expect(exitCode).toBe(0)
    expect(bodies[0]).toMatchObject({
      name: 'ringmaster/build api',
      head_sha: SHA,
      external_id: EXTERNAL_ID,
      status: 'completed',
      conclusion: 'success',
      details_url: 'https://ghe.example.org/acme/api/actions/runs/77',
      output: { title: 'api 1.2.0: completed' },
    })
    expect(recordIn(bodies[0]!)).toEqual({
      schema: 'ringmaster/build/1',
      product: 'api',
      version: '1.2.0',
      previousVersion: null,
      bump: 'given',
      status: 'completed',
      run: RUN_REF,
      buildNumber: '15',
      branch: 'main',
      artifacts: [{ name: 'app', url: 'https://d.example/app', size: 3, sha256: '0'.repeat(64) }],
    })
    expect([...runner.outputs]).toEqual([
      ['check-run-id', '901'],
      ['version', '1.2.0'],
      ['product', 'api'],
      ['status', 'completed'],
    ])
    expect(runner.summaries.join()).toContain('Recorded api `1.2.0`')
  })

  it('edits the check run of the same run, attempt and product when the step is repeated', async () => {
    const other = {
      id: 1,
      external_id: 'somebody/else',
      status: 'completed',
      conclusion: 'success',
      output: { text: '' },
    }
    finds([other, { ...other, id: 902, external_id: EXTERNAL_ID, status: 'in_progress', conclusion: null }])
    nock(API)
      .patch('/repos/acme/api/check-runs/902', (body: Body) => body['conclusion'] === 'failure')
      .reply(200, {})
    const { runner, exitCode } = await run({ status: 'failure' })
    expect(exitCode).toBe(1)
    expect(runner.outputs.get('check-run-id')).toBe('902')
    expect(runner.annotations).toEqual([{ level: 'error', problem: expect.objectContaining({ code: 'build-failed' }) }])
  })

  it('changes nothing when the same was said already', async () => {
    finds([])
    const bodies: Body[] = []
    nock(API)
      .post('/repos/acme/api/check-runs', (body) => bodies.push(body as Body) > 0)
      .reply(201, { id: 903 })
    await run({})
    finds([{ ...bodies[0], id: 903, output: { ...bodies[0]!.output, text: bodies[0]!.output.text.trimEnd() } }])
    const { runner, exitCode } = await run({})
    expect(exitCode).toBe(0)
    expect(runner.lines.join()).toContain('Already recorded')
  })

  it.each([
    ['queued', { status: 'queued' }],
    ['building', { status: 'in_progress' }],
    ['cancelled', { status: 'completed', conclusion: 'cancelled' }],
  ])('shows "%s" as %o', async (status, state) => {
    finds([])
    const bodies: Body[] = []
    nock(API)
      .post('/repos/acme/api/check-runs', (body) => bodies.push(body as Body) > 0)
      .reply(201, { id: 1 })
    const { exitCode } = await run({ status })
    expect(exitCode).toBe(0)
    expect(bodies[0]).toMatchObject(state)
    expect('conclusion' in bodies[0]!).toBe('conclusion' in state)
  })

  it('looks before it creates again when an answer got lost', async () => {
    finds([])
    nock(API).post('/repos/acme/api/check-runs').reply(502, 'bad gateway')
    nock(API)
      .get(CHECKS)
      .query(true)
      .reply(200, {
        check_runs: [
          { id: 904, external_id: EXTERNAL_ID, status: 'completed', conclusion: 'success', output: { text: null } },
        ],
      })
    nock(API).patch('/repos/acme/api/check-runs/904').reply(200, {})
    const { runner, exitCode, slept } = await run({})
    expect(exitCode).toBe(0)
    expect(runner.outputs.get('check-run-id')).toBe('904')
    expect(slept).toEqual([1000])
  })

  it('reads on while pages are full', async () => {
    const page = Array.from({ length: 100 }, (_, id) => ({ id, external_id: `other ${id}` }))
    finds(page)
    nock(API)
      .get(CHECKS)
      .query(({ page }) => page === '2')
      .reply(200, {
        check_runs: [{ id: 905, external_id: EXTERNAL_ID, status: 'queued', conclusion: null, output: { text: '' } }],
      })
    nock(API).patch('/repos/acme/api/check-runs/905').reply(200, {})
    expect((await run({})).exitCode).toBe(0)
  })

  it('writes nothing in a dry run, and says what it would do', async () => {
    finds([])
    const { runner, exitCode } = await run({ 'dry-run': 'true' })
    expect(exitCode).toBe(0)
    expect(runner.outputs.get('check-run-id')).toBe('')
    expect(runner.lines.join()).toContain('Dry run: would record api 1.2.0')
  })

  it('keeps a name from outside from breaking the record or mentioning anybody', async () => {
    const product = '```\n@ann | <b>'.replace('\n', ' ')
    finds([], { product })
    const bodies: Body[] = []
    nock(API)
      .post('/repos/acme/api/check-runs', (body) => bodies.push(body as Body) > 0)
      .reply(201, { id: 1 })
    const { runner, exitCode } = await run({ product })
    expect(exitCode).toBe(0)
    expect(recordIn(bodies[0]!).product).toBe(product)
    for (const markdown of [bodies[0]!.output.summary, runner.summaries.join()]) {
      expect(markdown).not.toMatch(/@ann|<b>|```/)
    }
  })

  it('keeps what the installer is told beside an artifact, and what the customer has to do', async () => {
    finds([])
    const bodies: Body[] = []
    nock(API)
      .post('/repos/acme/api/check-runs', (body) => bodies.push(body as Body) > 0)
      .reply(201, { id: 901 })
    const metadata = { installer: 'fwup', steps: [1, { reboot: true }] }
    const app = { name: 'app', url: 'https://d.example/app', size: 3, sha256: '0'.repeat(64), customMetadata: metadata }
    const action = 'Charge the **battery** first.\n```\nThen wait.'
    const { exitCode } = await run({ artifacts: JSON.stringify([app]), 'customer-action': action })
    expect(exitCode).toBe(0)
    expect(recordIn(bodies[0]!)).toMatchObject({ artifacts: [app], customerAction: action })
    expect(bodies[0]?.output.summary).toContain('Asks of the customer: Charge the \\*\\*battery')
    expect(bodies[0]?.output.summary).not.toContain('```')
  })

  it.each<[string, Given, Record<string, string>, string, number]>([
    ['a status that is no status', { status: 'done' }, {}, 'unknown-status', 2],
    ['a version with blanks', { version: '1.2 3' }, {}, 'record-invalid', 2],
    ['a product name that hides its direction', { product: 'a\u202eb' }, {}, 'record-invalid', 2],
    ['a product name of 300 characters', { product: 'x'.repeat(300) }, {}, 'record-invalid', 2],
    ['a path without a product', { path: 'api' }, {}, 'product-missing', 2],
    ['an endless demand of the customer', { 'customer-action': 'x'.repeat(10_001) }, {}, 'record-invalid', 2],
    [
      'metadata that belongs somewhere else',
      {
        artifacts: JSON.stringify([
          {
            name: 'app',
            url: 'https://d.example/app',
            size: 3,
            sha256: '0'.repeat(64),
            customMetadata: { blob: 'x'.repeat(20_001) },
          },
        ]),
      },
      {},
      'artifact-invalid',
      2,
    ],
    ['no token', {}, { RINGMASTER_INPUT_GITHUB_TOKEN: '' }, 'token-missing', 2],
    ['a run that is none', {}, { GITHUB_RUN_ID: 'x' }, 'not-in-a-workflow', 2],
    [
      'an artifact that is not there',
      { artifacts: 'app dist/none https://d.example/app' },
      {},
      'artifact-unreadable',
      2,
    ],
  ])('refuses %s before it asks GitHub for anything', async (_, inputs, bent, code, expected) => {
    const { runner, exitCode } = await run(inputs, bent)
    expect(runner.annotations.map(({ problem }) => problem.code)).toContain(code)
    expect(exitCode).toBe(expected)
    expect(runner.outputs.size).toBe(0)
  })

  it('refuses a record that GitHub would cut off', async () => {
    const artifacts = Array.from({ length: 400 }, (_, at) => ({
      name: `artifact-${at}`,
      url: `https://d.example/${'x'.repeat(100)}`,
      size: 1,
      sha256: '0'.repeat(64),
    }))
    const { runner, exitCode } = await run({ artifacts: JSON.stringify(artifacts) })
    expect(exitCode).toBe(2)
    expect(runner.annotations[0]?.problem.code).toBe('record-too-large')
  })

  it('refuses a given version that is none by the given scheme', async () => {
    const { runner, exitCode } = await run({ version: '1.2.3', scheme: 'number' })
    expect([exitCode, runner.annotations[0]?.problem.code]).toEqual([2, 'version-not-a-number'])
  })

  it('names the permission that is missing', async () => {
    nock(API).get(CHECKS).query(true).reply(403, { message: 'Resource not accessible by integration' })
    const { runner, exitCode } = await run({})
    expect(exitCode).toBe(3)
    expect(runner.annotations[0]?.problem).toMatchObject({
      code: 'github-forbidden',
      hint: expect.stringContaining('checks: write'),
    })
  })
})

describe('recording a build whose version is computed', () => {
  const made: ScratchRepository[] = []
  afterEach(() => {
    for (const repository of made.splice(0)) repository.remove()
  })

  const checkout = (message: string) => {
    const repository = ScratchRepository.init()
    made.push(repository)
    repository.commit('feat: first')
    repository.git('tag', 'v1.2.0')
    return { sha: repository.commit(message), workspace: { GITHUB_WORKSPACE: repository.directory } }
  }

  it('binds it to the commit that is checked out', async () => {
    const { sha, workspace } = checkout('fix: x')
    const bodies: Body[] = []
    nock(API).get(`/repos/acme/api/commits/${sha}/check-runs`).query(true).reply(200, { check_runs: [] })
    nock(API)
      .post('/repos/acme/api/check-runs', (body) => bodies.push(body as Body) > 0)
      .reply(201, { id: 1 })
    const { runner, exitCode } = await run({ version: '' }, workspace)
    expect(exitCode).toBe(0)
    expect(bodies[0]?.head_sha).toBe(sha)
    expect(recordIn(bodies[0]!)).toMatchObject({ version: '1.2.1', previousVersion: '1.2.0', bump: 'patch' })
    expect(runner.summaries.join()).toContain('fix: x')
  })

  it('records nothing when there is no new version, and that is no failure', async () => {
    const { runner, exitCode } = await run({ version: '' }, checkout('docs: x').workspace)
    expect(exitCode).toBe(0)
    expect(Object.fromEntries(runner.outputs)).toMatchObject({ 'check-run-id': '', version: '' })
  })

  it('refuses another commit than the one that is checked out', async () => {
    const { runner, exitCode } = await run({ version: '', sha: SHA }, checkout('fix: x').workspace)
    expect(exitCode).toBe(2)
    expect(runner.annotations[0]?.problem.code).toBe('sha-not-checked-out')
  })
})

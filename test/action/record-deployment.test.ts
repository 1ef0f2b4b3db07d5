import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import nock from 'nock'
import { runAction } from '../../src/action/run-action.ts'
import { API, type Given, recordingRunner, SHA, stage } from './stage.ts'

const DEPLOYMENTS = '/repos/acme/api/deployments'

beforeEach(() => nock.disableNetConnect())
afterEach(() => {
  const left = nock.pendingMocks()
  nock.cleanAll()
  expect(left).toEqual([])
})

type Body = Record<string, unknown>

const PAYLOAD = {
  schema: 'ringmaster/deployment/1',
  product: 'api',
  version: '1.2.0',
  run: { id: 77, attempt: 2, job: 'announce' },
}

const lists = (deployments: readonly unknown[]) =>
  nock(API)
    .get(DEPLOYMENTS)
    .query({ sha: SHA, task: 'ringmaster', environment: 'production', per_page: 100, page: 1 })
    .reply(200, deployments)

const hasStatuses = (id: number, statuses: readonly unknown[]) =>
  nock(API).get(`${DEPLOYMENTS}/${id}/statuses`).query({ per_page: 100 }).reply(200, statuses)

const creates = (id: number): Body[] => {
  const bodies: Body[] = []
  nock(API)
    .post(DEPLOYMENTS, (body) => bodies.push(body as Body) > 0)
    .reply(201, { id })
  return bodies
}

const says = (id: number): Body[] => {
  const bodies: Body[] = []
  nock(API)
    .post(`${DEPLOYMENTS}/${id}/statuses`, (body) => bodies.push(body as Body) > 0)
    .reply(201, { id: 1 })
  return bodies
}

const status = (id: number, state: string, description: string, environment_url = '') => ({
  id,
  state,
  description,
  environment_url,
})

async function run(inputs: Given = {}) {
  const runner = recordingRunner()
  const shell = stage({ command: 'record-deployment', version: '1.2.0', environment: 'production', ...inputs })
  const exitCode = await runAction(shell, runner)
  return { runner, exitCode, slept: shell.slept }
}

describe('recording a deployment', () => {
  it('makes a Deployment of the commit that merges nothing, waits for nothing and is marked as ours', async () => {
    lists([])
    const deployments = creates(11)
    const statuses = says(11)
    const { runner, exitCode } = await run({ status: 'started', 'environment-url': 'https://api.example.org' })
    expect(exitCode).toBe(0)
    expect(deployments).toEqual([
      {
        ref: SHA,
        task: 'ringmaster',
        auto_merge: false,
        required_contexts: [],
        environment: 'production',
        description: 'api 1.2.0',
        payload: { ...PAYLOAD, run: { ...PAYLOAD.run, job: 'build' } },
        transient_environment: false,
        production_environment: true,
      },
    ])
    expect(statuses).toEqual([
      {
        state: 'in_progress',
        description: 'api 1.2.0: started',
        log_url: 'https://ghe.example.org/acme/api/actions/runs/77',
        auto_inactive: false,
        environment_url: 'https://api.example.org',
      },
    ])
    expect([...runner.outputs]).toEqual([
      ['deployment-id', '11'],
      ['version', '1.2.0'],
      ['product', 'api'],
      ['status', 'started'],
    ])
  })

  it.each([
    ['pending', 'queued'],
    ['in_progress', 'in_progress'],
    ['success', 'success'],
    ['cancelled', 'error'],
  ])('writes "%s" as %s', async (word, state) => {
    lists([])
    creates(12)
    const statuses = says(12)
    expect((await run({ status: word })).exitCode).toBe(0)
    expect(statuses[0]).toMatchObject({ state })
  })

  it('carries on what an earlier job of the run announced', async () => {
    lists([
      { id: 21, payload: { ...PAYLOAD, version: '1.1.0' } },
      { id: 22, payload: { ...PAYLOAD, run: { ...PAYLOAD.run, attempt: 1 } } },
      { id: 23, payload: '{"made":"by another tool"}' },
      { id: 24, payload: 'not JSON' },
      { id: 25, payload: JSON.stringify(PAYLOAD) },
    ])
    hasStatuses(25, [status(1, 'queued', 'api 1.2.0: pending')])
    const statuses = says(25)
    const { runner } = await run({ status: 'started' })
    expect(statuses[0]).toMatchObject({ state: 'in_progress' })
    expect(runner.outputs.get('deployment-id')).toBe('25')
  })

  it('says nothing twice when the step is repeated', async () => {
    lists([{ id: 31, payload: PAYLOAD }])
    hasStatuses(31, [status(7, 'in_progress', 'x'), status(8, 'success', 'api 1.2.0: completed')])
    const { runner, exitCode } = await run()
    expect(exitCode).toBe(0)
    expect(runner.lines.join()).toContain('Already recorded')
  })

  it.each(['success', 'failure', 'error', 'inactive'])(
    'begins an attempt of its own after one that ended as %s',
    async (state) => {
      lists([{ id: 41, payload: PAYLOAD }])
      hasStatuses(41, [status(1, state, 'ended')])
      const deployments = creates(42)
      says(42)
      const { runner } = await run({ status: 'started' })
      expect(deployments).toHaveLength(1)
      expect(runner.outputs.get('deployment-id')).toBe('42')
    },
  )

  it('lets an end be corrected in its own attempt', async () => {
    lists([{ id: 51, payload: PAYLOAD }])
    hasStatuses(51, [status(1, 'success', 'api 1.2.0: completed')])
    const statuses = says(51)
    const { exitCode } = await run({ status: 'failed', 'fail-on-failed-status': 'false' })
    expect(exitCode).toBe(0)
    expect(statuses[0]).toMatchObject({ state: 'failure' })
  })

  it('fails the step after a failure was recorded', async () => {
    lists([])
    creates(61)
    says(61)
    const { runner, exitCode } = await run({ status: 'failed' })
    expect(exitCode).toBe(1)
    expect(runner.outputs.get('deployment-id')).toBe('61')
    expect(runner.annotations[0]?.problem.code).toBe('deployment-failed')
  })

  it('looks again before it repeats a status whose answer got lost', async () => {
    lists([])
    creates(71)
    nock(API).post(`${DEPLOYMENTS}/71/statuses`).reply(502, 'bad gateway')
    hasStatuses(71, [status(1, 'success', 'api 1.2.0: completed')])
    const { exitCode, slept } = await run()
    expect(exitCode).toBe(0)
    expect(slept).toHaveLength(1)
  })

  it('waits as long as GitHub asks for when it limits requests', async () => {
    nock(API).get(DEPLOYMENTS).query(true).reply(429, { message: 'slow down' }, { 'retry-after': '7' })
    lists([])
    creates(72)
    says(72)
    const { exitCode, slept } = await run()
    expect(exitCode).toBe(0)
    expect(slept).toEqual([7000])
  })

  it('keeps a description within what GitHub takes', async () => {
    lists([])
    creates(81)
    const statuses = says(81)
    await run({ description: '😀'.repeat(100) })
    const { description } = statuses[0] as { description: string }
    expect(description.length).toBeLessThanOrEqual(140)
    expect(description).toMatch(/^(😀)+…$/u)
  })

  it('writes nothing in a dry run', async () => {
    lists([{ id: 91, payload: PAYLOAD }])
    hasStatuses(91, [status(1, 'queued', 'api 1.2.0: pending')])
    const { runner, exitCode } = await run({ 'dry-run': 'true' })
    expect(exitCode).toBe(0)
    expect(runner.lines.join()).toContain('Dry run: would carry on')
    expect(runner.outputs.get('deployment-id')).toBe('91')
  })

  it('belongs to the commit that is named', async () => {
    const sha = 'b'.repeat(40)
    nock(API)
      .get(DEPLOYMENTS)
      .query((query) => query['sha'] === sha)
      .reply(200, [])
    const deployments = creates(95)
    says(95)
    await run({ sha })
    expect(deployments[0]).toMatchObject({ ref: sha })
  })

  it('reports every bad input together, before it asks GitHub for anything', async () => {
    const { runner, exitCode } = await run({ status: 'done', path: 'api', environment: 'a\u202eb' })
    expect(exitCode).toBe(2)
    expect(runner.annotations.map(({ problem }) => problem.code)).toEqual([
      'unknown-status',
      'product-missing',
      'record-invalid',
    ])
  })

  it('names the permission that is missing', async () => {
    lists([])
    nock(API).post(DEPLOYMENTS).reply(403, { message: 'Resource not accessible by integration' })
    const { runner, exitCode } = await run()
    expect(exitCode).toBe(3)
    expect(runner.annotations[0]?.problem.hint).toContain('deployments: write')
  })

  it('passes on what GitHub refuses', async () => {
    lists([])
    nock(API).post(DEPLOYMENTS).reply(422, { message: 'No ref found for: aaaa', errors: [] })
    const { runner, exitCode } = await run()
    expect(exitCode).toBe(1)
    expect(runner.annotations[0]?.problem.message).toContain('No ref found')
  })
})

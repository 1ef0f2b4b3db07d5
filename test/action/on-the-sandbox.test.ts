import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { runAction } from '../../src/action/run-action.ts'
import { BuildRecord } from '../../src/core/product/schema.ts'
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts'
import { repositoryByName } from '../sandbox/store.ts'
import { type Given, recordingRunner, stage } from './stage.ts'

let sandbox: Sandbox
let sha: string
let token: string
const acmeApi = { owner: 'acme', repo: 'api' }

beforeAll(async () => {
  sandbox = await startSandbox({
    seed: {
      people: ['ann'],
      organizations: [{ login: 'acme', owners: ['ann'] }],
      repositories: [{ name: 'acme/api', commits: [{ message: 'feat: first', files: { a: 'a' }, author: 'ann' }] }],
    },
  })
  sha = (await sandbox.repository('acme/api').head()) ?? ''
  const repository = repositoryByName(sandbox.world.store, 'acme', 'api')
  if (!repository) throw new Error('the seed has no repository')
  token = sandbox.world.mintActionsToken(
    repository,
    new Map([
      ['checks', 'write'],
      ['deployments', 'write'],
      ['contents', 'read'],
    ] as const),
    77,
  )
})
afterAll(() => sandbox.stop())

async function step(inputs: Given) {
  const runner = recordingRunner()
  const variables = { GITHUB_API_URL: sandbox.origin, GITHUB_SERVER_URL: sandbox.origin, GITHUB_SHA: sha }
  const exitCode = await runAction(stage({ 'github-token': token, ...inputs }, variables), runner)
  expect(runner.annotations).toEqual([])
  expect(exitCode).toBe(0)
  return runner.outputs
}

describe('on a GitHub that refuses what GitHub refuses', () => {
  it('a build is one check run, however often its step is repeated', async () => {
    const build = { command: 'record-build', product: 'api | `x`', version: '1.0.0' }
    await step({ ...build, status: 'started' })
    const first = await step(build)
    expect(await step(build)).toEqual(first)
    const { data } = await sandbox.as('ann').octokit.rest.checks.listForRef({ ...acmeApi, ref: sha, filter: 'all' })
    expect(data.check_runs.map(({ id, conclusion }) => [String(id), conclusion])).toEqual([
      [first.get('check-run-id'), 'success'],
    ])
    const text = data.check_runs[0]?.output.text ?? ''
    expect(BuildRecord.parse(JSON.parse(/```json\n([\s\S]*)\n```/.exec(text)?.[1] ?? ''))).toMatchObject({
      product: 'api | `x`',
      version: '1.0.0',
      status: 'completed',
    })
  })

  it('the steps of an attempt are the statuses of one Deployment', async () => {
    const deployment = { command: 'record-deployment', version: '1.0.0', environment: 'production' }
    for (const status of ['pending', 'pending', 'started', 'success', 'success']) await step({ ...deployment, status })
    const { octokit } = sandbox.as('ann')
    const { data: deployments } = await octokit.rest.repos.listDeployments({ ...acmeApi, environment: 'production' })
    expect(deployments).toHaveLength(1)
    const deployment_id = Number(deployments[0]?.id)
    const { data: statuses } = await octokit.rest.repos.listDeploymentStatuses({ ...acmeApi, deployment_id })
    expect(statuses.toSorted((a, b) => Number(a.id) - Number(b.id)).map(({ state }) => state)).toEqual([
      'queued',
      'in_progress',
      'success',
    ])
    const again = await step({ ...deployment, status: 'started' })
    expect(again.get('deployment-id')).not.toBe(String(deployment_id))
  })

  it.each([
    ['a build', 'POST /repos/{owner}/{repo}/check-runs', 'bad-gateway-after'],
    ['a build', 'POST /repos/{owner}/{repo}/check-runs', 'disconnect-after'],
    ['a deployment', 'POST /repos/{owner}/{repo}/deployments', 'bad-gateway-after'],
    ['a deployment', 'POST /repos/{owner}/{repo}/deployments', 'disconnect-before'],
    ['a deployment', 'POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses', 'disconnect-after'],
    ['a deployment', 'GET /repos/{owner}/{repo}/deployments', 'secondary-limit'],
  ] as const)('%s is neither lost nor doubled when %s meets %s', async (what, route, kind) => {
    const name = `${kind} ${route.length}`
    sandbox.faults.add({ kind, route })
    const { octokit } = sandbox.as('ann')
    if (what === 'a build') {
      await step({ command: 'record-build', product: name, version: '2.0.0' })
      const check_name = `ringmaster/build ${name}`
      const { data } = await octokit.rest.checks.listForRef({ ...acmeApi, ref: sha, check_name, filter: 'all' })
      expect(data.check_runs).toHaveLength(1)
      return
    }
    await step({ command: 'record-deployment', version: '2.0.0', environment: name })
    const { data: deployments } = await octokit.rest.repos.listDeployments({ ...acmeApi, environment: name })
    expect(deployments).toHaveLength(1)
    const deployment_id = Number(deployments[0]?.id)
    const { data: statuses } = await octokit.rest.repos.listDeploymentStatuses({ ...acmeApi, deployment_id })
    expect(statuses.map(({ state }) => state)).toEqual(['success'])
  })

  it('nothing is asked or answered that GitHub’s description does not know', () => {
    expect(sandbox.violations).toEqual([])
    expect(sandbox.requests.length).toBeGreaterThan(10)
  })
})

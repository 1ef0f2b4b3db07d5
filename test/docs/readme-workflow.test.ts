import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { actionsAtRest, runs, runWorkflows, useAction } from '../sandbox/actions.ts'
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts'
import { copiedWorkflow } from './pages.ts'

const at = { owner: 'acme', repo: 'user-service' }
let sandbox: Sandbox

beforeAll(async () => {
  const text = copiedWorkflow('README.md', 'name:')
  sandbox = await startSandbox({
    seed: {
      people: ['ann'],
      organizations: [{ login: 'acme', owners: ['ann'] }],
      repositories: [
        {
          name: 'acme/user-service',
          commits: [
            {
              message: 'feat: begin',
              files: { '.github/workflows/deliver.yml': text },
              author: 'ann',
              tag: 'v1.0.0',
            },
          ],
        },
      ],
    },
  })
  useAction(sandbox, 'acme/ringmaster@v1', { directory: process.cwd() })
  runWorkflows(sandbox)
})
afterAll(() => sandbox.stop())

async function push(message: string): Promise<void> {
  await sandbox.as('ann').octokit.rest.repos.createOrUpdateFileContents({
    ...at,
    path: `${message.length}.txt`,
    message,
    content: Buffer.from(message).toString('base64'),
  })
  await sandbox.webhooks.settled()
  await actionsAtRest(sandbox)
}

async function deploymentsTo(environment: string) {
  const { rest } = sandbox.as('ann').octokit
  const { data } = await rest.repos.listDeployments({ ...at, environment, task: 'ringmaster' })
  return Promise.all(
    data.map(async ({ id, payload }) => {
      const { data: statuses } = await rest.repos.listDeploymentStatuses({ ...at, deployment_id: Number(id) })
      const states = statuses.toSorted((a, b) => Number(a.id) - Number(b.id)).map(({ state }) => state)
      /** GitHub adds `inactive` when its own deployment of the job takes the place of this one: no word of ours. */
      return {
        version: (payload as { version?: string }).version,
        states: states.filter((state) => state !== 'inactive'),
      }
    }),
  )
}

describe('the workflow in the README, run as it stands', () => {
  it('records the build and each deployment of a commit that makes a version', async () => {
    await push('fix: count users once')
    const [run] = runs(sandbox, 'acme/user-service')
    expect(run?.conclusion).toBe('success')
    expect(run?.job('build').outputs.get('version')).toBe('1.0.1')
    expect(await deploymentsTo('integration')).toEqual([{ version: '1.0.1', states: ['in_progress', 'success'] }])
    expect(await deploymentsTo('production')).toEqual([
      { version: '1.0.1', states: ['queued', 'in_progress', 'success'] },
    ])
  }, 60_000)

  it('deploys nothing for a commit that makes none', async () => {
    const { octokit } = sandbox.as('ann')
    const sha = (await sandbox.repository('acme/user-service').head()) ?? ''
    await octokit.rest.git.createRef({ ...at, ref: 'refs/tags/v1.0.1', sha })
    await push('docs: say how users are counted')
    const run = runs(sandbox, 'acme/user-service').at(-1)
    expect(run?.conclusion).toBe('success')
    expect(run?.job('build').outputs.get('version')).toBe('')
    expect(run?.job('integration').conclusion).toBe('skipped')
    expect(await deploymentsTo('production')).toHaveLength(1)
  }, 60_000)

  it('asks for nothing that GitHub’s description does not know', () => {
    expect(sandbox.violations).toEqual([])
  })
})

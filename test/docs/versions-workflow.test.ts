import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { manifestPermissions } from '../../src/app/permissions.ts'
import type { RunningServer } from '../../src/app/server.ts'
import { EVENTS } from '../../src/webhooks/index.ts'
import { startApp } from '../e2e/story/app-server.ts'
import { actionsAtRest, runs, runWorkflows, useAction } from '../sandbox/actions.ts'
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts'
import { copiedWorkflow } from './pages.ts'

const CONFIGURATION = `schemaVersion: 1
products:
  - { name: edge-firmware, repository: acme/edge, scheme: semver-build }
rings:
  - { ring: "0", label: integration, environments: [integration] }
signoff:
  parties:
    - { name: Engineering, users: [ann] }
completion: { environments: [integration] }
roles:
  - { role: release_manager, users: [ann] }
`
const edge = { owner: 'acme', repo: 'edge' }

let sandbox: Sandbox
let server: RunningServer

beforeAll(async () => {
  const text = copiedWorkflow('docs/versions.md', 'name: development build')
  sandbox = await startSandbox({
    seed: {
      people: ['ann'],
      organizations: [{ login: 'acme', owners: ['ann'] }],
      repositories: [
        {
          name: 'acme/releases',
          private: true,
          commits: [{ message: 'Configure', files: { '.github/ringmaster.yml': CONFIGURATION } }],
        },
        {
          name: 'acme/edge',
          commits: [{ message: 'feat: begin', files: { '.github/workflows/build.yml': text }, tag: 'v1.3.0' }],
        },
      ],
      apps: [
        {
          slug: 'ringmaster',
          events: [...EVENTS],
          permissions: manifestPermissions(),
          installations: [{ account: 'acme' }],
        },
      ],
    },
  })
  server = await startApp(sandbox)
  useAction(sandbox, 'acme/ringmaster@v1', { directory: process.cwd() })
  runWorkflows(sandbox)
}, 60_000)
afterAll(async () => {
  await server?.stop()
  await sandbox?.stop()
})

async function push(message: string): Promise<void> {
  await sandbox.as('ann').octokit.rest.repos.createOrUpdateFileContents({
    ...edge,
    path: `${message.length}.txt`,
    message,
    content: Buffer.from(message).toString('base64'),
  })
  await actionsAtRest(sandbox)
}

const numbers = () => runs(sandbox, 'acme/edge').map((run) => [run.conclusion, run.job('build').outputs.get('version')])

async function checks() {
  const ref = (await sandbox.repository('acme/edge').head()) ?? ''
  const { data } = await sandbox.as('ann').octokit.rest.checks.listForRef({ ...edge, ref, filter: 'all' })
  const ours = data.check_runs.filter(({ name }) => name.startsWith('ringmaster/'))
  return ours.map(({ name, conclusion, app }) => [name, conclusion, app?.slug]).sort()
}

describe('the workflow in docs/versions.md, run as it stands', () => {
  it('gets a number for each push, and records the build under it', async () => {
    await push('feat: count devices')
    await push('docs: how devices are counted')
    expect(numbers()).toEqual([
      ['success', '1.4.0-1'],
      ['success', '1.4.0-2'],
    ])
    expect(await checks()).toEqual([
      ['ringmaster/build edge-firmware', 'success', 'github-actions'],
      ['ringmaster/build-number edge-firmware', 'success', 'ringmaster'],
      ['ringmaster/next-build edge-firmware', 'neutral', 'github-actions'],
    ])
    await server.ringmaster.engine.idle()
    const version = await (await server.ringmaster.ledger.view()).state('version/edge-firmware@1.4.0-2')
    expect(version).toMatchObject({ status: 'completed', trust: 'platform' })
  }, 90_000)

  it('gives another attempt of a run a number of its own', async () => {
    const run = runs(sandbox, 'acme/edge').at(-1)
    await sandbox.as('ann').octokit.rest.actions.reRunWorkflow({ ...edge, run_id: run?.id ?? 0 })
    await actionsAtRest(sandbox)
    expect(numbers().at(-1)).toEqual(['success', '1.4.0-3'])
  }, 90_000)

  it('asks for nothing that GitHub’s description does not know', () => {
    expect(sandbox.violations).toEqual([])
  })
})

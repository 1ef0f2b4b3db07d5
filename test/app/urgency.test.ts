import { afterEach, expect, it } from '@jest/globals'
import { openRingmaster, type Ringmaster } from '../../src/app/ringmaster.ts'
import { gitHubApp } from '../../src/github/client.ts'
import { startRun } from '../sandbox/actions.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import { listening } from './listener.ts'
import { recordedBuild } from './recorded-build.ts'
import { startWorld } from './world.ts'

const CONFIGURATION = `schemaVersion: 1
products:
  - { name: user-service, repository: acme/platform }
rings:
  - { ring: "0", label: integration, environments: [integration] }
  - { ring: "4", label: production, environments: [production], gate: { signoff: false, previousRing: true } }
signoff:
  parties:
    - { name: Engineering, users: [ann] }
completion:
  environments: [production]
roles:
  - { role: admin, users: [ann] }
`

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

const deploy = (sandbox: Sandbox, environment: string) =>
  startRun(sandbox, {
    repository: 'acme/platform',
    workflow: '.github/workflows/deploy.yml',
    actor: 'ann',
    jobs: [{ name: 'deploy', environment, steps: [async () => {}] }],
  })

/** An App whose deliveries are read from the delivery log, and what it would not let wait for company. */
async function stage(): Promise<{ sandbox: Sandbox; pass: () => Promise<void>; urgencies: string[] }> {
  const sandbox = await startWorld(CONFIGURATION)
  ends.push(() => sandbox.stop())
  const listener = await listening()
  ends.push(() => listener.close())
  const { id, privateKey, setWebhookUrl } = sandbox.app('ringmaster')
  setWebhookUrl(listener.url)
  const app = gitHubApp(
    { appId: id, privateKey, apiUrl: sandbox.origin },
    { nowMs: sandbox.clock.epochMs, pushesPerMinute: 60_000 },
  )
  const pace = app.governorOf('acme/releases').paceOf('acme/releases')
  const urgencies: string[] = []
  const { urgently } = pace
  pace.urgently = (urgency, work) => {
    urgencies.push(urgency)
    return urgently.call(pace, urgency, work) as ReturnType<typeof work>
  }
  const ringmaster: Ringmaster = await openRingmaster({
    app,
    releaseRepository: 'acme/releases',
    publisher: null,
    delay: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds / 100)),
    clock: () => new Date(sandbox.clock.epochMs()).toISOString(),
    log: { info: () => {}, error: (data, message) => expect(`${message} ${JSON.stringify(data)}`).toBe('no error') },
  })
  ends.push(() => ringmaster.close())
  const pass = async (): Promise<void> => {
    await sandbox.webhooks.settled()
    sandbox.clock.advance(11 * 60_000)
    await ringmaster.sweep()
    await ringmaster.idle()
  }
  await pass()
  return { sandbox, pass, urgencies }
}

it('lets a job that waits at a gate go on at once when a deployment opens it, and holds no other job up for company', async () => {
  const { sandbox, pass, urgencies } = await stage()
  const { rest } = sandbox.as('ann').octokit
  const production = { owner: 'acme', repo: 'platform', environment_name: 'production' }
  await rest.repos.createOrUpdateEnvironment(production)
  await rest.repos.createDeploymentProtectionRule({ ...production, integration_id: sandbox.app('ringmaster').id })
  await recordedBuild(sandbox, '1.4.0')
  const gated = await deploy(sandbox, 'production')
  await gated.atRest()
  await pass()
  expect(gated.status).toBe('waiting')
  urgencies.length = 0
  await (await deploy(sandbox, 'integration')).finished()
  await pass()
  await pass()
  await gated.finished()
  expect(urgencies).toEqual(['gate'])
}, 60_000)

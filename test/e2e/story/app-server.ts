import { readSettings } from '../../../src/app/environment.ts'
import { type RunningServer, startServer, WEBHOOK_PATH } from '../../../src/app/server.ts'
import type { Sandbox } from '../../sandbox/sandbox.ts'

/**
 * Starts the App `ringmaster` of a sandbox in this process, on the clock of the sandbox and with `acme/releases` as its
 * release repository, and has the webhooks sent there. Nothing sweeps but when it is told to.
 */
export async function startApp(sandbox: Sandbox): Promise<RunningServer> {
  const handle = sandbox.app('ringmaster')
  const settings = readSettings({
    APP_ID: String(handle.id),
    PRIVATE_KEY: handle.privateKey,
    WEBHOOK_SECRET: handle.webhookSecret,
    RINGMASTER_REPOSITORY: 'acme/releases',
    RINGMASTER_PUSHES_PER_MINUTE: '6000',
    GITHUB_API_URL: sandbox.origin,
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: 'fatal',
  })
  if (!settings.ok) throw new Error(JSON.stringify(settings.problems))
  const clock = () => new Date(sandbox.clock.epochMs()).toISOString()
  const server = await startServer(settings.value, { clock, sweepEveryMs: 0 })
  handle.setWebhookUrl(`${server.url}${WEBHOOK_PATH}`)
  return server
}

import { afterEach, expect, it } from '@jest/globals'
import { readSettings } from '../../src/app/environment.ts'
import { startServer } from '../../src/app/server.ts'
import { CONFIGURATION } from '../engine/stage.ts'
import { startWorld } from './world.ts'

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

it('looks at everything open again and again while a start still reads the delivery log', async () => {
  const sandbox = await startWorld(CONFIGURATION)
  ends.push(() => sandbox.stop())
  const release = sandbox.hold('/app/hook/deliveries')
  const { id, privateKey, webhookSecret } = sandbox.app('ringmaster')
  const settings = readSettings({
    APP_ID: String(id),
    PRIVATE_KEY: privateKey,
    WEBHOOK_SECRET: webhookSecret,
    RINGMASTER_PUSHES_PER_MINUTE: '6000',
    RINGMASTER_REPOSITORY: 'acme/releases',
    GITHUB_API_URL: sandbox.origin,
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: 'fatal',
  })
  if (!settings.ok) throw new Error(JSON.stringify(settings.problems))
  let isStarted = false
  const started = startServer(settings.value, { clock: () => new Date().toISOString(), sweepEveryMs: 100 })
  ends.push(async () => {
    release()
    await (await started).stop()
  })
  void started.then(() => {
    isStarted = true
  })
  const looks = () => sandbox.requests.filter(({ path }) => path.endsWith('/git/ref/heads%2Fmain')).length
  const untilMs = Date.now() + 30_000
  while (looks() < 3 && !isStarted && Date.now() < untilMs)
    await Promise.race([started, new Promise((resolve) => setTimeout(resolve, 50))])
  expect([looks() >= 3, isStarted]).toEqual([true, false])
  expect(sandbox.requests.filter(({ path }) => path.startsWith('/app/hook/deliveries'))).toEqual([])
  release()
  await started
  expect(sandbox.violations).toEqual([])
}, 60_000)

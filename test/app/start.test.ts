import { Agent, createServer, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from '@jest/globals'
import { readSettings } from '../../src/app/environment.ts'
import { startServer } from '../../src/app/server.ts'
import { CONFIGURATION } from '../engine/stage.ts'
import { startWorld } from './world.ts'

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

/** An address before GitHub's at which the delivery log is not told before `release` is called. */
async function slowAt(origin: string) {
  let release = (): void => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const { hostname, port } = new URL(origin)
  /** No connection is used twice: one that is closed at the same moment would look like trouble of GitHub's. */
  const agent = new Agent({ keepAlive: false })
  const server = createServer(async (request, response) => {
    const { method, headers, url = '' } = request
    if (url.startsWith('/app/hook/deliveries')) await released
    const onward = send(
      { agent, hostname, port, path: url, method, headers: { ...headers, connection: 'close' } },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, { ...answer.headers, connection: 'close' })
        answer.pipe(response)
      },
    )
    onward.on('error', () => response.destroy())
    request.pipe(onward)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ends.push(async () => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, release }
}

it('looks at everything open again and again while a start still reads the delivery log', async () => {
  const sandbox = await startWorld(CONFIGURATION)
  ends.push(() => sandbox.stop())
  const slow = await slowAt(sandbox.origin)
  const { id, privateKey, webhookSecret } = sandbox.app('ringmaster')
  const settings = readSettings({
    APP_ID: String(id),
    PRIVATE_KEY: privateKey,
    WEBHOOK_SECRET: webhookSecret,
    RINGMASTER_PUSHES_PER_MINUTE: '6000',
    RINGMASTER_REPOSITORY: 'acme/releases',
    GITHUB_API_URL: slow.url,
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: 'fatal',
  })
  if (!settings.ok) throw new Error(JSON.stringify(settings.problems))
  let isStarted = false
  const started = startServer(settings.value, { clock: () => new Date().toISOString(), sweepEveryMs: 100 })
  ends.push(async () => {
    slow.release()
    await (await started).stop()
  })
  void started.then(() => {
    isStarted = true
  })
  const looks = () => sandbox.requests.filter(({ path }) => path.endsWith('/git/ref/heads%2Fmain')).length
  const untilMs = Date.now() + 30_000
  while (looks() < 3 && Date.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, 50))
  expect([looks() >= 3, isStarted]).toEqual([true, false])
  expect(sandbox.requests.filter(({ path }) => path.startsWith('/app/hook/deliveries'))).toEqual([])
  slow.release()
  await started
  expect(sandbox.violations).toEqual([])
}, 60_000)

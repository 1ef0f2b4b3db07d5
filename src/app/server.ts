import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createNodeMiddleware, Probot } from 'probot'
import type { Log } from '../engine/ports.ts'
import { gitHubApp } from '../github/client.ts'
import { EVENTS } from '../webhooks/index.ts'
import type { ServerSettings } from './environment.ts'
import { catchUp } from './intake.ts'
import { publisherOf } from './publisher.ts'
import { openRingmaster, type Ringmaster } from './ringmaster.ts'

export const WEBHOOK_PATH = '/api/github/webhooks'

export interface RunningServer {
  readonly url: string
  readonly ringmaster: Ringmaster
  /** Stops taking requests, settles what was taken, and ends. */
  stop(): Promise<void>
}

export interface ServerOptions {
  readonly clock: () => string
  /** How often everything open is decided and looked at again, in milliseconds; 0 for never. */
  readonly sweepEveryMs: number
}

/** Deliveries younger than the newest event by this much are read again at a start: they may not be durable. */
const CATCH_UP_MARGIN_MS = 15 * 60_000

/** How long a stop waits for what was taken; what is left is read again from the delivery log at the next start. */
const STOP_WITHIN_MS = 10_000

/**
 * The App as a server: Probot verifies the webhooks, everything else is Ringmaster. Before it listens it reads the
 * ledger; then it catches up with what was delivered while it was away.
 */
export async function startServer(settings: ServerSettings, options: ServerOptions): Promise<RunningServer> {
  const { clock, sweepEveryMs } = options
  const probot = new Probot({
    appId: settings.appId,
    privateKey: settings.privateKey,
    secret: settings.webhookSecret,
    baseUrl: settings.apiUrl,
    logLevel: settings.logLevel as 'info',
  })
  const log: Log = {
    info: (data, message) => probot.log.info(data, message),
    error: (data, message) => probot.log.error(data, message),
  }
  const app = gitHubApp({ appId: settings.appId, privateKey: settings.privateKey, apiUrl: settings.apiUrl })
  const publisher = settings.publication === null ? null : await publisherOf(settings.publication, clock)
  const ringmaster = await openRingmaster({ app, releaseRepository: settings.releaseRepository, publisher, clock, log })
  const webhooks = await createNodeMiddleware(
    (probotApp) => {
      probotApp.onAny((event) => {
        if (!EVENTS.includes(event.name)) return
        ringmaster.intake.take({ id: event.id, event: event.name, payload: event.payload, receivedAt: clock() })
      })
    },
    { probot, webhooksPath: WEBHOOK_PATH },
  )
  const server = createServer((request, response) => {
    if (request.url === '/health') {
      const state = { trouble: ringmaster.ledger.trouble?.message ?? null, failing: ringmaster.engine.failing }
      response
        .writeHead(state.trouble === null ? 200 : 503, { 'content-type': 'application/json' })
        .end(JSON.stringify(state))
      return
    }
    void webhooks(request, response, () => response.writeHead(404).end())
  })
  const url = await listening(server, settings)
  await ringmaster.sweep()
  const { seq } = (await ringmaster.ledger.view()).head
  if (seq > 0) {
    const nowMs = Date.parse(clock())
    const read = await catchUp(app, ringmaster.intake, { sinceMs: nowMs - CATCH_UP_MARGIN_MS, nowMs })
    log.info({ deliveries: read }, 'read the delivery log again')
  }
  const timer = sweepEveryMs > 0 ? setInterval(() => void ringmaster.sweep().catch(logSweep), sweepEveryMs) : undefined
  const logSweep = (error: unknown) => log.error({ error: String(error) }, 'a sweep failed; the next one follows')
  return {
    url,
    ringmaster,
    async stop() {
      clearInterval(timer)
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
      const settled = ringmaster.intake.idle().then(() => ringmaster.close())
      const patience = new Promise<void>((resolve) => {
        setTimeout(resolve, STOP_WITHIN_MS).unref()
      })
      await Promise.race([settled, patience])
    },
  }
}

const listening = (server: Server, { host, port }: ServerSettings): Promise<string> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => resolve(`http://${host}:${(server.address() as AddressInfo).port}`))
  })

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Probot, ProbotOctokit } from 'probot'
import type { Log } from '../engine/ports.ts'
import { gitHubApp } from '../github/client.ts'
import { redisBudget } from '../github/redis-budget.ts'
import { rosterAt } from '../publish/roster-place.ts'
import { deviceBooks } from '../roster/device-book.ts'
import { EVENTS } from '../webhooks/index.ts'
import { createDevices } from './devices.ts'
import type { ServerSettings } from './environment.ts'
import { isFromHere } from './is-from-here.ts'
import { listenTrouble } from './listen-trouble.ts'
import { pagesBranch } from './pages-branch.ts'
import { publisherOf } from './publisher.ts'
import { openRingmaster, type Ringmaster } from './ringmaster.ts'
import { webhookDoor } from './webhook-door.ts'

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

/** How long a stop waits for what was taken; what is left is read again from the delivery log at the next start. */
const STOP_WITHIN_MS = 10_000

/**
 * The App as a server: Probot verifies the webhooks, everything else is Ringmaster. Before it listens it reads the
 * ledger; then it catches up with what was delivered while it was away, and looks at everything open meanwhile, too.
 */
export async function startServer(settings: ServerSettings, options: ServerOptions): Promise<RunningServer> {
  const { clock, sweepEveryMs } = options
  const probot = new Probot({
    appId: settings.appId,
    privateKey: settings.privateKey,
    secret: settings.webhookSecret,
    baseUrl: settings.apiUrl,
    logLevel: settings.logLevel as 'info',
    /** One governor for all requests: Probot's own throttle would queue reads behind writes. */
    Octokit: ProbotOctokit.defaults({ throttle: { enabled: false }, retry: { enabled: false } }),
  })
  await probot.ready()
  const log: Log = {
    info: (data, message) => probot.log.info(data, message),
    error: (data, message) => probot.log.error(data, message),
  }
  const { appId, privateKey, apiUrl, processes, redisUrl, pushesPerMinute, pointsPerMinute } = settings
  const shared = redisUrl === null ? null : await redisBudget({ url: redisUrl, log })
  const app = gitHubApp({ appId, privateKey, apiUrl }, { processes, pushesPerMinute, pointsPerMinute, shared })
  const { releaseRepository, rosterPlace, rosterDirectory } = settings
  const roster = rosterPlace === null ? null : rosterAt(rosterPlace, clock)
  const books = rosterDirectory === null ? null : deviceBooks(rosterDirectory)
  const branchOf = (repository: string) => pagesBranch(app, repository)
  const publisher = settings.publication && (await publisherOf(settings.publication, { roster, branchOf, clock }))
  /** Ten seconds at GitHub's six a minute: a board need not be newer than the log. */
  const editEveryMs = 60_000 / pushesPerMinute
  const ringmaster = await openRingmaster({
    app,
    releaseRepository,
    publisher,
    roster,
    books,
    isAlone: processes === 1,
    editEveryMs,
    clock,
    log,
  })
  probot.onAny((event) => {
    if (!EVENTS.includes(event.name)) return
    ringmaster.intake.take({ id: event.id, event: event.name, payload: event.payload, receivedAt: clock() })
  })
  const webhooks = webhookDoor({
    verify: (body, signature) => probot.webhooks.verify(body, signature),
    take: ({ id, event, payload }) =>
      probot.receive({ id, name: event, payload } as Parameters<typeof probot.receive>[0]),
    log,
  })
  const { ledger } = ringmaster
  const published = async (cohort: string) => publisher?.published(cohort)
  const devices = roster && books && createDevices({ ledger, books, roster, published, clock, log })
  const server = createServer((request, response) => {
    if (request.url === '/health') {
      const isOwn = isFromHere(request)
      const { ledger, engine, intake } = ringmaster
      const state = {
        trouble: ledger.trouble?.message ?? null,
        failing: engine.failing,
        deliveriesOpen: intake.deliveries.open,
        durableUntil: Number.isFinite(intake.deliveries.markMs)
          ? new Date(intake.deliveries.markMs).toISOString()
          : null,
        /** They name the accounts that installed the App. */
        ...(isOwn ? { limits: app.limits } : {}),
      }
      response
        .writeHead(state.trouble === null ? 200 : 503, { 'content-type': 'application/json' })
        .end(JSON.stringify(state))
      return
    }
    if (devices?.isTheirs(request)) return void devices.answer(request, response)
    if (request.url?.split('?', 1)[0] === WEBHOOK_PATH) return void webhooks(request, response)
    response.writeHead(404).end()
  })
  const url = await listening(server, settings).catch(async (error: unknown) => {
    await ringmaster.close()
    app.close()
    throw error
  })
  await ringmaster.sweep()
  let isSweeping = false
  const sweepOnce = (): void => {
    if (isSweeping) return
    isSweeping = true
    void ringmaster
      .sweep()
      .catch(logSweep)
      .finally(() => {
        isSweeping = false
      })
  }
  const timer = sweepEveryMs > 0 ? setInterval(sweepOnce, sweepEveryMs) : undefined
  const logSweep = (error: unknown) => log.error({ error: String(error) }, 'a sweep failed; the next one follows')
  await ringmaster.caughtUp()
  return {
    url,
    ringmaster,
    async stop() {
      clearInterval(timer)
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
      const settled = ringmaster.settle().then(() => ringmaster.close())
      const patience = new Promise<void>((resolve) => {
        setTimeout(resolve, STOP_WITHIN_MS).unref()
      })
      await Promise.race([settled, patience])
      /** What still waits for a limit is found again in the delivery log. */
      app.close()
    },
  }
}

const listening = (server: Server, { host, port }: ServerSettings): Promise<string> =>
  new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenTrouble(error, { host, port })))
    server.listen(port, host, () => resolve(`http://${host}:${(server.address() as AddressInfo).port}`))
  })

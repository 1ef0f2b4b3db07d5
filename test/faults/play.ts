import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { openRingmaster, type Ringmaster } from '../../src/app/ringmaster.ts'
import { gitHubApp } from '../../src/github/client.ts'
import type { GovernorOptions } from '../../src/github/governor.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import { type Harm, letHarmCome } from './harms.ts'
import { randomFrom } from './random.ts'
import { finish, type Stage, tell } from './story.ts'
import { type Traces, tracesOf } from './traces.ts'
import { startWorld } from './world.ts'

const HOUR_MS = 3_600_000

interface PlaySettings {
  readonly sandbox: Sandbox
  readonly harm: Harm
  readonly random: () => number
  /** How many Apps write one log; they know nothing of each other, as processes do not. */
  readonly apps: number
}

/** Apps over one sandbox whose time jumps instead of passing. Each delivery comes to one of them. */
class Play implements Stage {
  readonly sandbox: Sandbox
  readonly #settings: PlaySettings
  readonly #errors: string[] = []
  readonly #apps: Ringmaster[] = []
  #server: ReturnType<typeof createServer> | undefined
  unheard = 0

  constructor(settings: PlaySettings) {
    this.sandbox = settings.sandbox
    this.#settings = settings
  }

  /** Lets a wait be over at once: the sandbox's clock moves on by what is left of it. */
  readonly #timer: GovernorOptions['timer'] = (milliseconds, run) => {
    const { clock } = this.sandbox
    const untilMs = clock.epochMs() + milliseconds
    const handle = setTimeout(
      () => {
        const leftMs = untilMs - clock.epochMs()
        if (leftMs > 0) clock.advance(leftMs)
        run()
      },
      Math.min(milliseconds, 3),
    )
    return () => clearTimeout(handle)
  }

  async start(): Promise<void> {
    for (let index = 0; index < this.#settings.apps; index += 1) this.#apps.push(await this.#open())
    await this.#listen()
    await this.#sweep()
  }

  async #open(): Promise<Ringmaster> {
    const { sandbox } = this
    const { id, privateKey } = sandbox.app('ringmaster')
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await openRingmaster({
          app: gitHubApp(
            { appId: id, privateKey, apiUrl: sandbox.origin },
            {
              nowMs: sandbox.clock.epochMs,
              timer: this.#timer,
              pushesPerMinute: 600,
              processes: this.#settings.apps,
            },
          ),
          releaseRepository: 'acme/releases',
          publisher: null,
          isAlone: this.#settings.apps === 1,
          clock: () => new Date(sandbox.clock.epochMs()).toISOString(),
          log: {
            info: () => {},
            error: (data, message) => void this.#errors.push(`${message} ${JSON.stringify(data)}`),
          },
          delay: (milliseconds) => new Promise((resolve) => void this.#timer(milliseconds, resolve)),
        })
      } catch (error) {
        if (attempt === 20) throw error
      }
    }
  }

  async #listen(): Promise<void> {
    const { harm, random } = this.#settings
    const server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const isHeard = random() >= (harm.deliveries.unheard ?? 0)
        response.writeHead(isHeard ? 200 : 500).end()
        if (!isHeard) {
          this.unheard += 1
          return
        }
        this.#apps[Math.floor(random() * this.#apps.length)]?.intake.take({
          id: String(request.headers['x-github-delivery']),
          event: String(request.headers['x-github-event']),
          payload: JSON.parse(Buffer.concat(chunks).toString('utf8')),
          receivedAt: new Date(this.sandbox.clock.epochMs()).toISOString(),
        })
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    this.#server = server
    const { port } = server.address() as AddressInfo
    this.sandbox.app('ringmaster').setWebhookUrl(`http://127.0.0.1:${port}/`)
  }

  /** All at once, so that they meet at the same things. */
  async #sweep(): Promise<void> {
    await Promise.all(
      this.#apps.map((app) => app.sweep().catch((error) => void this.#errors.push(`sweep: ${String(error)}`))),
    )
    await this.#rest()
  }

  async #rest(): Promise<void> {
    await this.sandbox.webhooks.settled()
    await Promise.all(this.#apps.map((app) => app.idle()))
  }

  async until(what: string, has: () => Promise<boolean>): Promise<void> {
    for (let hours = 0; hours < 24; hours += 1) {
      await this.#rest()
      if (await has()) return
      this.sandbox.clock.advance(HOUR_MS + 60_000)
      await this.#sweep()
    }
    throw new Error(`waited a day for ${what}\n${this.#errors.slice(-5).join('\n')}`)
  }

  async isAtRest(): Promise<boolean> {
    return this.#apps.every(({ intake, engine }) => intake.deliveries.open === 0 && engine.failing.length === 0)
  }

  async stop(): Promise<void> {
    await Promise.all(this.#apps.map((app) => app.close()))
    this.#server?.closeAllConnections()
    await new Promise((resolve) => (this.#server ? this.#server.close(resolve) : resolve(null)))
  }
}

export const NO_HARM: Harm = { name: 'nothing', requests: {}, deliveries: {} }

export interface PlayOptions {
  /** Apps on the one branch; 1 when left out. */
  readonly apps?: number
  /** Stories that are told at the same time; 1 when left out. */
  readonly stories?: number
}

/**
 * Plays stories under a harm; `hits` tells how often it struck. Throws with the last errors of the Apps when something
 * never came about.
 */
export async function played(
  harm: Harm,
  seed: number,
  { apps = 1, stories = 1 }: PlayOptions = {},
): Promise<{ traces: Traces; hits: number }> {
  const sandbox = await startWorld()
  const random = randomFrom(seed)
  const play = new Play({ sandbox, harm, random, apps })
  try {
    const hits = letHarmCome(sandbox, harm, random)
    await play.start()
    await Promise.all(Array.from({ length: stories }, (_, index) => tell(play, index + 1)))
    await finish(play)
    sandbox.faults.clear()
    const traces = await tracesOf(sandbox, stories)
    return { traces, hits: hits.requests + hits.deliveries + play.unheard }
  } finally {
    await play.stop()
    await sandbox.stop()
  }
}

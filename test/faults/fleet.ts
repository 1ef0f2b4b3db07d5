import { createServer, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type AppProcess, appProcess } from '../e2e/story/app-process.ts'
import { freePort } from '../e2e/story/free-port.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import { randomFrom } from './random.ts'
import { finish, type Stage, tell } from './story.ts'
import { lastEvents, type Traces, tracesOf, verified } from './traces.ts'
import { REPOSITORIES, startWorld } from './world.ts'

const WEBHOOKS = '/api/github/webhooks'
/** On a busy machine a start takes ten seconds, and a story a minute; this is more than both. */
const PATIENCE_MS = 240_000
const LOOK_EVERY_MS = 200
/** A kill comes up to this long after a process listens: in the midst of what it caught up with, or of its work. */
const MOST_LIFE_MS = 6_000
/** So many of the kills come as long after a start was asked for, whether it listens by then or not. */
const SHARE_OF_EARLY = 0.25

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

interface Member {
  readonly app: AppProcess
  readonly port: number
  /** Settles when its last start has come to its end, as a rule with the process listening. */
  started: Promise<void>
}

/** Processes of the App as they are deployed, behind one address that hands each delivery to the next of them. */
class Fleet implements Stage {
  readonly sandbox: Sandbox
  readonly #members: readonly Member[]
  readonly #random: () => number
  #front: ReturnType<typeof createServer> | undefined
  #turn = 0
  kills = 0
  /** What `ringmaster ledger verify` found after a kill. */
  readonly broken: string[] = []

  constructor(sandbox: Sandbox, members: readonly Member[], random: () => number) {
    this.sandbox = sandbox
    this.#members = members
    this.#random = random
  }

  async start(): Promise<void> {
    const front = createServer((request, response) => {
      const member = this.#members[this.#turn % this.#members.length]
      this.#turn += 1
      const { method, headers } = request
      const onward = send({ host: '127.0.0.1', port: member?.port, path: WEBHOOKS, method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502)
        answer.pipe(response)
      })
      /** Nobody is there: GitHub books it, and the delivery stands in its log. */
      onward.on('error', () => response.writeHead(502).end())
      request.pipe(onward)
    })
    this.#front = front
    await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
    this.sandbox.app('ringmaster').setWebhookUrl(`http://127.0.0.1:${(front.address() as AddressInfo).port}/`)
    for (const member of this.#members) member.started = member.app.start()
    await Promise.all(this.#members.map(({ started }) => started))
  }

  /** SIGKILL at a random moment of a process's life, wherever it is in its work; then it is started again. */
  async killOne(): Promise<void> {
    const member = this.#members[Math.floor(this.#random() * this.#members.length)]
    if (!member) return
    if (this.#random() >= SHARE_OF_EARLY) await member.started
    await pause(this.#random() * MOST_LIFE_MS)
    await member.app.kill()
    this.kills += 1
    member.started = member.app.start().catch(() => {})
    this.broken.push(...(await verified(this.sandbox)))
  }

  async until(what: string, has: () => Promise<boolean>): Promise<void> {
    const untilMs = Date.now() + PATIENCE_MS
    while (Date.now() < untilMs) {
      if (await has()) return
      await pause(LOOK_EVERY_MS)
    }
    throw new Error(`waited ${PATIENCE_MS / 1_000} s for ${what}\n${(await this.#toldOfTrouble()).join('\n')}`)
  }

  /** What a person would look at when something does not come about. */
  async #toldOfTrouble(): Promise<string[]> {
    const health = await Promise.all(
      this.#members.map(({ port }) =>
        fetch(`http://127.0.0.1:${port}/health`).then(async (answer) => answer.text(), String),
      ),
    )
    const deliveries = this.sandbox.webhooks.attempts.slice(-12).map(({ deliveredAt, event, action, ...attempt }) => {
      const { deployment_status: status, workflow_run: run } = attempt.request.payload as Record<string, never>
      const about = JSON.stringify({ status: status?.['state'], run: run?.['id'] })
      return `delivery ${deliveredAt} ${event} ${action} ${about}: ${attempt.statusCode} ${attempt.status}`
    })
    const output = this.#members.map(({ app }) => app.output.slice(-1_500))
    const log = await lastEvents(this.sandbox, 15).catch((error) => [String(error)])
    return [new Date().toISOString(), ...output, ...health, ...deliveries, ...log]
  }

  async isAtRest(): Promise<boolean> {
    const answers = await Promise.all(
      this.#members.map(({ port }) => fetch(`http://127.0.0.1:${port}/health`).catch(() => null)),
    )
    const states = await Promise.all(
      answers.map((answer) => answer?.json() as Promise<{ failing: readonly string[]; deliveriesOpen: number } | null>),
    )
    return states.every((state) => state?.failing.length === 0 && state.deliveriesOpen === 0)
  }

  async stop(): Promise<void> {
    await Promise.all(this.#members.map(({ app }) => app.kill()))
    this.#front?.closeAllConnections()
    await new Promise((resolve) => (this.#front ? this.#front.close(resolve) : resolve(null)))
  }
}

async function membersOf(sandbox: Sandbox, processes: number): Promise<Member[]> {
  const { id, privateKey, webhookSecret } = sandbox.app('ringmaster')
  return Promise.all(
    Array.from({ length: processes }, async () => {
      const port = await freePort()
      const app = appProcess({
        APP_ID: String(id),
        PRIVATE_KEY: privateKey,
        WEBHOOK_SECRET: webhookSecret,
        RINGMASTER_REPOSITORY: 'acme/releases',
        GITHUB_API_URL: sandbox.origin,
        HOST: '127.0.0.1',
        PORT: String(port),
        LOG_LEVEL: 'error',
        RINGMASTER_PROCESSES: String(processes),
        /** At GitHub's pace a story lasts ten minutes, and its deliveries are read again at ten a second. */
        RINGMASTER_PUSHES_PER_MINUTE: '6000',
        RINGMASTER_POINTS_PER_MINUTE: '900000',
      })
      return { app, port, started: Promise.resolve() }
    }),
  )
}

export interface Killed {
  readonly traces: Traces
  readonly kills: number
  /** What was wrong with the log after a kill. */
  readonly broken: readonly string[]
  readonly stories: number
}

export interface KillOptions {
  readonly kills: number
  /** Processes of the App on the one branch; 1 when left out. */
  readonly processes?: number
  /** Stories that are told at the same time; one in each repository when left out. */
  readonly together?: number
  /** Called after each kill. */
  readonly told?: (kills: number) => void
}

/**
 * Tells stories, one after the other in each repository, while processes of the App are killed and started again, until
 * the kills are done; then lets the last stories end undisturbed.
 */
export async function killedOften(
  seed: number,
  { kills, processes = 1, together = REPOSITORIES, told = () => {} }: KillOptions,
): Promise<Killed> {
  const sandbox = await startWorld()
  const fleet = new Fleet(sandbox, await membersOf(sandbox, processes), randomFrom(seed))
  try {
    /** An hour's worth of stories is told in minutes. */
    sandbox.setRateLimit(1_000_000)
    await fleet.start()
    let stories = 0
    const isOver = () => fleet.kills >= kills
    const teller = async (first: number): Promise<void> => {
      for (let story = first; story === first || !isOver(); story += REPOSITORIES) {
        stories += 1
        await tell(fleet, story)
      }
    }
    const killer = async (): Promise<void> => {
      while (!isOver()) {
        await fleet.killOne()
        told(fleet.kills)
      }
    }
    await Promise.all([killer(), ...Array.from({ length: together }, (_, index) => teller(index + 1))])
    await finish(fleet)
    return { traces: await tracesOf(sandbox, stories), kills: fleet.kills, broken: fleet.broken, stories }
  } finally {
    await fleet.stop()
    await sandbox.stop()
  }
}

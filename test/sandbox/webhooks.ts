import { createHmac } from 'node:crypto'
import type { Clock } from './clock.ts'
import type { App } from './store.ts'

export interface DeliverySelector {
  readonly event?: string
  readonly action?: string
  readonly where?: (payload: Readonly<Record<string, unknown>>) => boolean
}

export interface DeliveryAttempt {
  readonly id: number
  readonly guid: string
  readonly appId: number
  readonly event: string
  readonly action: string | null
  readonly installationId: number | null
  readonly repositoryId: number | null
  readonly deliveredAt: string
  readonly redelivery: boolean
  readonly durationSeconds: number
  /** `OK`, or what went wrong. */
  readonly status: string
  /** 0 = no answer. */
  readonly statusCode: number
  readonly request: {
    readonly headers: Readonly<Record<string, string>>
    readonly payload: Readonly<Record<string, unknown>>
  }
  readonly response: { readonly headers: Readonly<Record<string, string>>; readonly payload: string }
}

/** The Apps' webhooks: delivered one after the other in order of happening, unless a switch says otherwise. */
export interface Webhooks {
  /** Every attempt, oldest first; the payload is kept. */
  readonly attempts: readonly DeliveryAttempt[]
  /** Holds deliveries back until `resume`. */
  pause(): void
  resume(): void
  /** The next `times` matching deliveries are never sent, and are not in the delivery log (default 1). */
  drop(selector: DeliverySelector, times?: number): void
  /** The next matching deliveries are sent twice, with the same GUID. */
  repeat(selector: DeliverySelector, times?: number): void
  /** The next matching deliveries are held back until `count` later ones are sent (or none is left). */
  delay(selector: DeliverySelector, count: number, times?: number): void
  /** What waits (while paused) is sent in the opposite order. */
  reverse(): void
  /** Sends an attempt's payload again: same GUID, new id. */
  redeliver(attemptId: number): Promise<void>
  /** Resolves when nothing is queued or under way (at once while paused). */
  settled(): Promise<void>
}

export interface Envelope {
  readonly app: App
  readonly installationId: number | null
  readonly repositoryId: number | null
  readonly event: string
  readonly action: string | null
  readonly guid: string
  /** The exact bytes, fixed when it happened. */
  readonly body: Buffer
  readonly redelivery: boolean
}

export interface Courier extends Webhooks {
  send(envelope: Envelope): void
  /** Ends after the one under way. */
  close(): Promise<void>
}

interface Rule {
  readonly kind: 'drop' | 'repeat' | 'delay'
  readonly selector: DeliverySelector
  readonly count: number
  left: number
}

/** GitHub drops the connection after ten seconds. */
const timeoutMs = 10_000

export function createCourier(clock: Clock, nextId: () => number): Courier {
  const attempts: DeliveryAttempt[] = []
  const queue: { envelope: Envelope; held: number }[] = []
  let rules: Rule[] = []
  let paused = false
  let closed = false
  let running: Promise<void> | undefined

  const ruleFor = (envelope: Envelope): Rule | undefined => {
    const payload = payloadIn(envelope)
    const rule = rules.find(
      ({ selector }) =>
        (selector.event === undefined || selector.event === envelope.event) &&
        (selector.action === undefined || selector.action === envelope.action) &&
        (selector.where === undefined || selector.where(payload)),
    )
    if (rule) rule.left -= 1
    rules = rules.filter((one) => one.left > 0)
    return rule
  }
  const pump = (): void => {
    running ??= run().finally(() => {
      running = undefined
      if (!paused && !closed && queue.length > 0) pump()
    })
  }
  const run = async (): Promise<void> => {
    // A turn of the event loop first, so that the answer of the request that caused it goes out before.
    await new Promise((resolve) => setImmediate(resolve))
    while (!paused && !closed && queue.length > 0) {
      const at = Math.max(
        0,
        queue.findIndex(({ held }) => held <= 0),
      )
      const [next] = queue.splice(at, 1)
      for (const waiting of queue.slice(0, at)) waiting.held -= 1
      if (next) attempts.push(await deliver(next.envelope, clock, nextId()))
    }
  }
  const enqueue = (envelope: Envelope, held = 0): void => {
    queue.push({ envelope, held })
    if (!paused) pump()
  }
  return {
    attempts,
    send(envelope) {
      const rule = rules.length === 0 ? undefined : ruleFor(envelope)
      if (rule?.kind === 'drop') return
      enqueue(envelope, rule?.kind === 'delay' ? rule.count : 0)
      if (rule?.kind === 'repeat') enqueue({ ...envelope, redelivery: true })
    },
    pause() {
      paused = true
    },
    resume() {
      paused = false
      if (queue.length > 0) pump()
    },
    drop: (selector, times = 1) => void rules.push({ kind: 'drop', selector, count: 0, left: times }),
    repeat: (selector, times = 1) => void rules.push({ kind: 'repeat', selector, count: 0, left: times }),
    delay: (selector, count, times = 1) => void rules.push({ kind: 'delay', selector, count, left: times }),
    reverse: () => void queue.reverse(),
    async redeliver(attemptId) {
      const attempt = attempts.find(({ id }) => id === attemptId)
      const envelope = attempt && envelopes.get(attempt)
      if (!envelope) throw new Error(`expected the id of a delivery attempt, found ${attemptId}`)
      enqueue({ ...envelope, redelivery: true })
      if (!paused) await this.settled()
    },
    async settled() {
      while (running) await running
    },
    async close() {
      closed = true
      queue.length = 0
      while (running) await running
    },
  }
}

const envelopes = new WeakMap<DeliveryAttempt, Envelope>()

const payloadIn = ({ body }: Envelope) => JSON.parse(body.toString()) as Record<string, unknown>

async function deliver(envelope: Envelope, clock: Clock, id: number): Promise<DeliveryAttempt> {
  const { app, event, guid, body } = envelope
  const headers: Record<string, string> = {
    accept: '*/*',
    'content-type': 'application/json',
    'user-agent': 'GitHub-Hookshot/sandbox',
    'x-github-delivery': guid,
    'x-github-event': event,
    'x-github-hook-id': String(app.hookId),
    'x-github-hook-installation-target-id': String(app.id),
    'x-github-hook-installation-target-type': 'integration',
    'x-hub-signature-256': `sha256=${createHmac('sha256', app.webhookSecret).update(body).digest('hex')}`,
  }
  const startedMs = Date.now()
  const answer = await post(app.webhookUrl, headers, body)
  const attempt: DeliveryAttempt = {
    id,
    guid,
    appId: app.id,
    event,
    action: envelope.action,
    installationId: envelope.installationId,
    repositoryId: envelope.repositoryId,
    deliveredAt: clock.now(),
    redelivery: envelope.redelivery,
    durationSeconds: (Date.now() - startedMs) / 1000,
    status: answer.status,
    statusCode: answer.statusCode,
    request: {
      headers,
      /** Read when it is asked for: a hundred thousand of them as objects are more than a heap takes. */
      get payload() {
        return payloadIn(envelope)
      },
    },
    response: { headers: answer.headers, payload: answer.text },
  }
  envelopes.set(attempt, envelope)
  return attempt
}

async function post(url: string | null, headers: Record<string, string>, body: Buffer) {
  const failed = (status: string) => ({ status, statusCode: 0, headers: {}, text: '' })
  if (url === null) return failed('no webhook address')
  try {
    const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(timeoutMs) })
    const text = (await response.text()).slice(0, 65_536)
    const status = response.ok ? 'OK' : `Invalid HTTP Response: ${response.status}`
    return { status, statusCode: response.status, headers: Object.fromEntries(response.headers), text }
  } catch (error) {
    const isTimeout = error instanceof Error && error.name === 'TimeoutError'
    return failed(isTimeout ? 'timed out' : 'failed to connect to host')
  }
}

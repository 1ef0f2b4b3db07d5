import type { Request } from '../core/request.ts'
import type { Engine } from '../engine/engine.ts'
import type { Log } from '../engine/ports.ts'
import type { GitHubApp } from '../github/client.ts'
import { outside } from '../github/trouble.ts'
import type { Delivery, Installation } from '../webhooks/delivery.ts'
import { requestsOf } from '../webhooks/index.ts'

export interface IntakeOptions {
  readonly engine: Engine
  readonly installation: Installation
  readonly log: Log
  /** Adds to a request what only the shell can find out. */
  readonly refine: (request: Request) => Promise<Request>
}

/**
 * Deliveries in, requests out. A delivery is acknowledged before it is durable: GitHub keeps every one with its payload
 * for three days, and `catchUp` reads them again after a crash. Handling one twice changes nothing.
 */
export class Intake {
  readonly #options: IntakeOptions
  readonly #running = new Set<Promise<void>>()

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  /** Takes a delivery whose signature was verified; returns at once. */
  take(delivery: Delivery): void {
    const work = this.handle(delivery).finally(() => this.#running.delete(work))
    this.#running.add(work)
  }

  /** Handles a delivery to its end. Requests of one delivery are decided in their order; a failure does not stop the next. */
  async handle(delivery: Delivery): Promise<void> {
    const { engine, installation, log, refine } = this.#options
    for (const request of requestsOf(delivery, installation)) {
      try {
        const outcome = await engine.submit(await refine(request))
        if (outcome.kind === 'refuse') {
          log.info(
            { delivery: delivery.id, request: request.kind, problems: outcome.problems },
            'a request was refused',
          )
        }
      } catch (error) {
        log.error(
          { delivery: delivery.id, request: request.kind, error: String(error) },
          'a request could not be decided; it is read again from the delivery log',
        )
      }
    }
  }

  /** Settles when every delivery taken so far is handled. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled([...this.#running])
  }
}

/** GitHub keeps deliveries for three days (7 on an Enterprise Server). */
const KEPT_MS = 3 * 24 * 3_600_000

/** Reads GitHub's delivery log from an instant on and hands every delivery in again, oldest first. Returns how many. */
export async function catchUp(
  app: GitHubApp,
  intake: Intake,
  since: { readonly sinceMs: number; readonly nowMs: number },
): Promise<number> {
  const from = Math.max(since.sinceMs, since.nowMs - KEPT_MS)
  const ids = await deliveryIdsSince(app, from)
  for (const id of ids.reverse()) {
    const { data } = await outside('read a delivery', () =>
      app.asApp.request('GET /app/hook/deliveries/{delivery_id}', { delivery_id: id as never }),
    )
    await intake.handle({
      id: data.guid,
      event: data.event,
      payload: data.request.payload,
      receivedAt: new Date(data.delivered_at).toISOString(),
    })
  }
  return ids.length
}

/** Delivery ids from the newest back to an instant; one attempt for each GUID is enough. */
async function deliveryIdsSince(app: GitHubApp, fromMs: number): Promise<number[]> {
  const seen = new Set<string>()
  const ids: number[] = []
  const pages = app.asApp.paginate.iterator('GET /app/hook/deliveries', { per_page: 100 })
  for await (const { data } of pages) {
    for (const delivery of data) {
      if (Date.parse(delivery.delivered_at) < fromMs) return ids
      if (seen.has(delivery.guid)) continue
      seen.add(delivery.guid)
      ids.push(Number(delivery.id))
    }
  }
  return ids
}

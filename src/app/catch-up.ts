import type { Log } from '../engine/ports.ts'
import type { GitHubApp } from '../github/client.ts'
import { outside } from '../github/trouble.ts'
import { inClass } from '../github/work-class.ts'
import type { Intake } from './intake.ts'

/** GitHub keeps deliveries for three days (7 on an Enterprise Server); near the end of them one may be gone already. */
export const KEPT_MS = 3 * 24 * 3_600_000

const READ_TOGETHER = 10
/** More deliveries under way than this only wait for each other. */
const MOST_OPEN = 500

interface Listed {
  readonly id: number
  readonly guid: string
  readonly deliveredMs: number
}

export interface CaughtUp {
  /** Deliveries that were not known and were handed in. */
  readonly handedIn: number
  /** Deliveries that stand in the log and could not be read; they are read at the next time. */
  readonly owed: number
}

/**
 * Compares GitHub's delivery log from an instant on with what was taken, and hands in what is missing, oldest first,
 * whatever status GitHub booked. A delivery that cannot be read holds back the mark and none of the others. Throws when
 * the list itself cannot be read.
 */
export async function catchUp(
  app: GitHubApp,
  intake: Intake,
  { sinceMs, nowMs, log }: { readonly sinceMs: number; readonly nowMs: number; readonly log: Log },
): Promise<CaughtUp> {
  const fromMs = Math.max(sinceMs, nowMs - KEPT_MS)
  return inClass('bulk', async () => {
    const missing = (await deliveriesSince(app, fromMs)).filter(({ guid }) => !intake.knows(guid))
    let owed = 0
    const handOver = async (listed: Listed): Promise<void> => {
      try {
        const delivery = await readDelivery(app, listed.id)
        intake.take(delivery)
      } catch (error) {
        owed += 1
        intake.owe(listed.guid, listed.deliveredMs)
        log.error({ delivery: listed.guid, error: String(error) }, 'a delivery could not be read; it is read again')
      }
    }
    for (let start = 0; start < missing.length; start += READ_TOGETHER) {
      await Promise.all(missing.slice(start, start + READ_TOGETHER).map(handOver))
      if (intake.open > MOST_OPEN) await intake.idle()
    }
    intake.checked(nowMs, fromMs)
    return { handedIn: missing.length - owed, owed }
  })
}

async function readDelivery(app: GitHubApp, id: number) {
  const { data } = await outside('read a delivery', () =>
    app.asApp.request('GET /app/hook/deliveries/{delivery_id}', { delivery_id: id as never }),
  )
  return {
    id: data.guid,
    event: data.event,
    payload: data.request.payload,
    receivedAt: new Date(data.delivered_at).toISOString(),
  }
}

/** Deliveries from an instant on, oldest first; one attempt for each GUID is enough. */
async function deliveriesSince(app: GitHubApp, fromMs: number): Promise<Listed[]> {
  const found = new Map<string, Listed>()
  const listed = () => [...found.values()].reverse()
  return outside('list the deliveries', async () => {
    const pages = app.asApp.paginate.iterator('GET /app/hook/deliveries', { per_page: 100 })
    for await (const { data } of pages) {
      for (const { id, guid, delivered_at } of data) {
        const deliveredMs = Date.parse(delivered_at)
        if (deliveredMs < fromMs) return listed()
        if (!found.has(guid)) found.set(guid, { id: Number(id), guid, deliveredMs })
      }
    }
    return listed()
  })
}

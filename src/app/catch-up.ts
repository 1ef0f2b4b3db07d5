import { RingmasterError } from '../core/problem.ts'
import type { Log } from '../engine/ports.ts'
import type { GitHubApp } from '../github/client.ts'
import { outside } from '../github/trouble.ts'
import { inClass } from '../github/work-class.ts'
import type { Delivery } from '../webhooks/delivery.ts'
import { isHeard, TAKEN_AS_A_WHOLE } from '../webhooks/index.ts'
import type { Intake } from './intake.ts'

/** GitHub keeps deliveries for three days (7 on an Enterprise Server); near the end of them one may be gone already. */
export const KEPT_MS = 3 * 24 * 3_600_000
/** A delivery is booked when it was answered or given up: after ten seconds, thirty on an Enterprise Server. */
const BOOKED_WITHIN_MS = 60_000

const READ_TOGETHER = 10
/** More deliveries under way than this only wait for each other. */
const MOST_OPEN = 500

interface Listed {
  readonly id: number
  readonly guid: string
  readonly event: string
  readonly deliveredMs: number
  /** Whether some process of ours answered that it took it. */
  readonly isTaken: boolean
}

export interface CaughtUp {
  /** Deliveries that were not known and were handed in. */
  readonly handedIn: number
  /** Deliveries that stand in the log and could not be read; they are read at the next time. */
  readonly owed: number
  /** The instant by GitHub's clock up to which the delivery log was compared, in milliseconds. */
  readonly untilMs: number
}

export interface CatchUpOptions {
  /** By GitHub's clock. */
  readonly sinceMs: number
  readonly nowMs: number
  /** Whether nothing is under way yet: then what was just taken was taken by a process that is gone. */
  readonly isStart: boolean
  /** At a start called between batches, where the mark may have moved on, to have it made durable; nothing waits for it. */
  readonly book: () => void
  /** Called with when a delivery was delivered before it is given up, because GitHub does not hand it out any more. */
  readonly miss: (deliveredMs: number) => void
  /** Ends it between batches: what was not handed in by then is read at the next start. */
  readonly signal: AbortSignal
  readonly log: Log
}

/**
 * Compares GitHub's delivery log from an instant on with what was taken, here or by what the log tells elsewhere, and hands
 * in what is missing, oldest first, whatever status GitHub booked; what was taken within the last minute only at a start.
 * The mark follows while it reads: whoever is killed over it goes on from there, although all of them were known. A delivery
 * that cannot be read holds back the mark and none of the others, as long as GitHub may hand it out. Ends where it stands
 * once too many of them fail. Throws when the list itself cannot be read.
 */
export async function catchUp(
  app: GitHubApp,
  intake: Intake,
  { sinceMs, nowMs, isStart, book, miss, signal, log }: CatchUpOptions,
): Promise<CaughtUp> {
  return inClass('bulk', async () => {
    const { deliveries, fromMs, untilMs } = await deliveriesSince(app, { sinceMs, nowMs })
    const isKnown = ({ guid, event }: Listed): boolean =>
      intake.deliveries.knows(guid) || (TAKEN_AS_A_WHOLE.has(event) && intake.deliveries.isBooked(guid))
    const missing = deliveries.filter(
      (listed) => !isKnown(listed) && (isStart || !listed.isTaken || listed.deliveredMs <= untilMs),
    )
    let handedIn = 0
    let owed = 0
    const giveUp = (guid: string, deliveredMs: number): void => {
      miss(deliveredMs)
      intake.deliveries.letGo(guid, deliveredMs)
      log.error({ delivery: guid }, 'GitHub does not hand a delivery out any more; what it told is looked up again')
    }
    const readOrOwe = async (listed: Listed): Promise<Delivery | null> => {
      try {
        return await readDelivery(app, listed.id)
      } catch (error) {
        if (error instanceof RingmasterError && error.code === 'github-not-found') {
          giveUp(listed.guid, listed.deliveredMs)
          return null
        }
        owed += 1
        intake.deliveries.owe(listed.guid, listed.deliveredMs)
        log.error({ delivery: listed.guid, error: String(error) }, 'a delivery could not be read; it is read again')
        return null
      }
    }
    for (let start = 0; start < missing.length; start += READ_TOGETHER) {
      const reachedMs = Math.min(untilMs, missing[start]?.deliveredMs ?? untilMs)
      intake.deliveries.checked(reachedMs, fromMs)
      if (signal.aborted || intake.isFull) return { handedIn, owed, untilMs: reachedMs }
      if (isStart && start > 0) book()
      const read = await Promise.all(missing.slice(start, start + READ_TOGETHER).map(readOrOwe))
      /** In the order of the log, whichever came first: of two commands on one issue the later one has the last word. */
      for (const delivery of read) {
        if (delivery === null) continue
        handedIn += 1
        intake.take(delivery)
      }
      if (intake.deliveries.open > MOST_OPEN) await intake.idle()
    }
    /** No list names them again: they were delivered before what GitHub keeps. */
    for (const [guid, deliveredMs] of intake.deliveries.owedBefore(fromMs)) giveUp(guid, deliveredMs)
    intake.deliveries.checked(untilMs, fromMs)
    return { handedIn, owed, untilMs }
  })
}

async function readDelivery(app: GitHubApp, id: number): Promise<Delivery> {
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

/**
 * Deliveries from an instant on that could ask for something, oldest first, one attempt for each GUID; from when on they were
 * read, which is no earlier than GitHub keeps them, and the instant before which all of them are booked; all by GitHub's clock.
 */
async function deliveriesSince(
  app: GitHubApp,
  { sinceMs, nowMs }: { readonly sinceMs: number; readonly nowMs: number },
): Promise<{ readonly deliveries: readonly Listed[]; readonly fromMs: number; readonly untilMs: number }> {
  const found = new Map<string, Listed>()
  let fromMs = sinceMs
  let untilMs = Number.NaN
  const listed = () => ({ deliveries: [...found.values()].reverse(), fromMs, untilMs })
  return outside('list the deliveries', async () => {
    const pages = app.asApp.paginate.iterator('GET /app/hook/deliveries', { per_page: 100 })
    for await (const { data, headers } of pages) {
      if (Number.isNaN(untilMs)) {
        const dateMs = Date.parse(headers.date ?? '')
        const theirNowMs = Number.isNaN(dateMs) ? nowMs : dateMs
        fromMs = Math.max(sinceMs, theirNowMs - KEPT_MS)
        untilMs = theirNowMs - BOOKED_WITHIN_MS
      }
      for (const { id, guid, delivered_at, event, action, status_code } of data) {
        const deliveredMs = Date.parse(delivered_at)
        if (deliveredMs < fromMs) return listed()
        const known = found.get(guid)
        const isTaken = known?.isTaken || (status_code >= 200 && status_code < 300)
        if (known) found.set(guid, { ...known, isTaken })
        else if (isHeard(event, action)) found.set(guid, { id: Number(id), guid, event, deliveredMs, isTaken })
      }
    }
    return listed()
  })
}

import type { ViewsPlan } from '../core/config/views.ts'
import type { Reminder } from '../core/manifest/reminders.ts'
import type { Request } from '../core/request.ts'
import type { Applied, Log } from '../engine/ports.ts'
import type { Publisher } from '../publish/publisher.ts'
import type { OutputOf } from '../render/output.ts'

export interface ManifestsOptions {
  readonly publisher: Publisher
  readonly submit: (request: Request) => Promise<unknown>
  /** The cohorts that were ever offered something. */
  readonly cohorts: () => Promise<readonly string[]>
  /** What the configuration in force wants to stand beside the manifests. */
  readonly views: () => Promise<ViewsPlan>
  readonly clock: () => string
  readonly log: Log
}

/** What goes out to devices, and that people hear when it does not. */
export interface Manifests {
  readonly outlet: (output: OutputOf<'manifest'>) => Promise<Applied>
  /** By the clock: renews what nears its end, and reminds of keys and roles. Never throws. */
  tick(): Promise<void>
  /** Settles when the last renewal has arrived, or its alarm stands. */
  idle(): Promise<void>
}

/** Nothing of this moves fast: a look every ten minutes is two requests to the place of publication. */
const LOOK_EVERY_MS = 10 * 60_000
const STEPS = ['90-days', '30-days', '7-days', 'renew', 'expired'] as const satisfies readonly Reminder['urgency'][]

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

export function createManifests({ publisher, submit, cohorts, views, clock, log }: ManifestsOptions): Manifests {
  const told = new Map<string, string | null>()
  let arrival: Promise<void> = Promise.resolve()
  let lookedAtMs = Number.NEGATIVE_INFINITY

  /** An alarm is told when it begins and when it ends, and not at every look between. */
  async function tell(alarm: string, code: string, message: string | null): Promise<void> {
    if (told.has(alarm) && (told.get(alarm) === null) === (message === null)) return
    await submit({
      kind: 'condition-seen',
      alarm,
      code,
      message: (message ?? '').slice(0, 4_000),
      holds: message !== null,
      at: clock(),
      actor: null,
      source: { kind: 'timer' },
    })
    told.set(alarm, message)
  }

  async function notRenewed(error: unknown): Promise<void> {
    log.error({ error: messageOf(error) }, 'what is published could not be renewed; it is tried again')
    const message = `The published metadata could not be renewed: ${messageOf(error)} Devices stop trusting it when it expires. It is tried again every ten minutes.`
    await tell('publication/freshness', 'renewal-failed', message).catch(() => undefined)
  }

  /** Views that offer nothing, as they were told last. */
  let closedBefore = ''

  /** Trouble with them is an alarm of its own: manifests are out all the same. */
  async function showViews(): Promise<void> {
    try {
      const closed = await publisher.showViews(await views())
      const reasons = closed.map(({ path, problems }) => ({ path, reasons: problems.map(({ message }) => message) }))
      if (JSON.stringify(reasons) !== closedBefore && reasons.length > 0)
        log.info({ closed: reasons }, 'views that cannot say what the channel says offer nothing now')
      closedBefore = JSON.stringify(reasons)
      await tell('publication/views', 'views-failed', null)
    } catch (error) {
      const message = `The views for clients that read no manifests could not be written: ${messageOf(error)} They may still offer what has been withdrawn since. It is tried again every ten minutes.`
      await tell('publication/views', 'views-failed', message).catch((failed) =>
        log.error({ error: String(failed) }, 'an alarm could not be raised'),
      )
    }
  }

  const remind = async ({ role, version, expiresAt, daysLeft, signedBy, urgency }: Reminder): Promise<void> => {
    const whoActs =
      signedBy === 'offline'
        ? 'The holders of its keys have to sign it anew: ringmaster keys, docs/keys.md.'
        : 'Ringmaster renews it by itself; that it has not is the trouble: see the other alarms and the log.'
    for (const step of STEPS) {
      const message = `The published role ${role}, version ${version}, expires at ${expiresAt}, in ${daysLeft} days. Devices refuse it from then on. ${whoActs}`
      await tell(`expiry/${role}/${step}`, 'role-expires', step === urgency ? message : null)
    }
  }

  return {
    async outlet(output) {
      const { cohort } = output.channel
      const alarm = `publication/${cohort}`
      try {
        const applied = await publisher.publish(output)
        await tell(alarm, 'publication-failed', null)
        await showViews()
        return applied
      } catch (error) {
        const message = `The manifest of the cohort ${cohort} could not be published: ${messageOf(error)} Devices go on with the one before until it expires. It is tried again.`
        await tell(alarm, 'publication-failed', message).catch((failed) =>
          log.error({ cohort, error: String(failed) }, 'an alarm could not be raised'),
        )
        throw error
      }
    },
    async tick() {
      const nowMs = Date.parse(clock())
      if (nowMs - lookedAtMs < LOOK_EVERY_MS) return
      lookedAtMs = nowMs
      try {
        const fresh = await publisher.keepFresh(await cohorts())
        if (fresh.renewed) log.info({}, 'timestamp and snapshot were signed anew')
        const asked = { at: clock(), actor: null, source: { kind: 'timer' } } as const
        for (const cohort of fresh.due) await submit({ kind: 'manifest-due', cohort, ...asked })
        for (const reminder of fresh.reminders) await remind(reminder)
        await showViews()
        // A sweep does not wait for a host that takes its time.
        arrival = fresh.arrival.then(() => tell('publication/freshness', 'renewal-failed', null)).catch(notRenewed)
      } catch (error) {
        await notRenewed(error)
      }
    },
    idle: () => arrival,
  }
}

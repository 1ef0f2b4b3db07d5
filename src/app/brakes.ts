import type { Admit } from '../core/cohort/admission.ts'
import { decideBrake } from '../core/cohort/brake.ts'
import { countPhase } from '../core/cohort/brake-counts.ts'
import { claimsAdmission } from '../core/cohort/claims.ts'
import { staticAdmission } from '../core/cohort/phase.ts'
import type { ChannelRelease } from '../core/cohort/schema.ts'
import { type CohortState, cohortKey } from '../core/cohort/state.ts'
import { readConfiguration } from '../core/config/in-force.ts'
import type { CohortConfig } from '../core/config/schema.ts'
import type { Manifest } from '../core/manifest/schema.ts'
import type { Request } from '../core/request.ts'
import type { Log } from '../engine/ports.ts'
import { settleView } from '../engine/settle.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { DeviceBook, DeviceBooks } from '../roster/device-book.ts'

export interface BrakesOptions {
  readonly ledger: Pick<Ledger, 'view'>
  readonly books: DeviceBooks
  readonly published: (cohort: string) => Promise<Manifest | undefined>
  readonly submit: (request: Request) => Promise<unknown>
  readonly clock: () => string
  readonly log: Log
}

/** Looks at what devices reported of the latest releases, halts what is beyond its brakes, and says so. Never throws. */
export const brakesTick =
  ({ ledger, books, published, submit, clock, log }: BrakesOptions) =>
  async (): Promise<void> => {
    const view = await ledger.view()
    const inForce = await settleView(() => readConfiguration(), view)
    for (const config of inForce?.configuration.cohorts ?? []) {
      if (!config.brakes) continue
      try {
        const state = (await view.state(cohortKey(config.id))) as CohortState | undefined
        const latest = state?.releases.find(({ next }) => next === null)
        if (!state || !latest) continue
        const now = clock()
        const asked = { at: now, actor: null, source: { kind: 'timer' } } as const
        const manifest = config.admission === 'static' ? await published(config.id) : undefined
        const reason = reasonToHalt({ config, state, latest, book: await books.of(config.id), manifest, now })
        if (reason !== null)
          await submit({ kind: 'brake-tripped', cohort: config.id, release: latest.id, reason, ...asked })
        await submit({ kind: 'condition-seen', ...alarmOf(config.id, latest, reason), ...asked })
      } catch (error) {
        log.error({ cohort: config.id, error: String(error) }, 'the brakes of a cohort could not be looked at')
      }
    }
  }

const BY_ITSELF = 'halted by itself'

function alarmOf(cohort: string, { id, phase }: ChannelRelease, tripped: string | null) {
  const reason = tripped ?? (phase.halted?.reason.startsWith(BY_ITSELF) ? phase.halted.reason : null)
  return {
    alarm: `brake/${cohort}`,
    code: 'release-halted-by-itself',
    message: `${id} was halted in the cohort ${cohort}. ${reason ?? ''}. Look at its devices, then say /resume ${cohort}, or /withdraw ${cohort} with a fix.`,
    holds: reason !== null,
  }
}

interface Look {
  readonly config: CohortConfig
  readonly state: CohortState
  readonly latest: ChannelRelease
  readonly book: DeviceBook
  readonly manifest: Manifest | undefined
  readonly now: string
}

function reasonToHalt({ config, state, latest, book, manifest, now }: Look): string | null {
  const { brakes } = config
  if (!brakes || latest.phase.halted) return null
  const known = book.known()
  const admit = admitOf({ config, latest, book, manifest, size: known.size })
  const nowMs = Date.parse(now)
  const permits = (pseudonym: string): boolean => {
    const device = known.get(pseudonym)?.device ?? { pseudonym, tags: [], quarantined: false }
    return admit(device, nowMs).admitted
  }
  const counts = countPhase(book.installs(), {
    release: latest.id,
    permitted: [...known.keys()].filter(permits).length,
    permits,
    since: state.resumed.find(({ release }) => release === latest.id)?.at ?? null,
    silentAfterSeconds: brakes.silence?.afterSeconds,
    now,
  })
  const decision = decideBrake(brakes, counts, { now })
  return decision.kind === 'halt' ? decision.halted.reason : null
}

function admitOf({
  config,
  latest,
  book,
  manifest,
  size,
}: Omit<Look, 'state' | 'now'> & { readonly size: number }): Admit {
  if (config.admission === 'claims') return claimsAdmission(book.claims(size)).of(latest.id, latest.phase)
  const phase = manifest?.releases.find(({ id }) => id === latest.id)?.phase
  return staticAdmission(config.id).of(latest.id, phase)
}

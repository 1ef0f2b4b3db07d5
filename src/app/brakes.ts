import type { Admit } from '../core/cohort/admission.ts'
import { decideBrake } from '../core/cohort/brake.ts'
import { countPhase, deploymentReports } from '../core/cohort/brake-counts.ts'
import { claimsAdmission } from '../core/cohort/claims.ts'
import { staticAdmission } from '../core/cohort/phase.ts'
import type { ChannelRelease, Device } from '../core/cohort/schema.ts'
import { type CohortState, cohortKey } from '../core/cohort/state.ts'
import { readConfiguration } from '../core/config/in-force.ts'
import type { CohortConfig, Configuration } from '../core/config/schema.ts'
import { type BoardState, boardKey, type DeploymentStatus } from '../core/deployment/schema.ts'
import type { Manifest } from '../core/manifest/schema.ts'
import type { Request } from '../core/request.ts'
import type { Log } from '../engine/ports.ts'
import { settleView } from '../engine/settle.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { DeviceBook, DeviceBooks } from '../roster/device-book.ts'

export interface BrakesOptions {
  readonly ledger: Pick<Ledger, 'view'>
  /** What devices say; null where no server listens to them: then deployments alone are counted. */
  readonly books: DeviceBooks | null
  readonly published: (cohort: string) => Promise<Manifest | undefined>
  readonly submit: (request: Request) => Promise<unknown>
  readonly clock: () => string
  readonly log: Log
}

/**
 * Looks at what devices and deployments reported of the latest releases, halts what is beyond its brakes, and says so.
 * Never throws.
 */
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
        const board = (await view.state(boardKey(config.product))) as BoardState | undefined
        const deployments = deploymentsOf(board, versionOf(state, latest), inForce?.configuration)
        const book = await books?.of(config.id)
        const reason = reasonToHalt({ config, state, latest, book, deployments, manifest, now })
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

const versionOf = ({ bundles }: CohortState, { bundle }: ChannelRelease): string | undefined =>
  bundles.find(({ id }) => id === bundle)?.version

interface Deployed {
  readonly environment: string
  readonly status: DeploymentStatus
  readonly at: string
}

/** No enrolled device is called so by accident, and nobody speaks for an environment through the door of the devices. */
const placeOf = (environment: string): string => `environment\u0000${environment}`

/**
 * How the release's version fared in the environments of the rings, each one install. What somebody merely says, or did
 * past a gate, halts nothing.
 */
function deploymentsOf(
  board: BoardState | undefined,
  version: string | undefined,
  configuration: Configuration | undefined,
): Deployed[] {
  const inRings = new Set(configuration?.rings.flatMap(({ environments }) => environments))
  return (board?.cells ?? [])
    .filter(({ environment }) => inRings.has(environment))
    .flatMap(({ environment, attempts }) =>
      attempts
        .filter((attempt) => attempt.version === version)
        .filter(({ trust, authorisation }) => trust !== 'claimed' && authorisation !== 'unauthorised')
        .map(({ end, status, startedAt, at }) => ({
          environment: placeOf(environment),
          status: end?.status ?? status,
          at: end?.at ?? startedAt ?? at,
        })),
    )
}

interface Look {
  readonly config: CohortConfig
  readonly state: CohortState
  readonly latest: ChannelRelease
  readonly book: DeviceBook | undefined
  readonly deployments: readonly Deployed[]
  readonly manifest: Manifest | undefined
  readonly now: string
}

function reasonToHalt({ config, state, latest, book, deployments, manifest, now }: Look): string | null {
  const { brakes } = config
  if (!brakes || latest.phase.halted) return null
  const known: ReadonlyMap<string, { readonly device: Device }> = book?.known() ?? new Map()
  const admit = book && admitOf({ config, latest, book, manifest, size: known.size })
  const nowMs = Date.parse(now)
  const permits = (pseudonym: string): boolean => {
    const device = known.get(pseudonym)?.device ?? { pseudonym, tags: [], quarantined: false }
    return admit?.(device, nowMs).admitted ?? false
  }
  const places = new Set(deployments.map(({ environment }) => environment))
  const reports = [...(book?.installs() ?? []), ...deploymentReports(latest.id, deployments)]
  const counts = countPhase(reports, {
    release: latest.id,
    permitted: [...known.keys()].filter(permits).length + places.size,
    permits: (device) => places.has(device) || permits(device),
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
}: Pick<Look, 'config' | 'latest' | 'manifest'> & { readonly book: DeviceBook; readonly size: number }): Admit {
  if (config.admission === 'claims') return claimsAdmission(book.claims(size)).of(latest.id, latest.phase)
  const phase = manifest?.releases.find(({ id }) => id === latest.id)?.phase
  return staticAdmission(config.id).of(latest.id, phase)
}

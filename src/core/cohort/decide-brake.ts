import { draft } from '../catalogue.ts'
import { readConfiguration } from '../config/in-force.ts'
import { type Deciding, type Decision, state } from '../decision.ts'
import type { Request } from '../request.ts'
import { updateRelease } from './channel.ts'
import { channelOf } from './offer.ts'
import { type CohortState, cohortKey } from './state.ts'

type BrakeTripped = Extract<Request, { kind: 'brake-tripped' }>
const nothing: Decision<null> = { kind: 'accept', events: [], answer: null }

/** A brake halts the latest release of a cohort, once; only a person lets it go on. */
export function* decideBrakeTripped(request: BrakeTripped): Deciding<Decision<null>> {
  const inForce = yield* readConfiguration()
  const config = inForce?.configuration.cohorts.find(({ id }) => id === request.cohort)
  const cohort = yield* state<CohortState>(cohortKey(request.cohort))
  const release = cohort?.releases.find(({ id }) => id === request.release)
  if (!config?.brakes || !cohort || !release || release.next !== null || release.phase.halted) return nothing
  const halted = { at: request.at, reason: request.reason.slice(0, 2_000) }
  const after = updateRelease(
    channelOf(cohort, config),
    release.id,
    { phase: { ...release.phase, halted } },
    request.at,
  )
  const changed = after.ok ? after.value.releases.find(({ id }) => id === release.id) : undefined
  if (!changed) return nothing
  const resumedAt = cohort.resumed.find((entry) => entry.release === release.id)?.at ?? 'never'
  const data = { cohort: cohort.id, what: 'halt', release: changed, reason: halted.reason, effect: null } as const
  const key = `brake:${cohort.id.slice(0, 80)}:${release.id.slice(0, 200)}:${resumedAt}`
  const rest = { at: request.at, actor: null, source: request.source, trust: 'platform' as const }
  return { kind: 'accept', answer: null, events: [draft('channel.changed', data, { key, ...rest })] }
}

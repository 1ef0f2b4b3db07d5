import type { Request } from '../core/request.ts'
import { buildNumbers } from './build-numbers.ts'
import { builds } from './builds.ts'
import { bundles } from './bundles.ts'
import { comments } from './comments.ts'
import { configuration, proposedConfiguration } from './configuration.ts'
import type { Concern, Delivery, Installation } from './delivery.ts'
import { deployments } from './deployments.ts'
import { gates } from './gates.ts'
import { forgedChecks, forgedStatuses, pushes } from './interference.ts'
import { proposals, reviews } from './proposals.ts'
import { runs } from './runs.ts'

/** By name: the table of sweeps says of each where its facts are found again. */
export const CONCERNS: Readonly<Record<string, Concern>> = {
  builds,
  buildNumbers,
  bundles,
  comments,
  configuration,
  proposedConfiguration,
  deployments,
  gates,
  proposals,
  reviews,
  runs,
  forgedChecks,
  forgedStatuses,
  pushes,
}

const ALL = Object.values(CONCERNS)

/** The events that the App subscribes to, sorted. */
export const EVENTS: readonly string[] = [...new Set(ALL.flatMap((concern) => concern.events))].sort()

/** Whether a delivery of an event and action could make a request at all; null stands for an event without actions. */
export const isHeard = (event: string, action: string | null): boolean =>
  ALL.some(({ events, actions }) => events.includes(event) && (actions === undefined || actions.includes(action ?? '')))

/**
 * Events each delivery of which makes one request at most, and what follows from it is appended together: where the log
 * names the delivery as the source of an event, nothing of it is left to do.
 */
export const TAKEN_AS_A_WHOLE: ReadonlySet<string> = new Set(['check_run', 'deployment_status'])

/** The requests that a delivery makes, in order; none for what is not our concern. */
export const requestsOf = (delivery: Delivery, installation: Installation): Request[] =>
  ALL.filter((concern) => concern.events.includes(delivery.event)).flatMap((concern) =>
    concern.toRequests(delivery, installation),
  )

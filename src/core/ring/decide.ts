import { draft } from '../catalogue.ts'
import { readConfiguration } from '../config/in-force.ts'
import { type Deciding, type Decision, states } from '../decision.ts'
import { attemptOf } from '../deployment/evolve.ts'
import { type RunState, runKey } from '../deployment/schema.ts'
import { OPEN_KEY, type OpenIndex } from '../release/open.ts'
import type { Request } from '../request.ts'
import { closedBy, isOutlived, outlivedBy } from './close.ts'
import { findGate, type GateFinding } from './find-gate.ts'
import type { Blocker, GateItem, GateState } from './schema.ts'
import { gateKeyOf } from './schema.ts'

type GateRequested = Extract<Request, { kind: 'gate-requested' }>
type GateReview = Extract<Request, { kind: 'gate-review' }>

/**
 * A job asks to enter an environment: it is noted, and decided at once. Asking again changes nothing; nor does what
 * was asked before the run was tried again (ids of deployments grow). What is heard of only after its try of the run was
 * over is closed at once: no later word of the run would close it.
 */
export function* decideGateRequested(request: GateRequested): Deciding<Decision<null>> {
  const { repository, runId, environment, deploymentId, sha, ref, installationId } = request
  const key = gateKeyOf(repository.id, runId, environment)
  const [known, run] = (yield* states<unknown>([key, runKey(repository.id, runId)])) as [
    GateState | undefined,
    RunState | undefined,
  ]
  if (known && known.deploymentId >= deploymentId) return { kind: 'accept', events: [], answer: null }
  const attempt = attemptOf(run, deploymentId)
  return {
    kind: 'accept',
    answer: null,
    events: [
      draft(
        'gate.requested',
        {
          ...{ repository, runId, environment, deploymentId, sha, ref, installationId },
          ...(known === undefined ? {} : { replaces: known.deploymentId }),
        },
        {
          key: `${key}:${deploymentId}`,
          at: request.at,
          actor: request.actor,
          source: request.source,
          trust: 'platform',
        },
      ),
      ...(attempt !== undefined && run !== undefined && attempt <= run.endedAttempt
        ? [closedBy(request, { key, repository, runId, deploymentId }, attempt)]
        : []),
    ],
  }
}

/** How long a run may take to say what it deploys; after that nothing is going to clear it. */
const INTENT_WITHIN_MS = 60 * 60_000

function verdictOf(gate: GateState, finding: GateFinding, at: string): 'approved' | 'waiting' | 'rejected' {
  if (finding.blockers.length === 0) return 'approved'
  const isUnknown = finding.blockers.every((blocker) => blocker.code === 'intent-unknown')
  return isUnknown && Date.parse(at) - Date.parse(gate.requestedAt) > INTENT_WITHIN_MS ? 'rejected' : 'waiting'
}

/**
 * Decides an open gate again. Recorded when the verdict, the set of blocker codes or the versions have changed; else, or
 * where its answer does not come out, it is closed once GitHub can have no job for it any more.
 */
export function* decideGateReview(request: GateReview): Deciding<Decision<null>> {
  const [gate, open] = (yield* states<unknown>([request.gate as `gate/${string}`, OPEN_KEY])) as [
    GateState | undefined,
    OpenIndex | undefined,
  ]
  const isOver = gate !== undefined && open?.gates.includes(gate.key) === true && isOutlived(gate, request.at)
  const unchanged: Decision<null> = {
    kind: 'accept',
    events: isOver ? [outlivedBy(request, gate)] : [],
    answer: null,
  }
  if (gate?.verdict !== 'waiting') return unchanged
  const inForce = yield* readConfiguration()
  const finding = yield* findGate(gate, inForce, request.at)
  const verdict = verdictOf(gate, finding, request.at)
  const said = (codes: readonly Blocker[], items: readonly GateItem[]) =>
    JSON.stringify([[...new Set(codes.map((blocker) => blocker.code))].sort(), items])
  if (
    verdict === 'waiting' &&
    gate.decidedAt !== null &&
    said(gate.blockers, gate.items) === said(finding.blockers, finding.items)
  ) {
    return unchanged
  }
  return {
    kind: 'accept',
    answer: null,
    events: [
      draft(
        'gate.decided',
        {
          gate: gate.key,
          verdict,
          blockers: [...finding.blockers],
          items: [...finding.items],
          intent: finding.intent,
          releases: [...finding.releases],
          policyDigest: inForce?.digest ?? null,
          ...(verdict === 'approved' && finding.overrides.length > 0 ? { overrides: [...finding.overrides] } : {}),
        },
        {
          key: `${gate.key}:${gate.deploymentId}:decided:${gate.reports + 1}`,
          at: request.at,
          actor: null,
          source: request.source,
          trust: 'platform',
        },
      ),
    ],
  }
}

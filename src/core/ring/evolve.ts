import type { TypedEvent } from '../catalogue.ts'
import { type GateState, gateKeyOf } from './schema.ts'

type GateEvent = TypedEvent<'gate.requested' | 'gate.decided' | 'gate.closed'>

export function evolveGate(state: GateState | undefined, event: GateEvent): GateState | undefined {
  if (event.type === 'gate.requested') {
    const { replaces: _, ...asked } = event.data
    const { repository, runId, environment, deploymentId } = asked
    if (state && state.deploymentId >= deploymentId) return state
    return {
      ...asked,
      key: gateKeyOf(repository.id, runId, environment),
      requestedAt: event.at,
      verdict: 'waiting',
      blockers: [],
      items: [],
      /** A run that is tried again keeps what it was let through with: its first attempt may still be under way. */
      approvedItems: state?.approvedItems ?? [],
      intent: 'unknown',
      releases: [],
      reports: 0,
      decidedAt: null,
    }
  }
  if (state === undefined) return undefined
  if (event.type === 'gate.closed') return { ...state, verdict: state.verdict === 'waiting' ? 'closed' : state.verdict }
  const { verdict, blockers, items, intent, releases, overrides } = event.data
  return {
    ...state,
    verdict,
    blockers,
    items,
    intent,
    releases,
    approvedItems: verdict === 'approved' ? items : state.approvedItems,
    reports: state.reports + 1,
    decidedAt: event.at,
    ...(overrides === undefined ? {} : { overridden: true }),
  }
}

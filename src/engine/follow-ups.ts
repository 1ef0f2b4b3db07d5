import type { EventData, EventType } from '../core/catalogue.ts'
import type { EventDraft } from '../core/event.ts'
import type { OpenIndex } from '../core/release/open.ts'
import type { Request } from '../core/request.ts'

/** What an event makes worth deciding again: derived, so that it can be derived again after a crash. */
type FollowUp = (data: never, open: OpenIndex) => readonly FollowUpRequest[]
type FollowUpRequest =
  | { readonly kind: 'gate-review'; readonly gate: string }
  | { readonly kind: 'release-review'; readonly release: string }
  | { readonly kind: 'ring-reached'; readonly product: string; readonly version: string; readonly environment: string }

const openGates: FollowUp = (_data, open) => open.gates.map((gate) => ({ kind: 'gate-review', gate }))

const openReleases: FollowUp = (_data, open) =>
  open.releases.map((release) => ({ kind: 'release-review', release: release.id }))

const ownRelease: FollowUp = (data: { readonly release: string }) => [{ kind: 'release-review', release: data.release }]

const reached: FollowUp = ({ product, version, environment }: EventData<'deployment.completed'>) => [
  { kind: 'ring-reached', product, version, environment },
]

const FOLLOW_UPS: { readonly [T in EventType]?: readonly FollowUp[] } = {
  'config.accepted': [openGates, openReleases],
  'build.recorded': [openGates],
  'deployment.pending': [openGates],
  'deployment.started': [openGates],
  'deployment.completed': [openGates, reached],
  'deployment.failed': [openGates],
  'deployment.aborted': [openGates],
  'release.version_added': [ownRelease, openGates],
  'release.version_removed': [ownRelease, openGates],
  'release.started': [ownRelease, openGates],
  'release.reopened': [openGates],
  'release.completed': [openGates],
  'release.cancelled': [openGates],
  'release.rolled_back': [openGates],
  'proposal.seen': [ownRelease],
  'review.submitted': [ownRelease],
  'review.dismissed': [ownRelease],
  'signoff.decided': [openGates],
  'release.set': [ownRelease, openGates],
  'release.judged': [openGates],
  'release.held': [openGates],
  'release.unheld': [openGates],
  'override.confirmed': [openGates],
  'environment.frozen': [openGates],
  'environment.unfrozen': [openGates],
  'freeze.excepted': [openGates],
  'party.delegated': [ownRelease],
  'party.undelegated': [ownRelease],
  'gate.requested': [openGates],
}

/** The requests that some events call for, each once, in the order of the events. */
export function followUpsOf(events: readonly EventDraft[], open: OpenIndex, at: string): Request[] {
  const found = new Map<string, Request>()
  for (const event of events) {
    for (const followUp of FOLLOW_UPS[event.type as EventType] ?? []) {
      for (const request of followUp(event.data as never, open)) {
        found.set(JSON.stringify(request), { ...request, at, actor: null, source: event.source })
      }
    }
  }
  return [...found.values()]
}

/** What is decided again at a start and by the clock: everything open. Idempotent. */
export const sweepOf = (open: OpenIndex, at: string): Request[] =>
  [...openReleases(undefined as never, open), ...openGates(undefined as never, open)].map((request) => ({
    ...request,
    at,
    actor: null,
    source: { kind: 'timer' as const },
  }))

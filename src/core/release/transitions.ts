import type { ReleaseStatus } from './schema.ts'

/** The moves of a release's life, by the event that makes them; what is not here is not allowed. */
export const RELEASE_TRANSITIONS = [
  { event: 'release.started', from: ['draft'], to: 'in_progress' },
  { event: 'release.reopened', from: ['in_progress'], to: 'draft' },
  { event: 'release.completed', from: ['in_progress'], to: 'completed' },
  { event: 'release.cancelled', from: ['draft', 'in_progress'], to: 'cancelled' },
  { event: 'release.rolled_back', from: ['in_progress', 'completed'], to: 'rolled_back' },
] as const satisfies readonly { event: string; from: readonly ReleaseStatus[]; to: ReleaseStatus }[]

export type ReleaseMove = (typeof RELEASE_TRANSITIONS)[number]['event']

/** The status that a move leads to, or null when the release cannot make it from where it is. */
export function nextStatus(from: ReleaseStatus, move: ReleaseMove): ReleaseStatus | null {
  const transition = RELEASE_TRANSITIONS.find((row) => row.event === move)
  return transition && (transition.from as readonly ReleaseStatus[]).includes(from) ? transition.to : null
}

/** A release that still changes: its issue is rendered and its gates are answered. */
export const isOpen = (status: ReleaseStatus): boolean => status === 'draft' || status === 'in_progress'

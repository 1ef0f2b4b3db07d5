import type { TypedEvent } from '../catalogue.ts'
import {
  CONDUCT_EVENTS,
  type ConductEvent,
  evolveConduct,
  newConduct,
  reconducted,
  withReview,
  withReviews,
} from './conduct.ts'
import type { ReleaseItem, ReleaseState, SignoffRecord } from './schema.ts'
import { nextStatus, type ReleaseMove } from './transitions.ts'

type ReleaseEvent =
  | ConductEvent
  | TypedEvent<
      | 'release.manager_changed'
      | 'release.opened'
      | 'release.version_added'
      | 'release.version_removed'
      | ReleaseMove
      | 'notes.asked'
      | 'step.done'
      | 'step.undone'
      | 'proposal.seen'
      | 'review.submitted'
      | 'review.dismissed'
      | 'signoff.decided'
    >

const sorted = (items: readonly ReleaseItem[]): ReleaseItem[] =>
  [...items].sort((a, b) => (a.product < b.product ? -1 : a.product > b.product ? 1 : 0))

/** The signatures of another content are gone with it; who changed it may not sign it. */
function recomposed(state: ReleaseState, items: readonly ReleaseItem[], event: ReleaseEvent): ReleaseState {
  const editor = event.actor?.login
  return {
    ...state,
    items: sorted(items),
    editors: editor === undefined || state.editors.includes(editor) ? state.editors : [...state.editors, editor],
    conduct: reconducted(state.conduct, event.at),
    signoff: null,
  }
}

/** What is blocked may be so because the reviews could not be read: whoever objected before is not forgotten for that. */
const objectorsAfter = (state: ReleaseState, { status, vetoes }: SignoffRecord): string[] =>
  status === 'blocked' ? [...new Set([...state.objectors, ...vetoes])] : vetoes

type Moved = Extract<ReleaseEvent, { type: ReleaseMove }>

/** What a move changes beside the status; a move that the table does not allow from here changes nothing. */
function moved(state: ReleaseState, event: Moved): ReleaseState {
  const status = nextStatus(state.status, event.type)
  if (status === null) return state
  switch (event.type) {
    case 'release.started':
      return {
        ...state,
        status,
        startedBy: event.actor,
        conduct: { ...state.conduct, waitingSince: event.at },
        signoff: null,
      }
    case 'release.reopened':
      return { ...state, status, conduct: { ...state.conduct, waitingSince: null, reminders: [] }, signoff: null }
    case 'release.completed':
      return { ...state, status, endedAt: event.at }
    case 'release.cancelled':
    case 'release.rolled_back':
      return { ...state, status, endedAt: event.at, endReason: event.data.reason }
  }
}

export function evolveRelease(state: ReleaseState | undefined, event: ReleaseEvent): ReleaseState | undefined {
  if (event.type === 'release.opened') {
    const { release, title, repository, issue, manager, policyDigest } = event.data
    return (
      state ?? {
        id: release,
        title,
        status: 'draft',
        repository,
        issue,
        manager,
        openedAt: event.at,
        policyDigest,
        items: [],
        editors: [],
        startedBy: null,
        steps: [],
        proposal: null,
        dismissals: [],
        objectors: [],
        signoff: null,
        conduct: newConduct,
        endedAt: null,
        endReason: null,
      }
    )
  }
  if (state === undefined) return undefined
  return isConduct(event) ? conducted(state, event) : evolveKnown(state, event)
}

const isConduct = (event: ReleaseEvent): event is ConductEvent =>
  (CONDUCT_EVENTS as readonly string[]).includes(event.type)

/** Title and profile are part of what is signed. */
function conducted(state: ReleaseState, event: ConductEvent): ReleaseState {
  const next = { ...state, conduct: evolveConduct(state.conduct, event) }
  if (event.type !== 'release.set') return next
  if (event.data.key === 'title')
    return recomposed({ ...next, title: event.data.value ?? state.title }, state.items, event)
  return event.data.key === 'profile' ? recomposed(next, state.items, event) : next
}

/** In their order, whenever each of them was heard of. */
const withEarlier = (state: ReleaseState, number: number): ReleaseState => ({
  ...state,
  earlier: [...new Set([...(state.earlier ?? []), number])].sort((a, b) => a - b),
})

function evolveKnown(
  state: ReleaseState,
  event: Exclude<ReleaseEvent, ConductEvent | { type: 'release.opened' }>,
): ReleaseState {
  switch (event.type) {
    case 'release.version_added': {
      const { item } = event.data
      return recomposed(state, [...state.items.filter((other) => other.product !== item.product), item], event)
    }
    case 'release.version_removed':
      return recomposed(
        state,
        state.items.filter((other) => other.product !== event.data.product),
        event,
      )
    case 'release.started':
    case 'release.reopened':
    case 'release.completed':
    case 'release.cancelled':
    case 'release.rolled_back':
      return moved(state, event)
    case 'notes.asked':
      return { ...state, notesAsked: (state.notesAsked ?? 0) + 1 }
    case 'step.done': {
      const { step, evidence } = event.data
      const done = { id: step, by: event.actor, at: event.at, evidence }
      return { ...state, steps: [...state.steps.filter((other) => other.id !== step), done] }
    }
    case 'step.undone':
      return {
        ...state,
        steps: state.steps.filter((other) => other.id !== event.data.step),
        conduct: { ...state.conduct, waivers: state.conduct.waivers.filter((other) => other.step !== event.data.step) },
      }
    case 'proposal.seen': {
      const { number, url, head, headDigest, author, merged } = event.data
      if (state.proposal && state.proposal.number > number) return withEarlier(state, number)
      const known = state.proposal?.number === number ? state.proposal.contents : []
      const contents = [...known.filter((entry) => entry.commit !== head), { commit: head, digest: headDigest }].slice(
        -200,
      )
      const before = state.proposal && state.proposal.number !== number ? state.proposal.number : null
      return {
        ...(before === null ? state : withEarlier(state, before)),
        proposal: { number, url, head, headDigest, author, contents, merged },
      }
    }
    case 'review.submitted': {
      const { reviewId, state: said } = event.data
      const dismissals = state.dismissals.map((entry) =>
        entry.reviewId === reviewId && entry.was === null ? { ...entry, was: said } : entry,
      )
      return { ...state, dismissals, conduct: withReview(state.conduct, { reviewId, state: said }) }
    }
    case 'review.dismissed': {
      const { reviewId, by, was, author } = event.data
      const others = state.dismissals.filter((other) => other.reviewId !== reviewId)
      const dismissal = { reviewId, by, was, ...(author === undefined ? {} : { author }) }
      return { ...state, dismissals: [...others, dismissal].sort((a, b) => a.reviewId - b.reviewId) }
    }
    case 'release.manager_changed':
      return { ...state, manager: event.data.manager }
    case 'signoff.decided':
      return {
        ...state,
        signoff: event.data.signoff,
        objectors: objectorsAfter(state, event.data.signoff),
        conduct: withReviews(state.conduct, event.data.facts),
      }
  }
}

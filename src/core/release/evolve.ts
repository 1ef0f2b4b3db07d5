import type { TypedEvent } from '../catalogue.ts'
import { nothingOpen, type OpenIndex } from './open.ts'
import type { ReleaseItem, ReleaseState } from './schema.ts'
import { nextStatus, type ReleaseMove } from './transitions.ts'

type ReleaseEvent = TypedEvent<
  | 'release.opened'
  | 'release.version_added'
  | 'release.version_removed'
  | ReleaseMove
  | 'step.done'
  | 'step.undone'
  | 'proposal.seen'
  | 'review.dismissed'
  | 'signoff.decided'
>

const sorted = (items: readonly ReleaseItem[]): ReleaseItem[] =>
  [...items].sort((a, b) => (a.product < b.product ? -1 : a.product > b.product ? 1 : 0))

/** The signatures of another content are gone with it; who changed it may not sign it. */
const recomposed = (state: ReleaseState, items: readonly ReleaseItem[], editor: string | undefined): ReleaseState => ({
  ...state,
  items: sorted(items),
  editors: editor === undefined || state.editors.includes(editor) ? state.editors : [...state.editors, editor],
  signoff: null,
})

const moved = (state: ReleaseState, move: ReleaseMove): ReleaseState => ({
  ...state,
  status: nextStatus(state.status, move) ?? state.status,
})

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
        signoff: null,
        endedAt: null,
        endReason: null,
      }
    )
  }
  return state && evolveKnown(state, event)
}

function evolveKnown(state: ReleaseState, event: Exclude<ReleaseEvent, { type: 'release.opened' }>): ReleaseState {
  switch (event.type) {
    case 'release.version_added': {
      const { item } = event.data
      return recomposed(state, [...state.items.filter((other) => other.product !== item.product), item], event.actor?.login)
    }
    case 'release.version_removed':
      return recomposed(
        state,
        state.items.filter((other) => other.product !== event.data.product),
        event.actor?.login,
      )
    case 'release.started':
      return { ...moved(state, event.type), startedBy: event.actor, signoff: null }
    case 'release.reopened':
      return { ...moved(state, event.type), signoff: null }
    case 'release.completed':
      return { ...moved(state, event.type), endedAt: event.at }
    case 'release.cancelled':
    case 'release.rolled_back':
      return { ...moved(state, event.type), endedAt: event.at, endReason: event.data.reason }
    case 'step.done': {
      const { step, evidence } = event.data
      const done = { id: step, by: event.actor, at: event.at, evidence }
      return { ...state, steps: [...state.steps.filter((other) => other.id !== step), done] }
    }
    case 'step.undone':
      return { ...state, steps: state.steps.filter((other) => other.id !== event.data.step) }
    case 'proposal.seen': {
      const { number, url, head, headDigest, author, merged } = event.data
      const known = state.proposal?.number === number ? state.proposal.contents : []
      const contents = [...known.filter((entry) => entry.commit !== head), { commit: head, digest: headDigest }].slice(-200)
      return { ...state, proposal: { number, url, head, headDigest, author, contents, merged } }
    }
    case 'review.dismissed': {
      const { reviewId, by, was } = event.data
      return { ...state, dismissals: [...state.dismissals.filter((other) => other.reviewId !== reviewId), { reviewId, by, was }] }
    }
    case 'signoff.decided':
      return { ...state, signoff: event.data.signoff }
  }
}

type IndexEvent = TypedEvent<
  | 'release.opened'
  | 'release.version_added'
  | 'release.version_removed'
  | ReleaseMove
  | 'gate.requested'
  | 'gate.decided'
  | 'gate.closed'
  | 'alarm.raised'
  | 'alarm.cleared'
>

/** What is open, derived from the same events that open and close. */
export function evolveOpen(state: OpenIndex | undefined, event: IndexEvent, gateKey: string | null = null): OpenIndex {
  const open = state ?? nothingOpen
  const withRelease = (id: string, change: (items: readonly { product: string; version: string }[]) => { product: string; version: string }[]) => ({
    ...open,
    releases: open.releases.map((release) => (release.id === id ? { ...release, items: change(release.items) } : release)),
  })
  switch (event.type) {
    case 'release.opened':
      return open.releases.some((release) => release.id === event.data.release)
        ? open
        : { ...open, releases: [...open.releases, { id: event.data.release, issue: event.data.issue, items: [] }] }
    case 'release.version_added': {
      const { product, version } = event.data.item
      return withRelease(event.data.release, (items) => [...items.filter((item) => item.product !== product), { product, version }])
    }
    case 'release.version_removed':
      return withRelease(event.data.release, (items) => items.filter((item) => item.product !== event.data.product))
    case 'release.completed':
    case 'release.cancelled':
    case 'release.rolled_back':
      return { ...open, releases: open.releases.filter((release) => release.id !== event.data.release) }
    case 'release.started':
    case 'release.reopened':
      return open
    case 'gate.requested':
      return gateKey === null || open.gates.includes(gateKey) ? open : { ...open, gates: [...open.gates, gateKey] }
    case 'gate.decided':
      return event.data.verdict === 'waiting' ? open : { ...open, gates: open.gates.filter((key) => key !== event.data.gate) }
    case 'gate.closed':
      return { ...open, gates: open.gates.filter((key) => key !== event.data.gate) }
    case 'alarm.raised': {
      const { alarm, code, message } = event.data
      if (open.alarms.some((entry) => entry.alarm === alarm)) return open
      return { ...open, alarms: [...open.alarms, { alarm, code, message, raisedAt: event.at }] }
    }
    case 'alarm.cleared':
      return { ...open, alarms: open.alarms.filter((entry) => entry.alarm !== event.data.alarm) }
  }
}


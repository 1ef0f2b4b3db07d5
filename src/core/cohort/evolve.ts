import type { TypedEvent } from '../catalogue.ts'
import type { Bundle, ChannelRelease } from './schema.ts'
import type { CohortIndex, CohortState, SignedBundles } from './state.ts'

export type CohortEvent = TypedEvent<
  | 'channel.released'
  | 'channel.changed'
  | 'channel.withdrawn'
  | 'cohort.override_set'
  | 'cohort.override_ended'
  | 'cohort.quarantine_set'
  | 'cohort.moved'
  | 'cohort.entry_set'
  | 'manifest.due'
  | 'manifest.published'
>

/** Older ones are in the log; their release issues are closed. */
const MOST_BROUGHT = 10

const newCohort = (id: string, product: string): CohortState => ({
  id,
  product,
  bundles: [],
  releases: [],
  salts: [],
  overrides: [],
  quarantine: null,
  movedTo: null,
  entryRelease: null,
  resumed: [],
  issue: 0,
  published: null,
})

/** A new channel release is the latest: the one that was so far leads to it. */
function released(
  state: CohortState,
  made: { readonly bundle: Bundle; readonly release: ChannelRelease; readonly salt: string },
): CohortState {
  const { bundle, release, salt } = made
  if (state.releases.some((other) => other.id === release.id)) return state
  const linked = state.releases.map((other) => (other.next === null ? { ...other, next: release.id } : other))
  const bundles = state.bundles.some((other) => other.id === bundle.id) ? state.bundles : [...state.bundles, bundle]
  return {
    ...state,
    bundles,
    releases: [...linked, release],
    salts: [...state.salts, { release: release.id, salt }],
  }
}

/** A release in its new words; where it leads is the graph's own. */
const changed = (state: CohortState, release: ChannelRelease): CohortState => ({
  ...state,
  releases: state.releases.map((other) => (other.id === release.id ? { ...release, next: other.next } : other)),
})

/** Total: what is said of a cohort that was never offered anything changes nothing. */
export function evolveCohort(state: CohortState | undefined, event: CohortEvent): CohortState | undefined {
  if (event.type === 'channel.released') {
    const { cohort, bundle, release, effect } = event.data
    const after = released(state ?? newCohort(cohort, bundle.product), event.data)
    if (effect === undefined || after === state) return after
    const brought = [...(after.brought ?? []), { release: release.id, at: event.at, effect }]
    return { ...after, brought: brought.slice(-MOST_BROUGHT) }
  }
  if (state === undefined) return undefined
  switch (event.type) {
    case 'channel.changed': {
      const { release, what } = event.data
      const after = changed(state, release)
      if (what !== 'resume') return after
      const others = state.resumed.filter((entry) => entry.release !== release.id)
      return { ...after, resumed: [...others, { release: release.id, at: event.at }] }
    }
    case 'channel.withdrawn':
      return released(changed(state, event.data.withdrawn), event.data.fix)
    case 'cohort.override_set': {
      const { override } = event.data
      const others = state.overrides.filter(({ id, endsAt }) => id !== override.id && !isOver(endsAt, event.at))
      return { ...state, overrides: [...others, override] }
    }
    case 'cohort.override_ended':
      return { ...state, overrides: state.overrides.filter(({ id }) => id !== event.data.override) }
    case 'cohort.quarantine_set':
      return { ...state, quarantine: event.data.quarantine }
    case 'cohort.moved':
      return { ...state, movedTo: event.data.to }
    case 'cohort.entry_set':
      return { ...state, entryRelease: event.data.release }
    case 'manifest.due':
      return { ...state, issue: state.issue + 1 }
    case 'manifest.published': {
      const { digest, address } = event.data
      return { ...state, published: { digest, address, at: event.at } }
    }
  }
}

const isOver = (endsAt: string | null | undefined, now: string): boolean =>
  endsAt != null && Date.parse(endsAt) <= Date.parse(now)

export function evolveCohortIndex(state: CohortIndex | undefined, event: TypedEvent<'channel.released'>): CohortIndex {
  const cohorts = state?.cohorts ?? []
  return cohorts.includes(event.data.cohort) ? { cohorts } : { cohorts: [...cohorts, event.data.cohort].sort() }
}

export const evolveSignedBundles = (
  state: SignedBundles | undefined,
  event: TypedEvent<'bundles.signed'>,
): SignedBundles => (state && state.version >= event.data.version ? state : event.data)

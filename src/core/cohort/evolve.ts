import type { TypedEvent } from '../catalogue.ts'
import type { CohortIndex, CohortState, SignedBundles } from './state.ts'

type CohortEvent = TypedEvent<'channel.released' | 'manifest.published'>

/** A new channel release is the latest: the one that was so far leads to it. */
export function evolveCohort(state: CohortState | undefined, event: CohortEvent): CohortState | undefined {
  if (event.type === 'manifest.published') {
    const { digest, address } = event.data
    return state && { ...state, published: { digest, address, at: event.at } }
  }
  const { cohort, bundle, release } = event.data
  const known: CohortState = state ?? {
    id: cohort,
    product: bundle.product,
    bundles: [],
    releases: [],
    published: null,
  }
  if (known.releases.some((other) => other.id === release.id)) return known
  const linked = known.releases.map((other) => (other.next === null ? { ...other, next: release.id } : other))
  const bundles = known.bundles.some((other) => other.id === bundle.id) ? known.bundles : [...known.bundles, bundle]
  return { ...known, bundles, releases: [...linked, release] }
}

export function evolveCohortIndex(state: CohortIndex | undefined, event: TypedEvent<'channel.released'>): CohortIndex {
  const cohorts = state?.cohorts ?? []
  return cohorts.includes(event.data.cohort) ? { cohorts } : { cohorts: [...cohorts, event.data.cohort].sort() }
}

export const evolveSignedBundles = (
  state: SignedBundles | undefined,
  event: TypedEvent<'bundles.signed'>,
): SignedBundles => (state && state.version >= event.data.version ? state : event.data)

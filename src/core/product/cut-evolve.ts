import type { TypedEvent } from '../catalogue.ts'
import type { CutsState } from './cut-schema.ts'

/** Each has a comment that can be put right; what is older stands in the log and in the repository of the product. */
const CUTS_AT_HAND = 50

export function evolveCuts(
  state: CutsState | undefined,
  event: TypedEvent<'cut.asked'> | TypedEvent<'cut.settled'>,
): CutsState {
  const known: CutsState = state ?? { product: event.data.product, cuts: [] }
  if (event.type === 'cut.settled') {
    const { cut: id, outcome } = event.data
    return { ...known, cuts: known.cuts.map((cut) => (cut.id === id ? { ...cut, outcome } : cut)) }
  }
  const { data, actor, at } = event
  if (known.cuts.some(({ id }) => id === data.id)) return known
  return bounded({ ...known, cuts: [...known.cuts, { ...data, by: actor?.login ?? null, at, outcome: null }] })
}

/** What is still to be made is never forgotten. */
function bounded({ product, cuts }: CutsState): CutsState {
  const settled = cuts.filter(({ outcome }) => outcome !== null)
  const dropped = new Set(settled.slice(0, Math.max(0, cuts.length - CUTS_AT_HAND)))
  return { product, cuts: cuts.filter((cut) => !dropped.has(cut)) }
}

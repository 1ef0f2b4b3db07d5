import { draft } from '../catalogue.ts'
import { type Deciding, type Decision, state } from '../decision.ts'
import type { Request } from '../request.ts'
import { type CutsState, cutsKey } from './cut-schema.ts'

type CutSettled = Extract<Request, { kind: 'cut-settled' }>

/** Records what came of a cut, once: what is made or refused stays so, and asking again is another cut. */
export function* decideCutSettled(request: CutSettled): Deciding<Decision<null>> {
  const { product, cut, outcome } = request
  const known = yield* state<CutsState>(cutsKey(product))
  const isOpen = known?.cuts.some((entry) => entry.id === cut && entry.outcome === null) ?? false
  if (!isOpen) return { kind: 'accept', events: [], answer: null }
  const { at, actor, source } = request
  const settled = draft(
    'cut.settled',
    { product, cut, outcome },
    { key: `cut:${cut}:settled`, at, actor, source, trust: 'platform' },
  )
  return { kind: 'accept', events: [settled], answer: null }
}

import type { TypedEvent } from '../catalogue.ts'
import { type Refusal, type RefusalsState, refusedKey } from './refusal-schema.ts'

/** As many as somebody reads; all of them stand in the log. */
const REFUSALS_AT_HAND = 20

type Refused = TypedEvent<'build.refused'> | TypedEvent<'deployment.refused'>

/** The state that an event changes; null for one from before refusals were shown, so that older snapshots hold. */
export const refusedBy = (data: Refused['data']): `refused/${string}` | null =>
  data.hint === undefined || data.sha === undefined ? null : refusedKey(data.sha)

/** One refusal for what it speaks of: the newest word of a job that is run again. */
export function evolveRefusals(state: RefusalsState | undefined, event: Refused): RefusalsState | undefined {
  const refusal = refusalOf(event)
  const sha = event.data.sha
  if (refusal === null || sha === undefined) return state
  const name = nameOf(refusal)
  const others = (state?.refusals ?? []).filter((known) => nameOf(known) !== name)
  return { sha, refusals: [...others, refusal].slice(-REFUSALS_AT_HAND) }
}

const nameOf = ({ of, repository }: Refusal): string => JSON.stringify([repository.id, of])

function refusalOf({ type, data, at }: Refused): Refusal | null {
  const { product, version, code, message, hint = null, url, repository } = data
  if (product === undefined || version === undefined) return null
  const of =
    type === 'build.refused'
      ? ({ kind: 'build', product, version } as const)
      : ({ kind: 'deployment', product, version, environment: data.environment } as const)
  return { of, code, message, hint, url, at, repository }
}

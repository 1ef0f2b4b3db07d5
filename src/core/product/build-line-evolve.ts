import type { TypedEvent } from '../catalogue.ts'
import type { BuildLine, BuildSlot } from './build-line-schema.ts'

type HandedOut = TypedEvent<'build-number.handed_out'>

export const evolveBuildLine = (_state: BuildLine | undefined, { data }: HandedOut): BuildLine => ({
  product: data.product,
  build: data.version,
  release: data.release,
})

/** What was handed out stays; until then the newest refusal stands. */
export function evolveBuildSlot(
  state: BuildSlot | undefined,
  { type, data }: HandedOut | TypedEvent<'build-number.refused'>,
): BuildSlot {
  if (state?.version !== undefined) return state
  const { product, asked } = data
  const at = asked === undefined ? {} : { asked }
  if (type === 'build-number.handed_out') return { product, version: data.version, ...at }
  const { code, message, hint } = data
  return { product, refusal: { code, message, hint }, ...at }
}

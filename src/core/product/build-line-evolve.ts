import type { TypedEvent } from '../catalogue.ts'
import type { BuildLine, BuildSlot } from './build-line-schema.ts'

type HandedOut = TypedEvent<'build-number.handed_out'>

export const evolveBuildLine = (_state: BuildLine | undefined, { data }: HandedOut): BuildLine => ({
  product: data.product,
  build: data.version,
  release: data.release,
})

export const evolveBuildSlot = (state: BuildSlot | undefined, { data }: HandedOut): BuildSlot =>
  state ?? { product: data.product, version: data.version }

import { z } from 'zod'
import { ProductName, VersionText } from './schema.ts'

/** State: how far the development builds of a product have come. `build-line/<product>`. */
export const BuildLine = z.object({
  product: ProductName,
  /** The newest that was handed out: every later one sorts above it. */
  build: VersionText,
  /** The highest release that was known then; null before the first. */
  release: VersionText.nullable(),
})
export type BuildLine = z.infer<typeof BuildLine>

/** State: what one attempt of a run was given, for ever. `build-slot/<run>/<attempt>/<product>`. */
export const BuildSlot = z.object({ product: ProductName, version: VersionText })
export type BuildSlot = z.infer<typeof BuildSlot>

interface Run {
  readonly id: number
  readonly attempt: number
}

export const buildLineKey = (product: string): `build-line/${string}` => `build-line/${product}`
export const buildSlotKey = (product: string, { id, attempt }: Run): `build-slot/${string}` =>
  `build-slot/${id}/${attempt}/${product}`

import { z } from 'zod'
import type { TypedEvent } from '../catalogue.ts'
import { Actor } from '../event.ts'
import { EnvironmentName } from '../product/schema.ts'

/** Stands for every environment in a freeze. */
export const EVERY_ENVIRONMENT = '*'

/** State: which environments take nothing in. `index/freezes`. */
export const Freezes = z.object({
  frozen: z.array(
    z.object({
      environment: EnvironmentName,
      reason: z.string(),
      /** null: Ringmaster stopped everything itself. */
      by: Actor.nullable(),
      at: z.string(),
      exceptions: z.array(z.object({ release: z.string(), reason: z.string(), by: Actor.nullable(), at: z.string() })),
    }),
  ),
})
export type Freezes = z.infer<typeof Freezes>
export type Freeze = Freezes['frozen'][number]

export const FREEZES_KEY = 'index/freezes' as const
export const nothingFrozen: Freezes = { frozen: [] }

/** The freezes that keep an environment shut: its own, and that of all. */
export const freezesOf = ({ frozen }: Freezes, environment: string): Freeze[] =>
  frozen.filter((freeze) => freeze.environment === environment || freeze.environment === EVERY_ENVIRONMENT)

type FreezeEvent = TypedEvent<'environment.frozen' | 'environment.unfrozen' | 'freeze.excepted'>

export function evolveFreezes(state: Freezes | undefined, event: FreezeEvent): Freezes {
  const { frozen } = state ?? nothingFrozen
  const { environment } = event.data
  const known = frozen.find((freeze) => freeze.environment === environment)
  const others = frozen.filter((freeze) => freeze.environment !== environment)
  const { actor: by, at } = event
  switch (event.type) {
    case 'environment.frozen':
      return {
        frozen: [...others, { environment, reason: event.data.reason, by, at, exceptions: known?.exceptions ?? [] }],
      }
    case 'environment.unfrozen':
      return { frozen: others }
    case 'freeze.excepted': {
      if (known === undefined) return { frozen }
      const { release, reason } = event.data
      const exceptions = [...known.exceptions.filter((other) => other.release !== release), { release, reason, by, at }]
      return { frozen: [...others, { ...known, exceptions }] }
    }
  }
}

import { z } from 'zod'
import { Quarantine } from '../manifest/schema.ts'
import { ChannelEffect } from './effect-schema.ts'
import { Bundle, ChannelRelease, Id, Override, Salt } from './schema.ts'

/** What the buckets of a channel release are hashed with: random, and new for each release. */
export const ReleaseSalt = z.strictObject({
  release: Id.describe('The release.'),
  salt: Salt.describe('Its salt.'),
})
export type ReleaseSalt = z.infer<typeof ReleaseSalt>

/** State: what a cohort is offered. `cohort/<id>`. */
export const CohortState = z.object({
  id: z.string(),
  product: z.string(),
  bundles: z.array(Bundle),
  /** In the order of their creation. */
  releases: z.array(ChannelRelease),
  salts: z.array(ReleaseSalt),
  /** In the order of their creation; those that have ended are left out. */
  overrides: z.array(Override),
  quarantine: Quarantine.nullable(),
  movedTo: Id.nullable(),
  entryRelease: Id.nullable(),
  /** When halted releases were last let go on: brakes judge them by what came after. */
  resumed: z.array(z.strictObject({ release: Id, at: z.string() })),
  /** How often the manifest was asked to be issued again. */
  issue: z.int(),
  /** What the newest releases were seen to do to devices when a ring brought them; null where nobody could say. */
  brought: z.array(z.strictObject({ release: Id, at: z.string(), effect: ChannelEffect.nullable() })).optional(),
  published: z.object({ digest: z.string(), address: z.string(), at: z.string() }).nullable(),
})
export type CohortState = z.infer<typeof CohortState>

/** State: the bundles that the holders of the bundles key have signed. `index/bundles`. */
export const SignedBundles = z.object({ version: z.int(), digest: z.string(), bundles: z.array(z.string()) })
export type SignedBundles = z.infer<typeof SignedBundles>

/** State: the cohorts that were ever offered something. `index/cohorts`. */
export const CohortIndex = z.object({ cohorts: z.array(z.string()) })
export type CohortIndex = z.infer<typeof CohortIndex>

export const cohortKey = (id: string): `cohort/${string}` => `cohort/${id}`
export const BUNDLES_KEY = 'index/bundles' as const
export const COHORTS_KEY = 'index/cohorts' as const

/** A bundle is one version of a product with its artifacts. */
export const bundleIdOf = (product: string, version: string): string => `${product}@${version}`

/** Where the ledger keeps the signed list of bundles. */
export const bundlesDocument = (digest: string): string => `bundles/${digest.replace(/^sha256:/, '')}.json`

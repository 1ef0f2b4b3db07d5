import { z } from 'zod'
import { Trust } from '../event.ts'
import { isNestedAtMost } from '../nesting.ts'

/** No control, format or line-separating characters: such names could hide what they say. */
const VISIBLE = /^[^\p{Cc}\p{Cf}\u2028\u2029]+$/u
const NOT_BLANK_AT_THE_ENDS = /^\S(?:.*\S)?$/u

/** A product's name is data: 1 to 100 visible characters; no blank at either end. It never becomes a path. */
export const ProductName = z.string().min(1).max(100).regex(VISIBLE).regex(NOT_BLANK_AT_THE_ENDS)
export type ProductName = z.infer<typeof ProductName>

/**
 * The tag's own text, 1 to 100 visible characters without blanks; whether it has an order is its scheme's business.
 * Without `@`, so that the last one of `product@version` divides and no two versions share a name.
 */
export const VersionText = z
  .string()
  .min(1)
  .max(100)
  .regex(VISIBLE)
  .regex(/^[^\s@]+$/u)
export type VersionText = z.infer<typeof VersionText>

export const EnvironmentName = z.string().min(1).max(100).regex(VISIBLE).regex(NOT_BLANK_AT_THE_ENDS)
export type EnvironmentName = z.infer<typeof EnvironmentName>

export const CommitSha = z.string().regex(/^[0-9a-f]{40}$/)
export type CommitSha = z.infer<typeof CommitSha>

/** A repository by its id (renames do not matter) and the name it had when it was seen. */
export const RepositoryRef = z.strictObject({ id: z.int().positive(), fullName: z.string().min(3).max(200) })
export type RepositoryRef = z.infer<typeof RepositoryRef>

/** Where in GitHub Actions something happened. */
export const RunRef = z.strictObject({
  id: z.int().positive(),
  attempt: z.int().positive(),
  job: z.string().max(255),
})
export type RunRef = z.infer<typeof RunRef>

const MAX_METADATA_BYTES = 20_000
const MAX_METADATA_LEVELS = 64
/** As a record on a commit can hold: what is longer stands at an address that the metadata names. */
const CustomMetadata = z
  .record(z.string(), z.unknown())
  /** A few thousand levels fit into the bytes, and would end whoever walks through them. */
  .refine((value) => isNestedAtMost(value, MAX_METADATA_LEVELS), {
    abort: true,
    error: `expected custom metadata of at most ${MAX_METADATA_LEVELS} levels`,
  })
  .refine((value) => Buffer.byteLength(JSON.stringify(value), 'utf8') <= MAX_METADATA_BYTES, {
    error: `expected at most ${MAX_METADATA_BYTES} bytes of custom metadata`,
  })

/** What the customer has to do when a version is installed, in words. */
export const CustomerAction = z.string().min(1).max(10_000)

/** One file that a build made and devices may install. `url` must stay stable; `sha256` is lower-case hexadecimal. */
export const Artifact = z.strictObject({
  name: z.string().min(1).max(128).regex(VISIBLE),
  target: z.string().min(1).max(128).regex(VISIBLE).optional(),
  size: z.int().nonnegative().max(53_687_091_200_000),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  url: z.url({ protocol: /^https?$/ }).max(2_000),
  /** For the device's own installer; Ringmaster hands it on as it is. */
  customMetadata: CustomMetadata.optional(),
})
export type Artifact = z.infer<typeof Artifact>

/** For which kind of device an artifact is; one that names none fits all. */
export const targetOf = (artifact: Artifact): string => artifact.target ?? 'portable'

/** What tells the artifacts of a version apart: what is recorded there once never changes. */
export const placeOf = (artifact: Artifact): string => JSON.stringify([artifact.name, targetOf(artifact)])

export const BUILD_STATUSES = ['pending', 'started', 'completed', 'failed', 'aborted'] as const
export const BuildStatus = z.enum(BUILD_STATUSES)
export type BuildStatus = z.infer<typeof BuildStatus>

/**
 * What the Action's `record-build` leaves on the commit: JSON in a `json` fence as the text of a check run named
 * `ringmaster/build <product>`, whose `external_id` is `buildExternalId(...)`.
 */
export const BuildRecord = z.strictObject({
  schema: z.literal('ringmaster/build/1'),
  product: ProductName,
  version: VersionText,
  /** The product's folder in its repository; absent when the repository is the product. */
  path: z.string().max(500).optional(),
  previousVersion: VersionText.nullable(),
  bump: z.enum(['none', 'patch', 'minor', 'major', 'exact', 'given']),
  status: BuildStatus,
  run: RunRef,
  buildNumber: z.string().max(100).optional(),
  branch: z.string().max(255).optional(),
  artifacts: z.array(Artifact).max(500),
  customerAction: CustomerAction.optional(),
})
export type BuildRecord = z.infer<typeof BuildRecord>

export const BUILD_CHECK_PREFIX = 'ringmaster/build '

/** One slot per run, attempt, job and product, so that a repeated step updates its check run. At most 255 characters. */
export const buildExternalId = (run: RunRef, digestOfProduct: string): string =>
  `ringmaster/build/1:${run.id}/${run.attempt}/${digestOfProduct.slice(7, 23)}`

/** State: a product, by name. `product/<name>`. */
export const ProductState = z.object({
  name: ProductName,
  repository: RepositoryRef,
  path: z.string().nullable(),
  firstSeenAt: z.string(),
  trust: Trust,
  /** Newest build last; bounded, the whole history stands in the log. */
  versions: z.array(z.object({ version: VersionText, sha: CommitSha, at: z.string() })),
})
export type ProductState = z.infer<typeof ProductState>

/** State: one version of a product. `version/<product>@<version>`. */
export const VersionState = z.object({
  product: ProductName,
  version: VersionText,
  sha: CommitSha,
  repository: RepositoryRef,
  trust: Trust,
  status: BuildStatus,
  recordedAt: z.string(),
  builds: z.array(z.object({ run: RunRef, status: BuildStatus, at: z.string(), url: z.string() })),
  artifacts: z.array(Artifact),
  customerAction: CustomerAction.optional(),
})
export type VersionState = z.infer<typeof VersionState>

/** State: the versions that are bound to a commit. `commit/<sha>`. */
export const CommitState = z.object({
  sha: CommitSha,
  items: z.array(z.object({ product: ProductName, version: VersionText })),
})
export type CommitState = z.infer<typeof CommitState>

export const productKey = (product: string): `product/${string}` => `product/${product}`
export const versionKey = (product: string, version: string): `version/${string}` => `version/${product}@${version}`
export const commitKey = (sha: string): `commit/${string}` => `commit/${sha}`

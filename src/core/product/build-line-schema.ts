import { z } from 'zod'
import { CommitSha, ProductName, RepositoryRef, RunRef, VersionText } from './schema.ts'

/** State: how far the development builds of a product have come. `build-line/<product>`. */
export const BuildLine = z.object({
  product: ProductName,
  /** The newest that was handed out: every later one sorts above it. */
  build: VersionText,
  /** The highest release that was known then; null before the first. */
  release: VersionText.nullable(),
})
export type BuildLine = z.infer<typeof BuildLine>

/** The commit on which a workflow asked for a number, and is answered. */
export const AskedAt = z.strictObject({ repository: RepositoryRef, sha: CommitSha })
export type AskedAt = z.infer<typeof AskedAt>

/** Why a workflow got no number. */
export const NumberRefusal = z.strictObject({ code: z.string(), message: z.string(), hint: z.string().nullable() })
export type NumberRefusal = z.infer<typeof NumberRefusal>

/** State: what one attempt of a run was given, for ever. `build-slot/<run>/<attempt>/<product>`. */
export const BuildSlot = z.object({
  product: ProductName,
  /** Absent where the attempt was only refused. */
  version: VersionText.optional(),
  refusal: NumberRefusal.optional(),
  /** Absent where nobody waits for an answer on GitHub. */
  asked: AskedAt.optional(),
})
export type BuildSlot = z.infer<typeof BuildSlot>

export const NumberRun = RunRef.omit({ job: true })
export type NumberRun = z.infer<typeof NumberRun>

export const buildLineKey = (product: string): `build-line/${string}` => `build-line/${product}`
export const buildSlotKey = (product: string, { id, attempt }: NumberRun): `build-slot/${string}` =>
  `build-slot/${id}/${attempt}/${product}`

/**
 * What the Action's `next-build` leaves on the commit of its run: JSON in a `json` fence as the text of a check run named
 * `ringmaster/next-build <product>`.
 */
export const NumberQuestion = z.strictObject({
  schema: z.literal('ringmaster/next-build/1'),
  product: ProductName,
  /** What the commits ask for; null where they ask for nothing. */
  wanted: VersionText.nullable(),
  run: NumberRun,
})
export type NumberQuestion = z.infer<typeof NumberQuestion>

/** The App's answer, likewise, in a check run of its own named `ringmaster/build-number <product>`. */
export const NumberAnswer = z.discriminatedUnion('outcome', [
  z.strictObject({ outcome: z.literal('handed-out'), version: VersionText }),
  z.strictObject({ outcome: z.literal('refused'), refusal: NumberRefusal }),
])
export type NumberAnswer = z.infer<typeof NumberAnswer>

export const QUESTION_CHECK_PREFIX = 'ringmaster/next-build '
export const ANSWER_CHECK_PREFIX = 'ringmaster/build-number '

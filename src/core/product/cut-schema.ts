import { z } from 'zod'
import { CommitSource } from './bump-options.ts'
import { CommitSha, ProductName, RepositoryRef, VersionText } from './schema.ts'

const RefName = z.string().min(1).max(255)

/**
 * What somebody asked to stand in the repository of a product: a tag with its GitHub Release, a release branch, or both;
 * or its version in its files, and then commit and `from` are of the newest version that was recorded.
 */
export const Cut = z.strictObject({
  /** The comment and the number of its command: one for ever. */
  id: z.string().regex(/^[1-9][0-9]*-[0-9]+$/),
  product: ProductName,
  /** The version that is cut; of a line, the highest version on it. */
  version: VersionText,
  /** The recorded version whose commit it is. */
  from: VersionText,
  sha: CommitSha,
  repository: RepositoryRef,
  tag: RefName.nullable(),
  branch: RefName.nullable(),
  /** What the GitHub Release of the tag says of itself; null without a tag. */
  release: z
    .strictObject({
      prerelease: z.boolean(),
      /** Whether GitHub writes the notes. */
      generatedNotes: z.boolean(),
      /** From which commits our own notes are told; none of ours without it. */
      notes: CommitSource.optional(),
    })
    .nullable(),
  /** The version is to be written into files of the default branch, by a pull request from a branch of ours. */
  versionFiles: z
    .strictObject({
      branch: RefName,
      named: z.array(z.string().max(500)).max(50),
      folder: z.string().max(500).nullable(),
    })
    .optional(),
  /** Where it was asked for, and where people are told what came of it. */
  issue: z.int().positive(),
})
export type Cut = z.infer<typeof Cut>

/** What came of a cut: all of it stands, or something that trying again does not mend. */
export const CutOutcome = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('made'),
    /** Where the branch is: elsewhere than the cut, when it was there before. */
    branchHead: CommitSha.nullable(),
    url: z.string().max(2_000).nullable(),
  }),
  z.strictObject({
    kind: z.literal('refused'),
    code: z.string().max(100),
    message: z.string().max(2_000),
    hint: z.string().max(2_000).nullable(),
  }),
])
export type CutOutcome = z.infer<typeof CutOutcome>

/** State: what was cut of a product, oldest first, the newest at hand. `cuts/<product>`. */
export const CutsState = z.object({
  product: ProductName,
  cuts: z.array(z.object({ ...Cut.shape, by: z.string().nullable(), at: z.string(), outcome: CutOutcome.nullable() })),
})
export type CutsState = z.infer<typeof CutsState>
export type CutState = CutsState['cuts'][number]

export const cutsKey = (product: string): `cuts/${string}` => `cuts/${product}`

import { z } from 'zod'
import { CommitSha, EnvironmentName, ProductName, RepositoryRef, VersionText } from './schema.ts'

/** A record of the Action that was not taken, and what it spoke of. */
export const Refusal = z.object({
  of: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('build'), product: ProductName, version: VersionText }),
    z.object({
      kind: z.literal('deployment'),
      product: ProductName,
      version: VersionText,
      environment: EnvironmentName,
    }),
  ]),
  code: z.string(),
  message: z.string(),
  hint: z.string().nullable(),
  url: z.string(),
  at: z.string(),
  repository: RepositoryRef,
})
export type Refusal = z.infer<typeof Refusal>

/** State: what was refused of a commit, oldest first, the newest at hand. `refused/<sha>`. */
export const RefusalsState = z.object({ sha: CommitSha, refusals: z.array(Refusal) })
export type RefusalsState = z.infer<typeof RefusalsState>

export const refusedKey = (sha: string): `refused/${string}` => `refused/${sha}`

/** The output that shows what was refused of a commit in one repository: forks share commits. */
export const refusalOutput = (sha: string, repositoryId: number): string => `refused/${sha}/${repositoryId}`

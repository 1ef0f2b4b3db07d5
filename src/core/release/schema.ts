import { z } from 'zod'
import { Actor } from '../event.ts'
import { CommitSha, ProductName, RepositoryRef, VersionText } from '../product/schema.ts'
import { Conduct } from './conduct.ts'

export const RELEASE_STATUSES = ['draft', 'in_progress', 'completed', 'cancelled', 'rolled_back'] as const
export const ReleaseStatus = z.enum(RELEASE_STATUSES)
export type ReleaseStatus = z.infer<typeof ReleaseStatus>

/** `r` and the number of the release issue: unique in its release repository, and never more than the number says. */
export const ReleaseId = z.string().regex(/^r[1-9][0-9]{0,9}$/)
export type ReleaseId = z.infer<typeof ReleaseId>
export const releaseIdOf = (issueNumber: number): ReleaseId => `r${issueNumber}`

/** One product of a release, at the version that is released. A release holds a product once. */
export const ReleaseItem = z.strictObject({ product: ProductName, version: VersionText, sha: CommitSha })
export type ReleaseItem = z.infer<typeof ReleaseItem>

export const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/)

/** Who answered for one seat, and the review that says so. */
export const SeatEvidence = z.object({
  party: z.string(),
  login: z.string(),
  reviewId: z.int().nullable(),
  commit: z.string().nullable(),
  at: z.string().nullable(),
})

export const SignoffStatus = z.enum(['blocked', 'vetoed', 'pending', 'approved'])
export type SignoffStatus = z.infer<typeof SignoffStatus>

/** What was decided about the signatures of a release, with the evidence, as it stands in the log. */
export const SignoffRecord = z.object({
  status: SignoffStatus,
  /** The content that the signatures are for. */
  digest: Digest,
  policyDigest: Digest,
  head: z.string(),
  parties: z.array(
    z.object({
      party: z.string(),
      optional: z.boolean(),
      seats: z.int(),
      filledBy: z.array(z.string()),
      couldFill: z.array(z.string()),
    }),
  ),
  evidence: z.array(SeatEvidence),
  /** Reviews that do not count, with the reason for people. */
  ignored: z.array(
    z.object({ login: z.string().nullable(), reviewId: z.int().nullable(), code: z.string(), why: z.string() }),
  ),
  vetoes: z.array(z.string()),
  problems: z.array(z.string()),
})
export type SignoffRecord = z.infer<typeof SignoffRecord>

/** State: one release. `release/<id>`. */
export const ReleaseState = z.object({
  id: ReleaseId,
  title: z.string(),
  status: ReleaseStatus,
  repository: RepositoryRef,
  issue: z.int().positive(),
  manager: Actor,
  openedAt: z.string(),
  /** What the release keeps from the configuration it was opened under. */
  policyDigest: Digest,
  items: z.array(ReleaseItem),
  /** Who changed the composition that stands now: they may not sign it unless the policy says so. */
  editors: z.array(z.string()),
  startedBy: Actor.nullable(),
  steps: z.array(z.object({ id: z.string(), by: Actor.nullable(), at: z.string(), evidence: z.string().nullable() })),
  proposal: z
    .object({
      number: z.int().positive(),
      url: z.string(),
      /** The commit that the pull request shows now. */
      head: z.string(),
      /** What the file of that commit holds; an unknown digest means that somebody else changed it. */
      headDigest: z.string(),
      author: z.string(),
      /** Every commit of ours with the content that it proposes, so that a no-op push keeps its approvals. */
      contents: z.array(z.object({ commit: z.string(), digest: z.string() })),
      merged: z.boolean(),
    })
    .nullable(),
  /** Pull requests that proposed this release before: who objected there has not been heard because there is another. */
  earlier: z.array(z.int().positive()).optional(),
  /** Dismissals, for GitHub's list of reviews does not say who dismissed one. */
  dismissals: z.array(
    z.object({ reviewId: z.int(), by: z.string(), was: z.string().nullable(), author: z.string().optional() }),
  ),
  /** Whose objections stood when the signatures were last decided; a new composition does not lift them. */
  objectors: z.array(z.string()),
  signoff: SignoffRecord.nullable(),
  conduct: Conduct,
  /** How often its notes were asked for: they are told anew each time. Absent until the first. */
  notesAsked: z.int().positive().optional(),
  endedAt: z.string().nullable(),
  endReason: z.string().nullable(),
})
export type ReleaseState = z.infer<typeof ReleaseState>

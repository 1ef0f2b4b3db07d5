import { z } from 'zod'

/** Who must sign, and how many of them. */
export const Party = z.object({
  name: z.string(),
  /** Logins; the same person in another case is the same person. */
  members: z.array(z.string()),
  /** Those of the members who let others sign in their place for a time: they object as before, and fill no seat. */
  away: z.array(z.string()).optional(),
  /** Seats. */
  count: z.int(),
  optional: z.boolean().optional(),
  /** Names of parties that sign first. */
  after: z.array(z.string()).optional(),
})
export type Party = z.infer<typeof Party>

/** One review as GitHub lists it, with what is known of its dismissal. */
export const Review = z.object({
  /** null: the account is gone. */
  user: z.string().nullable(),
  /** APPROVED, CHANGES_REQUESTED, COMMENTED, DISMISSED, PENDING or another one, in any case. */
  state: z.string(),
  /** The commit it was given on; empty when GitHub no longer knows it. */
  commit: z.string(),
  /** ISO 8601; empty when it was never submitted. */
  at: z.string(),
  reviewId: z.number().nullable().optional(),
  type: z.string().optional(),
  /** The state before its dismissal. */
  was: z.string().nullable().optional(),
  dismissedBy: z.string().nullable().optional(),
})
export type Review = z.infer<typeof Review>

export const SignoffPolicy = z.object({
  /** Covers the author of the proposal and the editors of its content. */
  authorMaySign: z.boolean().optional(),
  /** One person fills one seat, or one in every party they belong to. */
  seatsPerPerson: z.enum(['one', 'all']).optional(),
  /** An approval counts for so many hours. */
  expiresHours: z.number().nonnegative().optional(),
  /** Logins that may lift the vetoes of others; nobody when absent. */
  dismissers: z.array(z.string()).optional(),
})
export type SignoffPolicy = z.infer<typeof SignoffPolicy>

/** Everything that a decision on signatures is made of. */
export const SignoffGiven = z.object({
  parties: z.array(Party),
  proposal: z.object({
    head: z.string(),
    author: z.string(),
    /** Logins whose commands changed the content that stands now. */
    editors: z.array(z.string()),
    /** [commit, digest of what it proposes]: entries, because both come from outside. */
    contentDigests: z.array(z.tuple([z.string(), z.string()])).optional(),
  }),
  /** In any order. */
  reviews: z.array(Review),
  policy: SignoffPolicy.optional(),
  /** Names of parties whose members could not be read. */
  unreadable: z.array(z.string()).optional(),
  /** ISO 8601 UTC. */
  now: z.string(),
})
export type SignoffGiven = z.infer<typeof SignoffGiven>

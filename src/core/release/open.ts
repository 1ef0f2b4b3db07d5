import { z } from 'zod'
import { GateItem } from '../ring/schema.ts'
import { ReleaseId } from './schema.ts'

/** State: what is open, so that a fact finds whom it concerns. `index/open`. Bounded by what is open, not by history. */
export const OpenIndex = z.object({
  releases: z.array(z.object({ id: ReleaseId, issue: z.int().positive(), items: z.array(GateItem) })),
  /** Releases that ended and whose proposal is not yet known to be merged or closed. */
  ending: z.array(ReleaseId),
  /** Gates whose answer is not yet known to have reached GitHub. */
  gates: z.array(z.string()),
  /** Of these, what was asked for anew: only the answer to that deployment counts; absent until the first one. */
  askedAnew: z.array(z.object({ gate: z.string(), deploymentId: z.int() })).optional(),
  /** Comments whose reply is not yet known to be posted. */
  replies: z.array(z.object({ issue: z.string(), comment: z.int() })),
  /** Cuts whose outcome is not yet known to be told; absent until the first one. */
  cuts: z.array(z.object({ product: z.string(), cut: z.string() })).optional(),
  /** Commits, as outputs, of which it is not yet known to be shown what was refused; absent until the first one. */
  refusals: z.array(z.string()).optional(),
  /** Releases whose notes are not yet known to be told; absent until the first one. */
  telling: z.array(ReleaseId).optional(),
  /** Attempts of runs, as state, whose build number is not yet known to be told; absent until the first one. */
  numbers: z.array(z.string()).optional(),
  alarms: z.array(
    z.object({ alarm: z.string(), code: z.string(), message: z.string(), raisedAt: z.string(), isOpen: z.boolean() }),
  ),
})
export type OpenIndex = z.infer<typeof OpenIndex>

export const OPEN_KEY = 'index/open' as const
export const releaseKey = (id: string): `release/${string}` => `release/${id}`

export const nothingOpen: OpenIndex = { releases: [], ending: [], gates: [], replies: [], alarms: [] }

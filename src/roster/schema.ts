import { z } from 'zod'
import { Epoch, Id, Tag } from '../core/cohort/schema.ts'

/** One line of a roster file. */
export const RosterEntry = z.strictObject({
  pseudonym: z.string().min(1).max(256),
  epoch: Epoch,
  tags: z.array(Tag).max(1_000),
})
export type RosterEntry = z.infer<typeof RosterEntry>

/** What stands beside the lines: which epochs are closed, and the newest that somebody was enrolled in. */
export const RosterHead = z.strictObject({
  schema: z.literal('ringmaster/roster/1'),
  cohort: Id,
  closed: Epoch,
  newest: Epoch,
})
export type RosterHead = z.infer<typeof RosterHead>

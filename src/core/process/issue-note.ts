import { z } from 'zod'

/** What kept the commands of a comment from being carried out. */
export const CommentNote = z.enum(['edited', 'deleted', 'unreadable'])
export type CommentNote = z.infer<typeof CommentNote>

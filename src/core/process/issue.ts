import { z } from 'zod'
import type { TypedEvent } from '../catalogue.ts'
import { Answer } from '../command/answer.ts'
import { Actor } from '../event.ts'
import { CommentNote } from './issue-note.ts'

/** Comments whose answers are kept at hand per issue; each one's slot in the log stands for ever. */
const COMMENTS_AT_HAND = 100

/** State: what Ringmaster knows of an issue or pull request. `issue/<repository id>/<number>`. */
export const IssueState = z.object({
  release: z.string().nullable(),
  comments: z.array(
    z.object({
      comment: z.int(),
      of: z.int(),
      actor: Actor.nullable(),
      at: z.string(),
      answers: z.array(z.object({ index: z.int(), command: z.string(), answer: Answer })),
      /** What kept commands of it from being carried out; with the reason where there is one. */
      note: z.object({ kind: CommentNote, message: z.string().nullable() }).optional(),
    }),
  ),
})
export type IssueState = z.infer<typeof IssueState>

export const issueKey = (repositoryId: number, number: number): `issue/${string}` => `issue/${repositoryId}/${number}`

export function evolveIssue(
  state: IssueState | undefined,
  event: TypedEvent<'command.answered' | 'release.opened' | 'proposal.seen'>,
): IssueState {
  const known: IssueState = state ?? { release: null, comments: [] }
  if (event.type !== 'command.answered') return { ...known, release: event.data.release }
  const { comment, index, of, command, answer } = event.data
  const entry = {
    ...(known.comments.find((other) => other.comment === comment) ?? {
      comment,
      of,
      actor: event.actor,
      at: event.at,
      answers: [],
    }),
    of,
  }
  if (entry.answers.some((other) => other.index === index)) return known
  const answers = [...entry.answers, { index, command, answer }].sort((a, b) => a.index - b.index)
  const others = known.comments.filter((other) => other.comment !== comment)
  return { ...known, comments: [...others, { ...entry, answers }].slice(-COMMENTS_AT_HAND) }
}

export function evolveIssueNote(state: IssueState | undefined, event: TypedEvent<'comment.noted'>): IssueState {
  const known: IssueState = state ?? { release: null, comments: [] }
  const { comment, author, note: kind, message } = event.data
  const entry = known.comments.find((other) => other.comment === comment) ?? {
    comment,
    of: 0,
    actor: author,
    at: event.at,
    answers: [],
  }
  const others = known.comments.filter((other) => other.comment !== comment)
  return { ...known, comments: [...others, { ...entry, note: { kind, message } }].slice(-COMMENTS_AT_HAND) }
}

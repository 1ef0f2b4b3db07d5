import { draft } from '../catalogue.ts'
import { type Deciding, type Decision, state } from '../decision.ts'
import type { Request } from '../request.ts'
import { type IssueState, issueKey } from './issue.ts'

type CommentNoted = Extract<Request, { kind: 'comment-noted' }>

/**
 * A comment whose commands are not carried out: it was changed after it was read, or is beyond reading. Its author is
 * told once for each of these.
 */
export function* decideCommentNoted(request: CommentNoted): Deciding<Decision<null>> {
  const { repository, issue, comment, note, message } = request
  if (request.actor === null) return { kind: 'accept', events: [], answer: null }
  const known = yield* state<IssueState>(issueKey(repository.id, issue))
  const entry = known?.comments.find((other) => other.comment === comment.id)
  /** What nobody reads any more is not answered twice, and a deleted comment that asked for nothing not at all. */
  if (entry?.note?.kind === note || (note === 'deleted' && entry === undefined))
    return { kind: 'accept', events: [], answer: null }
  return {
    kind: 'accept',
    answer: null,
    events: [
      draft(
        'comment.noted',
        { repository, issue, comment: comment.id, note, author: request.actor, message },
        {
          key: `comment:${repository.id}/${comment.id}:${note}`,
          at: request.at,
          actor: request.actor,
          source: request.source,
          trust: 'platform',
        },
      ),
    ],
  }
}

import { z } from 'zod'
import { readCommands } from '../core/command/read-commands.ts'
import type { CommentNote } from '../core/process/issue-note.ts'
import type { Request } from '../core/request.ts'
import {
  actorOf,
  type Concern,
  type Delivery,
  Id,
  type Installation,
  instantOr,
  Repository,
  repositoryOf,
  sourceOf,
  User,
} from './delivery.ts'

const Payload = z.object({
  action: z.string(),
  changes: z.object({ body: z.object({ from: z.string() }).nullish() }).nullish(),
  issue: z.object({ number: Id, title: z.string(), state: z.string(), pull_request: z.unknown().optional() }),
  comment: z.object({
    id: Id,
    body: z.string().nullish(),
    html_url: z.string().nullish(),
    created_at: z.string().nullish(),
    user: User.nullish(),
  }),
  repository: Repository,
  sender: User.nullish(),
})

type Payload = z.infer<typeof Payload>

/** More commands than a person writes into one comment; a comment with more of them asks for nothing, and it is said. */
const MAX_COMMANDS = 20

/**
 * Slash-commands of people in new comments of the release repository. Edited and deleted comments ask for nothing, and
 * it is said; so is it of what is too long or too intricate to read. Comments of ours are only watched.
 */
export const comments: Concern = {
  events: ['issue_comment'],
  toRequests(delivery, installation) {
    const parsed = Payload.safeParse(delivery.payload)
    if (!parsed.success || parsed.data.repository.id !== installation.releaseRepositoryId) return []
    const { comment } = parsed.data
    if (comment.user?.login === installation.botLogin) return touched(parsed.data, delivery, installation)
    if (!comment.user || comment.user.type === 'Bot' || comment.user.login.endsWith('[bot]')) return []
    if (parsed.data.action === 'created') return given(parsed.data, delivery)
    return CHANGES.has(parsed.data.action) ? changed(parsed.data, delivery) : []
  },
}

const CHANGES = new Set(['edited', 'deleted'])

function given(payload: Payload, delivery: Delivery): Request[] {
  const { issue, comment, repository } = payload
  const read = readCommands(comment.body ?? '')
  if (!read.ok) {
    const message = read.problems.map(({ message: text, hint }) => `${text}.${hint ? ` ${hint}` : ''}`).join(' ')
    return [noted(payload, delivery, 'unreadable', message)]
  }
  const commands = read.value
  if (commands.length > MAX_COMMANDS) {
    const message = `expected at most ${MAX_COMMANDS} commands in one comment, found ${commands.length}. Say them in several comments.`
    return [noted(payload, delivery, 'unreadable', message)]
  }
  const url = comment.html_url ?? ''
  return commands.map(({ name, args }, index) => ({
    kind: 'command-given' as const,
    repository: repositoryOf(repository),
    issue: {
      number: issue.number,
      title: issue.title,
      isPull: issue.pull_request !== undefined && issue.pull_request !== null,
      open: issue.state === 'open',
    },
    comment: { id: comment.id, url },
    command: { name, args },
    index,
    of: commands.length,
    at: instantOr(comment.created_at, delivery.receivedAt),
    actor: actorOf(comment.user),
    source: sourceOf(delivery, url),
  }))
}

/** What cannot be read may hold a command. */
const mayHoldCommands = (body: string | null | undefined): boolean => {
  const read = readCommands(body ?? '')
  return !read.ok || read.value.length > 0
}

function changed(payload: Payload, delivery: Delivery): Request[] {
  const { action, comment, changes } = payload
  if (action === 'edited' && !changes?.body) return []
  const isAbout = mayHoldCommands(comment.body) || mayHoldCommands(changes?.body?.from)
  return isAbout ? [noted(payload, delivery, action === 'deleted' ? 'deleted' : 'edited', null)] : []
}

const noted = (
  { issue, comment, repository }: Payload,
  delivery: Delivery,
  note: CommentNote,
  message: string | null,
): Request => ({
  kind: 'comment-noted',
  repository: repositoryOf(repository),
  issue: issue.number,
  comment: { id: comment.id, url: comment.html_url ?? '' },
  note,
  message: message?.slice(0, 2_000) ?? null,
  at: delivery.receivedAt,
  actor: actorOf(comment.user),
  source: sourceOf(delivery, comment.html_url ?? undefined),
})

function touched(
  { action, issue, comment, repository, sender }: Payload,
  delivery: Delivery,
  own: Installation,
): Request[] {
  if (!CHANGES.has(action) || !sender || sender.login === own.botLogin) return []
  const url = comment.html_url ?? ''
  return [
    {
      kind: 'comment-touched',
      repository: repositoryOf(repository),
      issue: issue.number,
      comment: comment.id,
      change: action === 'deleted' ? 'deleted' : 'edited',
      by: sender.login,
      url,
      at: delivery.receivedAt,
      actor: actorOf(sender),
      source: sourceOf(delivery, url),
    },
  ]
}

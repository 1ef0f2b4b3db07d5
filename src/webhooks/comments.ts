import { z } from 'zod'
import { readCommands } from '../core/command/read-commands.ts'
import { actorOf, type Concern, Id, instantOr, Repository, repositoryOf, sourceOf, User } from './delivery.ts'

const Payload = z.object({
  action: z.string(),
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

/** More commands than a person writes into one comment; the rest is not read. */
const MAX_COMMANDS = 20

/** Slash-commands of people in new comments of the release repository. Edited and deleted comments ask for nothing. */
export const comments: Concern = {
  events: ['issue_comment'],
  toRequests(delivery, installation) {
    const payload = Payload.safeParse(delivery.payload)
    if (!payload.success || payload.data.action !== 'created') return []
    const { issue, comment, repository } = payload.data
    if (repository.id !== installation.releaseRepositoryId) return []
    if (!comment.user || comment.user.type === 'Bot' || comment.user.login.endsWith('[bot]')) return []
    const read = readCommands(comment.body ?? '')
    const commands = read.ok ? read.value.slice(0, MAX_COMMANDS) : []
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
  },
}

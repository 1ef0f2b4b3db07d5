import { z } from 'zod'
import { CommitSha } from '../core/product/schema.ts'
import { actorOf, type Concern, Repository, repositoryOf, sourceOf, User } from './delivery.ts'

const Payload = z.object({
  ref: z.string(),
  after: CommitSha,
  deleted: z.boolean().optional(),
  repository: Repository,
  sender: User.nullish(),
})

/** A push to the default branch of the release repository may bring a new configuration. */
export const configuration: Concern = {
  events: ['push'],
  toRequests(delivery, installation) {
    const payload = Payload.safeParse(delivery.payload)
    if (!payload.success || payload.data.deleted) return []
    const { ref, after, repository, sender } = payload.data
    if (repository.id !== installation.releaseRepositoryId || ref !== `refs/heads/${repository.default_branch ?? ''}`)
      return []
    return [
      {
        kind: 'configuration-seen',
        repository: repositoryOf(repository),
        commit: after,
        at: delivery.receivedAt,
        actor: actorOf(sender),
        source: sourceOf(delivery),
      },
    ]
  },
}

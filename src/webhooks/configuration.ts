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

const PullPayload = z.object({
  action: z.string(),
  pull_request: z.object({ head: z.object({ sha: CommitSha }), base: z.object({ ref: z.string() }) }),
  repository: Repository,
  sender: User.nullish(),
})

const PROPOSING: ReadonlySet<string> = new Set(['opened', 'synchronize', 'reopened'])

/** A pull request into the default branch of the release repository may propose a new configuration. */
export const proposedConfiguration: Concern = {
  events: ['pull_request'],
  toRequests(delivery, installation) {
    const payload = PullPayload.safeParse(delivery.payload)
    if (!payload.success || !PROPOSING.has(payload.data.action)) return []
    const { pull_request: pull, repository, sender } = payload.data
    if (repository.id !== installation.releaseRepositoryId || pull.base.ref !== repository.default_branch) return []
    return [
      {
        kind: 'configuration-proposed',
        repository: repositoryOf(repository),
        commit: pull.head.sha,
        at: delivery.receivedAt,
        actor: actorOf(sender),
        source: sourceOf(delivery),
      },
    ]
  },
}

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

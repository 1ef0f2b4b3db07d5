import { z } from 'zod'
import { OWN_BRANCHES } from '../core/own-branches.ts'
import { CommitSha } from '../core/product/schema.ts'
import { actorOf, type Concern, Id, Repository, repositoryOf, sourceOf, User } from './delivery.ts'

const Push = z.object({
  ref: z.string(),
  after: CommitSha,
  compare: z.string().nullish(),
  repository: Repository,
  sender: User.nullish(),
})

/** Pushes of others to branches that only we write, deletions among them. */
export const pushes: Concern = {
  events: ['push'],
  toRequests(delivery, installation) {
    const payload = Push.safeParse(delivery.payload)
    if (!payload.success) return []
    const { ref, after, compare, repository, sender } = payload.data
    const branch = OWN_BRANCHES.find((name) => ref === `refs/heads/${name}`)
    if (branch === undefined || repository.id !== installation.releaseRepositoryId) return []
    if (!sender || sender.login === installation.botLogin) return []
    return [
      {
        kind: 'branch-pushed',
        repository: repositoryOf(repository),
        branch,
        commit: after,
        by: sender.login,
        at: delivery.receivedAt,
        actor: actorOf(sender),
        source: sourceOf(delivery, compare ?? undefined),
      },
    ]
  },
}

/** The names of check runs by which we answer people and gates. Those of builds and bundles come from workflows. */
const OWN_CHECKS = /^ringmaster\/(?:sign-off|configuration|gate)(?: |$)/i

const CheckRun = z.object({
  check_run: z.object({
    id: Id,
    name: z.string(),
    head_sha: CommitSha,
    html_url: z.string().nullish(),
    app: z.object({ id: Id, slug: z.string().nullish() }).nullish(),
  }),
  repository: Repository,
  sender: User.nullish(),
})

/** Check runs under our names that another App made. */
export const forgedChecks: Concern = {
  events: ['check_run'],
  toRequests(delivery, installation) {
    const payload = CheckRun.safeParse(delivery.payload)
    if (!payload.success || !OWN_CHECKS.test(payload.data.check_run.name)) return []
    const { check_run: run, repository, sender } = payload.data
    if (repository.id !== installation.releaseRepositoryId || !run.app || run.app.id === installation.appId) return []
    const url = run.html_url ?? ''
    return [
      {
        kind: 'check-forged',
        repository: repositoryOf(repository),
        sha: run.head_sha,
        checkRunId: run.id,
        name: run.name.slice(0, 100),
        app: (run.app.slug ?? String(run.app.id)).slice(0, 100),
        url: url.slice(0, 500),
        at: delivery.receivedAt,
        actor: actorOf(sender),
        source: sourceOf(delivery, url),
      },
    ]
  },
}

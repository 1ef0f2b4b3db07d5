import { z } from 'zod'
import { isOwnBranch } from '../core/own-branches.ts'
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
    const branch = ref.replace(/^refs\/heads\//, '')
    if (branch === ref || !isOwnBranch(branch) || repository.id !== installation.releaseRepositoryId) return []
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

/** The names under which we answer people and gates. Those of builds and bundles come from workflows. */
const OWN_CHECKS = /^ringmaster\/(?:sign-off|configuration|gate)(?: |$)/i

/** Whether only Ringmaster answers under a name. */
export const isOwnCheck = (name: string): boolean => OWN_CHECKS.test(name)

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
    if (!payload.success || !isOwnCheck(payload.data.check_run.name)) return []
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

const CommitStatus = z.object({
  id: Id,
  sha: CommitSha,
  context: z.string(),
  commit: z.object({ html_url: z.string().nullish() }).nullish(),
  repository: Repository,
  sender: User.nullish(),
})

/**
 * Commit statuses under our names, whoever set them: Ringmaster makes check runs alone. GitHub has no page of a status,
 * so that its number tells it from others of the commit.
 */
export const forgedStatuses: Concern = {
  events: ['status'],
  toRequests(delivery, installation) {
    const payload = CommitStatus.safeParse(delivery.payload)
    if (!payload.success || !isOwnCheck(payload.data.context)) return []
    const { id, sha, context, commit, repository, sender } = payload.data
    if (repository.id !== installation.releaseRepositoryId) return []
    const url = `${(commit?.html_url ?? '').slice(0, 450)}#status-${id}`
    return [
      {
        kind: 'status-forged',
        repository: repositoryOf(repository),
        sha,
        statusId: id,
        name: context.slice(0, 100),
        by: sender?.login ?? 'a deleted account',
        url,
        at: delivery.receivedAt,
        actor: actorOf(sender),
        source: sourceOf(delivery, url),
      },
    ]
  },
}

import { z } from 'zod'
import { isByActions } from '../core/actions-app.ts'
import { fencedJson } from '../core/fenced.ts'
import { BUILD_CHECK_PREFIX, BuildRecord, CommitSha } from '../core/product/schema.ts'
import { actorOf, type Concern, Id, instantOr, Repository, repositoryOf, sourceOf, User } from './delivery.ts'

const Payload = z.object({
  action: z.string(),
  check_run: z.object({
    id: Id,
    name: z.string(),
    head_sha: CommitSha,
    html_url: z.string().nullish(),
    started_at: z.string().nullish(),
    completed_at: z.string().nullish(),
    app: z.object({ slug: z.string().nullish() }).nullish(),
    output: z.object({ text: z.string().nullish() }).nullish(),
  }),
  repository: Repository,
  sender: User.nullish(),
})

/** Builds that the Action left on a commit as check runs. */
export const builds: Concern = {
  events: ['check_run'],
  toRequests(delivery) {
    const payload = Payload.safeParse(delivery.payload)
    if (!payload.success || !payload.data.check_run.name.startsWith(BUILD_CHECK_PREFIX)) return []
    const { check_run: run, repository, sender } = payload.data
    const record = BuildRecord.safeParse(fencedJson(run.output?.text))
    if (!record.success || run.name !== `${BUILD_CHECK_PREFIX}${record.data.product}`) return []
    const url = run.html_url ?? ''
    return [
      {
        kind: 'build-reported',
        repository: repositoryOf(repository),
        sha: run.head_sha,
        checkRunId: run.id,
        url,
        record: record.data,
        /** Only a workflow of the repository holds the identity of GitHub Actions there. */
        trust: isByActions(run.app) ? 'platform' : 'claimed',
        at: instantOr(run.completed_at ?? run.started_at, delivery.receivedAt),
        actor: actorOf(sender),
        source: sourceOf(delivery, url),
      },
    ]
  },
}

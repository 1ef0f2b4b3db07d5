import { z } from 'zod'
import { isByActions } from '../core/actions-app.ts'
import { fencedJson } from '../core/fenced.ts'
import { NumberQuestion, QUESTION_CHECK_PREFIX } from '../core/product/build-line-schema.ts'
import { CommitSha } from '../core/product/schema.ts'
import { actorOf, type Concern, instantOr, Repository, repositoryOf, sourceOf, User } from './delivery.ts'

const Payload = z.object({
  check_run: z.object({
    name: z.string(),
    head_sha: CommitSha,
    html_url: z.string().nullish(),
    completed_at: z.string().nullish(),
    app: z.object({ slug: z.string().nullish() }).nullish(),
    output: z.object({ text: z.string().nullish() }).nullish(),
  }),
  repository: Repository,
  sender: User.nullish(),
})

/** Questions for a build number that the Action left on a commit. Only a workflow of the repository is answered. */
export const buildNumbers: Concern = {
  events: ['check_run'],
  toRequests(delivery) {
    const payload = Payload.safeParse(delivery.payload)
    if (!payload.success || !payload.data.check_run.name.startsWith(QUESTION_CHECK_PREFIX)) return []
    const { check_run: run, repository, sender } = payload.data
    const question = NumberQuestion.safeParse(fencedJson(run.output?.text))
    if (!question.success || run.name !== `${QUESTION_CHECK_PREFIX}${question.data.product}`) return []
    if (!isByActions(run.app)) return []
    return [
      {
        kind: 'build-number-asked',
        product: question.data.product,
        run: question.data.run,
        wanted: question.data.wanted,
        askedAt: { repository: repositoryOf(repository), sha: run.head_sha },
        at: instantOr(run.completed_at, delivery.receivedAt),
        actor: actorOf(sender),
        source: sourceOf(delivery, run.html_url ?? undefined),
      },
    ]
  },
}

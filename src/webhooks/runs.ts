import { z } from 'zod'
import { actorOf, type Concern, instantOr, Repository, repositoryOf, sourceOf, User } from './delivery.ts'

const Payload = z.object({
  action: z.string(),
  workflow_run: z.object({
    id: z.number(),
    run_attempt: z.number().default(1),
    updated_at: z.string().nullish(),
    html_url: z.string().nullish(),
  }),
  repository: Repository,
  sender: User.nullish(),
})

const COMPLETED = 'completed'

/** A run that is over: what its jobs left open can be settled. */
export const runs: Concern = {
  events: ['workflow_run'],
  actions: [COMPLETED],
  toRequests(delivery) {
    const payload = Payload.safeParse(delivery.payload)
    if (!payload.success || payload.data.action !== COMPLETED) return []
    const { workflow_run: run, repository, sender } = payload.data
    return [
      {
        kind: 'run-ended',
        repository: repositoryOf(repository),
        runId: run.id,
        runAttempt: run.run_attempt,
        at: instantOr(run.updated_at, delivery.receivedAt),
        actor: actorOf(sender),
        source: sourceOf(delivery, run.html_url ?? undefined),
      },
    ]
  },
}

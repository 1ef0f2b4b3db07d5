import { z } from 'zod'
import { CommitSha, EnvironmentName } from '../core/product/schema.ts'
import { actorOf, type Concern, Id, Repository, repositoryOf, sourceOf, User } from './delivery.ts'

const Payload = z.object({
  action: z.string(),
  environment: EnvironmentName,
  deployment_callback_url: z.string(),
  deployment: z.object({ id: Id, sha: CommitSha, ref: z.string() }),
  repository: Repository,
  installation: z.object({ id: Id }),
  sender: User.nullish(),
})

/**
 * The run of a gate: the payload names it only inside its callback address. The address itself is not used; the answer
 * goes to the API that the App is configured with.
 */
export function runOfCallback(url: string, fullName: string): number | null {
  const found = /\/repos\/([^/]+\/[^/]+)\/actions\/runs\/([1-9][0-9]{0,15})\/deployment_protection_rule$/.exec(url)
  return found?.[1]?.toLowerCase() === fullName.toLowerCase() ? Number(found[2]) : null
}

const REQUESTED = 'requested'

/** A job that waits for its environment's protection rule. */
export const gates: Concern = {
  events: ['deployment_protection_rule'],
  actions: [REQUESTED],
  toRequests(delivery) {
    const payload = Payload.safeParse(delivery.payload)
    if (!payload.success || payload.data.action !== REQUESTED) return []
    const { environment, deployment, repository, installation, sender } = payload.data
    const runId = runOfCallback(payload.data.deployment_callback_url, repository.full_name)
    if (runId === null) return []
    return [
      {
        kind: 'gate-requested',
        repository: repositoryOf(repository),
        runId,
        environment,
        deploymentId: deployment.id,
        sha: deployment.sha,
        ref: deployment.ref,
        installationId: installation.id,
        at: delivery.receivedAt,
        actor: actorOf(sender),
        source: sourceOf(delivery, repository.html_url ? `${repository.html_url}/actions/runs/${runId}` : undefined),
      },
    ]
  },
}

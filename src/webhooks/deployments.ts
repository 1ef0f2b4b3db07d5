import { z } from 'zod'
import { isByActions } from '../core/actions-app.ts'
import { DEPLOYMENT_TASK, DeploymentRecord } from '../core/deployment/schema.ts'
import { statusOfState } from '../core/deployment/status.ts'
import { CommitSha, EnvironmentName } from '../core/product/schema.ts'
import { actorOf, type Concern, Id, instantOr, Repository, repositoryOf, sourceOf, User } from './delivery.ts'

/** Through which App something was made; null for a person. */
const ViaApp = z.object({ slug: z.string().nullish() }).nullish()

const Payload = z.object({
  action: z.string(),
  deployment_status: z.object({
    id: Id,
    state: z.string(),
    log_url: z.string().nullish(),
    target_url: z.string().nullish(),
    created_at: z.string().nullish(),
    performed_via_github_app: ViaApp,
  }),
  deployment: z.object({
    id: Id,
    sha: CommitSha,
    task: z.string(),
    environment: z.string(),
    payload: z.unknown().optional(),
    creator: User.nullish(),
    performed_via_github_app: ViaApp,
    url: z.string().nullish(),
  }),
  workflow_run: z.object({ id: Id, run_attempt: Id.default(1) }).nullish(),
  repository: Repository,
  sender: User.nullish(),
})

/** A payload may be an object or the text of one; null where the text is no JSON. */
export function deploymentPayload(payload: unknown): unknown {
  if (typeof payload !== 'string') return payload
  try {
    return JSON.parse(payload)
  } catch {
    return null
  }
}

function recordOf(task: string, payload: unknown): DeploymentRecord | null {
  if (task !== DEPLOYMENT_TASK) return null
  const record = DeploymentRecord.safeParse(deploymentPayload(payload))
  return record.success ? record.data : null
}

const IGNORED_ENVIRONMENTS: ReadonlySet<string> = new Set(['github-pages'])

/** What became of a deployment: the Action's, another tool's, or GitHub's own of a job. */
export const deployments: Concern = {
  events: ['deployment_status'],
  toRequests(delivery, installation) {
    const payload = Payload.safeParse(delivery.payload)
    if (!payload.success) return []
    const { deployment, deployment_status: status, repository, sender, workflow_run: workflowRun } = payload.data
    const environment = EnvironmentName.safeParse(deployment.environment)
    const word = statusOfState(status.state, { own: deployment.task === DEPLOYMENT_TASK })
    if (!environment.success || IGNORED_ENVIRONMENTS.has(environment.data)) return []
    if (word === 'unknown' || word === 'superseded') return []
    if (deployment.creator?.login === installation.botLogin) return []
    const record = recordOf(deployment.task, deployment.payload)
    if (deployment.task === DEPLOYMENT_TASK && record === null) return []
    const url = status.log_url || status.target_url || ''
    /** GitHub books a job's deployment on whoever started the run; the App that it was made through tells. */
    const byActions = isByActions(deployment.performed_via_github_app)
    /** Whoever may write deployments may write a status onto one of a workflow: only a workflow's own word is GitHub's. */
    const isVouched = byActions && isByActions(status.performed_via_github_app)
    /** The statuses of a job are the workflow's own; who started it is the same one whenever they arrive. */
    const by = isVouched && record === null ? (deployment.creator ?? sender) : sender
    return [
      {
        kind: 'deployment-reported',
        repository: repositoryOf(repository),
        deploymentId: deployment.id,
        environment: environment.data,
        sha: deployment.sha,
        status: word,
        statusId: status.id,
        record,
        run: record ? record.run : workflowRun ? { id: workflowRun.id, attempt: workflowRun.run_attempt } : null,
        byActions,
        url,
        trust: isVouched ? 'platform' : 'claimed',
        at: instantOr(status.created_at, delivery.receivedAt),
        actor: actorOf(by),
        source: sourceOf(delivery, url),
      },
    ]
  },
}

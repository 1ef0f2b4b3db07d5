import { deploymentBody, deploymentStatusBody } from '../shapes/deployment.ts'
import { workflowBody, workflowRunBody } from '../shapes/workflow-run.ts'
import type { Repository } from '../store.ts'
import type { World } from '../world.ts'
import { type Author, ensureEnvironment } from './environments.ts'
import { type Deployment, type DeploymentState, type DeploymentStatus, type Job, recordsOf } from './records.ts'

export interface NewDeployment {
  readonly sha: string
  readonly ref: string
  readonly task: string
  readonly payload: unknown
  readonly environment: string
  readonly description: string | null
  readonly isTransient: boolean
  readonly isProduction: boolean
  readonly job?: Job
}

/** Who started it: a run's own deployments name it, those made by the API do not. */
const originOf = (world: World, job: Job | undefined) => ({
  workflow: job === undefined ? null : workflowBody(world, job.run.repository, job.run.workflow),
  workflow_run: job === undefined ? null : workflowRunBody(world, job.run),
})

/** Stores a deployment, makes its environment when it is new, and sends `deployment`. */
export function createDeployment(world: World, repository: Repository, by: Author, given: NewDeployment): Deployment {
  const { environment, job, ...rest } = given
  const now = world.clock.now()
  const deployment: Deployment = {
    ...rest,
    id: world.nextId(),
    repository,
    environment,
    originalEnvironment: environment,
    creator: by.account,
    viaApp: by.app,
    createdAt: now,
    updatedAt: now,
    statuses: [],
    job,
  }
  ensureEnvironment(world, repository, environment)
  recordsOf(repository).deployments.set(deployment.id, deployment)
  const payload = { deployment: deploymentBody(world, deployment), ...originOf(world, job) }
  world.deliver({ event: 'deployment', action: 'created', repository, sender: by.account, payload })
  return deployment
}

export interface NewStatus {
  readonly state: DeploymentState
  readonly description?: string
  readonly environment?: string
  readonly environmentUrl?: string
  readonly logUrl?: string
  readonly autoInactive?: boolean
}

/** Adds a status and sends `deployment_status`, except for `inactive`, of which GitHub sends none. */
export function addStatus(world: World, deployment: Deployment, by: Author, given: NewStatus): DeploymentStatus {
  const environment = given.environment ?? deployment.environment
  const status: DeploymentStatus = {
    id: world.nextId(),
    state: given.state,
    description: given.description ?? '',
    environment,
    environmentUrl: given.environmentUrl ?? '',
    logUrl: given.logUrl ?? '',
    creator: by.account,
    viaApp: by.app,
    createdAt: world.clock.now(),
  }
  deployment.statuses.push(status)
  deployment.updatedAt = status.createdAt
  if (environment !== deployment.environment) {
    deployment.environment = environment
    ensureEnvironment(world, deployment.repository, environment)
  }
  if (status.state === 'inactive') return status
  const payload = {
    deployment_status: deploymentStatusBody(world, deployment, status),
    deployment: deploymentBody(world, deployment),
    ...originOf(world, deployment.job),
  }
  const { repository } = deployment
  world.deliver({ event: 'deployment_status', action: 'created', repository, sender: by.account, payload })
  if (status.state === 'success' && given.autoInactive !== false) inactivateOthers(world, deployment, by)
  return status
}

export const stateOf = (deployment: Deployment): DeploymentState | undefined => deployment.statuses.at(-1)?.state

/**
 * `auto_inactive`: earlier successful deployments of that environment become inactive, but neither transient ones nor
 * those of a production environment. docs.github.com/rest/deployments/statuses#create-a-deployment-status
 */
function inactivateOthers(world: World, deployment: Deployment, by: Author): void {
  for (const other of recordsOf(deployment.repository).deployments.values()) {
    const isSameEnvironment = other.environment.toLowerCase() === deployment.environment.toLowerCase()
    if (other === deployment || !isSameEnvironment || other.isTransient || other.isProduction) continue
    if (stateOf(other) === 'success') addStatus(world, other, by, { state: 'inactive' })
  }
}

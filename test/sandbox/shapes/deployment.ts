import type { Deployment, DeploymentStatus, Environment } from '../actions/records.ts'
import type { Repository } from '../store.ts'
import type { World } from '../world.ts'
import { appOrNull, type Body, htmlUrl, nodeId, repositoryUrl, userBody } from './common.ts'

const deploymentUrl = (world: World, deployment: Deployment): string =>
  `${repositoryUrl(world, deployment.repository)}/deployments/${deployment.id}`

export function deploymentBody(world: World, deployment: Deployment): Body {
  const url = deploymentUrl(world, deployment)
  return {
    url,
    id: deployment.id,
    node_id: nodeId('DE', deployment.id),
    sha: deployment.sha,
    ref: deployment.ref,
    task: deployment.task,
    payload: deployment.payload,
    original_environment: deployment.originalEnvironment,
    environment: deployment.environment,
    description: deployment.description,
    creator: userBody(world, deployment.creator),
    created_at: deployment.createdAt,
    updated_at: deployment.updatedAt,
    statuses_url: `${url}/statuses`,
    repository_url: repositoryUrl(world, deployment.repository),
    transient_environment: deployment.isTransient,
    production_environment: deployment.isProduction,
    performed_via_github_app: appOrNull(world, deployment.viaApp),
  }
}

export function deploymentStatusBody(world: World, deployment: Deployment, status: DeploymentStatus): Body {
  const url = deploymentUrl(world, deployment)
  return {
    url: `${url}/statuses/${status.id}`,
    id: status.id,
    node_id: nodeId('DES', status.id),
    state: status.state,
    creator: userBody(world, status.creator),
    description: status.description,
    environment: status.environment,
    target_url: status.logUrl,
    created_at: status.createdAt,
    updated_at: status.createdAt,
    deployment_url: url,
    repository_url: repositoryUrl(world, deployment.repository),
    environment_url: status.environmentUrl,
    log_url: status.logUrl,
    performed_via_github_app: appOrNull(world, status.viaApp),
  }
}

/** An environment as others mention it. */
export function environmentMention(world: World, repository: Repository, environment: Environment): Body {
  const name = encodeURIComponent(environment.name)
  return {
    id: environment.id,
    node_id: nodeId('EN', environment.id),
    name: environment.name,
    url: `${repositoryUrl(world, repository)}/environments/${name}`,
    html_url: htmlUrl(world, repository, `/deployments/activity_log?environments_filter=${name}`),
  }
}

import { addStatus, createDeployment, stateOf } from '../actions/deployments.ts'
import { type Author, authorOf } from '../actions/environments.ts'
import { asStatuses } from '../actions/lenient-answer.ts'
import { mergeDefaultBranch } from '../actions/merge-default-branch.ts'
import { type Deployment, type DeploymentState, recordsOf } from '../actions/records.ts'
import { refuseUnlessContextsPass } from '../actions/required-contexts.ts'
import {
  type Answer,
  type Context,
  created,
  invalid,
  noContent,
  notFound,
  ok,
  paged,
  Refusal,
  type Resource,
  reads,
  route,
  unprocessable,
  writes,
} from '../router.ts'
import { deploymentBody, deploymentStatusBody } from '../shapes/deployment.ts'

const statusesPath = '/repos/{owner}/{repo}/deployments/{deployment_id}/statuses'
const statusPath = `${statusesPath}/{status_id}` as const
const onDeployments = '/repos/{owner}/{repo}/deployments'
const onDeployment = `${onDeployments}/{deployment_id}` as const

/** GitHub has such a limit and does not publish it; a caller that beats its heart in statuses meets it here too. */
const maxStatuses = 100
const maxDescription = 140

const deploymentOf = (context: Context): Deployment => {
  const found = recordsOf(context.repository()).deployments.get(Number(context.params['deployment_id']))
  if (found === undefined) throw notFound()
  return found
}
const author = (context: Context): Author => {
  const found = authorOf(context.identity)
  if (found === undefined) throw new Refusal(401, 'Requires authentication')
  return found
}
const text = (context: Context, name: string): string | undefined => {
  const value = context.body[name]
  return typeof value === 'string' ? value : undefined
}

function list(context: Context): Answer {
  const wanted = (name: string): string | undefined => {
    const value = context.query.get(name)
    return value === null || value === '' || value === 'none' ? undefined : value
  }
  const { sha, ref, task } = { sha: wanted('sha'), ref: wanted('ref'), task: wanted('task') }
  const environment = wanted('environment')?.toLowerCase()
  const found = [...recordsOf(context.repository()).deployments.values()].filter(
    (one) =>
      (sha === undefined || one.sha === sha) &&
      (ref === undefined || one.ref === ref) &&
      (task === undefined || one.task === task) &&
      (environment === undefined || one.environment.toLowerCase() === environment),
  )
  return paged(context, found.reverse(), (page) => page.map((one) => deploymentBody(context.world, one)))
}

async function create(context: Context): Promise<Answer> {
  const repository = context.repository()
  const by = author(context)
  const ref = text(context, 'ref') ?? ''
  if (ref === '') throw invalid('Deployment', 'ref', 'missing_field')
  const sha = await context.git().resolveCommit(ref)
  if (sha === undefined) throw unprocessable(`No ref found for: ${ref}`)
  if (context.body['auto_merge'] !== false) {
    const merged = await mergeDefaultBranch(context, ref, sha)
    if (merged !== undefined) return { status: 202, body: { message: merged } }
  }
  const required = context.body['required_contexts']
  refuseUnlessContextsPass(context, ref, sha, Array.isArray(required) ? required.map(String) : undefined)
  const environment = text(context, 'environment') ?? 'production'
  const isProduction = context.body['production_environment']
  const deployment = createDeployment(context.world, repository, by, {
    sha,
    ref,
    task: text(context, 'task') ?? 'deploy',
    payload: context.body['payload'] ?? {},
    environment,
    description: text(context, 'description') ?? null,
    isTransient: context.body['transient_environment'] === true,
    isProduction: typeof isProduction === 'boolean' ? isProduction : environment === 'production',
  })
  return created(deploymentBody(context.world, deployment))
}

function remove(context: Context): Answer {
  const deployment = deploymentOf(context)
  const { deployments } = recordsOf(context.repository())
  if (deployments.size > 1 && stateOf(deployment) !== 'inactive')
    throw unprocessable(
      'We cannot delete an active deployment unless it is the only deployment in a given environment.',
    )
  deployments.delete(deployment.id)
  return noContent()
}

function createStatus(context: Context): Answer {
  const deployment = deploymentOf(context)
  const description = text(context, 'description') ?? ''
  if ([...description].length > maxDescription) {
    const message = `description is too long (maximum is ${maxDescription} characters)`
    throw invalid('DeploymentStatus', 'description', 'custom', message)
  }
  if (deployment.statuses.length >= maxStatuses)
    throw unprocessable('This deployment has reached the maximum number of statuses.')
  const logUrl = text(context, 'log_url') ?? text(context, 'target_url')
  const [environment, environmentUrl] = [text(context, 'environment'), text(context, 'environment_url')]
  const status = addStatus(context.world, deployment, author(context), {
    state: text(context, 'state') as DeploymentState,
    description,
    autoInactive: context.body['auto_inactive'] !== false,
    ...(environment !== undefined && environment !== '' && { environment }),
    ...(environmentUrl !== undefined && { environmentUrl }),
    ...(logUrl !== undefined && { logUrl }),
  })
  return asStatuses('POST', statusesPath, created(deploymentStatusBody(context.world, deployment, status)))
}

function listStatuses(context: Context): Answer {
  const deployment = deploymentOf(context)
  const bodies = deployment.statuses.map((status) => deploymentStatusBody(context.world, deployment, status))
  return asStatuses('GET', statusesPath, paged(context, bodies.reverse()))
}

function readStatus(context: Context): Answer {
  const deployment = deploymentOf(context)
  const status = deployment.statuses.find((one) => one.id === Number(context.params['status_id']))
  if (status === undefined) throw notFound()
  return asStatuses('GET', statusPath, ok(deploymentStatusBody(context.world, deployment, status)))
}

export const deployments: Resource = {
  routes: [
    route(`GET ${onDeployments}`, reads('deployments'), list),
    route(`POST ${onDeployments}`, writes('deployments'), create),
    route(`GET ${onDeployment}`, reads('deployments'), (context) =>
      ok(deploymentBody(context.world, deploymentOf(context))),
    ),
    route(`DELETE ${onDeployment}`, writes('deployments'), remove),
    route(`GET ${statusesPath}`, reads('deployments'), listStatuses),
    route(`POST ${statusesPath}`, writes('deployments'), createStatus),
    route(`GET ${statusPath}`, reads('deployments'), readStatus),
  ],
}

import { draft, type EventData } from '../catalogue.ts'
import { readConfiguration } from '../config/in-force.ts'
import type { Configuration } from '../config/schema.ts'
import { type Deciding, type Decision, state, states } from '../decision.ts'
import type { EventDraft, Trust } from '../event.ts'
import { type Problem, quoted } from '../problem.ts'
import {
  type CommitState,
  commitKey,
  type ProductState,
  productKey,
  type VersionState,
  versionKey,
} from '../product/schema.ts'
import type { Request } from '../request.ts'
import { type GateState, gateKeyOf } from '../ring/schema.ts'
import { attemptKey, type RunState, runKey } from './schema.ts'

type DeploymentReported = Extract<Request, { kind: 'deployment-reported' }>
type Accepted = Decision<null>
const nothing: Accepted = { kind: 'accept', events: [], answer: null }

/**
 * Records what became of a deployment. The Action's own record names product and version; GitHub's deployment of the
 * same run's job is kept with the run and counts only when the run ended without a record for that environment; any
 * other tool's deployment counts for the versions that are bound to its commit.
 */
export function* decideDeploymentReported(request: DeploymentReported): Deciding<Accepted> {
  if (request.record) return yield* decideRecorded(request, request.record)
  if (request.byActions && request.run) return yield* decideJobDeployment(request, request.run)
  return yield* decideByCommit(request)
}

type Item = { readonly product: string; readonly version: string }

function* decideRecorded(request: DeploymentReported, item: Item): Deciding<Accepted> {
  const [product, version] = (yield* states<unknown>([
    productKey(item.product),
    versionKey(item.product, item.version),
  ])) as [ProductState | undefined, VersionState | undefined]
  const inForce = yield* readConfiguration()
  const configured = inForce?.configuration.products.find((entry) => entry.name === item.product)
  const problem = contradiction(request, item, product, version, configured?.repository)
  if (problem) return refused(request, problem)
  /** A commit that GitHub names and the version is bound to makes the record as good as GitHub's own word. */
  const trust: Trust = version !== undefined && request.byActions ? 'platform' : request.trust
  const event = yield* deploymentEvent({ ...request, trust }, item, inForce?.configuration ?? null)
  return { kind: 'accept', events: [event], answer: null }
}

function contradiction(
  request: DeploymentReported,
  item: Item,
  product: ProductState | undefined,
  version: VersionState | undefined,
  configuredRepository: string | undefined,
): Problem<'wrong-commit' | 'product-elsewhere'> | null {
  const { repository, sha } = request
  const home =
    configuredRepository ?? (product?.repository.id === repository.id ? undefined : product?.repository.fullName)
  if (home !== undefined && home.toLowerCase() !== repository.fullName.toLowerCase()) {
    return {
      code: 'product-elsewhere',
      message: `expected deployments of ${quoted(item.product)} from ${home}, found one from ${repository.fullName}`,
      hint: 'Record it from the repository of the product.',
    }
  }
  if (version !== undefined && version.sha !== sha) {
    return {
      code: 'wrong-commit',
      message: `expected ${quoted(`${item.product}@${item.version}`)} at commit ${version.sha}, to which it is bound, found a deployment of ${sha}`,
      hint: 'Deploy the commit of the version, or record the version that was built from this commit.',
    }
  }
  return null
}

function refused(request: DeploymentReported, problem: Problem): Accepted {
  const { environment, deploymentId, repository, url } = request
  return {
    kind: 'refuse',
    problems: [problem],
    events: [
      draft(
        'deployment.refused',
        { environment, deploymentId, repository, code: problem.code, message: problem.message, url },
        {
          key: `deployment:${deploymentId}:refused`,
          at: request.at,
          actor: request.actor,
          source: request.source,
          trust: request.trust,
        },
      ),
    ],
  }
}

/** GitHub's own deployment of a job: kept with its run until the run has ended. */
function* decideJobDeployment(
  request: DeploymentReported,
  run: { readonly id: number; readonly attempt: number },
): Deciding<Accepted> {
  const { repository, deploymentId, environment, sha, status, statusId, url } = request
  const known = yield* state<RunState>(runKey(repository.id, run.id))
  const seen = draft(
    'job-deployment.seen',
    { repository, runId: run.id, deploymentId, environment, sha, attempt: run.attempt, status, statusId, url },
    {
      key: `job-deployment:${deploymentId}:${statusId}`,
      at: request.at,
      actor: request.actor,
      source: request.source,
      trust: 'platform',
    },
  )
  if (!known?.ended || known.recorded.includes(environment)) return { kind: 'accept', events: [seen], answer: null }
  const late = yield* decideByCommit(request)
  return { kind: 'accept', events: [seen, ...late.events], answer: null }
}

/** A deployment that names no product: it counts for every version that is bound to its commit and deploys there. */
function* decideByCommit(request: DeploymentReported): Deciding<Accepted> {
  const inForce = yield* readConfiguration()
  const bound = yield* state<CommitState>(commitKey(request.sha))
  const items = (bound?.items ?? []).filter((item) =>
    deploysTo(inForce?.configuration ?? null, item.product, request.environment),
  )
  const events: EventDraft[] = []
  for (const item of items) events.push(yield* deploymentEvent(request, item, inForce?.configuration ?? null))
  return events.length === 0 ? nothing : { kind: 'accept', events, answer: null }
}

const deploysTo = (configuration: Configuration | null, product: string, environment: string): boolean => {
  const environments = configuration?.products.find((entry) => entry.name === product)?.environments
  return environments === undefined || environments.includes(environment)
}

function* deploymentEvent(
  request: DeploymentReported,
  item: Item,
  configuration: Configuration | null,
): Deciding<EventDraft> {
  const { repository, run, deploymentId, environment, status, statusId, sha, url } = request
  const attempt = attemptKey(repository.id, run, deploymentId)
  const data: EventData<'deployment.started'> = {
    product: item.product,
    version: item.version,
    environment,
    attempt,
    status,
    statusId,
    sha,
    repository,
    runId: run?.id ?? null,
    runAttempt: run?.attempt ?? null,
    url,
    authorisation: status === 'pending' ? 'ungated' : yield* authorisationOf(request, item, configuration),
  }
  return draft(`deployment.${status}`, data, {
    key: `deployment:${deploymentId}:${statusId}:${status}:${item.product}`,
    at: request.at,
    actor: request.actor,
    source: request.source,
    trust: request.trust,
  })
}

/** How a deployment was allowed: the gate of its run and environment, where the environment has one. */
function* authorisationOf(
  request: DeploymentReported,
  item: Item,
  configuration: Configuration | null,
): Deciding<EventData<'deployment.started'>['authorisation']> {
  const ring = configuration?.rings.find((entry) => entry.environments.includes(request.environment))
  if (!ring?.gate) return 'ungated'
  if (!request.run) return 'unauthorised'
  const gate = yield* state<GateState>(gateKeyOf(request.repository.id, request.run.id, request.environment))
  const allowed = gate?.approvedItems.some((entry) => entry.product === item.product && entry.version === item.version)
  return allowed ? 'gate' : 'unauthorised'
}

type RunEnded = Extract<Request, { kind: 'run-ended' }>

/** A run is over: its job deployments count where the run recorded none itself, and its gates close. */
export function* decideRunEnded(request: RunEnded): Deciding<Accepted> {
  const { repository, runId } = request
  const run = yield* state<RunState>(runKey(repository.id, runId))
  if (run === undefined || run.ended) return nothing
  const rest = { at: request.at, actor: request.actor, source: request.source, trust: 'platform' as const }
  const events: EventDraft[] = [
    draft('run.ended', { repository, runId }, { ...rest, key: `run:${repository.id}/${runId}:ended` }),
  ]
  for (const job of run.jobDeployments.filter((entry) => !run.recorded.includes(entry.environment))) {
    const counted = yield* decideByCommit({
      ...request,
      kind: 'deployment-reported',
      deploymentId: job.deploymentId,
      environment: job.environment,
      sha: job.sha,
      status: job.status,
      statusId: job.statusId,
      record: null,
      run: { id: runId, attempt: job.attempt },
      byActions: true,
      url: job.url,
      at: job.at,
      trust: 'platform',
    })
    events.push(...counted.events)
  }
  return { kind: 'accept', events, answer: null }
}

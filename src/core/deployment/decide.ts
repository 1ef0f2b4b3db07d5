import { draft, type EventData } from '../catalogue.ts'
import { readConfiguration } from '../config/in-force.ts'
import type { Configuration } from '../config/schema.ts'
import { type Deciding, type Decision, state, states } from '../decision.ts'
import type { EventDraft } from '../event.ts'
import { type Problem, quoted } from '../problem.ts'
import {
  type CommitState,
  commitKey,
  type ProductState,
  productKey,
  type VersionState,
  versionKey,
} from '../product/schema.ts'
import { OPEN_KEY, type OpenIndex } from '../release/open.ts'
import type { Request } from '../request.ts'
import { closedBy } from '../ring/close.ts'
import { type GateState, gateKeyOf } from '../ring/schema.ts'
import { attemptOf, isSpokenFor } from './evolve.ts'
import { attemptKey, endOf, type RunState, runKey } from './schema.ts'
import { isTerminal } from './status.ts'

type DeploymentReported = Extract<Request, { kind: 'deployment-reported' }>
type Accepted = Extract<Decision<null>, { kind: 'accept' }>
type Refused = Extract<Decision<null>, { kind: 'refuse' }>
const nothing: Accepted = { kind: 'accept', events: [], answer: null }
/** The build that it belongs to, or the deployment that its run made, may be told after it. */
const early: Accepted = { ...nothing, isEarly: true }

/**
 * Records what became of a deployment. The Action's own record names product and version; GitHub's deployment of the
 * same run's job is kept with the run and counts only when the run ended without a record for that environment; any
 * other tool's deployment counts for the versions that are bound to its commit.
 */
export function* decideDeploymentReported(reported: DeploymentReported): Deciding<Decision<null>> {
  const inForce = yield* readConfiguration()
  const request = { ...reported, environment: configuredName(inForce?.configuration ?? null, reported.environment) }
  if (request.record) return yield* decideRecorded(request, request.record)
  if (request.byActions && request.run) return yield* decideJobDeployment(request, request.run)
  return yield* decideByCommit(request)
}

/** GitHub's environments ignore case: another spelling must not lead past the rules of the one that is meant. */
function configuredName(configuration: Configuration | null, environment: string): string {
  const known = (configuration?.rings ?? []).flatMap((ring) => ring.environments)
  const isSame = (name: string): boolean => name.toLowerCase() === environment.toLowerCase()
  return known.includes(environment) ? environment : (known.find(isSame) ?? environment)
}

type Item = { readonly product: string; readonly version: string }

function* decideRecorded(request: DeploymentReported, item: Item): Deciding<Decision<null>> {
  const [product, version] = (yield* states<unknown>([
    productKey(item.product),
    versionKey(item.product, item.version),
  ])) as [ProductState | undefined, VersionState | undefined]
  const inForce = yield* readConfiguration()
  const configured = inForce?.configuration.products.find((entry) => entry.name === item.product)
  const problem = contradiction(request, item, product, version, configured?.repository)
  if (problem) return refused(request, item, problem)
  const event = yield* deploymentEvent(request, item, 'record', inForce?.configuration ?? null)
  return { kind: 'accept', events: [event, ...(yield* abandonedBefore(request, item))], answer: null }
}

/** The end of an attempt whose run was over before this word of it was heard, where that is its last. */
function* abandonedBefore(request: DeploymentReported, item: Item): Deciding<EventDraft[]> {
  const { repository, environment, sha, status, statusId, url, run: at } = request
  if (at === null || isTerminal(status)) return []
  const run = yield* state<RunState>(runKey(repository.id, at.id))
  if (run === undefined || run.endedAttempt < at.attempt) return []
  const { attempt } = at
  const isLater = (other: RunState['attempts'][number]): boolean =>
    other.attempt === attempt &&
    other.environment === environment &&
    other.product === item.product &&
    other.version === item.version &&
    other.statusId >= statusId
  if (request.trust === 'claimed' || run.attempts.some(isLater)) return []
  const left = { product: item.product, version: item.version, environment, sha, attempt, status, statusId, url }
  return [abortedBy({ ...request, runId: at.id }, left)]
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

function refused(request: DeploymentReported, item: Item, problem: Problem): Refused {
  const { environment, deploymentId, repository, sha, url } = request
  const { code, message, hint = null } = problem
  const { product, version } = item
  return {
    kind: 'refuse',
    problems: [problem],
    events: [
      draft(
        'deployment.refused',
        { environment, deploymentId, repository, code, message, url, hint, sha, product, version },
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
  const isOver = known !== undefined && known.endedAttempt >= run.attempt
  if (!isOver) return { kind: 'accept', events: [seen], answer: null }
  const closed = yield* gateLeftBy(request, { id: run.id, attempt: run.attempt })
  const before = known.jobDeployments.find((job) => job.deploymentId === deploymentId)
  const began = before?.began === true || status === 'started' || status === 'completed'
  if (isSpokenFor(known, { environment, ...(began ? { began } : {}) }))
    return { kind: 'accept', events: [seen, ...closed], answer: null }
  const late = yield* decideByCommit(request, announcedBy(known, environment))
  return { ...late, events: [seen, ...closed, ...late.events] }
}

/** The end of a gate whose run was over before it was heard to which of its tries the waiting job belonged. */
function* gateLeftBy(
  request: DeploymentReported,
  run: { readonly id: number; readonly attempt: number },
): Deciding<EventDraft[]> {
  const { repository, environment, deploymentId } = request
  const gate = yield* state<GateState>(gateKeyOf(repository.id, run.id, environment))
  if (gate?.verdict !== 'waiting' || gate.deploymentId !== deploymentId) return []
  return [closedBy(request, gate, run.attempt)]
}

/**
 * A deployment that names no product: it counts for every version that is bound to its commit, was built in its
 * repository and deploys there; where its run announced some of them, for those. Forks and mirrors share commits; what
 * they deploy is not ours.
 */
function* decideByCommit(request: DeploymentReported, announced: readonly string[] = []): Deciding<Accepted> {
  const inForce = yield* readConfiguration()
  const commit = yield* state<CommitState>(commitKey(request.sha))
  const candidates = (commit?.items ?? []).filter((item) =>
    deploysTo(inForce?.configuration ?? null, item.product, request.environment),
  )
  const versions = yield* states<VersionState>(candidates.map((item) => versionKey(item.product, item.version)))
  const bound = candidates.filter((_, index) => versions[index]?.repository.id === request.repository.id)
  const named = bound.filter((item) => announced.includes(`${item.product}@${item.version}`))
  const items = named.length > 0 ? named : bound
  const origin = request.byActions ? 'job' : 'commit'
  const events: EventDraft[] = []
  for (const item of items) events.push(yield* deploymentEvent(request, item, origin, inForce?.configuration ?? null))
  return events.length === 0 ? early : { kind: 'accept', events, answer: null }
}

/** What a run itself announced for an environment, as `product@version`. */
const announcedBy = (run: RunState | undefined, environment: string): string[] =>
  (run?.intents ?? [])
    .filter((intent) => intent.environment === environment && intent.trust !== 'claimed')
    .map((intent) => `${intent.product}@${intent.version}`)

const deploysTo = (configuration: Configuration | null, product: string, environment: string): boolean => {
  const environments = configuration?.products.find((entry) => entry.name === product)?.environments
  return environments === undefined || environments.includes(environment)
}

function* deploymentEvent(
  request: DeploymentReported,
  item: Item,
  origin: EventData<'deployment.started'>['origin'],
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
    origin,
  }
  return draft(`deployment.${status}`, data, {
    key: `deployment:${deploymentId}:${statusId}:${status}:${item.product}@${item.version}`,
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
  if (!allowed || (request.run.attempt > 1 && isAskedAgain(gate, request.at))) return 'unauthorised'
  return gate?.overridden ? 'override' : 'gate'
}

/**
 * Whether a run that is tried again waits to be let in anew at an instant: what it was let in with was the try before.
 * In its first try, a second job may wait at the environment that the first was let into.
 */
const isAskedAgain = (gate: GateState | undefined, at: string): boolean =>
  gate !== undefined && gate.verdict !== 'approved' && Date.parse(at) > Date.parse(gate.requestedAt)

type RunEnded = Extract<Request, { kind: 'run-ended' }>

/**
 * A run is over: its job deployments count where the run recorded none itself, what it recorded and left open was
 * abandoned, and its gates close. Told again, it counts what has become known of its jobs meanwhile.
 */
export function* decideRunEnded(request: RunEnded): Deciding<Accepted> {
  const { repository, runId, runAttempt } = request
  const [run, open] = (yield* states<unknown>([runKey(repository.id, runId), OPEN_KEY])) as [
    RunState | undefined,
    OpenIndex | undefined,
  ]
  const gates = yield* gatesOf(request, run, open)
  if (run === undefined && gates.length === 0) return early
  const counted = yield* countedJobs(request, run)
  if ((run?.endedAttempt ?? 0) >= runAttempt) return counted
  const rest = { at: request.at, actor: request.actor, source: request.source, trust: 'platform' as const }
  const slot = endOf(repository.id, runId, runAttempt)
  const abandoned = (run?.attempts ?? []).filter((entry) => entry.attempt <= runAttempt && !isTerminal(entry.status))
  return {
    ...counted,
    events: [
      draft('run.ended', { repository, runId, runAttempt }, { ...rest, key: slot }),
      ...counted.events,
      ...abandoned.map((entry) => abortedBy(request, entry)),
      ...gates.map((gate) => closedBy(request, gate, runAttempt)),
    ],
  }
}

/**
 * The gates of a run that still wait for a job of a try that is over. Where nothing tells of which try the job is, one
 * that was asked for later belongs to the next.
 */
function* gatesOf(
  { repository, runId, runAttempt, at }: RunEnded,
  run: RunState | undefined,
  open: OpenIndex | undefined,
): Deciding<GateState[]> {
  const keys = (open?.gates ?? []).filter((key) => key.startsWith(`gate/${repository.id}/${runId}/`))
  const gates = yield* states<GateState>(keys as `gate/${string}`[])
  return gates.flatMap((gate) => {
    if (gate?.verdict !== 'waiting') return []
    const attempt = attemptOf(run, gate.deploymentId)
    return (attempt === undefined ? gate.requestedAt <= at : attempt <= runAttempt) ? [gate] : []
  })
}

function* countedJobs(request: RunEnded, run: RunState | undefined): Deciding<Accepted> {
  const jobs = (run?.jobDeployments ?? []).filter(
    (job) => job.attempt <= request.runAttempt && run !== undefined && !isSpokenFor(run, job),
  )
  const events: EventDraft[] = []
  let isEarly = false
  for (const job of jobs) {
    const reported = {
      ...request,
      kind: 'deployment-reported' as const,
      deploymentId: job.deploymentId,
      environment: job.environment,
      sha: job.sha,
      status: job.status,
      statusId: job.statusId,
      record: null,
      run: { id: request.runId, attempt: job.attempt },
      byActions: true,
      url: job.url,
      at: job.at,
      trust: 'platform' as const,
    }
    const counted = yield* decideByCommit(reported, announcedBy(run, job.environment))
    events.push(...counted.events)
    isEarly ||= counted.isEarly === true
  }
  return { kind: 'accept', events, answer: null, ...(isEarly ? { isEarly } : {}) }
}

/**
 * The end of an attempt whose run stopped without a word. It has the id of the last word, so that whatever is said
 * later still counts.
 */
function abortedBy(
  { repository, runId, at, actor, source }: Pick<RunEnded, 'repository' | 'runId' | 'at' | 'actor' | 'source'>,
  { attempt, ...left }: RunState['attempts'][number],
): EventDraft {
  const { product, version, environment, statusId } = left
  return draft(
    'deployment.aborted',
    {
      ...left,
      attempt: attemptKey(repository.id, { id: runId, attempt }, 0),
      status: 'aborted',
      repository,
      runId,
      runAttempt: attempt,
      authorisation: 'ungated',
      origin: 'record',
    },
    {
      at,
      actor,
      source,
      trust: 'platform',
      key: `${endOf(repository.id, runId, attempt)}:aborted:${statusId}:${product}@${version}:${environment}`,
    },
  )
}

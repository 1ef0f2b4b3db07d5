import { dirname, join } from 'node:path'
import { createJobRunner, type JobReport, type JobRunner } from '../runner.ts'
import { runHtmlUrl } from '../shapes/workflow-run.ts'
import type { World } from '../world.ts'
import { refusalOfRef } from './branch-policy.ts'
import { standInActions } from './common-actions.ts'
import { enterGroup } from './concurrency.ts'
import { addStatus, createDeployment, type NewStatus } from './deployments.ts'
import { type Author, ensureEnvironment } from './environments.ts'
import { interpolate, isConditionMet, type Scope, toText } from './expression.ts'
import { announceGate, isProtected, waitAtGate } from './gate.ts'
import { githubContext } from './github-context.ts'
import { endIdToken, idTokenVariables } from './id-token.ts'
import { type Conclusion, type DeploymentState, type Environment, type Job, queueJob, type Run } from './records.ts'
import type { JobDefinition, RunDefinition } from './run-definition.ts'
import { announceJob, refreshRun } from './run-events.ts'

export interface JobRequest {
  readonly world: World
  readonly definition: RunDefinition
  readonly run: Run
  readonly job: JobDefinition
  /** What its `if:`, name and environment may look at. */
  readonly scope: Scope
  readonly signal: AbortSignal
}

export interface JobEnd {
  readonly conclusion: Conclusion
  readonly outputs: ReadonlyMap<string, string>
}

const stateOfEnd: ReadonlyMap<Conclusion, DeploymentState> = new Map([
  ['success', 'success'],
  ['failure', 'failure'],
  ['cancelled', 'error'],
])

/** Runs one job whose needs have ended: condition, environment and its gate, steps. Never throws for what it does. */
export async function runJob(request: JobRequest): Promise<JobEnd> {
  const record = queueJob(request.world, request.run, {
    key: request.job.key,
    name: nameOf(request.job, request.scope),
  })
  const noOutputs = new Map<string, string>()
  try {
    if (!isConditionMet(request.job.if, request.scope)) return end(request, record, 'skipped', noOutputs)
    if (request.signal.aborted) return end(request, record, 'cancelled', noOutputs)
    return await inTurn(request, record)
  } catch (error) {
    record.log = error instanceof Error ? error.message : String(error)
    return end(request, record, 'failure', noOutputs)
  }
}

/** Enters the job's concurrency group first, when it has one. */
async function inTurn(request: JobRequest, record: Job): Promise<JobEnd> {
  const { concurrency } = request.job
  if (concurrency === undefined) return enter(request, record)
  const { run, scope } = request
  const own = new AbortController()
  const signal = AbortSignal.any([request.signal, own.signal])
  const onWait = (): void => {
    record.status = 'pending'
    refreshRun(request.world, run)
  }
  const cancel = (): void => own.abort()
  const leave = await enterGroup({ repository: run.repository, concurrency, scope, cancel, signal, onWait })
  if (leave === undefined) return end(request, record, 'cancelled', new Map())
  try {
    return await enter({ ...request, signal }, record)
  } finally {
    leave()
  }
}

async function enter(request: JobRequest, record: Job): Promise<JobEnd> {
  const answer = await enterEnvironment(request, record)
  if (answer === 'approved') return work(request, record)
  return end(request, record, answer === 'rejected' ? 'failure' : 'cancelled', new Map())
}

/** A name that cannot be read is shown as written; what is wrong with it fails no job. */
function nameOf(job: JobDefinition, scope: Scope): string {
  try {
    return toText(interpolate(job.name, scope))
  } catch {
    return job.name
  }
}

const botOf = (world: World): Author => ({ account: world.actionsApp.bot, app: world.actionsApp })
/** GitHub books a job's deployment on whoever started the run, performed via the App github-actions. */
const starterOf = (world: World, run: Run): Author => ({ account: run.triggeringActor, app: world.actionsApp })

function report({ world, run }: JobRequest, record: Job, status: NewStatus): void {
  if (record.deployment === undefined) return
  const logUrl = `${runHtmlUrl(world, run)}/job/${record.id}`
  addStatus(world, record.deployment, botOf(world), { logUrl, ...status })
}

/** GitHub's own deployment of the job, and the waiting for those who guard the environment. */
async function enterEnvironment(request: JobRequest, record: Job): Promise<'approved' | 'rejected' | 'cancelled'> {
  const { world, run, job, scope } = request
  if (job.environment !== undefined) {
    const environment = ensureEnvironment(world, run.repository, toText(interpolate(job.environment.name, scope)))
    record.environment = environment
    const refusal = refusalOfRef(environment, run.ref)
    if (refusal !== undefined) throw new Error(refusal)
    if (job.environment.deployment)
      record.deployment = createDeployment(
        world,
        run.repository,
        starterOf(world, run),
        deploymentOf(request, record, environment),
      )
    else if (environment.rules.length > 0)
      throw new Error(`${environment.name} has custom protection rules, which cannot do without a deployment.`)
    if (isProtected(environment)) {
      const answer = await wait(request, record, environment)
      if (answer !== 'approved') return answer
    }
  }
  record.status = 'queued'
  refreshRun(world, run)
  announceJob(world, record, 'queued')
  report(request, record, { state: 'queued' })
  return 'approved'
}

const deploymentOf = ({ run }: JobRequest, record: Job, environment: Environment) => ({
  sha: run.headSha,
  ref: run.ref.replace(/^refs\/(heads|tags)\//, ''),
  task: 'deploy',
  payload: {},
  environment: environment.name,
  description: null,
  isTransient: false,
  isProduction: environment.name === 'production',
  job: record,
})

function wait(
  request: JobRequest,
  record: Job,
  environment: Environment,
): Promise<'approved' | 'rejected' | 'cancelled'> {
  const { world, run, signal } = request
  const answer = waitAtGate(world, record, environment)
  const cancel = (): void => record.gate?.settle('cancelled')
  signal.addEventListener('abort', cancel, { once: true })
  record.status = 'waiting'
  refreshRun(world, run)
  report(request, record, { state: 'waiting' })
  announceJob(world, record, 'waiting')
  announceGate(world, record)
  return answer.finally(() => signal.removeEventListener('abort', cancel))
}

async function work(request: JobRequest, record: Job): Promise<JobEnd> {
  const { world, definition, run, job, signal } = request
  record.status = 'in_progress'
  record.startedAt = world.clock.now()
  refreshRun(world, run)
  announceJob(world, record, 'in_progress')
  report(request, record, { state: 'in_progress' })
  const token = world.mintActionsToken(run.repository, job.permissions, run.id)
  const variables = job.permissions.get('id_token') === 'write' ? idTokenVariables(world, definition, record) : {}
  try {
    const runner = createRunner(request, record, { token, variables })
    for (const step of job.steps) {
      await runner.run(step)
      keep(record, runner.report())
    }
    const outputs = new Map([...job.outputs].map(([name, template]) => [name, runner.interpolate(template)]))
    const conclusion = signal.aborted ? 'cancelled' : runner.report().conclusion
    const url = conclusion === 'success' ? job.environment?.url : undefined
    return end(request, record, conclusion, outputs, url === undefined ? undefined : runner.interpolate(url))
  } finally {
    world.revoke(token)
    endIdToken(world, variables)
  }
}

interface JobCredentials {
  readonly token: string
  readonly variables: Readonly<Record<string, string>>
}

function createRunner(
  { world, definition, run, job, scope, signal }: JobRequest,
  record: Job,
  { token, variables }: JobCredentials,
): JobRunner {
  const directory = join(world.directory, 'runs', String(run.id), String(record.id))
  const env = { ...Object.fromEntries(definition.env), ...Object.fromEntries(job.env) }
  return createJobRunner({
    workspace: join(directory, 'workspace'),
    temp: join(directory, 'temp'),
    github: { ...githubContext(world, definition, run, job.key), token },
    env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, toText(interpolate(value, scope))])),
    variables,
    contexts: {
      inputs: definition.inputs,
      needs: scope.contexts.get('needs'),
      vars: definition.vars,
      secrets: { ...definition.secrets, GITHUB_TOKEN: token },
      matrix: {},
      strategy: {},
    },
    actions: new Map([...standInActions(world, definition.repository), ...definition.actions]),
    path: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    signal,
  })
}

function keep(record: Job, { steps, log, summary }: JobReport): void {
  record.steps = steps.map((step, index) => ({ name: step.name, number: index + 1, conclusion: step.conclusion }))
  record.log = log
  record.summary = summary
}

function end(
  request: JobRequest,
  record: Job,
  conclusion: Conclusion,
  outputs: ReadonlyMap<string, string>,
  environmentUrl?: string,
): JobEnd {
  const { world, run } = request
  record.status = 'completed'
  record.conclusion = conclusion
  record.completedAt = world.clock.now()
  record.outputs = outputs
  refreshRun(world, run)
  announceJob(world, record, 'completed')
  const state = stateOfEnd.get(conclusion)
  if (state !== undefined) report(request, record, { state, ...(environmentUrl !== undefined && { environmentUrl }) })
  return { conclusion, outputs }
}

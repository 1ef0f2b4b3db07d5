import { buildCheckOf } from '../../src/action/build-check.ts'
import { DEPLOYMENT_TASK, type DeploymentRecord } from '../../src/core/deployment/schema.ts'
import { digestOf } from '../../src/core/json.ts'
import { unwrap } from '../../src/core/problem.ts'
import { type BuildRecord, buildExternalId } from '../../src/core/product/schema.ts'
import { addStatus, createDeployment } from '../sandbox/actions/deployments.ts'
import type { Author } from '../sandbox/actions/environments.ts'
import {
  type Deployment,
  type DeploymentState,
  type Job,
  queueJob,
  type Run,
  recordsOf,
} from '../sandbox/actions/records.ts'
import { announceJob, announceRun, refreshRun } from '../sandbox/actions/run-events.ts'
import { ensureWorkflow } from '../sandbox/actions/workflows.ts'
import type { Commit } from '../sandbox/git/repository.ts'
import { accountNamed, plantCommit } from '../sandbox/plant.ts'
import { checksOf } from '../sandbox/resources/check-state.ts'
import { tellCheckRun } from '../sandbox/resources/checks.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import { runHtmlUrl } from '../sandbox/shapes/workflow-run.ts'
import { type Account, type Repository, repositoryByName } from '../sandbox/store.ts'
import type { World } from '../sandbox/world.ts'
import { ENVIRONMENTS, nameOf, PRODUCTS, repositoryOf } from './ledger-load-world.ts'

/** A version on its way into an environment. */
export interface Step {
  readonly product: number
  readonly version: string
  readonly environment: string
  /** Whether its version has to be built before: the first ones are there when the load begins. */
  readonly isNew: boolean
}

/**
 * The deployment of that number. Each version goes through all environments before the next one; the products stand at
 * different ones, so that at any time some are built.
 */
export function stepAt(index: number): Step {
  const product = index % PRODUCTS
  const step = Math.floor(index / PRODUCTS) + (product % ENVIRONMENTS.length)
  const at = step % ENVIRONMENTS.length
  const version = `1.${Math.floor(step / ENVIRONMENTS.length)}.0`
  return { product, version, environment: ENVIRONMENTS[at] ?? '', isNew: at === 0 && step > 0 }
}

/** A status of a deployment, as it was said. */
export interface Status {
  readonly deployment: number
  readonly status: number
  readonly record: DeploymentRecord
  readonly state: DeploymentState
}

/** Every so many statuses one comes twice. */
export const REPEATED_EVERY = 100

const nobody = (): never => {
  throw new Error('expected nobody to touch a run of the load')
}

/**
 * What happens in the repositories of the products: commits, runs with their jobs, builds and deployments. All of it is in
 * the sandbox as GitHub would keep it, and every webhook of it is delivered; only nothing is executed, and the Action's
 * requests, which do not count against the App's limits, are not made.
 */
export class Traffic {
  /** Statuses of deployments that were said. */
  said = 0
  /** Builds that were recorded. */
  built = 0
  readonly #heard: (status: Status) => void
  readonly #world: World
  readonly #sandbox: Sandbox
  readonly #ann: Account
  readonly #workflows: Author
  /** By product and version. */
  readonly #commits = new Map<string, Commit>()

  constructor(sandbox: Sandbox, heard: (status: Status) => void) {
    this.#sandbox = sandbox
    this.#heard = heard
    this.#world = sandbox.world
    this.#ann = accountNamed(sandbox.world, 'ann')
    const { actionsApp } = sandbox.world
    this.#workflows = { account: actionsApp.bot, app: actionsApp }
  }

  /** Pushes the commit of a version and starts the run that builds it; returns what ends that. */
  async build(product: number, version: string): Promise<() => void> {
    const name = nameOf(product)
    const repository = this.#repositoryOf(product)
    const sha = await plantCommit(this.#world, repository, {
      message: `feat(${name}): ${version}`,
      files: { [`${name}/VERSION`]: version },
    })
    const commit = await this.#world.gitOf(repository).readCommit(sha)
    if (commit === undefined) throw new Error(`expected the commit ${sha}`)
    this.#commits.set(`${product}@${version}`, commit)
    const job = this.#startRun(repository, commit, 'build')
    return () => {
      this.#recordBuild(job, { product: name, version })
      this.#endRun(job)
    }
  }

  /** Starts the run that deploys; returns what ends it. */
  deploy({ product, version, environment }: Step): () => void {
    const name = nameOf(product)
    const repository = this.#repositoryOf(product)
    const commit = this.#commits.get(`${product}@${version}`)
    if (commit === undefined) throw new Error(`expected ${name} ${version} to be built`)
    const job = this.#startRun(repository, commit, 'deploy')
    const record: DeploymentRecord = {
      schema: 'ringmaster/deployment/1',
      product: name,
      version,
      run: { id: job.run.id, attempt: 1, job: job.key },
    }
    const deployment = createDeployment(this.#world, repository, this.#workflows, {
      sha: commit.oid,
      ref: commit.oid,
      task: DEPLOYMENT_TASK,
      payload: record,
      environment,
      description: `${name} ${version}`,
      isTransient: false,
      isProduction: environment === 'production',
    })
    this.#say(deployment, job, record, 'in_progress')
    return () => {
      this.#say(deployment, job, record, 'success')
      this.#endRun(job)
    }
  }

  #repositoryOf(product: number): Repository {
    const repository = repositoryByName(this.#world.store, 'acme', repositoryOf(product))
    if (!repository) throw new Error(`expected the repository acme/${repositoryOf(product)}`)
    return repository
  }

  #say(deployment: Deployment, job: Job, record: DeploymentRecord, state: DeploymentState): void {
    if (this.said % REPEATED_EVERY === 0) this.#sandbox.webhooks.repeat({ event: 'deployment_status' })
    const logUrl = runHtmlUrl(this.#world, job.run)
    const status = addStatus(this.#world, deployment, this.#workflows, { state, logUrl, autoInactive: false })
    this.said += 1
    this.#heard({ deployment: deployment.id, status: status.id, record, state })
  }

  /** As the Action's `record-build` leaves it. */
  #recordBuild({ run, key }: Job, { product, version }: Pick<BuildRecord, 'product' | 'version'>): void {
    const world = this.#world
    const { repository } = run
    const record: BuildRecord = {
      schema: 'ringmaster/build/1',
      product,
      version,
      previousVersion: null,
      bump: 'given',
      status: 'completed',
      run: { id: run.id, attempt: run.attempt, job: key },
      artifacts: [],
    }
    const { name, output } = unwrap(buildCheckOf(record))
    const { runs, suites } = checksOf(repository)
    const suite = suites.get(run.checkSuiteId)
    if (suite === undefined) throw new Error(`expected the check suite of run ${run.id}`)
    this.built += 1
    const now = world.clock.now()
    const check = {
      id: world.nextId(),
      suite,
      name,
      externalId: buildExternalId(record.run, digestOf(product)),
      detailsUrl: runHtmlUrl(world, run),
      status: 'completed',
      conclusion: 'success',
      startedAt: now,
      completedAt: now,
      title: output.title,
      summary: output.summary,
      text: output.text ?? null,
      annotations: [],
      madeAtMs: world.clock.epochMs(),
    }
    runs.set(check.id, check)
    for (const action of ['created', 'completed'])
      tellCheckRun(world, repository, check, action, { sender: world.actionsApp.bot })
  }

  #startRun(repository: Repository, commit: Commit, key: string): Job {
    const world = this.#world
    const now = world.clock.now()
    const { runs } = recordsOf(repository)
    const run: Run = {
      id: world.nextId(),
      number: runs.size + 1,
      repository,
      workflow: ensureWorkflow(world, repository, `.github/workflows/${key}.yml`, key),
      title: commit.message,
      event: key === 'build' ? 'push' : 'workflow_dispatch',
      headSha: commit.oid,
      headCommit: commit,
      headBranch: repository.defaultBranch,
      ref: `refs/heads/${repository.defaultBranch}`,
      actor: this.#ann,
      checkSuiteId: world.nextId(),
      createdAt: now,
      attempt: 1,
      beganAttempt: 0,
      triggeringActor: this.#ann,
      status: 'queued',
      conclusion: null,
      startedAt: now,
      updatedAt: now,
      jobs: [],
      approvals: [],
      cancel: nobody,
      rerun: nobody,
    }
    runs.set(run.id, run)
    announceRun(world, run, 'requested')
    const job = queueJob(world, run, { key, name: key })
    announceJob(world, job, 'queued')
    job.status = 'in_progress'
    announceJob(world, job, 'in_progress')
    refreshRun(world, run)
    return job
  }

  #endRun(job: Job): void {
    const { run } = job
    const now = this.#world.clock.now()
    job.status = 'completed'
    job.conclusion = 'success'
    job.completedAt = now
    announceJob(this.#world, job, 'completed')
    run.status = 'completed'
    run.conclusion = 'success'
    run.updatedAt = now
    announceRun(this.#world, run, 'completed')
  }
}

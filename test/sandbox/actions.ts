import type { Concurrency } from './actions/concurrency.ts'
import { bypassGates } from './actions/gate.ts'
import { attemptOf, isAtRest, launchRun, restOf, runsOf } from './actions/launch.ts'
import { type Job, jobsOfAttempt, type Run } from './actions/records.ts'
import { defaultPermissions, type JobDefinition } from './actions/run-definition.ts'
import { eventsHeard, watchEvents } from './actions/watch-events.ts'
import { refuseBrokenNeeds } from './actions/workflow-file.ts'
import { ensureWorkflow, settingsOf } from './actions/workflows.ts'
import type { ActionSource, Step, StepFunction } from './runner.ts'
import type { Sandbox } from './sandbox.ts'
import { type Account, accountByLogin, fullName, type Level, type Repository, repositoryByName } from './store.ts'

export interface JobRequest {
  /** Its key in the workflow; unique in the run. */
  readonly name: string
  readonly needs?: readonly string[]
  readonly if?: string
  /** Texts may hold `${{ }}`. */
  readonly environment?: string | { readonly name: string; readonly url?: string; readonly deployment?: boolean }
  readonly env?: Readonly<Record<string, string>>
  /** `{ version: '${{ steps.bump.outputs.version }}' }` */
  readonly outputs?: Readonly<Record<string, string>>
  readonly concurrency?: Concurrency
  /** What this job's GITHUB_TOKEN may; that of the run when absent. */
  readonly permissions?: Readonly<Record<string, Level>>
  /** Steps as in a workflow file (`{ run, shell }`, `{ uses, with }`) or functions. */
  readonly steps: readonly (Step | StepFunction)[]
}

export interface RunRequest {
  /** `owner/name` */
  readonly repository: string
  /** Branch or tag, short or full; the default branch when absent. */
  readonly ref?: string
  /** The head of `ref` when absent. */
  readonly sha?: string
  /** Path of the workflow file, whether or not it exists; `.github/workflows/test.yml` when absent. */
  readonly workflow?: string
  /** `push` when absent. */
  readonly event?: string
  readonly payload?: Readonly<Record<string, unknown>>
  readonly inputs?: Readonly<Record<string, unknown>>
  /** Login. */
  readonly actor: string
  readonly title?: string
  readonly env?: Readonly<Record<string, string>>
  /** What GITHUB_TOKEN may; reading contents when absent, as on GitHub. */
  readonly permissions?: Readonly<Record<string, Level>>
  readonly concurrency?: Concurrency
  readonly jobs: readonly JobRequest[]
}

/** A run as a test sees it; what it tells is always of now. */
export interface RunHandle {
  readonly id: number
  readonly record: Run
  readonly status: Run['status']
  readonly conclusion: Run['conclusion']
  /** The job of that key in the current attempt; throws when it has not begun. */
  job(name: string): Job
  /** Resolves when the attempt has ended, with its conclusion. */
  finished(): Promise<Run['conclusion']>
  /** Resolves when the run has ended or does nothing but wait at environments. */
  atRest(): Promise<void>
  cancel(): void
  /** The next attempt, started by that login. */
  rerun(login: string): void
  /** What GitHub's page calls "Start all waiting jobs": an administrator passes every rule. */
  bypass(login: string, comment?: string): void
}

type Part = Pick<Sandbox, 'world'>

const accountOf = ({ world }: Part, login: string): Account => {
  const found = accountByLogin(world.store, login)
  if (found === undefined) throw new Error(`expected a login of the sandbox, found ${JSON.stringify(login)}`)
  return found
}

const repositoryOf = ({ world }: Part, name: string): Repository => {
  const [owner = '', short = ''] = name.split('/')
  const found = repositoryByName(world.store, owner, short)
  if (found === undefined) throw new Error(`expected a repository of the sandbox, found ${JSON.stringify(name)}`)
  return found
}

function handleOf(sandbox: Part, run: Run): RunHandle {
  return {
    id: run.id,
    record: run,
    get status() {
      return run.status
    },
    get conclusion() {
      return run.conclusion
    },
    job(name) {
      const found = jobsOfAttempt(run).find((job) => job.key === name)
      if (found === undefined) throw new Error(`the run ${run.id} has begun no job ${JSON.stringify(name)}`)
      return found
    },
    async finished() {
      await attemptOf(run)
      return run.conclusion
    },
    atRest: () => restOf(run),
    cancel: () => run.cancel(),
    rerun: (login) => run.rerun(accountOf(sandbox, login)),
    bypass: (login, comment = '') => bypassGates(sandbox.world, run, accountOf(sandbox, login), comment),
  }
}

const definitionOf = (request: RunRequest, job: JobRequest): JobDefinition => {
  const permissions = job.permissions ?? request.permissions
  const environment: Exclude<JobRequest['environment'], string> =
    typeof job.environment === 'string' ? { name: job.environment } : job.environment
  return {
    key: job.name,
    name: job.name,
    needs: job.needs ?? [],
    if: job.if,
    concurrency: job.concurrency,
    environment: environment && {
      name: environment.name,
      url: environment.url,
      deployment: environment.deployment ?? true,
    },
    env: new Map(Object.entries(job.env ?? {})),
    outputs: new Map(Object.entries(job.outputs ?? {})),
    permissions:
      permissions === undefined
        ? defaultPermissions
        : new Map<string, Level>([['metadata', 'read'], ...Object.entries(permissions)]),
    steps: job.steps,
  }
}

/**
 * Starts a workflow run as GitHub would and returns at once. Jobs with an environment make GitHub's own deployment and
 * wait for its rules; the run, its jobs and everything that follows are to be found through the API and as webhooks.
 */
export async function startRun(sandbox: Part, request: RunRequest): Promise<RunHandle> {
  const { world } = sandbox
  const repository = repositoryOf(sandbox, request.repository)
  const git = world.gitOf(repository)
  const wanted = request.ref ?? repository.defaultBranch
  const ref = wanted.startsWith('refs/')
    ? wanted
    : (await git.readRef(`refs/heads/${wanted}`)) === undefined
      ? `refs/tags/${wanted}`
      : `refs/heads/${wanted}`
  const sha = await git.resolveCommit(request.sha ?? ref)
  const headCommit = sha === undefined ? undefined : await git.readCommit(sha)
  if (headCommit === undefined) throw new Error(`expected a commit, found ${JSON.stringify(request.sha ?? wanted)}`)
  const path = request.workflow ?? '.github/workflows/test.yml'
  const jobs = request.jobs.map((job) => definitionOf(request, job))
  refuseBrokenNeeds(path, jobs)
  const { vars, secrets, actions } = settingsOf(world)
  const name = path.replace(/^.*\//, '').replace(/\.ya?ml$/, '')
  const run = launchRun(world, {
    repository,
    workflow: ensureWorkflow(world, repository, path, name),
    title: request.title ?? headCommit.message.split('\n', 1)[0] ?? name,
    event: request.event ?? 'push',
    payload: request.payload ?? {},
    inputs: request.inputs ?? {},
    vars: Object.fromEntries(vars),
    secrets: Object.fromEntries(secrets),
    headCommit,
    ref,
    pull: undefined,
    actor: accountOf(sandbox, request.actor),
    env: new Map(Object.entries(request.env ?? {})),
    concurrency: request.concurrency,
    jobs,
    actions,
  })
  return handleOf(sandbox, run)
}

/** Every run so far, oldest first; of one repository when it is named. */
export const runs = (sandbox: Part, repository?: string): RunHandle[] =>
  runsOf(sandbox.world)
    .filter((run) => repository === undefined || fullName(run.repository).toLowerCase() === repository.toLowerCase())
    .map((run) => handleOf(sandbox, run))

/** Resolves when every run has ended or waits at an environment, and all webhooks of that have been delivered. */
export async function actionsAtRest(sandbox: Pick<Sandbox, 'world' | 'webhooks'>): Promise<void> {
  for (let attempts = -1; attempts !== sandbox.webhooks.attempts.length || !runsOf(sandbox.world).every(isAtRest); ) {
    attempts = sandbox.webhooks.attempts.length
    await eventsHeard(sandbox.world)
    await Promise.all(runs(sandbox).map((run) => run.atRest()))
    await sandbox.webhooks.settled()
  }
}

/** Says where `uses: name` leads, for all runs from now on: a directory with an `action.yml`, or a stand-in. */
export const useAction = ({ world }: Part, name: string, source: ActionSource): void =>
  void settingsOf(world).actions.set(name, source)

/** Sets a repository variable (`vars.NAME`) or secret (`secrets.NAME`) for the runs of this sandbox. */
export const setVariable = ({ world }: Part, name: string, value: string): void =>
  void settingsOf(world).vars.set(name, value)
export const setSecret = ({ world }: Part, name: string, value: string): void =>
  void settingsOf(world).secrets.set(name, value)

/**
 * From now on events start the workflows that listen to them: `push`, `issues`, `issue_comment`, `pull_request`,
 * `pull_request_review`. Before, only dispatches do. What github-actions[bot] does never starts any.
 */
export const runWorkflows = ({ world }: Part): void => watchEvents(world)

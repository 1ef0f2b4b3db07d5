import type { Commit } from '../git/repository.ts'
import type { StepOutcome } from '../runner.ts'
import { type Account, type App, perRepository, type Repository } from '../store.ts'
import type { World } from '../world.ts'

export type DeploymentState =
  | 'error'
  | 'failure'
  | 'inactive'
  | 'in_progress'
  | 'queued'
  | 'pending'
  | 'success'
  | 'waiting'

export interface DeploymentStatus {
  readonly id: number
  readonly state: DeploymentState
  readonly description: string
  readonly environment: string
  readonly environmentUrl: string
  readonly logUrl: string
  readonly creator: Account
  readonly viaApp: App | null
  readonly createdAt: string
}

export interface Deployment {
  readonly id: number
  readonly repository: Repository
  readonly sha: string
  readonly ref: string
  readonly task: string
  readonly payload: unknown
  readonly originalEnvironment: string
  /** A status may rename it. */
  environment: string
  readonly description: string | null
  readonly creator: Account
  readonly viaApp: App | null
  readonly isTransient: boolean
  readonly isProduction: boolean
  readonly createdAt: string
  updatedAt: string
  /** Oldest first. */
  readonly statuses: DeploymentStatus[]
  /** The job that made it; undefined when it came by the API. */
  readonly job: Job | undefined
}

export interface ProtectionRule {
  readonly id: number
  readonly app: App
}

export interface Reviewer {
  readonly type: 'User' | 'Team'
  readonly id: number
}

export interface Environment {
  readonly id: number
  readonly name: string
  readonly createdAt: string
  updatedAt: string
  waitTimerMinutes: number
  preventSelfReview: boolean
  reviewers: readonly Reviewer[]
  branchPolicy: { readonly protected_branches: boolean; readonly custom_branch_policies: boolean } | null
  branchPolicies: readonly { readonly id: number; readonly name: string; readonly type: 'branch' | 'tag' }[]
  /** Custom deployment protection rules, at most six. */
  readonly rules: ProtectionRule[]
  /** Ids that GitHub gives to the built-in rules when they are set. */
  readonly builtInRuleIds: { readonly waitTimer: number; readonly reviewers: number; readonly branchPolicy: number }
}

export interface Workflow {
  readonly id: number
  readonly path: string
  name: string
  readonly createdAt: string
  updatedAt: string
}

export type Conclusion = 'success' | 'failure' | 'cancelled' | 'skipped' | 'timed_out' | 'startup_failure'

/** What an environment asks of one job before it may start. */
export interface Gate {
  readonly environment: Environment
  readonly since: string
  /** Custom rules that have not answered yet; at most ten status reports each. */
  readonly openRules: Map<App, { statusReports: number }>
  isReviewOpen: boolean
  /** Epoch milliseconds until which the wait timer holds. */
  readonly timerEndsAt: number
  /** Ends the waiting; the gate is then closed for further answers. */
  readonly settle: (answer: 'approved' | 'rejected' | 'cancelled') => void
}

export interface Job {
  readonly id: number
  readonly run: Run
  readonly attempt: number
  /** Its key in the workflow. */
  readonly key: string
  readonly name: string
  status: 'queued' | 'in_progress' | 'completed' | 'waiting' | 'pending'
  conclusion: Conclusion | null
  readonly createdAt: string
  startedAt: string
  completedAt: string | null
  steps: readonly { readonly name: string; readonly number: number; readonly conclusion: StepOutcome }[]
  gate: Gate | undefined
  deployment: Deployment | undefined
  environment: Environment | undefined
  outputs: ReadonlyMap<string, string>
  log: string
  summary: string
}

export interface Approval {
  readonly environments: readonly Environment[]
  readonly state: 'approved' | 'rejected' | 'pending'
  readonly user: Account
  readonly comment: string
}

export interface Run {
  readonly id: number
  readonly number: number
  readonly repository: Repository
  readonly workflow: Workflow
  readonly title: string
  readonly event: string
  readonly headSha: string
  readonly headCommit: Commit
  /** Short name; null when the run belongs to no branch. */
  readonly headBranch: string | null
  /** `refs/heads/…` or `refs/tags/…` */
  readonly ref: string
  readonly actor: Account
  readonly checkSuiteId: number
  readonly createdAt: string
  attempt: number
  /** The last attempt of which a job has started. */
  beganAttempt: number
  triggeringActor: Account
  status: 'queued' | 'in_progress' | 'completed' | 'waiting' | 'pending'
  conclusion: Conclusion | null
  startedAt: string
  updatedAt: string
  /** Of all attempts, oldest first. */
  readonly jobs: Job[]
  readonly approvals: Approval[]
  cancel: () => void
  /** Starts the next attempt. */
  rerun: (by: Account) => void
}

/** What Actions and the deployments API remember of one repository; all in the order of making. */
export interface ActionsRecords {
  readonly deployments: Map<number, Deployment>
  /** By lower-cased name: GitHub does not tell them apart. */
  readonly environments: Map<string, Environment>
  /** By path. */
  readonly workflows: Map<string, Workflow>
  readonly runs: Map<number, Run>
}

export const recordsOf: (repository: Repository) => ActionsRecords = perRepository(() => ({
  deployments: new Map(),
  environments: new Map(),
  workflows: new Map(),
  runs: new Map(),
}))

export const jobsOfAttempt = (run: Run, attempt = run.attempt): Job[] =>
  run.jobs.filter((job) => job.attempt === attempt)

/** A job of the current attempt of a run, waiting to begin. */
export function queueJob(world: World, run: Run, { key, name }: Pick<Job, 'key' | 'name'>): Job {
  const now = world.clock.now()
  const job: Job = {
    id: world.nextId(),
    run,
    attempt: run.attempt,
    key,
    name,
    status: 'queued',
    conclusion: null,
    createdAt: now,
    startedAt: now,
    completedAt: null,
    steps: [],
    gate: undefined,
    deployment: undefined,
    environment: undefined,
    outputs: new Map(),
    log: '',
    summary: '',
  }
  run.jobs.push(job)
  return job
}

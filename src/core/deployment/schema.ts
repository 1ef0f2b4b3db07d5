import { z } from 'zod'
import { Actor, Trust } from '../event.ts'
import { CommitSha, EnvironmentName, ProductName, RepositoryRef, RunRef, VersionText } from '../product/schema.ts'

export const DEPLOYMENT_STATUSES = ['pending', 'started', 'completed', 'failed', 'aborted'] as const
export const DeploymentStatus = z.enum(DEPLOYMENT_STATUSES)
export type DeploymentStatus = z.infer<typeof DeploymentStatus>

/** The `task` of the Deployments that the Action makes; GitHub's own job deployments have `deploy`. */
export const DEPLOYMENT_TASK = 'ringmaster'

/** The payload of a Deployment that the Action's `record-deployment` makes. */
export const DeploymentRecord = z.strictObject({
  schema: z.literal('ringmaster/deployment/1'),
  product: ProductName,
  version: VersionText,
  run: RunRef,
})
export type DeploymentRecord = z.infer<typeof DeploymentRecord>

/**
 * One attempt to put a version into an environment. Its key is one correlation for all who speak of it: the Action's
 * record, other tools' deployments and GitHub's own job deployment of the same run.
 */
export const Attempt = z.object({
  key: z.string(),
  version: VersionText,
  status: DeploymentStatus,
  /** The highest deployment-status id folded in: GitHub's ids grow, so one that arrives later but is lower is history. */
  statusId: z.int().nonnegative(),
  at: z.string(),
  startedAt: z.string().nullable(),
  /** The newest status that ended it. It stands while the same attempt is tried again, until that ends too. */
  end: z.object({ status: DeploymentStatus, statusId: z.int().nonnegative(), at: z.string() }).nullable(),
  url: z.string(),
  actor: Actor.nullable(),
  trust: Trust,
  /** How the attempt was allowed; `ungated` where the environment has no gate. */
  authorisation: z.enum(['ungated', 'gate', 'override', 'unauthorised']),
})
export type Attempt = z.infer<typeof Attempt>

/** One cell of the board: a product in an environment. What is good there and what was tried there are kept apart. */
export const Cell = z.object({
  environment: EnvironmentName,
  /** The newest authorised attempt that completed. */
  lastGood: Attempt.nullable(),
  /** Every open attempt and the newest closed ones, oldest first. */
  attempts: z.array(Attempt),
  /** The versions of good attempts that are no longer at hand, oldest first: those known, and those that somebody claims. */
  completed: z.object({ known: z.array(VersionText), claimed: z.array(VersionText) }),
})
export type Cell = z.infer<typeof Cell>

/** State: where the versions of a product are. `board/<product>`. */
export const BoardState = z.object({ product: ProductName, cells: z.array(Cell) })
export type BoardState = z.infer<typeof BoardState>

/** State: what one workflow run said and did. `run/<repository id>/<run id>`. */
export const RunState = z.object({
  repository: RepositoryRef,
  runId: z.int().positive(),
  /** What the run recorded before it deployed: the intents that its gated jobs are answered by. */
  intents: z.array(
    z.object({
      environment: EnvironmentName,
      product: ProductName,
      version: VersionText,
      sha: CommitSha,
      attempt: z.int(),
      trust: Trust,
      statusId: z.int().nonnegative(),
    }),
  ),
  /** The newest status of each attempt that the run recorded: what is open when the run is over was abandoned. */
  attempts: z.array(
    z.object({
      environment: EnvironmentName,
      product: ProductName,
      version: VersionText,
      sha: CommitSha,
      attempt: z.int(),
      status: DeploymentStatus,
      statusId: z.int().nonnegative(),
      url: z.string(),
    }),
  ),
  /** GitHub's own deployments of the run's jobs, so that they are not counted beside the Action's. */
  jobDeployments: z.array(
    z.object({
      deploymentId: z.int(),
      environment: EnvironmentName,
      sha: CommitSha,
      attempt: z.int(),
      status: DeploymentStatus,
      statusId: z.int().nonnegative(),
      url: z.string(),
      at: z.string(),
      /** It was under way at some time: the job got past what it waited for. */
      began: z.literal(true).optional(),
    }),
  ),
  /** The environments for which the run itself recorded deployments: its job deployments are the same attempts. */
  recorded: z.array(EnvironmentName),
  /** The highest attempt of the run that is known to be over; 0 while none is. */
  endedAttempt: z.int().nonnegative(),
})
export type RunState = z.infer<typeof RunState>

export const boardKey = (product: string): `board/${string}` => `board/${product}`
export const runKey = (repositoryId: number, runId: number): `run/${string}` => `run/${repositoryId}/${runId}`

/** What the end of an attempt of a run settles has this slot. */
export const endOf = (repository: number, runId: number, attempt: number): string =>
  `run:${repository}/${runId}/${attempt}:ended`

/** The correlation of an attempt within a product and environment: the run that made it, else the deployment itself. */
export const attemptKey = (
  repositoryId: number,
  run: { readonly id: number; readonly attempt: number } | null,
  deploymentId: number,
): string => (run ? `run:${repositoryId}/${run.id}/${run.attempt}` : `deployment:${repositoryId}/${deploymentId}`)

import { userBody } from '../shapes/common.ts'
import { reviewersBody } from '../shapes/environment.ts'
import { runHtmlUrl, workflowRunBody } from '../shapes/workflow-run.ts'
import { type Account, membershipOf } from '../store.ts'
import type { World } from '../world.ts'
import type { Environment, Gate, Job, Run } from './records.ts'

/** Whether the person is a reviewer of the environment, by name or by an active membership in one of its teams. */
export const isReviewer = (world: World, environment: Environment, person: Account): boolean =>
  environment.reviewers.some(({ type, id }) => {
    if (type === 'User') return id === person.id
    const team = world.store.teams.get(id)
    return team !== undefined && membershipOf(world.store, team, person.id)?.state === 'active'
  })

/** A reviewer may decide, unless the run is their own and the environment forbids that. */
export const mayReview = (world: World, run: Run, environment: Environment, person: Account): boolean =>
  isReviewer(world, environment, person) &&
  !(environment.preventSelfReview && (run.actor === person || run.triggeringActor === person))

/** Sends `deployment_review`; only Apps that subscribed to it hear of it. */
export function announceReview(
  world: World,
  job: Job,
  gate: Gate,
  action: 'requested' | 'approved' | 'rejected',
  by?: { readonly person: Account; readonly comment: string },
): void {
  const { run } = job
  const jobRun = {
    id: job.id,
    name: job.name,
    status: job.status,
    conclusion: job.conclusion,
    html_url: `${runHtmlUrl(world, run)}/job/${job.id}`,
    created_at: job.createdAt,
    updated_at: world.clock.now(),
    environment: gate.environment.name,
  }
  const common = {
    workflow_run: workflowRunBody(world, run),
    since: gate.since,
    workflow_job_run: jobRun,
    environment: gate.environment.name,
    reviewers: reviewersBody(world, gate.environment),
  }
  const rest =
    by === undefined
      ? { requestor: userBody(world, run.triggeringActor) }
      : { approver: userBody(world, by.person), comment: by.comment, workflow_job_runs: [jobRun] }
  const sender = by?.person ?? run.triggeringActor
  world.deliver({
    event: 'deployment_review',
    action,
    repository: run.repository,
    sender,
    payload: { ...common, ...rest },
  })
}

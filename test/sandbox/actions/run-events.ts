import { deploymentBody } from '../shapes/deployment.ts'
import { jobBody, workflowBody, workflowRunBody } from '../shapes/workflow-run.ts'
import type { World } from '../world.ts'
import { showAsCheck } from './job-check.ts'
import { type Job, jobsOfAttempt, type Run } from './records.ts'

export const announceRun = (world: World, run: Run, action: 'requested' | 'in_progress' | 'completed'): void =>
  world.deliver({
    event: 'workflow_run',
    action,
    repository: run.repository,
    sender: run.triggeringActor,
    payload: {
      workflow: workflowBody(world, run.repository, run.workflow),
      workflow_run: workflowRunBody(world, run),
    },
  })

/** Sends `workflow_job` and keeps the job's check run; the job of an environment names its deployment. */
export const announceJob = (
  world: World,
  job: Job,
  action: 'queued' | 'waiting' | 'in_progress' | 'completed',
): void => {
  showAsCheck(world, job)
  world.deliver({
    event: 'workflow_job',
    action,
    repository: job.run.repository,
    sender: job.run.triggeringActor,
    payload: {
      workflow_job: jobBody(world, job),
      ...(job.deployment !== undefined && { deployment: deploymentBody(world, job.deployment) }),
    },
  })
}

/** The run's status as its jobs make it; sends `workflow_run` when it begins to work. */
export function refreshRun(world: World, run: Run): void {
  if (run.status === 'completed') return
  const statuses = new Set(jobsOfAttempt(run).map((job) => job.status))
  const before = run.status
  if (statuses.has('in_progress')) run.status = 'in_progress'
  else if (statuses.has('waiting') && !statuses.has('queued')) run.status = 'waiting'
  else if (statuses.has('pending') && !statuses.has('queued')) run.status = 'pending'
  else if (before !== 'queued') run.status = 'in_progress'
  run.updatedAt = world.clock.now()
  if (run.status === 'in_progress' && run.beganAttempt < run.attempt) {
    run.beganAttempt = run.attempt
    announceRun(world, run, 'in_progress')
  }
}

import { type CheckRun, type CheckSuite, checksOf } from '../resources/check-state.ts'
import { tellCheckRun } from '../resources/checks.ts'
import { runHtmlUrl } from '../shapes/workflow-run.ts'
import type { World } from '../world.ts'
import type { Job, Run } from './records.ts'

/** The suite of a run: all its jobs are check runs of github-actions in it. */
function suiteOf(world: World, run: Run): CheckSuite {
  const { suites } = checksOf(run.repository)
  const known = suites.get(run.checkSuiteId)
  if (known !== undefined) return known
  const suite: CheckSuite = {
    id: run.checkSuiteId,
    app: world.actionsApp,
    headOid: run.headSha,
    headBranch: run.headBranch,
    createdAt: run.createdAt,
  }
  suites.set(suite.id, suite)
  return suite
}

function checkRunOf(world: World, job: Job): CheckRun {
  const { runs } = checksOf(job.run.repository)
  const known = runs.get(job.id)
  if (known !== undefined) return known
  const made: CheckRun = {
    id: job.id,
    suite: suiteOf(world, job.run),
    name: job.name,
    externalId: '',
    detailsUrl: `${runHtmlUrl(world, job.run)}/job/${job.id}`,
    status: 'queued',
    conclusion: null,
    startedAt: job.startedAt,
    completedAt: null,
    title: null,
    summary: null,
    text: null,
    annotations: [],
    madeAtMs: world.clock.epochMs(),
  }
  runs.set(made.id, made)
  return made
}

/** Makes the job's check run show what the job shows; sends `check_run` when it begins and when it ends. */
export function showAsCheck(world: World, job: Job): void {
  const { repository, triggeringActor: sender } = job.run
  const isNew = !checksOf(repository).runs.has(job.id)
  const check = checkRunOf(world, job)
  check.status = job.status
  check.conclusion = job.conclusion
  check.completedAt = job.completedAt
  check.summary = job.summary === '' ? null : job.summary
  if (isNew) tellCheckRun(world, repository, check, 'created', { sender })
  if (job.status === 'completed') tellCheckRun(world, repository, check, 'completed', { sender })
}

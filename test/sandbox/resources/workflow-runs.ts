import { type Job, jobsOfAttempt, type Run, recordsOf } from '../actions/records.ts'
import {
  type Answer,
  answer,
  type Context,
  created,
  notFound,
  ok,
  paged,
  Refusal,
  type Resource,
  reads,
  route,
  writes,
} from '../router.ts'
import { jobBody, workflowRunBody } from '../shapes/workflow-run.ts'
import { workflowOf } from './workflows.ts'

const onRuns = '/repos/{owner}/{repo}/actions/runs'
const onRun = `${onRuns}/{run_id}` as const
const onJob = '/repos/{owner}/{repo}/actions/jobs/{job_id}'

export const runOf = (context: Context): Run => {
  const found = recordsOf(context.repository()).runs.get(Number(context.params['run_id']))
  if (found === undefined) throw notFound()
  return found
}

/** `created` as search writes dates: `2026-01-01..2026-02-01`, `>=2026-01-01`, or one day. */
function isCreatedIn(run: Run, range: string): boolean {
  const at = Date.parse(run.createdAt)
  const compared = /^(>=|<=|>|<)(.+)$/.exec(range)
  if (compared?.[1] !== undefined && compared[2] !== undefined) {
    const bound = Date.parse(compared[2])
    return { '>=': at >= bound, '<=': at <= bound, '>': at > bound, '<': at < bound }[compared[1]] ?? false
  }
  const [from = '', to] = range.split('..')
  if (to === undefined) return run.createdAt.startsWith(from)
  return (from === '*' || at >= Date.parse(from)) && (to === '*' || at <= Date.parse(to))
}

const filters: ReadonlyArray<readonly [name: string, isMatch: (run: Run, wanted: string) => boolean]> = [
  ['actor', (run, wanted) => run.actor.login.toLowerCase() === wanted.toLowerCase()],
  ['branch', (run, wanted) => run.headBranch === wanted],
  ['event', (run, wanted) => run.event === wanted],
  ['status', (run, wanted) => run.status === wanted || run.conclusion === wanted],
  ['head_sha', (run, wanted) => run.headSha === wanted],
  ['check_suite_id', (run, wanted) => String(run.checkSuiteId) === wanted],
  ['created', isCreatedIn],
]

function listed(context: Context, runs: readonly Run[]): Answer {
  const asked = filters.flatMap(([name, isMatch]) => {
    const wanted = context.query.get(name)
    return wanted === null ? [] : [(run: Run) => isMatch(run, wanted)]
  })
  const found = runs.filter((run) => asked.every((isMatch) => isMatch(run))).reverse()
  return paged(context, found, (page) => ({
    total_count: found.length,
    workflow_runs: page.map((run) => workflowRunBody(context.world, run)),
  }))
}

async function listOfWorkflow(context: Context): Promise<Answer> {
  const workflow = await workflowOf(context)
  return listed(
    context,
    [...recordsOf(context.repository()).runs.values()].filter((run) => run.workflow === workflow),
  )
}

const listedJobs = (context: Context, jobs: readonly Job[]): Answer =>
  paged(context, jobs, (page) => ({
    total_count: jobs.length,
    jobs: page.map((job) => jobBody(context.world, job)),
  }))

function jobsOfOneAttempt(context: Context): Answer {
  const attempt = Number(context.params['attempt_number'])
  const run = runOf(context)
  if (attempt < 1 || attempt > run.attempt) throw notFound()
  return listedJobs(context, jobsOfAttempt(run, attempt))
}

function readJob(context: Context): Answer {
  const id = Number(context.params['job_id'])
  const jobs = [...recordsOf(context.repository()).runs.values()].flatMap((run) => run.jobs)
  const found = jobs.find((job) => job.id === id)
  if (found === undefined) throw notFound()
  return ok(jobBody(context.world, found))
}

function cancel(context: Context): Answer {
  const run = runOf(context)
  if (run.status === 'completed') throw new Refusal(409, 'Cannot cancel a workflow run that is completed.')
  run.cancel()
  return answer(202, {})
}

function rerun(context: Context): Answer {
  const run = runOf(context)
  if (run.status !== 'completed') throw new Refusal(403, 'This workflow is already running')
  run.rerun(context.actor())
  return created({})
}

export const workflowRuns: Resource = {
  routes: [
    route(`GET ${onRuns}`, reads('actions'), (context) =>
      listed(context, [...recordsOf(context.repository()).runs.values()]),
    ),
    route('GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs', reads('actions'), listOfWorkflow),
    route(`GET ${onRun}`, reads('actions'), (context) => ok(workflowRunBody(context.world, runOf(context)))),
    route(`GET ${onRun}/jobs`, reads('actions'), (context) => {
      const run = runOf(context)
      return listedJobs(context, context.query.get('filter') === 'all' ? run.jobs : jobsOfAttempt(run))
    }),
    route(`GET ${onRun}/attempts/{attempt_number}/jobs`, reads('actions'), jobsOfOneAttempt),
    route(`GET ${onJob}`, reads('actions'), readJob),
    route(`POST ${onRun}/cancel`, writes('actions'), cancel),
    route(`POST ${onRun}/rerun`, writes('actions'), rerun),
  ],
}

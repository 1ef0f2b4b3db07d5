import { decideByApp, decideByPerson, waitingAt } from '../actions/gate.ts'
import { type Environment, jobsOfAttempt, type Run } from '../actions/records.ts'
import { isReviewer, mayReview } from '../actions/required-reviewers.ts'
import { accountOf } from '../identity.ts'
import {
  type Answer,
  type Context,
  noContent,
  ok,
  Refusal,
  type Resource,
  reads,
  route,
  unprocessable,
  writes,
} from '../router.ts'
import { userBody } from '../shapes/common.ts'
import { deploymentBody, environmentMention } from '../shapes/deployment.ts'
import { reviewersBody } from '../shapes/environment.ts'
import { runOf } from './workflow-runs.ts'

const onRun = '/repos/{owner}/{repo}/actions/runs/{run_id}'
const maxStatusReports = 10
const maxComment = 1_024
const nothingPending = 'No pending deployment requests to approve or reject'

/** An App's answer to its own rule: a decision, or a comment that only says how it stands. */
function answerRule(context: Context): Answer {
  const { identity, world } = context
  if (identity.kind !== 'installation') throw new Refusal(403, 'Resource not accessible by integration')
  const run = runOf(context)
  const comment = String(context.body['comment'] ?? '')
  const state = context.body['state']
  if (comment.length > maxComment) throw unprocessable(`comment is too long (maximum is ${maxComment} characters)`)
  const gates = waitingAt(run, String(context.body['environment_name'] ?? ''))
    .map((open) => open.gate)
    .filter((gate) => gate.openRules.has(identity.app))
  if (gates.length === 0) throw unprocessable(nothingPending)
  if (state === 'approved' || state === 'rejected') {
    decideByApp(world, run, identity.app, gates, state, comment)
    return noContent()
  }
  if (comment === '') throw unprocessable('comment is required when state is not provided')
  const counters = gates.map((gate) => gate.openRules.get(identity.app)).filter((counter) => counter !== undefined)
  if (counters.some((counter) => counter.statusReports >= maxStatusReports))
    throw unprocessable(`A deployment can have at most ${maxStatusReports} status reports.`)
  for (const counter of counters) counter.statusReports += 1
  const environments = [...new Set(gates.map((gate) => gate.environment))]
  run.approvals.push({ environments, state: 'pending', user: identity.app.bot, comment })
  return noContent()
}

interface Waiting {
  readonly environment: Environment
  readonly since: string
}
function waitingEnvironments(run: Run): Waiting[] {
  const found = new Map<Environment, Waiting>()
  for (const { gate } of jobsOfAttempt(run))
    if (gate !== undefined && !found.has(gate.environment))
      found.set(gate.environment, { environment: gate.environment, since: gate.since })
  return [...found.values()]
}

function listPending(context: Context): Answer {
  const { world, identity } = context
  const run = runOf(context)
  const person = accountOf(identity)
  return ok(
    waitingEnvironments(run).map(({ environment, since }) => ({
      environment: environmentMention(world, run.repository, environment),
      wait_timer: environment.waitTimerMinutes,
      wait_timer_started_at: environment.waitTimerMinutes > 0 ? since : null,
      current_user_can_approve: person !== undefined && mayReview(world, run, environment, person),
      reviewers: reviewersBody(world, environment),
    })),
  )
}

/** The required reviewers' door; an App cannot pass it. */
function reviewPending(context: Context): Answer {
  const { world } = context
  const [run, person] = [runOf(context), context.actor()]
  const ids = new Set((context.body['environment_ids'] as readonly unknown[] | undefined)?.map(Number))
  const state = context.body['state'] === 'approved' ? 'approved' : 'rejected'
  const open = jobsOfAttempt(run).flatMap((job) =>
    job.gate?.isReviewOpen && ids.has(job.gate.environment.id) ? [{ job, gate: job.gate }] : [],
  )
  if (open.length === 0) throw unprocessable(nothingPending)
  for (const { gate } of open) {
    if (!isReviewer(world, gate.environment, person))
      throw unprocessable(`${person.login} is not a required reviewer of ${gate.environment.name}`)
    if (!mayReview(world, run, gate.environment, person))
      throw unprocessable('You cannot approve or reject your own deployment')
  }
  decideByPerson(world, run, person, open, state, String(context.body['comment'] ?? ''))
  return ok(open.flatMap(({ job }) => (job.deployment === undefined ? [] : [deploymentBody(world, job.deployment)])))
}

function listApprovals(context: Context): Answer {
  const { world } = context
  const run = runOf(context)
  return ok(
    run.approvals.map(({ environments, state, user, comment }) => ({
      environments: environments.map((one) => ({
        ...environmentMention(world, run.repository, one),
        created_at: one.createdAt,
        updated_at: one.updatedAt,
      })),
      state,
      user: userBody(world, user),
      comment,
    })),
  )
}

export const gates: Resource = {
  routes: [
    route(`POST ${onRun}/deployment_protection_rule`, writes('deployments', { only: 'apps' }), answerRule),
    route(`GET ${onRun}/pending_deployments`, reads('actions'), listPending),
    route(
      `POST ${onRun}/pending_deployments`,
      writes('deployments', { person: 'read', only: 'people' }),
      reviewPending,
    ),
    route(`GET ${onRun}/approvals`, reads('actions'), listApprovals),
  ],
}

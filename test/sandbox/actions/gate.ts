import { deploymentBody } from '../shapes/deployment.ts'
import { pullsOf, runUrl } from '../shapes/workflow-run.ts'
import { type Account, type App, roleOf } from '../store.ts'
import type { World } from '../world.ts'
import { type Environment, type Gate, type Job, jobsOfAttempt, type Run } from './records.ts'
import { announceReview } from './required-reviewers.ts'

export type GateAnswer = 'approved' | 'rejected' | 'cancelled'

/** Days after which a job that nobody let through fails. docs.github.com/actions/reference/limits */
const maxWaitDays = 30
const minuteMs = 60_000
/** Node's timers go no further; a longer wait ends when the sandbox's clock is moved. */
const longestTimerMs = 2 ** 31 - 1

interface OpenGate {
  readonly job: Job
  readonly gate: Gate
}
const openGates = new WeakMap<World, Set<OpenGate>>()

function gatesOf(world: World): Set<OpenGate> {
  const known = openGates.get(world)
  if (known !== undefined) return known
  const gates = new Set<OpenGate>()
  openGates.set(world, gates)
  world.clock.onAdvance(() => {
    for (const open of [...gates]) letTimePass(world, open.gate)
  })
  return gates
}

function letTimePass(world: World, gate: Gate): void {
  const waitedMs = world.clock.epochMs() - Date.parse(gate.since)
  if (waitedMs >= maxWaitDays * 24 * 60 * minuteMs) gate.settle('rejected')
  else passIfOpen(world, gate)
}

function passIfOpen(world: World, gate: Gate): void {
  const isTimeOver = world.clock.epochMs() >= gate.timerEndsAt
  if (gate.openRules.size === 0 && !gate.isReviewOpen && isTimeOver) gate.settle('approved')
}

export const isProtected = (environment: Environment): boolean =>
  environment.rules.length > 0 || environment.reviewers.length > 0 || environment.waitTimerMinutes > 0

/** Lets a job wait until every rule of its environment has let it through, or one has not. */
export function waitAtGate(world: World, job: Job, environment: Environment): Promise<GateAnswer> {
  let resolve: (answer: GateAnswer) => void = () => {}
  const answered = new Promise<GateAnswer>((settled) => {
    resolve = settled
  })
  const gates = gatesOf(world)
  const timerMs = environment.waitTimerMinutes * minuteMs
  const timer = setTimeout(() => passIfOpen(world, gate), Math.min(timerMs, longestTimerMs))
  timer.unref()
  const settle = (answer: GateAnswer): void => {
    clearTimeout(timer)
    gates.delete(open)
    job.gate = undefined
    resolve(answer)
  }
  const gate: Gate = {
    environment,
    since: world.clock.now(),
    openRules: new Map(environment.rules.map((rule) => [rule.app, { statusReports: 0 }])),
    isReviewOpen: environment.reviewers.length > 0,
    timerEndsAt: world.clock.epochMs() + timerMs,
    settle,
  }
  const open: OpenGate = { job, gate }
  gates.add(open)
  job.gate = gate
  return answered
}

/** Asks the Apps and the people behind the rules of the environment. Call it when the waiting shows in every answer. */
export function announceGate(world: World, job: Job): void {
  const { run, gate, deployment } = job
  if (gate === undefined) return
  if (gate.isReviewOpen) announceReview(world, job, gate, 'requested')
  if (deployment === undefined) return
  const payload = {
    environment: gate.environment.name,
    event: run.event,
    sha: run.headSha,
    ref: run.ref.replace(/^refs\/(heads|tags)\//, ''),
    deployment_callback_url: `${runUrl(world, run)}/deployment_protection_rule`,
    deployment: deploymentBody(world, deployment),
    pull_requests: pullsOf(world, run),
  }
  for (const { app } of gate.environment.rules)
    world.deliver({
      event: 'deployment_protection_rule',
      action: 'requested',
      repository: run.repository,
      sender: run.triggeringActor,
      payload,
      onlyTo: app,
    })
}

/** The gates of a run that wait at an environment of that name. */
export const waitingAt = (run: Run, environmentName: string): OpenGate[] =>
  jobsOfAttempt(run)
    .map((job) => ({ job, gate: job.gate }))
    .filter((one): one is OpenGate => one.gate?.environment.name.toLowerCase() === environmentName.toLowerCase())

/** An App's decision for all jobs that wait there for it. */
export function decideByApp(
  world: World,
  run: Run,
  app: App,
  gates: readonly Gate[],
  state: 'approved' | 'rejected',
  comment: string,
): void {
  const environment = gates[0]?.environment
  if (environment === undefined) return
  run.approvals.push({ environments: [environment], state, user: app.bot, comment })
  for (const gate of gates) {
    gate.openRules.delete(app)
    if (state === 'rejected') gate.settle('rejected')
    else passIfOpen(world, gate)
  }
}

/** A listed reviewer's decision on the built-in rule of these environments. */
export function decideByPerson(
  world: World,
  run: Run,
  person: Account,
  open: readonly OpenGate[],
  state: 'approved' | 'rejected',
  comment: string,
): void {
  run.approvals.push({
    environments: [...new Set(open.map((one) => one.gate.environment))],
    state,
    user: person,
    comment,
  })
  for (const { job, gate } of open) {
    gate.isReviewOpen = false
    announceReview(world, job, gate, state, { person, comment })
    if (state === 'rejected') gate.settle('rejected')
    else passIfOpen(world, gate)
  }
}

/** "Start all waiting jobs": an administrator passes every rule. GitHub has no REST call for it. Throws for others. */
export function bypassGates(world: World, run: Run, person: Account, comment: string): void {
  if (roleOf(world.store, run.repository, person.id) !== 'admin')
    throw new Error(`${person.login} is no administrator of the repository and cannot pass its rules`)
  const open = jobsOfAttempt(run).flatMap((job) => (job.gate === undefined ? [] : [job.gate]))
  if (open.length === 0) return
  const environments = [...new Set(open.map((gate) => gate.environment))]
  run.approvals.push({ environments, state: 'approved', user: person, comment })
  for (const gate of open) gate.settle('approved')
}

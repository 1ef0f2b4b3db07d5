import type { World } from '../world.ts'
import { enterGroup } from './concurrency.ts'
import { type Scope, toValue, type Value } from './expression.ts'
import { githubContext } from './github-context.ts'
import type { Conclusion, Run } from './records.ts'
import type { JobDefinition, RunDefinition } from './run-definition.ts'
import { announceRun } from './run-events.ts'
import { type JobEnd, runJob } from './run-job.ts'

const noEnd: JobEnd = { conclusion: 'skipped', outputs: new Map() }

/** Runs one attempt to its end, when its concurrency group lets it. Never throws for what jobs do. */
export async function runAttempt(
  world: World,
  definition: RunDefinition,
  run: Run,
  signal: AbortSignal,
): Promise<void> {
  run.status = 'queued'
  run.conclusion = null
  run.startedAt = world.clock.now()
  run.updatedAt = run.startedAt
  announceRun(world, run, 'requested')
  run.conclusion = await inTurn(world, definition, run, signal)
  run.status = 'completed'
  run.updatedAt = world.clock.now()
  announceRun(world, run, 'completed')
}

async function inTurn(world: World, definition: RunDefinition, run: Run, signal: AbortSignal): Promise<Conclusion> {
  if (definition.startupFailure !== undefined) return 'startup_failure'
  const { concurrency, repository } = definition
  if (concurrency === undefined) return conclusionOf(await runJobs(world, definition, run, signal))
  const contexts = new Map<string, Value>(Object.entries(commonContexts(world, definition, run, '')))
  const scope: Scope = { status: 'success', contexts }
  const onWait = (): void => {
    run.status = 'pending'
  }
  const leave = await enterGroup({ repository, concurrency, scope, cancel: run.cancel, signal, onWait })
  if (leave === undefined) return 'cancelled'
  run.status = 'queued'
  try {
    return conclusionOf(await runJobs(world, definition, run, signal))
  } finally {
    leave()
  }
}

const commonContexts = (world: World, definition: RunDefinition, run: Run, job: string): Record<string, Value> => ({
  inputs: toValue(definition.inputs),
  vars: toValue(definition.vars),
  github: toValue(githubContext(world, definition, run, job)),
})

/** Jobs start when those they need have ended. */
async function runJobs(
  world: World,
  definition: RunDefinition,
  run: Run,
  signal: AbortSignal,
): Promise<readonly JobEnd[]> {
  const ends = new Map<string, Promise<JobEnd>>()
  const endOf = (key: string): Promise<JobEnd> => {
    const known = ends.get(key)
    if (known !== undefined) return known
    const job = definition.jobs.find((one) => one.key === key)
    const end = job === undefined ? Promise.resolve(noEnd) : runWhenReady(job)
    ends.set(key, end)
    return end
  }
  const runWhenReady = async (job: JobDefinition): Promise<JobEnd> => {
    const needs = new Map<string, JobEnd>()
    for (const key of ancestorsOf(definition, job)) needs.set(key, await endOf(key))
    const scope: Scope = {
      status: statusOf(job, needs, signal),
      contexts: new Map<string, Value>([
        ...Object.entries(commonContexts(world, definition, run, job.key)),
        ['needs', needsContext(job, needs)],
      ]),
    }
    return runJob({ world, definition, run, job, scope, signal })
  }
  return Promise.all(definition.jobs.map((job) => endOf(job.key)))
}

function conclusionOf(ends: readonly JobEnd[]): Conclusion {
  const found = new Set(ends.map((end) => end.conclusion))
  if (found.has('failure')) return 'failure'
  if (found.has('cancelled')) return 'cancelled'
  return found.has('success') ? 'success' : 'skipped'
}

/** All jobs this one depends on, however far; those it names come last. */
function ancestorsOf(definition: RunDefinition, job: JobDefinition): string[] {
  const found = new Set<string>()
  const visit = (key: string): void => {
    if (found.has(key)) return
    found.add(key)
    for (const need of definition.jobs.find((one) => one.key === key)?.needs ?? []) visit(need)
  }
  for (const need of job.needs) visit(need)
  return [...found]
}

/** What `success()` and its like say to a job: it looks at all jobs before it, but is skipped only after its own. */
function statusOf(job: JobDefinition, ancestors: ReadonlyMap<string, JobEnd>, signal: AbortSignal): Scope['status'] {
  const conclusions = new Set([...ancestors.values()].map((end) => end.conclusion))
  if (signal.aborted || conclusions.has('cancelled')) return 'cancelled'
  if (conclusions.has('failure')) return 'failure'
  return job.needs.some((key) => ancestors.get(key)?.conclusion === 'skipped') ? 'skipped' : 'success'
}

const needsContext = (job: JobDefinition, ancestors: ReadonlyMap<string, JobEnd>): Value =>
  new Map(
    job.needs.map((key) => {
      const end = ancestors.get(key) ?? noEnd
      return [key, toValue({ result: end.conclusion, outputs: end.outputs })]
    }),
  )

import type { Account } from '../store.ts'
import type { World } from '../world.ts'
import { type Job, jobsOfAttempt, type Run, recordsOf } from './records.ts'
import { runAttempt } from './run-attempt.ts'
import type { RunDefinition } from './run-definition.ts'

/** How a run goes on, for those who wait for it. */
interface Progress {
  attempt: Promise<void>
  abort: AbortController
}
const progressOf = new WeakMap<Run, Progress>()
const launched = new WeakMap<World, Set<Run>>()

/** Starts a run and returns at once; the run is then to be found through the API. */
export function launchRun(world: World, definition: RunDefinition): Run {
  const { repository, workflow, actor } = definition
  const { runs } = recordsOf(repository)
  const now = world.clock.now()
  const run: Run = {
    id: world.nextId(),
    number: [...runs.values()].filter((one) => one.workflow === workflow).length + 1,
    repository,
    workflow,
    title: definition.title,
    event: definition.event,
    headSha: definition.headCommit.oid,
    headCommit: definition.headCommit,
    headBranch: definition.pull?.headRef ?? definition.ref.replace(/^refs\/(heads|tags)\//, ''),
    ref: definition.ref,
    actor,
    checkSuiteId: world.nextId(),
    createdAt: now,
    attempt: 0,
    beganAttempt: 0,
    triggeringActor: actor,
    status: 'queued',
    conclusion: null,
    startedAt: now,
    updatedAt: now,
    jobs: [],
    approvals: [],
    cancel: () => progressOf.get(run)?.abort.abort(),
    rerun: (by) => begin(world, definition, run, by),
  }
  runs.set(run.id, run)
  begin(world, definition, run, actor)
  endWithWorld(world, run)
  return run
}

function begin(world: World, definition: RunDefinition, run: Run, by: Account): void {
  run.attempt += 1
  run.triggeringActor = by
  const abort = new AbortController()
  progressOf.set(run, { abort, attempt: runAttempt(world, definition, run, abort.signal) })
}

function endWithWorld(world: World, run: Run): void {
  const known = launched.get(world)
  if (known !== undefined) {
    known.add(run)
    return
  }
  const runs = new Set([run])
  launched.set(world, runs)
  world.onStop(async () => {
    for (const one of runs) one.cancel()
    await Promise.all([...runs].map(attemptOf))
  })
}

/** Resolves when the run's current attempt has ended. */
export const attemptOf = (run: Run): Promise<void> => progressOf.get(run)?.attempt ?? Promise.resolve()

/** Whether it has ended or only waits: at an environment, or for its turn in a concurrency group. */
export function isAtRest(run: Run): boolean {
  if (run.status === 'completed' || run.status === 'pending') return true
  const jobs = jobsOfAttempt(run)
  const waits = (job: Job): boolean => job.status === 'waiting' || job.status === 'pending'
  return jobs.some(waits) && jobs.every((job) => waits(job) || job.status === 'completed')
}

/** Resolves when the run has ended or does nothing but wait at environments. Looks again every few milliseconds. */
export async function restOf(run: Run): Promise<void> {
  while (!isAtRest(run)) await Promise.race([attemptOf(run), new Promise((resolve) => setTimeout(resolve, 5))])
}

export const runsOf = (world: World): readonly Run[] => [...(launched.get(world) ?? [])]

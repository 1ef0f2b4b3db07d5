import type { Step } from './actions/action-metadata.ts'
import { interpolate, toText } from './actions/expression.ts'
import { createJobState, type Frame, scopeOf } from './actions/job-state.ts'
import type { JobReport, JobRunner, RunnerOptions, StepFunction, StepResult } from './actions/job-types.ts'
import { runStep } from './actions/run-step.ts'

export type { Step } from './actions/action-metadata.ts'
export type * from './actions/job-types.ts'

/**
 * Executes steps as a GitHub runner would: contexts, conditions, shells, command files, composite and node actions.
 * Docker actions and `pre`/`post` are refused. The machine's own environment does not reach the steps, except PATH.
 */
export function createJobRunner(options: RunnerOptions): JobRunner {
  const state = createJobState(options)
  const { log } = state
  const results: StepResult[] = []
  const job: Frame = { inputs: new Map(), env: new Map(), steps: new Map(), action: undefined, status: 'success' }
  const scope = () => scopeOf(state, job, state.jobEnv)
  return {
    async run(step) {
      const result = await runStep(state, step, job, 0)
      results.push(result)
      return result
    },
    interpolate: (template) => toText(interpolate(template, scope())),
    report: () => ({
      conclusion: job.status,
      steps: results,
      log: log.lines(),
      annotations: log.annotations(),
      summary: log.summary(),
    }),
  }
}

/** Runs all steps of a job in a runner of its own. */
export async function runSteps(steps: readonly (Step | StepFunction)[], options: RunnerOptions): Promise<JobReport> {
  const runner = createJobRunner(options)
  for (const step of steps) await runner.run(step)
  return runner.report()
}

import type { Step } from './action-metadata.ts'
import type { Annotation } from './workflow-command.ts'

/** How a step went. `outcome` is before `continue-on-error`, `conclusion` after it. */
export type StepOutcome = 'success' | 'failure' | 'cancelled' | 'skipped'

export interface StepResult {
  readonly id: string | undefined
  readonly name: string
  readonly outcome: StepOutcome
  readonly conclusion: StepOutcome
  readonly outputs: ReadonlyMap<string, string>
}

/** What a step written in TypeScript gets: the job as a step sees it. */
export interface StepContext {
  /** The `github` context as plain data. */
  readonly github: Readonly<Record<string, unknown>>
  /** `${{ github.token }}`: the run's own token, as github-actions[bot]. */
  readonly token: string
  readonly workspace: string
  /** The variables that a shell step would see. */
  readonly env: Readonly<Record<string, string>>
  readonly inputs: ReadonlyMap<string, string>
  readonly log: (line: string) => void
  readonly setOutput: (name: string, value: string) => void
  /** Runs a step as if it stood here in the workflow; throws when it fails. */
  readonly step: (step: Step) => Promise<StepResult>
}

export type StepFunction = (context: StepContext) => void | Promise<void>

/** Where `uses: owner/name@ref` leads: a directory with an `action.yml`, or TypeScript that stands in for an action. */
export type ActionSource = { readonly directory: string } | { readonly run: StepFunction }

export interface RunnerOptions {
  /** `GITHUB_WORKSPACE`; made when it does not exist. */
  readonly workspace: string
  /** `RUNNER_TEMP`; made when it does not exist. */
  readonly temp: string
  /** The `github` context, `token` and `event` in it. `workspace` and `event_path` are set by the runner. */
  readonly github: Readonly<Record<string, unknown>>
  /** `env:` of the workflow and of the job. */
  readonly env?: Readonly<Record<string, string>>
  /** Variables that steps see and the `env` context does not. */
  readonly variables?: Readonly<Record<string, string>>
  /** Further contexts: `inputs`, `needs`, `vars`, `secrets`, `matrix`, `strategy`. */
  readonly contexts?: Readonly<Record<string, unknown>>
  /** Actions by what stands behind `uses:`. */
  readonly actions?: ReadonlyMap<string, ActionSource>
  /** The runner's PATH; by default the one of this process. */
  readonly path?: string
  /** Cancels the job. */
  readonly signal?: AbortSignal
  /** For a step without `timeout-minutes`; 120,000 by default. */
  readonly stepTimeoutMs?: number
}

export interface JobReport {
  readonly conclusion: 'success' | 'failure' | 'cancelled'
  readonly steps: readonly StepResult[]
  /** Every line that the steps wrote, secrets masked. */
  readonly log: string
  readonly annotations: readonly Annotation[]
  /** The step summaries, joined. */
  readonly summary: string
}

export interface JobRunner {
  /** Runs one more step (its `if:` decides whether it does anything). Never throws for what a step does. */
  run(step: Step | StepFunction): Promise<StepResult>
  /** The value of a text with `${{ }}` as the job sees it now. */
  interpolate(template: string): string
  report(): JobReport
}

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Step } from './action-metadata.ts'
import { interpolate, type Scope, toText, toValue, type Value } from './expression.ts'
import { createJobLog, type JobLog } from './job-log.ts'
import type { JobReport, RunnerOptions } from './job-types.ts'
import { githubVariables, runnerContext, runnerVariables } from './runner-environment.ts'

/** What the steps of one job share and change. */
export interface JobState {
  readonly options: RunnerOptions
  readonly log: JobLog
  readonly token: string
  readonly home: string
  /** Where command files are made. */
  readonly files: string
  /** The `github` context, as data and as expressions see it. */
  readonly github: Readonly<Record<string, unknown>>
  readonly githubContext: ReadonlyMap<string, Value>
  /** `env:` of the job and what steps wrote to `GITHUB_ENV`. */
  readonly jobEnv: Map<string, string>
  /** What steps wrote to `GITHUB_PATH`, the latest first. */
  readonly prependedPaths: string[]
}

/** The steps of a workflow or of one composite action see each other and nothing outside. */
export interface Frame {
  readonly inputs: ReadonlyMap<string, Value>
  readonly env: ReadonlyMap<string, string>
  readonly steps: Map<string, Value>
  readonly action: { readonly directory: string; readonly root: string } | undefined
  status: JobReport['conclusion']
}

/** Makes the directories and the event file of a job. */
export function createJobState(options: RunnerOptions): JobState {
  const [home, files] = [join(options.temp, '_home'), join(options.temp, '_runner_file_commands')]
  for (const directory of [options.workspace, options.temp, home, files]) mkdirSync(directory, { recursive: true })
  const eventPath = join(options.temp, 'event.json')
  writeFileSync(eventPath, JSON.stringify(options.github['event'] ?? {}))
  const token = String(options.github['token'] ?? '')
  const secrets = Object.values((options.contexts?.['secrets'] as Record<string, string> | undefined) ?? {})
  const github = { ...options.github, workspace: options.workspace, event_path: eventPath }
  return {
    options,
    log: createJobLog([token, ...secrets]),
    token,
    home,
    files,
    github,
    githubContext: new Map(Object.entries(github).map(([name, value]) => [name, toValue(value)])),
    jobEnv: new Map(Object.entries(options.env ?? {})),
    prependedPaths: [],
  }
}

const noValues: ReadonlyMap<string, Value> = new Map()

/** What expressions of a step may look at, with `env` as the `env` context. */
export function scopeOf({ options, githubContext }: JobState, frame: Frame, env: ReadonlyMap<string, string>): Scope {
  const { action, status } = frame
  const contexts = new Map<string, Value>(Object.entries(options.contexts ?? {}).map(([k, v]) => [k, toValue(v)]))
  contexts.set('github', action ? new Map([...githubContext, ['action_path', action.directory]]) : githubContext)
  contexts.set('env', env)
  contexts.set('steps', frame.steps)
  contexts.set('inputs', action ? frame.inputs : (contexts.get('inputs') ?? noValues))
  contexts.set('runner', runnerContext(options.temp))
  contexts.set('job', new Map([['status', status]]))
  // A composite action is given no secrets: github.com says so, and a step that reads them would fail there.
  if (action !== undefined) contexts.delete('secrets')
  return { contexts, status }
}

/** Later ones win: the job's, the calling step's, this step's. */
export function envOf(state: JobState, frame: Frame, step: Step | undefined): Map<string, string> {
  const env = new Map([...state.jobEnv, ...frame.env])
  const scope = scopeOf(state, frame, new Map(env))
  for (const [name, value] of step?.env ?? []) env.set(name, toText(interpolate(value, scope)))
  return env
}

/** The whole environment of a process of the job: `env`, what GitHub sets whatever `env` says, and PATH. */
export function processEnv(
  state: JobState,
  frame: Frame,
  env: ReadonlyMap<string, string>,
  step: Step | undefined,
): Record<string, string> {
  const { options } = state
  return {
    HOME: state.home,
    LANG: 'C.UTF-8',
    ...Object.fromEntries(env),
    ...options.variables,
    CI: env.get('CI') ?? 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_ACTION: step?.id ?? '__run',
    ...(frame.action !== undefined && { GITHUB_ACTION_PATH: frame.action.directory }),
    ...Object.fromEntries(githubVariables(state.githubContext)),
    ...Object.fromEntries(runnerVariables(options.temp)),
    PATH: [...state.prependedPaths, env.get('PATH') ?? options.path ?? process.env['PATH'] ?? ''].join(':'),
  }
}

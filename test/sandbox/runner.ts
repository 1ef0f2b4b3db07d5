import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type ActionMetadata, readActionMetadata, type Step } from './actions/action-metadata.ts'
import { entriesOf } from './actions/command-file.ts'
import { interpolate, isConditionMet, isTruthy, type Scope, toText, toValue, type Value } from './actions/expression.ts'
import { createJobLog } from './actions/job-log.ts'
import { runProcess } from './actions/process.ts'
import {
  githubVariables,
  refusalOfVariable,
  runnerContext,
  runnerVariables,
  shellCommand,
} from './actions/runner-environment.ts'
import type { Annotation } from './actions/workflow-command.ts'

export type { Step } from './actions/action-metadata.ts'
export type { Annotation } from './actions/workflow-command.ts'

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
  /** `steps.<id>.outputs`, for the outputs of the job. */
  readonly contexts: ReadonlyMap<string, Value>
}

export interface JobRunner {
  /** Runs one more step (its `if:` decides whether it does anything). Never throws for what a step does. */
  run(step: Step | StepFunction): Promise<StepResult>
  /** The value of a text with `${{ }}` as the job sees it now. */
  interpolate(template: string): string
  report(): JobReport
}

/** The steps of a workflow or of one composite action see each other and nothing outside. */
interface Frame {
  readonly inputs: ReadonlyMap<string, Value>
  readonly env: ReadonlyMap<string, string>
  readonly steps: Map<string, Value>
  readonly action: { readonly directory: string; readonly root: string } | undefined
  status: JobReport['conclusion']
}

interface Executed {
  readonly outputs: Map<string, string>
  readonly failure?: string
  readonly isCancelled?: boolean
}

const maxNesting = 9
const noValues: ReadonlyMap<string, Value> = new Map()
const done = (outputs = new Map<string, string>()): Executed => ({ outputs })
const failed = (failure: string, outputs = new Map<string, string>()): Executed => ({ outputs, failure })

/**
 * Executes steps as a GitHub runner would: contexts, conditions, shells, command files, composite and node actions.
 * Docker actions and `pre`/`post` are refused. The machine's own environment does not reach the steps, except PATH.
 */
export function createJobRunner(options: RunnerOptions): JobRunner {
  const home = join(options.temp, '_home')
  const files = join(options.temp, '_runner_file_commands')
  for (const directory of [options.workspace, options.temp, home, files]) mkdirSync(directory, { recursive: true })
  const eventPath = join(options.temp, 'event.json')
  writeFileSync(eventPath, JSON.stringify(options.github['event'] ?? {}))
  const github = { ...options.github, workspace: options.workspace, event_path: eventPath }
  const githubContext = new Map(Object.entries(github).map(([name, value]) => [name, toValue(value)]))
  const token = String(github['token' as keyof typeof github] ?? '')

  const jobEnv = new Map(Object.entries(options.env ?? {}))
  const prependedPaths: string[] = []
  const secrets = Object.values((options.contexts?.['secrets'] as Record<string, string> | undefined) ?? {})
  const log = createJobLog([token, ...secrets])
  const results: StepResult[] = []

  const scopeOf = (frame: Frame, env: ReadonlyMap<string, string>): Scope => {
    const contexts = new Map<string, Value>(Object.entries(options.contexts ?? {}).map(([k, v]) => [k, toValue(v)]))
    contexts.set('github', contextOfGithub(frame))
    contexts.set('env', env)
    contexts.set('steps', frame.steps)
    contexts.set('inputs', frame.action === undefined ? (contexts.get('inputs') ?? noValues) : frame.inputs)
    contexts.set('runner', runnerContext(options.temp))
    contexts.set('job', new Map([['status', frame.status]]))
    // A composite action is given no secrets: github.com says so, and a step that reads them would fail there.
    if (frame.action !== undefined) contexts.delete('secrets')
    return { contexts, status: frame.status }
  }
  const contextOfGithub = (frame: Frame): ReadonlyMap<string, Value> =>
    frame.action === undefined ? githubContext : new Map([...githubContext, ['action_path', frame.action.directory]])

  /** Later ones win: the job's, the calling step's, this step's. */
  const envOf = (frame: Frame, step: Step | undefined): Map<string, string> => {
    const env = new Map([...jobEnv, ...frame.env])
    const scope = scopeOf(frame, new Map(env))
    for (const [name, value] of step?.env ?? []) env.set(name, toText(interpolate(value, scope)))
    return env
  }
  const processEnv = (
    frame: Frame,
    env: ReadonlyMap<string, string>,
    step: Step | undefined,
  ): Record<string, string> => ({
    HOME: home,
    LANG: 'C.UTF-8',
    ...Object.fromEntries(env),
    CI: env.get('CI') ?? 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_ACTION: step?.id ?? '__run',
    ...(frame.action !== undefined && { GITHUB_ACTION_PATH: frame.action.directory }),
    ...Object.fromEntries(githubVariables(githubContext)),
    ...Object.fromEntries(runnerVariables(options.temp)),
    PATH: [...prependedPaths, env.get('PATH') ?? options.path ?? process.env['PATH'] ?? ''].join(':'),
  })

  /** Runs a process with fresh command files and takes in what it wrote there. */
  const execute = async (
    command: string,
    args: readonly string[],
    place: { cwd: string; env: Record<string, string>; timeoutMs: number },
  ): Promise<Executed> => {
    const directory = join(files, randomUUID())
    mkdirSync(directory)
    const names = ['OUTPUT', 'ENV', 'PATH', 'STATE', 'STEP_SUMMARY'] as const
    const variables = Object.fromEntries(names.map((name) => [`GITHUB_${name}`, join(directory, name)]))
    for (const file of Object.values(variables)) writeFileSync(file, '')
    try {
      const env = { ...place.env, ...variables }
      const request = {
        command,
        args,
        cwd: place.cwd,
        env,
        onLine: log.onLine,
        timeoutMs: place.timeoutMs,
        signal: options.signal,
      }
      const end = await runProcess(request)
      const outputs = takeIn((name) => readFileSync(join(directory, name), 'utf8'))
      if (end.kind === 'killed') return { outputs, failure: end.why, isCancelled: options.signal?.aborted === true }
      return end.code === 0 ? done(outputs) : failed(`Process completed with exit code ${end.code}.`, outputs)
    } catch (error) {
      return failed(error instanceof Error ? error.message : String(error))
    } finally {
      log.endStep()
      rmSync(directory, { recursive: true, force: true })
    }
  }

  const takeIn = (read: (name: string) => string): Map<string, string> => {
    for (const [name, value] of entriesOf(read('ENV'))) {
      const refusal = refusalOfVariable(name)
      if (refusal !== undefined) throw new Error(refusal)
      jobEnv.set(name, value)
    }
    for (const line of read('PATH').split('\n')) if (line !== '') prependedPaths.unshift(line)
    const summary = read('STEP_SUMMARY')
    if (summary !== '') log.summarise(summary)
    return new Map(entriesOf(read('OUTPUT')))
  }

  const timeoutOf = (step: Step): number =>
    step['timeout-minutes'] === undefined ? (options.stepTimeoutMs ?? 120_000) : step['timeout-minutes'] * 60_000

  const runScript = async (step: Extract<Step, { run: string }>, frame: Frame): Promise<Executed> => {
    const env = envOf(frame, step)
    const scope = scopeOf(frame, env)
    const script = join(options.temp, `${randomUUID()}.sh`)
    writeFileSync(script, toText(interpolate(step.run, scope)))
    const wanted = toText(interpolate(step['working-directory'] ?? '', scope))
    const shell = step.shell === undefined ? undefined : toText(interpolate(step.shell, scope))
    const { command, args } = shellCommand(shell, script)
    const cwd = resolve(options.workspace, wanted)
    const executed = await execute(command, args, {
      cwd,
      env: processEnv(frame, env, step),
      timeoutMs: timeoutOf(step),
    })
    rmSync(script, { force: true })
    return executed
  }

  const sourceOf = (uses: string, frame: Frame): ActionSource => {
    const root = frame.action?.root ?? options.workspace
    if (uses.startsWith('$/')) return { directory: join(root, uses.slice(2)) }
    if (uses.startsWith('./')) return { directory: join(options.workspace, uses) }
    const known = options.actions?.get(uses)
    if (known === undefined) throw new Error(`Unable to resolve action ${uses}: the sandbox was not told where it is.`)
    return known
  }

  const runAction = async (step: Extract<Step, { uses: string }>, frame: Frame, depth: number): Promise<Executed> => {
    if (depth > maxNesting) return failed(`Actions are nested more than ${maxNesting} deep.`)
    const source = sourceOf(step.uses, frame)
    const env = envOf(frame, step)
    const scope = scopeOf(frame, env)
    const given = new Map(
      [...(step.with ?? [])].map(([name, v]) => [name.toLowerCase(), toText(interpolate(v, scope))]),
    )
    if ('run' in source) return runFunction(source.run, frame, given, env)
    const metadata = readActionMetadata(source.directory)
    const inputs = inputsOf(metadata, given, frame)
    const root =
      step.uses.startsWith('.') || step.uses.startsWith('$')
        ? (frame.action?.root ?? options.workspace)
        : source.directory
    const action = { directory: source.directory, root }
    if (metadata.runs.using !== 'composite') {
      const variables = [...inputs].map(([name, v]) => [`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`, toText(v)])
      const place = { ...processEnv({ ...frame, action }, env, step), ...Object.fromEntries(variables) }
      const main = join(source.directory, metadata.runs.main)
      return execute(process.execPath, [main], { cwd: options.workspace, env: place, timeoutMs: timeoutOf(step) })
    }
    const inner: Frame = { inputs, env, steps: new Map(), action, status: 'success' }
    for (const innerStep of metadata.runs.steps) await runStep(innerStep, inner, depth + 1)
    const innerScope = scopeOf(inner, env)
    const outputs = [...metadata.outputs].map(
      ([name, output]) => [name, toText(interpolate(output?.value ?? '', innerScope))] as const,
    )
    if (inner.status === 'success') return done(new Map(outputs))
    return { outputs: new Map(outputs), failure: '', isCancelled: inner.status === 'cancelled' }
  }

  const inputsOf = (metadata: ActionMetadata, given: ReadonlyMap<string, string>, frame: Frame): Map<string, Value> => {
    const inputs = new Map<string, Value>()
    const scope = scopeOf(frame, new Map())
    for (const [name, input] of metadata.inputs) {
      const value = given.get(name.toLowerCase()) ?? toText(interpolate(String(input?.default ?? ''), scope))
      inputs.set(name, value)
    }
    const known = new Set([...metadata.inputs.keys()].map((name) => name.toLowerCase()))
    const unknown = [...given.keys()].filter((name) => !known.has(name))
    if (unknown.length > 0)
      log.warn(
        `Unexpected input(s) '${unknown.join("', '")}', valid inputs are ['${[...metadata.inputs.keys()].join("', '")}']`,
      )
    return inputs
  }

  const runFunction = async (
    run: StepFunction,
    frame: Frame,
    inputs: ReadonlyMap<string, string>,
    env: ReadonlyMap<string, string>,
  ): Promise<Executed> => {
    const outputs = new Map<string, string>()
    const step = async (nested: Step): Promise<StepResult> => {
      const result = await runStep(nested, frame, 1)
      if (result.conclusion === 'failure' || result.conclusion === 'cancelled')
        throw new Error(`The step "${result.name}" did not succeed.`)
      return result
    }
    const setOutput = (name: string, value: string): void => {
      outputs.set(name, value)
    }
    const environment = processEnv(frame, env, undefined)
    await run({
      github,
      token,
      workspace: options.workspace,
      env: environment,
      inputs,
      log: log.write,
      setOutput,
      step,
    })
    return done(outputs)
  }

  const attempt = async (step: Step | StepFunction, frame: Frame, depth: number): Promise<Executed> => {
    try {
      if (typeof step === 'function') return await runFunction(step, frame, new Map(), envOf(frame, undefined))
      return 'run' in step ? await runScript(step, frame) : await runAction(step, frame, depth)
    } catch (error) {
      return failed(error instanceof Error ? error.message : String(error))
    }
  }

  const nameOf = (step: Step | StepFunction): string => {
    if (typeof step === 'function') return step.name === '' ? 'step' : step.name
    return step.name ?? ('run' in step ? `Run ${step.run.trim().split('\n', 1)[0]}` : `Run ${step.uses}`)
  }

  const conclude = (step: Step | StepFunction, frame: Frame, result: StepResult): StepResult => {
    const id = typeof step === 'function' ? undefined : step.id
    if (id !== undefined)
      frame.steps.set(id, toValue({ outputs: result.outputs, outcome: result.outcome, conclusion: result.conclusion }))
    if (frame.status === 'success' && (result.conclusion === 'failure' || result.conclusion === 'cancelled'))
      frame.status = result.conclusion
    return result
  }

  const runStep = async (step: Step | StepFunction, frame: Frame, depth = 0): Promise<StepResult> => {
    const definition = typeof step === 'function' ? undefined : step
    const base = { id: definition?.id, name: nameOf(step) }
    if (options.signal?.aborted) frame.status = 'cancelled'
    const skipped = { ...base, outcome: 'skipped', conclusion: 'skipped', outputs: new Map() } as const
    try {
      const scope = scopeOf(frame, new Map([...jobEnv, ...frame.env]))
      if (!isConditionMet(definition?.if, scope)) return conclude(step, frame, skipped)
    } catch (error) {
      log.complain(error instanceof Error ? error.message : String(error))
      return conclude(step, frame, { ...skipped, outcome: 'failure', conclusion: 'failure' })
    }
    const { outputs, failure, isCancelled } = await attempt(step, frame, depth)
    if (failure !== undefined && failure !== '') log.complain(failure)
    const outcome = isCancelled ? 'cancelled' : failure === undefined ? 'success' : 'failure'
    const tolerated = outcome === 'failure' && isTolerated(definition, frame)
    return conclude(step, frame, { ...base, outcome, conclusion: tolerated ? 'success' : outcome, outputs })
  }

  const isTolerated = (step: Step | undefined, frame: Frame): boolean => {
    const wish = step?.['continue-on-error'] ?? false
    return typeof wish === 'boolean' ? wish : isTruthy(interpolate(wish, scopeOf(frame, jobEnv)))
  }

  const job: Frame = {
    inputs: new Map(),
    env: new Map(),
    steps: new Map(),
    action: undefined,
    status: 'success',
  }
  return {
    async run(step) {
      const result = await runStep(step, job)
      results.push(result)
      return result
    },
    interpolate: (template) => toText(interpolate(template, scopeOf(job, jobEnv))),
    report: () => ({
      conclusion: job.status,
      steps: results,
      log: log.lines(),
      annotations: log.annotations(),
      summary: log.summary(),
      contexts: scopeOf(job, jobEnv).contexts,
    }),
  }
}

/** Runs all steps of a job in a runner of its own. */
export async function runSteps(steps: readonly (Step | StepFunction)[], options: RunnerOptions): Promise<JobReport> {
  const runner = createJobRunner(options)
  for (const step of steps) await runner.run(step)
  return runner.report()
}

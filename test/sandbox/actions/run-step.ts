import { join } from 'node:path'
import { givenInputs, inputsOf, sourceOf } from './action-inputs.ts'
import { type ActionMetadata, readActionMetadata, type Step } from './action-metadata.ts'
import { interpolate, isConditionMet, isTruthy, toText, toValue, type Value } from './expression.ts'
import { envOf, type Frame, type JobState, processEnv, scopeOf } from './job-state.ts'
import type { StepFunction, StepOutcome, StepResult } from './job-types.ts'
import { done, type Executed, execute, failed, runScript, timeoutOf } from './step-process.ts'

const maxNesting = 9
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Runs one step of a frame, unless its `if:` forbids it. Never throws for what the step does. */
export async function runStep(
  state: JobState,
  step: Step | StepFunction,
  frame: Frame,
  depth: number,
): Promise<StepResult> {
  const { options, log, jobEnv } = state
  const definition = typeof step === 'function' ? undefined : step
  if (options.signal?.aborted) frame.status = 'cancelled'
  try {
    const scope = scopeOf(state, frame, new Map([...jobEnv, ...frame.env]))
    if (!isConditionMet(definition?.if, scope)) return conclude(step, frame, 'skipped', 'skipped', new Map())
    const { outputs, failure, isCancelled } = await attempt(state, step, frame, depth)
    if (failure !== undefined && failure !== '') log.complain(failure)
    const outcome = isCancelled ? 'cancelled' : failure === undefined ? 'success' : 'failure'
    const isTolerated = outcome === 'failure' && mayFail(state, definition, frame)
    return conclude(step, frame, outcome, isTolerated ? 'success' : outcome, outputs)
  } catch (error) {
    log.complain(messageOf(error))
    return conclude(step, frame, 'failure', 'failure', new Map())
  }
}

function conclude(
  step: Step | StepFunction,
  frame: Frame,
  outcome: StepOutcome,
  conclusion: StepOutcome,
  outputs: ReadonlyMap<string, string>,
): StepResult {
  const id = typeof step === 'function' ? undefined : step.id
  if (id !== undefined) frame.steps.set(id, toValue({ outputs, outcome, conclusion }))
  if (frame.status === 'success' && (conclusion === 'failure' || conclusion === 'cancelled')) frame.status = conclusion
  return { id, name: nameOf(step), outcome, conclusion, outputs }
}

function nameOf(step: Step | StepFunction): string {
  if (typeof step === 'function') return step.name === '' ? 'step' : step.name
  return step.name ?? ('run' in step ? `Run ${step.run.trim().split('\n', 1)[0]}` : `Run ${step.uses}`)
}

/** `continue-on-error` */
function mayFail(state: JobState, step: Step | undefined, frame: Frame): boolean {
  const wish = step?.['continue-on-error'] ?? false
  return typeof wish === 'boolean' ? wish : isTruthy(interpolate(wish, scopeOf(state, frame, state.jobEnv)))
}

async function attempt(state: JobState, step: Step | StepFunction, frame: Frame, depth: number): Promise<Executed> {
  try {
    if (typeof step === 'function')
      return await runFunction(state, step, frame, { inputs: new Map(), env: envOf(state, frame, undefined) })
    return 'run' in step ? await runScript(state, step, frame) : await runAction(state, step, frame, depth)
  } catch (error) {
    return failed(messageOf(error))
  }
}

type UsesStep = Extract<Step, { uses: string }>

async function runAction(state: JobState, step: UsesStep, frame: Frame, depth: number): Promise<Executed> {
  if (depth > maxNesting) return failed(`Actions are nested more than ${maxNesting} deep.`)
  const source = sourceOf(state, step.uses, frame)
  const env = envOf(state, frame, step)
  const given = givenInputs(step, scopeOf(state, frame, env))
  if ('run' in source) return runFunction(state, source.run, frame, { inputs: given, env })
  const metadata = readActionMetadata(source.directory)
  const inputs = inputsOf(state, metadata, given, scopeOf(state, frame, new Map()))
  const isLocal = step.uses.startsWith('.') || step.uses.startsWith('$')
  const root = isLocal ? (frame.action?.root ?? state.options.workspace) : source.directory
  const inner: Frame = {
    inputs,
    env,
    steps: new Map(),
    action: { directory: source.directory, root },
    status: 'success',
  }
  return metadata.runs.using === 'composite'
    ? runComposite(state, metadata, metadata.runs.steps, inner, depth)
    : runNode(state, step, join(source.directory, metadata.runs.main), inner)
}

async function runComposite(
  state: JobState,
  metadata: ActionMetadata,
  steps: readonly Step[],
  frame: Frame,
  depth: number,
): Promise<Executed> {
  for (const step of steps) await runStep(state, step, frame, depth + 1)
  const scope = scopeOf(state, frame, frame.env)
  const outputs = new Map(
    [...metadata.outputs].map(([name, output]) => [name, toText(interpolate(output?.value ?? '', scope))]),
  )
  if (frame.status === 'success') return done(outputs)
  return { outputs, failure: '', isCancelled: frame.status === 'cancelled' }
}

/** A JavaScript action, with the Node that runs this: the only kind of action that is given `INPUT_…` variables. */
function runNode(state: JobState, step: UsesStep, main: string, frame: Frame): Promise<Executed> {
  const variables = [...frame.inputs].map(([name, value]: [string, Value]) => [
    `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`,
    toText(value),
  ])
  return execute(state, {
    command: process.execPath,
    args: [main],
    cwd: state.options.workspace,
    env: { ...processEnv(state, frame, frame.env, step), ...Object.fromEntries(variables) },
    timeoutMs: timeoutOf(state, step),
  })
}

async function runFunction(
  state: JobState,
  run: StepFunction,
  frame: Frame,
  given: { readonly inputs: ReadonlyMap<string, string>; readonly env: ReadonlyMap<string, string> },
): Promise<Executed> {
  const outputs = new Map<string, string>()
  await run({
    github: state.github,
    token: state.token,
    workspace: state.options.workspace,
    env: processEnv(state, frame, given.env, undefined),
    inputs: given.inputs,
    log: state.log.write,
    setOutput: (name, value) => void outputs.set(name, value),
    async step(nested) {
      const result = await runStep(state, nested, frame, 1)
      if (result.conclusion === 'failure' || result.conclusion === 'cancelled')
        throw new Error(`The step "${result.name}" did not succeed.`)
      return result
    },
  })
  return done(outputs)
}

import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Step } from './action-metadata.ts'
import { entriesOf } from './command-file.ts'
import { interpolate, toText } from './expression.ts'
import { envOf, type Frame, type JobState, processEnv, scopeOf } from './job-state.ts'
import { runProcess } from './process.ts'
import { refusalOfVariable, shellCommand } from './runner-environment.ts'

/** What came of a step; an empty failure has been told already. */
export interface Executed {
  readonly outputs: ReadonlyMap<string, string>
  readonly failure?: string
  readonly isCancelled?: boolean
}

export const done = (outputs: ReadonlyMap<string, string> = new Map()): Executed => ({ outputs })
export const failed = (failure: string, outputs: ReadonlyMap<string, string> = new Map()): Executed => ({
  outputs,
  failure,
})

export interface StepProcess {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly timeoutMs: number
}

const commandFiles = ['OUTPUT', 'ENV', 'PATH', 'STATE', 'STEP_SUMMARY'] as const

/** Runs a process with fresh command files and takes in what it wrote there. */
export async function execute(state: JobState, { env, ...rest }: StepProcess): Promise<Executed> {
  const directory = join(state.files, randomUUID())
  mkdirSync(directory)
  const variables = Object.fromEntries(commandFiles.map((name) => [`GITHUB_${name}`, join(directory, name)]))
  for (const file of Object.values(variables)) writeFileSync(file, '')
  const { signal } = state.options
  try {
    const end = await runProcess({ ...rest, env: { ...env, ...variables }, onLine: state.log.onLine, signal })
    const outputs = takeIn(state, (name) => readFileSync(join(directory, name), 'utf8'))
    if (end.kind === 'killed') return { outputs, failure: end.why, isCancelled: signal?.aborted === true }
    return end.code === 0 ? done(outputs) : failed(`Process completed with exit code ${end.code}.`, outputs)
  } finally {
    state.log.endStep()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Changes the job as the step's command files say; returns the step's outputs. */
function takeIn(
  { jobEnv, prependedPaths, log }: JobState,
  read: (name: (typeof commandFiles)[number]) => string,
): Map<string, string> {
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

const defaultTimeoutMs = 120_000

export const timeoutOf = ({ options }: JobState, step: Step): number =>
  step['timeout-minutes'] === undefined ? (options.stepTimeoutMs ?? defaultTimeoutMs) : step['timeout-minutes'] * 60_000

/** Runs the text of a `run:` step in its shell. */
export async function runScript(
  state: JobState,
  step: Extract<Step, { run: string }>,
  frame: Frame,
): Promise<Executed> {
  const env = envOf(state, frame, step)
  const scope = scopeOf(state, frame, env)
  const script = join(state.options.temp, `${randomUUID()}.sh`)
  writeFileSync(script, toText(interpolate(step.run, scope)))
  const directory = toText(interpolate(step['working-directory'] ?? '', scope))
  const shell = step.shell === undefined ? undefined : toText(interpolate(step.shell, scope))
  try {
    return await execute(state, {
      ...shellCommand(shell, script),
      cwd: resolve(state.options.workspace, directory),
      env: processEnv(state, frame, env, step),
      timeoutMs: timeoutOf(state, step),
    })
  } finally {
    rmSync(script, { force: true })
  }
}

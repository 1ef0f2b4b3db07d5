import { type Fault, type Problem, quoted, RingmasterError, unwrap } from '../core/problem.ts'
import { escapeMarkdown } from '../render/text.ts'
import { bump } from './bump.ts'
import type { InputName } from './inputs.ts'
import type { Outcome, StepResult } from './outcome.ts'
import type { CommandName } from './outputs.ts'
import { type Inputs, readInputs } from './read-inputs.ts'
import { type Runner, sentenceOf } from './runner.ts'
import type { Shell } from './shell.ts'

type Command<Name extends CommandName> = (inputs: Inputs, shell: Shell) => Promise<Outcome<Name>>

/**
 * Each command in a chunk of its own, so that a bump loads neither the GitHub client nor the schemas. The bump itself is
 * there from the start: it runs on every push, and each chunk more costs it several milliseconds.
 */
const COMMANDS: { readonly [Name in CommandName]: () => Promise<Command<Name>> } = {
  bump: async () => bump,
  tag: async () => (await import('./tag.ts')).tag,
  notes: async () => (await import('./notes.ts')).notes,
  'record-build': async () => (await import('./record-build.ts')).recordBuild,
  'next-build': async () => (await import('./next-build.ts')).nextBuildNumber,
  'record-deployment': async () => (await import('./record-deployment.ts')).recordDeployment,
  'validate-config': async () => (await import('./validate-config.ts')).validateConfig,
  publish: async () => (await import('./publish.ts')).publish,
}

/** As the command line has them; a bug of ours is 70. */
const EXIT_CODE_OF = { refused: 1, 'bad-input': 2, outside: 3 } as const satisfies Record<Fault, number>
const EXIT_CODE_OF_A_BUG = 70

/** Runs one step and returns its exit code: 0 done, 1 refused or failed, 2 bad input, 3 outside trouble, 70 a bug. */
export async function runAction(shell: Shell, runner: Runner): Promise<number> {
  try {
    const inputs = unwrap(readInputs(shell.environment))
    const command = await COMMANDS[inputs.command]()
    return report(await command(inputs, shell), inputs, runner)
  } catch (error) {
    return error instanceof RingmasterError ? reportRefusal(error, runner) : reportBug(error, shell, runner)
  }
}

function report(outcome: StepResult, inputs: Inputs, runner: Runner): number {
  for (const [name, value] of Object.entries(outcome.outputs)) runner.setOutput(name, value)
  runner.appendSummary(outcome.summary)
  runner.say(outcome.said)
  for (const warning of [...inputs.unused.map((name) => unusedInput(name, inputs.command)), ...outcome.warnings]) {
    runner.annotate('warning', warning)
  }
  const failures = outcome.failures ?? []
  for (const failure of failures) runner.annotate('error', failure)
  return failures.length > 0 ? EXIT_CODE_OF.refused : 0
}

const unusedInput = (name: InputName, command: CommandName): Problem => ({
  code: 'input-unused',
  message: `expected only inputs that ${command} reads, found ${name}, which it does not`,
  hint: 'remove it, or check the command',
})

function reportRefusal(error: RingmasterError, runner: Runner): number {
  for (const problem of error.problems) runner.annotate('error', problem)
  const list = error.problems.map((problem) => `- ${escapeMarkdown(sentenceOf(problem))}`)
  runner.appendSummary(`### Ringmaster stopped\n\n${list.join('\n')}`)
  return EXIT_CODE_OF[error.fault]
}

function reportBug(error: unknown, shell: Shell, runner: Runner): number {
  const found = error instanceof Error ? error.message : String(error)
  runner.annotate('error', {
    code: 'bug',
    message: `Ringmaster met a bug of its own: ${quoted(found)}`,
    hint: 'run the job again with debug logging and report it with the log of this step',
  })
  if (shell.environment['RUNNER_DEBUG'] === '1' && error instanceof Error) {
    for (const line of (error.stack ?? '').split('\n')) runner.say(line)
  }
  return EXIT_CODE_OF_A_BUG
}

import type { Problem } from '../core/problem.ts'
import type { CommandName, OUTPUTS_OF } from './outputs.ts'

/** What a command leaves behind. The entry point alone writes it out, so a command can be tested as a value. */
export interface StepResult {
  readonly outputs: Readonly<Record<string, string>>
  /** Markdown for the step summary; text from outside is escaped in it. */
  readonly summary: string
  /** One line for the log of the step. */
  readonly said: string
  /** Shown as annotations. */
  readonly warnings: readonly Problem[]
  /** The work is done and recorded, yet the step has to fail for these. */
  readonly failures?: readonly Problem[]
}

/** The result of one command, with exactly the outputs that are declared for it. */
export interface Outcome<Command extends CommandName> extends StepResult {
  readonly outputs: Readonly<Record<(typeof OUTPUTS_OF)[Command][number], string>>
}

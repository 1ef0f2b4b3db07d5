import type { Problem } from '../problem.ts'
import { CHECKLIST_COMMANDS } from './checklist-commands.ts'
import { COHORT_COMMANDS } from './cohort-commands.ts'
import { DEVICE_COMMANDS } from './device-commands.ts'
import type { CommandEntry } from './entry.ts'
import { GATE_COMMANDS } from './gate-commands.ts'
import { GENERAL_COMMANDS } from './general-commands.ts'
import { nearest } from './nearest.ts'
import { RELEASE_COMMANDS } from './release-commands.ts'
import { SIGNOFF_COMMANDS } from './signoff-commands.ts'
import { VERSION_COMMANDS } from './version-commands.ts'

/**
 * Every command that works, in the order in which help shows them. A new one is one entry in the file of its concern
 * and its handler.
 */
export const COMMANDS = {
  ...RELEASE_COMMANDS,
  ...VERSION_COMMANDS,
  ...CHECKLIST_COMMANDS,
  ...SIGNOFF_COMMANDS,
  ...GATE_COMMANDS,
  ...COHORT_COMMANDS,
  ...DEVICE_COMMANDS,
  ...GENERAL_COMMANDS,
} as const

export type CommandName = keyof typeof COMMANDS
type ArgumentsOf<N extends CommandName> = (typeof COMMANDS)[N] extends CommandEntry<string, infer A> ? A : never

/** A command whose arguments are values. */
export type ParsedCommand = { [N in CommandName]: { readonly name: N } & ArgumentsOf<N> }[CommandName]

export type CommandReading =
  | { readonly kind: 'command'; readonly command: ParsedCommand }
  | { readonly kind: 'unknown'; readonly name: string; readonly suggestions: readonly string[] }
  | { readonly kind: 'malformed'; readonly name: CommandName; readonly problems: readonly Problem[] }

const isCommandName = (name: string): name is CommandName => Object.hasOwn(COMMANDS, name)

/** What a command as typed asks for, with all problems of its arguments at once, or what it may have meant. */
export function parseCommand(read: { readonly name: string; readonly args: string }): CommandReading {
  if (!isCommandName(read.name))
    return { kind: 'unknown', name: read.name, suggestions: nearest(read.name, Object.keys(COMMANDS)) }
  const definition: CommandEntry<string, object> = COMMANDS[read.name]
  const parsed = definition.parse(read.args)
  if (!parsed.ok) return { kind: 'malformed', name: read.name, problems: parsed.problems }
  return { kind: 'command', command: { name: read.name, ...parsed.value } as ParsedCommand }
}

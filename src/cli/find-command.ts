import { nearest } from '../core/command/nearest.ts'
import { RingmasterError } from '../core/problem.ts'
import type { CliCommand } from './command.ts'

/** The commands by their first word; a group is loaded when it is asked for. */
export type CommandGroups = Readonly<Record<string, () => Promise<readonly CliCommand[]>>>

/** What some words come to: a command with its arguments, or the commands of a group that help is asked for. */
export type FoundCommand =
  | { readonly kind: 'command'; readonly command: CliCommand; readonly args: readonly string[] }
  | { readonly kind: 'group'; readonly commands: readonly CliCommand[] }

/** The command that some words name: the longest name wins. Throws bad input with what may have been meant. */
export async function findCommand(groups: CommandGroups, words: readonly string[]): Promise<FoundCommand> {
  const first = words[0] ?? ''
  const load = Object.hasOwn(groups, first) ? groups[first] : undefined
  if (!load) throw unknown(`a command, found ${JSON.stringify(first)}`, nearest(first, Object.keys(groups)))
  const commands = await load()
  const named = commands
    .filter(({ name }) => name.split(' ').every((word, index) => words[index] === word))
    .sort((a, b) => b.name.length - a.name.length)[0]
  if (named) return { kind: 'command', command: named, args: words.slice(named.name.split(' ').length) }
  if (words[1] === '--help') return { kind: 'group', commands }
  const names = commands.map(({ name }) => name)
  const found = words.slice(0, 2).join(' ')
  throw unknown(`one of ${names.join(', ')}, found ${JSON.stringify(found)}`, nearest(found, names))
}

function unknown(expected: string, close: readonly string[]): RingmasterError {
  const meant = close.map((name) => `ringmaster ${name}`).join(' or ')
  return new RingmasterError('bad-input', {
    code: 'usage',
    message: `expected ${expected}`,
    hint: close.length > 0 ? `Did you mean ${meant}?` : 'Say ringmaster --help for the commands.',
  })
}

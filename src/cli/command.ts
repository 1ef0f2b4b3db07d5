import { type ParseArgsConfig, parseArgs } from 'node:util'
import { nearest } from '../core/command/nearest.ts'
import { type Fault, quoted, RingmasterError } from '../core/problem.ts'

/** 0 done (also "no update"), 1 refused or blocked, 2 usage or bad input, 3 outside trouble, 70 a bug. */
export type ExitCode = 0 | 1 | 2 | 3 | 70

export const EXIT_OF = { refused: 1, 'bad-input': 2, outside: 3 } as const satisfies Record<Fault, ExitCode>

/** Where a command writes and what it may know of its surroundings. */
export interface CommandIo {
  /** One line to standard output. */
  out(line: string): void
  /** One line to standard error. */
  err(line: string): void
  /** Whether the caller asked for one JSON document on standard output instead of text. */
  readonly json: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  /** ISO 8601 UTC, read once. */
  readonly now: string
}

/** One command of `ringmaster`; `name` may hold several words, such as `keys init`. */
export interface CliCommand {
  readonly name: string
  readonly usage: string
  readonly summary: string
  /** `args` are those after the name. May throw RingmasterError; the entry point turns it into text and exit code. */
  run(args: readonly string[], io: CommandIo): Promise<ExitCode>
}

/** Reads a command's options strictly; an unknown or incomplete one is told with the usage line. */
export function readOptions<const O extends NonNullable<ParseArgsConfig['options']>>(
  command: Pick<CliCommand, 'usage'>,
  args: readonly string[],
  options: O,
) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (error) {
    throw usageError(wrongCall(error as NodeJS.ErrnoException, Object.keys(options)), command)
  }
}

/** The options of a command that takes nothing else: a word that is left over was meant for one of them. */
export function optionsOf<const O extends NonNullable<ParseArgsConfig['options']>>(
  command: Pick<CliCommand, 'usage'>,
  args: readonly string[],
  options: O,
) {
  const { values, positionals } = readOptions(command, args, options)
  if (positionals.length > 0) throw usageError(`expected only options, found ${quoted(positionals[0])}`, command)
  return values
}

/** What Node says of a wrong call, in our words; the option stands in quotes at the beginning of its sentence. */
function wrongCall({ code, message }: NodeJS.ErrnoException, names: readonly string[]): string {
  const option = /'([^']*)'/.exec(message)?.[1]?.replace(/ <value>$/, '') ?? ''
  switch (code) {
    case 'ERR_PARSE_ARGS_UNKNOWN_OPTION': {
      const [meant] = nearest(option.replace(/^-+/, ''), names)
      return `expected an option of this command, found ${option}${meant === undefined ? '' : `; did you mean --${meant}?`}`
    }
    case 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE':
      return /does not take an argument/.test(message)
        ? `expected the option ${option} without a value, found one`
        : `expected a value behind the option ${option}, found none (one that begins with a dash is written --name=-value)`
    default:
      return message
  }
}

/** An error in how a command was called. */
export const usageError = (message: string, { usage }: Pick<CliCommand, 'usage'>): RingmasterError =>
  new RingmasterError('bad-input', { code: 'usage', message, hint: `Usage: ${usage}` })

/** The value of an option that must be given. */
export function needed(value: string | undefined, option: string, command: Pick<CliCommand, 'usage'>): string {
  if (value === undefined || value === '') throw usageError(`expected the option --${option}, found none`, command)
  return value
}

import { type ParseArgsConfig, parseArgs } from 'node:util'

/** Something that whoever started a program can mend: its message goes out as it is, without a stack. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Reads the options of a program strictly; throws `UsageError` with the usage line. */
export function readRunOptions<const O extends NonNullable<ParseArgsConfig['options']>>(
  usage: string,
  args: readonly string[],
  options: O,
) {
  try {
    return parseArgs({ args: [...args], options, strict: true }).values
  } catch (error) {
    const found = (error as Error).message.replace(/\.? (?:To specify|This command).*$/s, '')
    throw new UsageError(`${found}.\nUsage: ${usage}`)
  }
}

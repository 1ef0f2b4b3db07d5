import { NOT_ASKED } from '../core/config/admins.ts'
import { CONFIG_PATH, checkConfiguration } from '../core/config/parse.ts'
import { type CliCommand, readOptions, usageError } from './command.ts'
import { readInput } from './files.ts'

export const configValidate: CliCommand = {
  name: 'config validate',
  usage: `ringmaster config validate [FILE]   (${CONFIG_PATH} when left out)`,
  summary: 'Check a configuration; every problem is told with its line.',
  async run(args, io) {
    const { positionals } = readOptions(configValidate, args, {})
    const [path = CONFIG_PATH, ...more] = positionals
    if (more.length > 0) throw usageError(`expected one file, found ${positionals.length}`, configValidate)
    const checked = checkConfiguration(Buffer.from(await readInput(path, 'a configuration')).toString('utf8'), path)
    if (checked.ok) {
      io.out(
        io.json
          ? JSON.stringify({ valid: true, digest: checked.value.digest, notChecked: NOT_ASKED })
          : `${path} is valid, digest ${checked.value.digest}. Not checked: ${NOT_ASKED}.`,
      )
      return 0
    }
    if (io.json) io.out(JSON.stringify({ valid: false, problems: checked.problems }))
    for (const { path: file, line, message, hint } of checked.problems) {
      io.err(`${file ?? path}${line === undefined ? '' : `:${line}`}: ${message}.${hint ? ` ${hint}` : ''}`)
    }
    return 2
  },
}

export const CONFIG_COMMANDS: readonly CliCommand[] = [configValidate]

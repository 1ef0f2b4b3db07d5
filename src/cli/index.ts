import process from 'node:process'
import { RingmasterError } from '../core/problem.ts'
import { VERSION } from '../version.ts'
import { type CliCommand, type CommandIo, EXIT_OF, type ExitCode } from './command.ts'
import { type CommandGroups, findCommand } from './find-command.ts'
import { problemText, withNamedTrouble } from './problem-text.ts'

const GROUPS: CommandGroups = {
  bump: async () => [(await import('./bump.ts')).bumpCommand],
  cohort: async () => (await import('./cohort.ts')).COHORT_COMMANDS,
  config: async () => (await import('./config.ts')).CONFIG_COMMANDS,
  doctor: async () => [(await import('./doctor.ts')).doctor],
  keys: async () => (await import('./keys.ts')).KEY_COMMANDS,
  ledger: async () => (await import('./ledger.ts')).LEDGER_COMMANDS,
  manifest: async () => (await import('./manifest.ts')).MANIFEST_COMMANDS,
  notes: async () => [(await import('./notes.ts')).notesCommand],
  release: async () => (await import('./release.ts')).RELEASE_COMMANDS,
  ruleset: async () => [(await import('./ruleset.ts')).ruleset],
  version: async () => (await import('./version-set.ts')).VERSION_COMMANDS,
  resolve: async () => [(await import('./resolve.ts')).resolveCommand],
}

const lineOf = ({ name, summary }: CliCommand): string => `  ${name.padEnd(18)} ${summary}`

async function help(out: (line: string) => void): Promise<void> {
  out(`ringmaster ${VERSION}: release management on nothing but GitHub`)
  out('')
  for (const load of Object.values(GROUPS)) for (const command of await load()) out(lineOf(command))
  out('')
  out('  --json for one JSON document, --debug for stack traces, COMMAND --help for its usage.')
  out('  Exit codes: 0 done, 1 refused or blocked, 2 usage or bad input, 3 outside trouble, 70 a bug.')
}

async function run(argv: readonly string[], io: CommandIo): Promise<ExitCode> {
  const words = argv.filter((word) => word !== '--json' && word !== '--debug')
  if (words.length === 0 || words[0] === '--help' || words[0] === 'help') {
    await help(io.out)
    return words.length === 0 ? 2 : 0
  }
  if (words[0] === '--version') {
    io.out(VERSION)
    return 0
  }
  const found = await findCommand(GROUPS, words)
  if (found.kind === 'group') {
    for (const command of found.commands) io.out(lineOf(command))
    return 0
  }
  const { command, args } = found
  if (args.includes('--help')) {
    io.out(`${command.summary}\n\nUsage: ${command.usage}`)
    return 0
  }
  return command.run(args, io)
}

function tell(error: unknown, debug: boolean): ExitCode {
  const line = (text: string) => process.stderr.write(`${text}\n`)
  if (error instanceof RingmasterError) {
    for (const problem of error.problems) line(problemText(problem))
    if (debug) line(error.stack ?? '')
    return EXIT_OF[error.fault]
  }
  line(
    `internal: ${error instanceof Error ? error.message : String(error)}\n  This is a bug in Ringmaster; please report it, with --debug.`,
  )
  if (debug && error instanceof Error) line(error.stack ?? '')
  return 70
}

/** Whoever reads the output may stop reading, as `head` does: that is no error of ours. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

const argv = process.argv.slice(2)
const io: CommandIo = {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  json: argv.includes('--json'),
  env: process.env,
  now: new Date().toISOString(),
}

run(argv, io).then(
  (code) => {
    process.exitCode = code
  },
  async (error: unknown) => {
    process.exitCode = tell(await withNamedTrouble(error), argv.includes('--debug'))
  },
)

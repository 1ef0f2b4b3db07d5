import process from 'node:process'
import { RingmasterError } from '../core/problem.ts'
import { VERSION } from '../version.ts'
import { type CliCommand, type CommandIo, EXIT_OF, type ExitCode } from './command.ts'

/** The commands by their first word; a group is loaded when it is asked for. */
const GROUPS: Readonly<Record<string, () => Promise<readonly CliCommand[]>>> = {
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

async function help(out: (line: string) => void): Promise<void> {
  out(`ringmaster ${VERSION}: release management on nothing but GitHub`)
  out('')
  for (const load of Object.values(GROUPS)) {
    for (const command of await load()) {
      out(`  ${command.name.padEnd(18)} ${command.summary}`)
    }
  }
  out('')
  out('  --json for one JSON document, --debug for stack traces, COMMAND --help for its usage.')
  out('  Exit codes: 0 done, 1 refused or blocked, 2 usage or bad input, 3 outside trouble, 70 a bug.')
}

function usage(message: string): never {
  throw new RingmasterError('bad-input', { code: 'usage', message, hint: 'Say ringmaster --help for the commands.' })
}

/** The command that some words name, and its arguments: the longest name wins. */
async function commandOf(words: readonly string[]): Promise<{ command: CliCommand; args: readonly string[] }> {
  const first = words[0] ?? ''
  const load = Object.hasOwn(GROUPS, first) ? GROUPS[first] : undefined
  if (!load) return usage(`expected a command, found ${JSON.stringify(first)}`)
  const commands = await load()
  const named = commands
    .filter(({ name }) => name.split(' ').every((word, index) => words[index] === word))
    .sort((a, b) => b.name.length - a.name.length)[0]
  if (!named)
    return usage(
      `expected one of ${commands.map(({ name }) => name).join(', ')}, found ${JSON.stringify(words.slice(0, 2).join(' '))}`,
    )
  return { command: named, args: words.slice(named.name.split(' ').length) }
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
  const { command, args } = await commandOf(words)
  if (args.includes('--help')) {
    io.out(`${command.summary}\n\nUsage: ${command.usage}`)
    return 0
  }
  return command.run(args, io)
}

function tell(error: unknown, debug: boolean): ExitCode {
  const line = (text: string) => process.stderr.write(`${text}\n`)
  if (error instanceof RingmasterError) {
    for (const problem of error.problems)
      line(`${problem.code}: ${problem.message}${problem.hint ? `\n  ${problem.hint}` : ''}`)
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
  (error: unknown) => {
    process.exitCode = tell(error, argv.includes('--debug'))
  },
)

import type { CliCommand, CommandIo, ExitCode } from '../../src/cli/command.ts'
import { RingmasterError } from '../../src/core/problem.ts'

export interface Told {
  readonly code: ExitCode | 'thrown'
  readonly out: readonly string[]
  readonly err: readonly string[]
  /** What stood on standard output, read as one JSON document. */
  readonly json: () => Record<string, unknown>
  /** The codes of what was thrown. */
  readonly problems: readonly string[]
}

/** Runs a command as the entry point would, and keeps what it says. */
export async function runCommand(
  command: CliCommand,
  args: readonly string[],
  json = false,
  now = '2026-03-04T05:06:07Z',
  env: CommandIo['env'] = {},
): Promise<Told> {
  const out: string[] = []
  const err: string[] = []
  const io: CommandIo = {
    out: (line) => void out.push(line),
    err: (line) => void err.push(line),
    json,
    env,
    now,
  }
  const told = { out, err, json: () => JSON.parse(out.join('\n')) as Record<string, unknown> }
  try {
    return { ...told, code: await command.run(args, io), problems: [] }
  } catch (error) {
    if (!(error instanceof RingmasterError)) throw error
    return { ...told, code: 'thrown', problems: error.problems.map(({ code }) => code) }
  }
}

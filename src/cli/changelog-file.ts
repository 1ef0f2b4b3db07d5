import { type Checked, RingmasterError } from '../core/problem.ts'
import { type ChangelogSection, checkChangelog, writeSection } from '../core/version/changelog.ts'
import type { CommandIo, ExitCode } from './command.ts'
import { readInput, writeOutput } from './files.ts'

/** Writes a section into a changelog unless it is there, and says which. */
export async function writeChangelog(path: string, section: ChangelogSection, io: CommandIo): Promise<ExitCode> {
  const text = await textOf(path)
  const { kind, text: next } = writeSection(text, section)
  if (next !== text) await writeOutput(path, next)
  if (io.json) io.out(JSON.stringify({ version: section.version, changelog: path, result: kind }))
  else
    io.out(
      kind === 'kept'
        ? `${path} has ${section.version} already; it is left as it is.`
        : `Wrote ${section.version} into ${path}.`,
    )
  return 0
}

/** Checks a changelog for a version: 0 where it holds, 1 with every problem and its line where it does not. */
export async function checkChangelogFile(path: string, version: string, io: CommandIo): Promise<ExitCode> {
  const checked: Checked<null> = checkChangelog(await textOf(path), version, path)
  const problems = checked.ok ? [] : checked.problems
  if (io.json) io.out(JSON.stringify({ version, changelog: path, valid: checked.ok, problems }))
  else if (checked.ok) io.out(`${path} holds ${version}.`)
  for (const { line, message } of problems) io.err(`${path}${line === undefined ? '' : `:${line}`}: ${message}`)
  return checked.ok ? 0 : 1
}

/** Null for a file that does not exist yet. */
async function textOf(path: string): Promise<string | null> {
  try {
    return Buffer.from(await readInput(path, 'a changelog')).toString('utf8')
  } catch (error) {
    const cause = error instanceof RingmasterError ? (error.cause as NodeJS.ErrnoException | undefined) : undefined
    if (cause?.code === 'ENOENT') return null
    throw error
  }
}

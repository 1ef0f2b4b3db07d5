import { NOT_ASKED } from '../core/config/admins.ts'
import { CONFIG_PATH, checkConfiguration } from '../core/config/parse.ts'
import { type Problem, quoted, RingmasterError } from '../core/problem.ts'
import { codeSpan, escapeMarkdown, markdownTable } from '../render/text.ts'
import type { Outcome } from './outcome.ts'
import type { Inputs } from './read-inputs.ts'
import type { Shell } from './shell.ts'
import { readWorkspaceFile } from './workspace-file.ts'

/** Checks a configuration of the checkout: every problem becomes an annotation at its line, and the step fails on any. */
export async function validateConfig(inputs: Inputs, shell: Shell): Promise<Outcome<'validate-config'>> {
  const path = inputs.path ?? CONFIG_PATH
  const checked = checkConfiguration(await readConfiguration(inputs, shell, path), path)
  if (checked.ok) {
    return {
      outputs: { valid: 'true', digest: checked.value.digest },
      summary: `### ${codeSpan(path)} holds\n\nDigest ${codeSpan(checked.value.digest)}. Not checked: ${NOT_ASKED}.`,
      said: `${path} holds, digest ${checked.value.digest}; not checked: ${NOT_ASKED}`,
      warnings: [],
    }
  }
  return {
    outputs: { valid: 'false', digest: '' },
    summary: `### ${codeSpan(path)} does not hold\n\n${renderProblems(checked.problems)}`,
    said: `${path} does not hold: ${checked.problems.length} problems`,
    warnings: [],
    failures: checked.problems,
  }
}

async function readConfiguration(inputs: Inputs, shell: Shell, path: string): Promise<string> {
  const read = await readWorkspaceFile(path, inputs, shell)
  if ('bytes' in read) return read.bytes.toString('utf8')
  throw new RingmasterError('bad-input', {
    code: 'configuration-unreadable',
    message: `expected a configuration at ${quoted(path)} in the workspace, found ${read.found}`,
    hint: 'add a step `uses: actions/checkout` before this one, or set `path`',
    path,
  })
}

const renderProblems = (problems: readonly Problem[]): string =>
  markdownTable(
    ['Line', 'Problem', 'What to do'],
    problems.map(({ line, message, hint }) => [
      String(line ?? ''),
      escapeMarkdown(message),
      escapeMarkdown(hint ?? ''),
    ]),
  )

import { type ConfigChecks, REFUSED_KEY, type RefusedConfig } from '../core/config/in-force.ts'
import { CONFIG_PATH } from '../core/config/parse.ts'
import type { Surroundings } from './desired.ts'
import type { Output } from './output.ts'
import { escapeMarkdown, truncate } from './text.ts'

type Check = ConfigChecks['checks'][number]
type Problem = Check['problems'][number]

/** GitHub takes fifty annotations a request. */
const MAX_ANNOTATIONS = 50

const line = ({ message, hint, line: at }: Problem): string =>
  `- ${at === undefined ? '' : `line ${at}: `}${escapeMarkdown(message)}.${hint ? ` ${escapeMarkdown(hint)}` : ''}`

/** The check run on a pull request that proposes a configuration: every problem at its line. */
export const configurationCheck = ({ repository, commit, problems }: Check, subject: string): Output => ({
  kind: 'check-run',
  subject,
  key: `configuration/${commit}`,
  repository,
  sha: commit,
  name: 'ringmaster/configuration',
  status: 'completed',
  conclusion: problems.length === 0 ? 'success' : 'failure',
  title: problems.length === 0 ? 'The configuration is valid' : `${problems.length} problem(s)`,
  summary:
    problems.length === 0
      ? 'It takes effect when it is merged by a pull request that somebody approved whom the configuration in force allows to.'
      : problems.map(line).join('\n'),
  annotations: problems.slice(0, MAX_ANNOTATIONS).map((problem) => ({
    path: problem.path ?? CONFIG_PATH,
    line: problem.line ?? 1,
    message: truncate(`${problem.message}. ${problem.hint ?? ''}`.trim(), 1_000),
  })),
})

/** The alarm while the newest configuration of the default branch is not in force. */
export const refusedConfiguration = ({ refused }: RefusedConfig, { releaseRepository }: Surroundings): Output => ({
  kind: 'alarm',
  subject: REFUSED_KEY,
  key: 'alarm/configuration-refused',
  repository: releaseRepository,
  title: 'Ringmaster alarm: the configuration was refused',
  body: [
    refused
      ? `The configuration at ${refused.commit} is not in force; the one before it holds, where there was one.`
      : 'A sound configuration is in force again.',
    '',
    ...(refused?.problems ?? []).map(line),
  ].join('\n'),
  isOpen: refused !== null,
})

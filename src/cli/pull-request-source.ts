import type { ParseArgsConfig } from 'node:util'
import { z } from 'zod'
import { digestOf } from '../core/json.ts'
import { accepted, type Checked, type Problem, rejected, unwrap } from '../core/problem.ts'
import {
  changeSources,
  type LabelRule,
  type PullRequest,
  parseLabelRule,
  pullRequestsNamedIn,
  type Reread,
  rereadBy,
} from '../core/version/pull-requests.ts'
import type { Commit } from '../core/version/schema.ts'
import type { VersionQuestion } from '../git/compute-version.ts'
import { type CliCommand, usageError } from './command.ts'
import { readInput } from './files.ts'
import { oneOf } from './version-options.ts'

/** Options that let pull requests say what a change asks for. The Action asks GitHub; here a file tells. */
export const SOURCE_OPTIONS = {
  source: { type: 'string' },
  'pull-requests': { type: 'string' },
  'label-level': { type: 'string', multiple: true },
} as const satisfies ParseArgsConfig['options']

export const SOURCE_USAGE = '[--source commits|titles|labels [--pull-requests FILE] [--label-level "LABEL: LEVEL"]…]'

interface SourceValues {
  readonly source?: string | undefined
  readonly 'pull-requests'?: string | undefined
  readonly 'label-level'?: readonly string[] | undefined
}

/** Pull requests of a file, and what they are judged by. */
export interface PullRequestSource {
  readonly kind: 'titles' | 'labels'
  readonly digest: string
  readonly reread: (commits: readonly Commit[]) => Reread
}

type Command = Pick<CliCommand, 'usage'>

/**
 * Reads the options and the file they name; null where commits speak for themselves. `values` are as they were given,
 * `options` with what a configuration says beside them.
 */
export async function readPullRequestSource(
  values: SourceValues,
  options: SourceValues,
  command: Command,
): Promise<PullRequestSource | null> {
  const kind = oneOf(options.source, 'source', changeSources, command) ?? 'commits'
  const path = values['pull-requests']
  if (kind !== 'labels' && values['label-level'] !== undefined) {
    throw usageError('expected --source labels beside --label-level, found none', command)
  }
  if (kind === 'commits') {
    if (path !== undefined) throw usageError('expected --source titles or labels beside --pull-requests', command)
    return null
  }
  if (path === undefined) {
    const asked = values.source === undefined ? `for source: ${kind} of the configuration` : `beside --source ${kind}`
    throw usageError(`expected --pull-requests ${asked}, found none`, command)
  }
  const rule = kind === 'labels' ? unwrap(parseLabelRule(options['label-level'] ?? [])) : null
  const pullRequests = unwrap(parsePullRequests(Buffer.from(await readInput(path, 'pull requests')).toString(), path))
  const byNumber = new Map(pullRequests.map((one) => [one.number, one]))
  return {
    kind,
    digest: digestOf([kind, rule === null ? null : namesOf(rule), pullRequests]),
    reread: (commits) => rereadBy(rule, commits, pullRequestsNamedIn(commits, byNumber)),
  }
}

/** The part of a question about versions that lets pull requests speak. */
export const rereadingBy = (source: PullRequestSource | null): Pick<VersionQuestion, 'reread'> =>
  source === null ? {} : { reread: async (commits) => source.reread(commits) }

const namesOf = ({ levels, unlabelled }: LabelRule): unknown => [[...levels], unlabelled]

/** One line of the file; what else GitHub tells of a pull request is of no matter. */
const Line = z.object({
  number: z.int().min(1).max(999_999_999),
  title: z.string(),
  labels: z.array(z.union([z.string(), z.object({ name: z.string() }).transform(({ name }) => name)])),
})

/** Reads one JSON object a line; tells every line that cannot be read. Of two lines of one number the later counts. */
function parsePullRequests(text: string, path: string): Checked<PullRequest[], 'pull-requests-file'> {
  const pullRequests: PullRequest[] = []
  const problems: Problem<'pull-requests-file'>[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const read = Line.safeParse(jsonOf(line))
    if (read.success) pullRequests.push(read.data)
    else problems.push({ ...unreadable, path, line: index + 1 })
  }
  return problems.length > 0 ? rejected(...problems) : accepted(pullRequests)
}

const unreadable = {
  code: 'pull-requests-file',
  message: 'expected a line such as {"number":7,"title":"Add a pump","labels":["feature"]}, found something else',
} as const

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

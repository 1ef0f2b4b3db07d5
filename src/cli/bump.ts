import { unwrap } from '../core/problem.ts'
import { commitsText, type ExplainedCommit, type Explanation, explainBump } from '../core/version/explain.ts'
import { parseVersion } from '../core/version/version.ts'
import { type ComputedVersion, computeVersion } from '../git/compute-version.ts'
import { bumpRows, renderTextTable } from '../render/text-table.ts'
import { type CliCommand, type CommandIo, readOptions, usageError } from './command.ts'
import { sayWarnings } from './problem-text.ts'
import { readPullRequestSource, rereadingBy, SOURCE_OPTIONS, SOURCE_USAGE } from './pull-request-source.ts'
import {
  LINE_OPTIONS,
  readLine,
  readProductChoice,
  VERSION_OPTIONS,
  VERSION_USAGE,
  withConfiguration,
} from './version-options.ts'

const DEFAULT_ROWS = 50

const OPTIONS = {
  ...VERSION_OPTIONS,
  ...LINE_OPTIONS,
  ...SOURCE_OPTIONS,
  rows: { type: 'string' },
  backtest: { type: 'boolean' },
  state: { type: 'string' },
  since: { type: 'string' },
} as const

/** What comes next for a product of a checkout, and why, commit by commit. */
export const bumpCommand: CliCommand = {
  name: 'bump',
  usage: `ringmaster bump ${VERSION_USAGE} ${SOURCE_USAGE} [--prerelease LABEL | --graduate LABEL | --build [--latest-build VERSION]] [--rows N] [--json]
       ringmaster bump --backtest ${VERSION_USAGE} ${SOURCE_USAGE} [--since VERSION] [--state FILE] [--rows N] [--json]`,
  summary: 'Compute the next version of a checkout and explain it, or replay its releases under every preset.',
  async run(args, io) {
    const { values, positionals } = readOptions(bumpCommand, args, OPTIONS)
    if (positionals.length > 0) throw usageError(`expected only options, found "${positionals[0]}"`, bumpCommand)
    const line = readLine(values, bumpCommand)
    const options = await withConfiguration(values, bumpCommand)
    const choice = readProductChoice(options, line, bumpCommand)
    const source = await readPullRequestSource(values, options, bumpCommand)
    const rows = rowsOf(values.rows)
    if (values.backtest) {
      if (line.kind !== 'release') throw usageError('expected --backtest without another line', bumpCommand)
      const { backtest } = await import('./backtest.ts')
      const since = values.since === undefined ? null : unwrap(parseVersion(choice.pattern.scheme, values.since))
      return backtest(choice, { source, since, statePath: values.state ?? null, rows }, io)
    }
    if (values.state !== undefined || values.since !== undefined)
      throw usageError('expected --backtest beside --state and --since, found none', bumpCommand)
    const computed = await computeVersion({ ...choice, line, ownRef: null, below: null, ...rereadingBy(source) })
    const explanation = explainBump(computed.decision, computed.commits, rows, computed.outside)
    if (io.json) io.out(JSON.stringify(documentOf(computed, explanation)))
    else tell(computed, explanation, io)
    return 0
  },
}

function rowsOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_ROWS
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw usageError(`expected a number of rows for --rows, found "${text.slice(0, 40)}"`, bumpCommand)
}

/** For machines: the same names as the Action's outputs and its explanation. */
const documentOf = (computed: ComputedVersion, { summary, rows, outside }: Explanation) => ({
  version: computed.version,
  tagName: computed.tagName,
  previousVersion: computed.previousVersion,
  released: computed.released,
  bump: computed.bump,
  level: computed.decision.level,
  policy: computed.decision.policy,
  preset: computed.decision.preset,
  head: computed.sha,
  tag: computed.tag,
  latestOnLine: computed.latestOnLine,
  decidedBy: computed.decision.decidedBy,
  summary,
  warnings: computed.warnings,
  commits: rows,
  omitted: computed.decision.commits.length - rows.length,
  outsidePath: computed.outsidePath,
  outside,
  unreadTags: computed.unreadTags,
})

function tell(computed: ComputedVersion, explanation: Explanation, io: CommandIo): void {
  io.out(headlineOf(computed))
  io.out(explanation.summary)
  tellRows(explanation.rows, io)
  const omitted = computed.decision.commits.length - explanation.rows.length
  if (omitted > 0) io.out(`and ${commitsText(omitted, 'older')} (--rows N shows more).`)
  tellOutside(computed.outsidePath, explanation, io)
  tellUnread(computed.unreadTags, io)
  if (computed.deepened) io.out('The checkout was shallow and has been deepened.')
  sayWarnings(computed.warnings, io)
}

function tellRows(rows: readonly ExplainedCommit[], io: CommandIo): void {
  if (rows.length === 0) return
  io.out('')
  for (const line of renderTextTable(['COMMIT', 'ASKS FOR', 'RULE', 'MESSAGE'], bumpRows(rows))) io.out(line)
}

function tellOutside(count: number, { outside }: Explanation, io: CommandIo): void {
  if (count === 0) return
  io.out('')
  const which = outside.length === 0 || outside.length === count ? '' : `, the newest ${outside.length} of them`
  io.out(
    `${commitsText(count)} ${count === 1 ? 'changes' : 'change'} nothing of this product${which}${outside.length === 0 ? '.' : ':'}`,
  )
  tellRows(outside, io)
}

const MOST_TAGS = 10

function tellUnread(tags: readonly string[], io: CommandIo): void {
  if (tags.length === 0) return
  io.out(
    `Tags that fit the pattern and name no version: ${tags.slice(0, MOST_TAGS).join(', ')}${tags.length > MOST_TAGS ? ' …' : ''}`,
  )
}

function headlineOf({ version, released, tagName, latestOnLine }: ComputedVersion): string {
  if (version === null) return `No new version${latestOnLine === null ? '' : ` since ${latestOnLine}`}.`
  return released ? `${version} (tag ${tagName})` : `${version}, released already (tag ${tagName})`
}

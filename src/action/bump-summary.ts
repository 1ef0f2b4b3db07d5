import { commitsText, type ExplainedCommit, type Explanation, explainBump } from '../core/version/explain.ts'
import type { ComputedVersion } from '../git/compute-version.ts'
import { codeSpan, escapeMarkdown, markdownTable, truncate } from '../render/text.ts'
import type { Inputs } from './read-inputs.ts'

const MOST_ROWS = 200
const LONGEST_TITLE = 100
const LONGEST_RULE = 120

/** The explanation of a version: one row for each commit, the newest first. */
export const explainVersion = ({ decision, commits, outside }: ComputedVersion): Explanation =>
  explainBump(decision, commits, MOST_ROWS, outside)

/** What gave a version, as a Markdown table; also used where a build computes its own. */
export function renderBump(inputs: Inputs, computed: ComputedVersion, explanation: Explanation): string {
  const hidden = computed.decision.commits.length - explanation.rows.length
  return [
    `### ${headline(inputs, computed)}`,
    escapeMarkdown(explanation.summary),
    ...explanation.warnings.map(({ message }) => `- ${escapeMarkdown(message)}`),
    ...renderRows(explanation.rows),
    ...(hidden > 0 ? [`and ${commitsText(hidden, 'older')}.`] : []),
    ...renderOutside(computed.outsidePath, explanation),
    ...renderUnread(computed),
  ].join('\n\n')
}

function renderRows(explained: readonly ExplainedCommit[]): string[] {
  if (explained.length === 0) return []
  const rows = explained.map(({ sha, title, level, rule, decides, warnings }) => [
    codeSpan(sha.slice(0, 7)),
    escapeMarkdown(truncate(title, LONGEST_TITLE)),
    decides ? `**${level}**` : level,
    escapeMarkdown(truncate(rule, LONGEST_RULE)),
    warnings.map(({ message }) => escapeMarkdown(message)).join('<br>'),
  ])
  return [markdownTable(['Commit', 'Message', 'Asks for', 'Rule', 'Warnings'], rows)]
}

const MOST_OUTSIDE = 20

function renderOutside(count: number, { outside }: Explanation): string[] {
  if (count === 0) return []
  const shown = outside.slice(0, MOST_OUTSIDE)
  const which = shown.length < count ? `, the newest ${shown.length} of them` : ''
  return [
    `${commitsText(count)} ${count === 1 ? 'changes' : 'change'} nothing of this product${which}:`,
    ...renderRows(shown),
  ]
}

function headline(inputs: Inputs, { version, released, previousVersion }: ComputedVersion): string {
  const product = inputs.product === null ? '' : `${escapeMarkdown(inputs.product)}: `
  if (version === null) return `${product}no new version`
  const before = released && previousVersion !== null ? `${codeSpan(previousVersion)} → ` : ''
  return `${product}${before}${codeSpan(version)}${released ? '' : ', released already'}`
}

const MOST_TAGS = 10

function renderUnread({ unreadTags }: ComputedVersion): string[] {
  if (unreadTags.length === 0) return []
  const more = unreadTags.length > MOST_TAGS ? ' …' : ''
  return [
    `Tags that fit the pattern and name no version: ${unreadTags.slice(0, MOST_TAGS).map(codeSpan).join(', ')}${more}`,
  ]
}

import { type Explanation, explainBump } from '../core/version/explain.ts'
import type { ComputedVersion } from '../git/compute-version.ts'
import { codeSpan, escapeMarkdown, markdownTable, truncate } from '../render/text.ts'
import type { Inputs } from './read-inputs.ts'

const MOST_ROWS = 200
const LONGEST_TITLE = 100
const LONGEST_RULE = 120

/** The explanation of a version: one row for each commit, the newest first. */
export const explainVersion = ({ decision, commits }: ComputedVersion): Explanation =>
  explainBump(decision, commits, MOST_ROWS)

/** What gave a version, as a Markdown table; also used where a build computes its own. */
export function renderBump(inputs: Inputs, computed: ComputedVersion, explanation: Explanation): string {
  const rows = explanation.rows.map(({ sha, title, level, rule, decides, warnings }) => [
    codeSpan(sha.slice(0, 7)),
    escapeMarkdown(truncate(title, LONGEST_TITLE)),
    decides ? `**${level}**` : level,
    escapeMarkdown(truncate(rule, LONGEST_RULE)),
    warnings.map(({ message }) => escapeMarkdown(message)).join('<br>'),
  ])
  const hidden = computed.decision.commits.length - rows.length
  return [
    `### ${headline(inputs, computed)}`,
    escapeMarkdown(explanation.summary),
    ...explanation.warnings.map(({ message }) => `- ${escapeMarkdown(message)}`),
    ...(rows.length === 0 ? [] : [markdownTable(['Commit', 'Message', 'Asks for', 'Rule', 'Warnings'], rows)]),
    ...(hidden > 0 ? [`and ${hidden} older commits.`] : []),
    ...(computed.outsidePath > 0 ? [`${computed.outsidePath} commits change nothing of this product.`] : []),
    ...renderUnread(computed),
  ].join('\n\n')
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

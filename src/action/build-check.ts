import { accepted, type Checked, rejected } from '../core/problem.ts'
import { BUILD_CHECK_PREFIX, type BuildRecord, type BuildStatus } from '../core/product/schema.ts'
import { codeSpan, escapeMarkdown, fitted, markdownTable, truncate } from '../render/text.ts'
import type { Check } from './write-check.ts'

/** Limits of GitHub's check runs (https://docs.github.com/rest/checks/runs). */
const MAX_TITLE_LENGTH = 255
const MAX_TEXT_LENGTH = 65_535
const MOST_ARTIFACTS_SHOWN = 50
const MAX_ACTION_SHOWN = 5_000

const STATE_OF = {
  pending: { status: 'queued' },
  started: { status: 'in_progress' },
  completed: { status: 'completed', conclusion: 'success' },
  failed: { status: 'completed', conclusion: 'failure' },
  aborted: { status: 'completed', conclusion: 'cancelled' },
} as const satisfies Record<BuildStatus, Check['state']>

/** Renders a build as a check run; refuses one whose record is longer than GitHub keeps, because half of it says nothing. */
export function buildCheckOf(record: BuildRecord): Checked<Check, 'record-too-large'> {
  const text = renderBuildText(record)
  if (text.length > MAX_TEXT_LENGTH) {
    return rejected({
      code: 'record-too-large',
      message: `expected a record of at most ${MAX_TEXT_LENGTH} characters, found ${text.length}`,
      hint: 'name fewer artifacts, or give them shorter addresses',
      path: 'artifacts',
    })
  }
  return accepted({
    name: `${BUILD_CHECK_PREFIX}${record.product}`,
    state: STATE_OF[record.status],
    output: {
      title: truncate(`${record.product} ${record.version}: ${record.status}`, MAX_TITLE_LENGTH),
      summary: renderBuildSummary(record),
      text,
    },
  })
}

/**
 * The record as the text of the check run. It is JSON on lines that all begin with a sign of JSON or a blank, so no
 * text in it can close the fence.
 */
const renderBuildText = (record: BuildRecord): string =>
  `Read by machines; the summary says the same for people.\n\n\`\`\`json\n${JSON.stringify(record, null, 1)}\n\`\`\`\n`

/** The build for people: one table, and one more for what devices may install. */
export function renderBuildSummary(record: BuildRecord): string {
  const rows = [
    ['Product', escapeMarkdown(record.product)],
    ['Version', codeSpan(record.version)],
    ['Before', record.previousVersion === null ? 'none' : codeSpan(record.previousVersion)],
    ['Bump', record.bump],
    ['Status', record.status],
    ...(record.path === undefined ? [] : [['Folder', codeSpan(record.path)]]),
    ...(record.branch === undefined ? [] : [['Branch', codeSpan(record.branch)]]),
    ['Run', `${record.run.id}, attempt ${record.run.attempt}`],
  ]
  const { customerAction: asks } = record
  const action = asks === undefined ? [] : [`Asks of the customer: ${fitted(asks, escapeMarkdown, MAX_ACTION_SHOWN)}`]
  return [markdownTable(['Build', ''], rows), ...action, ...renderArtifacts(record)].join('\n\n')
}

function renderArtifacts({ artifacts }: BuildRecord): string[] {
  if (artifacts.length === 0) return []
  const rows = artifacts
    .slice(0, MOST_ARTIFACTS_SHOWN)
    .map(({ name, target, size, sha256 }) => [
      codeSpan(name),
      target === undefined ? '' : codeSpan(target),
      String(size),
      codeSpan(sha256),
    ])
  const more = artifacts.length - rows.length
  return [
    markdownTable(['Artifact', 'Target', 'Bytes', 'SHA-256'], rows),
    ...(more > 0 ? [`and ${more} more, named in the record below.`] : []),
  ]
}

import type { GateState } from '../core/ring/schema.ts'
import { codeSpan, escapeMarkdown, truncate } from './text.ts'

/** GitHub takes comments of at most 1,024 characters; the marker and the log head come on top of the words. */
const MAX_WORDS = 760

const item = (entry: { readonly product: string; readonly version: string }): string =>
  codeSpan(truncate(`${entry.product}@${entry.version}`, 80))

/** What the waiting job shows: what was let in, or every reason why it waits, as far as they fit. */
export function renderGate(gate: GateState, headDigest: string, unprotected: boolean): string {
  const items = gate.items.map(item).join(', ') || 'nothing known'
  const words =
    gate.verdict === 'approved'
      ? [`Approved: ${items} may enter ${escapeMarkdown(gate.environment)}.`]
      : [`Waiting: ${items} may not enter ${escapeMarkdown(gate.environment)} yet.`, ...blockers(gate)]
  const log = `Log head \`${headDigest.slice(0, 23)}\`${unprotected ? ', **unprotected log**' : ''}.`
  return `${truncateLines(words, MAX_WORDS)}\n\n${log}`
}

const blockers = (gate: GateState): string[] =>
  gate.blockers.map(
    (blocker) =>
      `- **${blocker.code}**: ${escapeMarkdown(truncate(blocker.message, 160))}. ${escapeMarkdown(truncate(blocker.hint, 120))}`,
  )

/** Whole lines as far as they fit; how many more there are is said. */
function truncateLines(lines: readonly string[], maxLength: number): string {
  const kept: string[] = []
  let length = 0
  for (const [index, line] of lines.entries()) {
    length += line.length + 1
    if (length > maxLength) return [...kept, `- and ${lines.length - index} more`].join('\n')
    kept.push(line)
  }
  return kept.join('\n')
}

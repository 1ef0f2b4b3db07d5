import type { GateState } from '../core/ring/schema.ts'
import { codeSpan, escapeMarkdown, fitted, foldLines } from './text.ts'

/** GitHub takes comments of at most 1,024 characters; the marker and the log head come on top of the words. */
const MAX_WORDS = 800
const MAX_ITEMS = 300

const item = (entry: { readonly product: string; readonly version: string }): string =>
  fitted(`${entry.product}@${entry.version}`, codeSpan, 120)

/** The versions as far as they fit, and how many more there are. */
function itemsLine(gate: GateState): string {
  let left = MAX_ITEMS
  const shown = gate.items.map(item).filter((text) => {
    left -= text.length + 2
    return left >= 0
  })
  const more = gate.items.length - shown.length
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ') || 'nothing known'
}

/** What the waiting job shows: what was let in, or every reason why it waits, as far as they fit. */
export function renderGate(gate: GateState, anchor: string, unprotected: boolean): string {
  const environment = fitted(gate.environment, escapeMarkdown, 120)
  const blockers = gate.blockers.map(blockerLine)
  const words = {
    approved: [`Approved: ${itemsLine(gate)} may enter ${environment}.`],
    rejected: [
      `Rejected: ${itemsLine(gate)} may not enter ${environment}; run it again when this is mended.`,
      ...blockers,
    ],
    waiting: [`Waiting: ${itemsLine(gate)} may not enter ${environment} yet.`, ...blockers],
    closed: ['The run is over.'],
  }[gate.verdict]
  const log = `Log head \`${anchor}\`${unprotected ? ', **unprotected log**' : ''}.`
  return `${foldLines(words, MAX_WORDS, '- ').join('\n')}\n\n${log}`
}

const blockerLine = ({ code, message, hint }: GateState['blockers'][number]): string =>
  `- **${code}**: ${fitted(message, escapeMarkdown, 200)}. ${fitted(hint, escapeMarkdown, 140)}`

import type { ExplainedCommit } from '../core/version/explain.ts'
import { truncate } from './text.ts'

const HIDDEN = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu

/** Text from outside on one line of a terminal: what could move the cursor or hide text becomes U+FFFD. */
export const plainLine = (text: string): string => text.replace(/[\t\r\n]+/g, ' ').replace(HIDDEN, '\ufffd')

/** Columns beside each other, two blanks apart, for a terminal; the last one is not filled up. */
export function renderTextTable(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const lines = [header, ...rows].map((cells) => cells.map(plainLine))
  const widths = header.map((_, column) =>
    lines.reduce((widest, cells) => Math.max(widest, (cells[column] ?? '').length), 0),
  )
  return lines.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

const LONGEST_RULE = 40
const LONGEST_TITLE = 80

/** One row for each explained commit; a star marks what decides, and warnings follow the message. */
export const bumpRows = (rows: readonly ExplainedCommit[]): string[][] =>
  rows.map(({ sha, level, decides, rule, title, warnings }) => [
    sha.slice(0, 7),
    decides ? `${level} *` : level,
    truncate(rule, LONGEST_RULE),
    [truncate(title, LONGEST_TITLE), ...warnings.map(({ code }) => `[${code}]`)].join(' '),
  ])

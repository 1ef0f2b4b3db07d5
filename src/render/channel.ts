import { z } from 'zod'
import { escapeMarkdown, fitted } from './text.ts'

const Row = z.object({ label: z.string(), status: z.string(), next: z.int().nullable(), required: z.boolean() })
type Row = z.infer<typeof Row>

/** Mermaid reads `#64;` as the sign with that number: nothing else of a label can mean anything there. */
const shown = (text: string): string =>
  [...text].map((sign) => (/[A-Za-z0-9 .%]/.test(sign) ? sign : `#${sign.codePointAt(0)};`)).join('')

function rowOf(text: string): Row | undefined {
  try {
    return Row.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

/** A channel as a Mermaid picture: one box a release, an arrow to the one it leads to, thick boxes for required ones. */
export function renderPicture(rows: readonly Row[]): string {
  const boxes = rows.map(({ label, status, required }, at) => {
    const [open, close] = required ? ['[["', '"]]'] : ['["', '"]']
    return `  r${at}${open}${shown(label)}<br>${shown(status)}${close}`
  })
  const arrows = rows.flatMap(({ next }, at) => (next === null ? [] : [`  r${at} --> r${next}`]))
  return ['```mermaid', 'flowchart LR', ...boxes, ...arrows, '```'].join('\n')
}

/** What a change to a channel came to: its headline, who moves where, and the channel as it stands then. */
export function renderChannelChange(values: readonly string[]): string {
  const [headline = '', count = '0', ...rest] = values
  const plain = (text: string): string => fitted(text, escapeMarkdown, 1_000)
  const lines = rest.slice(0, Number(count))
  const rows = rest.slice(Number(count)).flatMap((text) => rowOf(text) ?? [])
  return [
    `${plain(headline)}.`,
    '',
    ...lines.map((line) => `- ${plain(line)}`),
    ...(rows.length > 0 ? ['', renderPicture(rows)] : []),
  ].join('\n')
}

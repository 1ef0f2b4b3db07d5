import { z } from 'zod'
import type { ChannelEffect } from '../core/cohort/effect-schema.ts'
import type { Channel } from '../core/cohort/schema.ts'
import { effectLines, type PictureRow, pictureRows } from '../core/cohort/telling.ts'
import { codeSpan, escapeMarkdown, fitted, foldLines, MAX_BODY } from './text.ts'

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
export function renderPicture(rows: readonly PictureRow[]): string {
  const boxes = rows.map(({ label, status, required }, at) => {
    const [open, close] = required ? ['[["', '"]]'] : ['["', '"]']
    return `  r${at}${open}${shown(label)}<br>${shown(status)}${close}`
  })
  const arrows = rows.flatMap(({ next }, at) => (next === null ? [] : [`  r${at} --> r${next}`]))
  return ['```mermaid', 'flowchart LR', ...boxes, ...arrows, '```'].join('\n')
}

const MOST_LINES = 20
const plain = (text: string): string => fitted(text, escapeMarkdown, 1_000)

/** A version that a ring brought to a cohort, what that was seen to do to its devices, and its channel as it stands. */
export interface Brought {
  readonly release: string
  readonly effect: ChannelEffect | null
  readonly channel: Channel
  readonly at: string
}

/** A comment for a thousand cohorts would be read by nobody. */
export const MOST_BROUGHT_TO = 20
/** Beyond these cohorts a comment shows no pictures: it has an end. */
const MOST_PICTURES = 5

function broughtSection({ release, effect, channel, at }: Brought, index: number): string {
  const lines = effect === null ? ['what this does to devices could not be told'] : effectLines(effect)
  return [
    `${codeSpan(release)} has come to the devices of ${codeSpan(channel.cohort)}:`,
    '',
    ...lines.slice(0, MOST_LINES).map((line) => `- ${plain(line)}`),
    ...(index < MOST_PICTURES ? ['', renderPicture(pictureRows(channel, at))] : []),
  ].join('\n')
}

/** What the versions of a release came to at the devices of the cohorts that its rings serve. */
export const renderBrought = (brought: readonly Brought[]): string =>
  ['### Devices', ...foldLines(brought.map(broughtSection), MAX_BODY - 200)].join('\n\n')

/** What a change to a channel came to: its headline, who moves where, and the channel as it stands then. */
export function renderChannelChange(values: readonly string[]): string {
  const [headline = '', count = '0', ...rest] = values
  const lines = rest.slice(0, Number(count))
  const rows = rest.slice(Number(count)).flatMap((text) => rowOf(text) ?? [])
  return [
    `${plain(headline)}.`,
    '',
    ...lines.map((line) => `- ${plain(line)}`),
    ...(rows.length > 0 ? ['', renderPicture(rows)] : []),
  ].join('\n')
}

import { Liquid } from 'liquidjs'
import { accepted, type Checked, rejected } from '../core/problem.ts'
import type { NoteEntry, Notes } from '../core/version/notes.ts'
import { type RepositoryUrl, renderEntry, renderNotes } from './notes.ts'
import { escapeMarkdown } from './text.ts'

/** What a team's template may name. */
export interface TemplateData {
  readonly product: string
  readonly version: string
  readonly previousVersion: string | null
  /** YYYY-MM-DD. */
  readonly date: string
  readonly notes: Notes
  readonly repository: RepositoryUrl
}

/** A template of people may be slow or greedy without meaning to. */
const limits = { parseLimit: 200_000, renderLimit: 5_000, memoryLimit: 50_000_000 } as const

/**
 * Renders a team's own liquid template. Every text is escaped for Markdown where it is put out; `markdown` and the
 * `line` of an entry are finished Markdown and need `| raw`. A template reads no files and sees nothing that is not
 * meant for its audience, because the notes do not hold it. A fault is told with its place.
 */
export function renderTemplate(template: string, data: TemplateData): Checked<string, 'template'> {
  const engine = new Liquid({
    ...limits,
    templates: {},
    ownPropertyOnly: true,
    strictFilters: true,
    strictVariables: true,
    lenientIf: true,
    timezoneOffset: 0,
    outputEscape: (value: unknown) => shown(textOf(value)),
  })
  try {
    return accepted(String(engine.parseAndRenderSync(template, contextOf(data))))
  } catch (error) {
    const said = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
    return rejected({ code: 'template', message: `expected a liquid template that renders, found: ${said}` })
  }
}

/** Versions and dates are plain text in Markdown wherever they stand. */
const shown = (text: string): string => (/^\d[0-9A-Za-z.+-]*$/.test(text) ? text : escapeMarkdown(text))

const textOf = (value: unknown): string => (value === null || value === undefined ? '' : String(value))

function contextOf({ product, version, previousVersion, date, notes, repository }: TemplateData): object {
  const entry = (one: NoteEntry): object => ({ ...one, line: renderEntry(one, repository) })
  return {
    ...{ product, version, previousVersion, date, repository },
    audience: notes.audience,
    contributors: notes.contributors,
    breaking: notes.breaking.map(entry),
    groups: notes.groups.map(({ type, title, scopes }) => ({
      ...{ type, title },
      entries: scopes.flatMap(({ entries }) => entries).map(entry),
    })),
    markdown: renderNotes(notes, repository),
  }
}

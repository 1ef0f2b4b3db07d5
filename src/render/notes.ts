import type { NoteEntry, NoteGroup, Notes } from '../core/version/notes.ts'
import type { Reference } from '../core/version/references.ts'
import { codeSpan, escapeMarkdown } from './text.ts'

/** Where links lead: the page of the repository, such as `https://github.com/acme/api`; null: no links. */
export type RepositoryUrl = string | null

/** The notes of one product's version as Markdown, without a heading of its own; '' where there is nothing to tell. */
export function renderNotes(notes: Notes, repository: RepositoryUrl, level = 3): string {
  const mark = '#'.repeat(level)
  const groups = notes.groups.map((group) => [group.title, renderGroup(group, repository)] as const)
  const sections = [
    ...(notes.breaking.length === 0
      ? []
      : [
          [
            `${mark} Breaking changes`,
            notes.breaking.map((entry) => `- ${renderBreaking(entry, repository)}`).join('\n'),
          ],
        ]),
    ...groups.filter(([, text]) => text !== '').map(([title, text]) => [`${mark} ${escapeMarkdown(title)}`, text]),
    ...(notes.contributors.length === 0
      ? []
      : [[`${mark} Thanks`, `Thanks to ${notes.contributors.map(escapeMarkdown).join(', ')}.`]]),
  ]
  return sections.flat().join('\n\n')
}

/** One product of a release. */
export interface ProductNotes {
  readonly product: string
  readonly version: string
  readonly notes: Notes
  readonly repository: RepositoryUrl
}

/** The notes of a whole release: what breaks in any product first, then product by product, in the order given. */
export function renderReleaseNotes(products: readonly ProductNotes[]): string {
  const breaking = products.flatMap(({ product, notes, repository }) =>
    notes.breaking.map((entry) => `- **${escapeMarkdown(product)}** ${renderBreaking(entry, repository)}`),
  )
  const parts = products.map(({ product, version, notes, repository }) => {
    const text = renderNotes({ ...notes, breaking: [] }, repository)
    const nothing = notes.breaking.length > 0 ? 'Only what breaks, above.' : 'No changes to tell.'
    return `## ${escapeMarkdown(product)} ${codeSpan(version)}\n\n${text || nothing}`
  })
  return [...(breaking.length === 0 ? [] : [`## Breaking changes\n\n${breaking.join('\n')}`]), ...parts].join('\n\n')
}

/** What breaks has its place above the groups, and is told once. */
const renderGroup = (group: NoteGroup, repository: RepositoryUrl): string =>
  group.scopes
    .flatMap(({ entries }) => entries)
    .filter(({ breaking }) => breaking === null)
    .map((entry) => `- ${renderEntry(entry, repository)}`)
    .join('\n')

/** The change, and behind it what its author says that it breaks, where that is more than the change itself. */
export function renderBreaking(entry: NoteEntry, repository: RepositoryUrl): string {
  const says = entry.breaking === entry.subject ? '' : `: ${escapeMarkdown(entry.breaking ?? '')}`
  return `${renderEntry(entry, repository)}${says}`
}

/** One change on one line: scope, subject, and the links that its audience may follow. */
export const renderEntry = (entry: NoteEntry, repository: RepositoryUrl): string =>
  `${scopeOf(entry)}${escapeMarkdown(entry.subject)}${linksOf(entry, repository)}`

const scopeOf = ({ scope }: NoteEntry): string => (scope === null ? '' : `**${escapeMarkdown(scope)}:** `)

function linksOf({ pullRequest, sha, references }: NoteEntry, repository: RepositoryUrl): string {
  const links = [
    ...(pullRequest === null ? [] : [issueLink({ repository: null, number: pullRequest }, repository, 'pull')]),
    ...(pullRequest === null && sha !== null ? [commitLink(sha, repository)] : []),
    ...references
      .filter(({ closes }) => closes)
      .map((reference) => `closes ${issueLink(reference, repository, 'issues')}`),
  ]
  return links.length === 0 ? '' : ` (${links.join(', ')})`
}

const commitLink = (sha: string, repository: RepositoryUrl): string =>
  repository === null ? codeSpan(sha.slice(0, 7)) : `[${codeSpan(sha.slice(0, 7))}](${repository}/commit/${sha})`

/** Only numbers and what GitHub allows in a repository's name reach the address. */
function issueLink(
  { repository, number }: Pick<Reference, 'repository' | 'number'>,
  own: RepositoryUrl,
  kind: 'pull' | 'issues',
): string {
  const text = `${repository === null ? '' : escapeMarkdown(repository)}#${number}`
  if (own === null) return text
  const page = repository === null ? own : new URL(`/${repository}`, own).href
  return `[${text}](${page}/${kind}/${number})`
}

import type { ChangeGroup, ChangeKind } from '../core/version/changelog.ts'
import type { NoteEntry, Notes } from '../core/version/notes.ts'
import { type RepositoryUrl, renderEntry } from './notes.ts'
import { escapeMarkdown } from './text.ts'

/** Where a type of commit stands in a changelog; what is absent has changed something. */
const kindOf: ReadonlyMap<string, ChangeKind> = new Map([
  ['feat', 'Added'],
  ['deprecate', 'Deprecated'],
  ['remove', 'Removed'],
  ['fix', 'Fixed'],
  ['security', 'Security'],
])

/** Notes as the groups of a changelog; what breaks comes first in its group and says so. */
export function changeGroupsOf(notes: Notes, repository: RepositoryUrl): ChangeGroup[] {
  const lines = new Map<ChangeKind, { breaking: string[]; other: string[] }>()
  for (const { type, scopes } of notes.groups) {
    const kind = kindOf.get(type) ?? 'Changed'
    const known = lines.get(kind) ?? { breaking: [], other: [] }
    lines.set(kind, known)
    for (const entry of scopes.flatMap(({ entries }) => entries)) {
      known[entry.breaking === null ? 'other' : 'breaking'].push(lineOf(entry, repository))
    }
  }
  return [...lines].map(([kind, { breaking, other }]) => ({ kind, lines: [...breaking, ...other] }))
}

function lineOf(entry: NoteEntry, repository: RepositoryUrl): string {
  const text = renderEntry(entry, repository)
  if (entry.breaking === null) return `- ${text}`
  const note = entry.breaking === entry.subject ? '' : ` ${escapeMarkdown(entry.breaking)}`
  return `- **Breaking:** ${text}${note === '' ? '' : `:${note}`}`
}

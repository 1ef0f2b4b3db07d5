import type { ChangeGroup, ChangeKind, ChangelogSection } from '../core/version/changelog.ts'
import type { NoteEntry, Notes } from '../core/version/notes.ts'
import { type TagPattern, tagNameOf } from '../core/version/tags.ts'
import { type RepositoryUrl, renderBreaking, renderEntry } from './notes.ts'

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

/** A version's section of a changelog, with links where the repository is known. */
export function changelogSectionOf(
  pattern: TagPattern,
  about: { readonly version: string; readonly previousVersion: string | null; readonly date: string },
  notes: Notes,
  repository: RepositoryUrl,
): ChangelogSection {
  const tag = (version: string): string => encodeURIComponent(tagNameOf(pattern, version))
  const before = about.previousVersion
  const own = repository === null ? null : `${repository}/releases/tag/${tag(about.version)}`
  return {
    ...{ version: about.version, date: about.date },
    groups: changeGroupsOf(notes, repository),
    compareUrl:
      repository === null || before === null ? own : `${repository}/compare/${tag(before)}...${tag(about.version)}`,
    unreleasedUrl: repository === null ? null : `${repository}/compare/${tag(about.version)}...HEAD`,
  }
}

function lineOf(entry: NoteEntry, repository: RepositoryUrl): string {
  if (entry.breaking === null) return `- ${renderEntry(entry, repository)}`
  return `- **Breaking:** ${renderBreaking(entry, repository)}`
}

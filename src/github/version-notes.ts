import type { Octokit } from '@octokit/rest'
import type { CommitSource } from '../core/product/bump-options.ts'
import { decideNext } from '../core/version/decide-next.ts'
import { collectNotes, type Notes, type NotesOptions } from '../core/version/notes.ts'
import { parseVersion } from '../core/version/version.ts'
import { readCommitRange } from './commit-range.ts'
import type { Place } from './tags.ts'

/** The notes of a version for one audience after the other, from commits that were read once. */
export type TellNotes = (options: Pick<NotesOptions, 'audience' | 'externalLinks'>) => Notes

/**
 * Reads what a version changes since the release below it. `too-many` where more commits came than are looked at along
 * the API, `uncounted` where none of them leads to a version. Throws what Octokit throws.
 */
export async function readVersionNotes(
  octokit: Octokit,
  at: Place,
  source: CommitSource,
  { version, sha }: { readonly version: string; readonly sha: string },
): Promise<TellNotes | 'too-many' | 'uncounted'> {
  const below = parseVersion(source.scheme, version)
  if (!below.ok) return 'uncounted'
  const range = await readCommitRange(octokit, at, source, sha, below.value)
  if (range === 'too-many') return range
  const from = range.from?.version.text ?? null
  const decided = decideNext(source.scheme, source.bump, from, range.commits, range.judge)
  if (!decided.ok) return 'uncounted'
  const { internalScopes = [], externalTypes } = source.notes ?? {}
  const kept = { internalScopes, ...(externalTypes === undefined ? {} : { externalTypes }) }
  return (options) => collectNotes(decided.value, range.commits, { ...kept, ...options })
}

import type { Octokit } from '@octokit/rest'
import { unwrap } from '../core/problem.ts'
import type { CommitSource } from '../core/product/bump-options.ts'
import { decideNext } from '../core/version/decide-next.ts'
import { collectNotes } from '../core/version/notes.ts'
import { parseVersion } from '../core/version/version.ts'
import { renderNotes } from '../render/notes.ts'
import { truncate } from '../render/text.ts'
import { readCommitRange } from './commit-range.ts'
import type { Place } from './tags.ts'

/** GitHub refuses longer ones (https://docs.github.com/rest/releases/releases). */
const MOST_CHARACTERS = 120_000

/**
 * What a version changes since the release below it, for whoever may read the repository: what releases and what
 * breaks, with links. '' where more commits came than are looked at along the API, or none
 * of them leads to a version.
 */
export async function cutNotes(
  octokit: Octokit,
  at: Place,
  source: CommitSource,
  { version, sha, url }: { readonly version: string; readonly sha: string; readonly url: string },
): Promise<string> {
  const below = unwrap(parseVersion(source.scheme, version))
  const range = await readCommitRange(octokit, at, source, sha, below)
  if (range === 'too-many') return ''
  const from = range.from?.version.text ?? null
  const decided = decideNext(source.scheme, source.bump, from, range.commits)
  if (!decided.ok) return ''
  const notes = collectNotes(decided.value, range.commits, { audience: 'external', externalLinks: true })
  return truncate(renderNotes(notes, url), MOST_CHARACTERS)
}

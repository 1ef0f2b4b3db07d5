import type { Octokit } from '@octokit/rest'
import type { CommitSource } from '../core/product/bump-options.ts'
import { renderNotes } from '../render/notes.ts'
import { truncate } from '../render/text.ts'
import type { Place } from './tags.ts'
import { readVersionNotes } from './version-notes.ts'

/** GitHub refuses longer ones (https://docs.github.com/rest/releases/releases). */
const MOST_CHARACTERS = 120_000

/**
 * What a version changes since the release below it, for whoever may read the repository: what releases and what
 * breaks, with links. '' where that cannot be told.
 */
export async function cutNotes(
  octokit: Octokit,
  at: Place,
  source: CommitSource,
  { version, sha, url }: { readonly version: string; readonly sha: string; readonly url: string },
): Promise<string> {
  const tell = await readVersionNotes(octokit, at, source, { version, sha })
  if (typeof tell === 'string') return ''
  return truncate(renderNotes(tell({ audience: 'external', externalLinks: true }), url), MOST_CHARACTERS)
}

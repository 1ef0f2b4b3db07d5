import type { Applied } from '../engine/ports.ts'
import type { NotedProduct, OutputOf } from '../render/output.ts'
import { type ReadNotes, renderReleaseNotesComment, type Untold } from '../render/release-notes.ts'
import { type GitHubApp, splitName } from './client.ts'
import { commentOutlet } from './comments.ts'
import { isFinal, translated } from './trouble.ts'
import { readVersionNotes } from './version-notes.ts'

/**
 * Reads what each version of a release changes and tells it on the release issue. All of it only where nobody reads the
 * issue but who was let in; elsewhere what customers may read, of repositories that everybody reads. Commits that cannot
 * be read are said so in their place.
 */
export const notesOutlet = (app: GitHubApp, clock: () => string) => {
  const say = commentOutlet(app, clock)
  return async (output: OutputOf<'notes'>, remote: string | null, isLook = false): Promise<Applied> => {
    const { subject, key, repository, issue, products } = output
    const { visibility } = await repositoryOf(app, repository.fullName)
    const read: ReadNotes[] = []
    for (const product of products) read.push(await readProduct(app, product, visibility === 'private'))
    const body = renderReleaseNotesComment(read)
    return say({ kind: 'comment', subject, key, repository, issue, body }, remote, isLook)
  }
}

interface Page {
  readonly visibility: string
  readonly url: string
}

async function repositoryOf(app: GitHubApp, fullName: string): Promise<Page> {
  const octokit = await app.forRepository(fullName)
  const { data } = await octokit.request('GET /repos/{owner}/{repo}', { ...splitName(fullName) })
  return { visibility: data.visibility ?? (data.private ? 'private' : 'public'), url: data.html_url }
}

async function readProduct(app: GitHubApp, noted: NotedProduct, isForTheTeam: boolean): Promise<ReadNotes> {
  const { product, version, sha, from } = noted
  const untold = (why: Untold): ReadNotes => ({
    ...{ product, version, url: '', internal: null, external: null, untold: why },
  })
  if (from === null) return untold('unconfigured')
  try {
    const page = await repositoryOf(app, from.repository)
    if (!isForTheTeam && page.visibility !== 'public') return untold('kept')
    const octokit = await app.forRepository(from.repository)
    const tell = await readVersionNotes(octokit, splitName(from.repository), from.source, { version, sha })
    if (typeof tell === 'string') return untold(tell)
    const internal = isForTheTeam ? tell({ audience: 'internal' }) : null
    return { product, version, url: page.url, internal, external: tell({ audience: 'external' }), untold: null }
  } catch (error) {
    const trouble = translated(`read the commits of ${from.repository}`, error)
    if (isFinal(trouble)) return untold('unreadable')
    throw trouble
  }
}

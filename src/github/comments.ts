import type { Request } from '../core/request.ts'
import type { Applied } from '../engine/ports.ts'
import { marker, markerIn, type OutputOf } from '../render/output.ts'
import { type GitHubApp, splitName } from './client.ts'
import { outside, outsideOrNull, unsayable } from './trouble.ts'

interface OwnComment {
  readonly id: number
  readonly body: string
}

/** The comment of ours that carries a marker; comments of others never count, whatever they carry. */
async function findComment(
  app: GitHubApp,
  output: OutputOf<'comment'>,
  remote: string | null,
): Promise<OwnComment | null> {
  const octokit = await app.forRepository(output.repository.fullName)
  const at = splitName(output.repository.fullName)
  const { botLogin } = await app.profile()
  if (remote !== null) {
    const known = await outsideOrNull('read a comment', () =>
      octokit.request('GET /repos/{owner}/{repo}/issues/comments/{comment_id}', { ...at, comment_id: Number(remote) }),
    )
    /** The log names it: where somebody took the marker out, it is ours all the same. Another marker is another comment. */
    const isMarkedAsAnother = ![null, output.key].includes(markerIn(known?.data.body ?? ''))
    if (known && known.data.user?.login === botLogin && !isMarkedAsAnother)
      return { id: Number(known.data.id), body: known.data.body ?? '' }
  }
  return oldestOf(app, output, output.since === undefined ? {} : { since: output.since })
}

/** The oldest comment of ours with the marker, among those that changed since an instant where one is given. */
async function oldestOf(
  app: GitHubApp,
  output: OutputOf<'comment'>,
  narrowed: { readonly since?: string },
): Promise<OwnComment | null> {
  const octokit = await app.forRepository(output.repository.fullName)
  const { botLogin } = await app.profile()
  const pages = octokit.paginate.iterator('GET /repos/{owner}/{repo}/issues/{issue_number}/comments', {
    ...splitName(output.repository.fullName),
    issue_number: output.issue,
    per_page: 100,
    ...narrowed,
  })
  return outside(`list the comments of #${output.issue}`, async () => {
    for await (const { data } of pages) {
      const found = data.find(
        (comment) => comment.user?.login === botLogin && markerIn(comment.body ?? '') === output.key,
      )
      if (found) return { id: Number(found.id), body: found.body ?? '' }
    }
    return null
  })
}

/** How long before the comment another process may have looked and not found it, by GitHub's clock. */
const RACE_MS = 120_000

/**
 * What stands of a comment that was just made. Another process may have made it at the same time: then both see both,
 * the younger one is removed by whoever made it, and one is left.
 */
async function settled(
  app: GitHubApp,
  output: OutputOf<'comment'>,
  made: { readonly id: number; readonly createdAt: string },
): Promise<OwnComment | null> {
  const since = new Date(Date.parse(made.createdAt) - RACE_MS).toISOString()
  const oldest = await oldestOf(app, output, { since })
  if (oldest === null || oldest.id >= made.id) return null
  const octokit = await app.forRepository(output.repository.fullName)
  await outsideOrNull('remove a comment that was made twice', () =>
    octokit.request('DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}', {
      ...splitName(output.repository.fullName),
      comment_id: made.id,
    }),
  )
  return oldest
}

const isDeaf = (output: OutputOf<'comment'>, message: string, holds: boolean, at: string): Request => ({
  kind: 'condition-seen',
  alarm: `unsayable:${output.repository.id}/${output.issue}`,
  code: 'unsayable',
  message,
  holds,
  at,
  actor: null,
  source: { kind: 'reconciler' },
})

/**
 * As `said`, but what can not be said at all is not tried for ever: it is let be, and an alarm tells of it once. The
 * alarm ends with the next comment that is made there, whichever process raised it; one that stands already, or that may
 * still be edited, says nothing of whether another would be taken.
 */
export const commentOutlet = (app: GitHubApp, clock: () => string) => {
  const say = said(app)
  return async (output: OutputOf<'comment'>, remote: string | null): Promise<Applied> => {
    try {
      const { isMade, ...applied } = await say(output, remote)
      return isMade ? { ...applied, observed: [isDeaf(output, 'comments are taken again', false, clock())] } : applied
    } catch (error) {
      const reason = unsayable(error)
      if (reason === null) throw error
      const message = `Nothing can be said on #${output.issue} any more: it is ${reason}. What was decided there stands in the log.${reason === 'locked' ? ' Unlock it, or go on in another issue.' : ''}`
      return { remote, observed: [isDeaf(output, message, true, clock())] }
    }
  }
}

/** One comment per key, edited in place; when several processes make it at once, the oldest is kept. */
const said =
  (app: GitHubApp) =>
  async (output: OutputOf<'comment'>, remote: string | null): Promise<Applied & { readonly isMade: boolean }> => {
    const octokit = await app.forRepository(output.repository.fullName)
    const at = splitName(output.repository.fullName)
    const body = `${output.body}\n\n${marker(output.key)}`
    const edited = async (found: OwnComment): Promise<Applied> => {
      const known = { remote: String(found.id) }
      if (found.body === body) return known
      const place = { ...at, comment_id: found.id }
      await outside('edit a comment', () =>
        octokit.request('PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}', { ...place, body }),
      )
      return known
    }
    const found = await findComment(app, output, remote)
    if (found) return { ...(await edited(found)), isMade: false }
    const created = await outside(`comment on #${output.issue}`, () =>
      octokit.request('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', {
        ...at,
        issue_number: output.issue,
        body,
      }),
    )
    const { id, created_at: createdAt } = created.data
    const older = await settled(app, output, { id: Number(id), createdAt })
    return { ...(older ? await edited(older) : { remote: String(id) }), isMade: true }
  }

/** What a comment is reacted to with, and where it stands. */
type Reaction = Pick<OutputOf<'reaction'>, 'repository' | 'comment' | 'content'>

/** GitHub itself keeps one reaction of a kind per identity. A comment that is gone, or locked, needs none. */
export const reactionOutlet =
  (app: GitHubApp) =>
  async ({ repository, comment, content }: Reaction): Promise<Applied> => {
    const octokit = await app.forRepository(repository.fullName)
    try {
      await outsideOrNull('react to a comment', () =>
        octokit.request('POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions', {
          ...splitName(repository.fullName),
          comment_id: comment,
          content,
        }),
      )
    } catch (error) {
      if (unsayable(error) === null) throw error
    }
    return { remote: null }
  }

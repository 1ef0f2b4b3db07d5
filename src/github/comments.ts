import type { Applied } from '../engine/ports.ts'
import { marker, markerIn, type OutputOf } from '../render/output.ts'
import { type GitHubApp, splitName } from './client.ts'
import { outside, outsideOrNull } from './trouble.ts'

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
  const isOurs = (comment: { user?: { login: string } | null; body?: string }) =>
    comment.user?.login === botLogin && markerIn(comment.body ?? '') === output.key
  if (remote !== null) {
    const known = await outsideOrNull('read a comment', () =>
      octokit.request('GET /repos/{owner}/{repo}/issues/comments/{comment_id}', { ...at, comment_id: Number(remote) }),
    )
    /** The log names it: where somebody took the marker out, it is ours all the same. Another marker is another comment. */
    const isMarkedAsAnother = ![null, output.key].includes(markerIn(known?.data.body ?? ''))
    if (known && known.data.user?.login === botLogin && !isMarkedAsAnother)
      return { id: Number(known.data.id), body: known.data.body ?? '' }
  }
  const pages = octokit.paginate.iterator('GET /repos/{owner}/{repo}/issues/{issue_number}/comments', {
    ...at,
    issue_number: output.issue,
    per_page: 100,
  })
  return outside(`list the comments of #${output.issue}`, async () => {
    for await (const { data } of pages) {
      const found = data.find((comment) => isOurs(comment as never))
      if (found) return { id: Number(found.id), body: found.body ?? '' }
    }
    return null
  })
}

/** One comment per key, edited in place. */
export const commentOutlet =
  (app: GitHubApp) =>
  async (output: OutputOf<'comment'>, remote: string | null): Promise<Applied> => {
    const octokit = await app.forRepository(output.repository.fullName)
    const at = splitName(output.repository.fullName)
    const body = `${output.body}\n\n${marker(output.key)}`
    const found = await findComment(app, output, remote)
    if (found?.body === body) return { remote: String(found.id) }
    if (found) {
      await outside('edit a comment', () =>
        octokit.request('PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}', {
          ...at,
          comment_id: found.id,
          body,
        }),
      )
      return { remote: String(found.id) }
    }
    const created = await outside(`comment on #${output.issue}`, () =>
      octokit.request('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', {
        ...at,
        issue_number: output.issue,
        body,
      }),
    )
    return { remote: String(created.data.id) }
  }

/** GitHub itself keeps one reaction of a kind per identity. A comment that is gone needs none. */
export const reactionOutlet =
  (app: GitHubApp) =>
  async (output: OutputOf<'reaction'>): Promise<Applied> => {
    const octokit = await app.forRepository(output.repository.fullName)
    await outsideOrNull('react to a comment', () =>
      octokit.request('POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions', {
        ...splitName(output.repository.fullName),
        comment_id: output.comment,
        content: output.content,
      }),
    )
    return { remote: null }
  }

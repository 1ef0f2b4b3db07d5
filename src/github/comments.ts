import { RingmasterError } from '../core/problem.ts'
import type { Request } from '../core/request.ts'
import type { Applied } from '../engine/ports.ts'
import { marker, markerIn, type OutputOf } from '../render/output.ts'
import { type GitHubApp, splitName } from './client.ts'
import { Doubts, inDoubt, isOutcomeUnknown, LOOK_IN_MS } from './doubts.ts'
import { isGone } from './gone.ts'
import { outside, outsideOrNull, unsayable } from './trouble.ts'

interface OwnComment {
  readonly id: number
  readonly body: string
  readonly createdAt: string
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
      return { id: Number(known.data.id), body: known.data.body ?? '', createdAt: known.data.created_at }
  }
  return theOne(app, output, narrowedTo(output))
}

/** None of ours is older than what it answers. */
const narrowedTo = ({ since }: OutputOf<'comment'>): { readonly since?: string } =>
  since === undefined ? {} : { since }

/** How long before a comment another process may have looked and not found it, by GitHub's clock. */
const RACE_MS = 120_000

/** Until when a look at a comment looks for others that were made together with it. */
const YOUNG_MS = 60 * 60_000

/** What was made together with a comment is not older. */
const togetherWith = ({ createdAt }: OwnComment): { readonly since: string } => ({
  since: new Date(Date.parse(createdAt) - RACE_MS).toISOString(),
})

/**
 * The comments of ours with the marker that were made together, oldest first: among those that changed since an instant
 * where one is given. Nothing is read behind the first one but what may be of its moment.
 */
async function ownComments(
  app: GitHubApp,
  output: OutputOf<'comment'>,
  narrowed: { readonly since?: string },
): Promise<readonly OwnComment[]> {
  const octokit = await app.forRepository(output.repository.fullName)
  const { botLogin } = await app.profile()
  const pages = octokit.paginate.iterator('GET /repos/{owner}/{repo}/issues/{issue_number}/comments', {
    ...splitName(output.repository.fullName),
    issue_number: output.issue,
    per_page: 100,
    ...narrowed,
  })
  return outside(`list the comments of #${output.issue}`, async () => {
    const found: OwnComment[] = []
    let untilMs = Number.POSITIVE_INFINITY
    for await (const { data } of pages) {
      for (const { id, user, body, created_at: createdAt } of data) {
        if (Date.parse(createdAt) > untilMs) return found
        if (user?.login !== botLogin || markerIn(body ?? '') !== output.key) continue
        if (found.length === 0) untilMs = Date.parse(createdAt) + RACE_MS
        found.push({ id: Number(id), body: body ?? '', createdAt })
      }
    }
    return found
  })
}

/**
 * Our comment with the marker, or null. Where several were made together, the oldest is left: all others are removed, by
 * whoever made them, and by whoever finds them where their maker was killed or never heard of it. `made` was just made,
 * whether it is listed yet or not.
 */
async function theOne(
  app: GitHubApp,
  output: OutputOf<'comment'>,
  narrowed: { readonly since?: string },
  made: OwnComment | null = null,
): Promise<OwnComment | null> {
  const listed = await ownComments(app, output, narrowed)
  const all = made === null || listed.some(({ id }) => id === made.id) ? listed : [...listed, made]
  const [oldest, ...younger] = all.toSorted((a, b) => a.id - b.id)
  const octokit = await app.forRepository(output.repository.fullName)
  for (const { id } of younger) {
    await outsideOrNull('remove a comment that was made twice', () =>
      octokit.request('DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}', {
        ...splitName(output.repository.fullName),
        comment_id: id,
      }),
    )
  }
  return oldest ?? null
}

const whatIsMade = ({ issue }: OutputOf<'comment'>): string => `comment on #${issue}`

/**
 * Makes the comment and answers with what stands of it. Where nobody knows whether it was made, that is looked at here
 * and now: once another process has told the log of its own, nobody would look for ours again.
 */
async function create(app: GitHubApp, doubts: Doubts, output: OutputOf<'comment'>, body: string): Promise<OwnComment> {
  const octokit = await app.forRepository(output.repository.fullName)
  let made: OwnComment
  try {
    const { data } = await doubts.making(whatIsMade(output), output.key, () =>
      octokit.request('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', {
        ...splitName(output.repository.fullName),
        issue_number: output.issue,
        body,
      }),
    )
    made = { id: Number(data.id), body, createdAt: data.created_at }
  } catch (error) {
    const stands = isOutcomeUnknown(error) ? await theOne(app, output, narrowedTo(output)) : null
    if (stands === null) throw error
    return stands
  }
  return (await theOne(app, output, togetherWith(made), made)) ?? made
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

/** What an issue is that was moved to where the App is not installed. A comment alone may be gone as well: it is made again. */
async function outOfSight(app: GitHubApp, output: OutputOf<'comment'>, error: unknown): Promise<'out of sight' | null> {
  if (!(error instanceof RingmasterError && error.code === 'github-not-found')) return null
  const octokit = await app.forRepository(output.repository.fullName)
  const at = splitName(output.repository.fullName)
  const issue = await outsideOrNull(`read #${output.issue}`, () =>
    octokit.request('GET /repos/{owner}/{repo}/issues/{issue_number}', { ...at, issue_number: output.issue }),
  )
  return issue === null && (await isGone(octokit, at, error)) ? 'out of sight' : null
}

/**
 * As `said`, but what can not be said at all is not tried for ever: it is let be, and an alarm tells of it once. The
 * alarm ends with the next comment that is made there, whichever process raised it; one that stands already, or that may
 * still be edited, says nothing of whether another would be taken.
 */
export const commentOutlet = (app: GitHubApp, clock: () => string) => {
  const say = said(app, clock)
  return async (output: OutputOf<'comment'>, remote: string | null, isLook = false): Promise<Applied> => {
    try {
      const { isMade, ...applied } = await say(output, remote, isLook)
      if (!isMade) return applied
      const observed = [isDeaf(output, 'comments are taken again', false, clock())]
      return { ...applied, observed, lookInMs: LOOK_IN_MS }
    } catch (error) {
      const reason = unsayable(error) ?? (await outOfSight(app, output, error))
      if (reason === null) throw error
      const message = `Nothing can be said on #${output.issue} any more: it is ${reason}. What was decided there stands in the log.${reason === 'locked' ? ' Unlock it, or go on in another issue.' : ''}`
      return { remote, observed: [isDeaf(output, message, true, clock())] }
    }
  }
}

/** One comment per key, edited in place; when several processes make it at once, the oldest is kept. */
function said(app: GitHubApp, clock: () => string) {
  const doubts = new Doubts(clock)
  const isYoung = ({ createdAt }: OwnComment): boolean => Date.parse(clock()) - Date.parse(createdAt) < YOUNG_MS
  return async (
    output: OutputOf<'comment'>,
    remote: string | null,
    isLook: boolean,
  ): Promise<Applied & { readonly isMade: boolean }> => {
    const isInDoubt = doubts.has(output.key)
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
      return { ...known, ...(isLook ? { isSetRight: true } : {}) }
    }
    const known = await findComment(app, output, remote)
    const found = known && isLook && isYoung(known) ? await theOne(app, output, togetherWith(known), known) : known
    if (found) return { ...(await edited(found)), isMade: false }
    if (isInDoubt) throw inDoubt(whatIsMade(output))
    return { ...(await edited(await create(app, doubts, output, body))), isMade: true }
  }
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

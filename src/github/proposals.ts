import type { Octokit } from '@octokit/rest'
import { RingmasterError } from '../core/problem.ts'
import type { Request } from '../core/request.ts'
import type { Applied } from '../engine/ports.ts'
import { marker, type OutputOf } from '../render/output.ts'
import { madeUnlessThere } from './already-there.ts'
import { branchHead, commitFile, createBranch, createOrphanBranch, fileText } from './branches.ts'
import { type GitHubApp, splitName } from './client.ts'
import { RefusedMerges } from './refused-merges.ts'
import { outside, outsideOrNull, statusOf, translated } from './trouble.ts'

/** What the base of the proposals says of itself. */
const BASE_FILE = {
  path: 'README.md',
  text: 'Each file in `releases/` is the signed-off composition of one release. Only Ringmaster writes here, by merging proposals.\n',
}

interface Pull {
  readonly number: number
  readonly state: string
  readonly merged_at?: string | null
  readonly title: string
  readonly body: string | null
  readonly html_url: string
  readonly head: { readonly sha: string }
  readonly user: { readonly login: string } | null
}

/** The pull requests of our branch into our base, newest first. One that somebody opened into another base is not ours. */
async function pullsOf(octokit: Octokit, output: OutputOf<'proposal' | 'proposal-end'>): Promise<Pull[]> {
  const at = splitName(output.repository.fullName)
  const { data } = await outside('list the proposals', () =>
    octokit.request('GET /repos/{owner}/{repo}/pulls', {
      ...at,
      head: `${at.owner}:${output.branch}`,
      base: output.base,
      state: 'all',
      per_page: 100,
    }),
  )
  return data as unknown as Pull[]
}

/** The same, with the one that the log knows, where a list does not show it yet. */
async function knownPullsOf(octokit: Octokit, output: OutputOf<'proposal-end'>): Promise<readonly Pull[]> {
  const listed = await pullsOf(octokit, output)
  const { number, base, repository } = output
  if (number === null || listed.some((pull) => pull.number === number)) return listed
  const found = await outsideOrNull('read a proposal', () =>
    octokit.request('GET /repos/{owner}/{repo}/pulls/{pull_number}', {
      ...splitName(repository.fullName),
      pull_number: number,
    }),
  )
  return found?.data.base.ref === base ? [found.data as unknown as Pull, ...listed] : listed
}

const seen = (
  output: OutputOf<'proposal' | 'proposal-end'>,
  pull: Pull,
  head: string,
  merged: boolean,
  at: string,
): Request => ({
  kind: 'proposal-seen',
  repository: output.repository,
  release: output.release,
  number: pull.number,
  url: pull.html_url,
  head,
  author: pull.user?.login ?? 'ghost',
  merged,
  at,
  actor: null,
  source: { kind: 'reconciler' },
})

/**
 * The pull request of a release: its branch holds exactly the composition, title and body say it for people. Found
 * again by its branch, which only names the release; closed by somebody, it is opened again.
 */
export const proposalOutlet =
  (app: GitHubApp, clock: () => string) =>
  async (output: OutputOf<'proposal'>): Promise<Applied> => {
    const { repository, branch, path, text } = output
    const name = repository.fullName
    const octokit = await app.forRepository(name)
    const base =
      (await branchHead(octokit, name, output.base)) ??
      (await createOrphanBranch(octokit, name, output.base, BASE_FILE))
    const known = (await branchHead(octokit, name, branch)) ?? (await createBranch(octokit, name, branch, base))
    const headline = `Propose ${output.release}`
    const isThere = (await fileText(octokit, name, known, path)) === text
    const head = isThere
      ? known
      : await commitFile(octokit, name, { branch, expectedHead: known, path, text, headline })
    const pull = await ensurePull(octokit, output, { head, base })
    const isMerged = Boolean(pull.merged_at)
    const shown = isMerged ? pull.head.sha : head
    return { remote: String(pull.number), observed: [seen(output, pull, shown, isMerged, clock())] }
  }

async function ensurePull(
  octokit: Octokit,
  output: OutputOf<'proposal'>,
  { head, base }: { readonly head: string; readonly base: string },
): Promise<Pull> {
  const body = `${output.body}\n\n${marker(output.key)}`
  const pulls = await pullsOf(octokit, output)
  const open = pulls.find((pull) => pull.state === 'open')
  if (open) return asWanted(octokit, output, open, body)
  /**
   * Merged by somebody as it stands: there is nothing left to propose, and the log has to know. Where the branch was
   * deleted with that, it begins anew at the base, which holds the text.
   */
  const merged = pulls.find((pull) => pull.merged_at && (pull.head.sha === head || head === base))
  if (merged) return merged
  const closed = pulls.find((pull) => !pull.merged_at)
  if (!closed) return create(octokit, output, body)
  try {
    return await update(octokit, output, closed.number, body)
  } catch (error) {
    /** GitHub opens none again whose branch was deleted or rewritten since. */
    if (error instanceof RingmasterError && error.code === 'github-conflict') return create(octokit, output, body)
    throw error
  }
}

const asWanted = async (octokit: Octokit, output: OutputOf<'proposal'>, pull: Pull, body: string): Promise<Pull> =>
  pull.title === output.title && pull.body === body ? pull : update(octokit, output, pull.number, body)

async function create(octokit: Octokit, output: OutputOf<'proposal'>, body: string): Promise<Pull> {
  const { title, branch: head, base } = output
  const what = 'open a proposal'
  const open = async (): Promise<Pull> => {
    const { data } = await octokit.request('POST /repos/{owner}/{repo}/pulls', {
      ...splitName(output.repository.fullName),
      title,
      body,
      head,
      base,
    })
    return data as unknown as Pull
  }
  const find = async (): Promise<Pull | null> => {
    const theirs = (await pullsOf(octokit, output)).find((pull) => pull.state === 'open')
    return theirs === undefined ? null : asWanted(octokit, output, theirs, body)
  }
  return outside(what, () => madeUnlessThere(what, open, find))
}

async function update(octokit: Octokit, output: OutputOf<'proposal'>, number: number, body: string): Promise<Pull> {
  const updated = await outside('update a proposal', () =>
    octokit.request('PATCH /repos/{owner}/{repo}/pulls/{pull_number}', {
      ...splitName(output.repository.fullName),
      pull_number: number,
      title: output.title,
      body,
      state: 'open',
    }),
  )
  return updated.data as unknown as Pull
}

/** One that somebody closed after it was signed holds the signed composition all the same. */
async function reopened(
  octokit: Octokit,
  { repository, head }: OutputOf<'proposal-end'>,
  pulls: readonly Pull[],
): Promise<Pull | undefined> {
  const closed = pulls.find((pull) => !pull.merged_at && pull.head.sha === head)
  if (!closed) return undefined
  try {
    await outside('open a proposal again', () =>
      octokit.request('PATCH /repos/{owner}/{repo}/pulls/{pull_number}', {
        ...splitName(repository.fullName),
        pull_number: closed.number,
        state: 'open',
      }),
    )
    return closed
  } catch (error) {
    /** GitHub opens none again whose branch was deleted or rewritten since: there is nothing to merge. */
    if (error instanceof RingmasterError && error.code === 'github-conflict') return undefined
    throw error
  }
}

/** Ends the pull request of a release: merged at exactly the commit that was signed, or closed. */
export const proposalEndOutlet = (app: GitHubApp, clock: () => string) => {
  const refused = new RefusedMerges()
  return async (output: OutputOf<'proposal-end'>): Promise<Applied> => {
    const octokit = await app.forRepository(output.repository.fullName)
    const at = splitName(output.repository.fullName)
    const pulls = await knownPullsOf(octokit, output)
    const merged = pulls.find((pull) => pull.merged_at)
    /** First the open one: one that was merged by hand may hold a composition of before. */
    const open =
      pulls.find((pull) => pull.state === 'open') ??
      (output.end === 'merge' && !merged ? await reopened(octokit, output, pulls) : undefined)
    if (!open && merged)
      return { remote: String(merged.number), observed: [seen(output, merged, merged.head.sha, true, clock())] }
    if (!open) return { remote: null }
    if (output.end === 'close' || output.head === null) {
      await outside('close a proposal', () =>
        octokit.request('PATCH /repos/{owner}/{repo}/pulls/{pull_number}', {
          ...at,
          pull_number: open.number,
          state: 'closed',
        }),
      )
      return { remote: String(open.number) }
    }
    const { head } = output
    const merge = `${output.repository.fullName}#${open.number} at ${head}`
    await refused.unlessRefused(merge, clock, () => mergeAt(octokit, at, open.number, head))
    return { remote: String(open.number), observed: [seen(output, open, head, true, clock())] }
  }
}

/** The ways of merging, as they are tried. */
export const MERGE_METHODS = ['merge', 'squash', 'rebase'] as const

/**
 * What GitHub says, with 405, where the repository or a rule of the branch does not allow a way of merging: another one
 * may be allowed. What else it refuses with that status it refuses whatever the way.
 */
const METHOD_REFUSED =
  /\b(?:merge commits|squash merges|rebase merges) are not allowed\b|\bmust not contain merge commits\b/i

async function mergeAt(
  octokit: Octokit,
  at: { owner: string; repo: string },
  number: number,
  sha: string,
): Promise<void> {
  for (const method of MERGE_METHODS) {
    try {
      await octokit.request('PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge', {
        ...at,
        pull_number: number,
        sha,
        merge_method: method,
      })
      return
    } catch (error) {
      const isMethodRefused = statusOf(error) === 405 && METHOD_REFUSED.test(String(error))
      if (!isMethodRefused || method === 'rebase') throw translated('merge a proposal', error)
    }
  }
}

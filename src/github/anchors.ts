import type { Octokit } from '@octokit/rest'
import { RELEASES_BRANCH } from '../core/release/composition.ts'
import { splitName } from './client.ts'
import { outside } from './trouble.ts'

/** A place of the log as something outside the branch names it. */
export interface FoundAnchor {
  readonly seq: number
  readonly digest: string
  /** Where it stands, for people. */
  readonly where: string
}

/** A run whose job was answered by a gate. */
export interface GatedRun {
  /** `owner/name` */
  readonly repository: string
  readonly runId: number
}

export interface FoundAnchors {
  readonly anchors: readonly FoundAnchor[]
  /** What was looked at, and what could not be read, in words. */
  readonly lookedAt: { readonly commits: number; readonly runs: number }
  readonly unread: readonly string[]
}

/** The newest proposals and runs say of the newest part of the log, where a change would be. */
const PROPOSALS = 50
const TOGETHER = 4
const OWN_CHECK = 'ringmaster/sign-off'

const ANCHOR = /[Ll]og head `([1-9][0-9]{0,14}):(sha256:[0-9a-f]{64})`/g

/** A text as it is whatever the head of the log was when it was written. */
export const withoutAnchors = (text: string): string => text.replaceAll(ANCHOR, '')

const anchorsIn = (text: string | null | undefined, where: string): FoundAnchor[] =>
  [...(text ?? '').matchAll(ANCHOR)].map(([, seq, digest = '']) => ({
    seq: Number(seq),
    digest,
    where,
  }))

async function proposalHeads(octokit: Octokit, fullName: string): Promise<string[]> {
  const { data } = await outside('list the proposals', () =>
    octokit.request('GET /repos/{owner}/{repo}/pulls', {
      ...splitName(fullName),
      base: RELEASES_BRANCH,
      state: 'all',
      sort: 'updated',
      direction: 'desc',
      per_page: PROPOSALS,
    }),
  )
  return [...new Set(data.map((pull) => pull.head.sha))]
}

async function inChecks(octokit: Octokit, fullName: string, sha: string, app: string): Promise<FoundAnchor[]> {
  /** All of them: others may make as many of that name as they like. */
  const runs = await outside('list the check runs of a proposal', () =>
    octokit.paginate('GET /repos/{owner}/{repo}/commits/{ref}/check-runs', {
      ...splitName(fullName),
      ref: sha,
      check_name: OWN_CHECK,
      filter: 'all',
      per_page: 100,
    }),
  )
  return runs
    .filter((run) => run.app?.slug === app)
    .flatMap((run) => anchorsIn(run.output.summary, run.html_url ?? `check run ${run.id}`))
}

async function inAnswers(octokit: Octokit, { repository, runId }: GatedRun, app: string): Promise<FoundAnchor[]> {
  const { data } = await outside(`list the answers to a run of ${repository}`, () =>
    octokit.request('GET /repos/{owner}/{repo}/actions/runs/{run_id}/approvals', {
      ...splitName(repository),
      run_id: runId,
    }),
  )
  return data
    .filter(({ user }) => user?.login === `${app}[bot]`)
    .flatMap(({ comment }) => anchorsIn(comment, `the answers to run ${runId} of ${repository}`))
}

/**
 * The log heads that sign-off checks of the newest proposals and answers to these runs name: those of the App with this
 * slug alone, for others may write whatever they like there. What cannot be read is said, and left out.
 */
export async function findAnchors(
  octokit: Octokit,
  fullName: string,
  { app, runs }: { readonly app: string; readonly runs: readonly GatedRun[] },
): Promise<FoundAnchors> {
  const unread = new Set<string>()
  const read = async <T>(work: Promise<readonly T[]>): Promise<readonly T[]> => {
    try {
      return await work
    } catch (error) {
      unread.add(error instanceof Error ? error.message : String(error))
      return []
    }
  }
  const heads = await read(proposalHeads(octokit, fullName))
  const looks: (() => Promise<FoundAnchor[]>)[] = [
    ...heads.map((sha) => () => inChecks(octokit, fullName, sha, app)),
    ...runs.map((run) => () => inAnswers(octokit, run, app)),
  ]
  const anchors: FoundAnchor[] = []
  for (let start = 0; start < looks.length; start += TOGETHER) {
    const found = await Promise.all(looks.slice(start, start + TOGETHER).map((look) => read(look())))
    anchors.push(...found.flat())
  }
  return { anchors, lookedAt: { commits: heads.length, runs: runs.length }, unread: [...unread] }
}

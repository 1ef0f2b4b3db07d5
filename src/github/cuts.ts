import type { Octokit } from '@octokit/rest'
import { RingmasterError } from '../core/problem.ts'
import { tagElsewhere } from '../core/product/cut-plan.ts'
import type { Cut, CutOutcome } from '../core/product/cut-schema.ts'
import type { Applied } from '../engine/ports.ts'
import type { OutputOf } from '../render/output.ts'
import { type GitHubApp, splitName } from './client.ts'
import { cutNotes } from './cut-notes.ts'
import { beginBranch, createRelease, createTag, headOf, type Place, releaseAddress, taggedCommit } from './tags.ts'
import { isFinal, outside } from './trouble.ts'
import { proposeVersionFiles } from './version-files.ts'

/**
 * Makes what was asked to be cut, each part unless it is there: tag, then branch, then GitHub Release, so that nothing
 * follows a tag that is refused. What trying again would not mend is an outcome, and people are told; the rest is thrown.
 */
export const cutOutlet =
  (app: GitHubApp, clock: () => string) =>
  async ({ cut }: OutputOf<'cut'>): Promise<Applied> => {
    const outcome = await outcomeOf(app, cut)
    const settled = { kind: 'cut-settled', product: cut.product, cut: cut.id, outcome } as const
    return {
      remote: outcome.kind === 'made' ? outcome.url : null,
      observed: [{ ...settled, at: clock(), actor: null, source: { kind: 'reconciler' } }],
    }
  }

async function outcomeOf(app: GitHubApp, cut: Cut): Promise<CutOutcome> {
  try {
    const octokit = await app.forRepository(cut.repository.fullName)
    if (cut.versionFiles !== undefined) {
      return { kind: 'made', branchHead: null, url: await proposeVersionFiles(octokit, cut, cut.versionFiles) }
    }
    const at = splitName(cut.repository.fullName)
    if (cut.tag !== null) await makeTag(octokit, at, cut, cut.tag)
    const branchHead = cut.branch === null ? null : await makeBranch(octokit, at, cut.branch, cut.sha)
    const url =
      cut.tag === null || cut.release === null ? null : await makeRelease(octokit, at, cut, cut.tag, cut.release)
    return { kind: 'made', branchHead, url }
  } catch (error) {
    if (!(error instanceof RingmasterError) || !(error.fault === 'refused' || isFinal(error))) throw error
    const { code, message, hint } = error
    return { kind: 'refused', code, message: message.slice(0, 2_000), hint: hint ?? null }
  }
}

async function makeTag(octokit: Octokit, at: Place, { product, version, sha }: Cut, tag: string): Promise<void> {
  const found = await outside(`make the tag ${tag}`, async () => {
    const there = await taggedCommit(octokit, at, tag)
    /** Nothing of who asked, or where: the repository of a product may be public. */
    return there ?? createTag(octokit, at, { tag, message: `${product} ${version}`, sha })
  })
  if (found !== sha) throw new RingmasterError('refused', tagElsewhere(tag, sha, found))
}

const makeBranch = (octokit: Octokit, at: Place, branch: string, sha: string): Promise<string> =>
  outside(
    `make the branch ${branch}`,
    async () => (await headOf(octokit, at, branch)) ?? beginBranch(octokit, at, branch, sha),
  )

const makeRelease = (
  octokit: Octokit,
  at: Place,
  cut: Cut,
  tag: string,
  { prerelease, generatedNotes, notes }: NonNullable<Cut['release']>,
): Promise<string> =>
  outside(`publish the GitHub Release ${tag}`, async () => {
    const there = await releaseAddress(octokit, at, tag)
    if (there !== null) return there
    const body =
      notes === undefined ? '' : await cutNotes(octokit, at, notes, { ...cut, url: await pageOf(octokit, at) })
    return createRelease(octokit, at, tag, { body, generated: generatedNotes, prerelease })
  })

/** Where links lead: on GitHub or on an Enterprise Server. */
const pageOf = async (octokit: Octokit, at: Place): Promise<string> =>
  (await octokit.request('GET /repos/{owner}/{repo}', { ...at })).data.html_url

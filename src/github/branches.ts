import type { Octokit } from '@octokit/rest'
import { RingmasterError } from '../core/problem.ts'
import { madeUnlessThere } from './already-there.ts'
import { splitName } from './client.ts'
import { type GitHubCode, outside, outsideOrNull } from './trouble.ts'

/** The commit that a branch points to, or null when there is no such branch. */
export async function branchHead(octokit: Octokit, fullName: string, branch: string): Promise<string | null> {
  const found = await outsideOrNull(`read the branch ${branch}`, () =>
    octokit.request('GET /repos/{owner}/{repo}/git/ref/{ref}', { ...splitName(fullName), ref: `heads/${branch}` }),
  )
  return found?.data.object.sha ?? null
}

/** Creates a branch at a commit; when somebody was faster, the branch as it is. Returns its head. */
export async function createBranch(
  octokit: Octokit,
  fullName: string,
  branch: string,
  commit: string,
): Promise<string> {
  const what = `create the branch ${branch}`
  const create = async (): Promise<string> => {
    await octokit.request('POST /repos/{owner}/{repo}/git/refs', {
      ...splitName(fullName),
      ref: `refs/heads/${branch}`,
      sha: commit,
    })
    return commit
  }
  return outside(what, () => madeUnlessThere(what, create, () => branchHead(octokit, fullName, branch)))
}

/** Creates a branch without a past, holding one file. Returns its head. */
export async function createOrphanBranch(
  octokit: Octokit,
  fullName: string,
  branch: string,
  file: { readonly path: string; readonly text: string },
): Promise<string> {
  const at = splitName(fullName)
  return outside(`create the branch ${branch}`, async () => {
    const tree = await octokit.request('POST /repos/{owner}/{repo}/git/trees', {
      ...at,
      tree: [{ path: file.path, mode: '100644', type: 'blob', content: file.text }],
    })
    const commit = await octokit.request('POST /repos/{owner}/{repo}/git/commits', {
      ...at,
      message: `Begin ${branch}\n\n\nskip-checks: true`,
      tree: tree.data.sha,
      parents: [],
    })
    return createBranch(octokit, fullName, branch, commit.data.sha)
  })
}

/**
 * The text of a file at a commit or branch, or null when there is no file of that name. Throws for one that GitHub does
 * not hand out whole (above 1 MB): it is there, and must not pass for absent.
 */
export async function fileText(octokit: Octokit, fullName: string, ref: string, path: string): Promise<string | null> {
  const found = await outsideOrNull(`read ${path}`, () =>
    octokit.request('GET /repos/{owner}/{repo}/contents/{path}', { ...splitName(fullName), path, ref }),
  )
  if (found === null) return null
  const { data } = found
  if (Array.isArray(data) || data.type !== 'file') return null
  if (!('content' in data) || data.encoding !== 'base64') {
    throw new RingmasterError('outside', {
      code: 'github-too-large' satisfies GitHubCode,
      message: `expected ${path} to be a file that GitHub hands out as text, found it too large`,
      hint: 'Files above 1 MB are not read.',
    })
  }
  return Buffer.from(data.content, 'base64').toString('utf8')
}

interface CommitOnBranch {
  readonly createCommitOnBranch: { readonly commit: { readonly oid: string } }
}

interface BranchChange {
  readonly branch: string
  readonly expectedHead: string
  readonly headline: string
}

/** Commits one file on a branch of ours, whose builds nobody waits for. Otherwise as `commitFiles`. */
export const commitFile = (
  octokit: Octokit,
  fullName: string,
  { path, text, ...change }: BranchChange & { readonly path: string; readonly text: string },
): Promise<string> =>
  commitFiles(octokit, fullName, { ...change, body: '\nskip-checks: true', files: [{ path, text }] })

/** Commits files on a branch whose head must still be `expectedHead`; throws when it moved. Returns the new head. */
export async function commitFiles(
  octokit: Octokit,
  fullName: string,
  change: BranchChange & {
    readonly body: string
    readonly files: readonly { readonly path: string; readonly text: string }[]
  },
): Promise<string> {
  const answer = await outside(`commit ${change.files.map(({ path }) => path).join(', ')}`, () =>
    octokit.graphql<CommitOnBranch>(
      'mutation($input: CreateCommitOnBranchInput!) { createCommitOnBranch(input: $input) { commit { oid } } }',
      {
        input: {
          branch: { repositoryNameWithOwner: fullName, branchName: change.branch },
          expectedHeadOid: change.expectedHead,
          message: { headline: change.headline, body: change.body },
          fileChanges: {
            additions: change.files.map(({ path, text }) => ({
              path,
              contents: Buffer.from(text, 'utf8').toString('base64'),
            })),
          },
        },
      },
    ),
  )
  return answer.createCommitOnBranch.commit.oid
}

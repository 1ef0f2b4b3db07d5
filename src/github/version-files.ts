import type { Octokit } from '@octokit/rest'
import { RingmasterError, unwrap } from '../core/problem.ts'
import type { Cut } from '../core/product/cut-schema.ts'
import { type RewrittenFile, rewriteFiles, versionFilePaths } from '../core/version/rewrite-files.ts'
import { codeSpan } from '../render/text.ts'
import { madeUnlessThere } from './already-there.ts'
import { branchHead, commitFiles, createBranch } from './branches.ts'
import { splitName } from './client.ts'
import { outside, outsideOrNull } from './trouble.ts'

type VersionFiles = NonNullable<Cut['versionFiles']>

/**
 * The pull request that writes a version into the files of a product, unless they hold it: its branch, then one commit,
 * then the request itself, each unless it is there. Answers with its address; null where there is nothing to write.
 */
export async function proposeVersionFiles(octokit: Octokit, cut: Cut, wanted: VersionFiles): Promise<string | null> {
  const name = cut.repository.fullName
  const base = await outside(`read ${name}`, async () => {
    const { data } = await octokit.request('GET /repos/{owner}/{repo}', splitName(name))
    return data.default_branch
  })
  const baseHead = await branchHead(octokit, name, base)
  if (baseHead === null) throw nothingThere(base)
  const missing = await rewrittenAt(octokit, cut, wanted, baseHead)
  if (missing.length === 0) return null
  const { branch } = wanted
  const head = (await branchHead(octokit, name, branch)) ?? (await createBranch(octokit, name, branch, baseHead))
  const files = head === baseHead ? missing : await rewrittenAt(octokit, cut, wanted, head)
  const title = `chore: set the version of ${cut.product} to ${cut.version}`
  if (files.length > 0) await commit(octokit, name, { branch, expectedHead: head, headline: title, body: '', files })
  const body = `Writes ${codeSpan(cut.version)} into ${missing.map(({ path }) => codeSpan(path)).join(', ')}.`
  return pullOf(octokit, name, { title, body, head: branch, base })
}

/** What differs from the version at a commit. Refused with every file that cannot be written. */
async function rewrittenAt(
  octokit: Octokit,
  { repository, version }: Cut,
  { named, folder }: VersionFiles,
  ref: string,
): Promise<readonly RewrittenFile[]> {
  const paths = versionFilePaths(named, folder)
  const found = []
  for (const path of paths) found.push({ path, bytes: await bytesOf(octokit, repository.fullName, ref, path) })
  return unwrap(rewriteFiles(found, version, { named: named.length > 0 }), 'refused')
}

/** Null where there is no file. Lock files are larger than what GitHub hands out with the contents. */
async function bytesOf(octokit: Octokit, fullName: string, ref: string, path: string): Promise<Buffer | null> {
  const at = splitName(fullName)
  const found = await outsideOrNull(`read ${path}`, () =>
    octokit.request('GET /repos/{owner}/{repo}/contents/{path}', { ...at, path, ref }),
  )
  if (found === null || Array.isArray(found.data) || found.data.type !== 'file') return null
  const { data } = found
  if ('content' in data && data.encoding === 'base64') return Buffer.from(data.content, 'base64')
  const blob = await outside(`read ${path}`, () =>
    octokit.request('GET /repos/{owner}/{repo}/git/blobs/{file_sha}', { ...at, file_sha: data.sha }),
  )
  return Buffer.from(blob.data.content, 'base64')
}

/** A head that moved is no refusal: what is there now is looked at when it is tried again. */
async function commit(octokit: Octokit, name: string, change: Parameters<typeof commitFiles>[2]): Promise<void> {
  try {
    await commitFiles(octokit, name, change)
  } catch (error) {
    if (!(error instanceof RingmasterError) || error.code !== 'github-conflict') throw error
    const problem = { code: 'branch-moved', message: `expected ${change.branch} where it was, found that it moved` }
    throw new RingmasterError('outside', problem, { cause: error })
  }
}

interface Wanted {
  readonly title: string
  readonly body: string
  readonly head: string
  readonly base: string
}

/** The address of the open pull request of a branch; opened where there is none. */
async function pullOf(octokit: Octokit, name: string, wanted: Wanted): Promise<string> {
  const what = 'open a pull request'
  const find = () => openPull(octokit, name, wanted)
  const open = await find()
  if (open !== null) return open
  const create = async (): Promise<string> => {
    const { data } = await octokit.request('POST /repos/{owner}/{repo}/pulls', { ...splitName(name), ...wanted })
    return data.html_url
  }
  /** What is refused otherwise is where nothing is there that GitHub would merge. */
  return outside(what, () => madeUnlessThere(what, create, find))
}

async function openPull(octokit: Octokit, name: string, { head, base }: Wanted): Promise<string | null> {
  const at = splitName(name)
  const { data } = await outside('list pull requests', () =>
    octokit.request('GET /repos/{owner}/{repo}/pulls', { ...at, head: `${at.owner}:${head}`, base, state: 'open' }),
  )
  return data[0]?.html_url ?? null
}

const nothingThere = (branch: string): RingmasterError =>
  new RingmasterError('refused', {
    code: 'no-commits',
    message: `expected commits on the default branch ${branch}, found none`,
  })

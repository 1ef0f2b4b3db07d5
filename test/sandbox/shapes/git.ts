import { accountByEmail, webFlow } from '../git/ref-update.ts'
import { type ChangedFile, type Commit, typeOfMode } from '../git/repository.ts'
import { perRepository, type Repository } from '../store.ts'
import type { World } from '../world.ts'
import { type Body, htmlUrl, nodeId, repositoryUrl, userOrNull } from './common.ts'

/** Commits that GitHub itself signed → when; see `markVerified`. */
const verifiedOf = perRepository(() => new Map<string, string>())

/** GitHub signs what it commits for a bot or in the browser. */
export const markVerified = (world: World, repository: Repository, oid: string): void =>
  void verifiedOf(repository).set(oid, world.clock.now())

export const isVerified = (repository: Repository, oid: string): boolean => verifiedOf(repository).has(oid)

function verification(repository: Repository, oid: string): Body {
  const at = verifiedOf(repository).get(oid)
  return at === undefined
    ? { verified: false, reason: 'unsigned', signature: null, payload: null, verified_at: null }
    : {
        verified: true,
        reason: 'valid',
        signature: '-----BEGIN PGP SIGNATURE-----',
        payload: `tree of ${oid}`,
        verified_at: at,
      }
}

export function refBody(
  world: World,
  repository: Repository,
  ref: string,
  object: { oid: string; type: string },
): Body {
  const base = repositoryUrl(world, repository)
  return {
    ref,
    node_id: nodeId('REF', `${repository.id}:${ref}`),
    url: `${base}/git/${ref.split('/').map(encodeURIComponent).join('/')}`,
    object: { sha: object.oid, type: object.type, url: `${base}/git/${object.type}s/${object.oid}` },
  }
}

/** Of the git data API. */
export function gitCommitBody(world: World, repository: Repository, commit: Commit): Body {
  const base = `${repositoryUrl(world, repository)}/git`
  return {
    sha: commit.oid,
    node_id: nodeId('C', commit.oid),
    url: `${base}/commits/${commit.oid}`,
    html_url: htmlUrl(world, repository, `/commit/${commit.oid}`),
    author: commit.author,
    committer: commit.committer,
    tree: { sha: commit.tree, url: `${base}/trees/${commit.tree}` },
    message: commit.message,
    parents: commit.parents.map((sha) => ({
      sha,
      url: `${base}/commits/${sha}`,
      html_url: htmlUrl(world, repository, `/commit/${sha}`),
    })),
    verification: verification(repository, commit.oid),
  }
}

/** Of the commits API, without stats and files. */
export function commitBody(world: World, repository: Repository, commit: Commit): Body {
  const base = repositoryUrl(world, repository)
  const account = (email: string) => {
    const found = accountByEmail(world, email)
    return userOrNull(world, found ?? (email === webFlow.email ? webFlow : undefined))
  }
  return {
    url: `${base}/commits/${commit.oid}`,
    sha: commit.oid,
    node_id: nodeId('C', commit.oid),
    html_url: htmlUrl(world, repository, `/commit/${commit.oid}`),
    comments_url: `${base}/commits/${commit.oid}/comments`,
    commit: {
      url: `${base}/git/commits/${commit.oid}`,
      author: commit.author,
      committer: commit.committer,
      message: commit.message,
      comment_count: 0,
      tree: { sha: commit.tree, url: `${base}/git/trees/${commit.tree}` },
      verification: verification(repository, commit.oid),
    },
    author: account(commit.author.email),
    committer: account(commit.committer.email),
    parents: commit.parents.map((sha) => ({
      sha,
      url: `${base}/commits/${sha}`,
      html_url: htmlUrl(world, repository, `/commit/${sha}`),
    })),
  }
}

const encodePath = (path: string): string => path.split('/').map(encodeURIComponent).join('/')

export function diffEntryBody(world: World, repository: Repository, commitOid: string, file: ChangedFile): Body {
  const path = encodePath(file.path)
  return {
    sha: file.oid,
    filename: file.path,
    status: file.status,
    additions: file.additions,
    deletions: file.deletions,
    changes: file.additions + file.deletions,
    blob_url: htmlUrl(world, repository, `/blob/${commitOid}/${path}`),
    raw_url: htmlUrl(world, repository, `/raw/${commitOid}/${path}`),
    contents_url: `${repositoryUrl(world, repository)}/contents/${path}?ref=${commitOid}`,
    ...(file.patch === undefined ? {} : { patch: file.patch }),
    ...(file.previousPath === undefined ? {} : { previous_filename: file.previousPath }),
  }
}

export interface ContentEntry {
  readonly path: string
  readonly mode: string
  readonly oid: string
  readonly size: number
}

/** One entry of the contents API; a file's text is added by the caller. */
export function contentBody(world: World, repository: Repository, ref: string, entry: ContentEntry): Body {
  const { path, mode, oid, size } = entry
  const type = mode === '120000' ? 'symlink' : { blob: 'file', tree: 'dir', commit: 'submodule' }[typeOfMode(mode)]
  const url = `${repositoryUrl(world, repository)}/contents/${encodePath(path)}?ref=${encodeURIComponent(ref)}`
  const git = `${repositoryUrl(world, repository)}/git/${typeOfMode(mode) === 'tree' ? 'trees' : 'blobs'}/${oid}`
  const html = htmlUrl(
    world,
    repository,
    `/${type === 'dir' ? 'tree' : 'blob'}/${encodeURIComponent(ref)}/${encodePath(path)}`,
  )
  return {
    name: path.slice(path.lastIndexOf('/') + 1),
    path,
    sha: oid,
    size,
    url,
    html_url: html,
    git_url: git,
    download_url:
      type === 'file' ? htmlUrl(world, repository, `/raw/${encodeURIComponent(ref)}/${encodePath(path)}`) : null,
    type,
    _links: { self: url, git, html },
  }
}

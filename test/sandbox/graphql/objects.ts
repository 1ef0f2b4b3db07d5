import { canSee, may } from '../access.ts'
import { formerRef } from '../git/lag.ts'
import { accountByEmail } from '../git/ref-update.ts'
import { type Commit, type GitRepository, type Signature, type TreeEntry, typeOfMode } from '../git/repository.ts'
import { accountOf } from '../identity.ts'
import { htmlUrl, nodeId } from '../shapes/common.ts'
import { isVerified } from '../shapes/git.ts'
import { type Account, fullName, type Repository, repositoryByName, roleOf } from '../store.ts'
import type { Scope } from './answer.ts'
import { connection, type PageArguments } from './connection.ts'
import { GraphqlRefusal } from './refusal.ts'

/** GitHub cuts the text of blobs here. */
const mostTextBytes = 512_000

type Node = Record<string, unknown>

export const queryRoot = (scope: Scope): Node => ({
  viewer: () => viewerNode(scope),
  repository: ({ owner, name }: { owner: string; name: string }) => repositoryNamed(scope, owner, name),
  rateLimit: () => ({
    cost: 1,
    limit: 5000,
    nodeCount: 1,
    remaining: 4999,
    used: 1,
    resetAt: scope.world.clock.now(),
  }),
})

/** GraphQL names bots without `[bot]`. */
export function accountNode({ world }: Scope, account: Account): Node {
  return {
    __typename: account.type === 'Bot' ? 'Bot' : account.type,
    id: nodeId(account.type === 'Organization' ? 'O' : account.type === 'Bot' ? 'BOT' : 'U', account.id),
    databaseId: account.id,
    login: account.type === 'Bot' ? account.login.replace(/\[bot\]$/, '') : account.login,
    name: account.name,
    email: account.email ?? '',
    url: `${world.origin}/${account.login}`,
    avatarUrl: `${world.origin}/avatars/u/${account.id}?v=4`,
  }
}

/** The viewer is a User even when it is a bot; then its login ends in `[bot]`. */
function viewerNode(scope: Scope): Node {
  const account = accountOf(scope.identity)
  if (!account) throw new GraphqlRefusal('FORBIDDEN', 'Resource not accessible by integration')
  return { ...accountNode(scope, account), __typename: 'User', login: account.login }
}

/** The repository if it is there and visible; refuses as NOT_FOUND otherwise. */
export function visibleRepository({ world, identity }: Scope, owner: string, name: string): Repository {
  const repository = repositoryByName(world.store, owner, name)
  if (!repository || !canSee(world.store, identity, repository)) {
    throw new GraphqlRefusal('NOT_FOUND', `Could not resolve to a Repository with the name '${owner}/${name}'.`)
  }
  return repository
}

const repositoryNamed = (scope: Scope, owner: string, name: string): Node =>
  repositoryNode(scope, visibleRepository(scope, owner, name))

function readableGit({ world, identity }: Scope, repository: Repository): GitRepository {
  if (!may(world.store, identity, repository, ['contents'], 'read')) {
    throw new GraphqlRefusal('FORBIDDEN', 'Resource not accessible by integration')
  }
  return world.gitOf(repository)
}

const permissionNames = {
  none: null,
  read: 'READ',
  triage: 'TRIAGE',
  write: 'WRITE',
  maintain: 'MAINTAIN',
  admin: 'ADMIN',
} as const

export function repositoryNode(scope: Scope, repository: Repository): Node {
  const { world, identity } = scope
  const git = () => readableGit(scope, repository)
  return {
    __typename: 'Repository',
    id: nodeId('R', repository.id),
    databaseId: repository.id,
    name: repository.name,
    nameWithOwner: fullName(repository),
    owner: () => accountNode(scope, repository.owner),
    description: repository.description,
    url: htmlUrl(world, repository),
    isPrivate: repository.private,
    isArchived: repository.archived,
    isFork: false,
    isEmpty: () => git().isEmpty(),
    visibility: repository.private ? 'PRIVATE' : 'PUBLIC',
    createdAt: repository.createdAt,
    pushedAt: repository.pushedAt,
    updatedAt: repository.updatedAt,
    hasIssuesEnabled: repository.hasIssues,
    mergeCommitAllowed: repository.allowMergeCommit,
    squashMergeAllowed: repository.allowSquashMerge,
    rebaseMergeAllowed: repository.allowRebaseMerge,
    viewerPermission: () => {
      const account = identity.kind === 'person' ? identity.account : undefined
      return account ? permissionNames[roleOf(world.store, repository, account.id)] : null
    },
    defaultBranchRef: () => refNode(scope, repository, git(), `refs/heads/${repository.defaultBranch}`),
    ref: ({ qualifiedName }: { qualifiedName: string }) => refNode(scope, repository, git(), qualifiedName),
    refs: (args: PageArguments & { refPrefix: string; query?: string }) => listRefs(scope, repository, git(), args),
    object: ({ oid, expression }: { oid?: string; expression?: string }) =>
      expression === undefined
        ? objectNode(scope, repository, git(), oid ?? '')
        : evaluate(scope, repository, git(), expression),
  }
}

async function refOid({ world, isLagging }: Scope, repository: Repository, name: string): Promise<string | undefined> {
  return isLagging ? formerRef(world, repository, name) : world.gitOf(repository).readRef(name)
}

/** `heads/x`, `refs/heads/x` or a bare branch or tag name. */
export async function refNode(
  scope: Scope,
  repository: Repository,
  git: GitRepository,
  qualifiedName: string,
): Promise<Node | null> {
  const candidates = qualifiedName.startsWith('refs/')
    ? [qualifiedName]
    : [`refs/${qualifiedName}`, `refs/heads/${qualifiedName}`, `refs/tags/${qualifiedName}`]
  for (const name of candidates) {
    const oid = await refOid(scope, repository, name)
    if (oid !== undefined) return refValue(scope, repository, git, name, oid)
  }
  return null
}

function refValue(scope: Scope, repository: Repository, git: GitRepository, name: string, oid: string): Node {
  const prefix = /^refs\/[^/]+\//.exec(name)?.[0] ?? 'refs/'
  return {
    __typename: 'Ref',
    id: nodeId('REF', `${repository.id}:${name}`),
    name: name.slice(prefix.length),
    prefix,
    repository: () => repositoryNode(scope, repository),
    target: () => objectNode(scope, repository, git, oid),
  }
}

async function listRefs(
  scope: Scope,
  repository: Repository,
  git: GitRepository,
  args: PageArguments & { refPrefix: string; query?: string },
) {
  const refs = await git.listRefs(args.refPrefix)
  const matching = refs.filter(
    ({ name }) => args.query === undefined || name.slice(args.refPrefix.length).includes(args.query),
  )
  return connection(
    'refs',
    args,
    matching.map(({ name, oid }) => refValue(scope, repository, git, name, oid)),
  )
}

/** `revision` or `revision:path`, as git reads it. */
async function evaluate(
  scope: Scope,
  repository: Repository,
  git: GitRepository,
  expression: string,
): Promise<Node | null> {
  const colon = expression.indexOf(':')
  const revision = colon < 0 ? expression : expression.slice(0, colon)
  const oid = await revisionOid(scope, repository, git, revision)
  if (oid === undefined) return null
  if (colon < 0) return objectNode(scope, repository, git, oid)
  const tree = (await git.readObject(`${oid}^{tree}`))?.oid
  const entry = tree === undefined ? undefined : await git.entryAt(tree, expression.slice(colon + 1))
  if (entry?.mode === '040000') return treeNode(scope, repository, git, entry.oid, expression.slice(colon + 1))
  return entry ? objectNode(scope, repository, git, entry.oid) : null
}

async function revisionOid(
  scope: Scope,
  repository: Repository,
  git: GitRepository,
  revision: string,
): Promise<string | undefined> {
  if (/^[0-9a-f]{40}$/.test(revision)) return (await git.readObject(revision))?.oid
  const names = [revision, `refs/${revision}`, `refs/tags/${revision}`, `refs/heads/${revision}`]
  for (const name of names) {
    const oid = name.startsWith('refs/') ? await refOid(scope, repository, name) : undefined
    if (oid !== undefined) return oid
  }
  return git.resolveCommit(revision)
}

async function objectNode(scope: Scope, repository: Repository, git: GitRepository, oid: string): Promise<Node | null> {
  const object = /^[0-9a-f]{40}$/.test(oid) ? await git.readObject(oid) : undefined
  if (!object) return null
  if (object.type === 'commit') {
    const commit = await git.readCommit(oid)
    return commit ? commitNode(scope, repository, git, commit) : null
  }
  if (object.type === 'tree') return treeNode(scope, repository, git, oid, '')
  if (object.type === 'tag') return tagNode(scope, repository, git, oid, object.bytes.toString())
  return blobNode(scope, repository, oid, object.bytes)
}

const gitObject = (scope: Scope, repository: Repository, type: string, oid: string): Node => ({
  __typename: type,
  id: nodeId(type, `${repository.id}:${oid}`),
  oid,
  abbreviatedOid: oid.slice(0, 7),
  commitUrl: htmlUrl(scope.world, repository, `/commit/${oid}`),
  commitResourcePath: `/${fullName(repository)}/commit/${oid}`,
  repository: () => repositoryNode(scope, repository),
})

/** Text is cut at 512,000 bytes with `isTruncated`; binary blobs have none. */
function blobNode(scope: Scope, repository: Repository, oid: string, bytes: Buffer): Node {
  const isBinary = bytes.subarray(0, 8000).includes(0)
  const shownBytes = scope.isCut ? Math.floor(bytes.length / 2) : mostTextBytes
  return {
    ...gitObject(scope, repository, 'Blob', oid),
    byteSize: bytes.length,
    isBinary,
    isTruncated: bytes.length > shownBytes,
    text: isBinary ? null : bytes.subarray(0, shownBytes).toString(),
  }
}

function treeNode(scope: Scope, repository: Repository, git: GitRepository, oid: string, path: string): Node {
  return {
    ...gitObject(scope, repository, 'Tree', oid),
    entries: async () =>
      ((await git.readTree(oid)) ?? []).map((entry) => entryNode(scope, repository, git, entry, path)),
  }
}

function entryNode(scope: Scope, repository: Repository, git: GitRepository, entry: TreeEntry, parent: string): Node {
  const path = parent === '' ? entry.name : `${parent}/${entry.name}`
  const type = typeOfMode(entry.mode)
  const dot = entry.name.lastIndexOf('.')
  return {
    __typename: 'TreeEntry',
    name: entry.name,
    nameRaw: Buffer.from(entry.name).toString('base64'),
    path,
    pathRaw: Buffer.from(path).toString('base64'),
    mode: Number.parseInt(entry.mode, 8),
    type,
    oid: entry.oid,
    extension: dot > 0 ? entry.name.slice(dot) : '',
    isGenerated: false,
    repository: () => repositoryNode(scope, repository),
    size: async () => (type === 'blob' ? ((await git.readObject(entry.oid))?.bytes.length ?? 0) : 0),
    object: () =>
      type === 'tree'
        ? treeNode(scope, repository, git, entry.oid, path)
        : objectNode(scope, repository, git, entry.oid),
  }
}

function actorNode(scope: Scope, { name, email, date }: Signature): Node {
  const account = accountByEmail(scope.world, email)
  const user =
    account && scope.world.store.accounts.has(account.id) && account.type === 'User'
      ? accountNode(scope, account)
      : null
  return {
    __typename: 'GitActor',
    name,
    email,
    date,
    user,
    avatarUrl: `${scope.world.origin}/avatars/u/${account?.id ?? 0}`,
  }
}

export function commitNode(scope: Scope, repository: Repository, git: GitRepository, commit: Commit): Node {
  const { message, author, committer } = commit
  const end = message.indexOf('\n')
  const signed = {
    __typename: 'GpgSignature',
    isValid: true,
    state: 'VALID',
    wasSignedByGitHub: true,
    email: 'noreply@github.com',
    signature: '-----BEGIN PGP SIGNATURE-----',
    payload: `tree ${commit.tree}`,
  }
  return {
    ...gitObject(scope, repository, 'Commit', commit.oid),
    url: htmlUrl(scope.world, repository, `/commit/${commit.oid}`),
    message,
    messageHeadline: end < 0 ? message : message.slice(0, end),
    messageBody: end < 0 ? '' : message.slice(end + 1).trim(),
    author: actorNode(scope, author),
    committer: actorNode(scope, committer),
    authoredDate: author.date,
    committedDate: committer.date,
    committedViaWeb: committer.email === 'noreply@github.com',
    signature: isVerified(repository, commit.oid) ? signed : null,
    tree: () => treeNode(scope, repository, git, commit.tree, ''),
    parents: async (args: PageArguments) =>
      connection(
        'parents',
        args,
        await Promise.all(commit.parents.map((oid) => objectNode(scope, repository, git, oid))),
      ),
    file: async ({ path }: { path: string }) => {
      const entry = await git.entryAt(commit.tree, path)
      const slash = path.lastIndexOf('/')
      return entry ? entryNode(scope, repository, git, entry, slash < 0 ? '' : path.slice(0, slash)) : null
    },
    history: async (args: PageArguments & { path?: string; since?: string; until?: string }) => {
      const options = [
        ...(args.since === undefined ? [] : [`--since=${args.since}`]),
        ...(args.until === undefined ? [] : [`--until=${args.until}`]),
      ]
      const oids = await git.listCommits([commit.oid], options, args.path)
      return connection('history', args, oids, (oid) => objectNode(scope, repository, git, oid))
    },
  }
}

function tagNode(scope: Scope, repository: Repository, git: GitRepository, oid: string, text: string): Node {
  const field = (name: string) => new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1] ?? ''
  const [, name = '', email = '', seconds = '0'] = /^(.*) <(.*)> (\d+)/.exec(field('tagger')) ?? []
  const date = `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}Z`
  return {
    ...gitObject(scope, repository, 'Tag', oid),
    name: field('tag'),
    message: text.slice(text.indexOf('\n\n') + 2),
    tagger: actorNode(scope, { name, email, date }),
    target: () => objectNode(scope, repository, git, field('object')),
  }
}

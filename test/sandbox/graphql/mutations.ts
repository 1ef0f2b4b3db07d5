import { canSee, may } from '../access.ts'
import { type NewFile, refuseWorkflowFiles, writeGitHubCommit } from '../git/commit.ts'
import { changeRefs, type RefChange } from '../git/ref-update.ts'
import { type Commit, type GitRepository, isRefName, isSafePath, zeroOid } from '../git/repository.ts'
import { nodeId } from '../shapes/common.ts'
import type { Repository } from '../store.ts'
import type { Scope } from './answer.ts'
import { commitNode, refNode, visibleRepository } from './objects.ts'
import { GraphqlRefusal } from './refusal.ts'

const unprocessable = (message: string) => new GraphqlRefusal('UNPROCESSABLE', message)
const notFound = (message: string) => new GraphqlRefusal('NOT_FOUND', message)

/** Two spaces before "Pull": as github.com writes it. */
const stale = (expected: string) =>
  new GraphqlRefusal('STALE_DATA', `Expected branch to point to "${expected}" but it did not.  Pull and try again.`)

interface CommitInput {
  readonly branch: { readonly id?: string; readonly repositoryNameWithOwner?: string; readonly branchName?: string }
  readonly expectedHeadOid: string
  readonly message: { readonly headline: string; readonly body?: string | null }
  readonly fileChanges?: {
    readonly additions?: readonly { readonly path: string; readonly contents: string }[] | null
    readonly deletions?: readonly { readonly path: string }[] | null
  } | null
  readonly clientMutationId?: string | null
}

interface Place {
  readonly repository: Repository
  /** Full name. */
  readonly ref: string
}

export const mutationRoot = (scope: Scope, text: string) => ({
  createCommitOnBranch: ({ input }: { input: CommitInput }) => createCommitOnBranch(scope, text, input),
  createRef: ({ input }: { input: { repositoryId: string; name: string; oid: string; clientMutationId?: string } }) =>
    createRef(scope, input),
  updateRef: ({ input }: { input: { refId: string; oid: string; force?: boolean; clientMutationId?: string } }) =>
    updateRef(scope, input),
  deleteRef: ({ input }: { input: { refId: string; clientMutationId?: string } }) => deleteRef(scope, input),
  updateRefs: ({ input }: { input: UpdateRefsInput }) => updateRefs(scope, input),
})

function writable(scope: Scope, repository: Repository): GitRepository {
  const { world, identity } = scope
  if (!may(world.store, identity, repository, ['contents'], 'write')) {
    const who =
      identity.kind === 'person' ? `${identity.account.login} does not have the correct permissions to execute` : ''
    throw new GraphqlRefusal(
      'FORBIDDEN',
      who === '' ? 'Resource not accessible by integration' : `${who} this mutation`,
    )
  }
  if (repository.archived) throw unprocessable('Repository was archived so is read-only.')
  return world.gitOf(repository)
}

async function refById(scope: Scope, id: string): Promise<Place> {
  for (const repository of scope.world.store.repositories.values()) {
    if (!canSee(scope.world.store, scope.identity, repository)) continue
    const refs = await scope.world.gitOf(repository).listRefs('refs/')
    const found = refs.find(({ name }) => nodeId('REF', `${repository.id}:${name}`) === id)
    if (found) return { repository, ref: found.name }
  }
  throw notFound(`Could not resolve to a node with the global id of '${id}'`)
}

function repositoryById(scope: Scope, id: string): Repository {
  for (const repository of scope.world.store.repositories.values()) {
    if (nodeId('R', repository.id) === id && canSee(scope.world.store, scope.identity, repository)) return repository
  }
  throw notFound(`Could not resolve to a node with the global id of '${id}'`)
}

async function branchOf(scope: Scope, branch: CommitInput['branch']): Promise<Place> {
  if (typeof branch.id === 'string') return refById(scope, branch.id)
  const [owner = '', name = ''] = (branch.repositoryNameWithOwner ?? '').split('/')
  const repository = visibleRepository(scope, owner, name)
  return { repository, ref: `refs/heads/${(branch.branchName ?? '').replace(/^refs\/heads\//, '')}` }
}

/** base64 of RFC 4648 with its padding. */
function decode(path: string, contents: string): Buffer {
  const bytes = Buffer.from(contents, 'base64')
  if (bytes.toString('base64') !== contents.replace(/\n/g, ''))
    throw unprocessable(`contents of "${path}" is not valid base64`)
  return bytes
}

async function readChanges(git: GitRepository, head: Commit, changes: CommitInput['fileChanges']): Promise<NewFile[]> {
  const additions = (changes?.additions ?? []).map(({ path, contents }) => ({ path, content: decode(path, contents) }))
  const deletions = (changes?.deletions ?? []).map(({ path }) => ({ path, content: null }))
  const seen = new Set<string>()
  for (const { path } of [...additions, ...deletions]) {
    if (!isSafePath(path)) throw unprocessable(`A path was specified that is not valid: ${JSON.stringify(path)}`)
    if (seen.has(path)) throw unprocessable(`Path must be unique: ${path}`)
    seen.add(path)
  }
  for (const { path } of deletions) {
    const entry = await git.entryAt(head.tree, path)
    if (!entry)
      throw unprocessable(`A path was requested for deletion which does not exist as of commit oid \`${head.oid}\``)
  }
  return [...additions, ...deletions]
}

async function createCommitOnBranch(scope: Scope, text: string, input: CommitInput) {
  const { world, identity } = scope
  const { repository, ref } = await branchOf(scope, input.branch)
  const git = writable(scope, repository)
  const expected = input.expectedHeadOid
  const current = await git.readRef(ref)
  if (current === undefined) throw notFound(`No such branch "${ref.slice('refs/heads/'.length)}"`)
  const isStaleFault = world.faults.take(['stale'], { route: 'POST /graphql', text }) !== undefined
  const head = await git.readCommit(current)
  if (isStaleFault || current !== expected || !head) throw stale(expected)
  const files = await readChanges(git, head, input.fileChanges)
  refuseWorkflowFiles(identity, files)
  const { headline, body } = input.message
  const message = body ? `${headline}\n\n${body}` : headline
  const oid = await writeGitHubCommit(world, repository, identity, { files, parent: head, message })
  const outcome = await changeRefs(world, repository, identity, [{ ref, after: oid, before: expected }])
  if (outcome.kind === 'rules') throw unprocessable(outcome.message)
  if (outcome.kind !== 'done') throw stale(expected)
  const commit = await git.readCommit(oid)
  return {
    clientMutationId: input.clientMutationId ?? null,
    commit: commit ? commitNode(scope, repository, git, commit) : null,
    ref: () => refNode(scope, repository, git, ref),
  }
}

/** Applies the changes, or refuses in GraphQL's words; none of them happens then. */
async function apply(scope: Scope, repository: Repository, changes: readonly RefChange[]): Promise<void> {
  const outcome = await changeRefs(scope.world, repository, scope.identity, changes)
  switch (outcome.kind) {
    case 'done':
      return
    case 'rules':
      throw unprocessable(outcome.message)
    case 'exists':
      throw unprocessable(`A ref named "${outcome.ref}" already exists in the repository.`)
    case 'missing':
      throw unprocessable(`Reference does not exist: ${outcome.ref}`)
    case 'not-fast-forward':
      throw unprocessable(`Update is not a fast forward: ${outcome.ref}`)
    case 'stale':
      // The words of a lost `beforeOid` are not documented; the type is that of a stale `expectedHeadOid`.
      throw new GraphqlRefusal('STALE_DATA', `Expected "${outcome.ref}" to point to its beforeOid but it did not.`)
  }
}

async function checkTarget(git: GitRepository, ref: string, oid: string): Promise<void> {
  if (!ref.startsWith('refs/') || !isRefName(ref)) throw unprocessable(`"${ref}" is not a valid ref name.`)
  const object = /^[0-9a-f]{40}$/.test(oid) ? await git.readObject(oid) : undefined
  const isFit = object?.type === 'commit' || (object !== undefined && !ref.startsWith('refs/heads/'))
  if (!isFit) throw unprocessable(`Object does not exist or is not a commit: ${oid}`)
}

async function createRef(
  scope: Scope,
  input: { repositoryId: string; name: string; oid: string; clientMutationId?: string },
) {
  const repository = repositoryById(scope, input.repositoryId)
  const git = writable(scope, repository)
  await checkTarget(git, input.name, input.oid)
  await apply(scope, repository, [{ ref: input.name, after: input.oid, before: zeroOid }])
  return { clientMutationId: input.clientMutationId ?? null, ref: () => refNode(scope, repository, git, input.name) }
}

async function updateRef(
  scope: Scope,
  input: { refId: string; oid: string; force?: boolean; clientMutationId?: string },
) {
  const { repository, ref } = await refById(scope, input.refId)
  const git = writable(scope, repository)
  await checkTarget(git, ref, input.oid)
  await apply(scope, repository, [{ ref, after: input.oid, force: input.force ?? false }])
  return { clientMutationId: input.clientMutationId ?? null, ref: () => refNode(scope, repository, git, ref) }
}

async function deleteRef(scope: Scope, input: { refId: string; clientMutationId?: string }) {
  const { repository, ref } = await refById(scope, input.refId)
  writable(scope, repository)
  await apply(scope, repository, [{ ref, after: zeroOid }])
  return { clientMutationId: input.clientMutationId ?? null }
}

interface UpdateRefsInput {
  readonly repositoryId: string
  readonly refUpdates: readonly {
    readonly name: string
    readonly beforeOid?: string | null
    readonly afterOid: string
    readonly force?: boolean | null
  }[]
  readonly clientMutationId?: string | null
}

async function updateRefs(scope: Scope, input: UpdateRefsInput) {
  const repository = repositoryById(scope, input.repositoryId)
  const git = writable(scope, repository)
  const changes: RefChange[] = []
  for (const { name, beforeOid, afterOid, force } of input.refUpdates) {
    if (afterOid !== zeroOid) await checkTarget(git, name, afterOid)
    const before = beforeOid === undefined || beforeOid === null ? {} : { before: beforeOid }
    changes.push({ ref: name, after: afterOid, force: force ?? false, ...before })
  }
  await apply(scope, repository, changes)
  return { clientMutationId: input.clientMutationId ?? null }
}

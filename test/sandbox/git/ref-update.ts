import { accountOf, type Identity } from '../identity.ts'
import { Refusal } from '../router.ts'
import { ruleViolations, violationMessage } from '../rulesets.ts'
import { htmlUrl, pushedRepositoryBody } from '../shapes/common.ts'
import type { Account, Repository } from '../store.ts'
import type { Push, World } from '../world.ts'
import { rememberFormer } from './lag.ts'
import { type GitRepository, type Signature, zeroOid } from './repository.ts'
import { changedNames } from './tree-diff.ts'

export interface RefChange {
  readonly ref: string
  /** All zeros deletes. */
  readonly after: string
  /** What it must be now; all zeros: must not exist; undefined: whatever it is. */
  readonly before?: string
  readonly force?: boolean
}

export type RefOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'stale'; readonly ref: string }
  | { readonly kind: 'missing'; readonly ref: string }
  | { readonly kind: 'exists'; readonly ref: string }
  | { readonly kind: 'not-fast-forward'; readonly ref: string }
  | { readonly kind: 'rules'; readonly ref: string; readonly message: string }

/**
 * The one door through which refs change (REST, GraphQL, merges; a git push is judged by the same rules): rulesets,
 * fast-forward, compare-and-swap; then the webhooks and listeners. All changes or none.
 */
export async function changeRefs(
  world: World,
  repository: Repository,
  identity: Identity,
  changes: readonly RefChange[],
  isMerge = false,
): Promise<RefOutcome> {
  const git = world.gitOf(repository)
  const pushes: Push[] = []
  const outcome = await world.locked(`refs:${repository.id}`, async (): Promise<RefOutcome> => {
    for (const change of changes) {
      const current = (await git.readRef(change.ref)) ?? zeroOid
      const refused = await judge(world, repository, identity, change, current, isMerge)
      if (refused) return refused
      const isForced = !(await isFastForward(git, current, change.after))
      pushes.push({
        repository,
        ref: change.ref,
        before: current,
        after: change.after,
        forced: isForced,
        by: actorOf(identity),
      })
    }
    const updates = pushes.map(({ ref, before, after }) => ({ name: ref, before, after }))
    return (await git.updateRefs(updates)) ? { kind: 'done' } : { kind: 'stale', ref: changes[0]?.ref ?? '' }
  })
  if (outcome.kind === 'done') for (const push of pushes) await announcePush(world, push)
  return outcome
}

function actorOf(identity: Identity): Account {
  const account = accountOf(identity)
  if (!account) throw new Refusal(401, 'Requires authentication')
  return account
}

async function isFastForward(git: GitRepository, before: string, after: string): Promise<boolean> {
  if (before === zeroOid || after === zeroOid || before === after) return true
  const commit = await git.readCommit(after)
  if (!commit) return false
  return commit.parents.includes(before) || git.isAncestor(before, after)
}

async function judge(
  world: World,
  repository: Repository,
  identity: Identity,
  { ref, after, before, force }: RefChange,
  current: string,
  isMerge: boolean,
): Promise<RefOutcome | undefined> {
  if (before !== undefined && before !== current) {
    return before === zeroOid ? { kind: 'exists', ref } : { kind: 'stale', ref }
  }
  if (after === zeroOid && current === zeroOid) return { kind: 'missing', ref }
  const kind = current === zeroOid ? 'create' : after === zeroOid ? 'delete' : 'update'
  const isForced = kind === 'update' && !(await isFastForward(world.gitOf(repository), current, after))
  const violations = ruleViolations(world, repository, identity, { ref, kind, isForced, isMerge })
  if (violations.length > 0) return { kind: 'rules', ref, message: violationMessage(violations) }
  return isForced && force !== true ? { kind: 'not-fast-forward', ref } : undefined
}

/** Webhooks (`create`, `push`, `delete`) and listeners of a ref that has moved. */
export async function announcePush(world: World, push: Push): Promise<void> {
  const { repository, ref, before, after, by } = push
  if (before === after) return
  repository.pushedAt = world.clock.now()
  rememberFormer(world, repository, ref, before)
  const refType = ref.startsWith('refs/tags/') ? 'tag' : 'branch'
  const shortRef = ref.replace(/^refs\/(heads|tags)\//, '')
  const common = { repository, sender: by }
  if (before === zeroOid) {
    const payload = {
      ref: shortRef,
      ref_type: refType,
      full_ref: ref,
      master_branch: repository.defaultBranch,
      description: null,
      pusher_type: 'user',
    }
    world.deliver({ event: 'create', ...common, payload })
  }
  // Listing commits and files costs three git commands; nobody asked for them unless an App subscribed.
  if (world.isWanted('push', repository)) {
    world.deliver({ event: 'push', ...common, payload: await pushPayload(world, push) })
  }
  if (after === zeroOid) {
    world.deliver({
      event: 'delete',
      ...common,
      payload: { ref: shortRef, ref_type: refType, full_ref: ref, pusher_type: 'user' },
    })
  }
  await world.emitPush(push)
}

/** GitHub lists at most 2,048 commits in a push. */
const mostCommits = 2048

async function pushPayload(
  world: World,
  { repository, ref, before, after, forced, by }: Push,
): Promise<Record<string, unknown>> {
  const git = world.gitOf(repository)
  const commits = after === zeroOid ? [] : await pushedCommits(git, repository, before, after)
  const described = await describe(world, repository, git, commits)
  const head = after === zeroOid ? undefined : await git.resolveCommit(after)
  const headCommit = head === undefined ? [] : await describe(world, repository, git, [head])
  const range =
    before === zeroOid || after === zeroOid ? after.slice(0, 12) : `${before.slice(0, 12)}...${after.slice(0, 12)}`
  return {
    ref,
    before,
    after,
    created: before === zeroOid,
    deleted: after === zeroOid,
    forced,
    base_ref: null,
    compare: htmlUrl(world, repository, `/compare/${range}`),
    commits: described,
    head_commit: headCommit[0] ?? null,
    repository: pushedRepositoryBody(world, repository),
    pusher: { name: by.login, email: signatureOf(by, world.clock.now()).email },
  }
}

async function pushedCommits(
  git: GitRepository,
  repository: Repository,
  before: string,
  after: string,
): Promise<readonly string[]> {
  const commit = await git.readCommit(after)
  if (commit?.parents.length === 1 && commit.parents[0] === before) return [after]
  const main = before === zeroOid ? await git.readRef(`refs/heads/${repository.defaultBranch}`) : before
  const known = main !== undefined && main !== after ? [`^${main}`] : []
  return await git.listCommits([after, ...known], ['--reverse', `--max-count=${mostCommits}`])
}

async function describe(world: World, repository: Repository, git: GitRepository, oids: readonly string[]) {
  const commits = await git.readCommits(oids)
  return Promise.all(
    commits.map(async (commit) => {
      const [parent] = await git.readCommits(commit.parents.slice(0, 1))
      const names = await changedNames(git, parent?.tree, commit.tree)
      return {
        id: commit.oid,
        tree_id: commit.tree,
        distinct: true,
        message: commit.message,
        timestamp: commit.committer.date,
        url: htmlUrl(world, repository, `/commit/${commit.oid}`),
        author: pushPerson(world, commit.author),
        committer: pushPerson(world, commit.committer),
        ...names,
      }
    }),
  )
}

function pushPerson(world: World, { name, email, date }: Signature) {
  const account = accountByEmail(world, email)
  return { name, email, date, ...(account ? { username: account.login } : {}) }
}

/** GitHub knows a commit's people by e-mail: their own, or the numeric noreply address. */
export function accountByEmail(world: World, email: string): Account | undefined {
  if (email === 'noreply@github.com') return webFlow
  const numeric = /^(\d+)\+[^@]*@users\.noreply\.github\.com$/.exec(email)
  if (numeric) return world.store.accounts.get(Number(numeric[1]))
  for (const account of world.store.accounts.values()) if (account.email === email) return account
  return undefined
}

/** The committer of what GitHub itself commits. */
export const webFlow: Account = {
  id: 19864447,
  login: 'web-flow',
  type: 'User',
  name: 'GitHub',
  email: 'noreply@github.com',
}
export const gitHubSignature = (date: string): Signature => ({ name: 'GitHub', email: 'noreply@github.com', date })

export const signatureOf = (account: Account, date: string): Signature => ({
  name: account.name ?? account.login,
  email: account.email ?? `${account.id}+${account.login}@users.noreply.github.com`,
  date,
})

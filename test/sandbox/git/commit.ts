import { accountOf, appOf, type Identity } from '../identity.ts'
import { Refusal } from '../router.ts'
import { markVerified } from '../shapes/git.ts'
import type { Repository } from '../store.ts'
import type { World } from '../world.ts'
import { gitHubSignature, signatureOf } from './ref-update.ts'
import type { Commit, Signature, TreeChange } from './repository.ts'

export interface NewFile {
  readonly path: string
  /** null deletes. */
  readonly content: Uint8Array | null
}

export interface CommitPlan {
  readonly files: readonly NewFile[]
  readonly parent: Commit | undefined
  readonly message: string
  readonly author?: Signature
  readonly committer?: Signature
}

/** A commit as GitHub makes it for the identity: author = the identity, committer = GitHub, signed. No ref moves. */
export async function writeGitHubCommit(
  world: World,
  repository: Repository,
  identity: Identity,
  plan: CommitPlan,
): Promise<string> {
  const account = accountOf(identity)
  if (!account) throw new Refusal(401, 'Requires authentication')
  const git = world.gitOf(repository)
  const written = plan.files.filter((file): file is { path: string; content: Uint8Array } => file.content !== null)
  const oids = await git.writeBlobs(written.map(({ content }) => content))
  const modes = new Map<string, string>()
  for (const { path } of written) {
    const entry = plan.parent && (await git.entryAt(plan.parent.tree, path))
    if (entry) modes.set(path, entry.mode)
  }
  const changes: TreeChange[] = [
    ...written.map(({ path }, i) => ({ path, mode: fileMode(modes.get(path)), oid: oids[i] ?? null })),
    ...plan.files.filter(({ content }) => content === null).map(({ path }) => ({ path, mode: '100644', oid: null })),
  ]
  const now = world.clock.now()
  const isOwn = plan.author === undefined && plan.committer === undefined
  const oid = await git.writeCommit({
    tree: changes.length === 0 && plan.parent ? plan.parent.tree : await git.writeTree(plan.parent?.tree, changes),
    parents: plan.parent ? [plan.parent.oid] : [],
    author: plan.author ?? signatureOf(account, now),
    committer: plan.committer ?? gitHubSignature(now),
    message: plan.message,
  })
  if (isOwn || appOf(identity) === null) markVerified(world, repository, oid)
  return oid
}

const fileMode = (known: string | undefined): string => (known === '100755' || known === '120000' ? known : '100644')

/** Files below `.github/workflows/` take the permission `workflows`, which a run's token can never have. */
export function refuseWorkflowFiles(identity: Identity, files: readonly { readonly path: string }[]): void {
  const file = files.find(({ path }) => path.toLowerCase().startsWith('.github/workflows/'))
  const isApp = identity.kind === 'installation' || identity.kind === 'actions'
  if (!file || !isApp || (identity.kind === 'installation' && identity.permissions.get('workflows') === 'write')) return
  throw new Refusal(
    403,
    `refusing to allow a GitHub App to create or update workflow \`${file.path}\` without \`workflows\` permission`,
  )
}

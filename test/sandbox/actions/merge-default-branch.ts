import { changeRefs, signatureOf } from '../git/ref-update.ts'
import { type Context, Refusal } from '../router.ts'

/**
 * What `auto_merge` (GitHub's default!) does: when the ref is a branch that lacks commits of the default branch, these
 * are merged into it *instead of* deploying. Returns GitHub's message, or undefined when there is nothing to merge.
 */
export async function mergeDefaultBranch(context: Context, branch: string, head: string): Promise<string | undefined> {
  const [repository, git] = [context.repository(), context.git()]
  const base = repository.defaultBranch
  const ref = `refs/heads/${branch.replace(/^refs\/heads\//, '')}`
  const baseHead = await git.readRef(`refs/heads/${base}`)
  if (branch === base || baseHead === undefined || (await git.readRef(ref)) !== head) return undefined
  if (await git.isAncestor(baseHead, head)) return undefined
  const tree = await git.mergeTrees(head, baseHead)
  if (tree === undefined) throw new Refusal(409, `Conflict merging ${base} into ${branch}.`)
  const author = signatureOf(context.actor(), context.world.clock.now())
  const message = `Merge branch '${base}' into ${branch}`
  const merge = await git.writeCommit({ tree, parents: [head, baseHead], author, committer: author, message })
  const outcome = await changeRefs(
    context.world,
    repository,
    context.identity,
    [{ ref, before: head, after: merge }],
    true,
  )
  if (outcome.kind !== 'done')
    throw new Refusal(409, outcome.kind === 'rules' ? outcome.message : `Conflict merging ${base} into ${branch}.`)
  return `Auto-merged ${base} into ${branch} on deployment.`
}

import { changeRefs, gitHubSignature, signatureOf } from '../git/ref-update.ts'
import { type Commit, type Signature, zeroOid } from '../git/repository.ts'
import { conversationsOf, type Issue, type Pull, type Review } from '../records.ts'
import { type Context, Refusal } from '../router.ts'
import { rulesInForce, violationMessage } from '../rulesets.ts'
import type { Mergeability } from '../shapes/conversation.ts'
import { markVerified } from '../shapes/git.ts'
import { atLeast, fullName, type Repository, roleOf } from '../store.ts'
import type { World } from '../world.ts'
import { contextStates } from './check-state.ts'
import { tell } from './issues.ts'

type PullIssue = Issue & { pull: Pull }

const notAllowed = (message: string) => new Refusal(405, message)

/** Whether base and head merge cleanly now; closed pull requests do not say. */
export async function mergeability(
  world: World,
  repository: Repository,
  { pull, state }: PullIssue,
): Promise<Mergeability> {
  if (state === 'closed') return { mergeable: null, state: 'unknown' }
  const git = world.gitOf(repository)
  const base = await git.readRef(`refs/heads/${pull.baseRef}`)
  const isClean = base !== undefined && (await git.mergeTrees(base, pull.headOid)) !== undefined
  return { mergeable: isClean, state: !isClean ? 'dirty' : pull.draft ? 'draft' : 'clean' }
}

/** The last verdict of each reviewer who may write: what a required number of approvals counts. */
export function approvals(world: World, repository: Repository, issue: Issue): Review[] {
  const latest = new Map<number, Review>()
  for (const review of conversationsOf(repository).reviews.values()) {
    const isVerdict =
      review.state === 'APPROVED' || review.state === 'CHANGES_REQUESTED' || review.state === 'DISMISSED'
    if (review.issue === issue && isVerdict) latest.set(review.author.id, review)
  }
  return [...latest.values()]
    .filter(({ state }) => state === 'APPROVED')
    .filter(({ author }) => atLeast(roleOf(world.store, repository, author.id), 'write'))
}

/** What the rulesets of the base ask of the pull request and is not there. */
function missing(context: Context, issue: PullIssue): string[] {
  const { world, identity } = context
  const repository = context.repository()
  const inForce = rulesInForce(world, repository, identity, `refs/heads/${issue.pull.baseRef}`, true)
  return inForce.flatMap(({ rule }): string[] => {
    const parameters = rule.parameters ?? {}
    if (rule.type === 'pull_request') {
      const wanted = Number(parameters['required_approving_review_count'] ?? 0)
      const some = wanted === 1 ? '1 approving review is' : `${wanted} approving reviews are`
      return approvals(world, repository, issue).length < wanted
        ? [`At least ${some} required by reviewers with write access.`]
        : []
    }
    if (rule.type !== 'required_status_checks') return []
    const checks = Array.isArray(parameters['required_status_checks']) ? parameters['required_status_checks'] : []
    const states = contextStates(repository, issue.pull.headOid)
    return (checks as { context: string }[])
      .filter(({ context: name }) => states.get(name) !== 'success')
      .map(({ context: name }) => `Required status check "${name}" is expected.`)
  })
}

interface MergeRequest {
  readonly sha?: string
  readonly merge_method?: 'merge' | 'squash' | 'rebase'
  readonly commit_title?: string
  readonly commit_message?: string
}

const settings = {
  merge: ['allowMergeCommit', 'Merge commits are not allowed on this repository.'],
  squash: ['allowSquashMerge', 'Squash merges are not allowed on this repository.'],
  rebase: ['allowRebaseMerge', 'Rebase merges are not allowed on this repository.'],
} as const

interface TwoParents {
  readonly ours: string
  readonly theirs: string
  readonly message: string
}

/** A merge commit signed by GitHub; undefined when they conflict. */
async function commit(
  context: Context,
  { ours, theirs, message }: TwoParents,
  parents = [ours, theirs],
): Promise<string | undefined> {
  const { world } = context
  const git = context.git()
  const tree = await git.mergeTrees(ours, theirs)
  if (tree === undefined) return undefined
  const now = world.clock.now()
  const author = signatureOf(context.actor(), now)
  const oid = await git.writeCommit({ tree, parents, author, committer: gitHubSignature(now), message })
  markVerified(world, context.repository(), oid)
  return oid
}

/** The pull request's commits again, one after the other, on the base. */
async function rebase(context: Context, base: string, head: string): Promise<string | undefined> {
  const git = context.git()
  const now = context.world.clock.now()
  const committer: Signature = signatureOf(context.actor(), now)
  let onto = base
  for (const oid of await git.listCommits([head, `^${base}`], ['--reverse', '--no-merges'])) {
    const original: Commit | undefined = await git.readCommit(oid)
    const parent = original?.parents[0]
    if (!original || parent === undefined) return undefined
    // Merging with the original's parent as merge base is what a cherry-pick does; a temporary commit gives git that base.
    const carrier = await git.writeCommit({
      ...original,
      tree: (await git.readCommit(onto))?.tree ?? '',
      parents: [parent],
    })
    const tree = await git.mergeTrees(carrier, oid)
    if (tree === undefined) return undefined
    onto = await git.writeCommit({ ...original, tree, parents: [onto], committer })
  }
  return onto
}

async function run(context: Context, issue: PullIssue): Promise<string> {
  const { world, identity } = context
  const repository = context.repository()
  const git = context.git()
  const { pull } = issue
  const request = context.body as MergeRequest
  const method = request.merge_method ?? 'merge'
  if (issue.state === 'closed' || pull.draft)
    throw notAllowed(pull.draft ? 'Pull Request is still a draft' : 'Pull Request is not mergeable')
  if (pull.isLanding) throw notAllowed('Merge already in progress')
  const [setting, refusal] = settings[method]
  if (!repository[setting]) throw notAllowed(refusal)
  if (request.sha !== undefined && request.sha !== pull.headOid) {
    throw new Refusal(409, 'Head branch was modified. Review and try the merge again.')
  }
  const lacking = missing(context, issue)
  if (lacking.length > 0) throw notAllowed(violationMessage(lacking))
  const base = (await git.readRef(`refs/heads/${pull.baseRef}`)) ?? zeroOid
  const title = request.commit_title
  const text = (head: string, tail: string) =>
    [title ?? head, request.commit_message ?? tail].filter(Boolean).join('\n\n')
  const make = {
    merge: () => {
      const head = `Merge pull request #${issue.number} from ${repository.owner.login}/${pull.headRef}`
      return commit(context, { ours: base, theirs: pull.headOid, message: text(head, issue.title) })
    },
    squash: () => {
      const message = text(`${issue.title} (#${issue.number})`, '')
      return commit(context, { ours: base, theirs: pull.headOid, message }, [base])
    },
    rebase: () => rebase(context, base, pull.headOid),
  } as const
  const oid = await make[method]()
  if (oid === undefined) throw notAllowed('Pull Request is not mergeable')
  await land(context, issue, base, oid)
  if (repository.deleteBranchOnMerge) {
    await changeRefs(world, repository, identity, [{ ref: `refs/heads/${pull.headRef}`, after: zeroOid }])
  }
  return oid
}

/** Open until the base has moved: nobody ever sees it closed and not merged. */
async function land(context: Context, issue: PullIssue, base: string, oid: string): Promise<void> {
  const { world, identity } = context
  const { pull } = issue
  const now = world.clock.now()
  const change = { ref: `refs/heads/${pull.baseRef}`, after: oid, before: base }
  pull.isLanding = true
  const outcome = await changeRefs(world, context.repository(), identity, [change], true).finally(() => {
    pull.isLanding = false
  })
  if (outcome.kind !== 'done') {
    if (outcome.kind === 'rules') throw notAllowed(outcome.message)
    throw new Refusal(
      405,
      `Base branch was modified. Review and try the merge again. (${fullName(context.repository())})`,
    )
  }
  Object.assign(issue, { state: 'closed', closedAt: now, closedBy: context.actor() })
  Object.assign(pull, { mergedAt: now, mergedBy: context.actor(), mergeCommitOid: oid })
  tell(context, issue, 'closed')
}

export const mergePull = { run, commit }

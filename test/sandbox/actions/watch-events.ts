import { zeroOid } from '../git/repository.ts'
import { matchesPattern } from '../rulesets.ts'
import type { Account, Repository } from '../store.ts'
import type { Happening, Push, World } from '../world.ts'
import { launchWorkflow } from './trigger.ts'
import type { WorkflowFile } from './workflow-file.ts'
import { workflowsAt } from './workflows.ts'

/** docs.github.com/actions/how-tos/manage-workflow-runs/skip-workflow-runs */
const skipMarks = /\[(?:skip ci|ci skip|no ci|skip actions|actions skip)\]|^skip-checks: ?true$/m

function isMatched(filters: readonly string[] | undefined, name: string): boolean {
  if (filters === undefined) return true
  let isIn = false
  for (const filter of filters) {
    if (filter.startsWith('!')) isIn &&= !matchesPattern(filter.slice(1), name)
    else isIn ||= matchesPattern(filter, name)
  }
  return isIn
}

function wantsPush(file: WorkflowFile, ref: string): boolean {
  if (!Object.hasOwn(file.on, 'push')) return false
  const { branches, tags } = file.on.push ?? {}
  if (ref.startsWith('refs/tags/')) return tags === undefined ? branches === undefined : isMatched(tags, ref.slice(10))
  return branches === undefined ? tags === undefined : isMatched(branches, ref.slice(11))
}

/** Runs `on: push` workflows of the pushed commit. What github-actions[bot] pushes starts nothing, as on GitHub. */
export async function runOnPush(world: World, push: Push): Promise<void> {
  const { repository, ref, before, after, by } = push
  if (after === zeroOid || by === world.actionsApp.bot) return
  const git = world.gitOf(repository)
  const sha = await git.resolveCommit(after)
  const commit = sha === undefined ? undefined : await git.readCommit(sha)
  if (sha === undefined || commit === undefined || skipMarks.test(commit.message)) return
  const trigger = { world, repository, event: 'push', sha, ref, actor: by, payload: { ref, before, after } }
  for (const found of await workflowsAt(git, sha))
    if (found.kind === 'broken' || wantsPush(found.file, ref)) await launchWorkflow(trigger, found)
}

/** Runs `on: repository_dispatch` workflows of the default branch. */
export async function runOnRepositoryDispatch(
  world: World,
  repository: Repository,
  by: Account,
  eventType: string,
  clientPayload: unknown,
): Promise<void> {
  const git = world.gitOf(repository)
  const ref = `refs/heads/${repository.defaultBranch}`
  const sha = await git.readRef(ref)
  if (sha === undefined) return
  const payload = { action: eventType, branch: repository.defaultBranch, client_payload: clientPayload }
  const trigger = { world, repository, event: 'repository_dispatch', sha, ref, actor: by, payload }
  for (const found of await workflowsAt(git, sha)) {
    if (found.kind === 'broken' || !Object.hasOwn(found.file.on, 'repository_dispatch')) continue
    const { types } = found.file.on.repository_dispatch ?? {}
    if (types === undefined || types.includes(eventType)) await launchWorkflow(trigger, found)
  }
}

/**
 * The commit whose workflows an event starts: of the default branch, but of the pull request for its own events. So a
 * review on a pull request starts nothing when neither its branch nor its base has the workflow, as on GitHub (which
 * takes the merge of the two; here it is the head).
 */
const watchedEvents: ReadonlyMap<string, 'default-branch' | 'pull-request'> = new Map([
  ['issues', 'default-branch'],
  ['issue_comment', 'default-branch'],
  ['pull_request', 'pull-request'],
  ['pull_request_review', 'pull-request'],
])
type WatchedEvent = 'issues' | 'issue_comment' | 'pull_request' | 'pull_request_review'

/** What `on: pull_request` means when it names no types; other events then mean all of them. */
const pullRequestTypes = ['opened', 'synchronize', 'reopened']

interface PullPayload {
  readonly number: number
  readonly head: { readonly ref: string; readonly sha: string }
  readonly base: { readonly ref: string }
}

function wants(file: WorkflowFile, event: WatchedEvent, action: string | undefined, base: string | undefined): boolean {
  if (!Object.hasOwn(file.on, event)) return false
  const { types = event === 'pull_request' ? pullRequestTypes : undefined, branches } = file.on[event] ?? {}
  return (types === undefined || types.includes(action ?? '')) && (base === undefined || isMatched(branches, base))
}

async function runOnHappening(world: World, { event, action, repository, sender, payload }: Happening): Promise<void> {
  const place = watchedEvents.get(event)
  if (place === undefined || sender === world.actionsApp.bot) return
  const pull = place === 'pull-request' ? (payload['pull_request'] as PullPayload) : undefined
  const git = world.gitOf(repository)
  const main = `refs/heads/${repository.defaultBranch}`
  const [ref, sha] = pull ? [`refs/pull/${pull.number}/merge`, pull.head.sha] : [main, await git.readRef(main)]
  if (sha === undefined) return
  const branches = pull && { headRef: pull.head.ref, baseRef: pull.base.ref }
  const trigger = { world, repository, event, sha, ref, pull: branches, actor: sender, payload: { action, ...payload } }
  for (const found of await workflowsAt(git, sha))
    if (found.kind === 'valid' && wants(found.file, event as WatchedEvent, action, pull?.base.ref))
      await launchWorkflow(trigger, found)
}

const starting = new WeakMap<World, Set<Promise<void>>>()

/** Resolves when all that happened so far has started its workflows. */
export const eventsHeard = (world: World): Promise<unknown> => Promise.all(starting.get(world) ?? [])

/** From now on pushes and what `watchedEvents` names start workflows; once per sandbox. */
export function watchEvents(world: World): void {
  if (starting.has(world)) return
  const started = new Set<Promise<void>>()
  starting.set(world, started)
  world.onPush((push) => runOnPush(world, push))
  const deliver = world.deliver
  world.deliver = (happening) => {
    deliver(happening)
    // What the front sends is a copy of this moment; so is what starts a workflow.
    const copy = { ...happening, payload: structuredClone(happening.payload) }
    const start = runOnHappening(world, copy).catch((error: unknown) => {
      world.violations.push({ kind: 'answer', operation: `on ${happening.event}`, problems: [String(error)] })
    })
    started.add(start)
    void start.then(() => started.delete(start))
  }
}

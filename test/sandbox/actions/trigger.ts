import { zeroOid } from '../git/repository.ts'
import { matchesPattern } from '../rulesets.ts'
import { repositoryBody, userBody } from '../shapes/common.ts'
import type { Account, Repository } from '../store.ts'
import type { Push, World } from '../world.ts'
import { interpolate, toText, toValue } from './expression.ts'
import { launchRun } from './launch.ts'
import type { Run } from './records.ts'
import type { WorkflowFile } from './workflow-file.ts'
import { ensureWorkflow, type FoundWorkflow, settingsOf, workflowsAt } from './workflows.ts'

export interface Trigger {
  readonly world: World
  readonly repository: Repository
  readonly event: string
  readonly sha: string
  /** `refs/heads/…` or `refs/tags/…` */
  readonly ref: string
  readonly actor: Account
  readonly payload: Readonly<Record<string, unknown>>
  readonly inputs?: Readonly<Record<string, unknown>>
}

/** Starts a run of a workflow file; a broken one makes a run that ends as `startup_failure`, as on GitHub. */
export async function launchWorkflow(trigger: Trigger, found: FoundWorkflow): Promise<Run> {
  const { world, repository, event, sha, ref, actor, inputs = {} } = trigger
  const headCommit = await world.gitOf(repository).readCommit(sha)
  if (headCommit === undefined) throw new Error(`there is no commit ${sha}`)
  const name = found.kind === 'valid' ? found.file.name : found.path
  const { vars, secrets, actions } = settingsOf(world)
  const payload = {
    ...trigger.payload,
    repository: repositoryBody(world, repository),
    sender: userBody(world, actor),
  }
  const subject = headCommit.message.split('\n', 1)[0] ?? ''
  const fallback = event === 'push' ? subject : name
  return launchRun(world, {
    repository,
    workflow: ensureWorkflow(world, repository, found.path, name),
    title: found.kind === 'valid' ? titleOf(found.file, { inputs, payload, fallback }) : fallback,
    event,
    payload,
    inputs,
    vars: Object.fromEntries(vars),
    secrets: Object.fromEntries(secrets),
    headCommit,
    ref,
    actor,
    env: found.kind === 'valid' ? found.file.env : new Map(),
    concurrency: found.kind === 'valid' ? found.file.concurrency : undefined,
    jobs: found.kind === 'valid' ? found.file.jobs : [],
    actions,
    ...(found.kind === 'broken' && { startupFailure: found.message }),
  })
}

function titleOf(file: WorkflowFile, given: { inputs: unknown; payload: unknown; fallback: string }): string {
  if (file.runName === undefined) return given.fallback
  const contexts = new Map([
    ['inputs', toValue(given.inputs)],
    ['github', toValue({ event: given.payload })],
  ])
  return toText(interpolate(file.runName, { contexts, status: 'success' })).trim() || given.fallback
}

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

const watched = new WeakSet<World>()
/** From now on pushes start workflows; once per sandbox. */
export function watchPushes(world: World): void {
  if (watched.has(world)) return
  watched.add(world)
  world.onPush((push) => runOnPush(world, push))
}

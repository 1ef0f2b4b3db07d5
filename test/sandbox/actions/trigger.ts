import { repositoryBody, userBody } from '../shapes/common.ts'
import type { Account, Repository } from '../store.ts'
import type { World } from '../world.ts'
import { interpolate, toText, toValue } from './expression.ts'
import { launchRun } from './launch.ts'
import type { Run } from './records.ts'
import type { WorkflowFile } from './workflow-file.ts'
import { ensureWorkflow, type FoundWorkflow, settingsOf } from './workflows.ts'

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
  readonly pull?: { readonly headRef: string; readonly baseRef: string } | undefined
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
    pull: trigger.pull,
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

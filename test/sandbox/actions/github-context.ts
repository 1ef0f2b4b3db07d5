import { fullName } from '../store.ts'
import type { World } from '../world.ts'
import type { Run } from './records.ts'
import type { RunDefinition } from './run-definition.ts'

/** The `github` context of a job (by its key in the workflow), without its token. */
export function githubContext(world: World, definition: RunDefinition, run: Run, job: string): Record<string, unknown> {
  const { repository, ref, payload, event, workflow, headCommit } = definition
  return {
    action: '__run',
    actor: run.actor.login,
    actor_id: String(run.actor.id),
    api_url: world.origin,
    base_ref: definition.pull?.baseRef ?? '',
    event: payload,
    event_name: event,
    graphql_url: `${world.origin}/graphql`,
    head_ref: definition.pull?.headRef ?? '',
    job,
    ref,
    ref_name: ref.replace(/^refs\/(heads|tags|pull)\//, ''),
    ref_protected: false,
    ref_type: ref.startsWith('refs/tags/') ? 'tag' : 'branch',
    repository: fullName(repository),
    repository_id: String(repository.id),
    repository_owner: repository.owner.login,
    repository_owner_id: String(repository.owner.id),
    repositoryUrl: `${world.origin.replace(/^http/, 'git')}/${fullName(repository)}.git`,
    retention_days: '90',
    run_attempt: String(run.attempt),
    run_id: String(run.id),
    run_number: String(run.number),
    server_url: world.origin,
    sha: headCommit.oid,
    triggering_actor: run.triggeringActor.login,
    workflow: workflow.name,
    workflow_ref: `${fullName(repository)}/${workflow.path}@${ref}`,
    workflow_sha: headCommit.oid,
  }
}

import type { Job, Run, Workflow } from '../actions/records.ts'
import type { Commit } from '../git/repository.ts'
import { conversationsOf } from '../records.ts'
import type { Repository } from '../store.ts'
import type { World } from '../world.ts'
import { type Body, htmlUrl, nodeId, repositoryBody, repositoryUrl, userBody } from './common.ts'

export function workflowBody(world: World, repository: Repository, workflow: Workflow): Body {
  const file = workflow.path.split('/').at(-1) ?? workflow.path
  return {
    id: workflow.id,
    node_id: nodeId('W', workflow.id),
    name: workflow.name,
    path: workflow.path,
    state: 'active',
    created_at: workflow.createdAt,
    updated_at: workflow.updatedAt,
    url: `${repositoryUrl(world, repository)}/actions/workflows/${workflow.id}`,
    html_url: htmlUrl(world, repository, `/blob/${repository.defaultBranch}/${workflow.path}`),
    badge_url: htmlUrl(world, repository, `/workflows/${file}/badge.svg`),
  }
}

const simpleCommit = (commit: Commit): Body => ({
  id: commit.oid,
  tree_id: commit.tree,
  message: commit.message,
  timestamp: commit.committer.date,
  author: { name: commit.author.name, email: commit.author.email },
  committer: { name: commit.committer.name, email: commit.committer.email },
})

export const runUrl = (world: World, run: Run): string =>
  `${repositoryUrl(world, run.repository)}/actions/runs/${run.id}`
export const runHtmlUrl = (world: World, run: Run): string => htmlUrl(world, run.repository, `/actions/runs/${run.id}`)

/** Open pull requests from the run's branch with its commit, in short. */
export function pullsOf(world: World, run: Run): Body[] {
  const { repository } = run
  const repo = { id: repository.id, url: repositoryUrl(world, repository), name: repository.name }
  return [...conversationsOf(repository).issues.values()].flatMap(({ number, state, pull }) =>
    pull === null || state !== 'open' || pull.headRef !== run.headBranch || pull.headOid !== run.headSha
      ? []
      : [
          {
            url: `${repositoryUrl(world, repository)}/pulls/${number}`,
            id: pull.id,
            number,
            head: { ref: pull.headRef, sha: pull.headOid, repo },
            base: { ref: pull.baseRef, sha: pull.baseOid, repo },
          },
        ],
  )
}

export function workflowRunBody(world: World, run: Run): Body {
  const url = runUrl(world, run)
  const suite = `${repositoryUrl(world, run.repository)}/check-suites/${run.checkSuiteId}`
  return {
    id: run.id,
    name: run.workflow.name,
    node_id: nodeId('WFR', run.id),
    check_suite_id: run.checkSuiteId,
    check_suite_node_id: nodeId('CS', run.checkSuiteId),
    head_branch: run.headBranch,
    head_sha: run.headSha,
    path: run.workflow.path,
    display_title: run.title,
    run_number: run.number,
    event: run.event,
    status: run.status,
    conclusion: run.conclusion,
    workflow_id: run.workflow.id,
    url,
    html_url: runHtmlUrl(world, run),
    pull_requests: pullsOf(world, run),
    created_at: run.createdAt,
    updated_at: run.updatedAt,
    actor: userBody(world, run.actor),
    run_attempt: run.attempt,
    referenced_workflows: [],
    run_started_at: run.startedAt,
    triggering_actor: userBody(world, run.triggeringActor),
    jobs_url: `${url}/jobs`,
    logs_url: `${url}/logs`,
    check_suite_url: suite,
    artifacts_url: `${url}/artifacts`,
    cancel_url: `${url}/cancel`,
    rerun_url: `${url}/rerun`,
    previous_attempt_url: run.attempt > 1 ? `${url}/attempts/${run.attempt - 1}` : null,
    workflow_url: `${repositoryUrl(world, run.repository)}/actions/workflows/${run.workflow.id}`,
    head_commit: simpleCommit(run.headCommit),
    repository: repositoryBody(world, run.repository),
    head_repository: repositoryBody(world, run.repository),
  }
}

export function jobBody(world: World, job: Job): Body {
  const { run } = job
  const hasRunner = job.status === 'in_progress' || (job.status === 'completed' && job.conclusion !== 'skipped')
  return {
    id: job.id,
    run_id: run.id,
    workflow_name: run.workflow.name,
    head_branch: run.headBranch,
    run_url: runUrl(world, run),
    run_attempt: job.attempt,
    node_id: nodeId('CR', job.id),
    head_sha: run.headSha,
    url: `${repositoryUrl(world, run.repository)}/actions/jobs/${job.id}`,
    html_url: `${runHtmlUrl(world, run)}/job/${job.id}`,
    status: job.status,
    conclusion: job.conclusion,
    created_at: job.createdAt,
    started_at: job.startedAt,
    completed_at: job.completedAt,
    name: job.name,
    steps: job.steps.map((step) => ({
      name: step.name,
      status: 'completed',
      conclusion: step.conclusion,
      number: step.number,
      started_at: job.startedAt,
      completed_at: job.completedAt ?? job.startedAt,
    })),
    check_run_url: `${repositoryUrl(world, run.repository)}/check-runs/${job.id}`,
    labels: ['ubuntu-latest'],
    runner_id: hasRunner ? 1 : null,
    runner_name: hasRunner ? 'sandbox' : null,
    runner_group_id: hasRunner ? 1 : null,
    runner_group_name: hasRunner ? 'Default' : null,
  }
}

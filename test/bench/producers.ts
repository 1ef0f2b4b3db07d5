import { runAction } from '../../src/action/run-action.ts'
import { recordingRunner, stage } from '../action/stage.ts'
import type { RequestRecord, Sandbox } from '../sandbox/sandbox.ts'
import { repositoryByName } from '../sandbox/store.ts'

/** What a job's own token spends on one attempt to deploy: the step that begins it and the one that ends it. */
export async function requestsOfOneAttempt(
  sandbox: Sandbox,
  { owner, repo }: { readonly owner: string; readonly repo: string },
): Promise<readonly RequestRecord[]> {
  const repository = repositoryByName(sandbox.world.store, owner, repo)
  const sha = await sandbox.repository(`${owner}/${repo}`).head()
  if (!repository || sha === undefined) throw new Error(`expected the repository ${owner}/${repo} with a commit`)
  const permissions = new Map([
    ['deployments', 'write'],
    ['contents', 'read'],
  ] as const)
  const token = sandbox.world.mintActionsToken(repository, permissions, 77)
  const variables = {
    GITHUB_API_URL: sandbox.origin,
    GITHUB_SERVER_URL: sandbox.origin,
    GITHUB_REPOSITORY: `${owner}/${repo}`,
    GITHUB_SHA: sha,
  }
  const from = sandbox.requests.length
  for (const status of ['started', 'success']) {
    const inputs = { command: 'record-deployment', version: '1.0.0', environment: 'production', status }
    const runner = recordingRunner()
    const exitCode = await runAction(stage({ 'github-token': token, ...inputs }, variables), runner)
    if (exitCode !== 0) throw new Error(`expected the step to pass, found ${runner.annotations[0]?.problem.message}`)
  }
  return sandbox.requests.slice(from)
}

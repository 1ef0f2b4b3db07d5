import { type RunHandle, startRun } from '../sandbox/actions.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'

/** A run that records a build as the Action does: a check run with the record in its output. */
export async function recordedBuild(
  sandbox: Sandbox,
  version: string,
  { product, repository } = { product: 'user-service', repository: 'acme/platform' },
): Promise<RunHandle> {
  const run = await startRun(sandbox, {
    repository,
    workflow: '.github/workflows/build.yml',
    actor: 'ann',
    permissions: { checks: 'write', contents: 'read' },
    jobs: [
      {
        name: 'build',
        steps: [
          async ({ token }) => {
            const record = {
              schema: 'ringmaster/build/1',
              product,
              version,
              previousVersion: null,
              bump: 'minor',
              status: 'completed',
              run: { id: 1, attempt: 1, job: 'build' },
              artifacts: [],
            }
            const answer = await fetch(`${sandbox.origin}/repos/${repository}/check-runs`, {
              method: 'POST',
              headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
              body: JSON.stringify({
                name: `ringmaster/build ${product}`,
                head_sha: await sandbox.repository(repository).head(),
                status: 'completed',
                conclusion: 'success',
                output: { title: version, summary: version, text: `\`\`\`json\n${JSON.stringify(record)}\n\`\`\`` },
              }),
            })
            if (!answer.ok) throw new Error(`expected a check run, found ${answer.status}`)
          },
        ],
      },
    ],
  })
  await run.finished()
  return run
}

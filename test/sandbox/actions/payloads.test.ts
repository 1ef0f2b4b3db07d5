import { createRequire } from 'node:module'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { actionsAtRest, startRun } from '../actions.ts'
import { type Sandbox, startSandbox } from '../sandbox.ts'

type Json = Readonly<Record<string, unknown>>
const examples = createRequire(import.meta.url)('@octokit/webhooks-examples') as readonly {
  readonly name: string
  readonly examples: readonly Json[]
}[]
const events = ['deployment', 'deployment_status', 'workflow_run', 'workflow_job', 'deployment_review']
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Paths of members, arrays by their first element; what is empty or null on the other side says nothing. */
function missing(example: unknown, ours: unknown, path = ''): string[] {
  if (Array.isArray(example))
    return example.length > 0 && Array.isArray(ours) && ours.length > 0 ? missing(example[0], ours[0], `${path}[]`) : []
  if (!isObject(example) || !isObject(ours)) return []
  return Object.entries(example).flatMap(([key, value]) =>
    Object.hasOwn(ours, key) ? missing(value, ours[key], `${path}.${key}`) : [`${path}.${key}`],
  )
}

/** Members that only old captures have, or that GitHub leaves out for repositories like ours. */
const absentOnPurpose =
  /^\.organization|performed_via_github_app\.permissions|^\.repository\.(master_branch|stargazers|score|custom_properties|temp_clone|allow_|security|delete)|\.actor\.|head_repository\.|\.workflow_run\.repository\.|^\.sender\./

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({
    seed: {
      people: ['ann'],
      organizations: [{ login: 'acme', owners: ['ann'], teams: [{ slug: 'ops', members: ['ann'] }] }],
      repositories: [{ name: 'acme/app', commits: [{ message: 'feat: begin', files: { a: '1' }, author: 'ann' }] }],
      apps: [
        { slug: 'ringmaster', permissions: { deployments: 'write' }, events, installations: [{ account: 'acme' }] },
      ],
    },
  })
  const rest = sandbox.as('ann').octokit.rest
  const team = [...sandbox.world.store.teams.keys()][0] ?? 0
  const reviewers = [{ type: 'Team' as const, id: team }]
  const at = { owner: 'acme', repo: 'app' }
  await rest.repos.createOrUpdateEnvironment({ ...at, environment_name: 'production', reviewers })
  const run = await startRun(sandbox, {
    repository: 'acme/app',
    actor: 'ann',
    jobs: [{ name: 'deploy', environment: 'production', steps: [{ run: 'true', shell: 'bash' }] }],
  })
  await run.atRest()
  run.bypass('ann')
  await run.finished()
  await actionsAtRest(sandbox)
})
afterAll(() => sandbox.stop())

describe('a webhook of Actions has every member of the captured ones:', () => {
  const captured = examples
    .filter((one) => events.includes(one.name))
    .flatMap((one) => one.examples.map((example) => [one.name, String(example['action']), example] as const))
  const newest = [...new Map(captured.map((one) => [`${one[0]} ${one[1]}`, one])).values()]

  it.each(newest)('%s %s', (event, action, example) => {
    const ours = sandbox.webhooks.attempts.find((one) => one.event === event && one.action === action)
    if (ours === undefined) throw new Error(`no ${event} ${action} was sent`)
    expect(missing(example, ours.request.payload).filter((path) => !absentOnPurpose.test(path))).toEqual([])
  })
})

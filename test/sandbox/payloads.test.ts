import { createRequire } from 'node:module'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { type Sandbox, startSandbox } from './sandbox.ts'
import { acme } from './seeds.ts'

type Examples = readonly { readonly name: string; readonly examples: readonly Readonly<Record<string, unknown>>[] }[]
const examples = createRequire(import.meta.url)('@octokit/webhooks-examples') as Examples

const repo = { owner: 'acme', repo: 'app' }
let sandbox: Sandbox
const payloads = new Map<string, Readonly<Record<string, unknown>>>()

/** Once through everything that tells an App something. */
beforeAll(async () => {
  sandbox = await startSandbox({ seed: acme })
  const rest = (login: string) => sandbox.as(login).octokit.rest
  const app = sandbox.app('ringmaster').octokit('acme').rest
  const { data: issue } = await rest('bob').issues.create({
    ...repo,
    title: 'v2',
    body: 'a',
    labels: ['x'],
    assignees: ['bob'],
  })
  await rest('bob').issues.createComment({ ...repo, issue_number: issue.number, body: '/help' })
  await rest('bob').issues.update({ ...repo, issue_number: issue.number, body: 'b', state: 'closed' })
  const head_sha = await sandbox
    .repository('acme/app')
    .commit({ message: 'x', branch: 'topic', files: { x: '1' }, author: 'bob' })
  const { data: pull } = await rest('bob').pulls.create({ ...repo, title: 'x', head: 'topic', base: 'main' })
  await rest('ann').pulls.createReview({ ...repo, pull_number: pull.number, event: 'APPROVE', body: 'fine' })
  await app.checks.create({ ...repo, name: 'x', head_sha, conclusion: 'success' })
  await app.repos.createCommitStatus({ ...repo, sha: head_sha, state: 'success' })
  await rest('ann').pulls.merge({ ...repo, pull_number: pull.number })
  await rest('bob').git.deleteRef({ ...repo, ref: 'heads/topic' })
  await sandbox.webhooks.settled()
  for (const { event, request } of sandbox.webhooks.attempts)
    payloads.set(`${event}.${request.payload['action']}`, request.payload)
})
afterAll(() => sandbox.stop())

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Members of the example that the payload lacks or has of another kind; null goes with anything. */
function differences(example: unknown, payload: unknown, path: string): string[] {
  if (example === null || payload === null) return []
  if (Array.isArray(example)) {
    if (!Array.isArray(payload)) return [`${path} is no list`]
    return example.length > 0 && payload.length > 0 ? differences(example[0], payload[0], `${path}[0]`) : []
  }
  if (isObject(example)) {
    if (!isObject(payload)) return [`${path} is no object`]
    return Object.entries(example).flatMap(([key, value]) =>
      Object.hasOwn(payload, key) ? differences(value, payload[key], `${path}.${key}`) : [`${path}.${key} is missing`],
    )
  }
  return typeof example === typeof payload ? [] : [`${path} is a ${typeof payload}, not a ${typeof example}`]
}

/** What the examples have of their own time: members GitHub no longer sends, and permissions that depend on the App. */
const dated = [
  /\.permissions\./,
  /\.(created_at|updated_at|pushed_at) is a string, not a number/,
  /repository\.(master_branch|stargazers)/,
  /\.milestone/,
  /issue\.draft/,
  /check_run\.deployment/,
]

it.each([
  ['issues', 'opened'],
  ['issues', 'edited'],
  ['issues', 'labeled'],
  ['issues', 'assigned'],
  ['issue_comment', 'created'],
  ['pull_request', 'opened'],
  ['pull_request', 'closed'],
  ['pull_request_review', 'submitted'],
  ['check_run', 'created'],
  ['check_run', 'completed'],
  ['push', undefined],
  ['create', undefined],
  ['delete', undefined],
  ['status', undefined],
])('%s %s has every member of GitHub’s own examples', (event, action) => {
  const known = examples.find(({ name }) => name === event)?.examples
  const example = known?.find((one) => one['action'] === action)
  const payload = payloads.get(`${event}.${action}`)
  expect(payload).toBeDefined()
  expect(example).toBeDefined()
  const found = differences(example, payload, event).filter((one) => !dated.some((pattern) => pattern.test(one)))
  expect(found).toEqual([])
})

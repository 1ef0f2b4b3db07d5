import { createRequire } from 'node:module'
import type { Delivery, Installation } from '../../src/webhooks/delivery.ts'

/** GitHub's own example payloads by event. */
interface ExampleSet {
  readonly name: string
  readonly examples: readonly Readonly<Record<string, unknown>>[]
}
const index = createRequire(import.meta.url)('@octokit/webhooks-examples/api.github.com/index.json') as ExampleSet[]

export const examplesOf = (event: string): readonly Readonly<Record<string, unknown>>[] =>
  index.find((set) => set.name === event)?.examples ?? []

export const allExamples: readonly { event: string; payload: Readonly<Record<string, unknown>> }[] = index.flatMap(
  ({ name, examples }) => examples.map((payload) => ({ event: name, payload })),
)

export const RELEASES_ID = 77
export const installation: Installation = {
  releaseRepositoryId: RELEASES_ID,
  appId: 4711,
  botLogin: 'ringmaster[bot]',
}

export const delivered = (event: string, payload: unknown): Delivery => ({
  id: '6d1b1de0-0000-4000-8000-000000000000',
  event,
  payload,
  receivedAt: '2026-11-20T10:00:00.000Z',
})

/** A copy with some fields, named by their path, set to other values; `undefined` takes a field away. */
export function bent<T>(payload: T, changes: Readonly<Record<string, unknown>>): T {
  const copy = structuredClone(payload)
  for (const [path, value] of Object.entries(changes)) {
    const names = path.split('.')
    const last = names.pop() ?? ''
    let at = copy as Record<string, unknown>
    for (const name of names) at = at[name] as Record<string, unknown>
    if (value === undefined) delete at[last]
    else at[last] = value
  }
  return copy
}

const repository = { id: RELEASES_ID, full_name: 'acme/releases', default_branch: 'main', private: true }
const platform = { id: 78, full_name: 'acme/platform', default_branch: 'main', private: false }
const ann = { login: 'ann', id: 42, type: 'User' }
const sha = 'a'.repeat(40)
export const SHA = sha

export const buildRecord = {
  schema: 'ringmaster/build/1',
  product: 'user-service',
  version: '1.2.3',
  previousVersion: null,
  bump: 'minor',
  status: 'completed',
  run: { id: 500, attempt: 1, job: 'build' },
  artifacts: [],
} as const

export const numberQuestion = {
  schema: 'ringmaster/next-build/1',
  product: 'user-service',
  wanted: '1.3.0',
  run: { id: 500, attempt: 1 },
} as const

export const fenced = (value: unknown): string => `words\n\n\`\`\`json\n${JSON.stringify(value)}\n\`\`\``

/** Payloads as GitHub sends them where its collection of examples has none that fits; each is bent by its tests. */
export const PAYLOADS = {
  check_run: {
    action: 'completed',
    check_run: {
      id: 9,
      name: 'ringmaster/build user-service',
      head_sha: sha,
      html_url: 'https://github.test/acme/platform/runs/9',
      started_at: '2026-11-20T09:00:00Z',
      completed_at: '2026-11-20T09:30:00Z',
      app: { id: 15368, slug: 'github-actions' },
      output: { title: null, summary: null, text: fenced(buildRecord) },
    },
    repository: platform,
    sender: ann,
  },
  issue_comment: {
    action: 'created',
    issue: { number: 12, title: 'A release', state: 'open' },
    comment: {
      id: 5,
      body: 'On we go.\n\n/add user-service@1.2.3\n/start',
      html_url: 'https://github.test/acme/releases/issues/12#issuecomment-5',
      created_at: '2026-11-20T09:00:00Z',
      user: { ...ann },
    },
    repository,
    sender: ann,
  },
  push: { ref: 'refs/heads/main', before: 'b'.repeat(40), after: sha, deleted: false, repository, sender: ann },
  deployment_status: {
    action: 'created',
    deployment_status: {
      id: 3,
      state: 'in_progress',
      log_url: 'https://ci.test/log',
      target_url: '',
      created_at: '2026-11-20T09:00:00Z',
      performed_via_github_app: { slug: 'github-actions' },
    },
    deployment: {
      id: 8,
      sha,
      ref: 'main',
      task: 'deploy',
      environment: 'production',
      payload: {},
      creator: ann,
      performed_via_github_app: { slug: 'github-actions' },
    },
    workflow_run: { id: 600, run_attempt: 2 },
    repository: platform,
    sender: ann,
  },
  deployment_protection_rule: {
    action: 'requested',
    environment: 'production',
    event: 'push',
    sha,
    ref: 'main',
    deployment_callback_url: 'https://api.github.com/repos/acme/platform/actions/runs/600/deployment_protection_rule',
    deployment: { id: 8, sha, ref: 'main', task: 'deploy', environment: 'production' },
    pull_requests: [],
    repository: platform,
    installation: { id: 3 },
    sender: ann,
  },
  pull_request: {
    action: 'synchronize',
    number: 900,
    pull_request: {
      number: 900,
      html_url: 'https://github.test/acme/releases/pull/900',
      merged_at: null,
      user: { login: 'ringmaster[bot]', id: 1, type: 'Bot' },
      head: { ref: 'ringmaster/proposal-r12', sha, repo: { id: RELEASES_ID } },
      base: { ref: 'ringmaster-releases', sha: 'b'.repeat(40), repo: { id: RELEASES_ID } },
    },
    repository,
    sender: ann,
  },
  pull_request_review: {
    action: 'submitted',
    review: {
      id: 70,
      user: { login: 'eve', id: 2, type: 'User' },
      state: 'approved',
      submitted_at: '2026-11-20T09:00:00Z',
      html_url: 'https://github.test/acme/releases/pull/900#pullrequestreview-70',
    },
    pull_request: {
      number: 900,
      head: { ref: 'ringmaster/proposal-r12', sha, repo: { id: RELEASES_ID } },
      base: { ref: 'ringmaster-releases' },
    },
    repository,
    sender: ann,
  },
  workflow_run: {
    action: 'completed',
    workflow_run: {
      id: 600,
      run_attempt: 1,
      updated_at: '2026-11-20T09:00:00Z',
      html_url: 'https://github.test/acme/platform/actions/runs/600',
    },
    repository: platform,
    sender: ann,
  },
  status: {
    id: 77,
    sha,
    context: 'ringmaster/sign-off',
    state: 'success',
    target_url: null,
    commit: { html_url: `https://github.test/acme/releases/commit/${sha}` },
    repository,
    sender: ann,
  },
}
export type Event = keyof typeof PAYLOADS

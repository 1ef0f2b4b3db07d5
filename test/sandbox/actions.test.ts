// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions of GitHub Actions, not of TypeScript
import { createPublicKey, type JsonWebKey, verify } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import {
  actionsAtRest,
  type JobRequest,
  runs,
  runWorkflows,
  setSecret,
  setVariable,
  startRun,
  useAction,
} from './actions.ts'
import { type Sandbox, startSandbox } from './sandbox.ts'

const events = [
  'deployment',
  'deployment_status',
  'deployment_protection_rule',
  'deployment_review',
  'workflow_run',
  'workflow_job',
  'workflow_dispatch',
]
const permissions = { deployments: 'write', actions: 'read', metadata: 'read', contents: 'read' } as const
const workflow = `
name: Deploy
run-name: Deploy \${{ inputs.version }} by dispatch
on:
  workflow_dispatch:
    inputs:
      version: { required: true }
      target: { type: choice, options: [beta, production], default: beta }
      dry: { type: boolean }
permissions: { contents: read, deployments: write }
jobs:
  plan:
    runs-on: ubuntu-latest
    outputs: { what: '\${{ steps.plan.outputs.what }}' }
    steps:
      - uses: actions/checkout@v4
        with: { fetch-depth: 0 }
      - id: plan
        run: echo "what=\${{ inputs.version }}-\${{ inputs.dry }}-$(git describe --tags)" >> "$GITHUB_OUTPUT"
  deploy:
    needs: plan
    runs-on: ubuntu-latest
    environment: { name: '\${{ inputs.target }}', url: 'https://\${{ inputs.target }}.example.org' }
    steps:
      - uses: acme/deploy@v1
        with: { what: '\${{ needs.plan.outputs.what }}' }
  clean:
    needs: [deploy]
    if: always()
    runs-on: ubuntu-latest
    steps: [{ run: 'echo \${{ needs.deploy.result }}' }]
`

let sandbox: Sandbox
const at = { owner: 'acme', repo: 'app' }
beforeAll(async () => {
  sandbox = await startSandbox({
    seed: {
      people: ['ann', 'bob', 'eve'],
      organizations: [{ login: 'acme', owners: ['ann'], members: ['bob'], teams: [{ slug: 'ops', members: ['bob'] }] }],
      repositories: [
        {
          name: 'acme/app',
          private: true,
          teams: { ops: 'write' },
          commits: [
            { message: 'feat: begin', files: { 'README.md': '# app\n' }, author: 'ann', tag: 'v1.0.0' },
            {
              message: 'ci: deploy',
              author: 'ann',
              files: { '.github/workflows/deploy.yml': workflow, '.github/workflows/broken.yml': 'jobs: [' },
            },
          ],
        },
      ],
      apps: [
        { slug: 'ringmaster', permissions, events, installations: [{ account: 'acme' }] },
        { slug: 'other', permissions, events, installations: [{ account: 'acme' }] },
        {
          slug: 'reader',
          permissions: { deployments: 'read', actions: 'read' },
          events,
          installations: [{ account: 'acme' }],
        },
      ],
    },
  })
})
afterAll(() => sandbox.stop())
afterEach(async () => {
  await actionsAtRest(sandbox)
  expect(sandbox.violations).toEqual([])
})

const ann = () => sandbox.as('ann').octokit.rest
const app = (slug = 'ringmaster') => sandbox.app(slug).octokit('acme')
const ringmaster = () => app().rest
const statusOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    (error: { status?: number; message: string }) => `${error.status} ${error.message.split(' - http')[0]}`,
  )
const delivered = (event: string, slug = 'ringmaster') =>
  sandbox.webhooks.attempts.filter((one) => one.event === event && one.appId === sandbox.app(slug).id)

describe('a deployment made by the API', () => {
  const create = async (more: object = {}) => {
    const request = { ...at, ref: 'main', auto_merge: false, required_contexts: [], ...more }
    const { data } = await ringmaster().repos.createDeployment(request)
    if (!('id' in data)) throw new Error('expected a deployment, found a merge')
    return data
  }

  it('names its commit, its creator and the App, and makes its environment', async () => {
    const data = await create({ environment: 'integration', payload: { product: 'app' }, task: 'ringmaster' })
    const head = await sandbox.repository('acme/app').head()
    expect(data).toMatchObject({ sha: head, ref: 'main', task: 'ringmaster', payload: { product: 'app' } })
    expect(data).toMatchObject({ original_environment: 'integration', production_environment: false })
    expect(data).toMatchObject({
      creator: { login: 'ringmaster[bot]' },
      performed_via_github_app: { slug: 'ringmaster' },
    })
    const { data: list } = await ann().repos.getAllEnvironments(at)
    expect(list.environments?.map((one) => one.name)).toContain('integration')
    await sandbox.webhooks.settled()
    expect(delivered('deployment').at(-1)?.request.payload).toMatchObject({
      action: 'created',
      deployment: { id: data.id },
      workflow_run: null,
    })
  })

  it.each<[string, object, string]>([
    ['of an unknown ref', { ref: 'nowhere' }, '422 No ref found for: nowhere'],
    [
      'whose contexts are missing',
      { required_contexts: ['build'] },
      '409 Conflict: Commit status checks failed for main.',
    ],
  ])('%s is refused', async (_, more, expected) => {
    expect(await statusOf(create(more))).toContain(expected)
  })

  it('wants every commit status to be a success unless told otherwise; check runs do not count', async () => {
    const sha = await sandbox
      .repository('acme/app')
      .commit({ message: 'feat: checked', files: { c: '1' }, author: 'ann' })
    const say = (state: 'pending' | 'success' | 'failure', context: string) =>
      ann().repos.createCommitStatus({ ...at, sha, state, context })
    const deploy = (more: object) =>
      statusOf(ann().repos.createDeployment({ ...at, ref: sha, auto_merge: false, ...more }))
    expect(await deploy({})).toBe('done')
    await say('pending', 'ci/build')
    await say('success', 'ci/lint')
    expect(await deploy({})).toContain('409 Conflict: Commit status checks failed')
    expect(await deploy({ required_contexts: ['ci/lint'] })).toBe('done')
    await say('success', 'ci/build')
    expect(await deploy({})).toBe('done')
  })

  it('merges the default branch instead of deploying unless told otherwise, as GitHub does', async () => {
    const repository = sandbox.repository('acme/app')
    await repository.commit({ message: 'feat: topic', branch: 'topic', files: { topic: '1' }, author: 'ann' })
    await repository.commit({ message: 'feat: more', files: { more: '1' }, author: 'ann' })
    const deploy = (more: object) =>
      ann().repos.createDeployment({ ...at, ref: 'topic', required_contexts: [], ...more })
    expect((await deploy({ auto_merge: false })).status).toBe(201)
    expect(await deploy({})).toMatchObject({
      status: 202,
      data: { message: 'Auto-merged main into topic on deployment.' },
    })
    expect((await deploy({})).status).toBe(201)
  })

  it('conflicts when that merge does', async () => {
    const repository = sandbox.repository('acme/app')
    await repository.commit({ message: 'feat: a', branch: 'clash', files: { clash: 'a' }, author: 'ann' })
    await repository.commit({ message: 'feat: b', files: { clash: 'b' }, author: 'ann' })
    const deploying = ann().repos.createDeployment({ ...at, ref: 'clash', required_contexts: [] })
    expect(await statusOf(deploying)).toContain('409 Conflict merging main into clash.')
  })

  it('lists newest first, by what was asked for', async () => {
    const [one, two] = [await create({ environment: 'list' }), await create({ environment: 'list', task: 'other' })]
    const found = (query: object) =>
      ringmaster()
        .repos.listDeployments({ ...at, ...query })
        .then(({ data }) => data.map((deployment) => deployment.id))
    expect(await found({ environment: 'list' })).toEqual([two.id, one.id])
    expect(await found({ environment: 'list', task: 'other' })).toEqual([two.id])
    expect(await found({ environment: 'LIST', sha: '0'.repeat(40) })).toEqual([])
  })

  it('is deleted only when it is inactive or alone', async () => {
    const data = await create({ environment: 'gone' })
    const remove = () => ringmaster().repos.deleteDeployment({ ...at, deployment_id: data.id })
    expect(await statusOf(remove())).toContain('422 We cannot delete an active deployment')
    await ringmaster().repos.createDeploymentStatus({ ...at, deployment_id: data.id, state: 'inactive' })
    expect((await remove()).status).toBe(204)
    expect(await statusOf(ringmaster().repos.getDeployment({ ...at, deployment_id: data.id }))).toContain('404')
  })

  it.each<[string, string, string]>([
    ['an App that may only read', 'reader', '403 Resource not accessible by integration'],
    ['a person who cannot see the repository', 'eve', '404 Not Found'],
  ])('is refused to %s', async (_, who, expected) => {
    const client = who === 'eve' ? sandbox.as('eve').octokit : app(who)
    const creating = client.rest.repos.createDeployment({ ...at, ref: 'main', auto_merge: false })
    expect(await statusOf(creating)).toContain(expected)
  })
})

describe('a status of a deployment', () => {
  const deployed = async (environment: string, more: object = {}) => {
    const request = { ...at, ref: 'main', auto_merge: false, required_contexts: [], environment, ...more }
    const { data } = await ringmaster().repos.createDeployment(request)
    if (!('id' in data)) throw new Error('not deployed')
    return data.id
  }
  const say = (id: number, state: 'success' | 'inactive' | 'in_progress', more: object = {}) =>
    ringmaster().repos.createDeploymentStatus({ ...at, deployment_id: id, state, ...more })
  const statesOf = async (id: number) =>
    (await ringmaster().repos.listDeploymentStatuses({ ...at, deployment_id: id })).data.map((status) => status.state)

  it('makes earlier successes of that environment inactive by default, silently', async () => {
    const [first, failed, second] = [await deployed('auto'), await deployed('auto'), await deployed('auto')]
    await say(first, 'success')
    await say(failed, 'in_progress')
    await sandbox.webhooks.settled()
    const before = delivered('deployment_status').length
    await say(second, 'success')
    await sandbox.webhooks.settled()
    expect([await statesOf(first), await statesOf(failed)]).toEqual([['inactive', 'success'], ['in_progress']])
    expect(delivered('deployment_status').length).toBe(before + 1)
  })

  it.each<[string, object, object]>([
    ['in a production environment', { production_environment: true }, {}],
    ['of a transient deployment', { transient_environment: true }, {}],
    ['when the caller says so', {}, { auto_inactive: false }],
  ])('leaves earlier successes alone %s', async (name, deployment, status) => {
    const [first, second] = [await deployed(name, deployment), await deployed(name, deployment)]
    await say(first, 'success')
    await say(second, 'success', status)
    expect(await statesOf(first)).toEqual(['success'])
  })

  it('may rename the environment, and keeps URLs that were given', async () => {
    const id = await deployed('old')
    const { data } = await say(id, 'success', { environment: 'new', log_url: 'https://example.org/log' })
    expect(data).toMatchObject({ environment: 'new', log_url: 'https://example.org/log', environment_url: '' })
    const { data: deployment } = await ringmaster().repos.getDeployment({ ...at, deployment_id: id })
    expect(deployment).toMatchObject({ environment: 'new', original_environment: 'old' })
  })

  it('is refused with more than 140 characters, and when there are too many', async () => {
    const id = await deployed('long')
    expect(await statusOf(say(id, 'in_progress', { description: 'x'.repeat(141) }))).toContain('422 Validation Failed')
    await say(id, 'in_progress', { description: 'x'.repeat(140) })
    for (let count = 1; count < 100; count += 1) await say(id, 'in_progress')
    expect(await statusOf(say(id, 'success'))).toContain('maximum number of statuses')
  })
})

describe('an environment', () => {
  const put = (name: string, more: object = {}) =>
    ann().repos.createOrUpdateEnvironment({ ...at, environment_name: name, ...more })

  it('is found whatever its case, and shows its rules', async () => {
    const { data } = await put('Staging', {
      wait_timer: 5,
      prevent_self_review: true,
      reviewers: [{ type: 'User', id: sandbox.as('bob').id }],
      deployment_branch_policy: { protected_branches: false, custom_branch_policies: true },
    })
    expect(data.protection_rules?.map((rule) => rule.type)).toEqual([
      'wait_timer',
      'required_reviewers',
      'branch_policy',
    ])
    const { data: again } = await ringmaster().repos.getEnvironment({ ...at, environment_name: 'staging' })
    expect(again.id).toBe(data.id)
    expect((await put('STAGING')).data).toMatchObject({ id: data.id, name: 'Staging', protection_rules: [] })
  })

  it('is administered by administrators only', async () => {
    const byBob = sandbox.as('bob').octokit.rest.repos.createOrUpdateEnvironment({ ...at, environment_name: 'x' })
    expect(await statusOf(byBob)).toContain('403')
    const byApp = ringmaster().repos.createOrUpdateEnvironment({ ...at, environment_name: 'x' })
    expect(await statusOf(byApp)).toContain('403 Resource not accessible by integration')
  })

  it('takes an App as a rule once, and only one that can answer', async () => {
    await put('ruled')
    const enable = (slug: string) =>
      ann().repos.createDeploymentProtectionRule({
        ...at,
        environment_name: 'ruled',
        integration_id: sandbox.app(slug).id,
      })
    const { data: rule } = await enable('ringmaster')
    expect(rule).toMatchObject({ enabled: true, app: { slug: 'ringmaster' } })
    expect(await statusOf(enable('ringmaster'))).toContain('422')
    expect(await statusOf(enable('reader'))).toContain('422')
    const named = { ...at, environment_name: 'ruled' }
    const { data: available } = await ann().repos.listCustomDeploymentRuleIntegrations(named)
    expect(available.available_custom_deployment_protection_rule_integrations?.map((one) => one.slug)).toEqual([
      'ringmaster',
      'other',
    ])
    const remove = { ...named, protection_rule_id: rule.id }
    expect((await ann().repos.disableDeploymentProtectionRule(remove)).status).toBe(204)
    const { data } = await ringmaster().repos.getAllDeploymentProtectionRules(named)
    expect(data.custom_deployment_protection_rules).toEqual([])
  })
})

describe('a run at a gated environment', () => {
  const gate = async (environment: string, slugs: readonly string[] = ['ringmaster'], more: object = {}) => {
    await ann().repos.createOrUpdateEnvironment({ ...at, environment_name: environment, ...more })
    for (const slug of slugs)
      await ann().repos.createDeploymentProtectionRule({
        ...at,
        environment_name: environment,
        integration_id: sandbox.app(slug).id,
      })
    const deploy: JobRequest = { name: 'deploy', environment, steps: [{ run: 'echo deployed', shell: 'bash' }] }
    const run = await startRun(sandbox, { repository: 'acme/app', actor: 'bob', jobs: [deploy] })
    await run.atRest()
    return run
  }
  const answer = (run: { id: number }, environment: string, more: object, slug = 'ringmaster') =>
    app(slug).request('POST /repos/{owner}/{repo}/actions/runs/{run_id}/deployment_protection_rule', {
      ...at,
      run_id: run.id,
      environment_name: environment,
      ...more,
    } as never)

  it('waits, asks the App, and goes on when the App approves', async () => {
    const run = await gate('production')
    await sandbox.webhooks.settled()
    expect(run.status).toBe('waiting')
    const { data: waiting } = await ringmaster().actions.listWorkflowRunsForRepo({ ...at, status: 'waiting' })
    expect(waiting.workflow_runs.map((one) => one.id)).toEqual([run.id])
    const request = delivered('deployment_protection_rule').at(-1)?.request.payload
    const { deployment } = run.job('deploy')
    expect(request).toMatchObject({
      action: 'requested',
      environment: 'production',
      event: 'push',
      ref: 'main',
      sha: run.record.headSha,
      deployment: {
        id: deployment?.id,
        creator: { login: 'bob' },
        performed_via_github_app: { slug: 'github-actions' },
      },
      deployment_callback_url: `${sandbox.origin}/repos/acme/app/actions/runs/${run.id}/deployment_protection_rule`,
      sender: { login: 'bob' },
    })
    expect(request).not.toHaveProperty('workflow_run')
    const { data: pending } = await ringmaster().actions.getPendingDeploymentsForRun({ ...at, run_id: run.id })
    expect(pending).toMatchObject([{ environment: { name: 'production' }, current_user_can_approve: false }])
    expect((await answer(run, 'Production', { state: 'approved', comment: 'signed off' })).status).toBe(204)
    expect(await run.finished()).toBe('success')
    expect(run.job('deploy').log).toBe('deployed')
    const { data: approvals } = await ringmaster().actions.getReviewsForRun({ ...at, run_id: run.id })
    expect(approvals).toMatchObject([
      {
        state: 'approved',
        comment: 'signed off',
        user: { login: 'ringmaster[bot]' },
        environments: [{ name: 'production' }],
      },
    ])
    await sandbox.webhooks.settled()
    const states = delivered('deployment_status')
      .map((one) => one.request.payload as { deployment_status: { state: string }; deployment: { id: number } })
      .filter((payload) => payload.deployment.id === deployment?.id)
    expect(states.map((payload) => payload.deployment_status.state)).toEqual([
      'waiting',
      'queued',
      'in_progress',
      'success',
    ])
    expect(
      delivered('workflow_run')
        .slice(-3)
        .map((one) => one.action),
    ).toEqual(['requested', 'in_progress', 'completed'])
    expect(
      delivered('workflow_job')
        .slice(-4)
        .map((one) => one.action),
    ).toEqual(['waiting', 'queued', 'in_progress', 'completed'])
  })

  it('shows a waiting deployment on the read side', async () => {
    const run = await gate('shown')
    const id = run.job('deploy').deployment?.id ?? 0
    const { data } = await ringmaster().repos.listDeploymentStatuses({ ...at, deployment_id: id })
    expect(data.map((status) => status.state as string)).toEqual(['waiting'])
    run.cancel()
    expect(await run.finished()).toBe('cancelled')
  })

  it('takes at most ten status reports of at most 1,024 characters, which decide nothing', async () => {
    const run = await gate('reported')
    expect(await statusOf(answer(run, 'reported', { comment: 'x'.repeat(1_025) }))).toContain('422')
    for (let count = 0; count < 10; count += 1) await answer(run, 'reported', { comment: `waits for QA (${count})` })
    expect(await statusOf(answer(run, 'reported', { comment: 'once more' }))).toContain('422')
    expect(run.status).toBe('waiting')
    const { data } = await ringmaster().actions.getReviewsForRun({ ...at, run_id: run.id })
    expect(data.map((approval) => approval.state)).toEqual(Array(10).fill('pending'))
    await answer(run, 'reported', { state: 'rejected', comment: 'never' })
    expect(await run.finished()).toBe('failure')
    expect(run.job('deploy').deployment?.statuses.at(-1)?.state).toBe('failure')
    expect(await statusOf(answer(run, 'reported', { state: 'approved' }))).toContain(
      '422 No pending deployment requests',
    )
  })

  it('needs every rule, and each App answers only its own', async () => {
    const run = await gate('two', ['ringmaster', 'other'])
    await answer(run, 'two', { state: 'approved' })
    expect(await statusOf(answer(run, 'two', { state: 'approved' }))).toContain('422')
    expect(run.status).toBe('waiting')
    await answer(run, 'two', { state: 'approved' }, 'other')
    expect(await run.finished()).toBe('success')
  })

  it.each<[string, () => Promise<string>, string]>([
    ['a person', async () => sandbox.as('ann').token, '403'],
    ['an App that may only read', async () => sandbox.app('reader').token('acme'), '403 Resource not accessible'],
    [
      'the run itself',
      async () => {
        let token = ''
        const run = await startRun(sandbox, {
          repository: 'acme/app',
          actor: 'bob',
          permissions: { deployments: 'write' },
          jobs: [
            {
              name: 'try',
              steps: [
                async ({ github, token: own }) => {
                  token = own
                  const answer = await fetch(
                    `${sandbox.origin}/repos/acme/app/actions/runs/${github['run_id']}/deployment_protection_rule`,
                    {
                      method: 'POST',
                      headers: { authorization: `Bearer ${token}` },
                      body: JSON.stringify({ environment_name: 'mine', state: 'approved' }),
                    },
                  )
                  if (answer.status !== 403) throw new Error(`found ${answer.status}`)
                },
              ],
            },
          ],
        })
        expect(await run.finished()).toBe('success')
        return token
      },
      '401 Bad credentials',
    ],
  ])('is not opened by %s', async (who, tokenOf, expected) => {
    const run = await gate(`closed to ${who}`)
    const token = await tokenOf()
    const answering = fetch(`${sandbox.origin}/repos/acme/app/actions/runs/${run.id}/deployment_protection_rule`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ environment_name: `closed to ${who}`, state: 'approved' }),
    })
    const { status, body } = await answering.then(async (one) => ({
      status: one.status,
      body: (await one.json()) as { message: string },
    }))
    expect(`${status} ${body.message}`).toContain(expected)
    expect(run.status).toBe('waiting')
  })

  it('lets required reviewers decide, but not on their own run where that is forbidden, and no App', async () => {
    const reviewers = [
      { type: 'User', id: sandbox.as('bob').id },
      { type: 'User', id: sandbox.as('ann').id },
    ]
    const run = await gate('reviewed', [], { reviewers, prevent_self_review: true })
    const [pending] = (await ann().actions.getPendingDeploymentsForRun({ ...at, run_id: run.id })).data
    expect(pending?.current_user_can_approve).toBe(true)
    const state = 'approved' as const
    const review = { ...at, run_id: run.id, environment_ids: [pending?.environment.id ?? 0], state, comment: 'ok' }
    expect(await statusOf(ringmaster().actions.reviewPendingDeploymentsForRun(review))).toContain('403')
    expect(await statusOf(sandbox.as('bob').octokit.rest.actions.reviewPendingDeploymentsForRun(review))).toContain(
      '422',
    )
    const { data } = await ann().actions.reviewPendingDeploymentsForRun(review)
    expect(data.map((one) => one.environment)).toEqual(['reviewed'])
    expect(await run.finished()).toBe('success')
    await sandbox.webhooks.settled()
    expect(delivered('deployment_review').map((one) => one.action)).toEqual(['requested', 'approved'])
  })

  it('waits for its timer by the sandbox clock, and fails after thirty days without an answer', async () => {
    const timed = await gate('timed', [], { wait_timer: 30 })
    sandbox.clock.advance(29 * 60_000)
    expect(timed.status).toBe('waiting')
    sandbox.clock.advance(60_000)
    expect(await timed.finished()).toBe('success')
    const forgotten = await gate('forgotten')
    sandbox.clock.advance(31 * 24 * 3_600_000)
    expect(await forgotten.finished()).toBe('failure')
  })

  it('is passed by an administrator, and by nobody else', async () => {
    const run = await gate('bypassed')
    expect(() => run.bypass('bob')).toThrow('no administrator')
    run.bypass('ann', 'App is down')
    expect(await run.finished()).toBe('success')
    const { data } = await ringmaster().actions.getReviewsForRun({ ...at, run_id: run.id })
    expect(data).toMatchObject([{ state: 'approved', user: { login: 'ann' }, comment: 'App is down' }])
  })

  it('cannot do without a deployment where an App decides, and can where people do', async () => {
    const request = (environment: string): JobRequest => ({
      name: 'quiet',
      environment: { name: environment, deployment: false },
      steps: [{ run: 'true', shell: 'bash' }],
    })
    const byApp = await gate('quiet by app')
    byApp.cancel()
    const refused = await startRun(sandbox, { repository: 'acme/app', actor: 'bob', jobs: [request('quiet by app')] })
    expect(await refused.finished()).toBe('failure')
    const byPerson = await gate('quiet by person', [], { reviewers: [{ type: 'User', id: sandbox.as('ann').id }] })
    byPerson.cancel()
    const run = await startRun(sandbox, { repository: 'acme/app', actor: 'bob', jobs: [request('quiet by person')] })
    await run.atRest()
    expect([run.status, run.job('quiet').deployment]).toEqual(['waiting', undefined])
    run.bypass('ann')
    expect(await run.finished()).toBe('success')
  })

  it('fails when its environment is deleted', async () => {
    const run = await gate('deleted')
    await ann().repos.deleteAnEnvironment({ ...at, environment_name: 'deleted' })
    expect(await run.finished()).toBe('failure')
  })

  it('keeps its id when it runs again, and asks again', async () => {
    const run = await gate('again')
    await answer(run, 'again', { state: 'rejected' })
    await run.finished()
    await ann().actions.reRunWorkflow({ ...at, run_id: run.id })
    await run.atRest()
    await answer(run, 'again', { state: 'approved' })
    expect(await run.finished()).toBe('success')
    const { data } = await ringmaster().actions.getWorkflowRun({ ...at, run_id: run.id })
    expect(data).toMatchObject({ run_attempt: 2, triggering_actor: { login: 'ann' }, actor: { login: 'bob' } })
    const { data: jobs } = await ringmaster().actions.listJobsForWorkflowRun({ ...at, run_id: run.id, filter: 'all' })
    expect(jobs.jobs.map((job) => [job.run_attempt, job.conclusion])).toEqual([
      [1, 'failure'],
      [2, 'success'],
    ])
    const first = await ringmaster().actions.listJobsForWorkflowRunAttempt({ ...at, run_id: run.id, attempt_number: 1 })
    expect(first.data.jobs.map((job) => job.conclusion)).toEqual(['failure'])
  })
})

describe('jobs of a run', () => {
  it('follow what they need, see its outputs, and are skipped after its failure', async () => {
    const job = (name: string, run: string, more: Partial<JobRequest> = {}): JobRequest => ({
      name,
      steps: [{ id: 'it', run, shell: 'bash' }],
      ...more,
    })
    const run = await startRun(sandbox, {
      repository: 'acme/app',
      actor: 'bob',
      jobs: [
        job('last', 'echo "${{ needs.first.outputs.x }}"', { needs: ['first'] }),
        job('first', 'echo x=1 >> "$GITHUB_OUTPUT"', { outputs: { x: '${{ steps.it.outputs.x }}' } }),
        job('broken', 'exit 1'),
        job('skipped', 'true', { needs: ['broken'] }),
        job('after', 'echo "${{ needs.skipped.result }}"', { needs: ['skipped'], if: 'failure()' }),
      ],
    })
    expect(await run.finished()).toBe('failure')
    expect(['last', 'skipped', 'after'].map((name) => [run.job(name).conclusion, run.job(name).log])).toEqual([
      ['success', '1'],
      ['skipped', ''],
      ['success', 'skipped'],
    ])
    const { data } = await ringmaster().actions.getJobForWorkflowRun({ ...at, job_id: run.job('broken').id })
    expect(data).toMatchObject({ status: 'completed', conclusion: 'failure', steps: [{ conclusion: 'failure' }] })
  })

  it('read variables and secrets, and show no secret', async () => {
    setVariable(sandbox, 'REGION', 'eu')
    setSecret(sandbox, 'KEY', 'open sesame')
    const run = await startRun(sandbox, {
      repository: 'acme/app',
      actor: 'bob',
      jobs: [{ name: 'tell', steps: [{ run: 'echo "${{ vars.REGION }} ${{ secrets.KEY }}"', shell: 'bash' }] }],
    })
    await run.finished()
    expect(run.job('tell').log).toBe('eu ***')
  })

  it('are check runs of github-actions in the suite of their run', async () => {
    const run = await startRun(sandbox, {
      repository: 'acme/app',
      actor: 'bob',
      jobs: [{ name: 'checked', steps: [{ run: 'echo "# done" >> "$GITHUB_STEP_SUMMARY"', shell: 'bash' }] }],
    })
    await run.finished()
    const { data } = await ann().checks.listForRef({ ...at, ref: run.record.headSha, check_name: 'checked' })
    expect(data.check_runs).toMatchObject([
      {
        id: run.job('checked').id,
        conclusion: 'success',
        app: { slug: 'github-actions' },
        check_suite: { id: run.record.checkSuiteId },
        output: { summary: '# done\n' },
      },
    ])
  })

  it('hold a token of the run, with the permissions given and for its repository only', async () => {
    const seen: unknown[] = []
    const ask = (token: string, path: string) =>
      fetch(`${sandbox.origin}${path}`, { headers: { authorization: `token ${token}` } })
    const run = await startRun(sandbox, {
      repository: 'acme/app',
      actor: 'bob',
      permissions: { deployments: 'read' },
      jobs: [
        {
          name: 'ask',
          steps: [
            async ({ token }) => {
              seen.push((await ask(token, '/repos/acme/app/deployments')).status)
              seen.push((await ask(token, '/repos/acme/app/actions/runs')).status)
            },
          ],
        },
      ],
    })
    expect(await run.finished()).toBe('success')
    expect(seen).toEqual([200, 403])
    expect(sandbox.requests.at(-1)?.identity).toBe('github-actions[bot]')
  })

  it('hold an identity token that the issuer keys verify, when they may write id-token', async () => {
    let token = ''
    const ask = async (url: string, authorization: string) => {
      const answer = await fetch(url, { headers: { authorization } })
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
    }
    let late: () => Promise<{ status: number }> = () => Promise.reject(new Error('not asked'))
    const run = await startRun(sandbox, {
      repository: 'acme/app',
      actor: 'bob',
      permissions: { id_token: 'write' },
      jobs: [
        {
          name: 'prove',
          environment: 'proof: of identity',
          steps: [
            async ({ env }) => {
              const url = `${env['ACTIONS_ID_TOKEN_REQUEST_URL']}&audience=ringmaster`
              const authorization = `bearer ${env['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}`
              token = String((await ask(url, authorization)).body['value'])
              late = () => ask(url, authorization)
            },
          ],
        },
      ],
    })
    expect(await run.finished()).toBe('success')
    const [head = '', claims = '', signature = ''] = token.split('.')
    const { body } = await ask(`${sandbox.origin}/oidc/.well-known/openid-configuration`, '')
    const keys = (await ask(String(body['jwks_uri']), '')).body['keys'] as JsonWebKey[]
    const key = createPublicKey({ key: keys[0] as JsonWebKey, format: 'jwk' })
    expect(verify('RSA-SHA256', Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, 'base64url'))).toBe(true)
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      iss: body['issuer'],
      aud: 'ringmaster',
      sub: 'repo:acme/app:environment:proof%3A of identity',
      repository: 'acme/app',
      run_id: String(run.id),
      run_attempt: '1',
      workflow_ref: 'acme/app/.github/workflows/test.yml@refs/heads/main',
    })
    expect((await late()).status).toBe(401)
  })

  it('end when the run is cancelled', async () => {
    const run = await startRun(sandbox, {
      repository: 'acme/app',
      actor: 'bob',
      jobs: [{ name: 'long', steps: [{ run: 'sleep 30', shell: 'bash' }] }],
    })
    await new Promise((resolve) => setTimeout(resolve, 50))
    const { status } = await ann().actions.cancelWorkflowRun({ ...at, run_id: run.id })
    expect([status, await run.finished()]).toEqual([202, 'cancelled'])
    expect(await statusOf(ann().actions.cancelWorkflowRun({ ...at, run_id: run.id }))).toContain('409')
  })
})

describe('a concurrency group', () => {
  it('runs one, keeps the latest waiting, and cancels what waited before', async () => {
    const start = () =>
      startRun(sandbox, {
        repository: 'acme/app',
        actor: 'bob',
        concurrency: { group: 'deploy-${{ github.ref_name }}', cancelInProgress: false },
        jobs: [{ name: 'work', steps: [{ run: 'sleep 0.2', shell: 'bash' }] }],
      })
    const [first, second, third] = [await start(), await start(), await start()]
    expect(third.status).toBe('pending')
    expect(await Promise.all([first, second, third].map((run) => run.finished()))).toEqual([
      'success',
      'cancelled',
      'success',
    ])
    expect(second.record.jobs).toEqual([])
  })

  it('may end the job that is in progress', async () => {
    const start = () =>
      startRun(sandbox, {
        repository: 'acme/app',
        actor: 'bob',
        jobs: [
          {
            name: 'work',
            concurrency: { group: 'one', cancelInProgress: true },
            steps: [{ run: 'sleep 0.3', shell: 'bash' }],
          },
        ],
      })
    const first = await start()
    await new Promise((resolve) => setTimeout(resolve, 50))
    const second = await start()
    expect([await first.finished(), await second.finished()]).toEqual(['cancelled', 'success'])
  })
})

describe('workflow_dispatch', () => {
  const dispatch = (more: object = {}, workflow: string | number = 'deploy.yml') =>
    ann().actions.createWorkflowDispatch({
      ...at,
      workflow_id: workflow,
      ref: 'main',
      inputs: { version: '1.2.3', target: 'production' },
      ...more,
    } as never)

  it('runs the workflow file and says which run it became', async () => {
    const deployed: string[] = []
    useAction(sandbox, 'acme/deploy@v1', { run: ({ inputs }) => void deployed.push(inputs.get('what') ?? '') })
    const { status, data } = await dispatch({ return_run_details: true, inputs: { version: '1.2.3', dry: 'true' } })
    const id = (data as unknown as { workflow_run_id: number }).workflow_run_id
    const run = runs(sandbox, 'acme/app').find((one) => one.id === id)
    expect(status).toBe(200)
    expect(await run?.finished()).toBe('success')
    expect(deployed).toEqual([expect.stringMatching(/^1\.2\.3-true-v1\.0\.0-\d+-g[0-9a-f]+$/)])
    expect(run?.job('clean').log).toBe('success')
    expect(run?.record.title).toBe('Deploy 1.2.3 by dispatch')
    expect(run?.job('deploy').deployment?.statuses.at(-1)).toMatchObject({
      state: 'success',
      environmentUrl: 'https://beta.example.org',
    })
    const { data: listed } = await ringmaster().actions.listWorkflowRuns({ ...at, workflow_id: 'deploy.yml' })
    expect(listed.workflow_runs[0]).toMatchObject({
      id,
      event: 'workflow_dispatch',
      name: 'Deploy',
      status: 'completed',
    })
  })

  it.each<[string, object, string]>([
    ['an unknown ref', { ref: 'nowhere' }, '422 No ref found for: nowhere'],
    ['a missing input', { inputs: {} }, "422 Required input 'version' not provided"],
    ['an unknown input', { inputs: { version: '1', other: 'x' } }, '422 Unexpected inputs provided: ["other"]'],
    ['a value outside of the choice', { inputs: { version: '1', target: 'moon' } }, '422 Provided value'],
  ])('refuses %s', async (_, more, expected) => {
    expect(await statusOf(dispatch(more))).toContain(expected)
  })

  it('refuses unknown and broken workflows, and whoever may not write', async () => {
    expect(await statusOf(dispatch({}, 'none.yml'))).toContain('404')
    expect(await statusOf(dispatch({}, 'broken.yml'))).toContain('422 Failed to parse workflow')
    const byApp = ringmaster().actions.createWorkflowDispatch({ ...at, workflow_id: 'deploy.yml', ref: 'main' })
    expect(await statusOf(byApp)).toContain('403 Resource not accessible by integration')
  })
})

describe('events', () => {
  const listen = `
on:
  push: { branches: [watched/**], tags: ['v*'] }
  repository_dispatch: { types: [nightly] }
  issue_comment: { types: [created] }
  pull_request: { branches: [main] }
jobs:
  hear: { runs-on: x, steps: [{ run: 'echo \${{ github.event_name }} \${{ github.ref }} \${{ github.head_ref }} \${{ github.event.client_payload.n }}' }] }
`
  const heard = async () => {
    await actionsAtRest(sandbox)
    return runs(sandbox, 'acme/app')
      .filter((run) => run.record.workflow.path.endsWith('listen.yml'))
      .map((run) => run.job('hear').log)
  }

  it('start the workflows that listen to them, except for what says to skip', async () => {
    const repository = sandbox.repository('acme/app')
    const files = { '.github/workflows/listen.yml': listen, '.github/workflows/broken.yml': null }
    await repository.commit({ message: 'ci: listen', files, author: 'ann' })
    runWorkflows(sandbox)
    const push = (branch: string, message: string, tag?: string) =>
      repository.commit({ message, branch, files: { x: message }, author: 'ann', ...(tag && { tag }) })
    await push('elsewhere', 'feat: not heard')
    await push('watched/deep/topic', 'feat: heard', 'v9.0.0')
    await push('watched/quiet', 'feat: not heard\n\nskip-checks: true')
    const dispatch = (event_type: string) =>
      ann().repos.createDispatchEvent({ ...at, event_type, client_payload: { n: 7 } })
    await dispatch('daily')
    await dispatch('nightly')
    const { data: issue } = await ann().issues.create({ ...at, title: 'not heard' })
    await ann().issues.createComment({ ...at, issue_number: issue.number, body: 'heard' })
    const open = (base: string) => ann().pulls.create({ ...at, head: 'watched/deep/topic', base, title: base })
    await open('elsewhere')
    const { data: pull } = await open('main')
    expect((await heard()).toSorted()).toEqual([
      'issue_comment refs/heads/main',
      `pull_request refs/pull/${pull.number}/merge watched/deep/topic`,
      'push refs/heads/watched/deep/topic',
      'push refs/tags/v9.0.0',
      'repository_dispatch refs/heads/main 7',
    ])
  })

  it('end as startup_failure when the workflow cannot be read', async () => {
    const files = { '.github/workflows/matrix.yml': 'on: push\njobs: { a: { strategy: {}, steps: [] } }' }
    await sandbox.repository('acme/app').commit({ message: 'ci: matrix', branch: 'broken', files, author: 'ann' })
    await actionsAtRest(sandbox)
    const run = runs(sandbox, 'acme/app').at(-1)
    expect([run?.conclusion, run?.record.workflow.path]).toEqual(['startup_failure', '.github/workflows/matrix.yml'])
  })
})

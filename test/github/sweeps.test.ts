import { beforeEach, describe, expect, it } from '@jest/globals'
import type { SweepKind } from '../../src/engine/sweeps.ts'
import { type Found, readAgain } from '../../src/github/sweeps.ts'
import { requestsOf } from '../../src/webhooks/index.ts'
import { PAYLOADS } from '../webhooks/payloads.ts'
import { APP_ID, app, BOT, github, linkTo, RELEASES, useNock } from './stage.ts'

useNock()

const [SHA, HEAD] = ['a', 'b'].map((letter) => letter.repeat(40)) as [string, string]
const at = '2026-11-20T10:00:00Z'
const ann = { login: 'ann', id: 1, type: 'User' }
const actions = { id: 15368, slug: 'github-actions' }
const PLATFORM = { id: 78, fullName: 'acme/platform' }
const installation = { releaseRepositoryId: RELEASES.id, appId: APP_ID, botLogin: BOT }

const logged: string[] = []
beforeEach(() => {
  logged.length = 0
})

/** The requests that follow from what a sweep reads of a repository. */
async function requests(
  kind: SweepKind,
  repository: { readonly id: number; readonly fullName: string },
  most = Number.POSITIVE_INFINITY,
) {
  const place = {
    octokit: await app.forRepository(repository.fullName),
    repository: { id: repository.id, full_name: repository.fullName, default_branch: 'main' },
    installationId: 3,
    sinceMs: Date.parse('2026-11-20T09:00:00Z'),
    most,
    log: {
      info: (_: object, message: string) => void logged.push(message),
      error: (_: object, message: string) => void logged.push(message),
    },
  }
  const found: Found[] = []
  for await (const one of readAgain(kind, place)) found.push(one)
  return found.flatMap((one) => requestsOf({ id: 'sweep', receivedAt: at, ...one }, installation))
}

describe('a sweep', () => {
  const statuses = () => github().get(`/repos/acme/releases/commits/${HEAD}/statuses`).query({ per_page: 100 })
  const proposals = () =>
    github()
      .get('/repos/acme/releases/pulls')
      .query({ state: 'open', base: 'ringmaster-releases', per_page: 100 })
      .reply(200, [{ head: { sha: HEAD }, base: { repo: { html_url: 'https://github.test/acme/releases' } } }])

  it('finds a commit status under our name on an open proposal', async () => {
    proposals()
    github()
      .get(`/repos/acme/releases/commits/${HEAD}/check-runs`)
      .query(true)
      .reply(200, { total_count: 0, check_runs: [] })
    const status = { state: 'success', creator: ann }
    statuses().reply(200, [
      { id: 7, context: 'ringmaster/sign-off', ...status },
      { id: 6, context: 'ci', ...status },
    ])
    const url = `https://github.test/acme/releases/commit/${HEAD}#status-7`
    expect(await requests('checks', RELEASES)).toMatchObject([
      { kind: 'status-forged', statusId: 7, by: 'ann', sha: HEAD, url },
    ])
  })

  it.each([
    [
      'goes without statuses where the installation was not granted to see them',
      403,
      'Resource not accessible by integration',
      [],
    ],
    ['is tried again where GitHub has trouble with them', 502, 'Server Error', null],
    ['is tried again when a limit is reached', 403, 'You have exceeded a secondary rate limit', null],
  ])('%s', async (_, status, message, found) => {
    proposals()
    github()
      .get(`/repos/acme/releases/commits/${HEAD}/check-runs`)
      .query(true)
      .reply(200, { total_count: 0, check_runs: [] })
    statuses().reply(status, { message })
    const told = requests('checks', RELEASES)
    if (found === null) await expect(told).rejects.toThrow(message)
    else expect(await told).toEqual(found)
  })

  it('finds a check run under our name that another App made on an open proposal', async () => {
    proposals()
    statuses().reply(200, [])
    const run = { name: 'ringmaster/sign-off', head_sha: HEAD, html_url: 'https://github.test/c' }
    github()
      .get(`/repos/acme/releases/commits/${HEAD}/check-runs`)
      .query({ filter: 'all', per_page: 100 })
      .reply(200, {
        total_count: 2,
        check_runs: [
          { id: 1, ...run, app: { id: APP_ID, slug: 'ringmaster' } },
          { id: 2, ...run, app: { id: 99, slug: 'copycat' } },
        ],
      })
    expect(await requests('checks', RELEASES)).toMatchObject([
      { kind: 'check-forged', checkRunId: 2, app: 'copycat', sha: HEAD },
    ])
  })

  it('goes on without one run whose commit GitHub will not tell of, and says so', async () => {
    const run = { created_at: at, updated_at: at }
    github()
      .get('/repos/acme/platform/actions/runs')
      .query({ per_page: 100 })
      .reply(200, {
        total_count: 2,
        workflow_runs: [
          { ...run, head_sha: SHA },
          { ...run, head_sha: HEAD },
        ],
      })
    const checks = (sha: string) =>
      github().get(`/repos/acme/platform/commits/${sha}/check-runs`).query({ filter: 'all', per_page: 100 })
    checks(SHA).reply(422, { message: 'No commit found for SHA' })
    const { check_run } = PAYLOADS.check_run
    checks(HEAD).reply(200, { total_count: 1, check_runs: [{ ...check_run, head_sha: HEAD }] })
    expect(await requests('builds', PLATFORM)).toMatchObject([{ kind: 'build-reported', sha: HEAD }])
    expect(logged).toEqual(['one thing is left out of what is looked up'])
  })

  it.each([
    [403, 'Resource not accessible by integration'],
    [502, 'Server Error'],
  ])('is tried again where a run is answered with %i', async (status, message) => {
    github()
      .get('/repos/acme/platform/actions/runs')
      .query({ per_page: 100 })
      .reply(200, { total_count: 1, workflow_runs: [{ created_at: at, updated_at: at, head_sha: SHA }] })
    github().get(`/repos/acme/platform/commits/${SHA}/check-runs`).query(true).reply(status, { message })
    await expect(requests('builds', PLATFORM)).rejects.toThrow(message)
  })

  it('goes on without a comment whose issue is gone', async () => {
    const comment = (id: number, issue: number) => ({
      ...{ id, body: '/status', created_at: at, updated_at: at, user: ann, html_url: `https://github.test/c${id}` },
      issue_url: `https://api.github.test/repos/acme/releases/issues/${issue}`,
    })
    github()
      .get('/repos/acme/releases/issues/comments')
      .query(true)
      .reply(200, [comment(1, 8), comment(2, 9)])
    github().get('/repos/acme/releases/issues/8').reply(410, { message: 'This issue was deleted' })
    github().get('/repos/acme/releases/issues/9').reply(200, { number: 9, title: 'A release', state: 'open' })
    expect(await requests('comments', RELEASES)).toMatchObject([{ kind: 'command-given', comment: { id: 2 } }])
  })

  it('finds a configuration that a pull request proposes', async () => {
    github()
      .get('/repos/acme/releases/pulls')
      .query({ state: 'all', sort: 'updated', direction: 'desc', per_page: 100 })
      .reply(200, [
        {
          number: 5,
          updated_at: at,
          user: ann,
          head: { ref: 'rules', sha: HEAD, repo: { id: RELEASES.id } },
          base: { ref: 'main' },
        },
      ])
    github().get('/repos/acme/releases/pulls/5/reviews').query({ per_page: 1 }).reply(200, [])
    expect(await requests('proposals', RELEASES)).toMatchObject([{ kind: 'configuration-proposed', commit: HEAD }])
  })

  it('books the deployment of a job on whoever started its run, as the end of that run does', async () => {
    const deployment = {
      ...{ id: 6, sha: SHA, ref: 'main', task: 'deploy', environment: 'production', payload: {}, creator: ann },
      ...{ created_at: at, updated_at: at, performed_via_github_app: actions },
    }
    github().get('/repos/acme/platform/deployments').query({ per_page: 100 }).reply(200, [deployment])
    const bot = { login: 'github-actions[bot]', id: 41898282, type: 'Bot' }
    const log_url = 'https://github.test/acme/platform/actions/runs/9/job/1'
    github()
      .get('/repos/acme/platform/deployments/6/statuses')
      .query({ per_page: 100 })
      .reply(200, [
        { id: 8, state: 'success', created_at: at, log_url, creator: bot, performed_via_github_app: actions },
      ])
    github().get('/repos/acme/platform/actions/jobs/1').reply(200, { id: 1, run_attempt: 2 })
    expect(await requests('deployments', PLATFORM)).toMatchObject([
      {
        kind: 'deployment-reported',
        deploymentId: 6,
        run: { id: 9, attempt: 2 },
        trust: 'platform',
        actor: { login: 'ann' },
      },
    ])
  })

  const deploymentAt = (id: number, log_url: string, by: object | null = actions) => {
    const status = { id: id + 100, state: 'success', created_at: at, log_url, creator: ann }
    github()
      .get(`/repos/acme/platform/deployments/${id}/statuses`)
      .query({ per_page: 100 })
      .reply(200, [{ ...status, performed_via_github_app: by }])
    return {
      ...{ id, sha: SHA, ref: 'main', task: 'deploy', environment: 'production', payload: {}, creator: ann },
      ...{ created_at: at, updated_at: at, performed_via_github_app: by },
    }
  }
  const deploymentsOf = (...deployments: readonly object[]) =>
    github().get('/repos/acme/platform/deployments').query({ per_page: 100 }).reply(200, deployments)
  const onRun = 'https://github.test/acme/platform/actions/runs/9'

  it.each<[string, string, (() => unknown) | null, object | null | undefined]>([
    ['of a run in its first attempt, where no job is named', onRun, () => run(1), { id: 9, attempt: 1 }],
    ['of none, where no job is named and the run was tried again', onRun, () => run(2), undefined],
    ['of none, where its job is gone', `${onRun}/job/1`, () => job(404), undefined],
    ['of no run, where no address names one', 'https://ci.test/9', null, null],
  ])('takes the deployment of a job for one %s', async (_, logUrl, reply, expected) => {
    deploymentsOf(deploymentAt(6, logUrl))
    reply?.()
    expect((await requests('deployments', PLATFORM)).map((one) => 'run' in one && one.run)).toEqual(
      expected === undefined ? [] : [expected],
    )
  })
  const run = (run_attempt: number) =>
    github().get('/repos/acme/platform/actions/runs/9').reply(200, { id: 9, run_attempt })
  const job = (status: number) => github().get('/repos/acme/platform/actions/jobs/1').reply(status, {})

  it('takes no run from the address of another tool: its webhook names none either', async () => {
    deploymentsOf(deploymentAt(6, onRun, null))
    expect(await requests('deployments', PLATFORM)).toMatchObject([{ deploymentId: 6, run: null, trust: 'claimed' }])
  })

  it('looks into no more deployments than it may, the newest, and tells that', async () => {
    const [newest, old] = [deploymentAt(6, 'https://ci.test/6', null), { id: 5, created_at: at, updated_at: at }]
    deploymentsOf(newest, old)
    expect(await requests('deployments', PLATFORM, 1)).toMatchObject([{ deploymentId: 6 }])
    expect(logged).toEqual(['the regular look went no further back: the delivery log has told the rest'])
  })

  it('looks into no more commits of runs than it may, and into none whose runs were over before', async () => {
    const before = '2026-11-20T08:59:00Z'
    const runs = [
      { head_sha: SHA, status: 'completed', created_at: before, updated_at: before },
      { head_sha: HEAD, status: 'in_progress', created_at: before, updated_at: before },
      { head_sha: 'c'.repeat(40), status: 'completed', created_at: before, updated_at: at },
    ]
    github()
      .get('/repos/acme/platform/actions/runs')
      .query({ per_page: 100 })
      .reply(200, { total_count: 3, workflow_runs: runs })
    github()
      .get(`/repos/acme/platform/commits/${HEAD}/check-runs`)
      .query(true)
      .reply(200, { total_count: 0, check_runs: [] })
    await requests('builds', PLATFORM, 1)
    expect(logged).toHaveLength(1)
  })

  it.each([
    ['where nothing is missing, two hours back', 1, 300],
    ['after an outage a day back', Number.POSITIVE_INFINITY, 400],
  ])('reads behind the newest 300 runs %s', async (_, most, expected) => {
    const begun = '2026-11-20T06:00:00Z'
    const runs = Array.from({ length: 100 }, (__, id) => ({
      ...{ id: id + 1, status: 'completed', conclusion: 'success', run_attempt: 1, head_sha: SHA, actor: ann },
      ...{ created_at: begun, updated_at: at, html_url: onRun, name: 'Deploy', event: 'push' },
    }))
    for (let page = 1; page <= 4; page += 1)
      github()
        .get(page === 1 ? '/repos/acme/platform/actions/runs' : `/page-${page}`)
        .query(true)
        .reply(200, { total_count: 400, workflow_runs: runs }, page < 4 ? linkTo(`/page-${page + 1}`) : {})
    expect(await requests('runs', PLATFORM, most)).toHaveLength(expected)
  })
})

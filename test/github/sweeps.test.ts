import { describe, expect, it } from '@jest/globals'
import type { SweepKind } from '../../src/engine/sweeps.ts'
import { type Found, readAgain } from '../../src/github/sweeps.ts'
import { requestsOf } from '../../src/webhooks/index.ts'
import { APP_ID, app, BOT, github, RELEASES, useNock } from './stage.ts'

useNock()

const [SHA, HEAD] = ['a', 'b'].map((letter) => letter.repeat(40)) as [string, string]
const at = '2026-11-20T10:00:00Z'
const ann = { login: 'ann', id: 1, type: 'User' }
const actions = { id: 15368, slug: 'github-actions' }
const installation = { releaseRepositoryId: RELEASES.id, appId: APP_ID, botLogin: BOT }

/** The requests that follow from what a sweep reads of a repository. */
async function requests(kind: SweepKind, repository: { readonly id: number; readonly fullName: string }) {
  const place = {
    octokit: await app.forRepository(repository.fullName),
    repository: { id: repository.id, full_name: repository.fullName, default_branch: 'main' },
    installationId: 3,
    sinceMs: Date.parse('2026-11-20T09:00:00Z'),
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
    expect(await requests('deployments', { id: 78, fullName: 'acme/platform' })).toMatchObject([
      { kind: 'deployment-reported', deploymentId: 6, run: { id: 9 }, trust: 'platform', actor: { login: 'ann' } },
    ])
  })
})

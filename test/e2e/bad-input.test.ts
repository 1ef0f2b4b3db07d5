import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { manifestPermissions } from '../../src/app/permissions.ts'
import { type RunningServer, WEBHOOK_PATH } from '../../src/app/server.ts'
import { releaseKey } from '../../src/core/release/open.ts'
import type { ReleaseState } from '../../src/core/release/schema.ts'
import { EVENTS } from '../../src/webhooks/index.ts'
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts'
import { startApp } from './story/app-server.ts'
import { eventually } from './story/stage.ts'

const CONFIGURATION = `schemaVersion: 1
products:
  - { name: api, repository: acme/platform }
  - { name: tool, repository: other/tool }
rings:
  - { ring: "0", label: integration, environments: [integration] }
signoff:
  parties:
    - { name: Engineering, users: [eve] }
    - { name: Haunting, team: acme/ghosts }
  profiles:
    - { name: usual, parties: [Engineering] }
completion: { environments: [integration] }
roles:
  - { role: release_manager, users: [ann] }
  - { role: developer, teams: [acme/ghosts] }
`
const releases = { owner: 'acme', repo: 'releases' }
const platform = { owner: 'acme', repo: 'platform' }
const BOT = 'ringmaster[bot]'

let sandbox: Sandbox
let server: RunningServer

beforeAll(async () => {
  const seed = (message: string) => ({ message, files: { 'a.txt': message } })
  sandbox = await startSandbox({
    seed: {
      people: ['olga', 'ann', 'eve', 'mallory'],
      organizations: [
        { login: 'acme', owners: ['olga'], members: ['ann', 'eve'] },
        { login: 'other', owners: ['olga'] },
      ],
      repositories: [
        {
          name: 'acme/releases',
          private: true,
          collaborators: { ann: 'write', eve: 'write', mallory: 'read' },
          commits: [{ message: 'Configure', files: { '.github/ringmaster.yml': CONFIGURATION } }],
        },
        { name: 'acme/platform', commits: [seed('feat: a'), seed('fix: b')] },
        { name: 'other/tool', commits: [seed('feat: a'), seed('fix: b')] },
      ],
      apps: [
        {
          slug: 'ringmaster',
          events: [...EVENTS],
          permissions: manifestPermissions(),
          installations: [{ account: 'acme' }],
        },
        { slug: 'copycat', events: [], permissions: manifestPermissions(), installations: [{ account: 'acme' }] },
      ],
    },
  })
  server = await startApp(sandbox)
}, 60_000)
afterAll(async () => {
  await server?.stop()
  await sandbox?.stop()
})

const now = () => new Date(sandbox.clock.epochMs()).toISOString()
const as = (login: string) => sandbox.as(login).octokit

const commentsOn = async (issue: number) =>
  (await as('olga').rest.issues.listComments({ ...releases, issue_number: issue, per_page: 100 })).data

/** The reply to a comment, once there is one. */
const replyTo = (issue: number, comment: number): Promise<string> =>
  eventually(`a reply to ${comment}`, async () => {
    const all = await commentsOn(issue)
    return all.find((entry) => entry.user?.login === BOT && entry.body?.includes(`reply%2F${comment}`))?.body
  })

const stateOf = async (issue: number) =>
  (await (await server.ringmaster.ledger.view()).state(releaseKey(`r${issue}`))) as ReleaseState | undefined

/** Says something on an issue or pull request, and returns the reply. */
async function sayOn(issue: number, login: string, body: string): Promise<string> {
  const { data } = await as(login).rest.issues.createComment({ ...releases, issue_number: issue, body })
  return replyTo(issue, data.id)
}

/** The commits of a repository, oldest first. */
const commitsOf = async (fullName: string): Promise<string[]> => {
  const [owner = '', repo = ''] = fullName.split('/')
  const { data } = await as('olga').rest.repos.listCommits({ owner, repo })
  return data.map(({ sha }) => sha).reverse()
}

const built = (fullName: string, product: string, sha = '') =>
  server.ringmaster.engine.submit({
    kind: 'build-reported',
    repository: { id: sandbox.repository(fullName).id, fullName },
    sha,
    checkRunId: 1,
    url: '',
    trust: 'platform',
    at: now(),
    actor: null,
    source: { kind: 'operator' },
    record: {
      schema: 'ringmaster/build/1',
      product,
      version: '1.0.0',
      previousVersion: null,
      bump: 'minor',
      status: 'completed',
      run: { id: 1, attempt: 1, job: sha },
      artifacts: [],
    },
  })

describe('a version that is bound to another commit', () => {
  it('is refused, and a check run on the commit of the refused build says so, once', async () => {
    const [first, second = ''] = await commitsOf('acme/platform')
    expect(await built('acme/platform', 'api', first)).toMatchObject({ kind: 'accept' })
    expect(await built('acme/platform', 'api', second)).toMatchObject({ kind: 'refuse' })
    expect(await built('acme/platform', 'api', second)).toMatchObject({ kind: 'refuse' })
    await server.ringmaster.idle()
    await server.ringmaster.sweep()
    await server.ringmaster.idle()
    const check = { check_name: 'ringmaster/refused', filter: 'all' } as const
    const { data } = await as('ann').rest.checks.listForRef({ ...platform, ref: second, ...check })
    expect(data.check_runs).toMatchObject([
      {
        conclusion: 'failure',
        output: { summary: expect.stringContaining(`at commit ${first}, to which it is bound`) },
      },
    ])
    const { data: none } = await as('ann').rest.checks.listForRef({ ...platform, ref: first ?? '', ...check })
    expect(none.check_runs).toEqual([])
  })

  it('is an alarm where the App cannot write on the commit', async () => {
    const [first, second] = await commitsOf('other/tool')
    await built('other/tool', 'tool', first)
    expect(await built('other/tool', 'tool', second)).toMatchObject({ kind: 'refuse' })
    const alarm = await eventually('an alarm', async () => {
      const { data } = await as('ann').rest.issues.listForRepo({ ...releases, labels: 'ringmaster-alarm' })
      return data[0]
    })
    expect(alarm).toMatchObject({ state: 'open', title: 'Ringmaster alarm: refusals-unseen', user: { login: BOT } })
    expect(alarm.body).toContain(`found a build at ${second}`)
  })
})

describe('a command that is not right', () => {
  let issue = 0
  beforeAll(async () => {
    issue = (await as('ann').rest.issues.create({ ...releases, title: 'Spring' })).data.number
    expect(await say('/release')).not.toContain('❌')
    expect(await say('/add api@1.0.0')).not.toContain('❌')
  }, 60_000)

  const say = (body: string): Promise<string> => sayOn(issue, 'ann', body)

  it.each([
    ['an unknown command', '/ad api@1.0.0', /there is no command .*Did you mean \/add/],
    ['a command without what it needs', '/add', /expected .*found/],
    ['a quote that does not end', '/done rollback-plan "redeploy', /expected .*found/],
    ['an unknown product', '/add apy@1.0.0', /expected .*found .*Did you mean/s],
    ['an unknown version', '/add api@9.9.9', /expected .*found/],
    ['an unknown environment', '/freeze produktion reason', /expected .*found/],
  ])('%s gets one refusal, and changes nothing', async (_, body, sentence) => {
    const before = await stateOf(issue)
    const reply = await say(body)
    expect(reply.match(/❌/g)).toHaveLength(1)
    expect(reply).toMatch(sentence)
    expect(await stateOf(issue)).toEqual(before)
  })
})

describe('people who are not right', () => {
  let issue = 0
  beforeAll(async () => {
    issue = (await as('ann').rest.issues.create({ ...releases, title: 'Summer' })).data.number
    await sayOn(issue, 'ann', '/release\n/add api@1.0.0')
  }, 60_000)

  it('a stranger is told who may, and changes nothing', async () => {
    const before = await stateOf(issue)
    const reply = await sayOn(issue, 'mallory', '/start')
    expect(reply.match(/❌/g)).toHaveLength(1)
    expect(reply).toMatch(/mallory may not do this\. This needs one of the roles admin, release/)
    expect(await stateOf(issue)).toEqual(before)
  })

  it('another App is not answered: the next comment of a person is', async () => {
    const { octokit } = sandbox.app('copycat')
    const { data } = await octokit('acme').rest.issues.createComment({
      ...releases,
      issue_number: issue,
      body: '/start',
    })
    await sayOn(issue, 'ann', '/status')
    expect((await commentsOn(issue)).some(({ body }) => body?.includes(`reply%2F${data.id}`))).toBe(false)
    expect((await stateOf(issue))?.status).toBe('draft')
  })

  it('who may still write on a locked issue is answered, and nobody else gets as far', async () => {
    const at = { ...releases, issue_number: issue }
    await as('ann').rest.issues.lock(at)
    await expect(as('mallory').rest.issues.createComment({ ...at, body: '/start' })).rejects.toMatchObject({
      status: 403,
    })
    expect(await sayOn(issue, 'ann', '/status')).toContain('draft')
    await as('ann').rest.issues.unlock(at)
  })

  it('a pull request that proposes no release is no place for commands of one', async () => {
    const ref = { ...releases, ref: 'refs/heads/aside', sha: (await commitsOf('acme/releases'))[0] ?? '' }
    await as('olga').rest.git.createRef(ref)
    const content = Buffer.from('a').toString('base64')
    await as('olga').rest.repos.createOrUpdateFileContents({
      ...releases,
      ...{ path: 'a.txt', branch: 'aside', message: 'a', content },
    })
    const { data } = await as('olga').rest.pulls.create({ ...releases, head: 'aside', base: 'main', title: 'Aside' })
    for (const body of ['/start', '/release', '/add api@1.0.0']) {
      expect(await sayOn(data.number, 'ann', body)).toMatch(
        /❌ expected (?:the issue or the proposal of a release|an issue), found/,
      )
    }
    expect(await stateOf(data.number)).toBeUndefined()
  })

  it('a party of a team that is not there blocks, and the check names the party', async () => {
    await sayOn(issue, 'ann', '/start')
    const summary = await checkOf(issue, 'failure')
    expect(summary).toMatch(/Haunting.*\|.*nobody/)
    expect(summary).toMatch(/Problems\*\*\n\n- expected the members of .*Haunting.*, found that they cannot be read/)
  }, 60_000)

  it('three hundred reviews on several pages hide no approval, and the newest are told', async () => {
    await sayOn(issue, 'ann', '/set profile usual')
    const pull = await eventually('the proposal to have the new parties', async () => {
      const { proposal, signoff } = (await stateOf(issue)) ?? {}
      return signoff?.parties.length === 1 && proposal?.headDigest === signoff.digest ? proposal.number : undefined
    })
    const review = { ...releases, pull_number: pull }
    const { setWebhookUrl } = sandbox.app('ringmaster')
    setWebhookUrl('http://127.0.0.1:9/')
    const { rest } = as('mallory')
    for (let page = 0; page < 10; page += 1) {
      const thirty = Array.from({ length: 30 }, (_, index) => `${page}/${index}`)
      await Promise.all(thirty.map((body) => rest.pulls.createReview({ ...review, event: 'COMMENT', body })))
    }
    setWebhookUrl(`${server.url}${WEBHOOK_PATH}`)
    await as('eve').rest.pulls.createReview({ ...review, event: 'APPROVE' })
    expect(await checkOf(issue, 'success', 120_000)).toContain('- mallory: a comment is no opinion (20 reviews)')
  }, 300_000)

  /** What the sign-off check of a release says, once it has concluded so. */
  const checkOf = (release: number, conclusion: string, withinMs?: number): Promise<string> => {
    const look = async () => {
      const proposal = (await stateOf(release))?.proposal
      if (!proposal) return undefined
      const { data } = await as('olga').rest.checks.listForRef({
        ...releases,
        ref: proposal.head,
        check_name: 'ringmaster/sign-off',
      })
      return data.check_runs.find((run) => run.conclusion === conclusion)?.output.summary ?? undefined
    }
    return eventually(`the check to be ${conclusion}`, look, withinMs)
  }
})

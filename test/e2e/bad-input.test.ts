import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readSettings } from '../../src/app/environment.ts'
import { manifestPermissions } from '../../src/app/permissions.ts'
import { type RunningServer, startServer, WEBHOOK_PATH } from '../../src/app/server.ts'
import { releaseKey } from '../../src/core/release/open.ts'
import { EVENTS } from '../../src/webhooks/index.ts'
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts'
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
completion: { environments: [integration] }
roles:
  - { role: release_manager, users: [ann] }
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
      people: ['olga', 'ann', 'eve'],
      organizations: [
        { login: 'acme', owners: ['olga'], members: ['ann', 'eve'] },
        { login: 'other', owners: ['olga'] },
      ],
      repositories: [
        {
          name: 'acme/releases',
          private: true,
          collaborators: { ann: 'write' },
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
      ],
    },
  })
  const handle = sandbox.app('ringmaster')
  const settings = readSettings({
    APP_ID: String(handle.id),
    PRIVATE_KEY: handle.privateKey,
    WEBHOOK_SECRET: handle.webhookSecret,
    RINGMASTER_REPOSITORY: 'acme/releases',
    RINGMASTER_PUSHES_PER_MINUTE: '6000',
    GITHUB_API_URL: sandbox.origin,
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: 'fatal',
  })
  if (!settings.ok) throw new Error(JSON.stringify(settings.problems))
  server = await startServer(settings.value, { clock: now, sweepEveryMs: 0 })
  handle.setWebhookUrl(`${server.url}${WEBHOOK_PATH}`)
}, 60_000)
afterAll(async () => {
  await server?.stop()
  await sandbox?.stop()
})

const now = () => new Date(sandbox.clock.epochMs()).toISOString()
const as = (login: string) => sandbox.as(login).octokit

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

  /** Says something on the release issue, and returns the reply. */
  async function say(body: string): Promise<string> {
    const { data } = await as('ann').rest.issues.createComment({ ...releases, issue_number: issue, body })
    return eventually(`a reply to ${body}`, async () => {
      const { data: all } = await as('olga').rest.issues.listComments({
        ...releases,
        issue_number: issue,
        per_page: 100,
      })
      return all.find((entry) => entry.user?.login === BOT && entry.body?.includes(`reply%2F${data.id}`))?.body
    })
  }

  it.each([
    ['an unknown command', '/ad api@1.0.0', /there is no command .*Did you mean \/add/],
    ['a command without what it needs', '/add', /expected .*found/],
    ['a quote that does not end', '/done rollback-plan "redeploy', /expected .*found/],
    ['an unknown product', '/add apy@1.0.0', /expected .*found .*Did you mean/s],
    ['an unknown version', '/add api@9.9.9', /expected .*found/],
    ['an unknown environment', '/freeze produktion reason', /expected .*found/],
  ])('%s gets one refusal, and changes nothing', async (_, body, sentence) => {
    const { ledger } = server.ringmaster
    const key = releaseKey(`r${issue}`)
    const before = await (await ledger.view()).state(key)
    const reply = await say(body)
    expect(reply.match(/❌/g)).toHaveLength(1)
    expect(reply).toMatch(sentence)
    expect(await (await ledger.view()).state(key)).toEqual(before)
  })
})

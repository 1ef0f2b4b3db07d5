import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { examine } from '../../src/app/doctor.ts'
import { readSettings } from '../../src/app/environment.ts'
import { type RunningServer, startServer, WEBHOOK_PATH } from '../../src/app/server.ts'
import { tellFindings } from '../../src/app/tell-findings.ts'
import { gitHubApp } from '../../src/github/client.ts'
import type { GovernorState } from '../../src/github/governor.ts'
import { inClass } from '../../src/github/work-class.ts'
import { CONFIGURATION } from '../engine/stage.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import { startWorld } from './world.ts'

const repo = { owner: 'acme', repo: 'releases' }
let sandbox: Sandbox
let server: RunningServer
let issue = 0

beforeAll(async () => {
  sandbox = await startWorld(CONFIGURATION, { members: ['eve'], isPrivate: true, others: ['other'] })
  server = await startServer(settingsWith({}), { clock: () => new Date().toISOString(), sweepEveryMs: 0 })
  await server.ringmaster.idle()
  issue = (await sandbox.as('ann').octokit.rest.issues.create({ ...repo, title: 'A release' })).data.number
}, 60_000)

function settingsWith(changes: Readonly<Record<string, string>>) {
  const app = sandbox.app('ringmaster')
  const settings = readSettings({
    APP_ID: String(app.id),
    PRIVATE_KEY: app.privateKey,
    WEBHOOK_SECRET: app.webhookSecret,
    RINGMASTER_REPOSITORY: 'acme/releases',
    GITHUB_API_URL: sandbox.origin,
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: 'fatal',
    ...changes,
  })
  if (!settings.ok) throw new Error(JSON.stringify(settings.problems))
  return settings.value
}
afterAll(async () => {
  await server?.stop()
  await sandbox?.stop()
})

const payload = (body: string, id = 4_000) => ({
  action: 'created',
  issue: { number: issue, title: 'A release', state: 'open' },
  comment: { id, body, html_url: 'https://github.test/c', created_at: new Date().toISOString(), user: person() },
  repository: { id: sandbox.repository('acme/releases').id, full_name: 'acme/releases', default_branch: 'main' },
  sender: person(),
})
const person = () => ({ login: 'ann', id: sandbox.as('ann').id, type: 'User' })
const signature = (body: string, secret: string) => `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
const genuine = (body: string) => signature(body, sandbox.app('ringmaster').webhookSecret)

const USUAL = {
  'content-type': 'application/json',
  'x-github-event': 'issue_comment',
  'x-github-delivery': '6d1b1de0-0000-4000-8000-000000000000',
}

/** Sends a body with the headers of GitHub; `null` takes one away. */
const send = (body: string, headers: Readonly<Record<string, string | null>>) =>
  fetch(`${server.url}${WEBHOOK_PATH}`, {
    method: 'POST',
    body,
    headers: Object.entries({ ...USUAL, ...headers }).flatMap(([name, value]): [string, string][] =>
      value === null ? [] : [[name, value]],
    ),
  })

const stand = async () => ({
  head: (await server.ringmaster.ledger.view()).head,
  branch: await sandbox.repository('acme/releases').head('ringmaster-data'),
  comments: (await sandbox.as('ann').octokit.rest.issues.listComments({ ...repo, issue_number: issue })).data.length,
})

describe('a webhook', () => {
  const body = () => JSON.stringify(payload('/release "Stolen"'))

  it.each<[string, () => Promise<Response>, number, string]>([
    [
      'signed with another secret',
      () => send(body(), { 'x-hub-signature-256': signature(body(), 'development') }),
      401,
      'webhook-signature',
    ],
    [
      'signed for another body',
      () => send(body(), { 'x-hub-signature-256': genuine(`${body()} `) }),
      401,
      'webhook-signature',
    ],
    ['without a signature', () => send(body(), {}), 401, 'webhook-unsigned'],
    [
      'with a signature that is none',
      () => send(body(), { 'x-hub-signature-256': 'sha256=' }),
      401,
      'webhook-signature',
    ],
    [
      'signed the old way alone',
      () =>
        send(body(), {
          'x-hub-signature': `sha1=${createHmac('sha1', sandbox.app('ringmaster').webhookSecret).update(body()).digest('hex')}`,
        }),
      401,
      'webhook-unsigned',
    ],
    ['that is no JSON', () => send('{', { 'x-hub-signature-256': genuine('{') }), 400, 'webhook-json'],
    ['that is empty', () => send('', { 'x-hub-signature-256': genuine('') }), 401, 'webhook-signature'],
    [
      'that is too long',
      () => send('x'.repeat(25_000_001), { 'x-hub-signature-256': 'sha256=00' }),
      413,
      'webhook-size',
    ],
    [
      'that is a form',
      () =>
        send('payload=', {
          'content-type': 'application/x-www-form-urlencoded',
          'x-hub-signature-256': genuine('payload='),
        }),
      415,
      'webhook-type',
    ],
    ['that is asked for', () => fetch(`${server.url}${WEBHOOK_PATH}`), 405, 'webhook-method'],
    [
      'without an id',
      () => send(body(), { 'x-hub-signature-256': genuine(body()), 'x-github-delivery': null }),
      400,
      'webhook-header',
    ],
    [
      'without an event',
      () => send(body(), { 'x-hub-signature-256': genuine(body()), 'x-github-event': null }),
      400,
      'webhook-header',
    ],
  ])('%s is refused with a sentence and changes nothing', async (_, sent, status, code) => {
    const before = await stand()
    sandbox.requests.length = 0
    const response = await sent()
    expect(response.status).toBe(status)
    const problem = await response.json()
    expect(problem).toEqual({ code, message: expect.stringMatching(/^expected .+, found /), hint: expect.any(String) })
    if (status === 401) expect(problem).toMatchObject({ hint: expect.stringContaining('WEBHOOK_SECRET') })
    await server.ringmaster.idle()
    expect(sandbox.requests.map(({ path }) => path)).toEqual([])
    expect(await stand()).toEqual(before)
  })

  it('that is genuine is taken, and sent again it changes nothing', async () => {
    const genuineBody = JSON.stringify(payload('/release "Ours"', 4_001))
    const headers = { 'x-hub-signature-256': genuine(genuineBody) }
    const before = await stand()
    expect((await send(genuineBody, headers)).status).toBe(200)
    await server.ringmaster.idle()
    const after = await stand()
    expect(after.head.seq).toBeGreaterThan(before.head.seq)
    expect(after.comments).toBeGreaterThan(before.comments)
    expect((await send(genuineBody, headers)).status).toBe(200)
    await server.ringmaster.idle()
    expect((await stand()).comments).toBe(after.comments)
  })

  it('with a command gets its 👀 before the command is in the log', async () => {
    const { data } = await sandbox
      .as('ann')
      .octokit.rest.issues.createComment({ ...repo, issue_number: issue, body: '/status' })
    const body = JSON.stringify(payload('/status', data.id))
    sandbox.requests.length = 0
    const headers = {
      'x-hub-signature-256': genuine(body),
      'x-github-delivery': '6d1b1de0-0000-4000-8000-000000000001',
    }
    expect((await send(body, headers)).status).toBe(200)
    await server.ringmaster.idle()
    const asked = sandbox.requests.map(({ path, fields }) => ({
      path,
      isCommit: fields.includes('createCommitOnBranch'),
    }))
    const seen = asked.findIndex(({ path }) => path.endsWith(`/issues/comments/${data.id}/reactions`))
    expect(seen).toBeGreaterThanOrEqual(0)
    expect(asked.findIndex(({ isCommit }) => isCommit)).toBeGreaterThan(seen)
    const { data: reactions } = await sandbox
      .as('ann')
      .octokit.rest.reactions.listForIssueComment({ ...repo, comment_id: data.id })
    expect(reactions.map(({ content }) => content)).toEqual(['eyes', '+1'])
  })

  it('of an event that nobody listens to is acknowledged and left alone', async () => {
    const starred = JSON.stringify({ action: 'created', repository: { id: 1, full_name: 'acme/releases' } })
    const before = await stand()
    const response = await send(starred, { 'x-github-event': 'star', 'x-hub-signature-256': genuine(starred) })
    expect(response.status).toBe(200)
    await server.ringmaster.idle()
    expect(await stand()).toEqual(before)
  })
})

describe('the server', () => {
  it('says that it is well', async () => {
    const response = await fetch(`${server.url}/health`)
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ trouble: null, failing: [] })
  })

  const health = async (of: RunningServer, headers: Record<string, string> = {}) => {
    const response = await fetch(`${of.url}/health`, { headers })
    const body = (await response.json()) as { trouble: string | null; limits?: Record<string, GovernorState> }
    return { status: response.status, ...body }
  }

  it('tells how the limits of its accounts stand, what waits for them and until when', async () => {
    const governor = server.ringmaster.app.governorOf('acme/releases')
    const before = governor.state
    const comment = { method: 'POST', url: '/repos/{owner}/{repo}/issues/{issue_number}/comments', ...repo }
    const limited = { status: 429, response: { headers: { 'retry-after': '3' } } }
    const refusedMs = Date.now()
    const sent = [1, 2, 3].map(() => {
      const send = jest.fn(async () => ({ headers: {}, data: null })).mockRejectedValueOnce(limited)
      return inClass('bulk', () => governor.govern(comment, send))
    })
    await new Promise(setImmediate)
    const told = (await health(server)).limits?.['acme']
    expect(told).toEqual({
      waiting: { answer: 0, gate: 0, append: 0, read: 0, bulk: 3 },
      inFlight: 0,
      pausedUntil: expect.any(String),
      limited: before.limited + 3,
      sent: { ...before.sent, bulk: before.sent.bulk + 3 },
      isShared: false,
      budgets: {
        rest: { limit: 900, left: expect.any(Number) },
        graphql: { limit: 2_000, left: expect.any(Number) },
        'content-minute': { limit: 80, left: expect.any(Number) },
        'content-hour': { limit: 500, left: expect.any(Number) },
        'pushes to acme/releases': { limit: 60, left: expect.any(Number) },
      },
      primary: {
        core: { limit: 15_000, remaining: (before.primary.core?.remaining ?? 0) - 3, resetAt: expect.any(String) },
        graphql: before.primary.graphql,
      },
    })
    const untilMs = Date.parse(told?.pausedUntil ?? '')
    expect(untilMs).toBeGreaterThan(refusedMs + 2_900)
    expect(untilMs).toBeLessThan(Date.now() + 3_100)
    /** It fills up by one in ten seconds. */
    const [had, left] = [before, told].map((state) => state?.budgets['content-hour']?.left ?? 0)
    expect([2, 3]).toContain((had ?? 0) - (left ?? 0))
    await Promise.all(sent)
  }, 20_000)

  it('tells no other machine how the limits of its accounts stand', async () => {
    expect(await health(server, { 'x-forwarded-for': '203.0.113.7' })).not.toHaveProperty('limits')
  })

  it('says with 503 that its log cannot be trusted, and why', async () => {
    const second = await startServer(settingsWith({}), { clock: () => new Date().toISOString(), sweepEveryMs: 0 })
    const { rest } = sandbox.as('ann').octokit
    const releases = sandbox.repository('acme/releases')
    const sha = (await releases.head('ringmaster-data')) ?? ''
    try {
      expect(await health(second)).toMatchObject({ status: 200, trouble: null })
      await releases.commit({
        branch: 'ringmaster-data',
        message: 'Tidy up',
        files: { 'head.json': '{}' },
        author: 'ann',
      })
      await second.ringmaster.sweep()
      const trouble = expect.stringMatching(/@ringmaster-data: expected commit .+ signed by the platform/)
      expect(await health(second)).toMatchObject({ status: 503, trouble })
    } finally {
      await rest.git.updateRef({ ...repo, ref: 'heads/ringmaster-data', sha, force: true })
      await second.stop()
    }
  }, 20_000)

  it.each<[string, string, (port: string) => Record<string, string>, object]>([
    ['a port that is taken', 'port-in-use', (port) => ({ PORT: port }), { fault: 'outside' }],
    ['an address of another machine', 'setting-invalid', () => ({ HOST: '192.0.2.1' }), { fault: 'bad-input' }],
    [
      'the key of another App',
      'app-refused',
      () => ({ PRIVATE_KEY: sandbox.app('other').privateKey }),
      { fault: 'bad-input', message: expect.stringContaining('APP_ID and PRIVATE_KEY') },
    ],
    ['the id of no App', 'app-refused', () => ({ APP_ID: '987654' }), { fault: 'bad-input' }],
    [
      'a GitHub that is not there',
      'github-unreachable',
      () => ({ GITHUB_API_URL: 'http://127.0.0.1:1' }),
      { fault: 'outside', message: expect.stringContaining('could not be reached') },
    ],
  ])('does not start with %s, and says so', async (_, code, changes, expected) => {
    const settings = settingsWith(changes(new URL(server.url).port))
    const started = startServer(settings, { clock: () => new Date().toISOString(), sweepEveryMs: 0 })
    await expect(started).rejects.toMatchObject({ name: 'RingmasterError', code, ...expected })
  })

  it('is looked at by the doctor, who can ask everything and sees what is not set up here', async () => {
    const { appId, privateKey, apiUrl, releaseRepository } = settingsWith({})
    const app = gitHubApp({ appId, privateKey, apiUrl })
    const found = await examine({ app, releaseRepository, nowMs: sandbox.clock.epochMs(), pages: null })
    app.close()
    expect(found.filter(({ state }) => state === 'fail')).toEqual([])
    expect(found.filter(({ state }) => state === 'warn').map(({ what }) => what)).toEqual([
      expect.stringContaining('no ruleset guards ringmaster-data:'),
      expect.stringContaining('no ruleset guards ringmaster-data-2:'),
      expect.stringContaining('no ruleset guards ringmaster-releases'),
      'there is no environment production of acme/platform',
    ])
  })

  it('is looked at by the doctor at its start out of its own limits, behind everything else', async () => {
    const { app } = server.ringmaster
    const asked = () => ['(app)', 'acme'].map((account) => app.limits[account]?.sent.bulk ?? 0)
    const before = asked()
    const told: string[] = []
    const tell = (line: string) => void told.push(line)
    await tellFindings(app, settingsWith({}), { nowMs: sandbox.clock.epochMs(), tell })
    expect(told).toHaveLength(4)
    expect(told[0]).toMatch(/^ringmaster doctor: no ruleset guards ringmaster-data: .+\. Create the ruleset: /)
    const [asApp, installed] = asked().map((count, index) => count - (before[index] ?? 0))
    expect(asApp).toBeGreaterThanOrEqual(2)
    expect(installed).toBeGreaterThanOrEqual(10)
  })

  it.each(['/', '/api/github', `${WEBHOOK_PATH}/../x`])('has nothing at %s', async (path) => {
    expect((await fetch(`${server.url}${path}`)).status).toBe(404)
  })

  it('asks GitHub only for what GitHub’s description accepts', () => {
    expect(sandbox.violations).toEqual([])
  })
})

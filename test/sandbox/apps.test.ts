import { createHmac, createSign } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { createAppAuth } from '@octokit/auth-app'
import { Octokit } from '@octokit/rest'
import { type Sandbox, startSandbox } from './sandbox.ts'
import { acme } from './seeds.ts'
import { refusal } from './testing.ts'

const repo = { owner: 'acme', repo: 'app' }
let sandbox: Sandbox
let receiver: Server
const received: { headers: IncomingHttpHeaders; body: string }[] = []
let answerStatus = 200

beforeAll(async () => {
  sandbox = await startSandbox({ seed: acme })
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() })
      response.writeHead(answerStatus).end('thanks')
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  sandbox.app('ringmaster').setWebhookUrl(`http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`)
})
afterAll(async () => {
  await sandbox.stop()
  receiver.closeAllConnections()
  receiver.close()
})
beforeEach(async () => {
  await sandbox.webhooks.settled()
  received.length = 0
})
afterEach(() => {
  expect(sandbox.violations.splice(0)).toEqual([])
})

/** As the App's own code signs in: JWT, then installation token. */
const appClient = (installationId?: number) => {
  const { id: appId, privateKey } = sandbox.app('ringmaster')
  const auth = { appId, privateKey, ...(installationId === undefined ? {} : { installationId }) }
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  return new Octokit({ baseUrl: sandbox.origin, authStrategy: createAppAuth, auth, log }).rest
}
const comment = (body: string) =>
  sandbox.as('bob').octokit.rest.issues.createComment({ ...repo, issue_number: 1, body })
const bodies = () => received.map(({ body }) => (JSON.parse(body) as { comment?: { body: string } }).comment?.body)

describe('an App', () => {
  it('signs in by JWT and acts with an installation token', async () => {
    expect((await appClient().apps.getAuthenticated()).data).toMatchObject({
      slug: 'ringmaster',
      installations_count: 1,
    })
    const { data } = await appClient().apps.getRepoInstallation(repo)
    expect(data).toMatchObject({
      account: { login: 'acme' },
      repository_selection: 'all',
      permissions: { issues: 'write' },
    })
    const installed = appClient(data.id)
    expect(
      (await installed.apps.listReposAccessibleToInstallation()).data.repositories.map(({ name }) => name),
    ).toEqual(['app', 'empty', 'open'])
    expect((await installed.issues.create({ ...repo, title: 'first' })).data.user?.login).toBe('ringmaster[bot]')
    expect((await appClient().apps.listInstallations()).data).toHaveLength(1)
    expect((await appClient().apps.getOrgInstallation({ org: 'acme' })).data.id).toBe(data.id)
  })

  it('narrows a token to repositories and permissions', async () => {
    const installation_id = sandbox.app('ringmaster').installationId('acme')
    const { data } = await appClient().apps.createInstallationAccessToken({
      installation_id,
      repositories: ['open'],
      permissions: { contents: 'read' },
    })
    const { rest } = new Octokit({
      baseUrl: sandbox.origin,
      auth: data.token,
      log: { debug() {}, info() {}, warn() {}, error() {} },
    })
    expect((await rest.repos.getContent({ owner: 'acme', repo: 'open', path: 'a.txt' })).status).toBe(200)
    expect(await refusal(rest.repos.getContent({ ...repo, path: 'README.md' }))).toBe('404 Not Found')
    expect(await refusal(rest.issues.create({ owner: 'acme', repo: 'open', title: 'x' }))).toBe(
      '403 Resource not accessible by integration',
    )
    await rest.apps.revokeInstallationAccessToken()
    expect(await refusal(rest.repos.get({ owner: 'acme', repo: 'open' }))).toBe('401 Bad credentials')
  })

  const jwt = (claims: object, key = sandbox.app('ringmaster').privateKey) => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const text = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}`
    return `${text}.${createSign('RSA-SHA256').update(text).sign(key, 'base64url')}`
  }
  const seconds = () => Math.floor(Date.now() / 1000)

  it.each([
    [
      'a foreign key',
      () =>
        jwt(
          { iss: sandbox.app('ringmaster').id, iat: seconds(), exp: seconds() + 60 },
          sandbox.app('reader').privateKey,
        ),
      401,
    ],
    ['a JWT of an hour', () => jwt({ iss: sandbox.app('ringmaster').id, iat: seconds(), exp: seconds() + 3600 }), 401],
    [
      'a JWT that has ended',
      () => jwt({ iss: sandbox.app('ringmaster').id, iat: seconds() - 90, exp: seconds() - 30 }),
      401,
    ],
    [
      'a JWT from the future',
      () => jwt({ iss: sandbox.app('ringmaster').id, iat: seconds() + 300, exp: seconds() + 400 }),
      401,
    ],
    ['an App that is not there', () => jwt({ iss: 4, iat: seconds(), exp: seconds() + 60 }), 404],
    ['a token nobody gave', () => 'ghs_made_up', 401],
    ['a person’s token', () => sandbox.as('ann').token, 401],
  ])('is not taken for %s', async (_, token, status) => {
    const response = await fetch(`${sandbox.origin}/app`, { headers: { authorization: `bearer ${token()}` } })
    expect(response.status).toBe(status)
  })

  it.each([
    ['a permission it has not', { permissions: { packages: 'write' } }],
    ['more than it has', { permissions: { members: 'write' } }],
    ['a repository of another', { repositories: ['elsewhere'] }],
  ] as const)('gets no token for %s', async (_, request) => {
    const installation_id = sandbox.app('ringmaster').installationId('acme')
    const asked = request as { repositories?: string[] }
    expect(await refusal(appClient().apps.createInstallationAccessToken({ installation_id, ...asked }))).toMatch(/^422/)
  })
})

describe('webhooks', () => {
  it('carry GitHub’s headers and a signature of the exact bytes', async () => {
    await comment('hello')
    await sandbox.webhooks.settled()
    const [{ headers, body } = { headers: {}, body: '' }] = received
    const digest = createHmac('sha256', 'a secret').update(body).digest('hex')
    expect(headers).toMatchObject({
      'x-github-event': 'issue_comment',
      'x-github-hook-installation-target-id': String(sandbox.app('ringmaster').id),
      'x-github-hook-installation-target-type': 'integration',
      'x-hub-signature-256': `sha256=${digest}`,
      'user-agent': expect.stringMatching(/^GitHub-Hookshot\//),
      'x-github-delivery': expect.stringMatching(
        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      ),
    })
    expect(JSON.parse(body)).toMatchObject({
      action: 'created',
      organization: { login: 'acme' },
      repository: { full_name: 'acme/app' },
    })
  })

  it('come in order', async () => {
    for (const body of ['1', '2', '3', '4']) await comment(body)
    await sandbox.webhooks.settled()
    expect(bodies()).toEqual(['1', '2', '3', '4'])
  })

  it('are held back, dropped, repeated, delayed and reversed by the switches', async () => {
    const { webhooks } = sandbox
    webhooks.drop({
      event: 'issue_comment',
      where: (payload) => (payload['comment'] as { body: string }).body === 'lost',
    })
    for (const body of ['lost', 'kept', 'lost']) await comment(body)
    await webhooks.settled()
    expect(bodies().splice(0)).toEqual(['kept', 'lost'])
    received.length = 0
    webhooks.repeat({ event: 'issue_comment', action: 'created' })
    webhooks.delay({ event: 'issue_comment' }, 1)
    webhooks.pause()
    for (const body of ['twice', 'late', 'early']) await comment(body)
    await webhooks.settled()
    expect(bodies()).toEqual([])
    webhooks.resume()
    await webhooks.settled()
    expect(bodies()).toEqual(['twice', 'twice', 'early', 'late'])
    const [first, second] = received
    expect(first?.headers['x-github-delivery']).toBe(second?.headers['x-github-delivery'])
    received.length = 0
    webhooks.pause()
    for (const body of ['a', 'b', 'c']) await comment(body)
    webhooks.reverse()
    webhooks.resume()
    await webhooks.settled()
    expect(bodies()).toEqual(['c', 'b', 'a'])
  })

  it('are not repeated by themselves when they fail, but on request, with the same GUID', async () => {
    answerStatus = 500
    await comment('fails')
    await sandbox.webhooks.settled()
    answerStatus = 200
    expect(received).toHaveLength(1)
    const { apps } = appClient()
    const failed = (await apps.listWebhookDeliveries({ status: 'failure', per_page: 1 })).data[0]
    expect(failed).toMatchObject({ event: 'issue_comment', action: 'created', status_code: 500, redelivery: false })
    const { data } = await apps.getWebhookDelivery({ delivery_id: failed?.id ?? 0 })
    expect(data.request.payload).toMatchObject({ comment: { body: 'fails' } })
    expect((await apps.redeliverWebhookDelivery({ delivery_id: failed?.id ?? 0 })).status).toBe(202)
    await sandbox.webhooks.settled()
    const [latest] = (await apps.listWebhookDeliveries({ per_page: 1 })).data
    expect(latest).toMatchObject({ guid: failed?.guid, redelivery: true, status: 'OK' })
    expect(latest?.id).not.toBe(failed?.id)
  })

  it('are listed page by page, newest first, for three days', async () => {
    const { apps } = appClient()
    const first = await apps.listWebhookDeliveries({ per_page: 2 })
    const cursor = /cursor=([^&>]+)/.exec(first.headers.link ?? '')?.[1] ?? ''
    const second = await apps.listWebhookDeliveries({ per_page: 2, cursor })
    const ids = [...first.data, ...second.data].map(({ id }) => id)
    expect(ids).toEqual([...ids].sort((a, b) => b - a))
    expect(new Set(ids).size).toBe(4)
    sandbox.clock.advance(3 * 24 * 3_600_000 + 1000)
    expect((await apps.listWebhookDeliveries()).data).toEqual([])
  })
})

describe('people', () => {
  const app = () => sandbox.app('ringmaster').octokit('acme').rest

  it.each([
    ['ann', 'admin', 'admin'],
    ['bob', 'write', 'write'],
    ['EVE', 'read', 'read'],
    ['mal', 'none', 'none'],
  ])('%s may %s', async (username, permission, role_name) => {
    const { data } = await app().repos.getCollaboratorPermissionLevel({ ...repo, username })
    expect(data).toMatchObject({ permission, role_name })
  })

  it('are members of a team and of its parents', async () => {
    const membership = (team_slug: string, username: string) =>
      app().teams.getMembershipForUserInOrg({ org: 'acme', team_slug, username })
    expect((await membership('qa', 'bob')).data).toMatchObject({ state: 'active', role: 'member' })
    expect((await membership('eng', 'bob')).data).toMatchObject({ state: 'active' })
    expect(await refusal(membership('qa', 'eve'))).toBe('404 Not Found')
    expect(
      (await app().teams.listMembersInOrg({ org: 'acme', team_slug: 'eng' })).data.map(({ login }) => login),
    ).toEqual(['bob'])
    expect((await app().teams.getByName({ org: 'acme', team_slug: 'QA' })).data).toMatchObject({
      parent: { slug: 'eng' },
      members_count: 1,
    })
    expect((await app().teams.list({ org: 'acme' })).data.map(({ slug }) => slug)).toEqual(['eng', 'qa'])
    expect((await app().orgs.getMembershipForUser({ org: 'acme', username: 'ann' })).data.role).toBe('admin')
  })

  it('do not show their teams to an App without the permission, nor to strangers', async () => {
    const asked = { org: 'acme', team_slug: 'qa', username: 'bob' }
    const reader = sandbox.app('reader').octokit('acme').rest
    expect(await refusal(reader.teams.getMembershipForUserInOrg(asked))).toBe(
      '403 Resource not accessible by integration',
    )
    expect(await refusal(sandbox.as('mal').octokit.rest.teams.getMembershipForUserInOrg(asked))).toBe('404 Not Found')
  })

  it('know who they are', async () => {
    expect((await sandbox.as('ann').octokit.rest.users.getAuthenticated()).data).toMatchObject({
      login: 'ann',
      name: 'Ann',
    })
    expect((await app().users.getByUsername({ username: 'BOB' })).data.login).toBe('bob')
    expect((await app().orgs.get({ org: 'acme' })).data.type).toBe('Organization')
    expect(
      (await app().repos.listCollaborators(repo)).data.map(({ login, role_name }) => `${login} ${role_name}`),
    ).toEqual(['ann admin', 'bob write', 'eve read'])
    expect((await app().repos.listTeams(repo)).data.map(({ slug, permission }) => `${slug} ${permission}`)).toEqual([
      'eng push',
    ])
    expect((await app().repos.get(repo)).data).toMatchObject({
      default_branch: 'main',
      visibility: 'private',
      allow_squash_merge: true,
    })
    expect((await sandbox.as('ann').octokit.rest.repos.listForOrg({ org: 'acme' })).data).toHaveLength(3)
    expect(
      (await sandbox.as('mal').octokit.rest.repos.listForOrg({ org: 'acme' })).data.map(({ name }) => name),
    ).toEqual(['open'])
  })
})

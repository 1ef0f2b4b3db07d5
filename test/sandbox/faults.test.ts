import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { type Sandbox, startSandbox } from './sandbox.ts'
import { acme } from './seeds.ts'
import { refusal } from './testing.ts'

const repo = { owner: 'acme', repo: 'app' }
let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await startSandbox({ seed: acme, startAt: '2026-03-01T00:00:00Z' })
})
afterAll(() => sandbox.stop())
beforeEach(() => {
  sandbox.requests.length = 0
  sandbox.faults.clear()
})

const app = () => sandbox.app('ringmaster').octokit('acme')
const head = async () => (await sandbox.repository('acme/app').head()) ?? ''
const commit = async (path: string) => {
  const input = {
    branch: { repositoryNameWithOwner: 'acme/app', branchName: 'main' },
    expectedHeadOid: await head(),
    message: { headline: path },
    fileChanges: { additions: [{ path, contents: '' }] },
  }
  return app().graphql(
    'mutation($input: CreateCommitOnBranchInput!) { createCommitOnBranch(input: $input) { commit { oid } } }',
    { input },
  )
}
const exists = async (path: string) => (await sandbox.repository('acme/app').read(path)) !== undefined

describe('faults', () => {
  it.each([
    ['bad-gateway-before', 'b1', /^502/, false],
    ['bad-gateway-after', 'b2', /^502/, true],
    ['disconnect-before', 'b3', /^500/, false],
    ['disconnect-after', 'b4', /^500/, true],
    ['stale', 'b5', /Expected branch to point to/, false],
    ['secondary-limit', 'b6', /^403 .*secondary rate limit/, false],
  ] as const)('%s hits a commit once', async (kind, path, expected, isDone) => {
    sandbox.faults.add({ kind, field: 'createCommitOnBranch' })
    expect(await refusal(commit(path))).toMatch(expected)
    expect(await exists(path)).toBe(isDone)
    expect(await refusal(commit(`${path}-again`))).toBe('accepted')
  })

  it('hit after some requests, as many times as asked, and only the route', async () => {
    sandbox.faults.add({ kind: 'bad-gateway-before', route: 'GET /repos/{owner}/{repo}', after: 1, times: 2 })
    const answers: string[] = []
    for (let i = 0; i < 4; i += 1) answers.push((await refusal(app().rest.repos.get(repo))).slice(0, 8))
    expect(answers).toEqual(['accepted', '502 Serv', '502 Serv', 'accepted'])
    expect(await refusal(app().rest.repos.listTags(repo))).toBe('accepted')
  })

  it('let a read lag behind the last write', async () => {
    sandbox.clock.advance(60_000)
    const before = await head()
    await commit('lag')
    sandbox.faults.add({ kind: 'lag', times: 2 })
    const { data } = await app().rest.git.getRef({ ...repo, ref: 'heads/main' })
    expect(data.object.sha).toBe(before)
    const query =
      '{ repository(owner: "acme", name: "app") { ref(qualifiedName: "refs/heads/main") { target { oid } } } }'
    expect(await app().graphql(query)).toMatchObject({ repository: { ref: { target: { oid: before } } } })
    expect((await app().rest.git.getRef({ ...repo, ref: 'heads/main' })).data.object.sha).toBe(await head())
  })
})

describe('a lagging read', () => {
  it('sees a ref where it was half a minute ago, whatever happened to it since', async () => {
    sandbox.clock.advance(60_000)
    const before = await head()
    await commit('first')
    sandbox.clock.advance(20_000)
    await commit('second')
    const read = async () => {
      sandbox.faults.add({ kind: 'lag' })
      return (await app().rest.git.getRef({ ...repo, ref: 'heads/main' })).data.object.sha
    }
    expect(await read()).toBe(before)
    sandbox.clock.advance(15_000)
    expect(await read()).not.toBe(before)
    sandbox.clock.advance(30_000)
    expect(await read()).toBe(await head())
  })
})

it('a lagging list of check runs shows none that was made in the last half minute', async () => {
  sandbox.clock.advance(60_000)
  const at = { ...repo, ref: await head() }
  await app().rest.checks.create({ ...repo, name: 'lagging', head_sha: at.ref })
  const shown = async () => (await app().rest.checks.listForRef(at)).data.check_runs.map(({ name }) => name)
  sandbox.faults.add({ kind: 'lag', times: 2 })
  expect(await shown()).not.toContain('lagging')
  sandbox.clock.advance(31_000)
  expect(await shown()).toContain('lagging')
})

it('a lagging list of comments shows none that was made in the last half minute', async () => {
  const { data: issue } = await app().rest.issues.create({ ...repo, title: 'Lists lag' })
  const at = { ...repo, issue_number: issue.number }
  await app().rest.issues.createComment({ ...at, body: 'lagging' })
  const shown = async () => (await app().rest.issues.listComments(at)).data.map(({ body }) => body)
  sandbox.faults.add({ kind: 'lag', times: 2 })
  expect(await shown()).toEqual([])
  sandbox.clock.advance(31_000)
  expect(await shown()).toEqual(['lagging'])
})

describe('a truncated blob', () => {
  it('says that it is cut, and comes whole at the next request', async () => {
    const query = `{ repository(owner: "acme", name: "app") {
      object(expression: "main:README.md") { ... on Blob { isTruncated byteSize text } } } }`
    const ask = async () =>
      (
        (await app().graphql(query)) as {
          repository: { object: { isTruncated: boolean; text: string; byteSize: number } }
        }
      ).repository.object
    sandbox.faults.add({ kind: 'truncated-blob' })
    const cut = await ask()
    const whole = await ask()
    expect([cut.isTruncated, whole.isTruncated]).toEqual([true, false])
    expect([whole.text.length, cut.text]).toEqual([cut.byteSize, whole.text.slice(0, Math.floor(cut.byteSize / 2))])
  })
})

describe('the front', () => {
  it('records requests with route, identity and status', async () => {
    await app().rest.repos.get(repo)
    await commit('recorded')
    await refusal(sandbox.as('mal').octokit.rest.repos.get(repo))
    expect(sandbox.requests).toMatchObject([
      { method: 'GET', route: 'GET /repos/{owner}/{repo}', identity: 'ringmaster[bot]', status: 200 },
      { route: 'POST /graphql', fields: ['createCommitOnBranch'], status: 200 },
      { identity: 'mal', status: 404 },
    ])
  })

  it('collects what GitHub’s description does not accept', async () => {
    const created = await refusal(
      app().request('POST /repos/{owner}/{repo}/issues', { ...repo, title: 'x', lables: ['y'] } as never),
    )
    expect(created).toMatch(/^422 Invalid request/)
    await refusal(app().request('GET /repos/{owner}/{repo}/issues', { ...repo, state: 'opened' } as never))
    await refusal(app().request('GET /repos/{owner}/{repo}/nothing', repo))
    expect(sandbox.violations.splice(0)).toEqual([
      { kind: 'request', operation: 'POST /repos/{owner}/{repo}/issues', problems: ['body/lables is not described'] },
      {
        kind: 'request',
        operation: 'GET /repos/{owner}/{repo}/issues',
        problems: [expect.stringContaining('query/state')],
      },
      { kind: 'unknown-route', operation: 'GET /repos/acme/app/nothing', problems: [expect.any(String)] },
    ])
  })

  it('fails whoever stops it with such a request behind them', async () => {
    const other = await startSandbox({ seed: acme })
    await refusal(other.app('ringmaster').octokit('acme').request('GET /repos/{owner}/{repo}/nothing', repo))
    await expect(other.stop()).rejects.toThrow(/found 1 that it does not: .*\/repos\/acme\/app\/nothing/)
  })

  it('serves the addresses of an Enterprise Server too', async () => {
    const headers = { authorization: `token ${sandbox.as('bob').token}` }
    expect((await fetch(`${sandbox.origin}/api/v3/repos/acme/app`, { headers })).status).toBe(200)
    const asked = await fetch(`${sandbox.origin}/api/graphql`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ query: '{ viewer { login } }' }),
    })
    expect(await asked.json()).toEqual({ data: { viewer: { login: 'bob' } } })
  })

  it('knows no path with a slash at its end', async () => {
    const headers = { authorization: `token ${sandbox.as('bob').token}` }
    expect((await fetch(`${sandbox.origin}/repos/acme/app/`, { headers })).status).toBe(404)
    expect(sandbox.violations.splice(0)).toMatchObject([{ kind: 'unknown-route' }])
  })

  it('keeps a clock that tests move', async () => {
    expect(sandbox.clock.now()).toMatch(/^2026-03-01T00:0/)
    sandbox.clock.advance(24 * 3_600_000)
    const { data } = await app().rest.issues.create({ ...repo, title: 'x' })
    expect(data.created_at).toMatch(/^2026-03-02T00:0/)
  })

  it('counts requests against a limit, but for what has not changed', async () => {
    sandbox.setRateLimit(3)
    sandbox.clock.advance(3_600_000)
    const ask = (headers: Record<string, string> = {}) => app().rest.repos.get({ ...repo, headers })
    const first = await ask()
    expect(first.headers).toMatchObject({
      'x-ratelimit-limit': '3',
      'x-ratelimit-remaining': '2',
      'x-ratelimit-resource': 'core',
    })
    expect(await refusal(ask({ 'if-none-match': String(first.headers.etag) }))).toMatch(/^304/)
    await ask()
    expect((await app().rest.rateLimit.get()).data.resources.core).toMatchObject({ limit: 3, remaining: 1 })
    await ask()
    expect(await refusal(ask())).toMatch(/^403 API rate limit exceeded/)
    expect(await refusal(sandbox.as('bob').octokit.rest.repos.get(repo))).toBe('accepted')
    for (let i = 0; i < 3; i += 1) await app().graphql('{ viewer { login } }')
    expect(await refusal(app().graphql('{ viewer { login } }'))).toMatch(/API rate limit exceeded/)
    sandbox.clock.advance(3_600_000)
    expect(await refusal(ask())).toBe('accepted')
    sandbox.setRateLimit(15_000)
  })

  it('answers as late as told', async () => {
    sandbox.setLatency(60)
    const startedMs = Date.now()
    await app().rest.repos.get(repo)
    sandbox.setLatency(0)
    expect(Date.now() - startedMs).toBeGreaterThanOrEqual(55)
  })
})

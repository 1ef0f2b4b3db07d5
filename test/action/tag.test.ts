import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import nock from 'nock'
import { runAction } from '../../src/action/run-action.ts'
import { ScratchRepository } from '../git/scratch-repository.ts'
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts'
import { repositoryByName } from '../sandbox/store.ts'
import { API, type Given, recordingRunner, stage } from './stage.ts'

const acmeApi = { owner: 'acme', repo: 'api' }

describe('tagging on a GitHub that refuses what GitHub refuses', () => {
  let sandbox: Sandbox
  let first: string
  let second: string
  let token: string

  beforeAll(async () => {
    sandbox = await startSandbox({
      seed: {
        people: ['ann'],
        organizations: [{ login: 'acme', owners: ['ann'] }],
        repositories: [
          {
            name: 'acme/api',
            commits: [
              { message: 'feat: first', files: { a: 'a' }, author: 'ann' },
              { message: 'feat: second', files: { a: 'b' }, author: 'ann' },
            ],
          },
        ],
      },
    })
    const { data } = await sandbox.as('ann').octokit.rest.repos.listCommits(acmeApi)
    ;[second = '', first = ''] = data.map(({ sha }) => sha)
    const repository = repositoryByName(sandbox.world.store, 'acme', 'api')
    if (!repository) throw new Error('the seed has no repository')
    token = sandbox.world.mintActionsToken(repository, new Map([['contents', 'write']] as const), 77)
  })
  afterAll(() => sandbox.stop())

  async function tag(inputs: Given, sha = second) {
    const runner = recordingRunner()
    const variables = { GITHUB_API_URL: sandbox.origin, GITHUB_SERVER_URL: sandbox.origin, GITHUB_SHA: sha }
    const shell = stage({ command: 'tag', 'github-token': token, notes: 'none', ...inputs }, variables)
    const exitCode = await runAction(shell, runner)
    return {
      exitCode,
      outputs: Object.fromEntries(runner.outputs),
      codes: runner.annotations.map(({ problem }) => problem.code),
    }
  }

  const refs = async (): Promise<string[]> => {
    const { data } = await sandbox.as('ann').octokit.rest.git.listMatchingRefs({ ...acmeApi, ref: 'tags/' })
    return data.map(({ ref, object }) => `${ref} ${object.type}`)
  }

  it('makes one annotated tag, one branch and one release, however often the step is repeated', async () => {
    const inputs = { version: '1.2.0', 'release-branch': 'version', 'github-release': 'true' }
    const { exitCode, outputs } = await tag(inputs)
    expect(exitCode).toBe(0)
    expect(outputs).toMatchObject({ version: '1.2.0', tag: 'v1.2.0', created: 'true', branch: 'release/v1.2.0' })
    expect(outputs['release-url']).toContain('/releases/tag/v1.2.0')
    const again = await tag(inputs)
    expect(again.outputs).toEqual({ ...outputs, created: 'false' })
    expect(await refs()).toEqual(['refs/tags/v1.2.0 tag'])
    const { octokit } = sandbox.as('ann')
    const { data: branch } = await octokit.rest.git.getRef({ ...acmeApi, ref: 'heads/release/v1.2.0' })
    expect(branch.object.sha).toBe(second)
    const { data: releases } = await octokit.rest.repos.listReleases(acmeApi)
    expect(releases.map(({ tag_name, prerelease, draft }) => [tag_name, prerelease, draft])).toEqual([
      ['v1.2.0', false, false],
    ])
  })

  it('refuses a tag that is at another commit, and writes nothing then', async () => {
    await tag({ version: '1.3.0' })
    const before = sandbox.requests.length
    const { exitCode, codes, outputs } = await tag(
      { version: '1.3.0', 'release-branch': 'line', 'github-release': 'true' },
      first,
    )
    expect([exitCode, codes, outputs]).toEqual([1, ['tag-elsewhere'], {}])
    expect(sandbox.requests.slice(before).filter(({ method }) => method !== 'GET')).toEqual([])
  })

  it('knows a light-weight tag at the commit as its own', async () => {
    await sandbox.as('ann').octokit.rest.git.createRef({ ...acmeApi, ref: 'refs/tags/v1.4.0', sha: second })
    expect((await tag({ version: '1.4.0' })).outputs['created']).toBe('false')
    expect((await tag({ version: '1.4.0' }, first)).codes).toEqual(['tag-elsewhere'])
  })

  it('leaves a release branch where it is, and warns', async () => {
    await tag({ version: '3.0.0', 'release-branch': 'line' }, first)
    const { exitCode, codes, outputs } = await tag({ version: '3.0.1', 'release-branch': 'line' })
    expect([exitCode, codes, outputs['branch']]).toEqual([0, ['branch-elsewhere'], 'release/v3.x'])
    const { data } = await sandbox.as('ann').octokit.rest.git.getRef({ ...acmeApi, ref: 'heads/release/v3.x' })
    expect(data.object.sha).toBe(first)
  })

  it('marks a pre-release as one', async () => {
    await tag({ version: '4.0.0-rc.1', 'github-release': 'true' })
    const { data } = await sandbox.as('ann').octokit.rest.repos.getReleaseByTag({ ...acmeApi, tag: 'v4.0.0-rc.1' })
    expect(data.prerelease).toBe(true)
  })

  it('writes nothing in a dry run', async () => {
    const before = await refs()
    const inputs = { version: '5.0.0', 'dry-run': 'true', 'release-branch': 'line', 'github-release': 'true' }
    expect((await tag(inputs)).outputs).toEqual({
      version: '5.0.0',
      tag: 'v5.0.0',
      created: 'false',
      branch: 'release/v5.x',
      'release-url': '',
    })
    expect(await refs()).toEqual(before)
  })

  it.each([
    ['POST /repos/{owner}/{repo}/git/refs', 'bad-gateway-after'],
    ['POST /repos/{owner}/{repo}/git/refs', 'disconnect-before'],
    ['POST /repos/{owner}/{repo}/git/tags', 'disconnect-after'],
    ['POST /repos/{owner}/{repo}/releases', 'bad-gateway-after'],
    ['GET /repos/{owner}/{repo}/git/ref/{ref}', 'secondary-limit'],
  ] as const)('neither loses nor doubles anything when %s meets %s', async (route, kind) => {
    const version = `6.${route.length}.${kind.length}`
    sandbox.faults.add({ kind, route })
    const { exitCode, codes } = await tag({ version, 'github-release': 'true', 'release-branch': 'version' })
    expect([exitCode, codes]).toEqual([0, []])
    const { octokit } = sandbox.as('ann')
    const { data } = await octokit.rest.repos.listReleases({ ...acmeApi, per_page: 100 })
    expect(data.filter(({ tag_name }) => tag_name === `v${version}`)).toHaveLength(1)
    expect((await refs()).filter((ref) => ref === `refs/tags/v${version} tag`)).toHaveLength(1)
  })

  it('tags a calendar version, which has a branch but no line', async () => {
    const { outputs } = await tag({ version: '2026.04', scheme: 'calver', 'release-branch': 'version' })
    expect(outputs).toMatchObject({ tag: 'v2026.04', branch: 'release/v2026.04', created: 'true' })
  })

  it.each([
    [{ version: '1.x' }, 'version-parts'],
    [{ version: '1.0.0', 'tag-pattern': 'v' }, 'tag-pattern'],
    [{ version: '1.0.0', 'release-branch': 'both' }, 'input-invalid'],
    [{ version: '1.0.0', path: 'api' }, 'product-missing'],
    [{ version: '1.2.0', scheme: 'calver' }, 'version-date'],
    [{ version: '2026.04', scheme: 'calver', 'release-branch': 'line' }, 'line-scheme'],
  ])('refuses %j before it asks for anything', async (inputs, code) => {
    const before = sandbox.requests.length
    const { exitCode, codes } = await tag(inputs)
    expect([exitCode, codes[0], sandbox.requests.length]).toEqual([2, code, before])
  })

  it('asks for nothing that GitHub’s description does not know', () => {
    expect(sandbox.violations).toEqual([])
  })
})

describe('tagging a computed version', () => {
  let repository: ScratchRepository
  beforeAll(() => {
    nock.disableNetConnect()
    repository = ScratchRepository.init()
    repository.commit('feat: first')
    repository.git('tag', 'v1.0.0')
    repository.commit('feat(api): second (#7)')
    repository.commit('fix(infra): third')
    repository.commit('chore: fourth')
  })
  afterAll(() => {
    nock.cleanAll()
    nock.enableNetConnect()
    repository.remove()
  })

  async function tag(inputs: Given) {
    const runner = recordingRunner()
    const shell = stage(
      { command: 'tag', ...inputs },
      { GITHUB_WORKSPACE: repository.directory, GITHUB_SHA: repository.head() },
    )
    return { exitCode: await runAction(shell, runner), runner, outputs: Object.fromEntries(runner.outputs) }
  }

  function github(name: string) {
    const bodies: Record<string, unknown>[] = []
    const keep = (body: unknown): boolean => bodies.push(body as Record<string, unknown>) > 0
    nock(API).get(`/repos/acme/api/git/ref/tags%2F${name}`).times(2).reply(404)
    nock(API)
      .post('/repos/acme/api/git/tags', keep)
      .reply(201, { sha: 'e'.repeat(40) })
    nock(API).post('/repos/acme/api/git/refs', keep).reply(201, {})
    return { bodies, keep }
  }

  it('tags the checked-out commit and tells in the release what came since, for whoever reads the repository', async () => {
    const { bodies, keep } = github('v1.1.0')
    nock(API).get('/repos/acme/api/releases/tags/v1.1.0').reply(404)
    nock(API).post('/repos/acme/api/releases', keep).reply(201, { html_url: 'https://ghe.example.org/r' })
    const { exitCode, outputs } = await tag({ 'github-release': 'true', 'internal-scopes': 'infra' })
    expect(exitCode).toBe(0)
    expect(outputs).toEqual({
      version: '1.1.0',
      tag: 'v1.1.0',
      created: 'true',
      branch: '',
      'release-url': 'https://ghe.example.org/r',
    })
    expect(bodies).toMatchObject([
      { tag: 'v1.1.0', message: 'api 1.1.0', object: repository.head(), type: 'commit' },
      { ref: 'refs/tags/v1.1.0', sha: 'e'.repeat(40) },
      {
        tag_name: 'v1.1.0',
        make_latest: 'legacy',
        body: '### Features\n\n- **api:** second ([#7](https://ghe.example.org/acme/api/pull/7))\n\n### Thanks\n\nThanks to Ann.',
      },
    ])
  })

  it('goes on along a line of pre-releases', async () => {
    github('v1.1.0-rc.1')
    expect((await tag({ prerelease: 'rc' })).outputs['tag']).toBe('v1.1.0-rc.1')
    expect((await tag({ prerelease: 'rc', graduate: 'rc' })).exitCode).toBe(2)
  })

  it('takes the tag of whoever was faster for its own where it is at the same commit, and refuses it elsewhere', async () => {
    for (const [sha, exitCode] of [
      [repository.head(), 0],
      ['f'.repeat(40), 1],
    ] as const) {
      nock(API).get('/repos/acme/api/git/ref/tags%2Fv1.1.0').times(2).reply(404)
      nock(API)
        .post('/repos/acme/api/git/tags')
        .reply(201, { sha: 'e'.repeat(40) })
      nock(API).post('/repos/acme/api/git/refs').reply(422, { message: 'Reference already exists' })
      nock(API)
        .get('/repos/acme/api/git/ref/tags%2Fv1.1.0')
        .reply(200, { ref: 'refs/tags/v1.1.0', object: { type: 'commit', sha } })
      expect((await tag({})).exitCode).toBe(exitCode)
    }
  })

  it('tags nothing where nothing came since', async () => {
    repository.git('tag', 'v1.1.0')
    repository.commit('docs: fifth')
    expect(await tag({})).toMatchObject({ exitCode: 0, outputs: { version: '', tag: '', created: 'false' } })
  })
})

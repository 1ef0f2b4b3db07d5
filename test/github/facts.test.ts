import { beforeEach, describe, expect, it } from '@jest/globals'
import type { GitHubAnswer, GitHubQuery } from '../../src/core/facts.ts'
import { gitHubFacts } from '../../src/github/facts.ts'
import { app, github, linkTo, RELEASES, useNock } from './stage.ts'

useNock()

/** Impatient but where a test says so. */
let facts: (query: GitHubQuery, isPatient?: boolean) => Promise<GitHubAnswer>
let nowMs = 0
const logged: string[] = []
beforeEach(() => {
  nowMs = 0
  logged.length = 0
  const log = { info: () => {}, error: (data: Record<string, unknown>) => void logged.push(String(data['what'])) }
  const look = gitHubFacts(app, { releaseRepository: RELEASES.fullName, nowMs: () => nowMs, log })
  facts = (query, isPatient = false) => look(query, isPatient)
})

const permissionPath = '/repos/acme/releases/collaborators/ann/permission'
const memberPath = (team: string) => `/orgs/acme/teams/${team}/memberships/ann`
const person = (...teams: string[]): GitHubQuery => ({
  kind: 'person',
  login: 'ann',
  id: 42,
  repository: 'acme/releases',
  teams,
})
const permits = (more: object = {}) =>
  github()
    .get(permissionPath)
    .reply(200, { permission: 'write', role_name: 'maintain', user: { login: 'ann', id: 42 }, ...more })

describe('what a person may do', () => {
  it.each([
    ['the finer role', { permission: 'write', role_name: 'maintain' }, 'maintain'],
    ['the permission under a role of the organization’s own', { permission: 'write', role_name: 'deployer' }, 'write'],
    ['the permission where no role is told', { permission: 'read', role_name: undefined }, 'read'],
    ['none for what is not known', { permission: 'wizard', role_name: 'wizard' }, 'none'],
  ])('is %s', async (_, told, permission) => {
    permits(told)
    expect(await facts(person())).toEqual({ kind: 'person', permission, teams: [] })
  })

  it.each([
    ['a member', 200, { state: 'active', role: 'member' }, 'member'],
    ['somebody who was invited and has not come', 200, { state: 'pending', role: 'member' }, 'not-member'],
    ['no member', 404, { message: 'Not Found' }, 'not-member', 200],
    ['a team that cannot be seen', 404, { message: 'Not Found' }, 'unreadable', 404],
    ['a question that is refused', 403, { message: 'Resource not accessible by integration' }, 'unreadable'],
    ['trouble at GitHub', 500, { message: 'oops' }, 'unreadable'],
  ])('in a team: %s', async (_, status, body, membership, team = 0) => {
    permits()
    if (team > 0) github().get('/orgs/acme/teams/qa').reply(team, { slug: 'qa' })
    github().get(memberPath('qa')).reply(status, body)
    expect(await facts(person('acme/qa'))).toEqual({
      kind: 'person',
      permission: 'maintain',
      teams: [{ team: 'acme/qa', membership }],
    })
    expect(logged).toEqual(membership === 'unreadable' ? ['the membership of ann in acme/qa'] : [])
  })

  it.each([
    ['belongs to another account now', { user: { login: 'ann', id: 43 } }],
    ['belongs to nobody that GitHub names', { user: null }],
  ])('is nothing when the login %s, whatever teams it is in', async (_, more) => {
    permits(more)
    expect(await facts(person('acme/qa', 'acme/admins'))).toEqual({
      kind: 'person',
      permission: 'none',
      teams: [
        { team: 'acme/qa', membership: 'unreadable' },
        { team: 'acme/admins', membership: 'unreadable' },
      ],
    })
  })

  it('cannot be read when GitHub does not say whose login it is', async () => {
    github().get(permissionPath).reply(502, { message: 'Server Error' })
    expect(await facts(person('acme/qa'))).toEqual({
      kind: 'person',
      permission: 'unreadable',
      teams: [{ team: 'acme/qa', membership: 'unreadable' }],
    })
  })

  it('is held for half a minute and asked again after', async () => {
    permits()
    const first = await facts(person())
    nowMs = 29_999
    expect(await facts(person())).toEqual(first)
    permits({ role_name: 'read' })
    nowMs = 30_001
    expect(await facts(person())).toMatchObject({ permission: 'read' })
  })

  it('is asked again at once when it could not be read', async () => {
    github().get(permissionPath).reply(500, {})
    expect(await facts(person())).toMatchObject({ permission: 'unreadable' })
    permits()
    expect(await facts(person())).toMatchObject({ permission: 'maintain' })
  })
})

describe('who asks patiently', () => {
  const path = '/orgs/acme/teams/qa/members?per_page=100'
  const team: GitHubQuery = { kind: 'team-members', team: 'acme/qa' }
  const file: GitHubQuery = { kind: 'file', repository: 'acme/releases', commit: 'main', path: 'a.yml' }

  it.each([
    [500, { message: 'oops' }, 'github-failed'],
    [401, { message: 'Bad credentials' }, 'github-refused'],
  ])('is told of trouble that passes as such: %d', async (status, body, code) => {
    github().get(path).reply(status, body)
    await expect(facts(team, true)).rejects.toMatchObject({ code, fault: 'outside' })
    expect(logged).toEqual([])
  })

  it.each([403, 404])('is told as all are of what stays so: %d', async (status) => {
    github().get(path).reply(status, { message: 'no' })
    expect(await facts(team, true)).toEqual({ kind: 'team-members', members: 'unreadable' })
  })

  it('is told as all are of a file that is too large', async () => {
    github()
      .get('/repos/acme/releases/contents/a.yml?ref=main')
      .reply(200, { type: 'file', encoding: 'none', content: '' })
    expect(await facts(file, true)).toEqual({ kind: 'file', text: 'unreadable' })
  })

  it('fails nobody who cannot wait and asks at the same time', async () => {
    github().get(path).twice().reply(500, {})
    const [patient, other] = await Promise.allSettled([facts(team, true), facts(team)])
    expect(patient.status).toBe('rejected')
    expect(other).toEqual({ status: 'fulfilled', value: { kind: 'team-members', members: 'unreadable' } })
  })
})

describe('the members of a team', () => {
  const path = '/orgs/acme/teams/qa/members?per_page=100'
  const query: GitHubQuery = { kind: 'team-members', team: 'acme/qa' }

  it('are read to the last page', async () => {
    const many = Array.from({ length: 100 }, (_, index) => ({ login: `p${index}`, id: index, type: 'User' }))
    github().get(path).reply(200, many, linkTo('/page-2'))
    github()
      .get('/page-2')
      .reply(200, [{ login: 'last', id: 500 }])
    const answer = await facts(query)
    expect(answer).toMatchObject({ kind: 'team-members' })
    expect((answer as unknown as { members: unknown[] }).members).toHaveLength(101)
  })

  it.each([403, 404, 500])('are unreadable after %d, and nobody is taken for a member', async (status) => {
    github().get(path).reply(status, { message: 'no' })
    expect(await facts(query)).toEqual({ kind: 'team-members', members: 'unreadable' })
  })
})

describe('the reviews of a proposal', () => {
  const path = '/repos/acme/releases/pulls/900/reviews?per_page=100'
  const query: GitHubQuery = { kind: 'reviews', repository: 'acme/releases', number: 900 }
  const review = (id: number, more: object = {}) => ({
    id,
    user: { login: 'eve', id: 2, type: 'User' },
    state: 'APPROVED',
    commit_id: 'a'.repeat(40),
    submitted_at: '2026-11-20T10:00:00Z',
    ...more,
  })

  it('are read in order over all pages, 300 of them', async () => {
    const by = (id: number) => ({ user: { login: `u${id}`, id, type: 'User' } })
    const page = (from: number) => Array.from({ length: 100 }, (_, index) => review(from + index, by(from + index)))
    github().get(path).reply(200, page(1), linkTo('/page-2'))
    github().get('/page-2').reply(200, page(101), linkTo('/page-3'))
    github().get('/page-3').reply(200, page(201))
    const answer = (await facts(query)) as unknown as { reviews: { id: number }[] }
    expect(answer.reviews.map(({ id }) => id)).toEqual(Array.from({ length: 300 }, (_, index) => index + 1))
  })

  it('are the newest twenty of those in which one person says the same, and all that were dismissed', async () => {
    const states = ['APPROVED', 'COMMENTED', 'DISMISSED']
    const given = Array.from({ length: 90 }, (_, index) => review(index + 1, { state: states[index % 3] }))
    github()
      .get(path)
      .reply(200, [...given, review(91, { user: { login: 'erik', id: 3, type: 'User' } })])
    const { reviews } = (await facts(query)) as unknown as { reviews: { id: number; state: string }[] }
    const ids = (state: string) => reviews.filter((one) => one.state === state).map(({ id }) => id)
    expect(states.map((state) => ids(state).length)).toEqual([21, 20, 30])
    expect(ids('APPROVED').slice(0, 2)).toEqual([31, 34])
    expect(reviews.map(({ id }) => id)).toEqual(reviews.map(({ id }) => id).toSorted((a, b) => a - b))
  })

  it('may be by a deleted account, on a commit that is gone, in a state that is new', async () => {
    github()
      .get(path)
      .reply(200, [review(1, { user: null, commit_id: null, submitted_at: undefined, state: 'maybe' })])
    expect(await facts(query)).toEqual({
      kind: 'reviews',
      reviews: [{ id: 1, user: null, state: 'MAYBE', commit: null, at: null }],
    })
  })

  it('are unreadable when one page is', async () => {
    github()
      .get(path)
      .reply(200, [review(1)], linkTo('/page-2'))
    github().get('/page-2').reply(502, {})
    expect(await facts(query)).toEqual({ kind: 'reviews', reviews: 'unreadable' })
  })
})

describe('a file', () => {
  const query: GitHubQuery = { kind: 'file', repository: 'acme/releases', commit: 'main', path: 'a/b.yml' }
  const path = '/repos/acme/releases/contents/a%2Fb.yml?ref=main'

  it.each<[string, number, unknown, unknown]>([
    ['is its text', 200, { type: 'file', encoding: 'base64', content: 'w6QK' }, 'ä\n'],
    ['is null where there is none', 404, { message: 'Not Found' }, null],
    ['is null where a directory is', 200, [], null],
    ['is null where a submodule is', 200, { type: 'submodule' }, null],
    ['is unreadable when it is too large', 200, { type: 'file', encoding: 'none', content: '' }, 'unreadable'],
    ['is unreadable when GitHub has trouble', 503, {}, 'unreadable'],
  ])('%s', async (_, status, body, text) => {
    github()
      .get(path)
      .reply(status, body as never)
    expect(await facts(query)).toEqual({ kind: 'file', text })
  })
})

describe('the pull requests that brought a commit in', () => {
  const sha = 'a'.repeat(40)
  const query: GitHubQuery = { kind: 'merged-pulls', repository: 'acme/releases', commit: sha, path: 'a.yml' }
  const touching = 'b'.repeat(40)
  const path = `/repos/acme/releases/commits/${touching}/pulls`
  /** What came on top of the change says nothing about it. */
  const lastTouched = () =>
    github()
      .get(`/repos/acme/releases/commits?sha=${sha}&path=a.yml&per_page=1`)
      .reply(200, [{ sha: touching }])
  const pull = (number: number, more: object = {}) => ({
    number,
    merged_at: '2026-11-20T10:00:00Z',
    user: { login: 'bob', id: 7 },
    head: { sha: 'f'.repeat(40) },
    base: { ref: 'main', repo: { default_branch: 'main' } },
    ...more,
  })
  const reviews = (number: number, ...given: [number, string, string][]) =>
    github()
      .get(`/repos/acme/releases/pulls/${number}/reviews?per_page=100`)
      .reply(
        200,
        given.map(([user, state, commit], index) => ({
          id: index,
          user: { login: `p${user}`, id: user, type: 'User' },
          state,
          commit_id: commit.repeat(40),
        })),
      )

  it('name who approved what was merged: not its author, not an older commit, not who took it back', async () => {
    lastTouched()
    github()
      .get(path)
      .reply(200, [pull(5)])
    reviews(
      5,
      [1, 'APPROVED', 'f'],
      [2, 'APPROVED', 'e'],
      [3, 'APPROVED', 'f'],
      [3, 'CHANGES_REQUESTED', 'f'],
      [4, 'APPROVED', 'f'],
      [4, 'COMMENTED', 'f'],
      [5, 'APPROVED', 'f'],
      [5, 'DISMISSED', 'f'],
      [7, 'APPROVED', 'f'],
    )
    expect(await facts(query)).toEqual({
      kind: 'merged-pulls',
      pulls: [
        {
          number: 5,
          head: 'f'.repeat(40),
          approvers: [
            { login: 'p1', id: 1 },
            { login: 'p4', id: 4 },
          ],
        },
      ],
    })
  })

  it.each([
    ['is open', { merged_at: null }],
    ['went into another branch', { base: { ref: 'side', repo: { default_branch: 'main' } } }],
  ])('are none when the one that names it %s', async (_, more) => {
    lastTouched()
    github()
      .get(path)
      .reply(200, [pull(5, more)])
    expect(await facts(query)).toEqual({ kind: 'merged-pulls', pulls: [] })
  })

  it('are unreadable when their reviews are', async () => {
    lastTouched()
    github()
      .get(path)
      .reply(200, [pull(5)])
    github().get('/repos/acme/releases/pulls/5/reviews?per_page=100').reply(500, {})
    expect(await facts(query)).toEqual({ kind: 'merged-pulls', pulls: 'unreadable' })
  })
})

describe('what the App may do in a repository', () => {
  const query: GitHubQuery = { kind: 'app-access', repository: 'acme/platform' }
  const installation = () => github().get('/repos/acme/platform/installation')

  it.each([
    ['writes contents', 200, { permissions: { contents: 'write' }, suspended_at: null }, 'write'],
    ['reads contents', 200, { permissions: { contents: 'read' }, suspended_at: null }, 'read'],
    ['has other permissions', 200, { permissions: { issues: 'write' }, suspended_at: null }, 'none'],
    [
      'is suspended',
      200,
      { permissions: { contents: 'write' }, suspended_at: '2026-11-20T10:00:00Z' },
      'not-installed',
    ],
    ['is not installed', 404, { message: 'Not Found' }, 'not-installed'],
    ['is not told', 502, { message: 'Bad gateway' }, 'unreadable'],
  ])('where it %s', async (_, status, body, contents) => {
    installation().reply(status, body)
    expect(await facts(query)).toEqual({ kind: 'app-access', contents })
  })
})

describe('the tags that begin so', () => {
  const [commit, object, inner] = ['a', 'b', 'c'].map((letter) => letter.repeat(40))
  const query: GitHubQuery = { kind: 'tags', repository: 'acme/platform', prefix: 'api/v1.3.0' }
  const matching = () => github().get(`/repos/acme/platform/git/matching-refs/${encodeURIComponent('tags/api/v1.3.0')}`)
  const tag = (sha: string | undefined, type: string, to: string | undefined) =>
    github()
      .get(`/repos/acme/platform/git/tags/${sha}`)
      .reply(200, { object: { type, sha: to } })

  it('are read to the last page, where GitHub tells them in pages', async () => {
    const one = (number: number) => ({
      ref: `refs/tags/api/v1.3.0-rc.${number}`,
      object: { type: 'commit', sha: commit },
    })
    matching().reply(200, [one(1)], linkTo('/page-2'))
    github()
      .get('/page-2')
      .reply(200, [one(2)])
    expect(await facts(query)).toMatchObject({ tags: [{ name: 'api/v1.3.0-rc.1' }, { name: 'api/v1.3.0-rc.2' }] })
  })

  it('are told with the commits behind them, however they lead there', async () => {
    matching().reply(200, [
      { ref: 'refs/tags/api/v1.3.0-rc.1', object: { type: 'commit', sha: commit } },
      { ref: 'refs/tags/api/v1.3.0-rc.2', object: { type: 'tag', sha: object } },
    ])
    tag(object, 'tag', inner)
    tag(inner, 'commit', commit)
    const tags = [1, 2].map((number) => ({ name: `api/v1.3.0-rc.${number}`, sha: commit }))
    expect(await facts(query)).toEqual({ kind: 'tags', tags })
  })

  it.each([
    ['GitHub has trouble', 502, { message: 'Bad gateway' }],
    [
      'there are more than one release can have',
      200,
      Array.from({ length: 201 }, (_, n) => ({
        ref: `refs/tags/api/v1.3.0-rc.${n}`,
        object: { type: 'commit', sha: commit },
      })),
    ],
  ])('cannot be read where %s', async (_, status, body) => {
    matching().reply(status, body)
    expect(await facts(query)).toEqual({ kind: 'tags', tags: 'unreadable' })
    expect(logged).toEqual(['the tags of acme/platform'])
  })
})

import { describe, expect, it } from '@jest/globals'
import { notesOutlet } from '../../src/github/release-notes.ts'
import { marker, type NotedProduct } from '../../src/render/output.ts'
import { app, failure, github, output, useNock } from './stage.ts'

useNock()

const SHA = 'a'.repeat(40)
const list = '/repos/acme/releases/issues/12/comments'
const api: NotedProduct = {
  ...{ product: 'api', version: '1.0.0', sha: SHA },
  from: {
    repository: 'acme/platform',
    source: {
      ...{ tagPattern: 'v{version}', scheme: 'semver', bump: { preset: 'ringmaster' } },
      ...{ path: null, exclude: [], otherPaths: [] },
      notes: { internalScopes: ['vault'] },
    },
  },
}
const MESSAGES = [
  'feat: told to everybody (#7)\n\nCloses #3',
  'feat(vault)!: a secret door',
  'chore: sweep the floor',
  'fix!: break a promise\n\nBREAKING CHANGE: keep it no more @ann',
]

const isA = (repository: string, visibility: string) =>
  github()
    .get(`/repos/acme/${repository}`)
    .reply(200, { visibility, private: visibility === 'private', html_url: `https://github.test/acme/${repository}` })

/** No release was before, so every commit counts. */
function hasCommits(): void {
  github().get('/repos/acme/platform/git/matching-refs/tags%2Fv').reply(200, [])
  github()
    .get('/repos/acme/platform/commits')
    .query(true)
    .reply(
      200,
      MESSAGES.map((message, index) => ({ sha: `${index}`.repeat(40), commit: { message } })),
    )
}

/** What is said on the issue. */
function says(): { body: string } {
  const said = { body: '' }
  github().get(`${list}?per_page=100`).reply(200, [])
  github()
    .post(list, ({ body }) => {
      said.body = body
      return true
    })
    .reply(201, { id: 9, created_at: '2026-11-20T12:00:00Z' })
  github().get(list).query(true).reply(200, [])
  return said
}

const tell = (...products: readonly NotedProduct[]) =>
  notesOutlet(app, () => '2026-11-20T12:00:00Z')(
    output('notes', { key: 'r12/notes', issue: 12, products, asked: 1 }),
    null,
  )

describe('the notes of a release', () => {
  it('tell the team everything, and below it customers what they may read', async () => {
    isA('releases', 'private')
    isA('platform', 'private')
    hasCommits()
    const said = says()
    expect(await tell(api)).toMatchObject({ remote: '9' })
    const [team = '', customers = ''] = said.body.split('<details>')
    expect(team).toContain('a secret door')
    expect(team).toContain('sweep the floor')
    expect(team).toContain('([#7](https://github.test/acme/platform/pull/7), closes')
    expect(customers).toContain('- told to everybody\n')
    expect(customers).toContain('- **api** break a promise: keep it no more @\u200bann')
    expect(customers).not.toMatch(/secret|vault|sweep|#7|#3|github\.test|0000000/)
    expect(said.body.endsWith(marker('r12/notes'))).toBe(true)
  })

  it.each([
    ['public', 'public', /told to everybody/],
    ['public', 'private', /`api@1\.0\.0`: others than the team may read this issue/],
    ['internal', 'internal', /others than the team may read/],
  ])('leak nothing where others read the issue: %s, of a repository that is %s', async (releases, platform, told) => {
    isA('releases', releases)
    isA('platform', platform)
    if (platform === 'public') hasCommits()
    const said = says()
    await tell(api)
    expect(said.body).toMatch(told)
    expect(said.body).not.toMatch(/secret|vault|sweep|#7|github\.test|details/)
  })

  it('say which commits could not be read, and tell the others', async () => {
    isA('releases', 'private')
    github().get('/repos/acme/gone').reply(404, { message: 'Not Found' })
    isA('platform', 'private')
    hasCommits()
    const said = says()
    const gone = { ...api, product: 'gone', from: api.from && { ...api.from, repository: 'acme/gone' } }
    await tell(gone, { ...api, product: 'unknown', from: null }, api)
    expect(said.body).toContain('`gone@1.0.0`: its commits could not be read')
    expect(said.body).toContain('`unknown@1.0.0`: the configuration that the release was opened under')
    expect(said.body).toContain('told to everybody')
  })

  it('are told later where GitHub has trouble', async () => {
    isA('releases', 'private')
    github().get('/repos/acme/platform').reply(502, { message: 'Bad Gateway' })
    expect((await failure(tell(api))).code).toBe('github-failed')
  })
})

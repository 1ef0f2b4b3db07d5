import { describe, expect, it } from '@jest/globals'
import type { Cut } from '../../src/core/product/cut-schema.ts'
import { cutOutlet } from '../../src/github/cuts.ts'
import { app, failure, github, output, useNock } from './stage.ts'

useNock()

const repo = '/repos/acme/platform'
const [SHA, OTHER, OBJECT, THEIRS] = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(40)) as [
  string,
  string,
  string,
  string,
]
const url = 'https://github.test/acme/platform/releases/tag/v1.2.0'

const cut: Cut = {
  id: '700-0',
  product: 'api',
  version: '1.2.0',
  from: '1.2.0-rc.1',
  sha: SHA,
  repository: { id: 78, fullName: 'acme/platform' },
  tag: 'v1.2.0',
  branch: 'release/v1.2.0',
  release: { prerelease: false, generatedNotes: true },
  issue: 12,
}
const outlet = cutOutlet(app, () => '2026-11-20T10:00:00Z')
const make = (more: Partial<Cut> = {}) => outlet(output('cut', { cut: { ...cut, ...more } }))
const settled = (outcome: object) => ({
  remote: 'url' in outcome ? outcome.url : null,
  observed: [expect.objectContaining({ kind: 'cut-settled', product: 'api', cut: '700-0', outcome })],
})
const made = (more: object = {}) => settled({ kind: 'made', branchHead: SHA, url, ...more })

const name = (ref: string) => `${repo}/git/ref/${encodeURIComponent(ref)}`
const ref = (full: string, sha: string | null, type = 'commit') =>
  sha === null
    ? github().get(name(full)).reply(404, { message: 'Not Found' })
    : github()
        .get(name(full))
        .reply(200, { ref: `refs/${full}`, object: { type, sha } })
const annotated = (sha: string) => {
  ref('tags/v1.2.0', OBJECT, 'tag')
  github()
    .get(`${repo}/git/tags/${OBJECT}`)
    .reply(200, { object: { type: 'commit', sha } })
}
const taggedNow = (status = 201, message = 'Reference already exists') => {
  github()
    .post(`${repo}/git/tags`, { tag: 'v1.2.0', message: 'api 1.2.0', object: SHA, type: 'commit' })
    .reply(201, { sha: OBJECT })
  github().post(`${repo}/git/refs`, { ref: 'refs/tags/v1.2.0', sha: OBJECT }).reply(status, { message })
}
const branchedNow = (status = 201) =>
  github()
    .post(`${repo}/git/refs`, { ref: 'refs/heads/release/v1.2.0', sha: SHA })
    .reply(status, { message: 'Reference already exists' })
const published = (status: number, answer: object = { html_url: url }) =>
  github().get(`${repo}/releases/tags/v1.2.0`).reply(status, answer)
const publishedNow = (status = 201, answer: object = { html_url: url }) =>
  github()
    .post(`${repo}/releases`, {
      tag_name: 'v1.2.0',
      name: 'v1.2.0',
      body: '',
      prerelease: false,
      generate_release_notes: true,
      make_latest: 'legacy',
    })
    .reply(status, answer)

describe('a cut', () => {
  it('is made of an annotated tag, its branch and its GitHub Release', async () => {
    ref('tags/v1.2.0', null)
    taggedNow()
    ref('heads/release/v1.2.0', null)
    branchedNow()
    published(404)
    publishedNow()
    expect(await make()).toEqual(made())
  })

  it('is made once: what stands is only looked at', async () => {
    annotated(SHA)
    ref('heads/release/v1.2.0', SHA)
    published(200)
    expect(await make()).toEqual(made())
  })

  it.each([
    ['the tag', null],
    ['the branch', SHA],
  ])('goes on behind %s where it was cut off there', async (_, head) => {
    annotated(SHA)
    ref('heads/release/v1.2.0', head)
    if (head === null) branchedNow()
    published(404)
    publishedNow()
    expect(await make()).toEqual(made())
  })

  it('takes what somebody else made meanwhile', async () => {
    ref('tags/v1.2.0', null)
    taggedNow(422)
    ref('tags/v1.2.0', THEIRS, 'tag')
    github()
      .get(`${repo}/git/tags/${THEIRS}`)
      .reply(200, { object: { type: 'commit', sha: SHA } })
    ref('heads/release/v1.2.0', null)
    branchedNow(422)
    ref('heads/release/v1.2.0', OTHER)
    published(200)
    expect(await make()).toEqual(made({ branchHead: OTHER }))
  })

  it('takes the GitHub Release that somebody else published meanwhile', async () => {
    annotated(SHA)
    ref('heads/release/v1.2.0', SHA)
    published(404)
    publishedNow(422, { message: 'Validation Failed', errors: [{ code: 'already_exists' }] })
    published(200)
    expect(await make()).toEqual(made())
  })

  it.each<[string, () => void]>([
    [
      'its tag',
      () => {
        ref('tags/v1.2.0', null)
        taggedNow(422)
        ref('tags/v1.2.0', null)
      },
    ],
    [
      'its branch',
      () => {
        annotated(SHA)
        ref('heads/release/v1.2.0', null)
        branchedNow(422)
        ref('heads/release/v1.2.0', null)
      },
    ],
    [
      'its GitHub Release',
      () => {
        annotated(SHA)
        ref('heads/release/v1.2.0', SHA)
        published(404)
        publishedNow(422, { message: 'Validation Failed', errors: [{ code: 'already_exists', field: 'tag_name' }] })
        published(404)
      },
    ],
  ])('is tried again where GitHub says that %s exists already, and does not show it yet', async (_, lagging) => {
    lagging()
    expect(await failure(make())).toMatchObject({
      code: 'github-failed',
      message: expect.stringMatching(/there already/),
    })
  })

  it.each([
    ['annotated tag', () => annotated(OTHER)],
    ['plain tag', () => ref('tags/v1.2.0', OTHER)],
  ])('is refused for an %s at another commit, and nothing is made behind it', async (_, standing) => {
    standing()
    const refused = { kind: 'refused', code: 'tag-elsewhere', message: expect.stringContaining(OTHER) }
    expect(await make()).toEqual(settled({ ...refused, hint: expect.stringContaining('next version') }))
  })

  it.each([
    ['GitHub takes no such tag', 422, 'Object does not exist', 'github-conflict'],
    ['the permission is gone', 403, 'Resource not accessible by integration', 'github-refused'],
  ])('is refused in the words of GitHub where %s', async (_, status, message, code) => {
    ref('tags/v1.2.0', null)
    github().post(`${repo}/git/tags`).reply(status, { message })
    expect(await make()).toEqual(
      settled({ kind: 'refused', code, message: expect.stringContaining(message), hint: expect.any(String) }),
    )
  })

  it('is refused where a rule forbids the name of its tag', async () => {
    const message = 'Repository rule violations found'
    ref('tags/v1.2.0', null)
    taggedNow(422, message)
    ref('tags/v1.2.0', null)
    const refused = { kind: 'refused', code: 'github-conflict', hint: expect.any(String) }
    expect(await make()).toEqual(settled({ ...refused, message: expect.stringContaining(message) }))
  })

  it.each([
    ['has trouble', 502, 'Bad gateway', 'github-failed'],
    ['is at its limit', 403, 'You have exceeded a secondary rate limit', 'github-limited'],
    ['does not take the token', 401, 'Bad credentials', 'github-refused'],
  ])('is tried again where GitHub %s', async (_, status, message, code) => {
    annotated(SHA)
    github().get(name('heads/release/v1.2.0')).reply(status, { message })
    expect(await failure(make())).toMatchObject({ code })
  })

  it('of a candidate is a tag and a GitHub Release that is none of the latest', async () => {
    ref('tags/v1.2.0', SHA)
    published(404)
    github()
      .post(`${repo}/releases`, (sent) => sent.prerelease === true && sent.make_latest === 'false')
      .reply(201, { html_url: url })
    const candidate = { branch: null, release: { prerelease: true, generatedNotes: false } }
    expect(await make(candidate)).toEqual(made({ branchHead: null }))
  })

  it('of a line is its branch alone', async () => {
    ref('heads/release/v1.2.0', null)
    branchedNow()
    expect(await make({ tag: null, release: null })).toEqual(made({ url: null }))
  })
})

describe('the pull request of a cut', () => {
  const branch = 'ringmaster/version-api'
  const holding = (sha: string, version: string) =>
    github()
      .get(`${repo}/contents/package.json`)
      .query({ ref: sha })
      .reply(200, {
        ...{ type: 'file', encoding: 'base64' },
        content: Buffer.from(`{ "version": "${version}" }\n`).toString('base64'),
      })
  const listed = (found: readonly object[]) => github().get(`${repo}/pulls`).query(true).reply(200, found)
  const propose = (message: string) => {
    github().get(repo).reply(200, { default_branch: 'main' })
    ref('heads/main', SHA)
    holding(SHA, '1.1.0')
    ref(`heads/${branch}`, OTHER)
    holding(OTHER, '1.2.0')
    listed([])
    github()
      .post(`${repo}/pulls`)
      .reply(422, { message: 'Validation Failed', errors: [{ code: 'custom', message }] })
    const versionFiles = { branch, named: ['package.json'], folder: null }
    return () => make({ tag: null, branch: null, release: null, versionFiles })
  }
  const there = `A pull request already exists for acme:${branch}.`

  it('is the one that a list did not show at first', async () => {
    const made = propose(there)
    listed([{ html_url: url }])
    expect(await made()).toMatchObject({ remote: url })
  })

  it('is tried again where GitHub says that it exists already, and lists none yet', async () => {
    const made = propose(there)
    listed([])
    expect(await failure(made())).toMatchObject({ code: 'github-failed' })
  })

  it('is refused in the words of GitHub where it takes none', async () => {
    const made = propose(`No commits between main and ${branch}`)
    listed([])
    expect(await made()).toMatchObject({ observed: [{ outcome: { kind: 'refused', code: 'github-conflict' } }] })
  })
})

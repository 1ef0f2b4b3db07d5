import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { type Sandbox, startSandbox } from './sandbox.ts'
import { acme } from './seeds.ts'
import { refusal } from './testing.ts'

const repo = { owner: 'acme', repo: 'app' }
let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await startSandbox({ seed: acme })
})
afterAll(() => sandbox.stop())
afterEach(() => {
  expect(sandbox.violations.splice(0)).toEqual([])
})

const app = () => sandbox.app('ringmaster').octokit('acme').rest
const publish = (text: string) =>
  sandbox
    .repository('acme/app')
    .commit({ message: 'publish', branch: 'site', author: 'ann', files: { 'cohorts/1.json': text } })

describe('Pages', () => {
  it('serves the branch as github.io does', async () => {
    await publish('{"n":1}')
    expect(await refusal(app().repos.getPages(repo))).toBe('404 Not Found')
    const { data } = await app().repos.createPagesSite({ ...repo, source: { branch: 'site', path: '/' } })
    const url = `${data.html_url}cohorts/1.json`
    const first = await fetch(url)
    expect(await first.json()).toEqual({ n: 1 })
    expect(Object.fromEntries(first.headers)).toMatchObject({
      'cache-control': 'max-age=600',
      'access-control-allow-origin': '*',
      'content-type': 'application/json; charset=utf-8',
    })
    expect((await fetch(url, { headers: { 'if-none-match': first.headers.get('etag') ?? '' } })).status).toBe(304)
    await publish('{"n":2}')
    expect(await (await fetch(url)).json()).toEqual({ n: 2 })
    expect((await fetch(`${data.html_url}none.json`)).status).toBe(404)
    expect((await fetch(`${data.html_url}..%2f..%2fetc%2fpasswd`)).status).toBe(404)
  })

  it('does not build what a run pushed with its own token, nor a build that is lost', async () => {
    const url = `${(await app().repos.getPages(repo)).data.html_url}cohorts/1.json`
    sandbox.faults.add({ kind: 'lost-pages-build' })
    await publish('{"n":3}')
    expect(await (await fetch(url)).json()).toEqual({ n: 2 })
    await publish('{"n":4}')
    expect(await (await fetch(url)).json()).toEqual({ n: 4 })
    const { world } = sandbox
    const repository = [...world.store.repositories.values()].find(({ name }) => name === 'app')
    if (!repository) throw new Error('no repository')
    const token = world.mintActionsToken(repository, new Map([['contents', 'write']]), 1)
    const sha = (await app().repos.getContent({ ...repo, path: 'cohorts/1.json', ref: 'site' })).data as { sha: string }
    const body = JSON.stringify({
      message: 'x',
      branch: 'site',
      sha: sha.sha,
      content: Buffer.from('{"n":5}').toString('base64'),
    })
    const written = await fetch(`${sandbox.origin}/repos/acme/app/contents/cohorts/1.json`, {
      method: 'PUT',
      headers: { authorization: `bearer ${token}` },
      body,
    })
    expect(written.status).toBe(200)
    expect(await (await fetch(url)).json()).toEqual({ n: 4 })
  })

  it('refuses a branch that is not there, and a second site', async () => {
    expect(
      await refusal(app().repos.createPagesSite({ owner: 'acme', repo: 'open', source: { branch: 'none' } })),
    ).toMatch(/^422 The none branch must exist/)
    expect(await refusal(app().repos.createPagesSite({ ...repo, source: { branch: 'site' } }))).toMatch(/^409/)
  })
})

describe('releases', () => {
  it('make their tag, show drafts to writers only, and keep assets', async () => {
    const { data: draft } = await app().repos.createRelease({ ...repo, tag_name: 'v2.0.0', name: 'Two', draft: true })
    expect((await sandbox.as('eve').octokit.rest.repos.listReleases(repo)).data).toEqual([])
    expect(await sandbox.repository('acme/app').head('refs/tags/v2.0.0')).toBeUndefined()
    const asset = await sandbox
      .as('bob')
      .octokit.request(`POST ${draft.upload_url.replace('{?name,label}', '?name=log.ndjson')}`, {
        headers: { 'content-type': 'text/plain' },
        data: 'a log',
      })
    expect(asset.data).toMatchObject({ name: 'log.ndjson', size: 5, content_type: 'text/plain' })
    await app().repos.updateRelease({ ...repo, release_id: draft.id, draft: false })
    expect((await app().repos.getLatestRelease(repo)).data).toMatchObject({
      tag_name: 'v2.0.0',
      assets: [{ name: 'log.ndjson' }],
    })
    expect(await sandbox.repository('acme/app').head('v2.0.0')).toBe(await sandbox.repository('acme/app').head())
    const raw = await app().repos.getReleaseAsset({
      ...repo,
      asset_id: asset.data.id,
      headers: { accept: 'application/octet-stream' },
    })
    expect(Buffer.from(raw.data as unknown as ArrayBuffer).toString()).toBe('a log')
    expect(await refusal(app().repos.createRelease({ ...repo, tag_name: 'v2.0.0' }))).toMatch(/^422 .*already_exists/)
    expect(await refusal(app().repos.createRelease({ ...repo, tag_name: 'v..3' }))).toMatch(/^422 .*tag_name/)
    expect((await app().repos.getReleaseByTag({ ...repo, tag: 'v2.0.0' })).data.id).toBe(draft.id)
    await app().repos.deleteRelease({ ...repo, release_id: draft.id })
    expect(await refusal(app().repos.getLatestRelease(repo))).toBe('404 Not Found')
  })
})

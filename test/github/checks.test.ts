import { describe, expect, it } from '@jest/globals'
import { sha256 } from '../../src/core/json.ts'
import { checkRunOutlet } from '../../src/github/checks.ts'
import { APP_ID, app, failure, github, linkTo, output, useNock } from './stage.ts'

useNock()

const AT = '2026-11-20T10:00:00Z'
const sha = 'a'.repeat(40)
const runs = '/repos/acme/releases/check-runs'
const list = `/repos/acme/releases/commits/${sha}/check-runs`
const query = { check_name: 'ringmaster/sign-off', filter: 'all', per_page: 100 }
const apply = checkRunOutlet(app, () => AT)
const externalId = sha256('r12/signoff')
const check = (conclusion: 'success' | null) =>
  output('check-run', {
    key: 'r12/signoff',
    sha,
    name: 'ringmaster/sign-off',
    status: conclusion === null ? 'in_progress' : 'completed',
    conclusion,
    title: 'Signed off',
    annotations: [],
    summary: 'by eve',
  })
const content = { status: 'completed', conclusion: 'success', output: { title: 'Signed off', summary: 'by eve' } }

describe('our check run', () => {
  it('is created where there is none', async () => {
    github().get(list).query(query).reply(200, { total_count: 0, check_runs: [] })
    github()
      .post(runs, { name: 'ringmaster/sign-off', head_sha: sha, external_id: externalId, ...content })
      .reply(201, { id: 9 })
    expect(await apply(check('success'))).toEqual({ remote: '9' })
  })

  it('is running while nothing is concluded', async () => {
    github().get(list).query(query).reply(200, { total_count: 0, check_runs: [] })
    github()
      .post(runs, (body) => body.status === 'in_progress' && !('conclusion' in body))
      .reply(201, { id: 9 })
    expect(await apply(check(null))).toEqual({ remote: '9' })
  })

  it('is updated where it is, on a later page and behind those of others with its name', async () => {
    const other = { id: 1, external_id: externalId, app: { id: 666 } }
    const nobodys = { id: 2, external_id: externalId, app: null }
    const foreign = { id: 3, external_id: 'else', app: { id: APP_ID } }
    github()
      .get(list)
      .query(query)
      .reply(200, { total_count: 4, check_runs: [other, nobodys, foreign] }, linkTo('/page-2'))
    github()
      .get('/page-2')
      .reply(200, { total_count: 4, check_runs: [{ id: 4, external_id: externalId, app: { id: APP_ID } }] })
    github().patch(`${runs}/4`, content).reply(200, { id: 4 })
    expect(await apply(check('success'))).toEqual({ remote: '4' })
  })

  it('is the newest, which GitHub shows, where several processes created it at once; the others end as superseded', async () => {
    const ours = [6, 7, 5].map((id) => ({
      id,
      status: id === 5 ? 'completed' : 'in_progress',
      external_id: externalId,
      app: { id: APP_ID },
    }))
    github().get(list).query(query).reply(200, { total_count: 3, check_runs: ours })
    github().patch(`${runs}/7`, content).reply(200, { id: 7 })
    github()
      .patch(`${runs}/6`, (body) => body.status === 'completed' && body.conclusion === 'neutral')
      .reply(200, { id: 6 })
    expect(await apply(check('success'))).toEqual({ remote: '7' })
  })

  it('is not taken from another App that uses its name', async () => {
    const other = { id: 1, external_id: externalId, app: { id: 666 } }
    github()
      .get(list)
      .query(query)
      .reply(200, { total_count: 1, check_runs: [other] })
    github().post(runs).reply(201, { id: 5 })
    expect(await apply(check('success'))).toEqual({ remote: '5' })
  })

  it('says when the permission is missing', async () => {
    github().get(list).query(query).reply(403, { message: 'Resource not accessible by integration' })
    expect(await failure(apply(check('success')))).toMatchObject({ code: 'github-refused' })
  })
})

describe('a check run that has an alarm in its place', () => {
  const otherwise = { alarm: 'refusals/77', code: 'refusals-unseen', message: 'expected one, found none' }
  const condition = { kind: 'condition-seen', ...otherwise, at: AT, actor: null, source: { kind: 'reconciler' } }
  const refused = { ...check(null), otherwise }

  it('ends the alarm when it is taken', async () => {
    github().get(list).query(query).reply(200, { total_count: 0, check_runs: [] })
    github().post(runs).reply(201, { id: 9 })
    expect(await apply(refused)).toEqual({ remote: '9', observed: [{ ...condition, holds: false }] })
  })

  it.each([
    [403, 'Resource not accessible by integration'],
    [404, 'Not Found'],
    [422, 'No commit found for SHA'],
  ])('raises it where GitHub answers %s', async (status, message) => {
    github().get(list).query(query).reply(status, { message })
    expect(await apply(refused)).toEqual({ remote: null, observed: [{ ...condition, holds: true }] })
  })

  it.each([
    [502, 'bad gateway', 'github-failed'],
    [403, 'You have exceeded a secondary rate limit', 'github-limited'],
  ])('is tried again where GitHub answers %s %s', async (status, message, code) => {
    github().get(list).query(query).reply(status, { message })
    expect(await failure(apply(refused))).toMatchObject({ code })
  })
})

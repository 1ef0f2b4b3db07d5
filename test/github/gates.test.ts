import { describe, expect, it } from '@jest/globals'
import { sha256 } from '../../src/core/json.ts'
import { gateOutlet } from '../../src/github/gates.ts'
import { marker } from '../../src/render/output.ts'
import { app, BOT, failure, github, output, useNock } from './stage.ts'

useNock()

const run = '/repos/acme/releases/actions/runs/600'
const rule = `${run}/deployment_protection_rule`
const key = 'gate/77/600/production/1300/answer'
const markOf = (of: string) => marker(`gate/${sha256(of).slice(7, 31)}`)
const apply = gateOutlet(app)
const answer = (state: 'approved' | 'rejected' | null, comment = 'Approved.') =>
  output('gate-answer', { key, runId: 600, environment: 'production', state, comment })
const given = (comment: string, login = BOT) => ({ state: 'approved', comment, user: { login }, environments: [] })

describe('an answer to a waiting job', () => {
  it.each(['approved', 'rejected'] as const)('%s goes out with its marker', async (state) => {
    github().get(`${run}/approvals`).reply(200, [])
    github()
      .post(rule, { environment_name: 'production', state, comment: `Approved.\n\n${markOf(key)}` })
      .reply(204)
    expect(await apply(answer(state))).toEqual({ remote: null })
  })

  it('without a decision is a status report', async () => {
    github().get(`${run}/approvals`).reply(200, [])
    github()
      .post(rule, (body) => body.environment_name === 'production' && !('state' in body))
      .reply(204)
    expect(await apply(answer(null))).toEqual({ remote: null })
  })

  it('that was given already is not given again', async () => {
    github()
      .get(`${run}/approvals`)
      .reply(200, [given('ok'), given(`Before\n\n${markOf(key)}`)])
    expect(await apply(answer('approved'))).toEqual({ remote: null })
  })

  it('is not held for given because a version bears its marker', async () => {
    const product = `Waiting: \`${markOf(key)}@1.0.0\`\n\n${markOf('another')}`
    github()
      .get(`${run}/approvals`)
      .reply(200, [given(product)])
    github().post(rule).reply(204)
    expect(await apply(answer('approved'))).toEqual({ remote: null })
  })

  it.each<[string, object]>([
    ['a reviewer', given(`Fine\n\n${markOf(key)}`, 'mallory')],
    ['a user who is gone', { ...given(markOf(key)), user: null }],
  ])('is not held for given because %s says so with its marker', async (_, review) => {
    github().get(`${run}/approvals`).reply(200, [review])
    github().post(rule).reply(204)
    expect(await apply(answer('approved'))).toEqual({ remote: null })
  })

  it.each([
    ['the job was decided by somebody else', 422, 'No pending deployment requests to approve or reject'],
    ['ten reports were given', 422, 'A deployment can have at most 10 status reports.'],
    ['the run is gone', 404, 'Not Found'],
  ])('is not tried again when %s', async (_, status, message) => {
    github().get(`${run}/approvals`).reply(200, [])
    github().post(rule).reply(status, { message })
    expect(await apply(answer('approved'))).toEqual({ remote: null })
  })

  it('is not tried again when the run was deleted, and is where its repository is not seen either', async () => {
    github().get(`${run}/approvals`).twice().reply(404, { message: 'Not Found' })
    github().get('/repos/acme/releases').reply(200, { id: 77 })
    expect(await apply(answer('approved'))).toEqual({ remote: null })
    github().get('/repos/acme/releases').reply(404, { message: 'Not Found' })
    expect(await failure(apply(answer('approved')))).toMatchObject({ code: 'github-not-found' })
  })

  it.each([
    [403, 'Resource not accessible by integration', 'github-refused'],
    [403, 'You have exceeded a secondary rate limit', 'github-limited'],
    [502, 'Server Error', 'github-failed'],
  ])('is tried again after %s %s', async (status, message, code) => {
    github().get(`${run}/approvals`).reply(200, [])
    github().post(rule).reply(status, { message })
    expect(await failure(apply(answer('approved')))).toMatchObject({ code })
  })

  it('keeps to 1,024 characters with its marker whole and no character cut in two', async () => {
    let comment = ''
    github().get(`${run}/approvals`).reply(200, [])
    github()
      .post(rule, (body) => {
        comment = body.comment
        return true
      })
      .reply(204)
    await apply(answer('approved', '👩‍🚀'.repeat(1_000)))
    expect(comment.length).toBeLessThanOrEqual(1_024)
    expect(comment.endsWith(markOf(key))).toBe(true)
    expect(comment).not.toMatch(/\p{Cs}/u)
  })
})

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
/** Whoever makes one looks once more, when lists show what a process made that was killed. */
const lookInMs = 60_000
const outlet = checkRunOutlet(app, () => AT)
const apply = (wanted: Parameters<typeof outlet>[0], remote: string | null = null, isLook = false) =>
  outlet(wanted, remote, isLook)
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
  const own = (id: number, status = 'in_progress', output = {}) => ({
    id,
    status,
    conclusion: status === 'completed' ? 'success' : null,
    external_id: externalId,
    app: { id: APP_ID },
    output: { title: 'Signed off', summary: 'by eve', text: null, annotations_count: 0, ...output },
  })
  const listing = (...shown: readonly object[]) =>
    github().get(list).query(query).reply(200, { total_count: shown.length, check_runs: shown })
  const ended = (body: { readonly conclusion?: string }) => body.conclusion === 'neutral'

  it('is created where there is none', async () => {
    github().get(list).query(query).twice().reply(200, { total_count: 0, check_runs: [] })
    github()
      .post(runs, { name: 'ringmaster/sign-off', head_sha: sha, external_id: externalId, ...content })
      .reply(201, { id: 9 })
    expect(await apply(check('success'))).toEqual({ remote: '9', lookInMs })
  })

  it('is running while nothing is concluded', async () => {
    github().get(list).query(query).twice().reply(200, { total_count: 0, check_runs: [] })
    github()
      .post(runs, (body) => body.status === 'in_progress' && !('conclusion' in body))
      .reply(201, { id: 9 })
    expect(await apply(check(null))).toEqual({ remote: '9', lookInMs })
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
      .reply(200, { total_count: 4, check_runs: [own(4)] })
    github().patch(`${runs}/4`, content).reply(200, { id: 4 })
    expect(await apply(check('success'))).toEqual({ remote: '4' })
  })

  it('is the newest, which GitHub shows, where several processes created it at once; the others end as superseded', async () => {
    const over = { ...own(5, 'completed', { title: 'Superseded' }), conclusion: 'neutral' }
    listing(own(6), own(7), over, own(4, 'completed'))
    github().patch(`${runs}/7`, content).reply(200, own(7))
    for (const id of [6, 4])
      github()
        .patch(`${runs}/${id}`, (body) => body.status === 'completed' && ended(body))
        .reply(200, own(id))
    expect(await apply(check('success'))).toEqual({ remote: '7' })
  })

  it('is the one that the log names, where a list does not show it yet', async () => {
    listing()
    github().get(`${runs}/8`).reply(200, own(8))
    github().patch(`${runs}/8`, content).reply(200, own(8))
    expect(await apply(check('success'), '8')).toEqual({ remote: '8' })
  })

  it('is created again where the one that the log names is not ours, or gone', async () => {
    listing()
    github()
      .get(`${runs}/8`)
      .reply(200, { ...own(8), external_id: 'else' })
    github().post(runs).reply(201, own(9))
    listing(own(9))
    expect(await apply(check('success'), '8')).toEqual({ remote: '9', lookInMs })
    listing()
    github().get(`${runs}/8`).reply(404, { message: 'Not Found' })
    github().post(runs).reply(201, own(10))
    listing(own(10))
    expect(await apply(check('success'), '8')).toEqual({ remote: '10', lookInMs })
  })

  it('ends the older one where another process created one meanwhile: its own, or that of the other', async () => {
    listing()
    github().post(runs).reply(201, own(9))
    listing(own(8))
    github().patch(`${runs}/8`, ended).reply(200, own(8))
    expect(await apply(check(null))).toEqual({ remote: '9', lookInMs })
    listing()
    github().post(runs).reply(201, own(9))
    listing(own(10), own(9))
    github()
      .patch(`${runs}/10`, { ...content })
      .reply(200, own(10))
    github().patch(`${runs}/9`, ended).reply(200, own(9))
    expect(await apply(check('success'))).toEqual({ remote: '10', lookInMs })
  })

  it('is not created again while no list may show the one that may have been created', async () => {
    let now = AT
    const doubtful = checkRunOutlet(app, () => now)
    listing()
    github().post(runs).reply(502, { message: 'Server Error' })
    expect(await failure(doubtful(check('success'), null))).toMatchObject({ code: 'github-failed' })
    now = '2026-11-20T10:00:29Z'
    listing()
    expect(await failure(doubtful(check('success'), null))).toMatchObject({
      message: expect.stringMatching(/^could not create a check run: it may be done already/),
    })
    now = '2026-11-20T10:00:30Z'
    listing()
    github().post(runs).reply(201, own(9))
    listing(own(9))
    expect(await doubtful(check('success'), null)).toEqual({ remote: '9', lookInMs })
  })

  it('leaves one by the look after it was made, although another process, killed since, had made one unseen', async () => {
    listing()
    github().post(runs).reply(201, own(9, 'completed'))
    listing()
    expect(await apply(check('success'))).toEqual({ remote: '9', lookInMs })
    listing(own(9, 'completed'), own(8, 'completed'))
    github().patch(`${runs}/8`, ended).reply(200, own(8))
    expect(await apply(check('success'), '9', true)).toEqual({ remote: '9' })
  })

  it('is left alone by a look where it stands as it is wanted, whatever the log had come to', async () => {
    const anchored = (seq: number) => `by eve, log head \`${seq}:sha256:${'b'.repeat(64)}\`.`
    listing(own(8, 'completed', { summary: anchored(5) }))
    expect(await apply({ ...check('success'), summary: anchored(6) }, '8', true)).toEqual({ remote: '8' })
  })

  it.each([
    ['a status', own(8)],
    ['a conclusion', { ...own(8, 'completed'), conclusion: 'failure' }],
    ['a title', own(8, 'completed', { title: 'Missing: Engineering' })],
    ['a summary', own(8, 'completed', { summary: 'by ann' })],
    ['a text', own(8, 'completed', { text: '{}' })],
  ])('is set right by a look where %s of before came last', async (_, shown) => {
    listing(shown)
    github().patch(`${runs}/8`, content).reply(200, own(8, 'completed'))
    expect(await apply(check('success'), '8', true)).toEqual({ remote: '8' })
  })

  describe('with annotations, which GitHub adds to those that it has', () => {
    const annotations = [1, 2].map((line) => ({ path: 'a.yaml', line, message: 'no' }))
    const wanted = { ...check('success'), annotations }
    const shown = [1, 2].map((line) => ({
      ...{ path: 'a.yaml', start_line: line, end_line: line, annotation_level: 'failure', message: 'no' },
    }))

    it('is given them where it has none, and none again where it has them', async () => {
      listing(own(8))
      github()
        .patch(`${runs}/8`, { ...content, output: { ...content.output, annotations: shown } })
        .reply(200, own(8))
      expect(await apply(wanted, '8')).toEqual({ remote: '8' })
      listing(own(8, 'in_progress', { annotations_count: 2 }))
      github().patch(`${runs}/8`, content).reply(200, own(8))
      expect(await apply(wanted, '8')).toEqual({ remote: '8' })
    })

    it.each([1, 2, 4])('is left alone by a look where it has %s of them', async (count) => {
      listing(own(8, 'completed', { annotations_count: count }))
      expect(await apply(wanted, '8', true)).toEqual({ remote: '8' })
    })

    it('is given them by a look where it has none', async () => {
      listing(own(8, 'completed'))
      github()
        .patch(`${runs}/8`, (sent) => sent.output.annotations.length === 2)
        .reply(200, own(8, 'completed'))
      expect(await apply(wanted, '8', true)).toEqual({ remote: '8' })
    })

    it('is left alone by a look where none are wanted any more', async () => {
      listing(own(8, 'completed', { annotations_count: 2 }))
      expect(await apply(check('success'), '8', true)).toEqual({ remote: '8' })
    })
  })

  it('is written where something changed, whatever a list shows: it may be old', async () => {
    listing(own(8, 'completed'))
    github().patch(`${runs}/8`, content).reply(200, own(8, 'completed'))
    expect(await apply(check('success'), '8')).toEqual({ remote: '8' })
  })

  it('is not taken from another App that uses its name', async () => {
    const other = { id: 1, external_id: externalId, app: { id: 666 } }
    github()
      .get(list)
      .query(query)
      .twice()
      .reply(200, { total_count: 1, check_runs: [other] })
    github().post(runs).reply(201, { id: 5 })
    expect(await apply(check('success'))).toEqual({ remote: '5', lookInMs })
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
    github().get(list).query(query).twice().reply(200, { total_count: 0, check_runs: [] })
    github().post(runs).reply(201, { id: 9 })
    expect(await apply(refused)).toEqual({ remote: '9', lookInMs, observed: [{ ...condition, holds: false }] })
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

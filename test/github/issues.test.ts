import { describe, expect, it } from '@jest/globals'
import { alarmOutlet, labelOutlet } from '../../src/github/issues.ts'
import { marker } from '../../src/render/output.ts'
import { app, BOT, failure, github, linkTo, output, useNock } from './stage.ts'

useNock()

const issue = '/repos/acme/releases/issues/12'
const label = labelOutlet(app)
const draft = output('label', { key: 'r12/label', issue: 12, label: 'release:draft' })

describe('the label of a release', () => {
  it.each<[string, unknown[], string[], string[]]>([
    ['is added where there is none', [], ['release:draft'], []],
    [
      'takes the place of the one before',
      [{ name: 'release:in-progress' }, 'bug'],
      ['release:draft'],
      ['release:in-progress'],
    ],
    ['stays where it stands', ['release:draft', { name: 'help wanted' }], [], []],
    ['stays in the letters that the repository gave it', [{ name: 'Release:Draft' }], [], []],
    ['is the only one of its family', ['release:draft', 'Release:Done', { name: null }], [], ['Release:Done']],
  ])('%s', async (_, labels, added, removed) => {
    github().get(issue).reply(200, { labels })
    for (const name of added)
      github()
        .post(`${issue}/labels`, { labels: [name] })
        .reply(200, [])
    for (const name of removed)
      github()
        .delete(`${issue}/labels/${encodeURIComponent(name)}`)
        .reply(200, [])
    expect(await label(draft)).toEqual({ remote: null })
  })

  it('does not mind one that somebody removed meanwhile', async () => {
    github()
      .get(issue)
      .reply(200, { labels: ['release:draft', 'release:cancelled'] })
    github().delete(`${issue}/labels/release%3Acancelled`).reply(404, { message: 'Label does not exist' })
    expect(await label(draft)).toEqual({ remote: null })
  })

  it('is let be when the issue was moved out of sight, and tried again where its repository is not seen either', async () => {
    github().get(issue).twice().reply(404, { message: 'Not Found' })
    github().get('/repos/acme/releases').reply(200, { id: 77 })
    expect(await label(draft)).toEqual({ remote: null })
    github().get('/repos/acme/releases').reply(404, { message: 'Not Found' })
    expect(await failure(label(draft))).toMatchObject({ code: 'github-not-found' })
  })

  it('is let be when the issue was deleted', async () => {
    github().get(issue).reply(410, { message: 'This issue was deleted' })
    expect(await label(draft)).toEqual({ remote: null })
  })
})

describe('an alarm', () => {
  const AT = '2026-11-20T12:00:00Z'
  const raise = alarmOutlet(app, () => AT)
  const list = '/repos/acme/releases/issues'
  const query = { state: 'all', labels: 'ringmaster-alarm', per_page: 100 }
  const alarm = (isOpen: boolean) =>
    output('alarm', { key: 'alarm/ledger', title: 'Ringmaster alarm: ledger', body: 'It broke', isOpen })
  const body = `It broke\n\n${marker('alarm/ledger')}`
  const known = (number: number, more: object = {}) => ({ number, state: 'open', user: { login: BOT }, body, ...more })

  it('opens one issue', async () => {
    github().get(list).query(query).reply(200, [])
    github()
      .post(list, { title: 'Ringmaster alarm: ledger', body, labels: ['ringmaster-alarm'] })
      .reply(201, { number: 40 })
    github()
      .get(list)
      .query(query)
      .reply(200, [known(40)])
    expect(await raise(alarm(true))).toEqual({ remote: '40' })
  })

  it('is kept when another process opens it later at the same time, whose issue is closed', async () => {
    github().get(list).query(query).reply(200, [])
    github().post(list).reply(201, { number: 40 })
    github()
      .get(list)
      .query(query)
      .reply(200, [known(41), known(40)])
    github()
      .patch(`${list}/41`, { state: 'closed', state_reason: 'not_planned', body: 'Opened twice: see #40.' })
      .reply(200, {})
    expect(await raise(alarm(true))).toEqual({ remote: '40' })
  })

  it('is closed again without its marker when another process was first, whose issue is kept up to date', async () => {
    github().get(list).query(query).reply(200, [])
    github().post(list).reply(201, { number: 41 })
    github()
      .get(list)
      .query(query)
      .reply(200, [known(41), known(40, { body: `Before\n\n${marker('alarm/ledger')}` })])
    github()
      .patch(`${list}/41`, { state: 'closed', state_reason: 'not_planned', body: 'Opened twice: see #40.' })
      .reply(200, { number: 41 })
    github().patch(`${list}/40`, { state: 'open', body }).reply(200, { number: 40 })
    expect(await raise(alarm(true))).toEqual({ remote: '40' })
  })

  it('is found on a later page, among the forged ones of others', async () => {
    const forged = known(41, { user: { login: 'mallory' } })
    github()
      .get(list)
      .query(query)
      .reply(200, [forged, known(42, { body: null })], linkTo('/page-2'))
    github()
      .get('/page-2')
      .reply(200, [known(43)])
    expect(await raise(alarm(true))).toEqual({ remote: '43' })
  })

  it.each([
    ['opens again', known(43, { state: 'closed' }), true, 'open'],
    ['is closed', known(43), false, 'closed'],
    ['tells what is new', known(43, { body: `Before\n\n${marker('alarm/ledger')}` }), true, 'open'],
  ])('%s', async (_, issue, isOpen, state) => {
    github().get(list).query(query).reply(200, [issue])
    github().patch(`${list}/43`, { state, body }).reply(200, { number: 43 })
    expect(await raise(alarm(isOpen))).toEqual({ remote: '43' })
  })

  it.each([true, false])(
    'is neither opened again nor given up while no list may show it yet (holds: %s)',
    async (holds) => {
      let now = AT
      const doubtful = alarmOutlet(app, () => now)
      github().get(list).query(query).reply(200, [])
      github().post(list).reply(502, { message: 'Server Error' })
      expect(await failure(doubtful(alarm(true)))).toMatchObject({ code: 'github-failed' })
      now = '2026-11-20T12:00:29Z'
      github().get(list).query(query).reply(200, [])
      expect(await failure(doubtful(alarm(holds)))).toMatchObject({
        message: expect.stringMatching(/^could not open an alarm issue: it may be done already/),
      })
      now = '2026-11-20T12:00:31Z'
      github()
        .get(list)
        .query(query)
        .reply(200, [known(40)])
      if (!holds) github().patch(`${list}/40`, { state: 'closed', body }).reply(200, {})
      expect(await doubtful(alarm(holds))).toEqual({ remote: '40' })
    },
  )

  const unlisted = () => github().get(list).query(query).reply(200, [])
  const named = (more: object = {}) =>
    github()
      .get(`${list}/40`)
      .reply(200, known(40, { labels: ['bug'], ...more }))
  const labelled = () =>
    github()
      .post(`${list}/40/labels`, { labels: ['ringmaster-alarm'] })
      .reply(200, [])

  it('that the log names gets the label back that somebody took off', async () => {
    unlisted()
    named()
    labelled()
    expect(await raise(alarm(true), '40')).toEqual({ remote: '40' })
  })

  it('that the log names is closed when it ends, without its label too', async () => {
    unlisted()
    named()
    labelled()
    github().patch(`${list}/40`, { state: 'closed', body }).reply(200, {})
    expect(await raise(alarm(false), '40')).toEqual({ remote: '40' })
  })

  it('that the log names is left alone where it has its label and is not listed yet', async () => {
    unlisted()
    named({ labels: [{ name: 'Ringmaster-Alarm' }] })
    expect(await raise(alarm(true), '40')).toEqual({ remote: '40' })
  })

  it('that the log names goes on before one that was opened while it had no label', async () => {
    github()
      .get(list)
      .query(query)
      .reply(200, [known(41)])
    named()
    github()
      .patch(`${list}/41`, (patched) => patched.state === 'closed' && patched.body === 'Opened twice: see #40.')
      .reply(200, {})
    labelled()
    expect(await raise(alarm(true), '40')).toEqual({ remote: '40' })
  })

  it.each<[string, number, object]>([
    ['was deleted', 410, { message: 'This issue was deleted' }],
    ['was moved out of sight', 404, { message: 'Not Found' }],
    ['was moved elsewhere', 200, known(7, { labels: [] })],
    ['is somebody else’s', 200, known(40, { labels: [], user: { login: 'mallory' } })],
    ['has lost its marker', 200, known(40, { labels: [], body: 'Opened twice: see #39.' })],
  ])('opens another issue where the one that the log names %s', async (_, status, issue) => {
    unlisted()
    github().get(`${list}/40`).reply(status, issue)
    github().post(list).reply(201, { number: 42 })
    unlisted()
    expect(await raise(alarm(true), '40')).toEqual({ remote: '42' })
  })

  it('that ended before it was told is not told', async () => {
    github().get(list).query(query).reply(200, [])
    expect(await raise(alarm(false))).toEqual({ remote: null })
  })
})

import { describe, expect, it } from '@jest/globals'
import { examine } from '../../src/app/doctor.ts'
import { manifestPermissions } from '../../src/app/permissions.ts'
import { EVENTS } from '../../src/webhooks/index.ts'
import { CONFIGURATION } from '../engine/stage.ts'
import { app, github, useNock } from '../github/stage.ts'

useNock()

const NOW = Date.parse('2026-11-20T10:00:00Z')
const repo = '/repos/acme/releases'

interface World {
  readonly permissions?: Readonly<Record<string, string>>
  readonly events?: readonly string[]
  readonly date?: string
  readonly rules?: readonly string[]
  readonly file?: string | null
}

/** GitHub as the doctor asks it, healthy unless bent. */
function hospital(world: World = {}): void {
  const {
    permissions = manifestPermissions(),
    events = EVENTS,
    date = 'Fri, 20 Nov 2026 10:00:20 GMT',
    rules = ['update', 'deletion', 'non_fast_forward'],
    file = CONFIGURATION,
  } = world
  github().get(`${repo}/installation`).reply(200, { id: 3, permissions, events })
  github()
    .get('/app')
    .reply(200, { id: 4711 }, date === '' ? {} : { date })
  for (const branch of ['ringmaster-data', 'ringmaster-releases']) {
    github()
      .get(`${repo}/rules/branches/${branch}`)
      .query(true)
      .reply(
        200,
        rules.map((type) => ({ type })),
      )
  }
  github().get(repo).reply(200, { id: 77, default_branch: 'main' })
  github()
    .get(`${repo}/git/ref/heads%2Fmain`)
    .reply(200, { object: { sha: 'a'.repeat(40) } })
  const contents = github()
    .get(/\/contents\//)
    .query(true)
  if (file === null) contents.reply(404, { message: 'Not Found' })
  else contents.reply(200, { type: 'file', encoding: 'base64', content: Buffer.from(file).toString('base64') })
}

const findings = () => examine(app, 'acme/releases', NOW)
const bad = async () => (await findings()).filter(({ state }) => state !== 'pass')

describe('the doctor', () => {
  it('finds a healthy installation healthy', async () => {
    hospital()
    const found = await findings()
    expect(found.map(({ state }) => state)).toEqual(found.map(() => 'pass'))
    expect(found.length).toBeGreaterThanOrEqual(6)
  })

  it.each<[string, World, object[]]>([
    [
      'a permission that is missing and one that is too weak',
      { permissions: { ...manifestPermissions(), checks: 'read', members: 'none' } },
      [{ state: 'fail', what: 'the App lacks checks: write, members: read', hint: expect.stringContaining('Grant') }],
    ],
    [
      'events that are not heard',
      { events: EVENTS.filter((event) => event !== 'push' && event !== 'check_run') },
      [{ state: 'fail', what: 'the App does not hear check_run, push', hint: expect.any(String) }],
    ],
    [
      'a clock that is slow',
      { date: 'Fri, 20 Nov 2026 10:02:00 GMT' },
      [{ state: 'fail', what: 'the clock is 120 s away from GitHub', hint: expect.any(String) }],
    ],
    ['no time', { date: '' }, [{ state: 'warn', what: expect.stringContaining('told no time') }]],
    [
      'branches that nothing guards',
      { rules: ['update', 'deletion'] },
      [
        {
          state: 'warn',
          what: 'nothing guards ringmaster-data: every answer says "unprotected"',
          hint: expect.any(String),
        },
        { state: 'warn', what: expect.stringContaining('ringmaster-releases') },
      ],
    ],
    ['no configuration', { file: null }, [{ state: 'fail', what: 'no .github/ringmaster.yml on main' }]],
  ])('names %s', async (_, world, expected) => {
    hospital(world)
    const found = await bad()
    expect(found).toMatchObject(expected)
    expect(found).toHaveLength(expected.length)
  })

  it('takes more than is needed for enough', async () => {
    hospital({
      permissions: { ...manifestPermissions(), members: 'write', contents: 'admin', administration: 'write' },
    })
    expect(await bad()).toEqual([])
  })

  it('names every mistake of the configuration with its line', async () => {
    hospital({ file: `${CONFIGURATION}nonsense: true\nchecklists: []\n` })
    const found = await bad()
    expect(found.length).toBeGreaterThanOrEqual(2)
    for (const finding of found) {
      expect(finding.state).toBe('fail')
      expect(finding.what).toMatch(/^\.github\/ringmaster\.yml:\d+: .*/)
    }
  })

  it('says what it could not look at, and looks at the rest', async () => {
    github().get(`${repo}/installation`).reply(500, { message: 'oops' })
    github().get('/app').reply(401, { message: 'Bad credentials' })
    for (const branch of ['ringmaster-data', 'ringmaster-releases'])
      github().get(`${repo}/rules/branches/${branch}`).query(true).reply(502, { message: 'oops' })
    github().get(repo).reply(404, { message: 'Not Found' })
    const found = await findings()
    expect(found.map(({ what }) => what.split(':')[0])).toEqual([
      'could not look at the permissions of the App',
      'could not look at the clock',
      'could not look at the ruleset',
      'could not look at the configuration',
    ])
    expect(new Set(found.map(({ state }) => state))).toEqual(new Set(['fail']))
  })
})

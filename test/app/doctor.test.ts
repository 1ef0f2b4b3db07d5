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
  /** What the branches say of their protection, where no rule is active for them; null where there is none yet. */
  readonly isProtected?: boolean | null
  readonly file?: string | null
  /** The release repository as GitHub describes it, and the rules of the branch of proposals beside those that guard it. */
  readonly repository?: object
  readonly releasesRules?: readonly object[]
  /** The rules of the default branch. */
  readonly mainRules?: readonly object[]
  /** The answer to who is asked before production; status 404 where there is no such environment. */
  readonly gate?: readonly [status: number, body: object]
  readonly members?: readonly [status: number, body: unknown]
  readonly pages?: { readonly repository: object; readonly site?: readonly [status: number, body: object] }
}

const TEAM = 'team: acme/engineering'
const asked = { custom_deployment_protection_rules: [{ id: 1, enabled: true, app: { id: 4711 } }] }

const requires = (...required_status_checks: readonly object[]) => ({
  type: 'required_status_checks',
  parameters: { required_status_checks, strict_required_status_checks_policy: false },
})

/** GitHub as the doctor asks it, healthy unless bent. */
function hospital(world: World = {}): void {
  const {
    permissions = manifestPermissions(),
    events = EVENTS,
    date = 'Fri, 20 Nov 2026 10:00:20 GMT',
    rules = ['update', 'deletion', 'non_fast_forward'],
    isProtected = null,
    file = CONFIGURATION.replace('users: [eve]', TEAM),
    repository = {},
    releasesRules = [],
    mainRules = [],
    gate = [200, asked],
    members = [200, [{ login: 'eve', id: 2 }]],
    pages,
  } = world
  github().get(`${repo}/installation`).reply(200, { id: 3, permissions, events })
  github()
    .get('/app')
    .reply(200, { id: 4711 }, date === '' ? {} : { date })
  const guards = rules.map((type) => ({ type }))
  for (const branch of ['ringmaster-data', 'ringmaster-data-2', ...(pages ? ['ringmaster-pages'] : [])])
    github().get(`${repo}/rules/branches/${branch}`).query(true).reply(200, guards)
  github()
    .get(`${repo}/rules/branches/ringmaster-releases`)
    .query(true)
    .times(3)
    .reply(200, [...guards, ...releasesRules])
  if (guards.length === 0)
    for (const branch of ['ringmaster-data', 'ringmaster-data-2', 'ringmaster-releases'])
      github()
        .get(`${repo}/branches/${branch}`)
        .reply(
          ...((isProtected === null
            ? [404, { message: 'Branch not found' }]
            : [200, { name: branch, protected: isProtected }]) as [number, object]),
        )
  github().get(`${repo}/rules/branches/main`).query(true).reply(200, mainRules)
  github()
    .get(repo)
    .times(pages ? 2 : 1)
    .reply(200, { id: 77, default_branch: 'main', ...repository, ...pages?.repository })
  if (pages?.site)
    github()
      .get(`${repo}/pages`)
      .reply(...pages.site)
  if (file !== null && !file.includes('nonsense')) {
    github()
      .get('/repos/acme/platform/environments/production/deployment_protection_rules')
      .reply(...gate)
    github()
      .get('/orgs/acme/teams/engineering/members')
      .query({ per_page: 1 })
      .reply(members[0], members[1] as object)
  }
  github()
    .get(`${repo}/git/ref/heads%2Fmain`)
    .reply(200, { object: { sha: 'a'.repeat(40) } })
  const contents = github()
    .get(/\/contents\//)
    .query(true)
  if (file === null) contents.reply(404, { message: 'Not Found' })
  else contents.reply(200, { type: 'file', encoding: 'base64', content: Buffer.from(file).toString('base64') })
}

const installed = { app, releaseRepository: 'acme/releases', nowMs: NOW, pages: null }
const findings = (pages: string | null = null) => examine({ ...installed, pages })
const bad = async (pages: string | null = null) => (await findings(pages)).filter(({ state }) => state !== 'pass')

describe('the doctor', () => {
  it('finds a healthy installation healthy', async () => {
    hospital()
    const found = await findings()
    expect(found.map(({ state }) => state)).toEqual(found.map(() => 'pass'))
    expect(found.map(({ what }) => what)).toEqual(
      expect.arrayContaining([
        'proposals can be merged (merge, squash, rebase)',
        'GitHub asks the App before every environment that is a gate (1)',
        'the members of every team can be read (1)',
      ]),
    )
  })

  it('says that a check which is required counts from the App alone', async () => {
    hospital({ releasesRules: [requires({ context: 'ringmaster/sign-off', integration_id: 4711 })] })
    expect(await findings()).toContainEqual({
      state: 'pass',
      what: 'the check ringmaster/sign-off that ringmaster-releases requires counts from the App alone',
    })
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
      'branches whose rulesets lack a rule',
      { rules: ['update', 'deletion'] },
      [
        {
          state: 'warn',
          what: 'the rulesets of ringmaster-data lack non_fast_forward: every answer says "unprotected"',
          hint: expect.any(String),
        },
        { state: 'warn', what: expect.stringContaining('the log will be unprotected in its next epoch') },
        { state: 'warn', what: expect.stringContaining('ringmaster-releases') },
      ],
    ],
    ...[null, false].map((isProtected): [string, World, object[]] => [
      isProtected === null ? 'branches to come that nothing guards' : 'branches that nothing guards',
      { rules: [], isProtected },
      [
        {
          state: 'warn',
          what: 'no ruleset guards ringmaster-data: every answer says "unprotected"',
          hint: expect.any(String),
        },
        {
          state: 'warn',
          what: 'no ruleset guards ringmaster-data-2: the log will be unprotected in its next epoch',
          hint: expect.any(String),
        },
        { state: 'warn', what: expect.stringContaining('no ruleset guards ringmaster-releases') },
      ],
    ]),
    [
      'branches that classic protection guards, of which the App may not read more',
      { rules: [], isProtected: true },
      ['ringmaster-data', 'ringmaster-data-2', 'ringmaster-releases'].map((branch) => ({
        state: 'warn',
        what: `classic protection guards ${branch}, and no ruleset: whom it lets push or force-push the App may not read`,
        hint: expect.stringContaining('"Protect the branches"'),
      })),
    ],
    [
      'ways of merging that are all shut',
      {
        repository: { allow_merge_commit: true, allow_squash_merge: true, allow_rebase_merge: false },
        releasesRules: [
          { type: 'required_linear_history' },
          { type: 'pull_request', parameters: { allowed_merge_methods: ['merge', 'rebase'] } },
        ],
      },
      [{ state: 'fail', what: expect.stringContaining('takes no proposal'), hint: expect.any(String) }],
    ],
    [
      'required checks that others can stand in for',
      {
        releasesRules: [requires({ context: 'ringmaster/sign-off' }, { context: 'ci' })],
        mainRules: [requires({ context: 'ringmaster/configuration', integration_id: null })],
      },
      ['ringmaster/sign-off that ringmaster-releases', 'ringmaster/configuration that main'].map((check) => ({
        state: 'warn',
        what: `the check ${check} requires counts from anybody who can write: it is not pinned to the App`,
        hint: 'Name the App as its source in the ruleset: integration_id 4711.',
      })),
    ],
    [
      'a required check that is asked of another App',
      { releasesRules: [requires({ context: 'ringmaster/sign-off', integration_id: 666 })] },
      [{ state: 'fail', what: expect.stringContaining('another App alone (666)'), hint: expect.any(String) }],
    ],
    [
      'an environment that asks another App',
      { gate: [200, { custom_deployment_protection_rules: [{ id: 1, enabled: true, app: { id: 666 } }] }] },
      [{ state: 'fail', what: expect.stringContaining('does not ask the App before production of acme/platform') }],
    ],
    [
      'an environment whose rule is off',
      { gate: [200, { custom_deployment_protection_rules: [{ id: 1, enabled: false, app: { id: 4711 } }] }] },
      [{ state: 'fail', what: expect.stringContaining('does not ask the App') }],
    ],
    [
      'an environment that is not there',
      { gate: [404, { message: 'Not Found' }] },
      [{ state: 'warn', what: 'there is no environment production of acme/platform', hint: expect.any(String) }],
    ],
    [
      'a team that it may not read',
      { members: [403, { message: 'Resource not accessible by integration' }] },
      [{ state: 'fail', what: expect.stringContaining('could not look at the team acme/engineering') }],
    ],
    [
      'a team without members',
      { members: [200, []] },
      [{ state: 'warn', what: 'the team acme/engineering has no member', hint: expect.any(String) }],
    ],
    ['no configuration', { file: null }, [{ state: 'fail', what: 'no .github/ringmaster.yml on main' }]],
  ])('names %s', async (_, world, expected) => {
    hospital(world)
    const found = await bad()
    expect(found).toMatchObject(expected)
    expect(found).toHaveLength(expected.length)
  })

  it.each<[string, object, readonly [number, object], object[]]>([
    ['is on', { has_pages: true }, [403, { message: 'no' }], []],
    ['is on and public', { has_pages: true }, [200, { public: true }], []],
    [
      'is for members alone',
      { has_pages: true },
      [200, { public: false }],
      [{ state: 'fail', what: expect.stringContaining('only people with access to acme/releases') }],
    ],
  ])('looks whether GitHub Pages, where manifests go there, %s', async (_, repository, site, expected) => {
    hospital({ pages: { repository, site } })
    expect(await bad('acme/releases')).toMatchObject(expected)
  })

  it('says that GitHub Pages is off where manifests go there', async () => {
    hospital({ pages: { repository: { has_pages: false } } })
    expect(await bad('acme/releases')).toMatchObject([
      { state: 'fail', what: 'GitHub Pages is not on in acme/releases' },
    ])
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
    for (const branch of ['ringmaster-data', 'ringmaster-data-2', 'ringmaster-releases'])
      github().get(`${repo}/rules/branches/${branch}`).query(true).reply(502, { message: 'oops' })
    github().get(repo).reply(404, { message: 'Not Found' })
    const found = await findings()
    expect(found.map(({ what }) => what.split(':')[0])).toEqual([
      'could not look at the permissions of the App',
      'could not look at the clock',
      'could not look at the ruleset',
      'could not look at the configuration',
      'could not look at the merge methods',
      'could not look at the required checks',
    ])
    expect(new Set(found.map(({ state }) => state))).toEqual(new Set(['fail']))
  })
})

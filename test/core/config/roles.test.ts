import { describe, expect, it } from '@jest/globals'
import { personQuery } from '../../../src/core/access/decide.ts'
import { CHECKS_KEY, type ConfigChecks } from '../../../src/core/config/in-force.ts'
import { CONFIG_PATH, parseConfiguration } from '../../../src/core/config/parse.ts'
import type { FactAnswer } from '../../../src/core/facts.ts'
import { asked, CONFIGURATION, minute, RELEASES, sha, World } from '../decided.ts'

const OLGA = { login: 'olga', id: 9 }
const OTTO = { login: 'otto', id: 10 }
const BEFORE = CONFIGURATION.replace('users: [olga]', 'users: [olga, otto]')
const HEAD = 'f'.repeat(40)

const rolesOf = (text: string) => {
  const parsed = parseConfiguration(text)
  if (!parsed.ok) throw new Error('expected a sound configuration')
  return parsed.value.configuration.roles
}

/** The default branch shows a text that these people approved; teams have the members given. */
function push(
  world: World,
  text: string,
  approvers: readonly { login: string; id: number }[] = [],
  members: readonly string[] | 'unreadable' = [],
  before = BEFORE,
) {
  const [repository, commit] = [RELEASES.fullName, sha(`c${text.length}`)]
  const pulls = [{ number: 4, head: HEAD, approvers }]
  world
    .fact({ kind: 'file', repository, commit, path: CONFIG_PATH }, { kind: 'file', text })
    .fact({ kind: 'merged-pulls', repository, commit, path: CONFIG_PATH }, { kind: 'merged-pulls', pulls })
    .fact({ kind: 'file', repository, commit: HEAD, path: CONFIG_PATH }, { kind: 'file', text })
    .fact(
      { kind: 'team-members', team: 'acme/admins' },
      {
        kind: 'team-members',
        members: members === 'unreadable' ? members : members.map((login) => ({ login, id: 1 })),
      },
    )
  world.accounts([OLGA, OTTO])
  for (const person of [OLGA, OTTO])
    for (const roles of [rolesOf(before), [...rolesOf(before), ...rolesOf(text)]]) {
      const query = personQuery(person, repository, roles)
      const teams = query.teams.map((team) => ({ team, membership: 'not-member' as const }))
      world.fact(query, { kind: 'person', permission: 'write', teams })
    }
  return world.ask({ kind: 'configuration-seen', repository: RELEASES, commit, ...asked })
}

function started(): World {
  const world = new World()
  push(world, BEFORE)
  return world
}

describe('a change of roles', () => {
  const own = BEFORE.replace('role: release_manager, users: [ann]', 'role: release_manager, users: [ann, olga]')

  it('is not approved by whom alone it gives a role', () => {
    expect(push(started(), own, [OLGA]).codes).toEqual(['own-role'])
  })

  it('nor by whom alone it takes one from', () => {
    expect(push(started(), BEFORE.replace('[olga, otto]', '[otto]'), [OLGA]).codes).toEqual(['own-role'])
  })

  const term = (dates: string) =>
    BEFORE.replace('users: [ann] }', `users: [ann] }\n  - { role: qa, users: [olga]${dates} }`)

  it('nor by whose own term alone it changes', () => {
    const world = new World()
    push(world, term(', until: 2026-02-01'))
    expect(push(world, term(', until: 2026-03-01'), [OLGA], [], term(', until: 2026-02-01')).codes).toEqual([
      'own-role',
    ])
    expect(push(world, term(''), [OLGA], [], term(', until: 2026-02-01')).codes).toEqual(['own-role'])
  })

  it.each(['2026-01-14', '2026-01-15', '2027-01-01'])(
    'is none when another thing is changed, though a term of the approver ended or ends (%s)',
    (until) => {
      const world = new World()
      const before = term(`, until: ${until}`)
      push(world, before)
      const after = before.replace('label: beta', 'label: Beta')
      expect(push(world, `${after}# since\n`, [OLGA], [], before).types).toEqual(['config.accepted'])
    },
  )

  it('takes effect when another admin approves it', () => {
    expect(push(started(), own, [OTTO]).types).toEqual(['config.accepted'])
    expect(push(started(), own, [OLGA, OTTO]).types).toEqual(['config.accepted'])
  })
})

describe('an admin', () => {
  const byTeam = BEFORE.replace('role: admin, users: [olga, otto]', 'role: admin, teams: [acme/admins]')

  it.each<[string, readonly string[] | 'unreadable', readonly string[]]>([
    ['has members', ['zoe'], []],
    ['has none', [], ['no-admin']],
    ['cannot be read', 'unreadable', ['no-admin']],
  ])('is left when the team that names them %s', (_name, members, codes) => {
    expect(push(new World(), byTeam, [], members).codes).toEqual(codes)
  })

  const mistyped = BEFORE.replace('[olga, otto]', '[olgga]')
  const asAccount = (account: Extract<FactAnswer, { kind: 'account' }>['account']): World =>
    new World().fact({ kind: 'account', login: 'olgga' }, { kind: 'account', account })

  it.each<[string, Extract<FactAnswer, { kind: 'account' }>['account'], RegExp]>([
    ['nobody has', null, /no person of the login "olgga"/],
    ['an organization has', { login: 'olgga', id: 5, type: 'Organization' }, /no person of the login "olgga"/],
    ['a bot has', { login: 'olgga', id: 5, type: 'Bot' }, /no person of the login "olgga"/],
    ['GitHub cannot tell of', 'unreadable', /GitHub does not tell who is "olgga"/],
  ])('is not left by a login that %s, and the first configuration does not take effect', (...[, account, why]) => {
    const found = push(asAccount(account), mistyped)
    expect(found).toMatchObject({ types: ['config.refused'], codes: ['no-admin'] })
    expect(found.problems[0]?.message).toMatch(why)
  })

  it('is left by a team beside a mistyped login, and by a person beside one', () => {
    const team = mistyped.replace('users: [olgga]', 'users: [olgga], teams: [acme/admins]')
    expect(push(asAccount(null), team, [], ['zoe']).types).toEqual(['config.accepted'])
    expect(push(asAccount(null), team, [], []).problems[0]?.message).toMatch(/"olgga", and no member in acme\/admins$/)
    expect(push(asAccount(null), BEFORE.replace('[olga, otto]', '[olgga, otto]')).types).toEqual(['config.accepted'])
  })

  it('is missed where a configuration is proposed, and found once GitHub knows them', () => {
    const commit = sha('d1')
    const world = asAccount('unreadable')
    world.fact(
      { kind: 'file', repository: RELEASES.fullName, commit, path: CONFIG_PATH },
      { kind: 'file', text: mistyped },
    )
    const proposed = (at: string) => {
      world.ask({ kind: 'configuration-proposed', repository: RELEASES, commit, ...asked, at })
      return world.state<ConfigChecks>(CHECKS_KEY)?.checks.map(({ problems }) => problems.map(({ code }) => code))
    }
    expect(proposed(minute(1))).toEqual([['no-admin']])
    world.fact(
      { kind: 'account', login: 'olgga' },
      { kind: 'account', account: { login: 'olgga', id: 5, type: 'User' } },
    )
    expect(proposed(minute(2))).toEqual([[]])
    expect(proposed(minute(3))).toEqual([[]])
    expect(world.log.map(({ type }) => type)).toEqual(['config.checked', 'config.checked'])
  })

  it.each([
    ['only for a time', ', until: 2030-01-01', ['no-admin']],
    ['only later', ', from: 2030-01-01', ['no-admin']],
    ['for good since a day', ', from: 2026-01-01', []],
  ])('is not left when somebody is it %s', (_name, dates, codes) => {
    expect(push(new World(), BEFORE.replace('[olga, otto]', `[olga, otto]${dates}`)).codes).toEqual(codes)
  })

  it('is left when one is it for good beside others with an end', () => {
    const text = BEFORE.replace(
      '{ role: admin, users: [olga, otto] }',
      '{ role: admin, users: [olga], until: 2026-02-01 }\n  - { role: admin, users: [otto] }',
    )
    expect(push(new World(), text).codes).toEqual([])
  })
})

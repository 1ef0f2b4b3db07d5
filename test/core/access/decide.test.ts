import { describe, expect, it } from '@jest/globals'
import { decideAccess, type Permission, personQuery, ROLES_OF, rolesHeld } from '../../../src/core/access/decide.ts'
import { ROLES, RoleBinding } from '../../../src/core/access/schema.ts'

const NOW = '2026-01-15T12:00:00Z'
const ann = { login: 'ann', id: 7 }
const binding = (given: unknown) => RoleBinding.parse(given)
type Facts = Parameters<typeof decideAccess>[2]
const facts = (permission: Facts['permission'], teams: Facts['teams'] = []): Facts => ({
  kind: 'person',
  permission,
  teams,
})
const managers = binding({ role: 'release_manager', teams: ['acme/managers'] })
const admins = binding({ role: 'admin', users: ['Root'] })

describe('who may do something', () => {
  it.each<[string, Permission, typeof ann, Facts, readonly RoleBinding[], string | null]>([
    ['anybody may read', 'read', ann, facts('none'), [admins], null],
    [
      'a member of the team',
      'complete-release',
      ann,
      facts('read', [{ team: 'acme/managers', membership: 'member' }]),
      [admins, managers],
      'release_manager',
    ],
    [
      'a person by login, whatever its case',
      'change-configuration',
      { login: 'ROOT', id: 1 },
      facts('none'),
      [admins],
      'admin',
    ],
    [
      'the repository role, where the configuration names nobody',
      'complete-release',
      ann,
      facts('maintain'),
      [],
      'release_manager',
    ],
    ['a stronger repository role', 'change-configuration', ann, facts('admin'), [], 'admin'],
    [
      'a role that could be read, beside one that could not',
      'manage-release',
      ann,
      facts('admin', [{ team: 'acme/managers', membership: 'unreadable' }]),
      [managers],
      'admin',
    ],
  ])('%s', (_, permission, person, known, bindings, role) => {
    expect(decideAccess(permission, person, known, bindings, NOW)).toEqual({ kind: 'allowed', role })
  })

  it.each<[string, Permission, Facts, readonly RoleBinding[], string]>([
    [
      'a stranger',
      'manage-release',
      facts('read', [{ team: 'acme/managers', membership: 'not-member' }]),
      [managers],
      'not-permitted',
    ],
    [
      'a team that could not be read',
      'manage-release',
      facts('read', [{ team: 'acme/managers', membership: 'unreadable' }]),
      [admins, managers],
      'membership-unreadable',
    ],
    ['a repository role that could not be read', 'complete-release', facts('unreadable'), [], 'membership-unreadable'],
    ['a repository role that is too weak', 'complete-release', facts('write'), [], 'not-permitted'],
    ['no repository role', 'complete-release', facts('none'), [], 'not-permitted'],
    [
      'an admin of the repository, once the configuration names the admins',
      'change-configuration',
      facts('admin'),
      [admins],
      'not-permitted',
    ],
    [
      'membership of a team that gives another role',
      'change-configuration',
      facts('read', [{ team: 'acme/managers', membership: 'member' }]),
      [admins, managers],
      'not-permitted',
    ],
    [
      'a team that nobody asked about',
      'manage-release',
      facts('read', [{ team: 'acme/others', membership: 'member' }]),
      [admins, managers],
      'not-permitted',
    ],
  ])('refuses %s, and says which roles may', (_, permission, known, bindings, code) => {
    const access = decideAccess(permission, ann, known, bindings, NOW)
    if (access.kind !== 'denied') throw new Error('expected a denial')
    expect(access.problems.map((problem) => problem.code)).toEqual([code])
    for (const role of ROLES_OF[permission as keyof typeof ROLES_OF]) expect(access.problems[0]?.hint).toContain(role)
  })

  it.each<[string, object, boolean]>([
    ['from a day on', { from: '2026-01-15' }, true],
    ['not before it', { from: '2026-01-16' }, false],
    ['to the end of a day', { until: '2026-01-15' }, true],
    ['not behind it', { until: '2026-01-14' }, false],
    ['from an instant on', { from: '2026-01-15T12:00:00Z' }, true],
    ['to an instant, which is no longer in it', { until: '2026-01-15T12:00:00Z' }, false],
    ['between two, with an offset', { from: '2026-01-15T12:30:00+01:00', until: '2026-01-15T12:01:00Z' }, true],
  ])('has a role for its term: %s', (_, term, held) => {
    const bound = [admins, binding({ role: 'qa', users: ['ann'], ...term })]
    expect(decideAccess('tick-step', ann, facts('none'), bound, NOW).kind).toBe(held ? 'allowed' : 'denied')
    expect(rolesHeld(ann, facts('none'), bound, NOW).has('qa')).toBe(held)
  })

  it('leaves a role whose term is over to nobody, not to those of GitHub', () => {
    const over = [binding({ role: 'admin', users: ['ann'], until: '2026-01-01' })]
    expect(decideAccess('change-configuration', ann, facts('admin'), over, NOW).kind).toBe('denied')
  })

  it('asks for each team once, sorted, whatever the order of the roles', () => {
    const more = binding({ role: 'qa', teams: ['acme/qa', 'acme/managers'] })
    const query = {
      kind: 'person',
      login: 'ann',
      id: 7,
      repository: 'acme/releases',
      teams: ['acme/managers', 'acme/qa'],
    }
    expect(personQuery(ann, 'acme/releases', [more, managers])).toEqual(query)
    expect(personQuery(ann, 'acme/releases', [managers, more])).toEqual(query)
  })
})

describe('what a configuration may say of roles', () => {
  it.each(ROLES)('knows the role %s', (role) => {
    expect(RoleBinding.safeParse({ role, users: ['ann'] }).success).toBe(true)
  })

  it.each([
    ['an unknown role', { role: 'king', users: ['ann'] }],
    ['an unknown key', { role: 'qa', users: ['ann'], team: 'acme/qa' }],
    ['nobody', { role: 'qa' }],
    ['a day that no calendar has', { role: 'qa', users: ['ann'], from: '2026-02-30' }],
    ['an end before the beginning', { role: 'qa', users: ['ann'], from: '2026-02-03', until: '2026-02-02' }],
    ['a team without its organization', { role: 'qa', teams: ['qa'] }],
    ['a repository role that GitHub does not have', { role: 'qa', repository: 'owner' }],
  ])('refuses %s', (_, given) => {
    expect(RoleBinding.safeParse(given).success).toBe(false)
  })
})

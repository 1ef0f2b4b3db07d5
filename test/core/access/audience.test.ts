import { describe, expect, it } from '@jest/globals'
import { isInAudience, teamsAskedFor } from '../../../src/core/access/audience.ts'
import { decideAccess, type Holding, rolesHeld } from '../../../src/core/access/decide.ts'
import { Audience, type Role, RoleBinding } from '../../../src/core/access/schema.ts'

const NOW = '2026-01-15T12:00:00Z'
const roles = new Map<Role, Holding>([
  ['qa', 'yes'],
  ['sre', 'unknown'],
])
const teams = [
  { team: 'acme/in', membership: 'member' },
  { team: 'acme/out', membership: 'not-member' },
  { team: 'acme/dark', membership: 'unreadable' },
] as const
const yes = { role: 'qa' } as const
const no = { role: 'admin' } as const
const unknown = { role: 'sre' } as const

describe('an audience', () => {
  it.each<[Audience, Holding]>([
    [yes, 'yes'],
    [no, 'no'],
    [unknown, 'unknown'],
    [{ team: 'acme/in' }, 'yes'],
    [{ team: 'ACME/In' }, 'yes'],
    [{ team: 'acme/out' }, 'no'],
    [{ team: 'acme/dark' }, 'unknown'],
    [{ team: 'acme/never-asked' }, 'unknown'],
    [{ not: yes }, 'no'],
    [{ not: no }, 'yes'],
    [{ not: unknown }, 'unknown'],
    [{ not: { team: 'acme/never-asked' } }, 'unknown'],
    [{ all: [yes, yes] }, 'yes'],
    [{ all: [yes, unknown] }, 'unknown'],
    [{ all: [no, unknown] }, 'no'],
    [{ any: [no, yes, unknown] }, 'yes'],
    [{ any: [no, unknown] }, 'unknown'],
    [{ any: [no, no] }, 'no'],
    [{ all: [yes, { any: [no, { not: { team: 'acme/out' } }] }] }, 'yes'],
  ])('%j holds: %s', (audience, expected) => {
    expect(isInAudience(audience, roles, [...teams])).toBe(expected)
  })

  it('names the teams to ask about once, sorted', () => {
    expect(
      teamsAskedFor({ all: [{ team: 'b/x' }, yes, { not: { any: [{ team: 'a/x' }, { team: 'b/x' }] } }] }),
    ).toEqual(['a/x', 'b/x'])
  })

  it.each([{ all: [] }, { any: [] }, { role: 'king' }, { team: 'x' }, { role: 'qa', team: 'a/b' }, {}])(
    '%j is none',
    (given) => {
      expect(Audience.safeParse(given).success).toBe(false)
    },
  )

  it('nests only so deep', () => {
    const nest = (depth: number): unknown => (depth === 0 ? yes : { not: nest(depth - 1) })
    expect(Audience.safeParse(nest(8)).success).toBe(true)
    expect(Audience.safeParse(nest(9)).success).toBe(false)
  })
})

describe('previews', () => {
  const facts = { kind: 'person', permission: 'admin', teams: [] } as const
  const bindings = [RoleBinding.parse({ role: 'change_manager', users: ['ann'] })]

  it('are for change managers, not for admins by being admin', () => {
    expect(decideAccess('see-previews', { login: 'root', id: 1 }, { ...facts, teams: [] }, bindings, NOW).kind).toBe(
      'denied',
    )
    expect(decideAccess('see-previews', { login: 'ann', id: 2 }, { ...facts, teams: [] }, bindings, NOW).kind).toBe(
      'allowed',
    )
  })

  it('roles add up, and the surest binding of a role decides', () => {
    const more = [
      ...bindings,
      RoleBinding.parse({ role: 'qa', teams: ['acme/dark'] }),
      RoleBinding.parse({ role: 'qa', users: ['ann'] }),
      RoleBinding.parse({ role: 'sre', teams: ['acme/dark'] }),
    ]
    const known = { ...facts, teams: [{ team: 'acme/dark', membership: 'unreadable' as const }] }
    expect(Object.fromEntries(rolesHeld({ login: 'ann', id: 2 }, known, more, NOW))).toEqual({
      change_manager: 'yes',
      qa: 'yes',
      sre: 'unknown',
      admin: 'yes',
      release_manager: 'yes',
    })
  })
})

import type { FactAnswer, FactQuery } from '../facts.ts'
import type { Problem } from '../problem.ts'
import { REPOSITORY_ROLES, type Role, type RoleBinding } from './schema.ts'
import { holdsAt } from './term.ts'

/** What can be permitted. Reading is open to everybody who can read the issue. */
export type Permission =
  | 'read'
  | 'manage-release'
  | 'complete-release'
  | 'tick-step'
  | 'hold-release'
  | 'freeze-environment'
  | 'override-gate'
  | 'change-channel'
  | 'cut-version'
  | 'change-configuration'
  | 'see-previews'

const WORKING_ROLES: readonly Role[] = [
  'admin',
  'release_manager',
  'change_manager',
  'product',
  'developer',
  'sre',
  'qa',
  'security',
  'compliance',
]

/** Permission → the roles that hold it. `admin` manages; it sees no previews by being admin. */
export const ROLES_OF: Readonly<Record<Exclude<Permission, 'read'>, readonly Role[]>> = {
  'manage-release': ['admin', 'release_manager', 'product', 'developer'],
  'complete-release': ['admin', 'release_manager'],
  'tick-step': WORKING_ROLES,
  /** Whoever works on releases may stop one; only those who may end it let it go on. */
  'hold-release': WORKING_ROLES,
  'freeze-environment': ['admin', 'release_manager', 'sre'],
  'override-gate': ['admin', 'release_manager'],
  'change-channel': ['admin', 'release_manager', 'sre'],
  'cut-version': ['admin', 'release_manager'],
  'change-configuration': ['admin'],
  'see-previews': ['change_manager'],
}

/** Where a configuration names nobody for a role at any time, GitHub's own roles stand in: the ones that could change everything anyway. */
export const DEFAULT_BINDINGS: readonly RoleBinding[] = [
  { role: 'admin', teams: [], users: [], repository: 'admin' },
  { role: 'release_manager', teams: [], users: [], repository: 'maintain' },
]

export interface Person {
  readonly login: string
  readonly id: number
}

type PersonFacts = Extract<FactAnswer, { kind: 'person' }>

export type Access =
  | { readonly kind: 'allowed'; readonly role: Role | null }
  | { readonly kind: 'denied'; readonly problems: readonly Problem<'not-permitted' | 'membership-unreadable'>[] }

const bindingsOf = (configured: readonly RoleBinding[]): readonly RoleBinding[] => {
  const named = new Set(configured.map((binding) => binding.role))
  return [...configured, ...DEFAULT_BINDINGS.filter((binding) => !named.has(binding.role))]
}

/** The one question about a person that decides all of their roles under a configuration; more teams where it decides more. */
export const personQuery = (
  person: Person,
  repository: string,
  configured: readonly RoleBinding[],
  more: readonly string[] = [],
): Extract<FactQuery, { kind: 'person' }> => ({
  kind: 'person',
  login: person.login,
  id: person.id,
  repository,
  teams: [...new Set([...bindingsOf(configured).flatMap((binding) => binding.teams), ...more])].sort(),
})

export type Holding = 'yes' | 'no' | 'unknown'

/** Whether a person has what a binding asks for; `unknown` where a fact could not be read. */
function holds(binding: RoleBinding, person: Person, facts: PersonFacts): Holding {
  if (binding.users.some((login) => login.toLowerCase() === person.login.toLowerCase())) return 'yes'
  const teams = facts.teams.filter((entry) => binding.teams.includes(entry.team))
  if (teams.some((entry) => entry.membership === 'member')) return 'yes'
  if (binding.repository !== undefined && facts.permission !== 'unreadable' && facts.permission !== 'none') {
    if (REPOSITORY_ROLES.indexOf(facts.permission) >= REPOSITORY_ROLES.indexOf(binding.repository)) return 'yes'
  }
  const isUnknown =
    teams.some((entry) => entry.membership === 'unreadable') ||
    (binding.repository !== undefined && facts.permission === 'unreadable')
  return isUnknown ? 'unknown' : 'no'
}

/** Every role, with whether the person has it at an instant; `unknown` where a fact could not be read. */
export function rolesHeld(
  person: Person,
  facts: PersonFacts,
  configured: readonly RoleBinding[],
  at: string,
): Map<Role, Holding> {
  const held = new Map<Role, Holding>()
  for (const binding of bindingsOf(configured).filter((term) => holdsAt(term, at))) {
    const holding = holds(binding, person, facts)
    if (STRENGTH[holding] > STRENGTH[held.get(binding.role) ?? 'no']) held.set(binding.role, holding)
  }
  return held
}

/**
 * What a configuration gives a person over time, as it is written: each role with its terms. The same at every instant,
 * so that the end of a term is no change of it.
 */
export function rolesWritten(
  person: Person,
  facts: PersonFacts,
  configured: readonly RoleBinding[],
): Readonly<Record<string, readonly string[]>> {
  const terms = new Map<Role, Set<string>>()
  for (const binding of bindingsOf(configured)) {
    const holding = holds(binding, person, facts)
    if (holding === 'no') continue
    const term = `${holding} ${binding.from ?? ''}/${binding.until ?? ''}`
    terms.set(binding.role, (terms.get(binding.role) ?? new Set()).add(term))
  }
  const always = 'yes /'
  return Object.fromEntries([...terms].map(([role, held]) => [role, held.has(always) ? [always] : [...held].sort()]))
}

const STRENGTH = { no: 0, unknown: 1, yes: 2 } as const satisfies Record<Holding, number>

/** Whether a person may do something at an instant. Fails closed: what could not be read grants nothing, and is said. */
export function decideAccess(
  permission: Permission,
  person: Person,
  facts: PersonFacts,
  configured: readonly RoleBinding[],
  at: string,
): Access {
  if (permission === 'read') return { kind: 'allowed', role: null }
  const roles = ROLES_OF[permission]
  const bindings = bindingsOf(configured).filter((binding) => roles.includes(binding.role) && holdsAt(binding, at))
  const held = bindings.map((binding) => ({ role: binding.role, holding: holds(binding, person, facts) }))
  const granted = held.find((entry) => entry.holding === 'yes')
  if (granted) return { kind: 'allowed', role: granted.role }
  const needed = `This needs one of the roles ${roles.join(', ')}.`
  if (held.some((entry) => entry.holding === 'unknown')) {
    return {
      kind: 'denied',
      problems: [
        {
          code: 'membership-unreadable',
          message: `could not read what ${person.login} may do, so nothing is granted`,
          hint: `${needed} Try again; when it stays, ringmaster doctor says which permission is missing.`,
        },
      ],
    }
  }
  return {
    kind: 'denied',
    problems: [
      {
        code: 'not-permitted',
        message: `${person.login} may not do this`,
        hint: `${needed} The configuration says who has them.`,
      },
    ],
  }
}

import type { FactAnswer } from '../facts.ts'
import type { Holding } from './decide.ts'
import type { Audience, Role } from './schema.ts'

type Teams = Extract<FactAnswer, { kind: 'person' }>['teams']

const NOT = { yes: 'no', no: 'yes', unknown: 'unknown' } as const satisfies Record<Holding, Holding>

/**
 * Whether somebody belongs to an audience. What could not be read is `unknown`, and so is its negation: only `yes`
 * lets in, so that an error never does, not even below a `not`. A team nobody asked about is unknown too.
 */
export function isInAudience(audience: Audience, roles: ReadonlyMap<Role, Holding>, teams: Teams): Holding {
  const of = (inner: Audience) => isInAudience(inner, roles, teams)
  if ('role' in audience) return roles.get(audience.role) ?? 'no'
  if ('team' in audience) return membership(audience.team, teams)
  if ('not' in audience) return NOT[of(audience.not)]
  if ('all' in audience) return NOT[either(audience.all.map((inner) => NOT[of(inner)]))]
  return either(audience.any.map(of))
}

const either = (found: readonly Holding[]): Holding =>
  found.includes('yes') ? 'yes' : found.includes('unknown') ? 'unknown' : 'no'

const HOLDING = { member: 'yes', 'not-member': 'no', unreadable: 'unknown' } as const

function membership(team: string, teams: Teams): Holding {
  const known = teams.find((entry) => entry.team.toLowerCase() === team.toLowerCase())
  return known === undefined ? 'unknown' : HOLDING[known.membership]
}

/** The teams that an audience asks about, each once, sorted. */
export function teamsAskedFor(audience: Audience): string[] {
  const teams = (inner: Audience): string[] => {
    if ('team' in inner) return [inner.team]
    if ('role' in inner) return []
    if ('not' in inner) return teams(inner.not)
    return ('all' in inner ? inner.all : inner.any).flatMap(teams)
  }
  return [...new Set(teams(audience))].sort()
}

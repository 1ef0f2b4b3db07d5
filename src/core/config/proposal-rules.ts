import { quoted } from '../problem.ts'
import { peopleAsked } from '../ring/customers.ts'
import type { Finding } from './rules.ts'
import type { Configuration } from './schema.ts'

/**
 * As many different people as can ever have signed, by the file alone: each login once for each party, because a seat
 * may be delegated. Null where a team is named, of whose size the file says nothing.
 */
function mostSigners({ parties }: Configuration['signoff']): number | null {
  if (parties.some(({ team }) => team !== undefined)) return null
  return parties.reduce((sum, { users }) => sum + new Set(users.map((login) => login.toLowerCase())).size, 0)
}

/**
 * What a file that is proposed may not say, because it could not be meant: a gate that no signatures open, and a number
 * of people that nobody counts. What was accepted with it stays in force as it is.
 */
export function proposalFindings({ rings, signoff }: Configuration): Finding[] {
  const most = mostSigners(signoff)
  return rings.flatMap((ring, i): Finding[] => {
    const { gate } = ring
    if (gate === undefined) return []
    const place = ['rings', i, 'gate', ...(gate.distinctPeople === undefined ? [] : ['distinctPeople'])]
    if (!gate.signoff) {
      if (gate.distinctPeople === undefined) return []
      return [
        {
          code: 'no-effect',
          path: place,
          message: `expected distinctPeople only where a ring asks for sign-off, found it beside signoff: false in ring ${quoted(ring.ring)}`,
          hint: 'Nobody is counted there: take distinctPeople out, or ask for sign-off.',
        },
      ]
    }
    const wanted = peopleAsked(ring)
    if (most === null || most >= wanted) return []
    const by =
      gate.distinctPeople === undefined ? 'as a ring of customers does that says no number' : 'by distinctPeople'
    return [
      {
        code: 'too-few-people',
        path: place,
        message: `expected at least the ${wanted} people in signoff.parties that ring ${quoted(ring.ring)} asks for, ${by}, found ${most}`,
        hint: `No signatures could open its gate: name more people or a team, or write distinctPeople: ${Math.max(1, most)} into the gate.`,
      },
    ]
  })
}

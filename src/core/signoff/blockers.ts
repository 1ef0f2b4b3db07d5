import { type Problem, quoted } from '../problem.ts'
import { type Opinion, personOf } from './opinions.ts'
import type { Party } from './schema.ts'
import { fillSeats } from './seats.ts'

export type SignoffProblem =
  | 'no-required-party'
  | 'duplicate-party'
  | 'asks-for-nobody'
  | 'members-unreadable'
  | 'too-few-members'
  | 'too-few-people-together'
  | 'dismissal-unexplained'

/** A party with the logins, one per person, that may sign for it. */
export interface Row {
  readonly party: Party
  readonly eligible: readonly string[]
}

/** Why no approvals at all could ever be enough: every reason, none when it can be signed. */
export function blockersOf(
  rows: readonly Row[],
  unreadable: ReadonlySet<string>,
  perPerson: 'one' | 'all',
): Problem<SignoffProblem>[] {
  const required = rows.filter(({ party }) => party.optional !== true)
  const names = rows.map(({ party }) => party.name)
  const repeated = new Set(names.filter((name, index) => names.indexOf(name) !== index))
  const problems = [
    ...(required.length === 0 ? [NO_REQUIRED_PARTY] : []),
    ...[...repeated].map(duplicateParty),
    ...required.flatMap(({ party, eligible }) => blockersOfParty(party, eligible, unreadable)),
  ]
  return problems.length > 0 ? problems : blockersTogether(required, perPerson)
}

const NO_REQUIRED_PARTY: Problem<SignoffProblem> = {
  code: 'no-required-party',
  message: 'expected at least one party that must sign, found none',
  hint: 'Name the parties in the configuration; nothing is approved without one.',
}

const duplicateParty = (name: string): Problem<SignoffProblem> => ({
  code: 'duplicate-party',
  message: `expected each party once, found ${quoted(name)} again`,
  hint: 'Give every party a name of its own.',
})

function blockersOfParty(
  party: Party,
  eligible: readonly string[],
  unreadable: ReadonlySet<string>,
): Problem<SignoffProblem>[] {
  const name = quoted(party.name)
  if (party.count < 1) {
    return [
      {
        code: 'asks-for-nobody',
        message: `expected at least one seat for ${name}, found ${party.count}`,
        hint: 'Make the party optional, or give it a seat.',
      },
    ]
  }
  if (unreadable.has(party.name)) {
    return [
      {
        code: 'members-unreadable',
        message: `expected the members of ${name}, found that they cannot be read, so nobody signs for it`,
        hint: 'The App needs to see the team: organization permission "members: read". It is asked again.',
      },
    ]
  }
  if (eligible.length >= party.count) return []
  return [
    {
      code: 'too-few-members',
      message: `expected ${party.count} people who may sign for ${name}, found ${eligible.length}`,
      hint: 'Add members, lower the seats, or let somebody else start the release: who changed it may not sign it.',
    },
  ]
}

/** Each party alone could be filled; all of them together perhaps not. */
function blockersTogether(required: readonly Row[], perPerson: 'one' | 'all'): Problem<SignoffProblem>[] {
  const rows = required.map(({ party, eligible }) => ({ seats: party.count, candidates: eligible.map(personOf) }))
  const most = fillSeats(rows, perPerson).flat().length
  const wanted = required.reduce((sum, { party }) => sum + party.count, 0)
  if (most >= wanted) return []
  return [
    {
      code: 'too-few-people-together',
      message: `expected enough different people for ${wanted} seats, found that they can fill ${most}`,
      hint: 'One person fills one seat. Add members, or lower the seats.',
    },
  ]
}

/** A dismissed review that may have been a veto holds the release. */
export const unexplainedProblem = ({ review }: Opinion): Problem<SignoffProblem> => ({
  code: 'dismissal-unexplained',
  message: `expected to know what a dismissed review of ${quoted(review.user ?? '')} said, found nothing that tells`,
  hint: 'It may have been a veto: it holds the release until that person approves the current content.',
})

import { holdsAt } from '../access/term.ts'
import { type Deciding, facts, type UsedFact } from '../decision.ts'
import type { FactAnswer, FactQuery } from '../facts.ts'
import { type Problem, quoted } from '../problem.ts'
import type { ParsedConfiguration } from './parse.ts'

/** What is wrong with a configuration beyond its text, and the facts that this rests on. */
export interface Finding {
  readonly problems: readonly Problem[]
  readonly used: readonly UsedFact[]
}

/** What a look at the text alone leaves open. */
export const NOT_ASKED =
  'whether GitHub knows an admin that it names, which the App asks when the file is proposed, and whether its teams have enough people'

/**
 * One admin at least has to be left for good, or nobody could ever change the configuration again: the account of a
 * person, a member of a team, or whoever holds a role in the release repository. GitHub is asked, so that a mistyped
 * login is nobody; of whom it cannot say, none counts.
 */
export function* adminLeft({ configuration }: ParsedConfiguration, at: string): Deciding<Finding> {
  const named = configuration.roles.filter((binding) => binding.role === 'admin')
  /** Whose term ends leaves nobody behind, and whose begins later leaves nobody until then. */
  const admins = named.filter((binding) => binding.until === undefined && holdsAt(binding, at))
  if (named.length === 0 || admins.some((binding) => binding.repository !== undefined))
    return { problems: [], used: [] }
  const people = yield* peopleAmong([...new Set(admins.flatMap((binding) => binding.users))])
  if (people.isSomebody) return { problems: [], used: people.used }
  const teams = yield* membersAmong([...new Set(admins.flatMap((binding) => binding.teams))])
  const used = [...people.used, ...teams.used]
  if (teams.isSomebody) return { problems: [], used }
  const found = [...people.missed, ...teams.missed].join(', and ') || 'only terms that end or have not begun'
  const problem = {
    code: 'no-admin',
    message: `expected somebody to be admin for good, found ${found}`,
    hint: 'Name somebody by their login on GitHub, or a team that has members and that the App can read, without until.',
  }
  return { problems: [problem], used }
}

interface Looked {
  readonly isSomebody: boolean
  /** Why each name stands for nobody. */
  readonly missed: readonly string[]
  readonly used: readonly UsedFact[]
}

function* peopleAmong(logins: readonly string[]): Deciding<Looked> {
  const queries = logins.map((login) => ({ kind: 'account', login }) as const)
  const answers = yield* facts(queries)
  const isHidden = (_: string, index: number) => answers[index]?.account === 'unreadable'
  return {
    isSomebody: answers.some(({ account }) => account !== 'unreadable' && account?.type === 'User'),
    missed: [
      ...listed('no person of the login', without(logins, isHidden).map(quoted)),
      ...listed('that GitHub does not tell who is', logins.filter(isHidden).map(quoted)),
    ],
    used: usedOf(queries, answers),
  }
}

function* membersAmong(teams: readonly string[]): Deciding<Looked> {
  const queries = teams.map((team) => ({ kind: 'team-members', team }) as const)
  const answers = yield* facts(queries)
  const isHidden = (_: string, index: number) => answers[index]?.members === 'unreadable'
  return {
    isSomebody: answers.some(({ members }) => members !== 'unreadable' && members.length > 0),
    missed: [
      ...listed('no member in', without(teams, isHidden)),
      ...listed('that the App cannot read', teams.filter(isHidden)),
    ],
    used: usedOf(queries, answers),
  }
}

const without = (names: readonly string[], isOut: (name: string, index: number) => boolean): string[] =>
  names.filter((name, index) => !isOut(name, index))

const MOST_NAMES = 10

const listed = (what: string, names: readonly string[]): string[] =>
  names.length === 0
    ? []
    : [`${what} ${names.slice(0, MOST_NAMES).join(', ')}${names.length > MOST_NAMES ? ' and others' : ''}`]

/** The facts that were answered, with their questions. */
export const usedOf = (queries: readonly FactQuery[], answers: readonly (FactAnswer | undefined)[]): UsedFact[] =>
  queries.flatMap((query, index) => {
    const answer = answers[index]
    return answer ? [{ query, answer }] : []
  })

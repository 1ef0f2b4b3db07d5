import type { SignoffConfiguration } from '../config/schema.ts'
import { type Deciding, facts, type UsedFact } from '../decision.ts'
import type { ReleaseState } from './schema.ts'

/** Who may lift the objections of others to a release, and who tried and may not. */
export interface Dismissers {
  readonly logins: string[]
  /** Dismissals that do not count, and teams that could not be asked for them. */
  readonly problems: readonly string[]
  readonly used: readonly UsedFact[]
}

/**
 * The logins that the configuration names, and the members of its teams now. Teams are asked for only where a review was
 * dismissed; one that cannot be read lifts nothing.
 */
export function* dismissersOf(
  { dismissals }: Pick<ReleaseState, 'dismissals'>,
  signoff: SignoffConfiguration,
): Deciding<Dismissers> {
  const isTeam = (name: string): boolean => name.includes('/')
  const byOthers = dismissals.filter(({ by, author }) => author === undefined || !isSame(by, author))
  const teams = byOthers.length === 0 ? [] : [...new Set(signoff.dismissers.filter(isTeam))]
  const queries = teams.map((team) => ({ kind: 'team-members', team }) as const)
  const answers = yield* facts(queries)
  const used = queries.flatMap((query, index) => {
    const answer = answers[index]
    return answer ? [{ query, answer }] : []
  })
  const members = used.flatMap(({ answer }) => (answer.members === 'unreadable' ? [] : answer.members))
  const logins = [...signoff.dismissers.filter((name) => !isTeam(name)), ...members.map(({ login }) => login)]
  const unreadable = used.filter(({ answer }) => answer.members === 'unreadable').map(({ query }) => query.team)
  return {
    logins,
    problems: [
      ...byOthers.flatMap(({ by, author }) =>
        author === undefined || logins.some((login) => isSame(login, by))
          ? []
          : [
              `${by} dismissed a review of ${author} and may not: an objection stands, an approval has to be given again`,
            ],
      ),
      ...unreadable.map((team) => `the members of ${team} cannot be read, so none of them lifts an objection`),
    ],
    used,
  }
}

/** Logins ignore case. */
const isSame = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase()

import type { PartyConfig, SignoffConfiguration } from '../config/schema.ts'
import { type Deciding, facts, type UsedFact } from '../decision.ts'
import type { Party } from '../signoff/schema.ts'
import type { ReleaseState } from './schema.ts'

/** The parties that sign a release, with their members now. */
export interface Signers {
  readonly parties: readonly Party[]
  /** Names of those whose members cannot be read. */
  readonly unreadable: readonly string[]
  readonly used: readonly UsedFact[]
}

/** The parties of the profile of a release; without one all of them. An unknown profile has none, which blocks. */
export function partiesOf(release: ReleaseState, signoff: SignoffConfiguration): readonly PartyConfig[] {
  const { profile } = release.conduct
  if (profile === null) return signoff.parties
  const names = signoff.profiles.find((entry) => entry.name === profile)?.parties ?? []
  return signoff.parties.filter((party) => names.includes(party.name))
}

/**
 * Who may sign for each party at an instant: members of its team and those it names, with whoever a member named in
 * their own place for a time; who did stays a member, and what they object to stands. A delegation holds as long as who
 * gave it is a member, and gives no more than they have: who may not sign what they changed does not choose who signs it
 * instead.
 */
export function* signersOf(release: ReleaseState, signoff: SignoffConfiguration, now: string): Deciding<Signers> {
  const configured = partiesOf(release, signoff)
  const teams = configured.map((party) => teamOf(party, release.repository.fullName))
  const queries = [...new Set(teams)].flatMap((team) =>
    team === undefined ? [] : [{ kind: 'team-members', team } as const],
  )
  const answers = yield* facts(queries)
  const membersOf = (party: PartyConfig): readonly string[] | 'unreadable' => {
    const team = teamOf(party, release.repository.fullName)
    const index = queries.findIndex((query) => query.team === team)
    const members = team === undefined ? [] : (answers[index]?.members ?? 'unreadable')
    return members === 'unreadable' ? 'unreadable' : [...members.map((member) => member.login), ...party.users]
  }
  const handing = signoff.authorMaySign ? release : withoutThoseOfEditors(release)
  const present = new Set(configured.map((party) => party.name))
  const parties = configured.map((party): Party => {
    const members = membersOf(party)
    const handed = members === 'unreadable' ? NOBODY : delegated(members, party.name, handing, now)
    const after = (party.after ?? []).filter((name) => present.has(name))
    return {
      name: party.name,
      members: [...handed.members],
      count: party.seats,
      optional: party.optional,
      ...(after.length === 0 ? {} : { after }),
      ...(handed.away.length === 0 ? {} : { away: [...handed.away] }),
    }
  })
  return {
    parties,
    unreadable: configured.filter((party) => membersOf(party) === 'unreadable').map((party) => party.name),
    used: queries.flatMap((query, index) => {
      const answer = answers[index]
      return answer ? [{ query, answer }] : []
    }),
  }
}

/** Logins ignore case. */
const isSame = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase()

function withoutThoseOfEditors(release: ReleaseState): ReleaseState {
  const { editors, startedBy, manager, conduct } = release
  const barred = [...editors, (startedBy ?? manager).login]
  const delegations = conduct.delegations.filter(({ from }) => !barred.some((login) => isSame(login, from.login)))
  return { ...release, conduct: { ...conduct, delegations } }
}

interface Handed {
  readonly members: readonly string[]
  /** Those of them in whose place others sign. */
  readonly away: readonly string[]
}

const NOBODY: Handed = { members: [], away: [] }

function delegated(members: readonly string[], party: string, { conduct }: ReleaseState, now: string): Handed {
  const inForce = conduct.delegations.filter(
    (entry) =>
      entry.party === party &&
      Date.parse(entry.until) > Date.parse(now) &&
      members.some((login) => isSame(login, entry.from.login)),
  )
  const away = (login: string): boolean => inForce.some((entry) => isSame(entry.from.login, login))
  /** Nobody who is away is brought back by a delegation of another. */
  const added = inForce.map((entry) => entry.to.login).filter((login) => !away(login))
  return { members: [...members, ...added], away: members.filter(away) }
}

/** The team of a party with its organization: where none is written, that of the release repository. */
export const teamOf = ({ team }: PartyConfig, releaseRepository: string): string | undefined =>
  team === undefined || team.includes('/') ? team : `${releaseRepository.split('/')[0]}/${team}`

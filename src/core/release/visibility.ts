import { isInAudience, teamsAskedFor } from '../access/audience.ts'
import { personQuery, rolesHeld } from '../access/decide.ts'
import type { Configuration, RingConfig } from '../config/schema.ts'
import { type Deciding, fact } from '../decision.ts'
import type { Problem } from '../problem.ts'
import type { Context } from './handling.ts'

/** What an answer leaves out. */
export interface Hidden {
  /** Everybody could read the answer, so that it tells of no ring that has an audience. */
  readonly isPublic: boolean
  /** The rings whose content it does not tell. */
  readonly rings: readonly RingConfig[]
}

const withAudience = ({ rings }: Configuration): RingConfig[] => rings.filter((ring) => ring.visibleTo !== undefined)

/** The environments that nothing tells of that everybody reads. */
export const keptEnvironments = (configurations: readonly Configuration[]): ReadonlySet<string> =>
  new Set(configurations.flatMap(withAudience).flatMap((ring) => ring.environments))

/**
 * The rings that an answer to a person says nothing of: those with an audience that the person is not surely in, and in
 * a repository that is not surely private all of them, for others read the answer too.
 */
export function* hiddenRings({ policy, person, request }: Context): Deciding<Hidden> {
  const { configuration } = policy
  const rings = withAudience(configuration)
  if (rings.length === 0) return { isPublic: false, rings }
  if (!(yield* isPrivate(request))) return { isPublic: true, rings }
  const { fullName } = request.repository
  const asked = rings.flatMap(({ visibleTo }) => (visibleTo === undefined ? [] : teamsAskedFor(visibleTo)))
  const standing = yield* fact(personQuery(person, fullName, configuration.roles, asked))
  const roles = rolesHeld(person, standing, configuration.roles, request.at)
  return {
    isPublic: false,
    rings: rings.filter(
      ({ visibleTo }) => visibleTo !== undefined && isInAudience(visibleTo, roles, standing.teams) !== 'yes',
    ),
  }
}

/** Whether only those who were let into a repository read what is said there. */
export function* isPrivate({ repository }: Context['request']): Deciding<boolean> {
  const { visibility } = yield* fact({ kind: 'visibility', repository: repository.fullName })
  return visibility === 'private'
}

export const isHidden = (hidden: Hidden, environment: string): boolean =>
  hidden.rings.some((ring) => ring.environments.includes(environment))

/** What an answer says of what it leaves out; nothing where it leaves nothing out. */
export const hiddenLines = ({ rings }: Hidden): string[] =>
  rings.length === 0 ? [] : [`not told here: ${rings.map((ring) => `ring ${ring.ring} (${ring.label})`).join(', ')}`]

/** Why an environment is not spoken of; null where it may be. */
export function notTold(hidden: Hidden, environment: string | undefined): Problem | null {
  const ring = hidden.rings.find((entry) => environment !== undefined && entry.environments.includes(environment))
  if (!ring) return null
  return {
    code: 'not-visible',
    message: `ring ${ring.ring} (${ring.label}) is shown to its audience only`,
    hint: hidden.isPublic
      ? 'This repository is not known to be private, so that everybody could read the answer.'
      : 'visibleTo in the configuration says who that is.',
  }
}

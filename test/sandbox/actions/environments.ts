import { accountOf, appOf, type Identity } from '../identity.ts'
import type { Account, App, Repository } from '../store.ts'
import type { World } from '../world.ts'
import { type Environment, recordsOf } from './records.ts'

/** Finds whatever the case, as GitHub does. */
export const findEnvironment = (repository: Repository, name: string): Environment | undefined =>
  recordsOf(repository).environments.get(name.toLowerCase())

/** The environment of that name, made without protection when nobody had named it before, as GitHub does. */
export function ensureEnvironment(world: World, repository: Repository, name: string): Environment {
  const known = findEnvironment(repository, name)
  if (known !== undefined) return known
  const now = world.clock.now()
  const environment: Environment = {
    id: world.nextId(),
    name,
    createdAt: now,
    updatedAt: now,
    waitTimerMinutes: 0,
    preventSelfReview: false,
    reviewers: [],
    branchPolicy: null,
    branchPolicies: [],
    rules: [],
    builtInRuleIds: { waitTimer: world.nextId(), reviewers: world.nextId(), branchPolicy: world.nextId() },
  }
  recordsOf(repository).environments.set(name.toLowerCase(), environment)
  return environment
}

/** Who acts, for what keeps a creator. */
export interface Author {
  readonly account: Account
  readonly app: App | null
}

/** The acting account and the App behind it; undefined for nobody. */
export function authorOf(identity: Identity): Author | undefined {
  const account = accountOf(identity)
  return account === undefined ? undefined : { account, app: appOf(identity) }
}

import { accountOf, appOf, type Identity } from './identity.ts'
import { atLeast, membershipOf, perRepository, type Repository, roleOf } from './store.ts'
import type { World } from './world.ts'

export interface BypassActor {
  readonly actor_id: number | null
  readonly actor_type: 'Integration' | 'OrganizationAdmin' | 'RepositoryRole' | 'Team' | 'DeployKey' | 'User'
  readonly bypass_mode: 'always' | 'pull_request' | 'exempt'
}

export interface Rule {
  readonly type: string
  readonly parameters?: Readonly<Record<string, unknown>>
}

export interface Ruleset {
  readonly id: number
  name: string
  target: 'branch' | 'tag' | 'push'
  enforcement: 'active' | 'disabled' | 'evaluate'
  bypassActors: readonly BypassActor[]
  include: readonly string[]
  exclude: readonly string[]
  rules: readonly Rule[]
  readonly createdAt: string
  updatedAt: string
}

export const rulesetsOf = perRepository(() => new Map<number, Ruleset>())

/** fnmatch with pathname: `*` stays within a segment, `**` does not. Walks without backtracking over more than one star. */
export function matchesPattern(pattern: string, name: string): boolean {
  const source = pattern.replace(/[.+^$()|[\]{}\\]/g, '\\$&').replace(/\*\*|\*|\?/g, (star) => globs[star] ?? star)
  return new RegExp(`^${source}$`).test(name)
}
const globs: Readonly<Record<string, string>> = { '**': '.*', '*': '[^/]*', '?': '[^/]' }

function applies(ruleset: Ruleset, repository: Repository, ref: string): boolean {
  const isTarget =
    ruleset.target === 'branch'
      ? ref.startsWith('refs/heads/')
      : ruleset.target === 'tag' && ref.startsWith('refs/tags/')
  const hits = (pattern: string) =>
    pattern === '~ALL' ||
    (pattern === '~DEFAULT_BRANCH' ? ref === `refs/heads/${repository.defaultBranch}` : matchesPattern(pattern, ref))
  return ruleset.enforcement === 'active' && isTarget && ruleset.include.some(hits) && !ruleset.exclude.some(hits)
}

/** Ids of the built-in roles that a ruleset can let pass. */
const roleIds: Readonly<Record<number, 'write' | 'maintain' | 'admin'>> = { 2: 'maintain', 4: 'write', 5: 'admin' }

function bypasses(
  world: World,
  repository: Repository,
  identity: Identity,
  actor: BypassActor,
  isMerge: boolean,
): boolean {
  if (actor.bypass_mode === 'pull_request' && !isMerge) return false
  const account = accountOf(identity)
  if (actor.actor_type === 'Integration') return appOf(identity)?.id === actor.actor_id
  if (identity.kind !== 'person' || !account) return false
  const { store } = world
  if (actor.actor_type === 'User') return account.id === actor.actor_id
  if (actor.actor_type === 'OrganizationAdmin') {
    return store.organizationMembers.get(repository.owner.id)?.get(account.id) === 'admin'
  }
  if (actor.actor_type === 'Team') {
    const team = store.teams.get(actor.actor_id ?? 0)
    return team !== undefined && membershipOf(store, team, account.id)?.state === 'active'
  }
  const wanted = actor.actor_type === 'RepositoryRole' ? roleIds[actor.actor_id ?? 0] : undefined
  return wanted !== undefined && atLeast(roleOf(store, repository, account.id), wanted)
}

/** The rules in force for the identity on a ref, with the ruleset each comes from. */
export function rulesInForce(
  world: World,
  repository: Repository,
  identity: Identity | undefined,
  ref: string,
  isMerge: boolean,
) {
  return [...rulesetsOf(repository).values()]
    .filter((ruleset) => applies(ruleset, repository, ref))
    .filter(
      (ruleset) =>
        identity === undefined ||
        !ruleset.bypassActors.some((actor) => bypasses(world, repository, identity, actor, isMerge)),
    )
    .flatMap((ruleset) => ruleset.rules.map((rule) => ({ ruleset, rule })))
}

export interface RefMove {
  readonly ref: string
  readonly kind: 'create' | 'update' | 'delete'
  readonly isForced: boolean
  /** By merging a pull request, which is what the `pull_request` rule asks for. */
  readonly isMerge: boolean
}

const refusals: ReadonlyArray<readonly [type: string, refuses: (move: RefMove) => boolean, message: string]> = [
  ['creation', (move) => move.kind === 'create', 'Cannot create ref due to creations being restricted.'],
  ['update', (move) => move.kind === 'update', 'Cannot update this protected ref.'],
  ['deletion', (move) => move.kind === 'delete', 'Cannot delete this protected ref.'],
  ['non_fast_forward', (move) => move.kind === 'update' && move.isForced, 'Cannot force-push to this branch'],
  ['pull_request', (move) => move.kind === 'update' && !move.isMerge, 'Changes must be made through a pull request.'],
  ['required_status_checks', (move) => move.kind === 'update' && !move.isMerge, 'Required status checks are expected.'],
]

/** What the rulesets refuse of the move, in GitHub's words; empty = allowed. */
export function ruleViolations(world: World, repository: Repository, identity: Identity, move: RefMove): string[] {
  const types = new Set(rulesInForce(world, repository, identity, move.ref, move.isMerge).map(({ rule }) => rule.type))
  return refusals.filter(([type, refuses]) => types.has(type) && refuses(move)).map(([, , message]) => message)
}

export const violationMessage = (violations: readonly string[]): string =>
  `Repository rule violations found\n\n${violations.join('\n')}\n\n`

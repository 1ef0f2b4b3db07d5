import type { Metadata, Root } from '@tufjs/models'
import { accepted, type Checked, type Problem, quoted, rejected } from '../problem.ts'
import { tufKey } from './keys.ts'
import { type AnyMetadata, type RoleKeys, rootMetadata } from './metadata.ts'
import type { ManifestCode } from './problems.ts'
import { topRoleKeys } from './repository.ts'
import type { Authority, SigningRequest } from './schema.ts'

/** Offline roles need two people: one stolen key, or one person, changes nothing. */
export const MIN_OFFLINE_THRESHOLD = 2

type TopRole = 'root' | 'targets' | 'snapshot' | 'timestamp'
const TOP_ROLES: readonly TopRole[] = ['root', 'targets', 'snapshot', 'timestamp']
const OFFLINE: ReadonlySet<string> = new Set(['root', 'targets'])

export interface KeyChange {
  readonly add: readonly string[]
  /** Key ids, or at least 8 first digits of one. */
  readonly remove: readonly string[]
  readonly threshold?: number | undefined
}

export type Refused = Problem<ManifestCode>

/** Who has to sign, by the keys that somebody names. */
export const authorityOf = (by: string, keys: RoleKeys): Authority => ({
  by,
  publicKeys: keys.keys.flatMap((key) => key.keyVal['public'] ?? []),
  threshold: keys.threshold,
})

/** A request that nobody has signed yet. */
export const newRequest = (role: string, authorities: Authority[], metadata: AnyMetadata): SigningRequest => ({
  schema: 'ringmaster/signing-request/1',
  role,
  authorities,
  metadata: { ...metadata.toJSON() },
  documents: [],
})

/** Asks for the first root: signed by its own keys. */
export function firstRootRequest(
  roles: Readonly<Record<TopRole, RoleKeys>>,
  expires: string,
): Checked<SigningRequest, ManifestCode> {
  const problems = TOP_ROLES.flatMap((role) => checkKeys(role, roles[role]))
  if (problems.length > 0) return rejected(...problems)
  return accepted(
    newRequest('root', [authorityOf('root version 1', roles.root)], rootMetadata({ version: 1, expires, roles })),
  )
}

/**
 * Asks for the next root with changed keys of some roles, or only a later expiry. Signed by the keys of the root
 * before and by its own: that is what leads devices from one to the next.
 */
export function nextRootRequest(
  previous: Metadata<Root>,
  changes: ReadonlyMap<TopRole, KeyChange>,
  expires: string,
): Checked<SigningRequest, ManifestCode> {
  const changed = TOP_ROLES.map(
    (role) => [role, applyChange(role, topRoleKeys(previous, role), changes.get(role))] as const,
  )
  const problems = changed.flatMap(([, result]) => (result.ok ? [] : result.problems))
  if (problems.length > 0) return rejected(...problems)
  const keysOf = (role: TopRole): RoleKeys => {
    const result = changed.find(([name]) => name === role)?.[1]
    return result?.ok ? result.value : topRoleKeys(previous, role)
  }
  const roles = {
    root: keysOf('root'),
    targets: keysOf('targets'),
    snapshot: keysOf('snapshot'),
    timestamp: keysOf('timestamp'),
  }
  const version = previous.signed.version + 1
  const authorities = [
    authorityOf(`root version ${version - 1}`, topRoleKeys(previous, 'root')),
    authorityOf(`root version ${version}`, roles.root),
  ]
  return accepted(newRequest('root', authorities, rootMetadata({ version, expires, roles })))
}

/** The keys of a role after a change; refused when too few are left, or one to remove is not there. */
export function applyChange(
  role: string,
  keys: RoleKeys,
  change: KeyChange | undefined,
): Checked<RoleKeys, ManifestCode> {
  if (!change) return accepted(keys)
  const unknown = change.remove.filter((id) => id.length < 8 || !keys.keys.some((key) => key.keyID.startsWith(id)))
  if (unknown.length > 0) {
    return rejected(
      ...unknown.map((id) => ({
        code: 'key-unknown' as const,
        message: `expected a key of ${role} to remove, found ${quoted(id)}`,
        hint: `Its keys are: ${keys.keys.map((key) => key.keyID.slice(0, 12)).join(', ')}.`,
      })),
    )
  }
  const left = keys.keys.filter((key) => !change.remove.some((id) => key.keyID.startsWith(id)))
  const all = new Map([...left, ...change.add.map(tufKey)].map((key) => [key.keyID, key] as const))
  const next = { keys: [...all.values()], threshold: change.threshold ?? keys.threshold }
  const problems = checkKeys(role, next)
  return problems.length > 0 ? rejected(...problems) : accepted(next)
}

/** What is wrong with the keys of a role. */
export function checkKeys(role: string, { keys, threshold }: RoleKeys): Refused[] {
  const count = new Set(keys.map((key) => key.keyID)).size
  const least = OFFLINE.has(role) ? MIN_OFFLINE_THRESHOLD : 1
  return [
    ...(Number.isInteger(threshold) && threshold >= least
      ? []
      : [
          {
            code: 'threshold-low' as const,
            message: `expected at least ${least} signature(s) for ${role}, found a threshold of ${threshold}`,
          },
        ]),
    ...(count >= threshold
      ? []
      : [
          {
            code: 'threshold-low' as const,
            message: `expected at least ${threshold} different keys for ${role}, found ${count}`,
          },
        ]),
  ]
}

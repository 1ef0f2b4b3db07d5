import type { Metadata, Root, Targets } from '@tufjs/models'
import type { Bundle } from '../cohort/schema.ts'
import { compareVersions, parseVersion } from '../cohort/semantic-version.ts'
import { sha256 } from '../json.ts'
import { accepted, type Checked, type Problem, quoted, rejected } from '../problem.ts'
import { bundleDocument, referenceTo } from './build.ts'
import { tufKey } from './keys.ts'
import { type AnyMetadata, type Delegation, type RoleKeys, rootMetadata, targetsMetadata } from './metadata.ts'
import { bundlesPaths, bundlesRole, cohortPaths, cohortRole } from './names.ts'
import type { ManifestCode } from './problems.ts'
import { delegatedKeys, delegationsOf, topRoleKeys } from './repository.ts'
import { type Authority, EXTRA_NAME, type Floor, type SigningRequest } from './schema.ts'
import { floorsOf, retiredCohorts } from './signed-bundles.ts'

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

type Refused = Problem<ManifestCode>

const authorityOf = (by: string, keys: RoleKeys): Authority => ({
  by,
  publicKeys: keys.keys.flatMap((key) => key.keyVal['public'] ?? []),
  threshold: keys.threshold,
})

const request = (role: string, authorities: Authority[], metadata: AnyMetadata): SigningRequest => ({
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
    request('root', [authorityOf('root version 1', roles.root)], rootMetadata({ version: 1, expires, roles })),
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
  return accepted(request('root', authorities, rootMetadata({ version, expires, roles })))
}

function applyChange(role: string, keys: RoleKeys, change: KeyChange | undefined): Checked<RoleKeys, ManifestCode> {
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

function checkKeys(role: string, { keys, threshold }: RoleKeys): Refused[] {
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

export interface DelegationChanges {
  readonly addGroups?: readonly ({ readonly group: string } & RoleKeys)[]
  readonly addCohorts?: readonly ({ readonly cohort: string } & RoleKeys)[]
  readonly retireCohorts?: readonly string[]
  /** Changed keys of roles that exist already, by role name. */
  readonly keys?: ReadonlyMap<string, KeyChange>
}

/**
 * Asks for the next targets: which bundles groups and cohorts exist, and whose keys speak for them. A cohort that was
 * retired stays as a tombstone; its name is refused for ever.
 */
export function targetsRequest(
  root: Metadata<Root>,
  previous: Metadata<Targets> | undefined,
  changes: DelegationChanges,
  expires: string,
): Checked<SigningRequest, ManifestCode> {
  const before = previous ? delegationsOf(previous) : []
  const retired = retiredCohorts(previous)
  const added: Delegation[] = [
    ...(changes.addGroups ?? []).map((item) => ({
      ...item,
      name: bundlesRole(item.group),
      paths: [bundlesPaths(item.group)],
    })),
    ...(changes.addCohorts ?? []).map((item) => ({
      ...item,
      name: cohortRole(item.cohort),
      paths: [cohortPaths(item.cohort)],
    })),
  ]
  const retiring = new Set((changes.retireCohorts ?? []).map(cohortRole))
  const kept = before
    .filter(({ name }) => !retiring.has(name))
    .map((role) => ({ role, keys: applyChange(role.name, role, changes.keys?.get(role.name)) }))
  const problems = [
    ...kept.flatMap(({ keys }) => (keys.ok ? [] : keys.problems)),
    ...added.flatMap((role) => checkKeys(role.name, role)),
    ...nameProblems(before, added, [...retiring], changes, retired),
  ]
  if (problems.length > 0) return rejected(...problems)
  const delegations = [...kept.map(({ role, keys }) => ({ ...role, ...(keys.ok ? keys.value : {}) })), ...added]
  const metadata = targetsMetadata({
    version: (previous?.signed.version ?? 0) + 1,
    expires,
    targets: [],
    delegations,
    extra: { name: EXTRA_NAME, value: { retired: [...new Set([...retired, ...(changes.retireCohorts ?? [])])] } },
  })
  const by = `root version ${root.signed.version}`
  return accepted(request('targets', [authorityOf(by, topRoleKeys(root, 'targets'))], metadata))
}

function nameProblems(
  before: readonly Delegation[],
  added: readonly Delegation[],
  retiring: readonly string[],
  changes: DelegationChanges,
  retired: readonly string[],
): Refused[] {
  const exists = (name: string) => before.some((role) => role.name === name)
  const buried = new Set(retired.map(cohortRole))
  return [
    ...added
      .filter(({ name }, at) => exists(name) || added.findIndex((other) => other.name === name) !== at)
      .map(({ name }) => ({
        code: 'request-invalid' as const,
        message: `expected a new role, found that ${name} exists already`,
      })),
    ...added
      .filter(({ name }) => buried.has(name))
      .map(({ name }) => ({
        code: 'request-invalid' as const,
        message: `expected a name that was never used, found the retired cohort ${name}`,
        hint: 'Old devices may still hold what the retired cohort was; choose another name.',
      })),
    ...[...retiring, ...(changes.keys?.keys() ?? [])]
      .filter((name) => !exists(name))
      .map((name) => ({
        code: 'cohort-unknown' as const,
        message: `expected a role of targets.json, found ${quoted(name)}`,
      })),
  ]
}

/**
 * Asks the holders of a bundles key for the next list: what was signed before, the new bundles, and the floors. Made
 * after sign-off; the documents travel with it so that the signer sees what is inside. Floors only rise.
 */
export function bundlesRequest(options: {
  readonly targets: Metadata<Targets>
  readonly group: string
  readonly previous: Metadata<Targets> | undefined
  readonly bundles: readonly Bundle[]
  readonly floors?: readonly Floor[]
  readonly expires: string
}): Checked<SigningRequest, ManifestCode> {
  const role = bundlesRole(options.group)
  const keys = delegatedKeys(options.targets, role)
  if (!keys)
    return rejected({
      code: 'request-invalid',
      message: `expected a bundles group of targets.json, found ${quoted(options.group)}`,
    })
  const before = options.previous ? floorsOf(options.previous) : accepted([])
  if (!before.ok) return before
  const documents = options.bundles.map((bundle) => {
    const bytes = bundleDocument(bundle)
    const { path, product, version, id } = referenceTo(bundle, options.group)
    return { path, bytes, custom: { id, product, version } }
  })
  const problems = [
    ...(options.floors ?? []).flatMap((floor) => lowered(floor, before.value)),
    ...documents.flatMap((document) => changedBundle(document, options.previous)),
  ]
  if (problems.length > 0) return rejected(...problems)
  const floors = new Map([...before.value, ...(options.floors ?? [])].map((floor) => [floor.product, floor] as const))
  const metadata = targetsMetadata({
    version: (options.previous?.signed.version ?? 0) + 1,
    expires: options.expires,
    targets: documents,
    kept: options.previous,
    extra: { name: EXTRA_NAME, value: { floors: [...floors.values()] } },
  })
  return accepted({
    ...request(role, [authorityOf('targets.json', keys)], metadata),
    documents: documents.map(({ path, bytes }) => ({ path, text: Buffer.from(bytes).toString('utf8') })),
  })
}

function lowered(floor: Floor, before: readonly Floor[]): Refused[] {
  const old = before.find(({ product }) => product === floor.product)
  const wanted = parseVersion(floor.version)
  const was = old && parseVersion(old.version)
  if (!wanted)
    return [
      {
        code: 'request-invalid',
        message: `expected a version for the floor of ${quoted(floor.product)}, found ${quoted(floor.version)}`,
      },
    ]
  if (!was || compareVersions(wanted, was) >= 0) return []
  return [
    {
      code: 'request-invalid',
      message: `expected a floor of ${quoted(floor.product)} not below ${quoted(old.version)}, found ${quoted(floor.version)}`,
    },
  ]
}

/** A bundle is immutable: under its id nothing else is ever signed. */
function changedBundle(
  document: { readonly path: string; readonly bytes: Uint8Array; readonly custom: { readonly id: string } },
  previous: Metadata<Targets> | undefined,
): Refused[] {
  const targets = previous?.signed.targets
  const old = targets && Object.hasOwn(targets, document.path) ? targets[document.path] : undefined
  if (!old || old.hashes['sha256'] === sha256(document.bytes).slice(7)) return []
  return [
    {
      code: 'bundle-mismatch',
      message: `expected the bundle ${quoted(document.custom.id)} as it was signed before, found other content under the same id`,
    },
  ]
}

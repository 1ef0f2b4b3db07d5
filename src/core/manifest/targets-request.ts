import type { Metadata, Root, Targets } from '@tufjs/models'
import { accepted, type Checked, quoted, rejected } from '../problem.ts'
import { type Delegation, type RoleKeys, targetsMetadata } from './metadata.ts'
import { bundlesPaths, bundlesRole, cohortPaths, cohortRole } from './names.ts'
import type { ManifestCode } from './problems.ts'
import { delegationsOf, topRoleKeys } from './repository.ts'
import { applyChange, authorityOf, checkKeys, type KeyChange, newRequest, type Refused } from './requests.ts'
import { EXTRA_NAME, type SigningRequest } from './schema.ts'
import { retiredCohorts } from './signed-bundles.ts'

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
  return accepted(newRequest('targets', [authorityOf(by, topRoleKeys(root, 'targets'))], metadata))
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

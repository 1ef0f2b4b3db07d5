import type { Metadata, Root, Targets } from '@tufjs/models'
import { sha256 } from '../json.ts'
import { quoted } from '../problem.ts'
import { isExpiredAt, matchesMeta, type RoleKeys } from './metadata.ts'
import { cohortRole } from './names.ts'
import type { ManifestCode, ManifestProblem } from './problems.ts'
import type { CohortPayload, Payload, RoleFile } from './publication.ts'
import { delegatedKeys, delegationsOf, type MetadataFile, type Repository, snapshotEntries } from './repository.ts'
import { checkReference } from './signed-bundles.ts'
import { isSigned, type TrustedSet } from './trusted-set.ts'

export const problem = (code: ManifestCode, role: string, message: string, hint?: string): ManifestProblem => ({
  code,
  message,
  path: `${role}.json`,
  ...(hint !== undefined && { hint }),
})

/** A file signed offline: by the right keys, valid now, and newer than the published one (or the very same). */
export function checkRole(
  role: string,
  file: MetadataFile<Metadata<Targets>>,
  keys: RoleKeys | undefined,
  authority: Metadata<Root> | Metadata<Targets>,
  previous: Repository,
  nowMs: number,
): ManifestProblem[] {
  if (!keys) {
    return [problem('cohort-unknown', role, `expected a role that targets.json delegates to, found ${quoted(role)}`)]
  }
  const { version } = file.metadata.signed
  const old = previous.roles.get(role)
  const isOld = old?.metadata.signed.version === version && sha256(old.bytes) === sha256(file.bytes)
  const published = snapshotEntries(previous.snapshot?.metadata).get(role)?.version ?? 0
  return [
    ...(isSigned(authority, role, file.metadata)
      ? []
      : [
          problem(
            'metadata-unsigned',
            role,
            `expected ${role}.json signed by ${keys.threshold} of its ${keys.keys.length} keys, found too few valid signatures`,
            'Let the other holders run `ringmaster keys sign` on it.',
          ),
        ]),
    ...(isExpiredAt(file.metadata, nowMs)
      ? [
          problem(
            'metadata-expired',
            role,
            `expected ${role}.json valid now, found that it expired at ${file.metadata.signed.expires}`,
          ),
        ]
      : []),
    ...(version > published || isOld
      ? []
      : [
          problem(
            'metadata-older',
            role,
            `expected ${role}.json newer than version ${published}, found version ${version}`,
          ),
        ]),
  ]
}

/** Delegated roles that stay as they are published: their keys may have been changed, or their time be over. */
export function checkKept(
  previous: Repository,
  offline: readonly RoleFile[],
  targets: Metadata<Targets>,
  nowMs: number,
): ManifestProblem[] {
  const replaced = new Set(offline.map((item) => item.role))
  return delegationsOf(targets).flatMap(({ name }) => {
    const file = previous.roles.get(name)
    if (!file || replaced.has(name) || isOnline(name)) return []
    return checkRole(name, file, delegatedKeys(targets, name), targets, previous, nowMs)
  })
}

/** Roles that the App signs by itself whenever it has to. */
export const isOnline = (role: string): boolean => role.startsWith('cohorts-')

export function checkDocuments(
  offline: readonly RoleFile[],
  documents: readonly Payload[],
  previous: Repository,
): ManifestProblem[] {
  const given = new Map(documents.map((document) => [document.path, document.bytes]))
  return offline.flatMap(({ role, file }) => {
    const old = previous.roles.get(role)?.metadata.signed.targets
    return Object.entries(file.metadata.signed.targets).flatMap(([path, target]) => {
      const before = old && Object.hasOwn(old, path) ? old[path] : undefined
      const bytes = given.get(path)
      if (bytes ? matchesMeta(target, bytes) : before?.hashes['sha256'] === target.hashes['sha256']) return []
      const found = bytes ? 'other bytes' : 'no such file'
      return [
        problem(
          'bundle-mismatch',
          role,
          `expected the file ${quoted(path)} with the digest that was signed, found ${found}`,
        ),
      ]
    })
  })
}

/** What devices will trust once this is published, but for freshness and cohorts. */
export function trustedAfter(
  root: Metadata<Root>,
  targets: MetadataFile<Metadata<Targets>>,
  offline: readonly RoleFile[],
  previous: Repository,
  nowMs: number,
): TrustedSet {
  const roles = new Map([...previous.roles].map(([role, file]) => [role, file.metadata] as const))
  for (const { role, file } of offline) roles.set(role, file.metadata)
  return { nowMs, root, roles: roles.set('targets', targets.metadata) }
}

/** Each manifest's cohort has to exist, and it may name signed bundles only: devices would refuse anything else. */
export function checkManifests(manifests: readonly CohortPayload[], trusted: TrustedSet): ManifestProblem[] {
  const targets = trusted.roles.get('targets')
  return manifests.flatMap(({ cohort, bundles }) => {
    const role = cohortRole(cohort)
    if (!targets || !delegatedKeys(targets, role)) {
      return [
        problem(
          'cohort-unknown',
          role,
          `expected a cohort that targets.json delegates to, found ${quoted(cohort)}`,
          'Add it with `ringmaster keys cohorts --add`; the holders of the targets keys sign.',
        ),
      ]
    }
    return bundles.flatMap((bundle) => {
      const checked = checkReference(bundle, trusted)
      return checked.ok ? [] : checked.problems
    })
  })
}

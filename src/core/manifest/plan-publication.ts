import type { Metadata, Root, Snapshot, Targets } from '@tufjs/models'
import { sha256 } from '../json.ts'
import { accepted, type Checked, impossible, rejected } from '../problem.ts'
import { decodeMetadata, isExpiredAt, targetsMetadata } from './metadata.ts'
import { cohortRole, manifestPath, metadataFile, targetFile } from './names.ts'
import type { ManifestCode } from './problems.ts'
import type {
  Change,
  CohortPayload,
  Payload,
  PublicationPlan,
  PublicationRules,
  PublishedFile,
  RoleFile,
  ToSign,
} from './publication.ts'
import {
  checkDocuments,
  checkKept,
  checkManifests,
  checkRole,
  isOnline,
  problem,
  trustedAfter,
} from './publication-checks.ts'
import { delegatedKeys, delegationsOf, type Repository, snapshotEntries, topRoleKeys } from './repository.ts'
import { acceptRoot, isSigned, trustRoot } from './trusted-set.ts'

type Code = ManifestCode

/**
 * Plans the next publication from what is published and what changed. Pure; refuses with all problems at once what
 * devices would refuse: a gap in roots, too few signatures, an expired file, an older version, a bundle document that
 * is not what was signed, a cohort that targets does not know.
 */
export function planPublication(
  previous: Repository,
  change: Change,
  rules: PublicationRules,
): Checked<PublicationPlan, Code> {
  const nowMs = Date.parse(rules.now)
  const roots = walkRoots(previous.root, change.roots ?? [], nowMs)
  if (!roots.ok) return roots
  const { root } = roots.value
  const offline = readOffline(change.offline ?? [])
  if (!offline.ok) return offline
  const targets = offline.value.find((item) => item.role === 'targets')?.file ?? previous.roles.get('targets')
  if (!targets)
    return rejected(
      problem('metadata-missing', 'targets', 'expected a signed targets.json to publish with, found none'),
    )

  const problems = [
    ...checkRole('targets', targets, topRoleKeys(root, 'targets'), root, previous, nowMs),
    ...offline.value
      .filter((item) => item.role !== 'targets')
      .flatMap((item) =>
        checkRole(item.role, item.file, delegatedKeys(targets.metadata, item.role), targets.metadata, previous, nowMs),
      ),
    ...checkKept(previous, offline.value, targets.metadata, nowMs),
    ...checkDocuments(offline.value, change.documents ?? [], previous),
    ...checkManifests(change.manifests ?? [], trustedAfter(root, targets, offline.value, previous, nowMs)),
  ]
  if (problems.length > 0) return rejected(...problems)

  const toSign = signNow(change.manifests ?? [], previous, targets.metadata, rules)
  const changed = offline.value.length > 0 || toSign.length > 0 || rotated(previous.root, root)
  const keepSnapshot = !changed && previous.snapshot !== undefined && hasHalfLeft(previous.snapshot.metadata, rules)
  return accepted({
    root,
    ready: [...roots.value.files, ...payloadFiles(change), ...offline.value.map(metadataOf)],
    toSign,
    offline: offline.value,
    previous,
    snapshot: keepSnapshot
      ? null
      : {
          version: nextVersion('snapshot', previous.snapshot?.metadata.signed.version ?? 0, rules),
          expires: after(rules.now, rules.snapshotSeconds),
        },
    timestamp: {
      version: nextVersion('timestamp', previous.timestampVersion, rules),
      expires: after(rules.now, rules.timestampSeconds),
    },
  })
}

const after = (now: string, seconds: number): string => new Date(Date.parse(now) + seconds * 1000).toISOString()

const nextVersion = (role: string, published: number, rules: PublicationRules): number =>
  Math.max(published, rules.usedVersions?.get(role) ?? 0) + 1

const hasHalfLeft = (metadata: Metadata<Snapshot>, rules: PublicationRules): boolean =>
  Date.parse(metadata.signed.expires) - Date.parse(rules.now) > (rules.snapshotSeconds * 1000) / 2

const rotated = (before: Metadata<Root> | undefined, now: Metadata<Root>): boolean =>
  before?.signed.version !== now.signed.version

/** A targets file under its versioned name. */
export const metadataOf = ({ role, file }: RoleFile): PublishedFile => ({
  path: metadataFile(role, file.metadata.signed.version),
  bytes: file.bytes,
  immutable: true,
})

const payloadFile = (payload: Payload): PublishedFile => ({
  path: targetFile(payload.path, sha256(payload.bytes).slice(7)),
  bytes: payload.bytes,
  immutable: true,
})

const payloadFiles = (change: Change): PublishedFile[] => [
  ...(change.documents ?? []).map(payloadFile),
  ...(change.manifests ?? []).map(({ cohort, bytes }) => payloadFile({ path: manifestPath(cohort), bytes })),
]

function walkRoots(
  published: Metadata<Root> | undefined,
  roots: readonly Uint8Array[],
  nowMs: number,
): Checked<{ root: Metadata<Root>; files: PublishedFile[] }, Code> {
  let trusted = published && { nowMs, root: published, roles: new Map() }
  const files: PublishedFile[] = []
  for (const bytes of roots) {
    const next = trusted ? acceptRoot(trusted, bytes) : trustRoot(bytes, nowMs)
    if (!next.ok) return next
    trusted = { nowMs, root: next.value.root, roles: new Map() }
    files.push({ path: metadataFile('root', trusted.root.signed.version), bytes, immutable: true })
  }
  if (!trusted)
    return rejected(
      problem(
        'metadata-missing',
        '1.root',
        'expected the first root to publish with, found none',
        'Make one with `ringmaster keys init`.',
      ),
    )
  if (isExpiredAt(trusted.root, nowMs)) {
    return rejected(
      problem(
        'metadata-expired',
        'root',
        `expected a root that is valid now, found that version ${trusted.root.signed.version} expired at ${trusted.root.signed.expires}`,
      ),
    )
  }
  return accepted({ root: trusted.root, files })
}

function readOffline(items: NonNullable<Change['offline']>): Checked<readonly RoleFile[], Code> {
  const read = items.map(({ role, bytes }) => ({ role, bytes, checked: decodeMetadata('targets', role, bytes) }))
  const problems = read.flatMap(({ checked }) => (checked.ok ? [] : checked.problems))
  if (problems.length > 0) return rejected(...problems)
  return accepted(
    read.flatMap(({ role, bytes, checked }) =>
      checked.ok ? [{ role, file: { bytes, metadata: checked.value } }] : [],
    ),
  )
}

/** Cohort roles to sign now: new manifests, and kept ones whose online key was changed. */
function signNow(
  manifests: readonly CohortPayload[],
  previous: Repository,
  targets: Metadata<Targets>,
  rules: PublicationRules,
): ToSign[] {
  const fresh = new Map(manifests.map((manifest) => [cohortRole(manifest.cohort), manifest]))
  return delegationsOf(targets).flatMap((delegation) => {
    if (!isOnline(delegation.name)) return []
    const manifest = fresh.get(delegation.name)
    const old = previous.roles.get(delegation.name)
    const published = snapshotEntries(previous.snapshot?.metadata).get(delegation.name)?.version ?? 0
    const version = nextVersion(delegation.name, published, rules)
    if (manifest) {
      const targetEntries = [{ path: manifestPath(manifest.cohort), bytes: manifest.bytes }]
      return [
        {
          role: delegation.name,
          keys: delegation,
          metadata: targetsMetadata({ version, expires: manifest.expiresAt, targets: targetEntries }),
        },
      ]
    }
    if (!old || isSigned(targets, delegation.name, old.metadata)) return []
    return [{ role: delegation.name, keys: delegation, metadata: withVersion(old.metadata, version) }]
  })
}

function withVersion(metadata: Metadata<Targets>, version: number): Metadata<Targets> {
  const copy = { signed: { ...metadata.signed.toJSON(), version }, signatures: [] }
  const again = decodeMetadata('targets', 'targets', Buffer.from(JSON.stringify(copy)))
  return again.ok ? again.value : impossible(`metadata that no longer reads: ${again.problems[0]?.message}`)
}

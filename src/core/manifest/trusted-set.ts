import type { Metadata, Root, Snapshot, Targets, Timestamp } from '@tufjs/models'
import { accepted, type Checked, type Problem, rejected } from '../problem.ts'
import { type AnyMetadata, decodeMetadata, isExpiredAt, matchesMeta } from './metadata.ts'
import type { ManifestCode } from './problems.ts'

/**
 * The client workflow of TUF (specification, section 5) over values: each step takes what is trusted so far and the
 * bytes of one file, and answers what is trusted then, or why the file is refused. Used by devices and by the
 * publisher when it reads its own publication back. `tuf-js` does the same with its own clock and its own files; a
 * device needs the clock as an argument (its floor) and refusals that name the file.
 */
export interface TrustedSet {
  /** The fixed start of this update, milliseconds since 1970. */
  readonly nowMs: number
  readonly root: Metadata<Root>
  readonly timestamp?: Metadata<Timestamp>
  readonly snapshot?: Metadata<Snapshot>
  readonly roles: ReadonlyMap<string, Metadata<Targets>>
}

type Step<T> = Checked<T, ManifestCode>

const refuse = (code: ManifestCode, role: string, message: string, hint: string) =>
  rejected<ManifestCode>({ code, message, hint, path: `${role}.json` } satisfies Problem<ManifestCode>)

const KEEPS = 'Nothing was changed; the device keeps what it has.'

/** Whether enough keys of `role`, as `authority` names them, signed the metadata. */
export function isSigned(authority: Metadata<Root> | Metadata<Targets>, role: string, metadata: AnyMetadata): boolean {
  try {
    authority.verifyDelegate(role, metadata as Metadata<Root>)
    return true
  } catch {
    return false
  }
}

const unsigned = (role: string, by: string) =>
  refuse(
    'metadata-unsigned',
    role,
    `expected ${role}.json signed by enough keys that ${by} names for it, found too few valid signatures`,
    'The file was altered or signed by other keys. After a change of keys, the host must still serve every <n>.root.json.',
  )

const expired = (role: string, metadata: AnyMetadata, nowMs: number) =>
  refuse(
    'metadata-expired',
    role,
    `expected ${role}.json valid at ${new Date(nowMs).toISOString()}, found that it expired at ${metadata.signed.expires}`,
    KEEPS,
  )

const older = (role: string, found: number, trusted: number) =>
  refuse('metadata-older', role, `expected ${role}.json of version ${trusted} or newer, found version ${found}`, KEEPS)

/** Begins with the root a device was given; it may have expired, for newer ones may follow. */
export function trustRoot(bytes: Uint8Array, nowMs: number): Step<TrustedSet> {
  const root = decodeMetadata('root', 'root', bytes)
  if (!root.ok) return root
  if (!isSigned(root.value, 'root', root.value)) return unsigned('root', 'itself')
  return accepted({ nowMs, root: root.value, roles: new Map() })
}

/** The next root: signed by the keys of the trusted one and by its own, its version exactly one higher. */
export function acceptRoot(trusted: TrustedSet, bytes: Uint8Array): Step<TrustedSet> {
  const wanted = trusted.root.signed.version + 1
  const name = `${wanted}.root`
  const next = decodeMetadata('root', name, bytes)
  if (!next.ok) return next
  if (!isSigned(trusted.root, 'root', next.value)) return unsigned(name, `root version ${trusted.root.signed.version}`)
  if (!isSigned(next.value, 'root', next.value)) return unsigned(name, 'itself')
  const { version } = next.value.signed
  if (version !== wanted) {
    return refuse('version-gap', name, `expected version ${wanted} in ${name}.json, found version ${version}`, KEEPS)
  }
  return accepted({ nowMs: trusted.nowMs, root: next.value, roles: new Map() })
}

/** After the last root: it has to be valid now. */
export function settleRoot(trusted: TrustedSet): Step<TrustedSet> {
  return isExpiredAt(trusted.root, trusted.nowMs)
    ? expired(`${trusted.root.signed.version}.root`, trusted.root, trusted.nowMs)
    : accepted(trusted)
}

/**
 * Whether the keys of freshness were changed between two roots. Then trusted timestamp and snapshot are forgotten, or
 * a thief of the old keys who signed far into the future would lock the device out for good (section 5.3.11).
 */
export function rotatesFreshness(before: Metadata<Root>, after: Metadata<Root>): boolean {
  return (['timestamp', 'snapshot'] as const).some((role) => {
    const ids = (root: Metadata<Root>) => [...(root.signed.roles[role]?.keyIDs ?? [])].sort().join()
    return ids(before) !== ids(after)
  })
}

/** What was trusted at the last update, to compare with; absent when it no longer reads or the keys have changed. */
export function recallTimestamp(trusted: TrustedSet, bytes: Uint8Array): TrustedSet {
  const old = decodeMetadata('timestamp', 'timestamp', bytes)
  return old.ok && isSigned(trusted.root, 'timestamp', old.value) ? { ...trusted, timestamp: old.value } : trusted
}

/** As `recallTimestamp`, for the snapshot. */
export function recallSnapshot(trusted: TrustedSet, bytes: Uint8Array): TrustedSet {
  const old = decodeMetadata('snapshot', 'snapshot', bytes)
  return old.ok && isSigned(trusted.root, 'snapshot', old.value) ? { ...trusted, snapshot: old.value } : trusted
}

/** The timestamp: signed, not older than the trusted one, not expired. An equal version keeps the trusted one. */
export function acceptTimestamp(trusted: TrustedSet, bytes: Uint8Array): Step<TrustedSet> {
  const next = decodeMetadata('timestamp', 'timestamp', bytes)
  if (!next.ok) return next
  if (!isSigned(trusted.root, 'timestamp', next.value)) {
    return unsigned('timestamp', `root version ${trusted.root.signed.version}`)
  }
  const old = trusted.timestamp?.signed
  const { version, snapshotMeta } = next.value.signed
  if (old && version < old.version) return older('timestamp', version, old.version)
  if (old && snapshotMeta.version < old.snapshotMeta.version) {
    return older('snapshot', snapshotMeta.version, old.snapshotMeta.version)
  }
  const kept = old && version === old.version ? trusted : { ...trusted, timestamp: next.value }
  return settleTimestamp(kept)
}

/** The trusted timestamp has to be valid now; used alone when the host says that nothing changed. */
export function settleTimestamp(trusted: TrustedSet): Step<TrustedSet & { readonly timestamp: Metadata<Timestamp> }> {
  const { timestamp } = trusted
  if (!timestamp) return missing('timestamp')
  if (isExpiredAt(timestamp, trusted.nowMs)) return expired('timestamp', timestamp, trusted.nowMs)
  return accepted({ ...trusted, timestamp })
}

const missing = (role: string) =>
  refuse('metadata-missing', role, `expected ${role}.json, found nothing trusted of that name`, KEEPS)

/** Whether the recalled snapshot is the very one that the timestamp names, so that it need not be fetched. */
export function holdsSnapshot(trusted: TrustedSet, bytes: Uint8Array): boolean {
  const meta = trusted.timestamp?.signed.snapshotMeta
  return !!meta && trusted.snapshot?.signed.version === meta.version && matchesMeta(meta, bytes)
}

/** The snapshot: as the timestamp names it, signed, nothing in it older than before or gone, not expired. */
export function acceptSnapshot(trusted: TrustedSet, bytes: Uint8Array): Step<TrustedSet> {
  const meta = trusted.timestamp?.signed.snapshotMeta
  if (!meta) return missing('timestamp')
  if (!matchesMeta(meta, bytes)) return mixed('snapshot', 'timestamp.json')
  const next = decodeMetadata('snapshot', 'snapshot', bytes)
  if (!next.ok) return next
  if (!isSigned(trusted.root, 'snapshot', next.value)) {
    return unsigned('snapshot', `root version ${trusted.root.signed.version}`)
  }
  if (next.value.signed.version !== meta.version) return mixed('snapshot', 'timestamp.json')
  for (const [file, was] of Object.entries(trusted.snapshot?.signed.meta ?? {})) {
    const role = file.replace(/\.json$/, '')
    const is = Object.hasOwn(next.value.signed.meta, file) ? next.value.signed.meta[file] : undefined
    if (!is)
      return refuse('metadata-missing', role, `expected ${file} still listed in snapshot.json, found it gone`, KEEPS)
    if (is.version < was.version) return older(role, is.version, was.version)
  }
  if (isExpiredAt(next.value, trusted.nowMs)) return expired('snapshot', next.value, trusted.nowMs)
  return accepted({ ...trusted, snapshot: next.value })
}

const mixed = (role: string, authority: string) =>
  refuse(
    'metadata-mixed',
    role,
    `expected ${role}.json exactly as ${authority} describes it, found other bytes or another version`,
    'The host serves files of different publications, or one was altered; nothing was changed on the device.',
  )

/** What the snapshot says of a role's file, or undefined when the role is not in it. */
export function metaOfRole(trusted: TrustedSet, role: string) {
  const meta = trusted.snapshot?.signed.meta
  return meta && Object.hasOwn(meta, `${role}.json`) ? meta[`${role}.json`] : undefined
}

/** Targets or a role delegated by it: as the snapshot names it, signed by the delegation's keys, not expired. */
export function acceptTargets(trusted: TrustedSet, role: string, bytes: Uint8Array): Step<TrustedSet> {
  const meta = metaOfRole(trusted, role)
  if (!meta) return missing(role)
  if (!matchesMeta(meta, bytes)) return mixed(role, 'snapshot.json')
  const next = decodeMetadata('targets', role, bytes)
  if (!next.ok) return next
  const authority = role === 'targets' ? trusted.root : trusted.roles.get('targets')
  if (!authority || !isSigned(authority, role, next.value)) {
    return unsigned(role, role === 'targets' ? `root version ${trusted.root.signed.version}` : 'targets.json')
  }
  if (next.value.signed.version !== meta.version) return mixed(role, 'snapshot.json')
  if (isExpiredAt(next.value, trusted.nowMs)) return expired(role, next.value, trusted.nowMs)
  return accepted({ ...trusted, roles: new Map(trusted.roles).set(role, next.value) })
}

/**
 * The first delegation of targets that a path belongs to; every one is terminating. Undefined when there is none. The
 * text before the first wildcard decides for nearly all of them, so that a thousand cohorts cost no pattern matching.
 */
export function roleOfPath(trusted: TrustedSet, path: string): string | undefined {
  const roles = trusted.roles.get('targets')?.signed.delegations?.roles ?? {}
  for (const role of Object.values(roles)) {
    const mayMatch = role.paths?.some((pattern) => path.startsWith(literalStart(pattern))) ?? true
    if (mayMatch && role.isDelegatedPath(path)) return role.name
  }
  return undefined
}

const literalStart = (pattern: string): string => pattern.slice(0, pattern.search(/[^\w./-]|$/))

/** What the loaded role says of a target; undefined when the role does not name it. */
export function targetOf(trusted: TrustedSet, role: string, path: string) {
  const targets = trusted.roles.get(role)?.signed.targets
  return targets && Object.hasOwn(targets, path) ? targets[path] : undefined
}

import {
  type Key,
  MetadataKind as Kind,
  Metadata,
  MetaFile,
  Root,
  Signature,
  type Snapshot,
  type TargetFile,
  type Targets,
  Timestamp,
} from '@tufjs/models'
import { canonicalJson, sha256 } from '../json.ts'
import { accepted, type Checked, quoted, rejected } from '../problem.ts'
import { snapshotFromJson, targetsFromJson, withSigned } from './linear-metadata.ts'
import type { ManifestCode } from './problems.ts'

/** TUF 1.0 metadata of the four kinds. Specification: https://theupdateframework.github.io/specification/v1.0.33/ */
const SPEC_VERSION = '1.0.31'

export type AnyMetadata = Metadata<Root> | Metadata<Targets> | Metadata<Snapshot> | Metadata<Timestamp>

/** Keys of a role with how many of them must sign. */
export interface RoleKeys {
  readonly keys: readonly Key[]
  readonly threshold: number
}

export interface RootContent {
  readonly version: number
  /** ISO 8601 UTC. */
  readonly expires: string
  readonly roles: {
    readonly root: RoleKeys
    readonly targets: RoleKeys
    readonly snapshot: RoleKeys
    readonly timestamp: RoleKeys
  }
}

export interface Delegation extends RoleKeys {
  readonly name: string
  /** Glob patterns of the target paths that the role is trusted for. */
  readonly paths: readonly string[]
}

export interface TargetEntry {
  readonly path: string
  readonly bytes: Uint8Array
  readonly custom?: Readonly<Record<string, string>>
}

/** A file that snapshot or timestamp vouch for. */
export interface MetaEntry {
  readonly role: string
  readonly version: number
  /** The exact bytes where they are at hand; a version alone otherwise. */
  readonly bytes?: Uint8Array
}

/** TUF knows whole seconds only. */
const tufDate = (iso: string): string => `${new Date(iso).toISOString().slice(0, 19)}Z`

/**
 * All metadata are made by parsing their JSON form: the constructors take what this takes, and the parser has the
 * checks. Objects are built from entries, because names come from outside and `__proto__` is one.
 */
const fromEntries = <T>(entries: readonly (readonly [string, T])[]): Record<string, T> => Object.fromEntries(entries)

const keysById = (roles: readonly RoleKeys[]) =>
  fromEntries(roles.flatMap((role) => role.keys).map((key) => [key.keyID, key.toJSON()] as const))

const roleJson = (role: RoleKeys) => ({
  keyids: [...new Set(role.keys.map((key) => key.keyID))],
  threshold: role.threshold,
})

/** Root metadata without signatures: which keys speak for the four top roles. */
export function rootMetadata(content: RootContent): Metadata<Root> {
  const roles = Object.entries(content.roles)
  return new Metadata(
    Root.fromJSON({
      _type: 'root',
      spec_version: SPEC_VERSION,
      version: content.version,
      expires: tufDate(content.expires),
      consistent_snapshot: true,
      keys: keysById(Object.values(content.roles)),
      roles: fromEntries(roles.map(([name, role]) => [name, roleJson(role)] as const)),
    }),
  )
}

/**
 * Targets metadata without signatures. `delegations` come in order of precedence, every one terminating: a path that
 * matches is looked for nowhere else. `extra` are signed members of our own, which other clients carry and ignore.
 */
export function targetsMetadata(content: {
  readonly version: number
  readonly expires: string
  readonly targets: readonly TargetEntry[]
  /** Targets that stay as they were signed before; those in `targets` come first. */
  readonly kept?: Metadata<Targets> | undefined
  readonly delegations?: readonly Delegation[]
  readonly extra?: { readonly name: string; readonly value: Parameters<typeof Targets.fromJSON>[0] } | undefined
}): Metadata<Targets> {
  const delegations = content.delegations && {
    keys: keysById(content.delegations),
    roles: content.delegations.map((role) => ({
      name: role.name,
      ...roleJson(role),
      paths: [...role.paths],
      terminating: true,
    })),
  }
  return new Metadata(
    targetsFromJson({
      _type: 'targets',
      spec_version: SPEC_VERSION,
      version: content.version,
      expires: tufDate(content.expires),
      targets: fromEntries([
        ...keptJson(content.kept),
        ...content.targets.map((entry) => [entry.path, targetJson(entry)] as const),
      ]),
      ...(delegations && { delegations }),
      ...(content.extra && { [content.extra.name]: content.extra.value }),
    }),
  )
}

const keptJson = (kept: Metadata<Targets> | undefined) =>
  Object.entries(kept?.signed.targets ?? {}).map(([path, target]) => [path, target.toJSON()] as const)

const hashesOf = (bytes: Uint8Array) => ({ sha256: sha256(bytes).slice(7) })

const targetJson = (entry: TargetEntry) => ({
  length: entry.bytes.length,
  hashes: hashesOf(entry.bytes),
  ...(entry.custom && { custom: { ...entry.custom } }),
})

const metaJson = (entry: MetaEntry) => ({
  version: entry.version,
  ...(entry.bytes && { length: entry.bytes.length, hashes: hashesOf(entry.bytes) }),
})

/** Snapshot metadata without signatures: the version of every targets file, the retired ones included. */
export function snapshotMetadata(content: {
  readonly version: number
  readonly expires: string
  readonly files: readonly { readonly role: string; readonly meta: MetaFile }[]
}): Metadata<Snapshot> {
  return new Metadata(
    snapshotFromJson({
      _type: 'snapshot',
      spec_version: SPEC_VERSION,
      version: content.version,
      expires: tufDate(content.expires),
      meta: fromEntries(content.files.map((file) => [`${file.role}.json`, file.meta.toJSON()] as const)),
    }),
  )
}

/** The entry for a file of which the exact bytes are known. */
export const metaOf = (entry: MetaEntry): MetaFile => MetaFile.fromJSON(metaJson(entry))

/** Timestamp metadata without signatures. */
export function timestampMetadata(content: {
  readonly version: number
  readonly expires: string
  readonly snapshot: MetaEntry
}): Metadata<Timestamp> {
  return new Metadata(
    Timestamp.fromJSON({
      _type: 'timestamp',
      spec_version: SPEC_VERSION,
      version: content.version,
      expires: tufDate(content.expires),
      meta: { 'snapshot.json': metaJson(content.snapshot) },
    }),
  )
}

/** The exact bytes that a key signs. */
export function signableBytes(metadata: AnyMetadata): Uint8Array {
  let bytes: Uint8Array = new Uint8Array()
  const probe = new Metadata(metadata.signed as Root)
  probe.sign((data) => {
    bytes = data
    return new Signature({ keyID: '', sig: '' })
  })
  return bytes
}

/** The same metadata with one signature more; a signature of the same key is replaced. */
export function withSignature<M extends AnyMetadata>(metadata: M, keyId: string, signature: Uint8Array): M {
  const sig = new Signature({ keyID: keyId, sig: Buffer.from(signature).toString('hex') })
  const others = Object.entries(metadata.signatures).filter(([id]) => id !== keyId)
  const signatures = fromEntries([...others, [keyId, sig] as const])
  return new Metadata(metadata.signed as Root, signatures, metadata.unrecognizedFields) as unknown as M
}

/** The bytes of a metadata file: canonical JSON, so that equal metadata are equal files. */
export const encodeMetadata = (metadata: AnyMetadata): Uint8Array =>
  Buffer.from(canonicalJson(metadata.toJSON()), 'utf8')

interface KindOf {
  root: Metadata<Root>
  targets: Metadata<Targets>
  snapshot: Metadata<Snapshot>
  timestamp: Metadata<Timestamp>
}
export type MetadataKind = keyof KindOf

const DATE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/

/**
 * Reads a metadata file; signatures are not checked here. Stricter than `@tufjs/models` where that is lenient: an
 * expiry it cannot read would never expire there, and a version must be a whole number.
 */
export function decodeMetadata<K extends MetadataKind>(
  kind: K,
  role: string,
  bytes: Uint8Array,
): Checked<KindOf[K], ManifestCode> {
  try {
    const data = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    const metadata = READERS[kind](data) as AnyMetadata
    const { version, expires } = metadata.signed
    if (!Number.isSafeInteger(version) || version < 1)
      throw new TypeError(`the version ${quoted(version)} is no number above 0`)
    if (!DATE.test(expires) || Number.isNaN(Date.parse(expires)))
      throw new TypeError(`the expiry ${quoted(expires)} is no date`)
    return accepted(metadata as unknown as KindOf[K])
  } catch (error) {
    return rejected({
      code: 'metadata-unreadable',
      message: `expected ${kind} metadata in ${role}.json, found ${reasonOf(error)}`,
      hint: 'Look at what the host answers for this file; an error page served with status 200 looks like this too.',
      path: `${role}.json`,
    })
  }
}

type Envelope = Parameters<typeof Root.fromJSON>[0]

/** The signed part with a member emptied, for the library to judge the rest. */
const without = (envelope: Envelope, member: string): Envelope => {
  const signed = envelope['signed'] as Envelope
  return { ...envelope, signed: { ...signed, [member]: {} } }
}

const READERS: Readonly<Record<MetadataKind, (envelope: Envelope) => AnyMetadata>> = {
  root: (envelope) => Metadata.fromJSON(Kind.Root, envelope),
  timestamp: (envelope) => Metadata.fromJSON(Kind.Timestamp, envelope),
  targets: (envelope) =>
    withSigned(
      Metadata.fromJSON(Kind.Targets, without(envelope, 'targets')),
      targetsFromJson(envelope['signed'] as Envelope),
    ),
  snapshot: (envelope) =>
    withSigned(
      Metadata.fromJSON(Kind.Snapshot, without(envelope, 'meta')),
      snapshotFromJson(envelope['signed'] as Envelope),
    ),
}

const reasonOf = (error: unknown): string => quoted(error instanceof Error ? error.message : error)

/** Whether metadata has expired at an instant (milliseconds since 1970). */
export const isExpiredAt = (metadata: AnyMetadata, nowMs: number): boolean =>
  nowMs >= Date.parse(metadata.signed.expires)

/** The bytes against the length and digests that a file of higher rank names for them. */
export function matchesMeta(meta: MetaFile | TargetFile, bytes: Uint8Array): boolean {
  if (meta.length !== undefined && meta.length !== bytes.length) return false
  if (!meta.hashes) return true
  return meta.hashes['sha256'] === hashesOf(bytes).sha256
}

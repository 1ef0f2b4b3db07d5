import { z } from 'zod'
import {
  BucketText,
  Bundle,
  Id,
  Instant,
  MAX_RELEASES,
  ManifestRelease,
  Override,
  RequirementDialect,
  Salt,
} from '../cohort/schema.ts'

const Digest = z.string().regex(/^[0-9a-f]{64}$/)
const TargetPath = z.string().regex(/^bundles(?:\/[a-z0-9][a-z0-9.-]{0,79}){2}$/)

/** What a manifest says of a bundle: enough to find the signed document and to see that it is the one meant. */
export const BundleReference = z.object({
  id: Id,
  product: Id,
  version: z.string().min(1).max(256),
  /** The target path of the bundle's document; the role that signs it follows from the path. */
  path: TargetPath,
  /** Of the document's exact bytes, lower-case hexadecimal. */
  sha256: Digest,
  /** Of the document, in bytes. */
  size: z.int().positive().max(2_000_000),
})
export type BundleReference = z.infer<typeof BundleReference>

/** Devices that get nothing until they are looked at, by `pseudonymDigest` with the id `quarantine`. */
export const Quarantine = z.object({
  salt: Salt.describe('What the digests of its devices are made with.'),
  devices: z.array(BucketText).max(10_000).describe('Digests of pseudonyms.'),
})
export type Quarantine = z.infer<typeof Quarantine>

export const QUARANTINE_ID = 'quarantine'

/**
 * What a cohort's devices fetch. Members that a device does not know are left out when it reads; `schema` changes only
 * when an old device would decide wrongly.
 */
export const Manifest = z.object({
  schema: z.literal('ringmaster/manifest/1'),
  cohort: Id,
  issuedAt: Instant,
  /** Devices decide nothing by it from then on. */
  expiresAt: Instant,
  /** How long a device waits between two polls, before jitter. */
  pollAfterSeconds: z.int().min(1).max(31_536_000),
  requirementDialect: RequirementDialect,
  /** In the order of their creation. */
  releases: z.array(ManifestRelease).max(MAX_RELEASES),
  bundles: z.array(BundleReference).max(MAX_RELEASES),
  overrides: z.array(Override).max(1_000),
  quarantine: Quarantine.nullable(),
  /** The cohort that devices of this one belong to from now on. */
  movedTo: Id.nullable(),
  /** The release for devices whose own version is unknown. */
  entryRelease: Id.nullable(),
  /** The digest of the ledger's newest line when this was issued: an anchor outside the ledger. */
  ledgerHead: z.string().regex(/^sha256:[0-9a-f]{64}$/),
})
export type Manifest = z.infer<typeof Manifest>

/** A bundle as it is published, and as the holder of the bundles key signs it. */
export const BundleDocument = z.object({ schema: z.literal('ringmaster/bundle/1'), bundle: Bundle })
export type BundleDocument = z.infer<typeof BundleDocument>

/** Signed beside the bundles of a role: nothing of a product below its version may be installed any more. */
export const Floor = z.object({ product: Id, version: z.string().min(1).max(256) })
export type Floor = z.infer<typeof Floor>

/** Our own signed members of targets metadata, under the name `ringmaster`; other clients carry and ignore them. */
export const BundlesExtra = z.object({ floors: z.array(Floor).max(1_000) })
export const TargetsExtra = z.object({ retired: z.array(Id).max(10_000) })
export const EXTRA_NAME = 'ringmaster'

const Authority = z.strictObject({
  /** Who names the keys, such as `root version 1`. For people. */
  by: z.string().min(1).max(100),
  /** The 32 public bytes of each ed25519 key, as hexadecimal digits. */
  publicKeys: z.array(Digest).min(1).max(100),
  threshold: z.int().positive(),
})
export type Authority = z.infer<typeof Authority>

/**
 * A file that asks the holders of offline keys for signatures, carried to them and back. What they sign is `metadata`
 * alone; all that is shown to them is read from there.
 */
export const SigningRequest = z.strictObject({
  schema: z.literal('ringmaster/signing-request/1'),
  role: z.string().min(1).max(100),
  /** Every one of them has to be satisfied: a new root is signed by the old keys and by its own. */
  authorities: z.array(Authority).min(1).max(2),
  /** The TUF metadata with the signatures given so far. */
  metadata: z.record(z.string(), z.unknown()),
  /** The documents that new bundles metadata name, as text, so that the signer sees what is inside. */
  documents: z.array(z.strictObject({ path: TargetPath, text: z.string().max(2_000_000) })).max(10_000),
})
export type SigningRequest = z.infer<typeof SigningRequest>

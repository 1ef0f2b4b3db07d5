import type { Metadata, Root, Targets } from '@tufjs/models'
import { encodeManifest } from './build.ts'
import type { RoleKeys } from './metadata.ts'
import type { MetadataFile, Repository } from './repository.ts'
import type { BundleReference, Manifest } from './schema.ts'

/** One file of a publication. An immutable one is never written twice with different bytes. */
export interface PublishedFile {
  readonly path: string
  readonly bytes: Uint8Array
  readonly immutable: boolean
}

/** A target that a role of ours names: the path devices ask for, and its exact bytes. */
export interface Payload {
  readonly path: string
  readonly bytes: Uint8Array
}

/** The manifest of one cohort, ready to be signed by its online key. `expiresAt` becomes the role's expiry. */
export interface CohortPayload {
  readonly cohort: string
  readonly bytes: Uint8Array
  /** ISO 8601 UTC. */
  readonly expiresAt: string
  /** What it may choose among; each has to be signed already. */
  readonly bundles: readonly BundleReference[]
}

/** A manifest as a publication takes it. */
export const cohortPayload = (manifest: Manifest): CohortPayload => ({
  cohort: manifest.cohort,
  bytes: encodeManifest(manifest),
  expiresAt: manifest.expiresAt,
  bundles: manifest.bundles,
})

/** What is to be published. All empty: the freshness is renewed, nothing else. */
export interface Change {
  /** Signed root files, oldest first, from the one after the published root on; at first 1.root.json. */
  readonly roots?: readonly Uint8Array[]
  /** Signed targets and bundles metadata, as they came back from the holders of their keys. */
  readonly offline?: readonly { readonly role: string; readonly bytes: Uint8Array }[]
  /** The bundle documents that newly signed bundles metadata name. */
  readonly documents?: readonly Payload[]
  readonly manifests?: readonly CohortPayload[]
}

export interface PublicationRules {
  /** The time of the publication, ISO 8601 UTC. */
  readonly now: string
  readonly timestampSeconds: number
  readonly snapshotSeconds: number
  /** Versions that were tried and left behind by a publication that died half-way: never used again. */
  readonly usedVersions?: ReadonlyMap<string, number>
}

/** A week of timestamp lets a publisher be mended over a long week-end; sigstore widened its own for that reason. */
export const DEFAULT_VALIDITY = { timestampSeconds: 7 * 86_400, snapshotSeconds: 28 * 86_400 } as const

export interface ToSign {
  readonly role: string
  readonly metadata: Metadata<Targets>
  readonly keys: RoleKeys
}

/** One targets file with its role. */
export interface RoleFile {
  readonly role: string
  readonly file: MetadataFile<Metadata<Targets>>
}

/** A publication but for its signatures. `assemble-publication.ts` turns it into files. */
export interface PublicationPlan {
  readonly root: Metadata<Root>
  /** Roots, documents, manifests and offline metadata: immutable, in order. */
  readonly ready: readonly PublishedFile[]
  /** Cohort roles that the online key signs now. */
  readonly toSign: readonly ToSign[]
  readonly offline: readonly RoleFile[]
  readonly previous: Repository
  /** Null when the published snapshot stays: only the timestamp is renewed. */
  readonly snapshot: { readonly version: number; readonly expires: string } | null
  readonly timestamp: { readonly version: number; readonly expires: string }
}

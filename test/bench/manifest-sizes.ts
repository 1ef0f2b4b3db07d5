import { brotliCompressSync, gzipSync } from 'node:zlib'
import type { Bundle } from '../../src/core/cohort/schema.ts'
import { NO_PREVIOUS } from '../../src/core/event.ts'
import { sha256 } from '../../src/core/json.ts'
import { buildManifest, bundleDocument, encodeManifest, type ManifestSource } from '../../src/core/manifest/build.ts'
import { unwrap } from '../../src/core/problem.ts'
import { COHORT, chainOf, NOW, versionOf } from './channels.ts'

export const EXPIRES = '2026-12-04T12:00:00Z'

/** Two targets, with the addresses of release assets. Digests are real ones: they are what does not compress. */
export const bundleAt = (at: number): Bundle => {
  const version = versionOf(at)
  return {
    id: `Gateway@${version}`,
    product: 'Gateway',
    version,
    artifacts: ['aarch64-unknown-linux-gnu', 'armv7-unknown-linux-gnueabihf'].map((target) => ({
      name: 'firmware',
      target,
      size: 48_000_000 + at,
      sha256: sha256(`${target} ${version}`).slice(7),
      url: `https://github.com/example/gateway/releases/download/v${version}/gateway-${version}-${target}.raucb`,
    })),
  }
}

/** A cohort of that many releases, the last of them at a quarter of the devices. */
export function cohortOf(releases: number, cohort = COHORT): Omit<ManifestSource, 'previous'> {
  const chain = chainOf(releases).map((release, at) =>
    at === releases - 1 ? { ...release, phase: { kind: 'share' as const, share: '0.25' } } : release,
  )
  return {
    channel: { cohort, requirementDialect: 'elixir', releases: chain },
    bundles: chain.map((_, at) => ({ bundle: bundleAt(at), group: 'main' })),
    overrides: [],
    quarantine: null,
    movedTo: null,
    entryRelease: null,
    pollAfterSeconds: 3_600,
    salts: new Map(chain.map(({ id }) => [id, sha256(`salt ${id}`).slice(7, 29)])),
    rosters: new Map(),
  }
}

export function manifestBytes(releases: number): Uint8Array {
  const issue = { issuedAt: NOW, expiresAt: EXPIRES, ledgerHead: NO_PREVIOUS }
  return encodeManifest(unwrap(buildManifest({ ...cohortOf(releases), previous: undefined }, issue)))
}

export interface Sizes {
  readonly raw: number
  readonly gzip: number
  readonly brotli: number
}

export const sizesOf = (bytes: Uint8Array): Sizes => ({
  raw: bytes.length,
  gzip: gzipSync(bytes).length,
  brotli: brotliCompressSync(bytes).length,
})

export const bundleSizes = (): Sizes => sizesOf(bundleDocument(bundleAt(7)))

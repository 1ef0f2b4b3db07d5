import type { MetaFile, TargetFile } from '@tufjs/models'
import { sha256 } from '../core/json.ts'
import { matchesMeta } from '../core/manifest/metadata.ts'
import { metadataFile, targetFile } from '../core/manifest/names.ts'
import type { ManifestCode } from '../core/manifest/problems.ts'
import {
  acceptRoot,
  acceptSnapshot,
  acceptTargets,
  acceptTimestamp,
  holdsSnapshot,
  metaOfRole,
  recallSnapshot,
  recallTimestamp,
  rotatesFreshness,
  settleRoot,
  settleTimestamp,
  type TrustedSet,
  trustRoot,
} from '../core/manifest/trusted-set.ts'
import { accepted, type Checked, rejected } from '../core/problem.ts'
import type { Cache } from './cache.ts'
import type { Fetcher } from './fetch.ts'
import { forgetFloor } from './state.ts'

export type DeviceCode = ManifestCode | 'host-unreachable' | 'answer-too-long' | 'root-needed'

export interface Host {
  readonly fetcher: Fetcher
  readonly cache: Cache
}

/** Limits of the specification's W, X, Y, Z (section 5), where metadata of higher rank names no length. */
const MAX_BYTES = { root: 512_000, timestamp: 16_384, snapshot: 2_000_000, targets: 5_000_000 } as const
const MAX_ROOTS = 256

type Step = Checked<TrustedSet, DeviceCode>

/**
 * Brings the trusted metadata up to date: roots, timestamp, snapshot, targets. Each file is kept as soon as it is
 * accepted and never before, so a refusal or a power cut leaves what was trusted. `nowMs` is the fixed start; `clockMs`,
 * what the device's clock says, takes its place when the floor that it rests on is forgotten.
 */
export async function refresh(
  host: Host,
  pinnedRoot: Uint8Array | undefined,
  { nowMs, clockMs }: { readonly nowMs: number; readonly clockMs: number },
): Promise<Step> {
  const rooted = await refreshRoot(host, pinnedRoot, { nowMs, clockMs })
  if (!rooted.ok) return rooted
  const stamped = await refreshTimestamp(host, await recall(host, rooted.value))
  if (!stamped.ok) return stamped
  const snapshot = await refreshSnapshot(host, stamped.value)
  return snapshot.ok ? loadRole(host, snapshot.value, 'targets') : snapshot
}

/** The same from the device's own files alone: what is cached and has not expired still counts while offline. */
export async function recallAll({ cache }: Host, pinnedRoot: Uint8Array | undefined, nowMs: number): Promise<Step> {
  const offline: Fetcher = { name: cache.name, get: async () => ({ kind: 'missing' }) }
  const rooted = await refreshRoot({ cache, fetcher: offline }, pinnedRoot, { nowMs, clockMs: nowMs })
  if (!rooted.ok) return rooted
  const stamped = settleTimestamp(await recall({ cache, fetcher: offline }, rooted.value))
  if (!stamped.ok) return stamped
  const snapshot = await refreshSnapshot({ cache, fetcher: offline }, stamped.value)
  return snapshot.ok ? loadRole({ cache, fetcher: offline }, snapshot.value, 'targets') : snapshot
}

async function refreshRoot(
  { fetcher, cache }: Host,
  pinnedRoot: Uint8Array | undefined,
  { nowMs, clockMs }: { readonly nowMs: number; readonly clockMs: number },
): Promise<Step> {
  const cached = await cache.read('root')
  const start = cached ?? pinnedRoot
  if (!start) return noRoot(cache)
  const read = trustRoot(start, nowMs)
  // A damaged file of the device's own: the pinned root leads to the same place over the published ones.
  const first = !read.ok && cached && pinnedRoot ? trustRoot(pinnedRoot, nowMs) : read
  if (!first.ok) return first
  let trusted = first.value
  for (let count = 0; count < MAX_ROOTS; count++) {
    const path = metadataFile('root', trusted.root.signed.version + 1)
    const answer = await fetcher.get(path, { maxBytes: MAX_BYTES.root })
    if (answer.kind === 'trouble') return rejected(answer.problem)
    if (answer.kind !== 'found') break
    const next = acceptRoot(trusted, answer.bytes)
    if (!next.ok) return next
    const isRotated = rotatesFreshness(trusted.root, next.value.root)
    if (isRotated) await forgetFreshness(cache)
    trusted = isRotated ? { ...next.value, nowMs: clockMs } : next.value
    await cache.write('root', answer.bytes)
  }
  const settled = settleRoot(trusted)
  if (settled.ok && !cached && trusted === first.value) await cache.write('root', start)
  return settled
}

const noRoot = (cache: Cache) =>
  rejected<DeviceCode>({
    code: 'root-needed',
    message: `expected a root to begin with, found none in ${cache.name}`,
    hint: 'Give the root file that the device was built with: --root 1.root.json. It is pinned from then on.',
  })

async function forgetFreshness(cache: Cache): Promise<void> {
  for (const name of ['timestamp', 'timestamp.etag', 'snapshot']) await cache.remove(name)
  await forgetFloor(cache)
}

async function recall({ cache }: Host, trusted: TrustedSet): Promise<TrustedSet> {
  const timestamp = await cache.read('timestamp')
  const snapshot = await cache.read('snapshot')
  const stamped = timestamp ? recallTimestamp(trusted, timestamp) : trusted
  return snapshot ? recallSnapshot(stamped, snapshot) : stamped
}

async function refreshTimestamp({ fetcher, cache }: Host, trusted: TrustedSet): Promise<Step> {
  // The tag counts only as long as the copy that it belongs to is trusted.
  const tag = trusted.timestamp ? await cache.read('timestamp.etag') : null
  const etag = tag ? Buffer.from(tag).toString('utf8') : undefined
  const answer = await fetcher.get(metadataFile('timestamp', null), { maxBytes: MAX_BYTES.timestamp, etag })
  if (answer.kind === 'trouble') return rejected(answer.problem)
  if (answer.kind === 'missing') return notThere('timestamp', fetcher)
  if (answer.kind === 'unchanged') return settleTimestamp(trusted)
  const next = acceptTimestamp(trusted, answer.bytes)
  if (!next.ok) return next
  if (next.value.timestamp !== trusted.timestamp) {
    await cache.remove('timestamp.etag')
    await cache.write('timestamp', answer.bytes)
    if (answer.etag !== undefined) await cache.write('timestamp.etag', Buffer.from(answer.etag, 'utf8'))
  }
  return next
}

async function refreshSnapshot({ fetcher, cache }: Host, trusted: TrustedSet): Promise<Step> {
  const meta = trusted.timestamp?.signed.snapshotMeta
  const cached = await cache.read('snapshot')
  if (cached && holdsSnapshot(trusted, cached)) return acceptSnapshot(trusted, cached)
  const path = metadataFile('snapshot', meta?.version ?? 0)
  const answer = await fetcher.get(path, { maxBytes: meta?.length ?? MAX_BYTES.snapshot })
  if (answer.kind === 'trouble') return rejected(answer.problem)
  if (answer.kind !== 'found') return notThere('snapshot', fetcher)
  const next = acceptSnapshot(trusted, answer.bytes)
  if (next.ok) await cache.write('snapshot', answer.bytes)
  return next
}

/** Loads `targets` or one role that it delegates to, from the cache where that is the very file, else from the host. */
export async function loadRole({ fetcher, cache }: Host, trusted: TrustedSet, role: string): Promise<Step> {
  if (trusted.roles.has(role)) return accepted(trusted)
  const meta = metaOfRole(trusted, role)
  if (!meta) return acceptTargets(trusted, role, new Uint8Array())
  const cached = await cache.read(role)
  if (cached && matchesMeta(meta, cached)) {
    const kept = acceptTargets(trusted, role, cached)
    if (kept.ok || meta.hashes) return kept
  }
  const path = metadataFile(role, meta.version)
  const answer = await fetcher.get(path, { maxBytes: meta.length ?? MAX_BYTES.targets })
  if (answer.kind === 'trouble') return rejected(answer.problem)
  if (answer.kind !== 'found') return notThere(role, fetcher)
  const next = acceptTargets(trusted, role, answer.bytes)
  if (next.ok) await cache.write(role, answer.bytes)
  return next
}

/** The bytes of a target exactly as signed, from the cache or from the host. */
export async function loadTarget(
  { fetcher, cache }: Host,
  target: TargetFile | (MetaFile & { readonly path: string; readonly length: number }),
): Promise<Checked<Uint8Array, DeviceCode>> {
  const digest = target.hashes?.['sha256'] ?? ''
  const name = `target-${digest}`
  const cached = await cache.read(name)
  if (cached && matchesMeta(target, cached)) return accepted(cached)
  const path = targetFile(target.path, digest)
  const answer = await fetcher.get(path, { maxBytes: target.length })
  if (answer.kind === 'trouble') return rejected(answer.problem)
  if (answer.kind !== 'found') return notThere(target.path, fetcher)
  if (!matchesMeta(target, answer.bytes)) {
    return rejected({
      code: 'digest-mismatch',
      message: `expected ${fetcher.name}${path} with the SHA-256 ${digest} that was signed, found ${sha256(answer.bytes).slice(7)}`,
      hint: 'The file on the host was altered or damaged; the device keeps what it has.',
      path: target.path,
    })
  }
  await cache.write(name, answer.bytes)
  return accepted(answer.bytes)
}

/** Removes cached targets but those named, so that a device's directory does not grow for ever. */
export async function pruneTargets(cache: Cache, keep: ReadonlySet<string>): Promise<void> {
  for (const name of await cache.list()) {
    if (name.startsWith('target-') && !keep.has(name.slice('target-'.length))) await cache.remove(name)
  }
}

const notThere = (role: string, fetcher: Fetcher) =>
  rejected<DeviceCode>({
    code: 'metadata-missing',
    message: `expected ${role} at ${fetcher.name}, found nothing there`,
    hint: 'The publication is not complete, or the address is another one; the device keeps what it has.',
    path: role,
  })

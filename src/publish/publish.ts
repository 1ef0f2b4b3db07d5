import type { Metadata, Targets } from '@tufjs/models'
import { filesInOrder, planSnapshot, planTimestamp } from '../core/manifest/assemble-publication.ts'
import {
  type AnyMetadata,
  encodeMetadata,
  type RoleKeys,
  signableBytes,
  withSignature,
} from '../core/manifest/metadata.ts'
import { planPublication } from '../core/manifest/plan-publication.ts'
import type { ManifestCode } from '../core/manifest/problems.ts'
import type { Change, PublicationPlan, PublicationRules, PublishedFile } from '../core/manifest/publication.ts'
import { type MetadataFile, topRoleKeys } from '../core/manifest/repository.ts'
import { accepted, type Checked, rejected } from '../core/problem.ts'
import type { Publication } from './publication.ts'
import { readRepository } from './read-back.ts'
import type { Signer } from './signer.ts'

export interface Published {
  /** In the order that they went out; the last one is the pointer. */
  readonly files: readonly PublishedFile[]
  readonly timestampVersion: number
}

const MAX_TRIES = 3

/**
 * Plans, signs and stores one publication. Version numbers that an earlier attempt left behind are skipped, for a
 * cache may hold what it wrote. Refusals change nothing; trouble of the outside is thrown.
 */
export async function publish(options: {
  readonly publication: Publication
  readonly pinnedRoot: Uint8Array
  readonly change: Change
  readonly signers: readonly Signer[]
  readonly rules: PublicationRules
}): Promise<Checked<Published, ManifestCode | 'publication-conflict'>> {
  const usedVersions = new Map(options.rules.usedVersions)
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const previous = await readRepository(options.publication, options.pinnedRoot)
    if (!previous.ok) return previous
    const plan = planPublication(previous.value, options.change, { ...options.rules, usedVersions })
    if (!plan.ok) return plan
    const files = await signPlan(plan.value, options.signers)
    if (!files.ok) return files
    const outcome = await options.publication.put(files.value)
    if (outcome.kind === 'stored') {
      return accepted({ files: files.value, timestampVersion: plan.value.timestamp.version })
    }
    for (const path of outcome.paths) {
      const used = /^metadata\/(\d{1,15})\.(.+)\.json$/.exec(path)
      if (!used?.[1] || !used[2] || used[2] === 'root') return conflict(options.publication, [path])
      usedVersions.set(used[2], Math.max(usedVersions.get(used[2]) ?? 0, Number(used[1])))
    }
  }
  return conflict(options.publication, [...usedVersions.keys()])
}

const conflict = (publication: Publication, paths: readonly string[]) =>
  rejected<'publication-conflict'>({
    code: 'publication-conflict',
    message: `expected to add new files to ${publication.name}, found others under the same names: ${paths.join(', ')}`,
    hint: 'Another publisher writes there, or a signed file was changed after it went out under its version.',
  })

/** Signs what a plan leaves to the online keys; a role without enough keys at hand is refused by name. */
export async function signPlan(
  plan: PublicationPlan,
  signers: readonly Signer[],
): Promise<Checked<readonly PublishedFile[], ManifestCode>> {
  const roles: { role: string; file: MetadataFile<Metadata<Targets>> }[] = []
  for (const { role, metadata, keys } of plan.toSign) {
    const signed = await signWith(role, metadata, keys, signers)
    if (!signed.ok) return signed
    roles.push({ role, file: signed.value })
  }
  const unsignedSnapshot = planSnapshot(plan, roles)
  const snapshot = unsignedSnapshot
    ? await signWith('snapshot', unsignedSnapshot, topRoleKeys(plan.root, 'snapshot'), signers)
    : null
  if (snapshot && !snapshot.ok) return snapshot
  const current = snapshot?.value ?? plan.previous.snapshot
  if (!current) return rejected({ code: 'metadata-missing', message: 'expected a snapshot to point at, found none' })
  const timestamp = await signWith(
    'timestamp',
    planTimestamp(plan, current),
    topRoleKeys(plan.root, 'timestamp'),
    signers,
  )
  if (!timestamp.ok) return timestamp
  return accepted(filesInOrder(plan, { roles, snapshot: snapshot?.value ?? null, timestamp: timestamp.value.metadata }))
}

/** Signs with as many of a role's keys as are at hand, and needs the threshold. */
async function signWith<M extends AnyMetadata>(
  role: string,
  metadata: M,
  keys: RoleKeys,
  signers: readonly Signer[],
): Promise<Checked<MetadataFile<M>, ManifestCode>> {
  const wanted = new Set(keys.keys.map((key) => key.keyID))
  const able = [...new Map(signers.map((signer) => [signer.keyId, signer])).values()].filter(({ keyId }) =>
    wanted.has(keyId),
  )
  if (able.length < keys.threshold) {
    return rejected({
      code: 'key-unknown',
      message: `expected ${keys.threshold} of the keys of ${role} to sign with, found ${able.length}`,
      hint: `The role is signed by: ${[...wanted].map((id) => id.slice(0, 12)).join(', ')}.`,
      path: `${role}.json`,
    })
  }
  const bytes = signableBytes(metadata)
  let signed = metadata
  for (const signer of able) signed = withSignature(signed, signer.keyId, await signer.sign(bytes))
  return accepted({ metadata: signed, bytes: encodeMetadata(signed) })
}

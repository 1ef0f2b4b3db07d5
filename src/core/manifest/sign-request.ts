import type { Metadata, Root, Targets } from '@tufjs/models'
import { canonicalJson, sha256 } from '../json.ts'
import { accepted, type Checked, quoted, rejected } from '../problem.ts'
import { tufKey } from './keys.ts'
import { type AnyMetadata, decodeMetadata, matchesMeta, signableBytes, withSignature } from './metadata.ts'
import type { ManifestCode } from './problems.ts'
import { delegationsOf } from './repository.ts'
import type { Authority, SigningRequest } from './schema.ts'
import { floorsOf, retiredCohorts } from './signed-bundles.ts'

/** A request that was read: its metadata, and the lines that tell a signer what a signature would say. */
export interface OpenRequest {
  readonly request: SigningRequest
  readonly metadata: Metadata<Root> | Metadata<Targets>
  readonly lines: readonly string[]
}

/**
 * Opens a request. Everything shown is read from the metadata that gets signed; a document that is not the one named
 * there is refused, so that nobody signs what he has not seen.
 */
export function openRequest(request: SigningRequest): Checked<OpenRequest, ManifestCode> {
  const bytes = Buffer.from(JSON.stringify(request.metadata), 'utf8')
  const kind = request.role === 'root' ? 'root' : 'targets'
  const metadata =
    kind === 'root' ? decodeMetadata('root', 'root', bytes) : decodeMetadata('targets', request.role, bytes)
  if (!metadata.ok) return metadata
  const targets = metadata.value.signed.type === 'targets' ? metadata.value.signed.targets : {}
  const wrong = request.documents.filter(({ path, text }) => {
    const target = Object.hasOwn(targets, path) ? targets[path] : undefined
    return !target || !matchesMeta(target, Buffer.from(text, 'utf8'))
  })
  if (wrong.length > 0) {
    return rejected(
      ...wrong.map(({ path }) => ({
        code: 'bundle-mismatch' as const,
        message: `expected the document ${quoted(path)} as the request's metadata names it, found other bytes`,
        hint: 'The request was altered or damaged; have it made again.',
      })),
    )
  }
  return accepted({ request, metadata: metadata.value, lines: describe(request, metadata.value) })
}

function describe(request: SigningRequest, metadata: Metadata<Root> | Metadata<Targets>): string[] {
  const { version, expires } = metadata.signed
  const head = `${request.role}, version ${version}, valid until ${expires}`
  if (metadata.signed.type === 'root') {
    const roles = Object.entries(metadata.signed.roles)
    return [
      head,
      ...roles.map(([name, role]) => `  ${name}: ${role.threshold} of ${role.keyIDs.map(short).join(', ')}`),
    ]
  }
  const targets = metadata as Metadata<Targets>
  const floors = floorsOf(targets)
  return [
    head,
    ...delegationsOf(targets).map(
      ({ name, threshold, keys, paths }) =>
        `  ${name}: ${threshold} of ${keys.map((key) => short(key.keyID)).join(', ')} for ${paths.join(', ')}`,
    ),
    ...(request.role === 'targets'
      ? retiredCohorts(targets).map((cohort) => `  retired cohort ${quoted(cohort)}`)
      : []),
    ...Object.entries(targets.signed.targets).map(([path, target]) => {
      const { product, version: offered } = target.custom
      const isNew = request.documents.some((document) => document.path === path)
      return `  ${isNew ? 'new ' : ''}bundle ${quoted(product)} ${quoted(offered)}: ${path}, sha256 ${target.hashes['sha256']}`
    }),
    ...(request.role !== 'targets' && floors.ok
      ? floors.value.map(({ product, version: lowest }) => `  nothing of ${quoted(product)} below ${quoted(lowest)}`)
      : []),
  ]
}

const short = (id: string): string => id.slice(0, 12)

/** The bytes to sign. */
export const requestBytes = ({ metadata }: OpenRequest): Uint8Array => signableBytes(metadata)

/** Which authorities still want signatures, and how many. Empty: the request is complete. */
export function missingSignatures({
  request,
  metadata,
}: OpenRequest): readonly { by: string; missing: number; from: readonly string[] }[] {
  return request.authorities.flatMap((authority) => {
    const keys = keysOf(authority)
    const signed = keys.filter((key) => hasSigned(key, metadata))
    const missing = authority.threshold - signed.length
    const from = keys.filter((key) => !signed.includes(key)).map((key) => short(key.keyID))
    return missing > 0 ? [{ by: authority.by, missing, from }] : []
  })
}

const keysOf = (authority: Authority) => [...new Set(authority.publicKeys)].map(tufKey)

function hasSigned(key: ReturnType<typeof tufKey>, metadata: AnyMetadata): boolean {
  try {
    key.verifySignature(metadata)
    return true
  } catch {
    return false
  }
}

/** The request with one signature more. A key that no authority names is refused: it would say nothing. */
export function addSignature(
  open: OpenRequest,
  keyId: string,
  signature: Uint8Array,
): Checked<OpenRequest, ManifestCode> {
  const known = open.request.authorities.flatMap(keysOf).some((key) => key.keyID === keyId)
  if (!known) {
    const wanted = [...new Set(open.request.authorities.flatMap(keysOf).map((key) => short(key.keyID)))]
    return rejected({
      code: 'key-unknown',
      message: `expected one of the keys that sign ${open.request.role}, found ${short(keyId)}`,
      hint: `It is signed by: ${wanted.join(', ')}.`,
    })
  }
  const metadata = withSignature(open.metadata as Metadata<Root>, keyId, signature) as
    | Metadata<Root>
    | Metadata<Targets>
  return accepted({ ...open, metadata, request: { ...open.request, metadata: { ...metadata.toJSON() } } })
}

/** The finished metadata file of a complete request; a problem for each authority that still wants signatures. */
export function finishRequest(open: OpenRequest): Checked<Uint8Array, ManifestCode> {
  const missing = missingSignatures(open)
  if (missing.length === 0) return accepted(Buffer.from(canonicalJson(open.metadata.toJSON()), 'utf8'))
  return rejected(
    ...missing.map(({ by, missing: count, from }) => ({
      code: 'metadata-unsigned' as const,
      message: `expected ${open.request.role} signed as ${by} asks, found ${count} signature(s) missing`,
      hint: `Any of these keys can give them: ${from.join(', ')}.`,
    })),
  )
}

/** A name for a request that its holders can compare over another channel. */
export const requestDigest = ({ metadata }: OpenRequest): string => sha256(signableBytes(metadata))

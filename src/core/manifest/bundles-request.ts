import type { Metadata, Targets } from '@tufjs/models'
import type { Bundle } from '../cohort/schema.ts'
import { compareVersions, parseVersion } from '../cohort/semantic-version.ts'
import { sha256 } from '../json.ts'
import { accepted, type Checked, quoted, rejected } from '../problem.ts'
import { bundleDocument, referenceTo } from './build.ts'
import { targetsMetadata } from './metadata.ts'
import { bundlesRole } from './names.ts'
import type { ManifestCode } from './problems.ts'
import { delegatedKeys } from './repository.ts'
import { authorityOf, newRequest, type Refused } from './requests.ts'
import { EXTRA_NAME, type Floor, type SigningRequest } from './schema.ts'
import { floorsOf } from './signed-bundles.ts'

/**
 * Asks the holders of a bundles key for the next list: what was signed before, the new bundles, and the floors. Made
 * after sign-off; the documents travel with it so that the signer sees what is inside. Floors only rise.
 */
export function bundlesRequest(options: {
  readonly targets: Metadata<Targets>
  readonly group: string
  readonly previous: Metadata<Targets> | undefined
  readonly bundles: readonly Bundle[]
  readonly floors?: readonly Floor[]
  readonly expires: string
}): Checked<SigningRequest, ManifestCode> {
  const role = bundlesRole(options.group)
  const keys = delegatedKeys(options.targets, role)
  if (!keys)
    return rejected({
      code: 'request-invalid',
      message: `expected a bundles group of targets.json, found ${quoted(options.group)}`,
    })
  const before = options.previous ? floorsOf(options.previous) : accepted([])
  if (!before.ok) return before
  const documents = options.bundles.map((bundle) => {
    const bytes = bundleDocument(bundle)
    const { path, product, version, id } = referenceTo(bundle, options.group)
    return { path, bytes, custom: { id, product, version } }
  })
  const problems = [
    ...(options.floors ?? []).flatMap((floor) => lowered(floor, before.value)),
    ...documents.flatMap((document) => changedBundle(document, options.previous)),
  ]
  if (problems.length > 0) return rejected(...problems)
  const floors = new Map([...before.value, ...(options.floors ?? [])].map((floor) => [floor.product, floor] as const))
  const metadata = targetsMetadata({
    version: (options.previous?.signed.version ?? 0) + 1,
    expires: options.expires,
    targets: documents,
    kept: options.previous,
    extra: { name: EXTRA_NAME, value: { floors: [...floors.values()] } },
  })
  return accepted({
    ...newRequest(role, [authorityOf('targets.json', keys)], metadata),
    documents: documents.map(({ path, bytes }) => ({ path, text: Buffer.from(bytes).toString('utf8') })),
  })
}

function lowered(floor: Floor, before: readonly Floor[]): Refused[] {
  const old = before.find(({ product }) => product === floor.product)
  const wanted = parseVersion(floor.version)
  const was = old && parseVersion(old.version)
  if (!wanted)
    return [
      {
        code: 'request-invalid',
        message: `expected a version for the floor of ${quoted(floor.product)}, found ${quoted(floor.version)}`,
      },
    ]
  if (!was || compareVersions(wanted, was) >= 0) return []
  return [
    {
      code: 'request-invalid',
      message: `expected a floor of ${quoted(floor.product)} not below ${quoted(old.version)}, found ${quoted(floor.version)}`,
    },
  ]
}

/** A bundle is immutable: under its id nothing else is ever signed. */
function changedBundle(
  document: { readonly path: string; readonly bytes: Uint8Array; readonly custom: { readonly id: string } },
  previous: Metadata<Targets> | undefined,
): Refused[] {
  const targets = previous?.signed.targets
  const old = targets && Object.hasOwn(targets, document.path) ? targets[document.path] : undefined
  if (!old || old.hashes['sha256'] === sha256(document.bytes).slice(7)) return []
  return [
    {
      code: 'bundle-mismatch',
      message: `expected the bundle ${quoted(document.custom.id)} as it was signed before, found other content under the same id`,
    },
  ]
}

import type { Metadata, TargetFile, Targets } from '@tufjs/models'
import { compareVersions, parseVersion } from '../cohort/semantic-version.ts'
import { accepted, type Checked, quoted, rejected } from '../problem.ts'
import type { ManifestCode } from './problems.ts'
import { type BundleReference, BundlesExtra, EXTRA_NAME, type Floor, TargetsExtra } from './schema.ts'
import { roleOfPath, type TrustedSet, targetOf } from './trusted-set.ts'

const refuse = (code: ManifestCode, message: string) =>
  rejected<ManifestCode>({
    code,
    message,
    hint: 'The device keeps what it has. Only the holders of the bundles keys can mend this.',
  })

/**
 * Whether a bundle that a manifest names is one that the bundles role signed: the same document by digest and length,
 * the same product and version. Answers the signed target. The floor is asked apart, by `checkFloor`, because a
 * channel keeps old releases as places where devices stand.
 */
export function checkReference(reference: BundleReference, trusted: TrustedSet): Checked<TargetFile, ManifestCode> {
  const role = roleOfPath(trusted, reference.path)
  const target = role?.startsWith('bundles-') ? targetOf(trusted, role, reference.path) : undefined
  const name = `${quoted(reference.id)} (${reference.path})`
  if (!target)
    return refuse('bundle-unsigned', `expected the bundle ${name} signed by a bundles key, found that none names it`)
  const { product, version } = target.custom
  const sameFile = target.hashes['sha256'] === reference.sha256 && target.length === reference.size
  if (!sameFile || product !== reference.product || version !== reference.version) {
    return refuse(
      'bundle-mismatch',
      `expected the bundle ${name} as the bundles key signed it, found another digest, size, product or version in the manifest`,
    )
  }
  return accepted(target)
}

/** Whether the bundle's version is still allowed by the role that signed it. What cannot be compared is not allowed. */
export function checkFloor(reference: BundleReference, trusted: TrustedSet): Checked<true, ManifestCode> {
  const role = trusted.roles.get(roleOfPath(trusted, reference.path) ?? '')
  const floors = role && floorsOf(role)
  if (!floors?.ok)
    return floors ?? refuse('bundle-unsigned', `expected a bundles role for ${quoted(reference.path)}, found none`)
  const floor = floors.value.find(({ product }) => product === reference.product)
  if (!floor) return accepted(true)
  const lowest = parseVersion(floor.version)
  const version = parseVersion(reference.version)
  if (lowest && version && compareVersions(version, lowest) >= 0) return accepted(true)
  return refuse(
    'bundle-below-floor',
    `expected ${quoted(reference.product)} at ${quoted(floor.version)} or higher, the lowest version still allowed, found ${quoted(reference.version)}`,
  )
}

/** The lowest versions still allowed that a bundles role signed; none where it says nothing. */
export function floorsOf(role: Metadata<Targets>): Checked<readonly Floor[], ManifestCode> {
  const extra = role.signed.unrecognizedFields[EXTRA_NAME]
  if (extra === undefined) return accepted([])
  const parsed = BundlesExtra.safeParse(extra)
  return parsed.success
    ? accepted(parsed.data.floors)
    : refuse('metadata-unreadable', 'expected readable floors in the bundles role, found others')
}

/** The cohorts that targets names as retired; their names are never used again. */
export function retiredCohorts(targets: Metadata<Targets> | undefined): readonly string[] {
  const parsed = TargetsExtra.safeParse(targets?.signed.unrecognizedFields[EXTRA_NAME])
  return parsed.success ? parsed.data.retired : []
}

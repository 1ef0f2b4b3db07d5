import { compareVersions, parseVersion, type Version, type VersionScheme } from '../version/version.ts'
import type { ProductState } from './schema.ts'

/** The version that a product's name alone stands for, and what makes it the one. */
export interface Latest {
  readonly version: string
  /** `record`: its scheme has no order, or there is none, so that the version recorded last is taken. */
  readonly by: 'order' | 'record'
}

/** Schemes of which any two versions are one above the other. */
const ORDERED: ReadonlySet<VersionScheme> = new Set<VersionScheme>(['semver', 'semver-build', 'calver', 'number'])

/**
 * The highest of the versions at hand by the product's scheme, where that has an order; else the one recorded last. Of
 * two that are alike in order the later counts. Null for a product without any.
 */
export function latestVersion(product: ProductState, scheme: VersionScheme | undefined): Latest | null {
  const last = product.versions.at(-1)
  if (last === undefined) return null
  const ordered = scheme === undefined || !ORDERED.has(scheme) ? [] : versionsOf(product, scheme)
  const highest = ordered.reduce<Version | null>((best, next) => (best === null ? next : higherOf(best, next)), null)
  return highest === null ? { version: last.version, by: 'record' } : { version: highest.text, by: 'order' }
}

/** What was recorded before the product had its scheme may be no version of it. */
const versionsOf = (product: ProductState, scheme: VersionScheme): Version[] =>
  product.versions.flatMap(({ version }) => {
    const read = parseVersion(scheme, version)
    return read.ok ? [read.value] : []
  })

function higherOf(a: Version, b: Version): Version {
  const order = compareVersions(a, b)
  return order.ok && order.value === 1 ? a : b
}

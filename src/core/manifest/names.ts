import { sha256 } from '../json.ts'

/** Safe as a file name on every host and in a glob pattern: lower case, so that no file system folds two into one. */
const PLAIN = /^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/
const HASHED_PREFIX = 'x-'

/**
 * The name an id has in roles and paths: the id itself where it is plain, else `x-` and 32 hexadecimal digits of its
 * SHA-256. Two ids never share a name; a plain id that begins with `x-` is hashed too.
 */
export function publicName(id: string): string {
  const plain = PLAIN.test(id) && !id.includes('..') && !id.startsWith(HASHED_PREFIX)
  return plain ? id : `${HASHED_PREFIX}${sha256(id).slice(7, 39)}`
}

/**
 * Role names hold no slash: clients ask for `3.cohorts%2Feu.json` then, and hosts differ in what they make of `%2F`.
 */
export const cohortRole = (cohort: string): string => `cohorts-${publicName(cohort)}`
export const bundlesRole = (group: string): string => `bundles-${publicName(group)}`

/** Target paths, the only ones that a role of that name is trusted for. */
export const cohortPaths = (cohort: string): string => `cohorts/${publicName(cohort)}/*`
export const bundlesPaths = (group: string): string => `bundles/${publicName(group)}/*`
export const manifestPath = (cohort: string): string => `cohorts/${publicName(cohort)}/manifest.json`
export const bundlePath = (group: string, bundle: string): string =>
  `bundles/${publicName(group)}/${publicName(bundle)}.json`

/** Where a metadata file of a role lies below the base address; only `timestamp.json` has no version in its name. */
export const metadataFile = (role: string, version: number | null): string =>
  version === null ? `metadata/${role}.json` : `metadata/${version}.${role}.json`

/** Where a target lies: consistent snapshots put the digest (64 hexadecimal digits) before the last part of the path. */
export function targetFile(path: string, sha256Hex: string): string {
  const cut = path.lastIndexOf('/') + 1
  return `targets/${path.slice(0, cut)}${sha256Hex}.${path.slice(cut)}`
}

import type { Problem } from '../problem.ts'

/** The closed set of what can be wrong with manifests, metadata and their publication. */
export type ManifestCode =
  | 'metadata-unreadable'
  | 'metadata-unsigned'
  | 'metadata-expired'
  | 'metadata-older'
  | 'metadata-mixed'
  | 'metadata-missing'
  | 'digest-mismatch'
  | 'target-unknown'
  | 'manifest-invalid'
  | 'bundle-unsigned'
  | 'bundle-mismatch'
  | 'bundle-below-floor'
  | 'cohort-unknown'
  | 'key-unknown'
  | 'threshold-low'
  | 'version-gap'
  | 'request-invalid'
  | 'expiry-invalid'

export type ManifestProblem = Problem<ManifestCode>

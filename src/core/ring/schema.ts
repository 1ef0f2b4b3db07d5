import { z } from 'zod'
import { CommitSha, EnvironmentName, ProductName, RepositoryRef, VersionText } from '../product/schema.ts'

/** Every reason why a gate stays shut, as a closed set; the documentation lists them in this order. */
export const BLOCKER_CODES = [
  'not-configured',
  'intent-unknown',
  'version-unknown',
  'build-unfinished',
  'wrong-repository',
  'wrong-commit',
  'claimed-only',
  'not-in-a-release',
  'release-not-started',
  'signoff-pending',
  'signoff-vetoed',
  'signoff-blocked',
  'distinct-people',
  'held',
  'no-go',
  'outside-window',
  'frozen',
  'previous-ring',
  'deployment-running',
] as const
export const BlockerCode = z.enum(BLOCKER_CODES)
export type BlockerCode = z.infer<typeof BlockerCode>

export const Blocker = z.object({
  code: BlockerCode,
  /** One sentence: what is missing. */
  message: z.string(),
  /** What clears it. */
  hint: z.string(),
})
export type Blocker = z.infer<typeof Blocker>

export const GateItem = z.object({ product: ProductName, version: VersionText })
export type GateItem = z.infer<typeof GateItem>

/** State: one job (run and environment) that waits or waited. `gate/<repository id>/<run id>/<environment>`. */
export const GateState = z.object({
  key: z.string(),
  repository: RepositoryRef,
  runId: z.int().positive(),
  environment: EnvironmentName,
  deploymentId: z.int().nonnegative(),
  sha: CommitSha,
  ref: z.string(),
  installationId: z.int().nonnegative(),
  requestedAt: z.string(),
  verdict: z.enum(['waiting', 'approved', 'rejected', 'closed']),
  blockers: z.array(Blocker),
  items: z.array(GateItem),
  /** What was let through, once it was: a deployment of anything else is unauthorised. */
  approvedItems: z.array(GateItem),
  /** How the items were known: what the run recorded first, or the versions bound to its commit. */
  intent: z.enum(['unknown', 'recorded', 'commit']),
  releases: z.array(z.string()),
  /** Let in by an override of two people, against blockers that stood. */
  overridden: z.literal(true).optional(),
  /** Status reports decided so far; GitHub takes ten a deployment. */
  reports: z.int().nonnegative(),
  decidedAt: z.string().nullable(),
})
export type GateState = z.infer<typeof GateState>

export const gateKeyOf = (repositoryId: number, runId: number, environment: string): `gate/${string}` =>
  `gate/${repositoryId}/${runId}/${environment}`

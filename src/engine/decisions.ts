import { decideBrakeTripped } from '../core/cohort/decide-brake.ts'
import {
  decideBundlesSigned,
  decideManifestDue,
  decideManifestPublished,
  decideRingReached,
} from '../core/cohort/serve.ts'
import { decideConfigurationProposed, decideConfigurationSeen } from '../core/config/decide.ts'
import type { Deciding, Decision } from '../core/decision.ts'
import { decideDeploymentReported, decideRunEnded } from '../core/deployment/decide.ts'
import { decideConditionSeen } from '../core/process/alarm.ts'
import { decideCommentNoted } from '../core/process/note.ts'
import { decideBuildNumber } from '../core/product/build-number.ts'
import { decideCutSettled } from '../core/product/cut-settled.ts'
import { decideBuildReported } from '../core/product/decide.ts'
import { decideCommand } from '../core/release/command.ts'
import { decideBranchPushed, decideCommentTouched, decideForged } from '../core/release/interference.ts'
import { decideProposalSeen } from '../core/release/proposal.ts'
import { decideReleaseReview, decideReviewDismissed, decideReviewSubmitted } from '../core/release/review.ts'
import type { Request, RequestKind } from '../core/request.ts'
import { decideGateRequested, decideGateReview } from '../core/ring/decide.ts'

/** Which decision answers which request: the one table of what can be asked. */
const DECISIONS: {
  readonly [K in RequestKind]: (request: Extract<Request, { kind: K }>) => Deciding<Decision<unknown>>
} = {
  'build-reported': decideBuildReported,
  'deployment-reported': decideDeploymentReported,
  'command-given': decideCommand,
  'comment-noted': decideCommentNoted,
  'comment-touched': decideCommentTouched,
  'check-forged': decideForged,
  'status-forged': decideForged,
  'branch-pushed': decideBranchPushed,
  'proposal-seen': decideProposalSeen,
  'review-submitted': decideReviewSubmitted,
  'review-dismissed': decideReviewDismissed,
  'release-review': decideReleaseReview,
  'gate-requested': decideGateRequested,
  'gate-review': decideGateReview,
  'run-ended': decideRunEnded,
  'configuration-seen': decideConfigurationSeen,
  'configuration-proposed': decideConfigurationProposed,
  'ring-reached': decideRingReached,
  'bundles-signed': decideBundlesSigned,
  'manifest-published': decideManifestPublished,
  'brake-tripped': decideBrakeTripped,
  'manifest-due': decideManifestDue,
  'build-number-asked': decideBuildNumber,
  'cut-settled': decideCutSettled,
  'condition-seen': decideConditionSeen,
}

export const decisionOf = (request: Request): (() => Deciding<Decision<unknown>>) => {
  const decide = DECISIONS[request.kind] as (request: Request) => Deciding<Decision<unknown>>
  return () => decide(request)
}

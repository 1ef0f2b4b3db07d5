import type { DeploymentRecord, DeploymentStatus } from './deployment/schema.ts'
import type { Actor, Source, Trust } from './event.ts'
import type { CommentNote } from './process/issue-note.ts'
import type { AskedAt } from './product/build-line-schema.ts'
import type { CutOutcome } from './product/cut-schema.ts'
import type { BuildRecord, RepositoryRef } from './product/schema.ts'
import type { ReleaseId } from './release/schema.ts'

interface Asked {
  readonly at: string
  readonly actor: Actor | null
  readonly source: Source
}

/** What happened or was asked, normalised: the one way into the engine for webhooks, sweeps, timers and the command line. */
export type Request =
  | (Asked & {
      readonly kind: 'build-reported'
      readonly repository: RepositoryRef
      readonly sha: string
      readonly checkRunId: number
      readonly url: string
      readonly record: BuildRecord
      readonly trust: Trust
    })
  | (Asked & {
      readonly kind: 'deployment-reported'
      readonly repository: RepositoryRef
      readonly deploymentId: number
      readonly environment: string
      readonly sha: string
      readonly status: DeploymentStatus
      readonly statusId: number
      /** The Action's own record, or null for other tools' deployments and GitHub's job deployments. */
      readonly record: DeploymentRecord | null
      /** The workflow run that GitHub names beside the deployment, where it names one. */
      readonly run: { readonly id: number; readonly attempt: number } | null
      readonly byActions: boolean
      readonly url: string
      readonly trust: Trust
    })
  | (Asked & {
      readonly kind: 'command-given'
      readonly repository: RepositoryRef
      readonly issue: {
        readonly number: number
        readonly title: string
        readonly isPull: boolean
        readonly open: boolean
      }
      readonly comment: { readonly id: number; readonly url: string }
      readonly command: { readonly name: string; readonly args: string }
      readonly index: number
      readonly of: number
    })
  | (Asked & {
      readonly kind: 'proposal-seen'
      readonly repository: RepositoryRef
      readonly release: ReleaseId
      readonly number: number
      readonly url: string
      readonly head: string
      readonly author: string
      readonly merged: boolean
      /** What somebody else did to it, as its webhook says. */
      readonly interference?: { readonly what: 'proposal-pushed' | 'proposal-merged'; readonly by: string }
    })
  /** A check run under one of our names that another App made. */
  | (Asked & {
      readonly kind: 'check-forged'
      readonly repository: RepositoryRef
      readonly sha: string
      readonly checkRunId: number
      readonly name: string
      readonly app: string
      readonly url: string
    })
  /** A commit status under one of our names: GitHub takes one for a check run of that name, and Ringmaster makes none. */
  | (Asked & {
      readonly kind: 'status-forged'
      readonly repository: RepositoryRef
      readonly sha: string
      readonly statusId: number
      readonly name: string
      readonly by: string
      readonly url: string
    })
  /** Somebody edited or deleted a comment of ours. */
  | (Asked & {
      readonly kind: 'comment-touched'
      readonly repository: RepositoryRef
      readonly issue: number
      readonly comment: number
      readonly change: 'edited' | 'deleted'
      readonly by: string
      readonly url: string
    })
  /** Somebody else pushed to a branch that only we write. */
  | (Asked & {
      readonly kind: 'branch-pushed'
      readonly repository: RepositoryRef
      readonly branch: string
      readonly commit: string
      readonly by: string
    })
  /** A comment of a person whose commands are not carried out; `actor` is its author. */
  | (Asked & {
      readonly kind: 'comment-noted'
      readonly repository: RepositoryRef
      readonly issue: number
      readonly comment: { readonly id: number; readonly url: string }
      readonly note: CommentNote
      readonly message: string | null
    })
  /** A review as it was given, which GitHub's own list no longer tells once it is dismissed. */
  | (Asked & {
      readonly kind: 'review-submitted'
      readonly repository: RepositoryRef
      readonly release: ReleaseId
      readonly reviewId: number
      readonly state: 'APPROVED' | 'CHANGES_REQUESTED'
    })
  | (Asked & {
      readonly kind: 'review-dismissed'
      readonly repository: RepositoryRef
      readonly release: ReleaseId
      readonly reviewId: number
      readonly by: string
      /** Whose review it was. */
      readonly author: string
    })
  /** Decide the signatures of a release again: a review came, time passed, a team changed. */
  | (Asked & { readonly kind: 'release-review'; readonly release: ReleaseId })
  | (Asked & {
      readonly kind: 'gate-requested'
      readonly repository: RepositoryRef
      readonly runId: number
      readonly environment: string
      readonly deploymentId: number
      readonly sha: string
      readonly ref: string
      readonly installationId: number
    })
  | (Asked & { readonly kind: 'gate-review'; readonly gate: string })
  | (Asked & {
      readonly kind: 'run-ended'
      readonly repository: RepositoryRef
      readonly runId: number
      readonly runAttempt: number
    })
  | (Asked & { readonly kind: 'configuration-seen'; readonly repository: RepositoryRef; readonly commit: string })
  /** A pull request proposes a commit to the default branch of the release repository. */
  | (Asked & { readonly kind: 'configuration-proposed'; readonly repository: RepositoryRef; readonly commit: string })
  /** A version completed in an environment: perhaps a ring is reached that serves cohorts. */
  | (Asked & {
      readonly kind: 'ring-reached'
      readonly product: string
      readonly version: string
      readonly environment: string
    })
  /**
   * A signing request that the holders of the bundles key have completed: which bundles may be installed. `isVerified`
   * says that its signatures were checked against the published targets.
   */
  | (Asked & {
      readonly kind: 'bundles-signed'
      readonly document: string
      readonly version: number
      readonly bundles: readonly string[]
      readonly isVerified: boolean
    })
  /** A manifest arrived at its public address. */
  | (Asked & {
      readonly kind: 'manifest-published'
      readonly cohort: string
      readonly digest: string
      readonly address: string
    })
  /** What devices report of the latest release is beyond what its cohort's brakes allow. */
  | (Asked & {
      readonly kind: 'brake-tripped'
      readonly cohort: string
      readonly release: string
      readonly reason: string
    })
  /** Somebody builds a development version and needs its number. `wanted`: what the commits ask for, where that is known. */
  | (Asked & {
      readonly kind: 'build-number-asked'
      readonly product: string
      readonly run: { readonly id: number; readonly attempt: number }
      readonly wanted: string | null
      /** Where a workflow asks and is answered; null for who asks on the command line. */
      readonly askedAt: AskedAt | null
    })
  /** What was asked to be cut stands outside, or cannot. */
  | (Asked & {
      readonly kind: 'cut-settled'
      readonly product: string
      readonly cut: string
      readonly outcome: CutOutcome
    })
  /** The published manifest of a cohort nears its end. */
  | (Asked & { readonly kind: 'manifest-due'; readonly cohort: string })
  /** A condition that people have to know of holds, or holds no more. */
  | (Asked & {
      readonly kind: 'condition-seen'
      readonly alarm: string
      readonly code: string
      readonly message: string
      readonly holds: boolean
    })

export type RequestKind = Request['kind']

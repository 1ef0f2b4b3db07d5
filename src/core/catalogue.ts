import { z } from 'zod'
import { ChannelEffect } from './cohort/effect-schema.ts'
import { Bundle, ChannelRelease, Id, Override, Salt } from './cohort/schema.ts'
import { Answer } from './command/answer.ts'
import { ConfigurationProblem } from './config/in-force.ts'
import { DeploymentStatus } from './deployment/schema.ts'
import { Actor, type EventDraft, type LedgerEvent } from './event.ts'
import { Quarantine } from './manifest/schema.ts'
import { CommentNote } from './process/issue-note.ts'
import { AskedAt, NumberRefusal, NumberRun } from './product/build-line-schema.ts'
import { Cut, CutOutcome } from './product/cut-schema.ts'
import {
  Artifact,
  BuildRecord,
  BuildStatus,
  CommitSha,
  CustomerAction,
  EnvironmentName,
  ProductName,
  RepositoryRef,
  RunRef,
  VersionText,
} from './product/schema.ts'
import { InterferenceKind, SettingKey } from './release/conduct.ts'
import { Digest, ReleaseId, ReleaseItem, SignoffRecord, SignoffStatus } from './release/schema.ts'
import { Blocker, BlockerCode, GateItem } from './ring/schema.ts'

const UsedFacts = z.array(z.unknown())
const release = ReleaseId

const DeploymentEvent = z.strictObject({
  product: ProductName,
  version: VersionText,
  environment: EnvironmentName,
  /** The correlation of the attempt: one for all who speak of it. */
  attempt: z.string(),
  status: DeploymentStatus,
  /** The id of the status within its deployment; a higher one is newer. */
  statusId: z.int().nonnegative(),
  sha: CommitSha,
  repository: RepositoryRef,
  runId: z.int().positive().nullable(),
  runAttempt: z.int().positive().nullable(),
  url: z.string(),
  authorisation: z.enum(['ungated', 'gate', 'override', 'unauthorised']),
  /** Who says so: the run itself by the Action, GitHub of one of its jobs, or another tool by the commit alone. */
  origin: z.enum(['record', 'job', 'commit']),
})

/** Every type of event with its data: the closed language of the log. A new type is one entry here and one in `evolve`. */
export const CATALOGUE = {
  'config.accepted': z.strictObject({
    digest: Digest,
    previous: Digest.nullable(),
    repository: RepositoryRef,
    commit: z.string(),
    facts: UsedFacts,
  }),
  'config.refused': z.strictObject({
    digest: Digest,
    repository: RepositoryRef,
    commit: z.string(),
    problems: z.array(ConfigurationProblem),
    facts: UsedFacts,
  }),
  /** A configuration that a pull request proposes, read at a commit: sound when there are no problems. */
  'config.checked': z.strictObject({
    repository: RepositoryRef,
    commit: z.string(),
    problems: z.array(ConfigurationProblem),
  }),
  'build.recorded': z.strictObject({
    product: ProductName,
    version: VersionText,
    sha: CommitSha,
    repository: RepositoryRef,
    path: z.string().nullable(),
    status: BuildStatus,
    bump: BuildRecord.shape.bump,
    previousVersion: VersionText.nullable(),
    run: RunRef,
    url: z.string(),
    artifacts: z.array(Artifact),
    customerAction: CustomerAction.optional(),
  }),
  /** The next development version of a product, for one attempt of a run and no other. */
  'build-number.handed_out': z.strictObject({
    product: ProductName,
    version: VersionText,
    /** The highest release that was known. */
    release: VersionText.nullable(),
    /** What the commits ask for, where somebody said so. */
    wanted: VersionText.nullable(),
    run: NumberRun,
    /** Where a workflow asked and is answered; absent for who asks on the command line. */
    asked: AskedAt.optional(),
  }),
  /** A workflow that asked for a number and gets none, with what it is told. */
  'build-number.refused': z.strictObject({
    product: ProductName,
    run: NumberRun,
    asked: AskedAt,
    ...NumberRefusal.shape,
  }),
  /** A record that contradicts what is bound: it changes nothing and is kept for the audit. */
  'build.refused': z.strictObject({
    product: ProductName,
    version: VersionText,
    sha: CommitSha,
    repository: RepositoryRef,
    code: z.string(),
    message: z.string(),
    url: z.string(),
    /** Absent in events from before refusals were shown on their commits. */
    hint: z.string().nullable().optional(),
  }),
  'deployment.pending': DeploymentEvent,
  'deployment.started': DeploymentEvent,
  'deployment.completed': DeploymentEvent,
  'deployment.failed': DeploymentEvent,
  'deployment.aborted': DeploymentEvent,
  'deployment.refused': z.strictObject({
    environment: EnvironmentName,
    deploymentId: z.int(),
    repository: RepositoryRef,
    code: z.string(),
    message: z.string(),
    url: z.string(),
    /** Absent, as those below, in events from before refusals were shown on their commits. */
    hint: z.string().nullable().optional(),
    sha: CommitSha.optional(),
    product: ProductName.optional(),
    version: VersionText.optional(),
  }),
  'job-deployment.seen': z.strictObject({
    repository: RepositoryRef,
    runId: z.int().positive(),
    deploymentId: z.int(),
    environment: EnvironmentName,
    sha: CommitSha,
    attempt: z.int().positive(),
    status: DeploymentStatus,
    statusId: z.int().nonnegative(),
    url: z.string(),
  }),
  'run.ended': z.strictObject({
    repository: RepositoryRef,
    runId: z.int().positive(),
    runAttempt: z.int().positive(),
  }),
  'release.opened': z.strictObject({
    release,
    title: z.string(),
    repository: RepositoryRef,
    issue: z.int().positive(),
    manager: Actor,
    policyDigest: Digest,
  }),
  'release.version_added': z.strictObject({ release, item: ReleaseItem }),
  'release.version_removed': z.strictObject({ release, product: ProductName }),
  'release.started': z.strictObject({ release, digest: Digest }),
  'release.reopened': z.strictObject({ release, reason: z.string() }),
  'release.completed': z.strictObject({ release }),
  /** The notes of a release are to be told on its issue, as its commits are then. */
  'notes.asked': z.strictObject({ release }),
  'release.cancelled': z.strictObject({ release, reason: z.string() }),
  'release.rolled_back': z.strictObject({ release, reason: z.string() }),
  'release.set': z.strictObject({ release, key: SettingKey, value: z.string().nullable() }),
  'release.manager_changed': z.strictObject({ release, manager: Actor }),
  /** What its manager decided about a release: whether it goes. */
  'release.judged': z.strictObject({ release, judgement: z.enum(['go', 'no-go']), reason: z.string().nullable() }),
  'release.held': z.strictObject({ release, reason: z.string() }),
  'release.unheld': z.strictObject({ release }),
  'step.waived': z.strictObject({ release, step: z.string(), reason: z.string() }),
  'party.delegated': z.strictObject({ release, party: z.string(), from: Actor, to: Actor, until: z.string() }),
  'party.undelegated': z.strictObject({ release, party: z.string(), from: Actor }),
  'override.asked': z.strictObject({
    release,
    override: z.string(),
    environment: EnvironmentName,
    reason: z.string(),
    /** Until when another person may confirm it. */
    expiresAt: z.string(),
  }),
  'override.confirmed': z.strictObject({ release, override: z.string(), expiresAt: z.string() }),
  /** `*` stands for every environment. */
  'environment.frozen': z.strictObject({ environment: EnvironmentName, reason: z.string() }),
  'environment.unfrozen': z.strictObject({ environment: EnvironmentName }),
  'freeze.excepted': z.strictObject({ release, environment: EnvironmentName, reason: z.string() }),
  /** Somebody touched what only Ringmaster writes. */
  'evidence.changed': z.strictObject({
    release: ReleaseId.nullable(),
    what: InterferenceKind,
    by: z.string(),
    url: z.string().nullable(),
  }),
  'step.done': z.strictObject({ release, step: z.string(), evidence: z.string().nullable() }),
  'step.undone': z.strictObject({ release, step: z.string() }),
  'proposal.seen': z.strictObject({
    release,
    repository: RepositoryRef,
    number: z.int().positive(),
    url: z.string(),
    head: z.string(),
    headDigest: z.string(),
    author: z.string(),
    merged: z.boolean(),
  }),
  /** What a review said, of which no decision about signatures tells. */
  'review.submitted': z.strictObject({
    release,
    reviewId: z.int(),
    state: z.enum(['APPROVED', 'CHANGES_REQUESTED']),
  }),
  /** `was`: what the review said before, where it was known. */
  'review.dismissed': z.strictObject({
    release,
    reviewId: z.int(),
    by: z.string(),
    was: z.string().nullable(),
    author: z.string().optional(),
  }),
  'signoff.decided': z.strictObject({ release, signoff: SignoffRecord, facts: UsedFacts }),
  /** Every required seat is filled on this content. */
  'signoff.completed': z.strictObject({ release, digest: Digest, head: z.string(), signers: z.array(z.string()) }),
  /** A release that was signed off no longer is. */
  'signoff.lost': z.strictObject({ release, digest: Digest, status: SignoffStatus }),
  'signoff.reminded': z.strictObject({
    release,
    number: z.int().positive(),
    kind: z.enum(['reminder', 'escalation']),
    to: z.array(z.string()),
    missing: z.array(z.string()),
  }),
  'gate.requested': z.strictObject({
    repository: RepositoryRef,
    runId: z.int().positive(),
    environment: EnvironmentName,
    deploymentId: z.int().nonnegative(),
    sha: CommitSha,
    ref: z.string(),
    installationId: z.int().nonnegative(),
    /** The deployment that the same gate was asked for before, where it was; absent in events from before this was told. */
    replaces: z.int().nonnegative().optional(),
  }),
  'gate.decided': z.strictObject({
    gate: z.string(),
    verdict: z.enum(['waiting', 'approved', 'rejected']),
    blockers: z.array(Blocker),
    items: z.array(GateItem),
    intent: z.enum(['unknown', 'recorded', 'commit']),
    releases: z.array(z.string()),
    policyDigest: Digest.nullable(),
    /** What two people let pass, where they did. */
    overrides: z.array(z.strictObject({ release, override: z.string(), codes: z.array(BlockerCode) })).optional(),
  }),
  'gate.closed': z.strictObject({ gate: z.string(), reason: z.string() }),
  'command.answered': z.strictObject({
    repository: RepositoryRef,
    issue: z.int().positive(),
    comment: z.int().positive(),
    /** Which command of the comment, from 0, of how many. */
    index: z.int().nonnegative(),
    of: z.int().positive(),
    command: z.string(),
    answer: Answer,
    facts: UsedFacts,
  }),
  /** A comment with commands that were not carried out: changed after it was read, or beyond reading. */
  'comment.noted': z.strictObject({
    repository: RepositoryRef,
    issue: z.int().positive(),
    comment: z.int().positive(),
    note: CommentNote,
    author: Actor,
    message: z.string().max(2_000).nullable(),
  }),
  /** Somebody asked for a tag, a release branch or a GitHub Release in the repository of a product. */
  'cut.asked': Cut,
  'cut.settled': z.strictObject({ product: ProductName, cut: Cut.shape.id, outcome: CutOutcome }),
  /** `effect`: what the release was seen to do to devices; null where nobody could say, absent where nobody looked. */
  'channel.released': z.strictObject({
    cohort: Id,
    bundle: Bundle,
    release: ChannelRelease,
    salt: Salt,
    effect: ChannelEffect.nullable().optional(),
  }),
  /** A channel release in its new words, and what that does to devices; null where nobody could say. */
  'channel.changed': z.strictObject({
    cohort: Id,
    what: z.enum([
      'phase',
      'halt',
      'resume',
      'disable',
      'enable',
      'hold',
      'unhold',
      'require',
      'unrequire',
      'schedule',
    ]),
    release: ChannelRelease,
    reason: z.string().max(2_000).nullable(),
    effect: ChannelEffect.nullable(),
  }),
  /** A bad release taken back, and its fix as the new latest, in one step. */
  'channel.withdrawn': z.strictObject({
    cohort: Id,
    withdrawn: ChannelRelease,
    fix: z.strictObject({ bundle: Bundle, release: ChannelRelease, salt: Salt }),
    reason: z.string().max(2_000),
    effect: ChannelEffect.nullable(),
  }),
  'cohort.override_set': z.strictObject({ cohort: Id, override: Override }),
  'cohort.override_ended': z.strictObject({ cohort: Id, override: Id }),
  /** Devices by salted digests of their pseudonyms; null: none any more. */
  'cohort.quarantine_set': z.strictObject({ cohort: Id, quarantine: Quarantine.nullable() }),
  'cohort.moved': z.strictObject({ cohort: Id, to: Id.nullable() }),
  /** Which release devices get that cannot say what they run. */
  'cohort.entry_set': z.strictObject({ cohort: Id, release: Id.nullable() }),
  /** A manifest is to be issued again though nothing of it changed: somebody asked, or its end is near. */
  'manifest.due': z.strictObject({ cohort: Id, reason: z.enum(['asked', 'expiry']) }),
  'bundles.signed': z.strictObject({
    digest: Digest,
    version: z.int().positive(),
    bundles: z.array(z.string()),
  }),
  'manifest.published': z.strictObject({ cohort: z.string(), digest: Digest, address: z.string() }),
  'alarm.raised': z.strictObject({ alarm: z.string(), code: z.string(), message: z.string() }),
  'alarm.cleared': z.strictObject({ alarm: z.string() }),
  /**
   * Every delivery before `until` is in the log, and what GitHub lists of the time before `swept` was looked up: where
   * reading goes on after a crash. It only rides along.
   */
  'intake.marked': z.strictObject({ until: z.iso.datetime(), swept: z.iso.datetime().optional() }),
  /** The first event of a later epoch: what it goes on from, and the digest of the index of the state that it took over. */
  'epoch.opened': z.strictObject({
    epoch: z.int().min(2),
    previous: z.strictObject({
      branch: z.string().min(1).max(200),
      commit: z.string(),
      seq: z.int().positive(),
      digest: Digest,
    }),
    state: Digest,
  }),
  /** Texts that were taken out of an event, by their JSON pointers into its data. */
  'event.redacted': z.strictObject({
    seq: z.int().positive(),
    members: z.array(z.string()).min(1),
    reason: z.string().min(1).max(2_000),
    by: z.string().min(1).max(100),
  }),
  'output.settled': z.strictObject({
    subject: z.string(),
    output: z.string(),
    digest: Digest,
    remote: z.string().nullable(),
    /** The process that wrote it, and the newest receipt of this output that it knew of, 0 for none. */
    writer: z.string().max(40).optional(),
    follows: z.int().nonnegative().optional(),
    /** Something else was wanted already when this was recorded: it tells what stands outside, and ends nothing. */
    isOutdated: z.literal(true).optional(),
  }),
} as const satisfies Record<string, z.ZodType>

export type EventType = keyof typeof CATALOGUE
export type EventData<T extends EventType> = z.infer<(typeof CATALOGUE)[T]>
export type TypedEvent<T extends EventType = EventType> = T extends EventType
  ? Omit<LedgerEvent, 'type' | 'data'> & { readonly type: T; readonly data: EventData<T> }
  : never

export const isEventType = (type: string): type is EventType => Object.hasOwn(CATALOGUE, type)

/** Makes an event of a known type; the compiler holds its data to the catalogue. */
export const draft = <T extends EventType>(
  type: T,
  data: EventData<T>,
  rest: Omit<EventDraft, 'type' | 'data'>,
): EventDraft => ({ type, data, ...rest })

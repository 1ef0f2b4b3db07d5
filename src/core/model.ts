import type { EventData, EventType, TypedEvent } from './catalogue.ts'
import { evolveCohort, evolveCohortIndex, evolveSignedBundles } from './cohort/evolve.ts'
import { BUNDLES_KEY, COHORTS_KEY, cohortKey } from './cohort/state.ts'
import { evolvePace, paceKey } from './command/pace.ts'
import { evolveChecks, evolveConfig, evolveRefused } from './config/evolve.ts'
import { CHECKS_KEY, CONFIG_KEY, REFUSED_KEY } from './config/in-force.ts'
import { evolveBoard, evolveRunByDeployment, evolveRunByJob, evolveRunEnd } from './deployment/evolve.ts'
import { boardKey, runKey } from './deployment/schema.ts'
import type { AggregateKey, EventDraft, LedgerEvent, Model } from './event.ts'
import { evolveIntake, INTAKE_KEY } from './intake.ts'
import { evolveOutbox, outboxKey } from './outbox.ts'
import { evolveIssue, evolveIssueNote, issueKey } from './process/issue.ts'
import { evolveBuildLine, evolveBuildSlot } from './product/build-line-evolve.ts'
import { buildLineKey, buildSlotKey } from './product/build-line-schema.ts'
import { evolveCuts } from './product/cut-evolve.ts'
import { cutsKey } from './product/cut-schema.ts'
import { evolveCommit, evolveProduct, evolveVersion } from './product/evolve.ts'
import { evolveRefusals, refusedBy } from './product/refusal-evolve.ts'
import { commitKey, productKey, versionKey } from './product/schema.ts'
import { evolveRelease } from './release/evolve.ts'
import { evolveOpen } from './release/evolve-open.ts'
import { OPEN_KEY, releaseKey } from './release/open.ts'
import { evolveGate } from './ring/evolve.ts'
import { evolveFreezes, FREEZES_KEY } from './ring/freezes.ts'
import { gateKeyOf } from './ring/schema.ts'
import { textsOf } from './texts.ts'

/** What an event changes: an aggregate, and its next state from the one before. */
interface Change {
  readonly key: AggregateKey
  readonly next: (state: never, event: never) => unknown
}

type Changes<T extends EventType> = (data: EventData<T>, event: EventDraft) => readonly Change[]

const gateKey = (data: EventData<'gate.requested'>) => gateKeyOf(data.repository.id, data.runId, data.environment)

const ofRelease = (data: { readonly release: string }): readonly Change[] => [
  { key: releaseKey(data.release), next: evolveRelease },
]
const ofOpenRelease = (data: { readonly release: string }): readonly Change[] => [
  { key: releaseKey(data.release), next: evolveRelease },
  { key: OPEN_KEY, next: evolveOpen },
]
const ofDeployment = (data: EventData<'deployment.started'>): readonly Change[] => {
  const board: Change = { key: boardKey(data.product), next: evolveBoard }
  if (data.runId === null) return [board]
  return [board, { key: runKey(data.repository.id, data.runId), next: evolveRunByDeployment }]
}
const ofFreezes = (): readonly Change[] => [{ key: FREEZES_KEY, next: evolveFreezes }]
const ofCohort = (data: { readonly cohort: string }): readonly Change[] => [
  { key: cohortKey(data.cohort), next: evolveCohort },
]
const ofCuts = (data: { readonly product: string }): readonly Change[] => [
  { key: cutsKey(data.product), next: evolveCuts },
  { key: OPEN_KEY, next: evolveOpen },
]
const ofRefusal = (data: EventData<'build.refused' | 'deployment.refused'>): readonly Change[] => {
  const key = refusedBy(data)
  if (key === null) return []
  return [
    { key, next: evolveRefusals },
    { key: OPEN_KEY, next: evolveOpen },
  ]
}

const ofBuildSlot = (data: EventData<'build-number.handed_out' | 'build-number.refused'>): readonly Change[] => [
  { key: buildSlotKey(data.product, data.run), next: evolveBuildSlot },
  ...(data.asked === undefined ? [] : [{ key: OPEN_KEY, next: evolveOpen }]),
]

const ofNothing = (): readonly Change[] => []

/** Which aggregates each type of event changes, and how: the one table of state. */
const CHANGES: { readonly [T in EventType]: Changes<T> } = {
  'config.accepted': () => [
    { key: CONFIG_KEY, next: evolveConfig },
    { key: REFUSED_KEY, next: evolveRefused },
  ],
  'config.refused': () => [{ key: REFUSED_KEY, next: evolveRefused }],
  'config.checked': () => [{ key: CHECKS_KEY, next: evolveChecks }],
  'build.recorded': (data) => [
    { key: productKey(data.product), next: evolveProduct },
    { key: versionKey(data.product, data.version), next: evolveVersion },
    { key: commitKey(data.sha), next: evolveCommit },
  ],
  'build-number.handed_out': (data) => [
    { key: buildLineKey(data.product), next: evolveBuildLine },
    ...ofBuildSlot(data),
  ],
  'build-number.refused': ofBuildSlot,
  'build.refused': ofRefusal,
  'deployment.pending': ofDeployment,
  'deployment.started': ofDeployment,
  'deployment.completed': ofDeployment,
  'deployment.failed': ofDeployment,
  'deployment.aborted': ofDeployment,
  'deployment.refused': ofRefusal,
  'job-deployment.seen': (data) => [
    {
      key: runKey(data.repository.id, data.runId),
      next: (state: never, event: TypedEvent<'job-deployment.seen'>) => evolveRunByJob(state, event.data, event.at),
    },
  ],
  'run.ended': (data) => [
    {
      key: runKey(data.repository.id, data.runId),
      next: (state: never, event: TypedEvent<'run.ended'>) => evolveRunEnd(state, event.data),
    },
  ],
  'release.opened': (data) => [
    ...ofOpenRelease(data),
    { key: issueKey(data.repository.id, data.issue), next: evolveIssue },
  ],
  'release.version_added': ofOpenRelease,
  'release.version_removed': ofOpenRelease,
  'release.started': ofOpenRelease,
  'release.reopened': ofOpenRelease,
  'release.completed': ofOpenRelease,
  'notes.asked': ofOpenRelease,
  'release.cancelled': ofOpenRelease,
  'release.rolled_back': ofOpenRelease,
  'release.set': ofRelease,
  'release.manager_changed': ofRelease,
  'release.judged': ofRelease,
  'release.held': ofRelease,
  'release.unheld': ofRelease,
  'step.waived': ofRelease,
  'party.delegated': ofRelease,
  'party.undelegated': ofRelease,
  'override.asked': ofRelease,
  'override.confirmed': ofRelease,
  'environment.frozen': ofFreezes,
  'environment.unfrozen': ofFreezes,
  'freeze.excepted': ofFreezes,
  'evidence.changed': ({ release }) => (release === null ? [] : ofRelease({ release })),
  'signoff.completed': ofRelease,
  'signoff.lost': ofRelease,
  'signoff.reminded': ofRelease,
  'step.done': ofRelease,
  'step.undone': ofRelease,
  'proposal.seen': (data) => [
    ...ofRelease(data),
    { key: issueKey(data.repository.id, data.number), next: evolveIssue },
  ],
  'review.submitted': ofRelease,
  'review.dismissed': ofRelease,
  'signoff.decided': ofRelease,
  'gate.requested': (data) => [
    { key: gateKey(data), next: evolveGate },
    { key: OPEN_KEY, next: evolveOpen },
  ],
  'gate.decided': (data) => [{ key: data.gate as AggregateKey, next: evolveGate }],
  'gate.closed': (data) => [
    { key: data.gate as AggregateKey, next: evolveGate },
    { key: OPEN_KEY, next: evolveOpen },
  ],
  'command.answered': (data, { actor }) => [
    ...(actor === null ? [] : [{ key: paceKey(actor.id), next: evolvePace }]),
    { key: issueKey(data.repository.id, data.issue), next: evolveIssue },
    { key: OPEN_KEY, next: evolveOpen },
  ],
  'comment.noted': (data) => [
    { key: issueKey(data.repository.id, data.issue), next: evolveIssueNote },
    { key: OPEN_KEY, next: evolveOpen },
  ],
  'cut.asked': ofCuts,
  'cut.settled': (data) => [{ key: cutsKey(data.product), next: evolveCuts }],
  'channel.released': (data) => [
    { key: cohortKey(data.cohort), next: evolveCohort },
    { key: COHORTS_KEY, next: evolveCohortIndex },
  ],
  'bundles.signed': () => [{ key: BUNDLES_KEY, next: evolveSignedBundles }],
  'channel.changed': ofCohort,
  'channel.withdrawn': ofCohort,
  'cohort.override_set': ofCohort,
  'cohort.override_ended': ofCohort,
  'cohort.quarantine_set': ofCohort,
  'cohort.moved': ofCohort,
  'cohort.entry_set': ofCohort,
  'manifest.due': ofCohort,
  'manifest.published': ofCohort,
  'alarm.raised': () => [{ key: OPEN_KEY, next: evolveOpen }],
  'alarm.cleared': () => [{ key: OPEN_KEY, next: evolveOpen }],
  'intake.marked': () => [{ key: INTAKE_KEY, next: evolveIntake }],
  'epoch.opened': ofNothing,
  'event.redacted': ofNothing,
  'output.settled': (data) => [
    { key: outboxKey(data.subject), next: evolveOutbox },
    { key: OPEN_KEY, next: evolveOpen },
  ],
}

const CHANGES_BY_TYPE: ReadonlyMap<string, Changes<EventType>> = new Map(Object.entries(CHANGES) as never)

const lookUp = (event: EventDraft): readonly Change[] =>
  CHANGES_BY_TYPE.get(event.type)?.(event.data as EventData<EventType>, event) ?? []

/** A ledger asks for the keys of an event and then for the next state of each: one look for all of them. */
let latest: { readonly event: EventDraft; readonly changes: readonly Change[] } | undefined

function changesOf(event: EventDraft): readonly Change[] {
  if (latest?.event !== event) latest = { event, changes: lookUp(event) }
  return latest.changes
}

/** The core as the ledger sees it: total over the catalogue, so that any log of it folds into state. */
export const model: Model = {
  keysOf: (event) => changesOf(event).map((change) => change.key),
  evolve: (key, state, event: LedgerEvent) => {
    for (const change of changesOf(event)) if (change.key === key) return change.next(state as never, event as never)
    return state
  },
  textsOf,
}

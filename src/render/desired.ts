import { CLOCKS_DIFFER_MS } from '../core/clocks.ts'
import { channelOf, signedReleases, uncountedPhase } from '../core/cohort/offer.ts'
import {
  BUNDLES_KEY,
  bundleIdOf,
  bundlesDocument,
  type CohortState,
  cohortKey,
  type SignedBundles,
} from '../core/cohort/state.ts'
import {
  CHECKS_KEY,
  type ConfigChecks,
  REFUSED_KEY,
  type RefusedConfig,
  readConfiguration,
  readPolicy,
} from '../core/config/in-force.ts'
import type { CohortConfig, Configuration, PartyConfig } from '../core/config/schema.ts'
import { type Deciding, document, state, states } from '../core/decision.ts'
import { type BoardState, boardKey } from '../core/deployment/schema.ts'
import type { AggregateKey } from '../core/event.ts'
import type { IssueState } from '../core/process/issue.ts'
import type { BuildSlot } from '../core/product/build-line-schema.ts'
import { commitSourceOf } from '../core/product/bump-options.ts'
import type { CutsState } from '../core/product/cut-schema.ts'
import { type RefusalsState, refusedKey } from '../core/product/refusal-schema.ts'
import { type RepositoryRef, type VersionState, versionKey } from '../core/product/schema.ts'
import { compositionText, proposalBranch, RELEASES_BRANCH, releasePath } from '../core/release/composition.ts'
import { nothingOpen, OPEN_KEY, type OpenIndex, releaseKey } from '../core/release/open.ts'
import type { ReleaseState } from '../core/release/schema.ts'
import { teamOf } from '../core/release/signers.ts'
import { keptEnvironments } from '../core/release/visibility.ts'
import type { GateState } from '../core/ring/schema.ts'
import { reactionOf, renderReply } from './answer.ts'
import { buildNumberCheck } from './build-number.ts'
import { type Brought, MOST_BROUGHT_TO, renderBrought } from './channel.ts'
import { renderReminder } from './conduct.ts'
import { configurationCheck, refusedConfiguration } from './configuration.ts'
import { renderCut } from './cut.ts'
import { renderGate } from './gate.ts'
import type { NotedProduct, Output } from './output.ts'
import { proposalTitle, renderProposal } from './proposal.ts'
import { refusalCheck } from './refusal.ts'
import { labelOf, renderBoard } from './release.ts'
import { renderSignoff, signoffConclusion, signoffTitle } from './signoff.ts'
import { escapeMarkdown, fitted, MAX_BODY } from './text.ts'

/** What the outputs of a subject rest on beside its state. */
export interface Surroundings {
  readonly releaseRepository: RepositoryRef
  /** The log's newest event and the digest of its line: an anchor outside the branch. Null where none is written. */
  readonly head: { readonly seq: number; readonly digest: string } | null
  readonly unprotected: boolean
}

/** As `ringmaster ledger verify --anchor` takes it. */
const anchorOf = ({ head }: Surroundings): string => (head === null ? '' : `${head.seq}:${head.digest}`)

/** Everything that should stand outside for a subject (an aggregate), as its state is now. Pure. */
export function* desiredOutputs(subject: AggregateKey, around: Surroundings): Deciding<readonly Output[]> {
  const kind = subject.slice(0, subject.indexOf('/'))
  switch (kind) {
    case 'release':
      return yield* ofRelease(subject, around)
    case 'issue':
      return yield* ofIssue(subject, around)
    case 'gate':
      return yield* ofGate(subject, around)
    case 'cohort':
      return yield* ofCohort(subject, around)
    case 'cuts':
      return yield* ofCuts(subject, around)
    case 'refused':
      return yield* ofRefusals(subject)
    case 'build-slot':
      return yield* ofBuildSlot(subject)
    case 'index':
      return subject === OPEN_KEY ? yield* ofAlarms(around) : []
    case 'config':
      return yield* ofConfiguration(subject, around)
    default:
      return []
  }
}

function* ofRelease(subject: AggregateKey, around: Surroundings): Deciding<readonly Output[]> {
  const release = yield* state<ReleaseState>(subject)
  if (!release) return []
  const policy = yield* readPolicy(release.policyDigest)
  const inForce = yield* readConfiguration()
  /** A ring that is kept now was perhaps not when the release was opened, and the board is read now. */
  const kept = keptEnvironments([policy, inForce].flatMap((known) => (known ? [known.configuration] : [])))
  const boards = yield* states<BoardState>(release.items.map((item) => boardKey(item.product)))
  const byProduct = new Map(boards.flatMap((board) => (board ? [[board.product, board] as const] : [])))
  const { repository, issue, id } = release
  const base = { subject, repository }
  const outputs: Output[] = [
    {
      ...base,
      kind: 'comment',
      key: `${id}/board`,
      issue,
      body: renderBoard(release, policy?.configuration ?? null, byProduct, around.unprotected, kept),
    },
    { ...base, kind: 'label', key: `${id}/label`, issue, label: labelOf(release.status) },
  ]
  const brought = yield* broughtBy(release, policy?.configuration.cohorts ?? [])
  if (brought.length > 0)
    outputs.push({ ...base, kind: 'comment', key: `${id}/cohorts`, issue, body: renderBrought(brought) })
  if (release.status === 'in_progress') {
    outputs.push({
      ...base,
      kind: 'proposal',
      key: `${id}/proposal`,
      release: id,
      base: RELEASES_BRANCH,
      branch: proposalBranch(id),
      path: releasePath(id),
      text: compositionText(release),
      title: proposalTitle(release),
      body: renderProposal(release),
    })
  }
  const signed = signedHead(release)
  if (signed) outputs.push(signoffCheck(release, signed, subject, around, policy?.configuration.signoff.parties ?? []))
  if (release.proposal && release.status === 'in_progress')
    outputs.push(...reminders(release, release.proposal, subject))
  if (release.endedAt !== null) {
    outputs.push({
      ...base,
      kind: 'proposal-end',
      key: `${id}/proposal-end`,
      release: id,
      base: RELEASES_BRANCH,
      branch: proposalBranch(id),
      number: release.proposal?.number ?? null,
      end: release.status === 'completed' ? 'merge' : 'close',
      /** What was signed, not what the pull request shows now: somebody may have pushed since. */
      head: release.signoff?.head ?? null,
    })
  }
  return [...outputs, ...notesOf(release, policy?.configuration)]
}

function notesOf(release: ReleaseState, configuration: Configuration | undefined): Output[] {
  const { id, repository, issue, items, notesAsked } = release
  if (notesAsked === undefined || items.length === 0) return []
  const products = items.map((item): NotedProduct => {
    const product = configuration?.products.find(({ name }) => name === item.product)
    const source = product && configuration ? commitSourceOf(product, configuration) : undefined
    return { ...item, from: product && source?.ok ? { repository: product.repository, source: source.value } : null }
  })
  return [
    { kind: 'notes', subject: releaseKey(id), key: `${id}/notes`, repository, issue, products, asked: notesAsked },
  ]
}

/** What the versions of a release did to the cohorts that rings have brought them to. */
function* broughtBy({ items }: ReleaseState, cohorts: readonly CohortConfig[]): Deciding<Brought[]> {
  const concerned = cohorts.filter(({ product }) => items.some((item) => item.product === product))
  const shown = concerned.slice(0, MOST_BROUGHT_TO)
  const known = yield* states<CohortState>(shown.map(({ id }) => cohortKey(id)))
  const bundles = new Set(items.map(({ product, version }) => bundleIdOf(product, version)))
  return shown.flatMap((config, at) => {
    const cohort = known[at]
    const channel = cohort && channelOf(cohort, config)
    return (cohort?.brought ?? []).flatMap((entry) => {
      const bundle = channel?.releases.find(({ id }) => id === entry.release)?.bundle
      return channel && bundle !== undefined && bundles.has(bundle) ? [{ ...entry, channel }] : []
    })
  })
}

/** The newest reminder; those before it stand as they were. */
const reminders = (
  release: ReleaseState,
  { number }: NonNullable<ReleaseState['proposal']>,
  subject: string,
): Output[] =>
  release.conduct.reminders.slice(-1).map((reminder) => ({
    kind: 'comment',
    subject,
    key: `${release.id}/reminder/${reminder.at}`,
    repository: release.repository,
    issue: number,
    body: renderReminder(release, reminder),
  }))

/**
 * The commit whose check run says where the signatures stand. After the end it is the one of the last decision, and stays
 * so: a process that wrote late from what was before must not have the last word.
 */
function signedHead({ status, proposal, signoff, endedAt }: ReleaseState): string | undefined {
  if (endedAt !== null) return signoff?.head
  return status === 'in_progress' ? proposal?.head : undefined
}

function signoffCheck(
  release: ReleaseState,
  head: string,
  subject: string,
  around: Surroundings,
  parties: readonly PartyConfig[],
): Output {
  const teams = new Map(
    parties.flatMap((party) => {
      const team = teamOf(party, release.repository.fullName)
      return team === undefined ? [] : [[party.name, team] as const]
    }),
  )
  const conclusion = signoffConclusion(release.signoff)
  return {
    kind: 'check-run',
    subject,
    key: `${release.id}/signoff/${head}`,
    repository: release.repository,
    sha: head,
    name: 'ringmaster/sign-off',
    status: conclusion === null ? 'in_progress' : 'completed',
    conclusion,
    title: signoffTitle(release.signoff),
    summary: renderSignoff(release, anchorOf(around), around.unprotected, teams),
    annotations: [],
  }
}

function* ofIssue(subject: AggregateKey, around: Surroundings): Deciding<readonly Output[]> {
  const issue = yield* state<IssueState>(subject)
  const [repositoryId, number] = subject.split('/').slice(1).map(Number)
  if (!issue || !number || repositoryId !== around.releaseRepository.id) return []
  return issue.comments
    .filter((comment) => comment.answers.length === comment.of)
    .flatMap((comment): Output[] => [
      /** First what somebody waits for. */
      {
        kind: 'comment',
        subject,
        key: `reply/${comment.comment}`,
        repository: around.releaseRepository,
        issue: number,
        body: renderReply(comment),
        ...(around.head === null ? {} : { since: beforeReply(comment.at) }),
      },
      {
        kind: 'reaction',
        subject,
        key: `reaction/${comment.comment}`,
        repository: around.releaseRepository,
        comment: comment.comment,
        content: reactionOf(comment),
      },
    ])
}

/** A comment's time is GitHub's, or of our own clock where it tells none. */
const beforeReply = (commandedAt: string): string => new Date(Date.parse(commandedAt) - CLOCKS_DIFFER_MS).toISOString()

function* ofGate(subject: AggregateKey, around: Surroundings): Deciding<readonly Output[]> {
  const gate = yield* state<GateState>(subject)
  if (!gate || gate.decidedAt === null || gate.verdict === 'closed') return []
  /** GitHub takes ten status reports a deployment: the last is kept for the end. */
  if (gate.verdict === 'waiting' && gate.reports > 9) return []
  return [
    {
      kind: 'gate-answer',
      subject,
      key: `${gate.key}/${gate.deploymentId}/${gate.verdict === 'waiting' ? `report-${gate.reports}` : 'answer'}`,
      repository: gate.repository,
      runId: gate.runId,
      environment: gate.environment,
      state: gate.verdict === 'waiting' ? null : gate.verdict,
      comment: renderGate(gate, anchorOf(around), around.unprotected),
    },
  ]
}

function* ofCohort(subject: AggregateKey, around: Surroundings): Deciding<readonly Output[]> {
  const [cohort, signed] = (yield* states<unknown>([subject, BUNDLES_KEY])) as [
    CohortState | undefined,
    SignedBundles | undefined,
  ]
  const inForce = yield* readConfiguration()
  const configured = inForce?.configuration.cohorts.find((entry) => cohortKey(entry.id) === subject)
  /** Only what the holders of the bundles key have signed can be chosen; a release that waits for them holds no halt back. */
  if (!cohort || !configured || !signed) return []
  const releases = signedReleases(cohort.releases, new Set(signed.bundles))
  if (releases === null) return []
  const signedBundles = yield* document(bundlesDocument(signed.digest))
  if (signedBundles === undefined) return []
  return [
    {
      kind: 'manifest',
      subject,
      key: `${cohort.id}/manifest`,
      channel: {
        cohort: cohort.id,
        requirementDialect: configured.requirementDialect,
        releases:
          configured.admission === 'static'
            ? [...releases]
            : releases.map((release) => ({ ...release, phase: uncountedPhase(release.phase) })),
      },
      bundles: cohort.bundles.filter(({ id }) => signed.bundles.includes(id)),
      salts: cohort.salts,
      overrides: cohort.overrides.filter(({ bundle }) => signed.bundles.includes(bundle)),
      quarantine: cohort.quarantine,
      movedTo: cohort.movedTo,
      entryRelease: releases.some(({ id }) => id === cohort.entryRelease) ? cohort.entryRelease : null,
      issue: cohort.issue,
      pollAfterSeconds: configured.pollAfterSeconds,
      validHours: configured.validHours,
      signedBundles,
      ledgerHead: around.head?.digest ?? '',
    },
  ]
}

/** What is still to be made, and for the rest what came of it, where it was asked for. */
function* ofCuts(subject: AggregateKey, around: Surroundings): Deciding<readonly Output[]> {
  const known = yield* state<CutsState>(subject)
  return (known?.cuts ?? []).map(({ by, at: _, outcome, ...cut }): Output => {
    if (outcome === null) return { kind: 'cut', subject, key: `cut/${cut.id}`, cut }
    return {
      kind: 'comment',
      subject,
      key: `cut/${cut.id}/outcome`,
      repository: around.releaseRepository,
      issue: cut.issue,
      body: renderCut(cut, outcome, by),
    }
  })
}

/** One check run for each repository that has the commit; what was recorded after all is no longer refused. */
function* ofRefusals(subject: AggregateKey): Deciding<readonly Output[]> {
  const known = yield* state<RefusalsState>(subject)
  if (!known) return []
  const { sha, refusals } = known
  const versions = yield* states<VersionState>(refusals.map(({ of }) => versionKey(of.product, of.version)))
  const standing = refusals.filter(({ of, at }, index) => of.kind !== 'build' || !isBuilt(versions[index], sha, at))
  const repositories = new Map(refusals.map(({ repository }) => [repository.id, repository]))
  return [...repositories.values()].map((repository) =>
    refusalCheck(
      subject,
      { sha, repository },
      standing.filter((refusal) => refusal.repository.id === repository.id),
    ),
  )
}

const isBuilt = (version: VersionState | undefined, sha: string, since: string): boolean =>
  version?.sha === sha && version.builds.some(({ at }) => Date.parse(at) > Date.parse(since))

function* ofBuildSlot(subject: AggregateKey): Deciding<readonly Output[]> {
  const slot = yield* state<BuildSlot>(subject)
  const check = slot ? buildNumberCheck(subject, slot) : null
  return check === null ? [] : [check]
}

function* ofAlarms(around: Surroundings): Deciding<readonly Output[]> {
  const open = (yield* state<OpenIndex>(OPEN_KEY)) ?? nothingOpen
  return open.alarms.map((alarm) => ({
    kind: 'alarm',
    subject: OPEN_KEY,
    key: `alarm/${alarm.alarm}`,
    repository: around.releaseRepository,
    title: `Ringmaster alarm: ${alarm.code}`,
    body: `${fitted(alarm.message, escapeMarkdown, MAX_BODY - 200)}\n\nRaised ${alarm.raisedAt}. This issue closes when the condition ends.`,
    isOpen: alarm.isOpen,
  }))
}

function* ofConfiguration(subject: AggregateKey, around: Surroundings): Deciding<readonly Output[]> {
  if (subject === REFUSED_KEY) {
    const known = yield* state<RefusedConfig>(REFUSED_KEY)
    return known ? [refusedConfiguration(known, around)] : []
  }
  if (subject !== CHECKS_KEY) return []
  const known = yield* state<ConfigChecks>(CHECKS_KEY)
  return (known?.checks ?? []).map((check) => configurationCheck(check, subject))
}

/** The kinds of state that have outputs of their own, and none of another. */
const OWN_OUTPUTS: ReadonlySet<string | undefined> = new Set([
  'release',
  'gate',
  'issue',
  'cuts',
  'refused',
  'build-slot',
])

/** The subjects whose outputs an event may change. `open` is the index after the event. */
export function subjectsOf(keys: readonly AggregateKey[], open: OpenIndex): AggregateKey[] {
  const subjects = keys.flatMap((key): AggregateKey[] => {
    const [kind] = key.split('/', 1)
    if (kind === 'cohort') return [key, ...open.releases.map((release) => releaseKey(release.id))]
    if (OWN_OUTPUTS.has(kind)) return [key]
    if (kind === 'commit') return [refusedKey(key.slice('commit/'.length))]
    if (key === OPEN_KEY || key === REFUSED_KEY || key === CHECKS_KEY) return [key]
    if (kind === 'board') {
      const product = key.slice('board/'.length)
      return open.releases
        .filter((release) => release.items.some((item) => item.product === product))
        .map((release) => releaseKey(release.id))
    }
    return []
  })
  return [...new Set(subjects)]
}

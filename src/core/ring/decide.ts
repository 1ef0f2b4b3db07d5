import { draft } from '../catalogue.ts'
import { readConfiguration } from '../config/in-force.ts'
import type { ParsedConfiguration } from '../config/parse.ts'
import type { Configuration, RingConfig } from '../config/schema.ts'
import { type Deciding, type Decision, state, states } from '../decision.ts'
import { running } from '../deployment/evolve.ts'
import { type BoardState, boardKey, type RunState, runKey } from '../deployment/schema.ts'
import { quoted } from '../problem.ts'
import { type CommitState, commitKey, type VersionState, versionKey } from '../product/schema.ts'
import { nothingOpen, OPEN_KEY, type OpenIndex, releaseKey } from '../release/open.ts'
import type { ReleaseState } from '../release/schema.ts'
import type { Request } from '../request.ts'
import type { Blocker, GateItem, GateState } from './schema.ts'
import { gateKeyOf } from './schema.ts'

type GateRequested = Extract<Request, { kind: 'gate-requested' }>
type GateReview = Extract<Request, { kind: 'gate-review' }>

/**
 * A job asks to enter an environment: it is noted, and decided at once. Asking again changes nothing; nor does what
 * was asked before the run was tried again (ids of deployments grow).
 */
export function* decideGateRequested(request: GateRequested): Deciding<Decision<null>> {
  const { repository, runId, environment, deploymentId, sha, ref, installationId } = request
  const key = gateKeyOf(repository.id, runId, environment)
  const known = yield* state<GateState>(key)
  if (known && known.deploymentId >= deploymentId) return { kind: 'accept', events: [], answer: null }
  return {
    kind: 'accept',
    answer: null,
    events: [
      draft(
        'gate.requested',
        { repository, runId, environment, deploymentId, sha, ref, installationId },
        {
          key: `${key}:${deploymentId}`,
          at: request.at,
          actor: request.actor,
          source: request.source,
          trust: 'platform',
        },
      ),
    ],
  }
}

/** What was found about a gate: who wants in, and everything that stands against it. */
export interface GateFinding {
  readonly items: readonly GateItem[]
  readonly intent: GateState['intent']
  readonly blockers: readonly Blocker[]
  readonly releases: readonly string[]
}

/** Decides an open gate again. Recorded when the verdict, the set of blocker codes or the versions have changed. */
export function* decideGateReview(request: GateReview): Deciding<Decision<null>> {
  const gate = yield* state<GateState>(request.gate as `gate/${string}`)
  if (!gate || gate.verdict !== 'waiting') return { kind: 'accept', events: [], answer: null }
  const inForce = yield* readConfiguration()
  const finding = yield* findGate(gate, inForce)
  const verdict = finding.blockers.length === 0 ? 'approved' : 'waiting'
  const said = (codes: readonly Blocker[], items: readonly GateItem[]) =>
    JSON.stringify([[...new Set(codes.map((blocker) => blocker.code))].sort(), items])
  if (
    verdict === 'waiting' &&
    gate.decidedAt !== null &&
    said(gate.blockers, gate.items) === said(finding.blockers, finding.items)
  ) {
    return { kind: 'accept', events: [], answer: null }
  }
  return {
    kind: 'accept',
    answer: null,
    events: [
      draft(
        'gate.decided',
        {
          gate: gate.key,
          verdict,
          blockers: [...finding.blockers],
          items: [...finding.items],
          intent: finding.intent,
          releases: [...finding.releases],
          policyDigest: inForce?.digest ?? null,
        },
        {
          key: `${gate.key}:${gate.deploymentId}:decided:${gate.reports + 1}`,
          at: request.at,
          actor: null,
          source: request.source,
          trust: 'platform',
        },
      ),
    ],
  }
}

/**
 * Every blocker of a gate, all at once. What the job is going to deploy is what its run recorded as pending for the
 * environment, else exactly the versions that are bound to its commit and deploy there.
 */
export function* findGate(
  gate: Pick<GateState, 'repository' | 'runId' | 'environment' | 'sha'>,
  inForce: ParsedConfiguration | null,
): Deciding<GateFinding> {
  if (inForce === null) return { items: [], intent: 'unknown', releases: [], blockers: [NOT_CONFIGURED] }
  const { configuration } = inForce
  const ring = configuration.rings.find((entry) => entry.environments.includes(gate.environment))
  const { items, intent, claimed } = yield* intentOf(gate, configuration)
  if (!ring) return { items, intent, releases: [], blockers: [unknownEnvironment(gate.environment)] }
  if (items.length === 0) return { items, intent, releases: [], blockers: [noIntent(gate)] }
  const open = (yield* state<OpenIndex>(OPEN_KEY)) ?? nothingOpen
  const blockers: Blocker[] = [...claimed]
  const releases = new Set<string>()
  for (const item of items) {
    blockers.push(...(yield* versionBlockers(gate, item)))
    blockers.push(...(yield* boardBlockers(gate, ring, item, configuration)))
    if (ring.gate?.signoff) {
      const found = yield* releaseBlockers(item, open)
      blockers.push(...found.blockers)
      for (const id of found.releases) releases.add(id)
    }
  }
  return { items, intent, releases: [...releases].sort(), blockers }
}

const NOT_CONFIGURED: Blocker = {
  code: 'not-configured',
  message: 'no configuration is in force',
  hint: 'Add .github/ringmaster.yml to the release repository; until then gates stay closed.',
}

const unknownEnvironment = (environment: string): Blocker => ({
  code: 'not-configured',
  message: `expected an environment of a ring, found ${quoted(environment)}`,
  hint: 'Name the environment in a ring of the configuration.',
})

const noIntent = (gate: Pick<GateState, 'environment' | 'sha'>): Blocker => ({
  code: 'intent-unknown',
  message: `what this job will deploy is unknown: its run recorded nothing for ${quoted(gate.environment)} and no version is bound to ${gate.sha.slice(0, 12)}`,
  hint: 'Record the deployment as pending in a job before the gated one, with product and version.',
})

function* intentOf(
  gate: Pick<GateState, 'repository' | 'runId' | 'environment' | 'sha'>,
  configuration: Configuration,
): Deciding<{ items: GateItem[]; intent: GateState['intent']; claimed: Blocker[] }> {
  const [run, commit] = (yield* states<unknown>([runKey(gate.repository.id, gate.runId), commitKey(gate.sha)])) as [
    RunState | undefined,
    CommitState | undefined,
  ]
  const recorded = (run?.intents ?? []).filter((intent) => intent.environment === gate.environment)
  if (recorded.length > 0) {
    /** In the order of the run's attempts: who tries only some of its jobs again announces only some of it again. */
    const newest = [...new Map(recorded.map((intent) => [intent.product, intent])).values()]
    return {
      intent: 'recorded',
      items: newest.map(({ product, version }) => ({ product, version })).sort(byProduct),
      claimed: newest.filter((intent) => intent.trust === 'claimed').map(saidOnly),
    }
  }
  const candidates = (commit?.items ?? []).filter((item) => deploysTo(configuration, item.product, gate.environment))
  const versions = yield* states<VersionState>(candidates.map((item) => versionKey(item.product, item.version)))
  const bound = candidates.filter((_, index) => versions[index]?.repository.id === gate.repository.id)
  return { intent: bound.length > 0 ? 'commit' : 'unknown', items: [...bound].sort(byProduct), claimed: [] }
}

const saidOnly = (item: GateItem): Blocker => ({
  code: 'claimed-only',
  message: `that this run deploys ${nameOf(item)} is known by what somebody said alone`,
  hint: 'Record the deployment as pending from a job of the run itself.',
})

const byProduct = (a: GateItem, b: GateItem): number => (a.product < b.product ? -1 : a.product > b.product ? 1 : 0)
const nameOf = (item: GateItem): string => quoted(`${item.product}@${item.version}`)

function* versionBlockers(gate: Pick<GateState, 'sha' | 'repository'>, item: GateItem): Deciding<Blocker[]> {
  const version = yield* state<VersionState>(versionKey(item.product, item.version))
  if (version === undefined) {
    return [
      {
        code: 'version-unknown',
        message: `no build of ${nameOf(item)} is recorded`,
        hint: 'Record the build with the Action before it is deployed.',
      },
    ]
  }
  const blockers: Blocker[] = []
  if (version.status !== 'completed') {
    blockers.push({
      code: 'build-unfinished',
      message: `no build of ${nameOf(item)} has completed; the newest is ${version.status}`,
      hint: 'It clears when a build of the version completes.',
    })
  }
  if (version.repository.id !== gate.repository.id) {
    blockers.push({
      code: 'wrong-repository',
      message: `${nameOf(item)} was built in ${version.repository.fullName}, and the job runs in ${gate.repository.fullName}`,
      hint: 'Deploy it from a workflow of its own repository.',
    })
  }
  if (version.sha !== gate.sha) {
    blockers.push({
      code: 'wrong-commit',
      message: `${nameOf(item)} is bound to ${version.sha.slice(0, 12)}, and the job runs on ${gate.sha.slice(0, 12)}`,
      hint: 'Run the deployment on the commit of the version.',
    })
  }
  if (version.trust === 'claimed') {
    blockers.push({
      code: 'claimed-only',
      message: `${nameOf(item)} is known by what somebody said alone`,
      hint: 'Record the build from a workflow of the product repository.',
    })
  }
  return blockers
}

function* boardBlockers(
  gate: Pick<GateState, 'environment'>,
  ring: RingConfig,
  item: GateItem,
  configuration: Configuration,
): Deciding<Blocker[]> {
  const board = yield* state<BoardState>(boardKey(item.product))
  const cellOf = (environment: string) => board?.cells.find((cell) => cell.environment === environment)
  const blockers: Blocker[] = []
  const here = cellOf(gate.environment)
  for (const attempt of here ? running(here) : []) {
    blockers.push({
      code: 'deployment-running',
      message: `${quoted(`${item.product}@${attempt.version}`)} is being deployed to ${quoted(gate.environment)} since ${attempt.startedAt ?? attempt.at}`,
      hint: 'It clears when that deployment ends.',
    })
  }
  if (!ring.gate?.previousRing) return blockers
  const { previous, environments } = ringBefore(configuration, ring, item.product)
  for (const environment of environments) {
    if (cellOf(environment)?.lastGood?.version === item.version) continue
    blockers.push({
      code: 'previous-ring',
      message: `${nameOf(item)} is not the version that last completed in ${quoted(environment)} (ring ${previous?.ring ?? ''})`,
      hint: `Deploy it to ${environment} first.`,
    })
  }
  return blockers
}

const deploysTo = (configuration: Configuration, product: string, environment: string): boolean => {
  const environments = configuration.products.find((entry) => entry.name === product)?.environments
  return environments === undefined || environments.includes(environment)
}

/** The nearest ring before that a product meets at all; one that leaves a ring out is not let through unseen. */
function ringBefore(
  configuration: Configuration,
  ring: RingConfig,
  product: string,
): { readonly previous: RingConfig | undefined; readonly environments: readonly string[] } {
  const before = configuration.rings.slice(
    0,
    configuration.rings.findIndex((entry) => entry.ring === ring.ring),
  )
  const own = (entry: RingConfig) => entry.environments.filter((name) => deploysTo(configuration, product, name))
  const previous = before.findLast((entry) => own(entry).length > 0)
  return { previous, environments: previous ? own(previous) : [] }
}

function* releaseBlockers(item: GateItem, open: OpenIndex): Deciding<{ blockers: Blocker[]; releases: string[] }> {
  const ids = open.releases
    .filter((release) =>
      release.items.some((entry) => entry.product === item.product && entry.version === item.version),
    )
    .map((release) => release.id)
  if (ids.length === 0) {
    const blocker: Blocker = {
      code: 'not-in-a-release',
      message: `${nameOf(item)} is in no open release`,
      hint: `Add it on a release issue: /add ${item.product}@${item.version}`,
    }
    return { releases: [], blockers: [blocker] }
  }
  const releases = (yield* states<ReleaseState>(ids.map(releaseKey))).filter((release) => release !== undefined)
  const findings = releases.map((release) => ({ id: release.id, blocker: signoffBlocker(release, item) }))
  const passed = findings.filter((finding) => finding.blocker === null)
  if (passed.length > 0) return { blockers: [], releases: passed.map((finding) => finding.id) }
  return { releases: ids, blockers: findings.flatMap((finding) => (finding.blocker ? [finding.blocker] : [])) }
}

const SIGNOFF_BLOCKERS = {
  pending: { code: 'signoff-pending', hint: 'The check run on the proposal says who is missing.' },
  vetoed: { code: 'signoff-vetoed', hint: 'It clears when whoever objected approves the current content.' },
  blocked: { code: 'signoff-blocked', hint: 'The check run on the proposal says what can never be filled.' },
} as const

/** Why a release does not let its versions in, or null when it is signed off. */
function signoffBlocker(release: ReleaseState, item: GateItem): Blocker | null {
  if (release.status !== 'in_progress') {
    return {
      code: 'release-not-started',
      message: `release #${release.issue} with ${nameOf(item)} is ${release.status.replace('_', ' ')}`,
      hint: 'Say /start on the release issue when its composition is ready.',
    }
  }
  const status = release.signoff?.status ?? 'pending'
  if (status === 'approved') return null
  const missing = (release.signoff?.parties ?? [])
    .filter((party) => !party.optional && party.filledBy.length < party.seats)
    .map((party) => party.party)
  const { code, hint } = SIGNOFF_BLOCKERS[status]
  return {
    code,
    hint,
    message: `release #${release.issue} with ${nameOf(item)} is not signed off: ${status}${missing.length > 0 ? `, missing ${missing.join(', ')}` : ''}`,
  }
}

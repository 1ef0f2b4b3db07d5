import type { ParsedConfiguration } from '../config/parse.ts'
import type { Configuration, RingConfig } from '../config/schema.ts'
import { type Deciding, state, states } from '../decision.ts'
import { completionOf, running } from '../deployment/evolve.ts'
import { type BoardState, boardKey, type RunState, runKey } from '../deployment/schema.ts'
import { quoted } from '../problem.ts'
import { type CommitState, commitKey, type VersionState, versionKey } from '../product/schema.ts'
import { nothingOpen, OPEN_KEY, type OpenIndex, releaseKey } from '../release/open.ts'
import { FREEZES_KEY, type Freezes, nothingFrozen } from './freezes.ts'
import { nameOf, type OverrideUsed, releaseBlockers, releasesWith } from './release-blockers.ts'
import type { Blocker, GateItem, GateState } from './schema.ts'

/** Who wants in, and where. */
export type Target = Pick<GateState, 'repository' | 'environment' | 'sha'>

/** What was found about a gate: who wants in, and everything that stands against it. */
export interface GateFinding {
  readonly items: readonly GateItem[]
  readonly intent: GateState['intent']
  readonly blockers: readonly Blocker[]
  readonly releases: readonly string[]
  /** What two people let pass: these blockers stood, and are not among the others. */
  readonly overrides: readonly OverrideUsed[]
}

/**
 * Every blocker of a gate, all at once. What the job is going to deploy is what its run recorded as pending for the
 * environment, else exactly the versions that are bound to its commit and deploy there.
 */
export function* findGate(
  gate: Target & Pick<GateState, 'runId'>,
  inForce: ParsedConfiguration | null,
  now: string,
): Deciding<GateFinding> {
  if (inForce === null) return { ...nothingFound, blockers: [NOT_CONFIGURED] }
  const { items, intent, claimed } = yield* intentOf(gate, inForce.configuration)
  const found = yield* findBlockers(gate, items, inForce, now)
  return { ...found, intent, blockers: items.length > 0 ? [...claimed, ...found.blockers] : found.blockers }
}

const nothingFound: GateFinding = { items: [], intent: 'unknown', blockers: [], releases: [], overrides: [] }

/** Everything that stands against some versions entering an environment from a commit of a repository now. */
export function* findBlockers(
  target: Target,
  items: readonly GateItem[],
  inForce: ParsedConfiguration | null,
  now: string,
): Deciding<GateFinding> {
  if (inForce === null) return { ...nothingFound, items, blockers: [NOT_CONFIGURED] }
  const { configuration } = inForce
  const ring = configuration.rings.find((entry) => entry.environments.includes(target.environment))
  if (!ring) return { ...nothingFound, items, blockers: [unknownEnvironment(target.environment)] }
  if (items.length === 0) return { ...nothingFound, blockers: [noIntent(target)] }
  const open = (yield* state<OpenIndex>(OPEN_KEY)) ?? nothingOpen
  const freezes = (yield* state<Freezes>(FREEZES_KEY)) ?? nothingFrozen
  /** All at once: asked for one by one, many versions would take more rounds than a decision has. */
  yield* states<unknown>([
    ...items.flatMap((item) => [versionKey(item.product, item.version), boardKey(item.product)] as const),
    ...releasesWith(items, open).map(releaseKey),
  ])
  const blockers: Blocker[] = []
  const releases = new Set<string>()
  const overrides: OverrideUsed[] = []
  for (const item of items) {
    blockers.push(...(yield* versionBlockers(target, item)))
    const around = yield* boardBlockers(target, ring, item, configuration)
    const found = yield* releaseBlockers({ item, ring, environment: target.environment, around, freezes, open, now })
    blockers.push(...found.blockers)
    overrides.push(...found.overrides)
    for (const id of found.releases) releases.add(id)
  }
  return { items, intent: 'unknown', releases: [...releases].sort(), blockers, overrides }
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

const noIntent = (gate: Pick<Target, 'environment' | 'sha'>): Blocker => ({
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
    const completion = completionOf(cellOf(environment), item.version)
    if (completion === 'known') continue
    const where = `${quoted(environment)} (ring ${previous?.ring ?? ''})`
    blockers.push({
      code: 'previous-ring',
      message:
        completion === 'claimed'
          ? `that ${nameOf(item)} has completed in ${where} is known by what somebody said alone`
          : `${nameOf(item)} has not completed in ${where}`,
      hint: completion === 'claimed' ? CLAIMED_HINT : `Deploy it to ${environment} first.`,
    })
  }
  return blockers
}

const CLAIMED_HINT = 'Record the deployment with the Action, in a job of the workflow that makes or awaits it.'

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

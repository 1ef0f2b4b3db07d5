import { CATALOGUE, type EventData, type EventType, isEventType } from '../../src/core/catalogue.ts'
import { effectOf, type FleetKnown } from '../../src/core/cohort/effect.ts'
import { CohortIndex, CohortState, SignedBundles } from '../../src/core/cohort/state.ts'
import { Pace } from '../../src/core/command/pace.ts'
import { CONFIG_KEY, ConfigChecks, ConfigState, configDocument, RefusedConfig } from '../../src/core/config/in-force.ts'
import { type Decision, factKey, type Known, settle, type UsedFact } from '../../src/core/decision.ts'
import { BoardState, RunState } from '../../src/core/deployment/schema.ts'
import { type AggregateKey, EventDraft, type LedgerEvent, NO_PREVIOUS } from '../../src/core/event.ts'
import type { FactAnswer, FactQuery } from '../../src/core/facts.ts'
import { sha256 } from '../../src/core/json.ts'
import { model } from '../../src/core/model.ts'
import { OutboxState } from '../../src/core/outbox.ts'
import type { Problem } from '../../src/core/problem.ts'
import { IssueState } from '../../src/core/process/issue.ts'
import { BuildLine, BuildSlot } from '../../src/core/product/build-line-schema.ts'
import { CutsState } from '../../src/core/product/cut-schema.ts'
import { RefusalsState } from '../../src/core/product/refusal-schema.ts'
import { CommitState, ProductState, VersionState } from '../../src/core/product/schema.ts'
import { OpenIndex } from '../../src/core/release/open.ts'
import { ReleaseState } from '../../src/core/release/schema.ts'
import type { Request } from '../../src/core/request.ts'
import { Freezes } from '../../src/core/ring/freezes.ts'
import { GateState } from '../../src/core/ring/schema.ts'
import { decisionOf } from '../../src/engine/decisions.ts'

const SCHEMAS = {
  config: ConfigState,
  product: ProductState,
  version: VersionState,
  commit: CommitState,
  refused: RefusalsState,
  board: BoardState,
  cuts: CutsState,
  'build-line': BuildLine,
  'build-slot': BuildSlot,
  run: RunState,
  release: ReleaseState,
  gate: GateState,
  cohort: CohortState,
  issue: IssueState,
  outbox: OutboxState,
  person: Pace,
} as const
const INDEXES = {
  'index/freezes': Freezes,
  'config/refused': RefusedConfig,
  'config/checks': ConfigChecks,
  'index/open': OpenIndex,
  'index/bundles': SignedBundles,
  'index/cohorts': CohortIndex,
} as const

const schemaOf = (key: string) =>
  INDEXES[key as keyof typeof INDEXES] ?? SCHEMAS[key.slice(0, key.indexOf('/')) as keyof typeof SCHEMAS]

function frozen<T>(value: T): T {
  if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const member of Object.values(value)) frozen(member)
  }
  return value
}

/** What a request came to: its decision, the events that are new in the log, and the facts it rested on. */
export interface Asked {
  readonly kind: 'accept' | 'refuse'
  readonly answer: unknown
  readonly problems: readonly Problem[]
  readonly codes: readonly string[]
  readonly events: readonly EventDraft[]
  readonly types: readonly string[]
  readonly factsUsed: readonly UsedFact[]
}

/**
 * The core without its shell: states folded by the model from events, documents, and facts from a table. Like the
 * ledger it freezes states and drops an event whose key it holds; beyond it, every event and every state is held to
 * its schema.
 */
export class World {
  readonly states = new Map<string, unknown>()
  readonly documents = new Map<string, string | undefined>()
  readonly log: LedgerEvent[] = []
  readonly #facts = new Map<string, FactAnswer>()
  readonly #keys = new Set<string>()

  /** Takes events into the log; returns those that were new. */
  record(drafts: readonly EventDraft[]): EventDraft[] {
    return drafts.filter((draft) => {
      const event = EventDraft.parse(draft)
      if (!isEventType(event.type)) throw new Error(`expected a type of the catalogue, found ${event.type}`)
      CATALOGUE[event.type].parse(event.data)
      if (this.#keys.has(event.key)) return false
      this.#keys.add(event.key)
      this.#fold(frozen({ ...structuredClone(draft), seq: this.log.length + 1, prev: NO_PREVIOUS }))
      return true
    })
  }

  #fold(event: LedgerEvent): void {
    this.log.push(event)
    for (const key of model.keysOf(event)) {
      const next = model.evolve(key, this.states.get(key), event)
      if (next === undefined) continue
      schemaOf(key).parse(next)
      this.states.set(key, frozen(JSON.parse(JSON.stringify(next))))
    }
  }

  fact(query: FactQuery, answer: FactAnswer): this {
    this.#facts.set(factKey(query), answer)
    return this
  }

  /** People of these logins are on GitHub. */
  accounts(people: readonly { readonly login: string; readonly id: number }[]): this {
    for (const person of people)
      this.fact({ kind: 'account', login: person.login }, { kind: 'account', account: { ...person, type: 'User' } })
    return this
  }

  state<T>(key: AggregateKey): T | undefined {
    return this.states.get(key) as T | undefined
  }

  /** Decides a request on the state as it is, without writing. */
  decide(request: Request): { readonly decision: Decision<unknown>; readonly factsUsed: readonly UsedFact[] } {
    const states = new Map<string, unknown>()
    const documents = new Map<string, string | undefined>()
    const facts = new Map<string, FactAnswer>()
    const known: Known = { states, documents, facts }
    for (let round = 0; round < 50; round += 1) {
      const step = settle(decisionOf(request), known)
      if (step.kind === 'settled') return { decision: step.value, factsUsed: step.factsUsed }
      for (const question of step.questions) {
        if (question.kind === 'state') states.set(question.key, this.states.get(question.key))
        else if (question.kind === 'document') documents.set(question.path, this.documents.get(question.path))
        else facts.set(factKey(question.query), this.#answer(question.query))
      }
    }
    throw new Error('expected the decision to settle, found that it goes on asking')
  }

  /** What is known of devices outside the ledger; chance is the same for the same purpose. */
  fleet: FleetKnown = { roster: null, reports: new Map(), published: undefined, book: undefined }
  fleetIsAway = false

  /** Nothing is known of a cohort that devices go to but its channel. */
  #fleetOf({ before, after }: Extract<FactQuery, { kind: 'channel-effect' }>): FleetKnown {
    const isMove = before !== null && before.channel.cohort !== after.channel.cohort
    return isMove ? { ...this.fleet, goesTo: { roster: null, published: undefined, book: undefined } } : this.fleet
  }

  #answer(query: FactQuery): FactAnswer {
    if (query.kind === 'random') return { kind: 'random', text: sha256(query.purpose).slice(7, 39) }
    if (query.kind === 'channel-effect')
      return { kind: 'channel-effect', effect: this.fleetIsAway ? 'unreadable' : effectOf(query, this.#fleetOf(query)) }
    const answer = this.#facts.get(factKey(query))
    if (answer === undefined) throw new Error(`expected a fact for ${JSON.stringify(query)}, found none in the table`)
    return answer
  }

  /** Decides a request and takes what it came to into the log, as the engine does. */
  ask(request: Request): Asked {
    const { decision, factsUsed } = this.decide(request)
    if (decision.kind === 'accept')
      for (const { path, text } of decision.documents ?? []) this.documents.set(path, text)
    const events = this.record(decision.events)
    const problems = decision.kind === 'refuse' ? decision.problems : []
    return {
      kind: decision.kind,
      answer: decision.kind === 'accept' ? decision.answer : undefined,
      problems,
      codes: problems.map((problem) => problem.code),
      events,
      types: events.map((event) => event.type),
      factsUsed,
    }
  }

  /** Asks requests in their order, and those that are early again as long as that brings anything, as the App does. */
  askAll(requests: readonly Request[]): this {
    let early = requests
    let left = Number.POSITIVE_INFINITY
    while (early.length < left) {
      left = early.length
      early = early.filter((request) => {
        const { decision } = this.decide(request)
        this.ask(request)
        return decision.kind === 'accept' && decision.isEarly
      })
    }
    return this
  }

  /** Puts a configuration in force, as if it had been accepted at an earlier time. Returns its digest. */
  configure(text: string): string {
    const digest = sha256(text)
    this.documents.set(configDocument(digest), text)
    const previous = this.state<ConfigState>(CONFIG_KEY)?.digest ?? null
    const data = { digest, previous, repository: RELEASES, commit: sha('c0'), facts: [] }
    this.record([event('config.accepted', data, { key: `given:config:${this.log.length}` })])
    return digest
  }
}

export const PLATFORM = { id: 11, fullName: 'acme/platform' }
export const EDGE = { id: 12, fullName: 'acme/edge' }
export const RELEASES = { id: 10, fullName: 'acme/releases' }
export const ANN = { login: 'ann', id: 1 }
export const BOB = { login: 'bob', id: 2 }
export const MALLORY = { login: 'mallory', id: 66 }

/** A commit: its beginning, filled up. */
export const sha = (start: string): string => start.padEnd(40, '0')

/** An instant of the day of the tests, in minutes after noon. */
export const minute = (minutes: number): string => new Date(Date.UTC(2026, 0, 15, 12, minutes)).toISOString()

/** Who asks, when and how, unless a test says otherwise. */
export const asked = { at: minute(0), actor: ANN, source: { kind: 'webhook' as const } }

let drafts = 0
/** An event as it stands in a log; its key is its own unless given. */
export function event<T extends EventType>(type: T, data: EventData<T>, more: Partial<EventDraft> = {}): EventDraft {
  drafts += 1
  return { type, data, key: `given:${drafts}`, trust: 'platform', ...asked, ...more }
}

type Build = Extract<Request, { kind: 'build-reported' }>
export type BuildGiven = Partial<Omit<Build, 'kind' | 'record'>> & { readonly record?: Partial<Build['record']> }

/** A build of `api` 1.0.0 by a workflow of its repository. */
export const build = ({ record, ...bent }: BuildGiven = {}): Build => ({
  kind: 'build-reported',
  repository: PLATFORM,
  sha: sha('a1'),
  checkRunId: 501,
  url: 'https://example.test/runs/1',
  trust: 'platform',
  ...asked,
  ...bent,
  record: {
    schema: 'ringmaster/build/1',
    product: 'api',
    version: '1.0.0',
    previousVersion: null,
    bump: 'minor',
    status: 'completed',
    run: { id: 1, attempt: 1, job: 'build' },
    artifacts: [],
    ...record,
  },
})

type Deployment = Extract<Request, { kind: 'deployment-reported' }>

const deployment = (bent: Partial<Deployment>): Deployment => ({
  kind: 'deployment-reported',
  repository: PLATFORM,
  deploymentId: 700,
  environment: 'beta',
  sha: sha('a1'),
  status: 'completed',
  statusId: 9_000,
  record: null,
  run: null,
  byActions: false,
  url: 'https://example.test/deployments/700',
  trust: 'claimed',
  ...asked,
  ...bent,
})

export type RecordedGiven = Partial<Omit<Deployment, 'record' | 'run'>> & {
  readonly product?: string
  readonly version?: string
  readonly run?: { readonly id: number; readonly attempt: number }
}

/** What the Action's record-deployment leaves: product and version are named. */
export function recorded(given: RecordedGiven = {}): Deployment {
  const { product = 'api', version = '1.0.0', run = { id: 7, attempt: 1 }, ...bent } = given
  return deployment({
    byActions: true,
    trust: 'platform',
    ...bent,
    run,
    record: { schema: 'ringmaster/deployment/1', product, version, run: { ...run, job: 'deploy' } },
  })
}

/** GitHub's own deployment of a job with an environment. */
export const byJob = (bent: Partial<Deployment> = {}): Deployment =>
  deployment({ deploymentId: 800, byActions: true, trust: 'platform', run: { id: 7, attempt: 1 }, ...bent })

/** A deployment that some other tool made through the API. */
export const byTool = (bent: Partial<Deployment> = {}): Deployment => deployment({ deploymentId: 900, ...bent })

export const runEnded = (runId = 7, runAttempt = 1, repository = PLATFORM): Request => ({
  kind: 'run-ended',
  repository,
  runId,
  runAttempt,
  ...asked,
  at: minute(59),
})

/** The configuration that most tests stand on; `replace` bends a piece of its text. */
export const CONFIGURATION = `schemaVersion: 1
products:
  - name: api
    repository: acme/platform
  - name: web
    repository: acme/platform
    environments: [beta, production]
  - name: firmware
    repository: acme/edge
rings:
  - ring: "0"
    label: integration
    environments: [integration]
  - ring: "3"
    label: beta
    environments: [beta]
  - ring: "4"
    label: production
    environments: [production]
    gate: { signoff: true, previousRing: true }
    cohorts: [fleet]
signoff:
  parties:
    - { name: Engineering, team: acme/engineering }
    - { name: QA, users: [quinn] }
checklist:
  - { id: versions, text: Versions are recorded, machine: versions-recorded }
  - { id: signed, text: The parties have signed, machine: signed-off }
  - { id: rollback-plan, text: Prepare the rollback plan }
  - { id: live, text: Every version is live, machine: deployed, environment: production }
completion:
  environments: [production]
roles:
  - { role: admin, users: [olga] }
  - { role: release_manager, users: [ann] }
  - { role: developer, teams: [acme/developers] }
cohorts:
  - id: fleet
    product: firmware
`

/** A world with the configuration above in force. */
export function configuredWorld(bend: (text: string) => string = (text) => text): World {
  const world = new World()
  world.configure(bend(CONFIGURATION))
  return world
}

type SignoffStatus = EventData<'signoff.decided'>['signoff']['status']

/** A release issue with versions, as far along as a test wants it. */
export interface ReleaseGiven {
  readonly issue?: number
  readonly items?: readonly { readonly product: string; readonly version: string; readonly sha: string }[]
  readonly started?: boolean
  readonly signoff?: SignoffStatus
  readonly missing?: string
}

export const API_ITEM = { product: 'api', version: '1.0.0', sha: sha('a1') }

/** The record of a decision about signatures: everybody has signed, or one seat is empty. */
export const signoffRecord = (status: SignoffStatus, policyDigest: string, missing?: string) => ({
  status,
  digest: sha256('content'),
  policyDigest,
  head: sha('e1'),
  parties: ['Engineering', 'QA'].map((party) => ({
    party,
    optional: false,
    seats: 1,
    filledBy: party === missing ? [] : [party === 'QA' ? 'quinn' : 'eve'],
    couldFill: [],
  })),
  evidence: [
    { party: 'Engineering', login: 'eve' },
    { party: 'QA', login: 'quinn' },
  ].flatMap(({ party, login }, index) =>
    party === missing ? [] : [{ party, login, reviewId: index + 1, commit: sha('e1'), at: minute(0) }],
  ),
  ignored: [],
  vetoes: [],
  problems: [],
})

/** Puts a release into a world that is configured. Returns its id. */
export function givenRelease(world: World, given: ReleaseGiven = {}): string {
  const { issue = 5, items = [API_ITEM], started = true, signoff, missing } = given
  const release = `r${issue}`
  const policyDigest = world.state<ConfigState>(CONFIG_KEY)?.digest ?? ''
  world.record([
    event('release.opened', {
      release,
      title: 'User Platform v2.0',
      repository: RELEASES,
      issue,
      manager: ANN,
      policyDigest,
    }),
    ...items.map((item) => event('release.version_added', { release, item })),
    ...(started ? [event('release.started', { release, digest: sha256('content') })] : []),
    ...(signoff
      ? [event('signoff.decided', { release, signoff: signoffRecord(signoff, policyDigest, missing), facts: [] })]
      : []),
  ])
  return release
}

import { randomBytes } from 'node:crypto'
import { ulid } from 'ulid'
import { COHORTS_KEY, type CohortIndex } from '../core/cohort/state.ts'
import { readConfiguration } from '../core/config/in-force.ts'
import { type ViewsPlan, viewsPlan } from '../core/config/views.ts'
import { model } from '../core/model.ts'
import { branchOfEpoch, DATA_BRANCH } from '../core/own-branches.ts'
import { RingmasterError } from '../core/problem.ts'
import type { Request } from '../core/request.ts'
import { createEngine, type Engine } from '../engine/engine.ts'
import type { Applied, Log, Outlets } from '../engine/ports.ts'
import { settleView } from '../engine/settle.ts'
import { branchHead } from '../github/branches.ts'
import { checkRunOutlet } from '../github/checks.ts'
import { type AppProfile, type GitHubApp, type GovernedApp, splitName } from '../github/client.ts'
import { commentOutlet, reactionOutlet } from '../github/comments.ts'
import { cutOutlet } from '../github/cuts.ts'
import { gitHubFacts } from '../github/facts.ts'
import { gateOutlet } from '../github/gates.ts'
import { alarmOutlet, labelOutlet } from '../github/issues.ts'
import { proposalEndOutlet, proposalOutlet } from '../github/proposals.ts'
import { notesOutlet } from '../github/release-notes.ts'
import { branchProtection } from '../github/rulesets.ts'
import { steadyClock } from '../github/steady-clock.ts'
import { isFinal, outside } from '../github/trouble.ts'
import { inClass, type WorkClass } from '../github/work-class.ts'
import { type GitHubClient, gitHubStore } from '../ledger/github.ts'
import { type Ledger, openLedger } from '../ledger/ledger.ts'
import type { Publisher } from '../publish/publisher.ts'
import type { DeviceBooks } from '../roster/device-book.ts'
import { fleetFacts } from '../roster/fleet-facts.ts'
import type { RosterStore } from '../roster/store.ts'
import { VERSION } from '../version.ts'
import type { Installation } from '../webhooks/delivery.ts'
import { brakesTick } from './brakes.ts'
import { createGuard } from './guard.ts'
import { Intake } from './intake.ts'
import { createManifests, type Manifests } from './manifests.ts'
import { createUpkeep } from './upkeep.ts'

export interface RingmasterOptions {
  readonly app: GovernedApp
  /** `owner/name` */
  readonly releaseRepository: string
  readonly publisher: Publisher | null
  /** Null where no cohort keeps a roster. */
  readonly roster?: RosterStore | null
  /** What devices claim and report; null where no server listens to them. */
  readonly books?: DeviceBooks | null
  readonly clock: () => string
  /** 128 random bits as hexadecimal digits; the system's own where left out. */
  readonly random?: () => string
  readonly log: Log
  /** Whether this is the only process of the App; false when left out. */
  readonly isAlone?: boolean
  /** Least milliseconds between two edits of a comment; ten seconds when left out. */
  readonly editEveryMs?: number
  /** Waits; injected so that tests need not. */
  readonly delay?: (milliseconds: number) => Promise<void>
}

/** Everything that runs for one release repository, wired together. */
export interface Ringmaster {
  /** Its clients; what is asked through others spends of GitHub's limits unseen. */
  readonly app: GovernedApp
  readonly engine: Engine
  readonly ledger: Ledger
  readonly intake: Intake
  readonly profile: AppProfile
  /**
   * Looks whether the log can be trusted, reads the configuration of the default branch, decides and looks at everything
   * open again, and begins to read what was missed: at the first time from the mark on. Does nothing else while the log
   * cannot be trusted; an alarm then says so.
   */
  sweep(): Promise<void>
  /** Settles when what was missed before the first sweep has been read. */
  caughtUp(): Promise<void>
  idle(): Promise<void>
  /** Reads nothing more of what was missed, and settles when everything that was taken is handled. */
  settle(): Promise<void>
  close(): Promise<void>
}

/**
 * Opens the log and looks whether it can be trusted; where it cannot, nothing that is submitted will be decided. Throws
 * when GitHub cannot be asked.
 */
export async function openRingmaster(options: RingmasterOptions): Promise<Ringmaster> {
  const { app, releaseRepository, publisher, roster = null, books = null, clock, random = randomText, log } = options
  const { owner, repo } = splitName(releaseRepository)
  /** First of all: says it when key and id of the App do not fit, which every other request would call unauthorised. */
  const profile = await app.profile()
  const octokit = await app.forRepository(releaseRepository)
  const { data: repository } = await outside(`read ${releaseRepository}`, () =>
    octokit.request('GET /repos/{owner}/{repo}', { owner, repo }),
  )
  const releases = { id: Number(repository.id), fullName: repository.full_name }
  /** What is to hold for some time ends after that time, also where the machine's clock is set back. */
  const nowMs = steadyClock(() => Date.parse(clock()))
  const waits = options.delay ? { delay: options.delay } : {}
  const { delay = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)) } = options
  const pace = app.governorOf(releaseRepository).paceOf(releaseRepository)
  const storeOf = (branch: string) =>
    gitHubStore({
      client: asAppending(octokit as never),
      owner,
      repo,
      branch,
      signatures: app.isEnterprise ? 'not-kept' : 'required',
      ...waits,
    })
  const ledger = openLedger({
    store: storeOf(DATA_BRANCH),
    successor: storeOf,
    model,
    clock,
    newId: ulid,
    writer: { version: VERSION, author: { email: await app.authorEmail(releaseRepository) } },
    pace: pace.turn,
    bookkeeping: () => intake.deliveries.bookkeeping(),
    followed: (events) => {
      intake.deliveries.follow(events)
      engine.follow(events)
    },
    ...waits,
  })
  const cohorts = async (): Promise<readonly string[]> => {
    const index = (await (await ledger.view()).state(COHORTS_KEY)) as CohortIndex | undefined
    return index?.cohorts ?? []
  }
  const inForce = async () => settleView(() => readConfiguration(), await ledger.view())
  const views = async (): Promise<ViewsPlan> =>
    viewsPlan((await inForce())?.configuration ?? { cohorts: [], rings: [] })
  const submit = (request: Request): Promise<unknown> => engine.submit(request)
  const manifests = publisher === null ? null : createManifests({ publisher, submit, cohorts, views, clock, log })
  const outlets = outletsOf(app, manifests, clock)
  const protection = () => branchProtection(octokit, releaseRepository, branchOfEpoch(ledger.epoch))
  let isProtected = false
  const gitHub = gitHubFacts(app, { releaseRepository, nowMs, log })
  const published = async (cohort: string) => publisher?.published(cohort)
  const fleet = fleetFacts({
    roster,
    book: async (cohort) => books?.of(cohort) ?? undefined,
    published,
    log,
  })
  const engine = createEngine({
    ledger,
    facts: async (query, isPatient) => (query.kind === 'channel-effect' ? fleet(query) : gitHub(query, isPatient)),
    outlets,
    around: () => ({ releaseRepository: releases, unprotected: !isProtected }),
    clock,
    random,
    log,
    isLasting: (error) => error instanceof RingmasterError && isFinal(error),
    appending: (request, append) => {
      const urgency = request.source.kind === 'timer' ? undefined : URGENT[request.kind]
      return urgency ? pace.urgently(urgency, append) : append()
    },
    isAlone: options.isAlone ?? false,
    ...(options.editEveryMs === undefined ? {} : { editEveryMs: options.editEveryMs }),
    ...waits,
  })
  const installation: Installation = { releaseRepositoryId: releases.id, appId: profile.id, botLogin: profile.botLogin }
  const refine = async (request: Request): Promise<Request> =>
    request.kind === 'bundles-signed' && publisher !== null
      ? { ...request, isVerified: await publisher.areBundlesSigned(request.document) }
      : request
  const prioritised = <T>(request: Request, work: () => Promise<T>): Promise<T> =>
    inClass(URGENT[request.kind] ?? 'read', work)
  /** Behind the answers that people wait for: it is worth something only as long as it delays none of them. */
  const seen = under('read', reactionOutlet(app))
  const acknowledge = async ({ repository, comment }: Extract<Request, { kind: 'command-given' }>) =>
    ledger.trouble ? undefined : seen({ repository, comment: comment.id, content: 'eyes' })
  const intake = new Intake({ engine, installation, log, refine, acknowledge, prioritised })
  const branches = () => Array.from({ length: ledger.epoch }, (_, before) => branchOfEpoch(before + 1))
  const guard = createGuard({ app, ledger, repository: releases, branches, raise: outlets.alarm, nowMs, delay, log })
  const configured = async (): Promise<string[]> =>
    ((await inForce())?.configuration.products ?? []).flatMap(({ repository: name }) => name ?? [])
  const upkeep = createUpkeep({
    ...{ app, ledger, intake, releaseRepository, configured, clock, log },
    releaseRepositoryId: releases.id,
  })
  const brakes = brakesTick({ ledger, books, published, submit, clock, log })
  let hasBegun = false

  /** Trouble on the way keeps nothing else back: the configuration in force stays so, and the next sweep reads it again. */
  async function readDefaultConfiguration(): Promise<void> {
    try {
      const commit = await branchHead(octokit, releaseRepository, repository.default_branch)
      if (commit === null) return
      const outcome = await engine.submit({
        kind: 'configuration-seen',
        repository: releases,
        commit,
        at: clock(),
        actor: null,
        source: { kind: 'sweep' },
      })
      if (outcome.kind === 'refuse') log.info({ problems: outcome.problems }, 'the configuration is not in force')
    } catch (error) {
      log.error({ error: String(error) }, 'the configuration could not be read; the one in force holds')
    }
  }

  /** Before anything is taken in: a history that was cut off looks whole by itself, and would be written on. */
  await guard.check()
  isProtected = await protection()
  return {
    app,
    engine,
    ledger,
    intake,
    profile,
    async sweep() {
      if (!(await guard.check())) return
      isProtected = await protection()
      await readDefaultConfiguration()
      await engine.sweep()
      await manifests?.tick()
      await brakes()
      await (hasBegun ? upkeep.tick() : upkeep.begin())
      hasBegun = true
    },
    caughtUp: upkeep.caughtUp,
    async idle() {
      await upkeep.idle()
      await intake.idle()
      await manifests?.idle()
      await engine.idle()
    },
    async settle() {
      upkeep.stop()
      await intake.idle()
    },
    async close() {
      upkeep.stop()
      await engine.close()
      await books?.close()
    },
  }
}

const randomText = (): string => randomBytes(16).toString('hex')

/** Requests that somebody waits for; all others take their turn behind them. */
const URGENT: { readonly [K in Request['kind']]?: 'answer' | 'gate' } = {
  'command-given': 'answer',
  'gate-requested': 'gate',
  'gate-review': 'gate',
  'release-review': 'gate',
  'proposal-seen': 'gate',
  'review-submitted': 'gate',
  'review-dismissed': 'gate',
}

/** What the log reads and writes goes under its own class, whoever asked for it. */
const asAppending = (client: GitHubClient): GitHubClient => ({
  graphql: (query, variables) => inClass('append', () => client.graphql(query, variables)),
  request: (route, parameters) => inClass('append', () => client.request(route, parameters)),
})

/** The outlets of one kind of output, each of whose requests goes under a class. */
const under =
  <A extends readonly [unknown, ...unknown[]], R>(
    classOf: WorkClass | ((output: A[0]) => WorkClass),
    outlet: (...asked: A) => Promise<R>,
  ) =>
  (...asked: A): Promise<R> =>
    inClass(typeof classOf === 'function' ? classOf(asked[0]) : classOf, () => outlet(...asked))

const notPublished = async (): Promise<Applied> => ({ remote: null })

const outletsOf = (app: GitHubApp, manifests: Manifests | null, clock: () => string): Outlets => ({
  comment: under(({ key }) => (key.startsWith('reply/') ? 'answer' : 'bulk'), commentOutlet(app, clock)),
  reaction: under('answer', reactionOutlet(app)),
  label: under('bulk', labelOutlet(app)),
  proposal: under('answer', proposalOutlet(app, clock)),
  'proposal-end': under('bulk', proposalEndOutlet(app, clock)),
  'check-run': under('gate', checkRunOutlet(app, clock)),
  'gate-answer': under('gate', gateOutlet(app)),
  cut: under('answer', cutOutlet(app, clock)),
  notes: under('bulk', notesOutlet(app, clock)),
  alarm: under('gate', alarmOutlet(app, clock)),
  manifest: manifests?.outlet ?? notPublished,
})

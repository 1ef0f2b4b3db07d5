import { CLOCKS_DIFFER_MS, hasPassed } from '../core/clocks.ts'
import { INTAKE_KEY, type IntakeState } from '../core/intake.ts'
import { RingmasterError } from '../core/problem.ts'
import type { Log } from '../engine/ports.ts'
import { SWEEPS, type SweepKind } from '../engine/sweeps.ts'
import { type GitHubApp, splitName } from '../github/client.ts'
import { type Found, readAgain, type SweptRepository } from '../github/sweeps.ts'
import { outside } from '../github/trouble.ts'
import { inClass } from '../github/work-class.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { catchUp, KEPT_MS } from './catch-up.ts'
import type { Intake } from './intake.ts'
import { Owed } from './owed.ts'

export interface UpkeepOptions {
  readonly app: GitHubApp
  readonly ledger: Ledger
  readonly intake: Intake
  /** `owner/name` */
  readonly releaseRepository: string
  /** Its id, by which it is known however it is named. */
  readonly releaseRepositoryId: number
  /** Full names of the repositories whose products are configured. */
  readonly configured: () => Promise<readonly string[]>
  readonly clock: () => string
  readonly log: Log
}

/** What keeps the log complete beside the webhooks. */
export interface Upkeep {
  /**
   * At a start: finds out where the log stands, and begins to read on from the mark; after a longer outage to look everything
   * up first that GitHub still lists.
   */
  begin(): Promise<void>
  /**
   * By the clock: tries again what failed, and begins to compare the delivery log and, when it is time, to look everything
   * up again. Nothing is begun a second time while it is under way, and nothing else before the start has caught up.
   */
  tick(): Promise<void>
  /** Settles when what was missed at the start has been read. */
  caughtUp(): Promise<void>
  /** Settles when nothing that was begun is under way. */
  idle(): Promise<void>
  /** Begins nothing more, and ends what is under way where it stands. */
  stop(): void
}

const SWEEP_EVERY_MS = 60 * 60_000
/** The steps of the mark while the delivery log is read: as fine as GitHub tells its instants. */
const CAUGHT_UP_EVERY_MS = 1_000
const REPOSITORIES_TOGETHER = 4
/**
 * How many commits of runs, and how many deployments, the hourly look looks into where nothing is missing, in all repositories
 * together: each takes a request or two, and the delivery log has told them already.
 */
const LOOKED_INTO = 300
const FACTS_TOGETHER = 100

/** Each of them says what became of what those before it told: where one could not be looked up, those behind it are again. */
const OF_RUNS: ReadonlySet<SweepKind> = new Set(['builds', 'deployments', 'gates', 'runs'])

export function createUpkeep(options: UpkeepOptions): Upkeep {
  const { app, ledger, intake, releaseRepository, releaseRepositoryId, configured, clock, log } = options
  /** From where the delivery log is to be compared, by GitHub's clock; moves on when a comparison came to its end. */
  let comparedMs = Number.NaN
  const owed = new Owed()
  /** From when every repository that changed is to be looked up, until all of them could be listed; infinite without an outage. */
  let outageMs = Number.POSITIVE_INFINITY
  /** The same of the next sweep: what one under way has read already may be what is missed. */
  let missedMs = Number.POSITIVE_INFINITY
  /** Up to when everything was looked up, by our clock, but for what is owed. */
  let sweptMs = Number.NaN
  const nowMs = (): number => Date.parse(clock())

  const stopping = new AbortController()
  const { signal } = stopping
  const comparing = oneAtATime(signal)
  const sweeping = oneAtATime(signal)
  let caughtUp: Promise<void> = Promise.resolve()

  /** From where something has yet to be looked up that the delivery log does not tell any more. */
  const heldMs = (): number => Math.min(outageMs, missedMs, owed.heldMs)

  const miss = (deliveredMs: number): void => {
    missedMs = Math.min(missedMs, deliveredMs)
    intake.deliveries.hold(heldMs())
  }

  let isBooking = false

  /** One commit after the other: a life of seconds in which nothing new is found must get on, too. */
  const book = (): void => {
    if (isBooking) return
    isBooking = true
    ledger
      .append(async () => ({ events: intake.deliveries.bookkeeping(CAUGHT_UP_EVERY_MS), result: null }))
      .catch((error: unknown) =>
        log.info({ error: String(error) }, 'the mark was not booked; it goes with a later commit'),
      )
      .finally(() => {
        isBooking = false
      })
  }

  async function compare(isStart: boolean): Promise<void> {
    if (intake.isFull) return
    try {
      const sinceMs = Math.min(comparedMs, intake.deliveries.owedFromMs)
      const compared = await catchUp(app, intake, { sinceMs, nowMs: nowMs(), isStart, book, miss, signal, log })
      const { handedIn, owed } = compared
      comparedMs = compared.untilMs
      if (handedIn + owed > 0) log.info({ handedIn, owed }, 'read the delivery log')
    } catch (error) {
      log.error({ error: String(error) }, 'the delivery log could not be read; it is read again from the same place')
    }
  }

  /** Repositories to look at: those configured, what is owed, and after an outage every other one that changed meanwhile. */
  async function repositories(): Promise<Swept[]> {
    const octokit = await app.forRepository(releaseRepository)
    const wanted = new Set((await configured()).map((name) => name.toLowerCase()))
    const all = await outside('list the repositories of the installation', () =>
      octokit.paginate('GET /installation/repositories', { per_page: 100 }),
    )
    const { names } = owed
    const listed = all.flatMap(({ id, full_name, default_branch, pushed_at }) => {
      const isRelease = id === releaseRepositoryId
      const isChanged = Date.parse(pushed_at ?? '') >= outageMs - CLOCKS_DIFFER_MS
      const isWhole = isRelease || isChanged || wanted.has(full_name.toLowerCase())
      if (!isWhole && !names.has(id)) return []
      return [{ repository: { id, full_name, default_branch }, isRelease, isWhole }]
    })
    const ids = new Set(all.map(({ id }) => id))
    if (!ids.has(releaseRepositoryId)) throw new Error(`expected ${releaseRepository} among them, found it in none`)
    const unlisted = [...names].filter(([id]) => !ids.has(id))
    return [...listed, ...(await Promise.all(unlisted.map(([id, name]) => unlistedOne(id, name)))).flat()]
  }

  /** A repository that is owed and was not listed, if it is there: a page may miss one while another is removed. */
  async function unlistedOne(id: number, name: string): Promise<Swept[]> {
    try {
      const repository = await named(name)
      if (repository?.id === id) return [{ repository, isRelease: id === releaseRepositoryId, isWhole: true }]
      owed.forget(id)
      log.error({ repository: name }, 'a repository is gone before it could be looked up; it is let go')
    } catch (error) {
      log.error({ repository: name, error: String(error) }, 'a repository could not be read; it is at the next sweep')
    }
    return []
  }

  /** Null where there is none that the installation may see. */
  async function named(name: string): Promise<SweptRepository | null> {
    const octokit = await app.forRepository(releaseRepository)
    try {
      const { data } = await outside(`read ${name}`, () =>
        octokit.request('GET /repos/{owner}/{repo}', splitName(name)),
      )
      return { id: Number(data.id), full_name: data.full_name, default_branch: data.default_branch }
    } catch (error) {
      if (error instanceof RingmasterError && error.code === 'github-not-found') return null
      throw error
    }
  }

  async function sweepAll(): Promise<void> {
    const startedMs = nowMs()
    outageMs = Math.min(outageMs, missedMs)
    missedMs = Number.POSITIVE_INFINITY
    const sinceMs = Math.min(sweptMs, outageMs) - CLOCKS_DIFFER_MS
    const isMissing = outageMs < Number.POSITIVE_INFINITY
    try {
      const swept = await repositories()
      const most = isMissing ? Number.POSITIVE_INFINITY : Math.ceil(LOOKED_INTO / swept.length)
      const octokit = await app.forRepository(releaseRepository)
      const { data: installation } = await outside('read the installation', () =>
        app.asApp.request('GET /repos/{owner}/{repo}/installation', splitName(releaseRepository)),
      )
      for (let start = 0; start < swept.length; start += REPOSITORIES_TOGETHER) {
        if (signal.aborted) return
        const together = swept.slice(start, start + REPOSITORIES_TOGETHER)
        await Promise.all(
          together.map(async (one) => {
            const place = { octokit, repository: one.repository, installationId: installation.id, sinceMs, most, log }
            owed.note(one.repository, await sweepRepository(one, place), startedMs)
          }),
        )
      }
      if (signal.aborted) return
      sweptMs = startedMs
      outageMs = Number.POSITIVE_INFINITY
      for (const released of owed.release(startedMs))
        log.error({ ...released }, 'facts could not be looked up for three days; they hold the mark no longer')
      intake.deliveries.swept(Math.min(sweptMs, heldMs()))
      intake.deliveries.hold(heldMs())
    } catch (error) {
      log.error({ error: String(error) }, 'the repositories could not be listed; they are looked up at the next sweep')
    }
  }

  /** Which kinds of a repository could not be looked up, or only without what tells what they are about; and from when on. */
  async function sweepRepository({ repository, isRelease, isWhole }: Swept, place: Place) {
    const failed = new Map<SweepKind, number>()
    for (const { kind, where } of SWEEPS) {
      if (!isRelease && where !== 'products') continue
      if (!isWhole && !owed.has(repository.id, kind)) continue
      const fromMs = owed.fromMs(repository.id, kind, place.sinceMs)
      const most = owed.has(repository.id, kind) ? Number.POSITIVE_INFINITY : place.most
      const isDone = await sweepOne(kind, { ...place, sinceMs: fromMs, most })
      const isUponFailed = OF_RUNS.has(kind) && [...OF_RUNS].some((before) => failed.has(before))
      if (!isDone || isUponFailed) failed.set(kind, fromMs)
    }
    return failed
  }

  /** Whether everything of a kind was read and is settled; what goes wrong is told and keeps nothing else back. */
  async function sweepOne(kind: SweepKind, place: Place): Promise<boolean> {
    const about = { kind, repository: place.repository.full_name }
    try {
      let isDone = true
      let batch: Found[] = []
      const handle = async () => {
        const settled = await Promise.all(batch.map((found) => intake.handleFound(found, clock())))
        isDone &&= !settled.includes(false)
        batch = []
      }
      for await (const found of readAgain(kind, place)) {
        if (signal.aborted) return false
        batch.push(found)
        if (batch.length >= FACTS_TOGETHER) await handle()
      }
      await handle()
      return isDone
    } catch (error) {
      log.error({ ...about, error: String(error) }, 'facts could not be looked up; they are at the next sweep')
      return false
    }
  }

  /** What the delivery log tells goes before what is found otherwise, but for what it no longer tells. */
  async function look(isStart: boolean): Promise<void> {
    if (isStart && outageMs < Number.POSITIVE_INFINITY) await sweeping.run(sweepAll)
    await compare(isStart)
    const isMissing = Math.min(outageMs, missedMs) < Number.POSITIVE_INFINITY
    if (isMissing || hasPassed(sweptMs, SWEEP_EVERY_MS, nowMs())) void sweeping.run(sweepAll)
  }

  const inBulk = (work: () => Promise<void>): Promise<void> => inClass('bulk', work)

  return {
    begin: () =>
      inBulk(async () => {
        const view = await ledger.view()
        const state = (await view.state(INTAKE_KEY)) as IntakeState | undefined
        const startedMs = nowMs()
        const markMs = state ? Date.parse(state.until) : startedMs - KEPT_MS
        comparedMs = view.head.seq === 0 ? startedMs - CLOCKS_DIFFER_MS : markMs
        sweptMs = Math.min(startedMs, sweptOf(state, startedMs) ?? startedMs)
        intake.deliveries.swept(sweptMs)
        if (markMs < startedMs - KEPT_MS + CLOCKS_DIFFER_MS && state) {
          log.info({ since: state.until }, 'away for longer than GitHub keeps deliveries: looking everything up again')
          sweptMs = Math.min(sweptMs, markMs)
          outageMs = sweptMs
          intake.deliveries.hold(markMs)
        }
        caughtUp = comparing.run(() => look(true))
      }),
    tick: () =>
      inBulk(async () => {
        /** What is early may belong to what is still being read, however long that takes. */
        await intake.retry(comparing.running ? Number.NEGATIVE_INFINITY : nowMs())
        void comparing.run(() => look(false))
      }),
    caughtUp: () => caughtUp,
    async idle() {
      while (comparing.running ?? sweeping.running) await (comparing.running ?? sweeping.running)
    },
    stop: () => stopping.abort(),
  }
}

/** Runs work unless some of it is under way, which is then what is waited for; none after the signal. */
function oneAtATime(signal: AbortSignal) {
  let running: Promise<void> | null = null
  return {
    run(work: () => Promise<void>): Promise<void> {
      if (signal.aborted) return Promise.resolve()
      running ??= work().finally(() => {
        running = null
      })
      return running
    },
    get running() {
      return running
    },
  }
}

/**
 * Where sweeps go on from. A log of 0.1.0 tells the mark alone, and an instant by a clock that ran ahead tells nothing: an App
 * that ran had swept within the hour before its mark.
 */
function sweptOf(state: IntakeState | undefined, nowMs: number): number | undefined {
  if (state === undefined) return undefined
  const sweptMs = Date.parse(state.swept ?? '')
  return sweptMs <= nowMs ? sweptMs : Date.parse(state.until) - SWEEP_EVERY_MS
}

type Place = Parameters<typeof readAgain>[1]

interface Swept {
  readonly repository: SweptRepository
  readonly isRelease: boolean
  /** Whether everything is looked up in it, not only what is owed. */
  readonly isWhole: boolean
}

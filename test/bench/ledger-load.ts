import { openRingmaster, type Ringmaster } from '../../src/app/ringmaster.ts'
import { type GovernedApp, gitHubApp } from '../../src/github/client.ts'
import { randomFrom } from '../faults/random.ts'
import type { RequestRecord, Sandbox } from '../sandbox/sandbox.ts'
import { type Log, type LogCommit, notingCommits, readWholeLog } from './ledger-load-log.ts'
import { changesAskedFor, People } from './ledger-load-people.ts'
import { Receiver } from './ledger-load-receiver.ts'
import { type Idle, type LoadOptions, report, type Target } from './ledger-load-report.ts'
import { isCommit, isOurs } from './ledger-load-requests.ts'
import { type Step, stepAt, Traffic } from './ledger-load-traffic.ts'
import { PRODUCTS, plain, RELEASES, repositoryOf, STEPPED, startWorld } from './ledger-load-world.ts'
import { PlainWay } from './plain-way.ts'
import { type ProducerStep, stepsOfJobs } from './producers.ts'
import { SimulatedTime, withLatency } from './simulated-time.ts'

/** What the smallest installation has; GitHub gives more to larger ones. */
const REQUESTS_AN_HOUR = 5_000
/** The plain way falls behind at once: a commit for each of the first events says how far. */
const PLAIN_EVENTS = 600
const MINUTE_MS = 60_000
/** How often the App looks everything up again; the load is laid so that it does so in the middle of an hour of it. */
const LOOK_EVERY_MS = 60 * MINUTE_MS
const IDLE_MINUTES = 60
/** What came early is asked again for two minutes and once more. */
const LET_GO_MS = 3 * MINUTE_MS
const SHORTEST_RUN_MS = 20_000
const LONGEST_RUN_MS = 100_000
/** From the start of a build to that of the first deployment of its version, and from its end. */
const BUILD_AHEAD_MS = 90_000
const BUILT_AHEAD_MS = 20_000

/**
 * Deployments over 200 products, 8 environments and 60 repositories, with people at work beside it and the plain way in
 * the same run, on GitHub's limits. Returns what was missed.
 */
export async function benchLoad(write: (line: string) => void, options: LoadOptions): Promise<readonly string[]> {
  const sandbox = await startWorld()
  const time = new SimulatedTime(sandbox)
  const receiver = new Receiver(time)
  const { id, privateKey } = sandbox.app('ringmaster')
  const governing = { nowMs: () => time.nowMs, timer: time.timer }
  const app = gitHubApp({ appId: id, privateKey, apiUrl: sandbox.origin }, governing)
  try {
    sandbox.setRateLimit(REQUESTS_AN_HOUR)
    sandbox.setSecondaryLimits('told')
    sandbox.app('ringmaster').setWebhookUrl(await receiver.listen())
    const targets = await play(write, { sandbox, time, receiver, app, options })
    const missed = targets.filter(({ found, most }) => !(found <= most))
    return missed.map(({ name, found, most, unit }) => `${name}: expected at most ${most} ${unit}, found ${found}`)
  } finally {
    app.close()
    receiver.close()
    await sandbox.stop()
  }
}

interface Stage {
  readonly sandbox: Sandbox
  readonly time: SimulatedTime
  readonly receiver: Receiver
  readonly app: GovernedApp
  readonly options: LoadOptions
}

type Draw = () => number

/** Something that happens at an instant. */
interface Moment {
  readonly atMs: number
  readonly happen: () => unknown
}

/** The App at work in the sandbox, and who and what it works for. */
interface Session {
  readonly ringmaster: Ringmaster
  readonly traffic: Traffic
  readonly people: People
  readonly plainWay: PlainWay
  readonly commits: readonly LogCommit[]
  /** What the App could not do. */
  readonly failures: readonly string[]
  readonly openedMs: number
  sweep(): void
  /** Settles when everything that was delivered is durable and everything that was asked is answered. */
  settled(): Promise<void>
  /** Lets time pass in which nothing happens but the App's own looks. */
  quiet(untilMs: number): Promise<void>
}

async function play(write: (line: string) => void, stage: Stage): Promise<readonly Target[]> {
  const { sandbox, receiver, app, options } = stage
  /** Each its own, so that what one draws changes nothing for the others. */
  const [random, latencies, plainLatencies] = [20261120, 20261121, 20261122].map(randomFrom) as [Draw, Draw, Draw]
  const session = await open(stage, { latencies, plainLatencies })
  const { ringmaster, traffic, people, plainWay, commits, failures } = session
  await prepare(stage, session)
  const loaded = await load(stage, session, random)
  const idle = await beIdle(stage, session, stepAt(loaded.deployments))
  await ringmaster.close()
  const limited = Object.values(app.limits).reduce((sum, state) => sum + state.limited, 0)
  if (failures.length > 0)
    throw new Error(`expected no trouble, found ${failures.length}: ${failures.slice(0, 3).join('; ')}`)
  if (people.waiting > 0) throw new Error(`expected an answer to each comment, found ${people.waiting} without one`)
  const log = await readWholeLog(sandbox, commits)
  holdsWhatWasAsked(log, options.commands)
  const durable = durableFrom(receiver, log)
  return report(write, {
    options: { ...options, events: 2 * loaded.deployments },
    loaded: loaded.requests,
    durable: durable.slice(0, -1),
    answered: people.answeredSince(loaded.startMs),
    builds: traffic.built - PRODUCTS,
    logged: commits.filter(({ atMs }) => atMs >= loaded.startMs && atMs <= loaded.endMs).length,
    deliveries: loaded.deliveries,
    counted: log.counted,
    plainWay,
    plainRequests: sandbox.requests.filter(({ identity }) => identity.startsWith('plain')),
    startMs: loaded.startMs,
    idle: { ...idle, durableMs: durable.at(-1) ?? Number.NaN },
    limited,
    steps: loaded.steps,
  })
}

async function open(
  { sandbox, time, receiver, app, options }: Stage,
  { latencies, plainLatencies }: { readonly latencies: Draw; readonly plainLatencies: Draw },
): Promise<Session> {
  const plainWay = new PlainWay(sandbox.app('plain').octokit('acme'), plain, { time, random: plainLatencies })
  const inFlight = () => app.governorOf(RELEASES).inFlight + app.governorOf('/').inFlight + plainWay.inFlight
  time.isBusy = () => inFlight() > 0
  time.settled = () => sandbox.webhooks.settled()
  const failures: string[] = []
  const octokit = await app.forRepository(RELEASES)
  withLatency(octokit, time, latencies)
  const commits = notingCommits(octokit, time)
  const openedMs = time.nowMs
  const ringmaster = await time.within(
    openRingmaster({
      app,
      releaseRepository: RELEASES,
      publisher: null,
      isAlone: true,
      clock: time.clock,
      log: { info: () => {}, error: (data, message) => void failures.push(`${message} ${JSON.stringify(data)}`) },
      delay: time.delay,
    }),
  )
  receiver.intake = ringmaster.intake
  const traffic: Traffic = new Traffic(sandbox, (status) => {
    if (traffic.said <= Math.min(PLAIN_EVENTS, options.events))
      plainWay.take({ name: `event-${status.status}`, text: JSON.stringify(status) })
  })
  const people = new People(sandbox, time)
  const sweep = () => void ringmaster.sweep().catch((error) => void failures.push(String(error)))
  return {
    ...{ ringmaster, traffic, people, plainWay, commits, failures, openedMs, sweep },
    async settled() {
      const isUnderWay = () => ringmaster.intake.deliveries.open > 0 || people.waiting > 0
      for (let waited = 0; waited < 600 && isUnderWay(); waited += 1) await time.until(time.nowMs + 1_000)
    },
    async quiet(untilMs) {
      while (time.nowMs < untilMs) {
        sweep()
        await time.until(Math.min(untilMs, time.nowMs + MINUTE_MS))
      }
    },
  }
}

/** Products that are known, releases that hold some of them, and the time until the load begins. */
async function prepare({ time, options }: Stage, session: Session): Promise<void> {
  const { ringmaster, traffic, people, settled, quiet, openedMs } = session
  await time.within(ringmaster.sweep())
  await buildFirstVersions(traffic, time)
  await settled()
  await people.begin()
  await settled()
  await quiet(openedMs + LOOK_EVERY_MS - Math.min(LOOK_EVERY_MS, options.minutes * MINUTE_MS) / 2)
}

interface Loaded {
  readonly startMs: number
  readonly endMs: number
  readonly deployments: number
  readonly deliveries: number
  readonly requests: readonly RequestRecord[]
  readonly steps: readonly ProducerStep[]
}

async function load(stage: Stage, session: Session, random: Draw): Promise<Loaded> {
  const { sandbox, time, receiver, options } = stage
  const { traffic, people, plainWay, sweep, settled } = session
  sandbox.requests.length = 0
  receiver.deliveries = 0
  const startMs = time.nowMs
  const lastingMs = options.minutes * MINUTE_MS
  const sometime = () => startMs + random() * lastingMs
  const each = <T>(count: number, one: (index: number) => T) => Array.from({ length: count }, (_, index) => one(index))
  const starts = each(Math.ceil(options.events / 2), sometime).sort((a, b) => a - b)
  let steps: Promise<readonly ProducerStep[]> = Promise.resolve([])
  const moments: readonly Moment[] = [
    ...starts.flatMap((atMs, index) => deploymentFrom(traffic, stepAt(index), { startMs, atMs, share: random() })),
    ...each(options.commands, () => ({ atMs: sometime(), happen: () => people.command() })),
    ...each(options.minutes, (minute) => ({ atMs: startMs + minute * MINUTE_MS, happen: sweep })),
    {
      atMs: startMs + lastingMs / 2,
      happen: () => {
        steps = stepsOfJobs(sandbox, time, { owner: 'acme', repo: repositoryOf(0), product: STEPPED })
      },
    },
  ]
  for (const { atMs, happen } of moments.toSorted((a, b) => a.atMs - b.atMs)) {
    await time.until(atMs)
    await happen()
  }
  await settled()
  const { deliveries } = receiver
  const endMs = time.nowMs
  const requests = sandbox.requests.filter(isOurs)
  await time.within(plainWay.done())
  return { startMs, endMs, deployments: starts.length, deliveries, requests, steps: await time.within(steps) }
}

async function beIdle(
  { sandbox, time }: Stage,
  { traffic, quiet }: Session,
  step: Step,
): Promise<Omit<Idle, 'durableMs'>> {
  const oursFrom = (from: number) => sandbox.requests.slice(from).filter(isOurs)
  await quiet(time.nowMs + LET_GO_MS)
  const before = sandbox.requests.length
  await quiet(time.nowMs + IDLE_MINUTES * MINUTE_MS)
  const requests = oursFrom(before)
  const beforeOne = sandbox.requests.length
  traffic.deploy(step)
  await time.until(time.nowMs + MINUTE_MS)
  return {
    minutes: IDLE_MINUTES,
    commits: requests.filter(isCommit).length,
    requests,
    commitsOfOne: oursFrom(beforeOne).filter(isCommit).length,
  }
}

/** The first version of every product, one build a second: the load begins with products that are known. */
async function buildFirstVersions(traffic: Traffic, time: SimulatedTime): Promise<void> {
  for (let product = 0; product < PRODUCTS; product += 1) {
    const { version } = stepAt(product)
    const end = await traffic.build(product, version)
    await time.until(time.nowMs + 1_000)
    end()
  }
}

interface Course {
  /** When the load begins: nothing happens before. */
  readonly startMs: number
  readonly atMs: number
  /** How long it takes, from the shortest to the longest. */
  readonly share: number
}

/** Start and end of a deployment, and of the build before it where its version is new. */
function deploymentFrom(traffic: Traffic, step: Step, { startMs, atMs, share }: Course): readonly Moment[] {
  const lastingMs = SHORTEST_RUN_MS + share * (LONGEST_RUN_MS - SHORTEST_RUN_MS)
  const deploy = span({ fromMs: atMs, untilMs: atMs + lastingMs }, () => traffic.deploy(step))
  if (!step.isNew) return deploy
  const fromMs = Math.max(startMs, atMs - BUILD_AHEAD_MS)
  const untilMs = Math.max(startMs, atMs - BUILT_AHEAD_MS)
  return [...span({ fromMs, untilMs }, () => traffic.build(step.product, step.version)), ...deploy]
}

/** What begins and, as its beginning says, ends. */
function span(
  { fromMs, untilMs }: { readonly fromMs: number; readonly untilMs: number },
  begin: () => (() => void) | Promise<() => void>,
): readonly Moment[] {
  let end = () => {}
  return [
    {
      atMs: fromMs,
      happen: async () => {
        end = await begin()
      },
    },
    { atMs: untilMs, happen: () => end() },
  ]
}

/** Milliseconds from the first delivery of each status to its event in the log, in the order of delivery. */
const durableFrom = ({ deliveredMs }: Receiver, { durableMs }: Log): readonly number[] =>
  [...deliveredMs].map(([status, fromMs]) => (durableMs.get(status) ?? Number.POSITIVE_INFINITY) - fromMs)

/** What people asked of the release stands in the log, each once. */
function holdsWhatWasAsked({ events }: Log, commands: number): void {
  for (const [type, expected] of changesAskedFor(commands)) {
    const found = events.filter((event) => event.type === type).length
    if (found !== expected) throw new Error(`expected ${expected} events ${type}, found ${found}`)
  }
}

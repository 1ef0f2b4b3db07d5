import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { manifestPermissions } from '../../src/app/permissions.ts'
import { openRingmaster, type Ringmaster } from '../../src/app/ringmaster.ts'
import { model } from '../../src/core/model.ts'
import { type GovernedApp, gitHubApp } from '../../src/github/client.ts'
import { costOf } from '../../src/github/request-cost.ts'
import { gitStore } from '../../src/ledger/git.ts'
import { verifyLedger } from '../../src/ledger/verify.ts'
import { EVENTS } from '../../src/webhooks/index.ts'
import { randomFrom } from '../faults/random.ts'
import { type RequestRecord, type Sandbox, startSandbox } from '../sandbox/sandbox.ts'
import { repositoryByName } from '../sandbox/store.ts'
import { grouped, table } from './measure.ts'
import { PlainWay } from './plain-way.ts'
import { requestsOfOneAttempt } from './producers.ts'
import { SimulatedTime, withLatency } from './simulated-time.ts'

const PRODUCTS = 200
const REPOSITORIES = 60
const ENVIRONMENTS = ['dev', 'integration', 'qa', 'perf', 'alpha', 'beta', 'staging', 'production']
/** What the smallest installation has; GitHub gives more to larger ones. */
const REQUESTS_AN_HOUR = 5_000
/** What GITHUB_TOKEN has, for each repository. */
const TOKEN_REQUESTS_AN_HOUR = 1_000
/** The plain way falls behind at once: a commit for each of the first events says how far. */
const PLAIN_EVENTS = 600
/** Every so many deliveries one comes twice. */
const REPEATED_EVERY = 100
const IDLE_MINUTES = 30
const MINUTE_MS = 60_000

const releases = { owner: 'acme', repo: 'releases' }
const plain = { owner: 'acme', repo: 'plain' }

const repositoryOf = (product: number): string => `repository-${(product % PRODUCTS) % REPOSITORIES}`

const CONFIGURATION = `schemaVersion: 1
products:
${Array.from({ length: PRODUCTS }, (_, index) => `  - { name: product-${index}, repository: acme/${repositoryOf(index)} }`).join('\n')}
rings:
${ENVIRONMENTS.map((name, index) => `  - { ring: "${index}", label: ${name}, environments: [${name}] }`).join('\n')}
signoff:
  parties:
    - { name: Engineering, users: [ann] }
completion:
  environments: [production]
roles:
  - { role: admin, users: [ann] }
`

/** The status of a deployment as GitHub tells it: two for each deployment, from jobs of workflows. */
function statusAt(index: number, at: string) {
  const product = index >> 1
  const name = repositoryOf(product)
  const payload = {
    schema: 'ringmaster/deployment/1',
    product: `product-${product % PRODUCTS}`,
    version: `1.${Math.floor(product / (PRODUCTS * ENVIRONMENTS.length))}.0`,
    run: { id: 1_000_000 + product, attempt: 1, job: 'deploy' },
  }
  return {
    deployment_status: {
      id: 5_000_000 + index,
      state: index % 2 === 0 ? 'in_progress' : 'success',
      log_url: `https://github.com/acme/${name}/actions/runs/${1_000_000 + product}`,
      created_at: at,
    },
    deployment: {
      id: 2_000_000 + product,
      sha: 'c'.repeat(40),
      task: 'ringmaster',
      environment: ENVIRONMENTS[Math.floor(product / PRODUCTS) % ENVIRONMENTS.length],
      payload,
      performed_via_github_app: { slug: 'github-actions' },
    },
  }
}

const startWorld = (): Promise<Sandbox> =>
  startSandbox({
    seed: {
      people: ['ann'],
      organizations: [{ login: 'acme', owners: ['ann'], members: [] }],
      repositories: [
        {
          name: 'acme/releases',
          commits: [{ message: 'Configure', files: { '.github/ringmaster.yml': CONFIGURATION } }],
        },
        { name: 'acme/plain', commits: [{ message: 'Begin', files: { 'README.md': 'events' } }] },
        ...Array.from({ length: REPOSITORIES }, (_, index) => ({
          name: `acme/repository-${index}`,
          commits: [{ message: 'Begin', files: { 'README.md': 'product' } }],
        })),
      ],
      apps: [
        {
          slug: 'ringmaster',
          permissions: manifestPermissions(),
          events: [...EVENTS],
          installations: [{ account: 'acme' }],
        },
        {
          slug: 'plain',
          permissions: { contents: 'write' },
          events: [],
          installations: [{ account: 'acme', repositories: ['acme/plain'] }],
        },
      ],
    },
  })

/** The App's server as far as deliveries go: acknowledges each and hands it to the intake. */
class Receiver {
  readonly #server: Server
  readonly #time: SimulatedTime
  /** Milliseconds from a delivery of a deployment's status to its being durable. */
  readonly durable: number[] = []
  ringmaster: Ringmaster | undefined

  constructor(time: SimulatedTime) {
    this.#time = time
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        response.writeHead(200).end()
        const named = (header: string): string => String(request.headers[header])
        this.#take(named('x-github-delivery'), named('x-github-event'), JSON.parse(Buffer.concat(chunks).toString()))
      })
    })
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  #take(id: string, event: string, payload: unknown): void {
    const tookMs = this.#time.nowMs
    void this.ringmaster?.intake.handle({ id, event, payload, receivedAt: this.#time.clock() }).then(() => {
      if (event === 'deployment_status') this.durable.push(this.#time.nowMs - tookMs)
    })
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

/** What is asked of the App; a bench that misses one of them ends with exit code 1. */
interface Target {
  readonly name: string
  readonly found: number
  readonly most: number
  readonly unit: string
}

const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? Number.NaN

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`

export interface LoadOptions {
  readonly minutes: number
  /** Events in that time. */
  readonly events: number
  /** Commands of people in that time. */
  readonly commands: number
}

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

async function play(write: (line: string) => void, stage: Stage): Promise<readonly Target[]> {
  const { sandbox, time, receiver, app, options } = stage
  const { minutes, events, commands } = options
  /** Each its own, so that what one draws changes nothing for the others. */
  const [random, latencies, plainLatencies] = [20261120, 20261121, 20261122].map(randomFrom) as [Draw, Draw, Draw]
  const plainWay = new PlainWay(sandbox.app('plain').octokit('acme'), plain, { time, random: plainLatencies })
  const inFlight = () => app.governorOf('acme/releases').inFlight + app.governorOf('/').inFlight + plainWay.inFlight
  time.isBusy = () => inFlight() > 0
  time.settled = () => sandbox.webhooks.settled()
  const failures: string[] = []
  withLatency(await app.forRepository('acme/releases'), time, latencies)
  const ringmaster = await time.within(
    openRingmaster({
      app,
      releaseRepository: 'acme/releases',
      publisher: null,
      clock: time.clock,
      log: { info: () => {}, error: (data, message) => void failures.push(`${message} ${JSON.stringify(data)}`) },
      delay: time.delay,
    }),
  )
  receiver.ringmaster = ringmaster
  await time.within(ringmaster.sweep())
  const { octokit } = sandbox.as('ann')
  const { data: issue } = await octokit.rest.issues.create({ ...releases, title: 'A release' })
  const say = (body: string) => octokit.rest.issues.createComment({ ...releases, issue_number: issue.number, body })
  const sweep = () => void ringmaster.sweep().catch((error) => void failures.push(String(error)))
  await say('/release "Load"')
  await time.until(time.nowMs + 2 * MINUTE_MS)

  sandbox.requests.length = 0
  const people = new Waiting(sandbox, time)
  const startMs = time.nowMs
  const sometime = () => startMs + random() * minutes * MINUTE_MS
  const arrivals = [
    ...Array.from({ length: events }, () => ({ atMs: sometime(), what: 'event' as const })),
    ...Array.from({ length: commands }, () => ({ atMs: sometime(), what: 'command' as const })),
    ...Array.from({ length: minutes }, (_, minute) => ({ atMs: startMs + minute * MINUTE_MS, what: 'sweep' as const })),
  ].sort((a, b) => a.atMs - b.atMs)
  const plainEvents = Math.min(events, PLAIN_EVENTS)
  let order = 0
  const happen = (index: number) => {
    const payload = statusAt(index, time.clock())
    if (index % REPEATED_EVERY === 0) sandbox.webhooks.repeat({ event: 'deployment_status' })
    deliver(sandbox, repositoryOf(index >> 1), payload)
    if (index < plainEvents) plainWay.take({ name: `event-${index}`, text: JSON.stringify(payload) })
  }
  for (const { atMs, what } of arrivals) {
    await time.until(atMs)
    if (what === 'sweep') sweep()
    else if (what === 'command') {
      people.ask()
      await say('/status')
    } else {
      happen(order)
      order += 1
    }
  }
  const isUnderWay = () => receiver.durable.length < events || people.asked > 0
  for (let waited = 0; waited < 600 && isUnderWay(); waited += 1) await time.until(time.nowMs + 1_000)
  const hour = sandbox.requests.filter(isOurs)
  const durable = [...receiver.durable]
  await time.within(plainWay.done())

  const idle = await whenIdle(stage, { sweep, happen: () => happen(order) })
  await time.until(time.nowMs + MINUTE_MS)
  await ringmaster.close()
  await checkNothingLost(stage, { recorded: events + 1, failures })
  if (people.answered.length !== commands)
    throw new Error(`expected ${commands} answers, found ${people.answered.length}`)
  if (plainWay.durable.length !== plainEvents)
    throw new Error(`expected ${plainEvents} commits of the plain way, found ${plainWay.durable.length}`)
  const plainRequests = sandbox.requests.filter(({ identity }) => identity.startsWith('plain'))
  const attempt = await requestsOfOneAttempt(sandbox, { owner: 'acme', repo: 'repository-0' })
  return report(write, {
    options,
    hour,
    durable,
    answered: people.answered,
    plainWay,
    plainRequests,
    startMs,
    idle,
    attempt,
  })
}

const isOurs = ({ identity }: RequestRecord): boolean => identity.startsWith('ringmaster')
const isCommit = ({ fields, route }: RequestRecord): boolean =>
  fields.includes('createCommitOnBranch') || route === 'PUT /repos/{owner}/{repo}/contents/{path}'
const costOfRecord = (request: RequestRecord) =>
  costOf({ method: request.method, url: request.path, query: isCommit(request) ? 'mutation' : 'query' })
const isContent = (request: RequestRecord): boolean => costOfRecord(request).isContent

function deliver(sandbox: Sandbox, name: string, payload: Readonly<Record<string, unknown>>): void {
  const { store } = sandbox.world
  const repository = repositoryByName(store, 'acme', name)
  const sender = [...store.accounts.values()].find(({ login }) => login === 'ann')
  if (!repository || !sender) throw new Error(`expected the repository acme/${name}`)
  sandbox.world.deliver({ event: 'deployment_status', action: 'created', repository, sender, payload })
}

/** People who asked something, in their order, and how long each waited for the reply. */
class Waiting {
  readonly answered: number[] = []
  readonly #askedMs: number[] = []
  readonly #sandbox: Sandbox
  readonly #time: SimulatedTime
  #seen = 0

  constructor(sandbox: Sandbox, time: SimulatedTime) {
    this.#sandbox = sandbox
    this.#time = time
    time.onRest = () => this.#look()
  }

  get asked(): number {
    return this.#askedMs.length
  }

  ask(): void {
    this.#askedMs.push(this.#time.nowMs)
  }

  #look(): void {
    const { requests } = this.#sandbox
    for (; this.#seen < requests.length; this.#seen += 1) {
      const request = requests[this.#seen]
      const isReply =
        request !== undefined &&
        isOurs(request) &&
        request.route === 'POST /repos/{owner}/{repo}/issues/{issue_number}/comments'
      const askedMs = isReply ? this.#askedMs.shift() : undefined
      if (askedMs !== undefined) this.answered.push(this.#time.nowMs - askedMs)
    }
  }
}

interface Idle {
  /** Commits of half an hour in which nothing happened. */
  readonly commits: number
  readonly requests: number
  /** Commits for one event after it, and how long it took to be durable. */
  readonly commitsOfOne: number
  readonly durableMs: number
}

async function whenIdle(
  { sandbox, time, receiver }: Stage,
  { sweep, happen }: { readonly sweep: () => void; readonly happen: () => void },
): Promise<Idle> {
  await time.until(time.nowMs + MINUTE_MS)
  const from = sandbox.requests.length
  for (let minute = 0; minute < IDLE_MINUTES; minute += 1) {
    sweep()
    await time.until(time.nowMs + MINUTE_MS)
  }
  const quiet = sandbox.requests.slice(from).filter(isOurs)
  const before = sandbox.requests.length
  happen()
  await time.until(time.nowMs + MINUTE_MS)
  return {
    commits: quiet.filter(isCommit).length,
    requests: quiet.length,
    commitsOfOne: sandbox.requests.slice(before).filter(isOurs).filter(isCommit).length,
    durableMs: receiver.durable.at(-1) ?? Number.NaN,
  }
}

async function checkNothingLost(
  { sandbox }: Stage,
  { recorded, failures }: { readonly recorded: number; readonly failures: readonly string[] },
): Promise<void> {
  const store = gitStore({
    directory: sandbox.repository('acme/releases').gitDirectory,
    branch: 'ringmaster-data',
    author: { name: 'reader', email: 'reader@localhost' },
    clock: () => sandbox.clock.now(),
  })
  const found: string[] = []
  const reading: typeof model = {
    ...model,
    evolve: (key, state, event) => {
      if (key.startsWith('board/') && event.type.startsWith('deployment.')) found.push(event.key)
      return model.evolve(key, state, event)
    },
  }
  const verified = await verifyLedger(store, reading, { documentsOf: () => [] })
  if (!verified.ok) throw new Error(`the log does not hold: ${verified.problems[0]?.message}`)
  const said = failures.slice(0, 3).join('; ')
  if (found.length !== recorded) throw new Error(`expected ${recorded} events, found ${found.length}: ${said}`)
  const distinct = new Set(found).size
  if (distinct !== recorded)
    throw new Error(`expected ${recorded} events, found ${recorded - distinct} of them doubled`)
}

interface Found {
  readonly options: LoadOptions
  readonly hour: readonly RequestRecord[]
  readonly durable: readonly number[]
  readonly answered: readonly number[]
  readonly plainWay: PlainWay
  readonly plainRequests: readonly RequestRecord[]
  readonly startMs: number
  readonly idle: Idle
  readonly attempt: readonly RequestRecord[]
}

const SHARES = [0.5, 0.95, 0.99] as const
const shares = (values: readonly number[]): string[] => SHARES.map((share) => seconds(percentile(values, share)))

const isChange = (request: RequestRecord): boolean => costOfRecord(request).points === 5

const CLASSES: readonly { readonly name: string; readonly has: (request: RequestRecord) => boolean }[] = [
  { name: 'commits', has: isCommit },
  { name: 'creating content (what GitHub notifies of)', has: isContent },
  { name: 'other changes', has: (one) => isChange(one) && !isCommit(one) && !isContent(one) },
  { name: 'reads by REST', has: (one) => one.method === 'GET' },
  { name: 'reads by GraphQL', has: (one) => one.route === 'POST /graphql' && !isCommit(one) },
  { name: 'all requests', has: () => true },
]

function report(write: (line: string) => void, found: Found): readonly Target[] {
  const { options, hour, durable, answered, plainWay, plainRequests, startMs, idle, attempt } = found
  const { minutes, events, commands } = options
  const commits = hour.filter(isCommit)
  const content = hour.filter(isContent)
  const refused = hour.filter(({ status }) => status === 403 || status === 429).length
  const per1000 = (count: number, of: number): number => Number(((count * 1_000) / of).toFixed(1))
  const written = plainWay.durable.length
  const plainMs = (plainWay.endMs - startMs) / written
  const bytes = commits.reduce((sum, { requestBytes }) => sum + requestBytes, 0) / Math.max(1, commits.length)
  write(
    `${grouped(events)} events and ${commands} commands in ${minutes} minutes; every event in the log once, although one in ${REPEATED_EVERY} was delivered twice; the log verifies. Requests that a limit refused: ${refused}.`,
  )
  write('')
  const rows = CLASSES.map(({ name, has }) => {
    const count = hour.filter(has).length
    const plainly = per1000(plainRequests.filter(has).length, written)
    return [
      name,
      grouped(count),
      per1000(count, events).toFixed(1),
      plainly.toLocaleString('en-US', { minimumFractionDigits: 1 }),
    ]
  })
  write(table(['requests', 'in that time', 'for 1,000 events', 'the plain way, for 1,000'], rows))
  write('')
  write(
    table(
      ['time', 'p50', 'p95', 'p99'],
      [
        ['delivery to durable', ...shares(durable)],
        ['command to answer', ...shares(answered)],
        [`the plain way, the first ${written} events`, ...shares(plainWay.durable)],
      ],
    ),
  )
  write('')
  write(
    `${grouped(bytes)} bytes sent for a commit on average, ${(events / Math.max(1, commits.length)).toFixed(0)} events in each.`,
  )
  write(
    `The plain way, one commit by the Contents API for each event, beside it in the same run: ${written} commits, ${seconds(plainMs)} each, one after the other. Extrapolated: ${grouped(events)} events take it ${((events * plainMs) / 3_600_000).toFixed(1)} hours, at six commits a minute ${(events / 360).toFixed(1)}.`,
  )
  write(
    `Idle for ${IDLE_MINUTES} minutes: ${idle.commits} commits, ${idle.requests} requests. One event then: ${idle.commitsOfOne} commit, durable after ${seconds(idle.durableMs)}.`,
  )
  const attemptsOfOne = Math.ceil(((events / 2 / PRODUCTS) * Math.ceil(PRODUCTS / REPOSITORIES) * 60) / minutes)
  const ofToken = attemptsOfOne * attempt.length
  write(
    `What a job's own token spends on an attempt, two steps: ${attempt.length} requests, ${attempt.filter(isChange).length} of them changes, ${attempt.filter(isContent).length} creating content. The busiest repository has ${attemptsOfOne} attempts an hour: ${grouped(ofToken)} of its ${grouped(TOKEN_REQUESTS_AN_HOUR)} requests.`,
  )
  const spent = per1000(commits.length + content.length, events)
  return [
    { name: 'commits and content-creating requests for 1,000 events', found: spent, most: 25, unit: 'requests' },
    { name: 'delivery to durable, p50', found: percentile(durable, 0.5), most: 15_000, unit: 'ms' },
    { name: 'delivery to durable, p99', found: percentile(durable, 0.99), most: 30_000, unit: 'ms' },
    { name: 'command to answer, p95', found: percentile(answered, 0.95), most: 5_000, unit: 'ms' },
    { name: 'requests that a limit refused', found: refused, most: 0, unit: 'requests' },
    { name: 'answers beside the first to a command', found: content.length - commands, most: 0, unit: 'comments' },
    { name: 'commits while idle', found: idle.commits, most: 0, unit: 'commits' },
    { name: 'commits for one event', found: idle.commitsOfOne, most: 1, unit: 'commits' },
    { name: 'an event while idle to durable', found: idle.durableMs, most: 10_000, unit: 'ms' },
    {
      name: 'requests of one repository’s token in an hour',
      found: ofToken,
      most: TOKEN_REQUESTS_AN_HOUR,
      unit: 'requests',
    },
  ]
}

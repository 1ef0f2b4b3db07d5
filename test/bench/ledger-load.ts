import type { Octokit } from '@octokit/rest'
import { manifestPermissions } from '../../src/app/permissions.ts'
import { openRingmaster, type Ringmaster } from '../../src/app/ringmaster.ts'
import { model } from '../../src/core/model.ts'
import { type GovernedApp, gitHubApp } from '../../src/github/client.ts'
import type { GovernorOptions } from '../../src/github/governor.ts'
import { costOf } from '../../src/github/request-cost.ts'
import { gitStore } from '../../src/ledger/git.ts'
import { verifyLedger } from '../../src/ledger/verify.ts'
import { EVENTS } from '../../src/webhooks/index.ts'
import { randomFrom } from '../faults/random.ts'
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts'
import { grouped, table } from './measure.ts'

const PRODUCTS = 200
const REPOSITORIES = 60
const ENVIRONMENTS = ['dev', 'integration', 'qa', 'perf', 'alpha', 'beta', 'staging', 'production']
/** Median 1.5 s, 99th percentile 6 s: exp(ln 1.5 + 2.326 σ) = 6. */
const COMMIT_SIGMA = Math.log(6 / 1.5) / 2.326
const OTHER_LATENCY_MS = 150

const releases = { owner: 'acme', repo: 'releases' }

const CONFIGURATION = `schemaVersion: 1
products:
${Array.from({ length: PRODUCTS }, (_, index) => `  - { name: product-${index}, repository: acme/repository-${index % REPOSITORIES} }`).join('\n')}
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

/** Time that stands still while work is done, and moves on to what is due next. */
class SimulatedTime {
  nowMs: number
  /** Called whenever everything that could go on has. */
  onRest: () => void = () => {}
  readonly #timers = new Set<{ readonly atMs: number; readonly run: () => void }>()
  readonly #sandbox: Sandbox
  readonly #isBusy: () => boolean

  constructor(sandbox: Sandbox, isBusy: () => boolean) {
    this.#sandbox = sandbox
    this.#isBusy = isBusy
    this.nowMs = sandbox.clock.epochMs()
  }

  readonly timer: GovernorOptions['timer'] = (milliseconds, run) => {
    const entry = { atMs: this.nowMs + milliseconds, run }
    this.#timers.add(entry)
    return () => this.#timers.delete(entry)
  }

  readonly delay = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => {
      this.timer(milliseconds, resolve)
    })

  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 6; quiet += 1) {
      await new Promise((resolve) => setImmediate(resolve))
      while (this.#isBusy()) {
        quiet = 0
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    }
    this.onRest()
  }

  async until(untilMs: number): Promise<void> {
    await this.settle()
    for (;;) {
      let next: { readonly atMs: number; readonly run: () => void } | undefined
      for (const entry of this.#timers) if (entry.atMs <= untilMs && (!next || entry.atMs < next.atMs)) next = entry
      if (!next) break
      this.#timers.delete(next)
      this.#moveTo(next.atMs)
      next.run()
      await this.settle()
    }
    this.#moveTo(untilMs)
  }

  #moveTo(atMs: number): void {
    if (atMs <= this.nowMs) return
    this.nowMs = atMs
    const behindMs = atMs - this.#sandbox.clock.epochMs()
    if (behindMs > 0) this.#sandbox.clock.advance(behindMs)
  }
}

const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`

/** The status of a deployment as GitHub would tell it: two for each deployment. */
function deliveryAt(index: number, receivedAt: string) {
  const product = index >> 1
  const name = `repository-${(product % PRODUCTS) % REPOSITORIES}`
  const payload = {
    schema: 'ringmaster/deployment/1',
    product: `product-${product % PRODUCTS}`,
    version: `1.${Math.floor(product / (PRODUCTS * ENVIRONMENTS.length))}.0`,
    run: { id: 1_000_000 + product, attempt: 1, job: 'deploy' },
  }
  return {
    id: `delivery-${index}`,
    event: 'deployment_status',
    receivedAt,
    payload: {
      action: 'created',
      deployment_status: {
        id: 5_000_000 + index,
        state: index % 2 === 0 ? 'in_progress' : 'success',
        log_url: `https://github.com/acme/${name}/actions/runs/${1_000_000 + product}`,
        created_at: receivedAt,
      },
      deployment: {
        id: 2_000_000 + product,
        sha: 'c'.repeat(40),
        task: 'ringmaster',
        environment: ENVIRONMENTS[Math.floor(product / PRODUCTS) % ENVIRONMENTS.length],
        payload,
        performed_via_github_app: { slug: 'github-actions' },
      },
      repository: { id: 100 + (product % REPOSITORIES), full_name: `acme/${name}`, default_branch: 'main' },
      sender: { login: 'dora', id: 7, type: 'User' },
    },
  }
}

/** Adds what GitHub takes for an answer, in simulated time, around everything the governor does. */
function withLatency(octokit: Octokit, time: SimulatedTime, random: () => number): void {
  octokit.hook.wrap('request', async (send, options) => {
    const answer = await send(options)
    /** Inside another request: time stands still until that one is answered. */
    if (options.url.endsWith('/access_tokens')) return answer
    const cost = costOf(options as never)
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    await time.delay(cost.pushesTo === null ? OTHER_LATENCY_MS : 1_500 * Math.exp(COMMIT_SIGMA * normal))
    return answer
  })
}

export interface LoadOptions {
  readonly minutes: number
  /** Events in that time. */
  readonly events: number
  /** Commands of people in that time. */
  readonly commands: number
}

/** Deployments over 200 products, 8 environments and 60 repositories, with people at work beside it. */
export async function benchLoad(
  write: (line: string) => void,
  { minutes, events, commands }: LoadOptions,
): Promise<void> {
  const sandbox = await startSandbox({
    seed: {
      people: ['ann'],
      organizations: [{ login: 'acme', owners: ['ann'], members: [] }],
      repositories: [
        {
          name: 'acme/releases',
          commits: [{ message: 'Configure', files: { '.github/ringmaster.yml': CONFIGURATION } }],
        },
      ],
      apps: [
        {
          slug: 'ringmaster',
          permissions: manifestPermissions(),
          events: [...EVENTS],
          installations: [{ account: 'acme' }],
        },
      ],
    },
  })
  const random = randomFrom(20261120)
  let app: GovernedApp | undefined
  const isBusy = () => (app?.governorOf('acme/releases').inFlight ?? 0) + (app?.governorOf('/').inFlight ?? 0) > 0
  const time = new SimulatedTime(sandbox, isBusy)
  const { id, privateKey } = sandbox.app('ringmaster')
  app = gitHubApp({ appId: id, privateKey, apiUrl: sandbox.origin }, { nowMs: () => time.nowMs, timer: time.timer })
  const failures: string[] = []
  /** Runs work that waits for simulated time. */
  const within = async <T>(work: Promise<T>): Promise<T> => {
    let isDone = false
    const watched = work.finally(() => {
      isDone = true
    })
    while (!isDone) await time.until(time.nowMs + 1_000)
    return watched
  }
  try {
    withLatency(await app.forRepository('acme/releases'), time, random)
    const ringmaster: Ringmaster = await within(
      openRingmaster({
        app,
        releaseRepository: 'acme/releases',
        publisher: null,
        clock: () => new Date(time.nowMs).toISOString(),
        log: { info: () => {}, error: (data, message) => void failures.push(`${message} ${JSON.stringify(data)}`) },
        delay: time.delay,
      }),
    )
    await within(ringmaster.sweep())
    const octokit = sandbox.as('ann').octokit
    const { data: issue } = await octokit.rest.issues.create({ ...releases, title: 'A release' })
    const say = async (body: string) => {
      const { data: comment } = await octokit.rest.issues.createComment({
        ...releases,
        issue_number: issue.number,
        body,
      })
      ringmaster.intake.take({
        id: `comment-${comment.id}`,
        event: 'issue_comment',
        receivedAt: new Date(time.nowMs).toISOString(),
        payload: {
          action: 'created',
          issue,
          comment,
          repository: {
            id: sandbox.repository('acme/releases').id,
            full_name: 'acme/releases',
            default_branch: 'main',
          },
          sender: comment.user,
        },
      })
    }
    await say('/release "Load"')
    await time.until(time.nowMs + 120_000)
    sandbox.requests.length = 0

    const startMs = time.nowMs
    const durable: number[] = []
    const answered: number[] = []
    const asked: number[] = []
    let seen = 0
    const lookForAnswers = () => {
      for (; seen < sandbox.requests.length; seen += 1) {
        const request = sandbox.requests[seen]
        const isReply =
          request?.identity === 'ringmaster[bot]' &&
          request.route === 'POST /repos/{owner}/{repo}/issues/{issue_number}/comments'
        const askedMs = isReply ? asked.shift() : undefined
        if (askedMs !== undefined) answered.push(time.nowMs - askedMs)
      }
    }
    time.onRest = lookForAnswers
    const arrivals = [
      ...Array.from({ length: events }, (_, index) => ({ atMs: startMs + random() * minutes * 60_000, index })),
      ...Array.from({ length: commands }, () => ({ atMs: startMs + random() * minutes * 60_000, index: -1 })),
      ...Array.from({ length: minutes }, (_, minute) => ({ atMs: startMs + minute * 60_000, index: -2 })),
    ].sort((a, b) => a.atMs - b.atMs)
    let order = 0
    for (const { atMs, index } of arrivals) {
      await time.until(atMs)
      if (index === -2) void ringmaster.sweep().catch((error) => void failures.push(String(error)))
      else if (index === -1) {
        asked.push(atMs)
        await say('/status')
      } else {
        const delivery = deliveryAt(order, new Date(time.nowMs).toISOString())
        order += 1
        const tookMs = time.nowMs
        void ringmaster.intake.handle(delivery).then(() => durable.push(time.nowMs - tookMs))
      }
    }
    for (let waited = 0; waited < 600 && (durable.length < events || asked.length > 0); waited += 1) {
      await time.until(time.nowMs + 1_000)
    }
    const hour = sandbox.requests.filter(({ identity }) => identity.startsWith('ringmaster'))
    await time.until(time.nowMs + 60_000)
    await ringmaster.close()
    await report(write, { sandbox, hour, minutes, events, commands, durable, answered, failures })
  } finally {
    app.close()
    await sandbox.stop()
  }
}

interface Found {
  readonly sandbox: Sandbox
  readonly hour: readonly Sandbox['requests'][number][]
  readonly minutes: number
  readonly events: number
  readonly commands: number
  readonly durable: readonly number[]
  readonly answered: readonly number[]
  readonly failures: readonly string[]
}

async function report(write: (line: string) => void, found: Found): Promise<void> {
  const { sandbox, hour, minutes, events, commands, durable, answered, failures } = found
  const store = gitStore({
    directory: sandbox.repository('acme/releases').gitDirectory,
    branch: 'ringmaster-data',
    author: { name: 'reader', email: 'reader@localhost' },
    clock: () => sandbox.clock.now(),
  })
  let recorded = 0
  const documentsOf = () => []
  const verified = await verifyLedger(
    store,
    {
      ...model,
      evolve: (key, state, event) => {
        if (key.startsWith('board/') && event.type.startsWith('deployment.')) recorded += 1
        return model.evolve(key, state, event)
      },
    },
    { documentsOf },
  )
  if (!verified.ok) throw new Error(`the log does not hold: ${verified.problems[0]?.message}`)
  if (recorded !== events)
    throw new Error(`expected ${events} deployment events, found ${recorded}: ${failures.slice(0, 3).join('; ')}`)
  if (answered.length !== commands) throw new Error(`expected ${commands} answers, found ${answered.length}`)
  const isCommit = (request: (typeof hour)[number]) => request.fields.includes('createCommitOnBranch')
  const cost = (request: (typeof hour)[number]) =>
    costOf({ method: request.method, url: request.path, query: isCommit(request) ? 'mutation' : 'query' })
  const commits = hour.filter(isCommit)
  const content = hour.filter((request) => cost(request).isContent)
  const changes = hour.filter((request) => cost(request).points === 5)
  const per1000 = (count: number): string => ((count * 1_000) / events).toFixed(1)
  const bytes = commits.reduce((sum, { requestBytes }) => sum + requestBytes, 0) / Math.max(1, commits.length)
  const rows: [string, number][] = [
    ['commits to the log', commits.length],
    ['content-creating (what GitHub notifies of)', content.length],
    ['every change, commits included', changes.length],
    ['reads by REST', hour.filter(({ method }) => method === 'GET').length],
    ['reads by GraphQL', hour.filter(({ route }) => route === 'POST /graphql').length - commits.length],
    ['all requests', hour.length],
  ]
  write(
    `${grouped(events)} events and ${commands} commands in ${minutes} minutes; every event in the log once, the log verifies.`,
  )
  write('')
  write(
    table(
      ['requests', 'in that time', 'for 1,000 events'],
      rows.map(([name, count]) => [name, grouped(count), per1000(count)]),
    ),
  )
  write('')
  write(
    table(
      ['time', 'p50', 'p95', 'p99'],
      [
        ['delivery to durable', ...[0.5, 0.95, 0.99].map((share) => seconds(percentile(durable, share)))],
        ['command to answer', ...[0.5, 0.95, 0.99].map((share) => seconds(percentile(answered, share)))],
      ],
    ),
  )
  write('')
  write(
    `${grouped(bytes)} bytes sent for a commit on average, ${(events / Math.max(1, commits.length)).toFixed(0)} events in each.`,
  )
  write(
    `The plain way, one commit by the Contents API for each event: ${grouped(events)} commits, 1,000.0 for 1,000 events; one after the other at 1.5 s or more each they take ${((events * 1.5) / 3_600).toFixed(1)} hours, at six a minute ${(events / 360).toFixed(1)}.`,
  )
}

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { manifestPermissions } from '../../src/app/permissions.ts'
import { openRingmaster, type Ringmaster } from '../../src/app/ringmaster.ts'
import { checkEvent } from '../../src/core/check-event.ts'
import { model } from '../../src/core/model.ts'
import { redecide } from '../../src/engine/redecide.ts'
import { gitHubApp } from '../../src/github/client.ts'
import type { GovernorOptions } from '../../src/github/governor.ts'
import { gitStore } from '../../src/ledger/git.ts'
import { verifyLedger } from '../../src/ledger/verify.ts'
import { EVENTS } from '../../src/webhooks/index.ts'
import { recordedBuild } from '../app/recorded-build.ts'
import { CONFIGURATION } from '../engine/stage.ts'
import { type RunHandle, startRun } from '../sandbox/actions.ts'
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts'
import { type Harm, letHarmCome } from './harms.ts'
import { randomFrom } from './random.ts'

const releases = { owner: 'acme', repo: 'releases' }
const HOUR_MS = 3_600_000

/** What is left when a story is over: the same, whatever went wrong on the way. */
export interface Traces {
  /** State that follows from facts, without numbers of GitHub and times. */
  readonly facts: unknown
  readonly open: unknown
  readonly outside: Readonly<Record<string, readonly string[]>>
  readonly verified: readonly string[]
}

/** One App over one sandbox whose time jumps instead of passing. */
class Play {
  readonly sandbox: Sandbox
  readonly #random: () => number
  readonly #harm: Harm
  readonly errors: string[] = []
  unheard = 0
  #ringmaster: Ringmaster | undefined
  #server: ReturnType<typeof createServer> | undefined

  constructor(sandbox: Sandbox, harm: Harm, random: () => number) {
    this.sandbox = sandbox
    this.#harm = harm
    this.#random = random
  }

  get ringmaster(): Ringmaster {
    if (!this.#ringmaster) throw new Error('expected a running App')
    return this.#ringmaster
  }

  /** Lets a wait be over at once: the sandbox's clock moves on by what is left of it. */
  readonly #timer: GovernorOptions['timer'] = (milliseconds, run) => {
    const { clock } = this.sandbox
    const untilMs = clock.epochMs() + milliseconds
    const handle = setTimeout(
      () => {
        const leftMs = untilMs - clock.epochMs()
        if (leftMs > 0) clock.advance(leftMs)
        run()
      },
      Math.min(milliseconds, 3),
    )
    return () => clearTimeout(handle)
  }

  async start(): Promise<void> {
    const { sandbox } = this
    const { id, privateKey } = sandbox.app('ringmaster')
    const open = () =>
      openRingmaster({
        app: gitHubApp(
          { appId: id, privateKey, apiUrl: sandbox.origin },
          { nowMs: sandbox.clock.epochMs, timer: this.#timer, pushesPerMinute: 600 },
        ),
        releaseRepository: 'acme/releases',
        publisher: null,
        clock: () => new Date(sandbox.clock.epochMs()).toISOString(),
        log: { info: () => {}, error: (data, message) => void this.errors.push(`${message} ${JSON.stringify(data)}`) },
        delay: (milliseconds) => new Promise((resolve) => void this.#timer(milliseconds, resolve)),
      })
    for (let attempt = 1; !this.#ringmaster; attempt += 1) {
      try {
        this.#ringmaster = await open()
      } catch (error) {
        if (attempt === 20) throw error
      }
    }
    await this.#listen()
    await this.sweep()
  }

  async #listen(): Promise<void> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const isHeard = this.#random() >= (this.#harm.deliveries.unheard ?? 0)
        response.writeHead(isHeard ? 200 : 500).end()
        if (!isHeard) {
          this.unheard += 1
          return
        }
        this.ringmaster.intake.take({
          id: String(request.headers['x-github-delivery']),
          event: String(request.headers['x-github-event']),
          payload: JSON.parse(Buffer.concat(chunks).toString('utf8')),
          receivedAt: new Date(this.sandbox.clock.epochMs()).toISOString(),
        })
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    this.#server = server
    const { port } = server.address() as AddressInfo
    this.sandbox.app('ringmaster').setWebhookUrl(`http://127.0.0.1:${port}/`)
  }

  async sweep(): Promise<void> {
    await this.ringmaster.sweep().catch((error) => void this.errors.push(`sweep: ${String(error)}`))
    await this.rest()
  }

  async rest(): Promise<void> {
    await this.sandbox.webhooks.settled()
    await this.ringmaster.idle()
  }

  /** Lets hours pass until something came about; says what did not. */
  async until(what: string, has: () => Promise<boolean>): Promise<void> {
    for (let hours = 0; hours < 24; hours += 1) {
      await this.rest()
      /** Reading the log goes through the same trouble. */
      if (await has().catch(() => false)) return
      this.sandbox.clock.advance(HOUR_MS + 60_000)
      await this.sweep()
    }
    throw new Error(`waited a day for ${what}\n${this.errors.slice(-5).join('\n')}`)
  }

  async stop(): Promise<void> {
    await this.#ringmaster?.close()
    this.#server?.closeAllConnections()
    await new Promise((resolve) => (this.#server ? this.#server.close(resolve) : resolve(null)))
  }
}

const as = (play: Play, login: string) => play.sandbox.as(login).octokit

async function comments(play: Play, issue: number) {
  const octokit = as(play, 'ann')
  return octokit.paginate(octokit.rest.issues.listComments, { ...releases, issue_number: issue, per_page: 100 })
}

async function say(play: Play, issue: number, body: string): Promise<void> {
  const { data } = await as(play, 'ann').rest.issues.createComment({ ...releases, issue_number: issue, body })
  await play.until(`a reply to ${body}`, async () =>
    (await comments(play, issue)).some((comment) => comment.body?.includes(`reply%2F${data.id}`)),
  )
}

const pulls = async (play: Play) => (await as(play, 'ann').rest.pulls.list({ ...releases, state: 'all' })).data

const signoff = async (play: Play) => {
  const head = (await pulls(play))[0]?.head.sha
  if (head === undefined) return []
  const { data } = await as(play, 'ann').rest.checks.listForRef({ ...releases, ref: head, filter: 'all' })
  return data.check_runs.filter((run) => run.name === 'ringmaster/sign-off')
}

const deploy = (play: Play, environment: string): Promise<RunHandle> =>
  startRun(play.sandbox, {
    repository: 'acme/platform',
    workflow: '.github/workflows/deploy.yml',
    actor: 'ann',
    jobs: [{ name: 'deploy', environment, steps: [async () => {}] }],
  })

async function state(play: Play, key: string): Promise<unknown> {
  return (await play.ringmaster.ledger.view()).state(key as 'index/open')
}

interface Board {
  readonly cells?: readonly { readonly environment: string; readonly lastGood: { readonly version: string } | null }[]
}

const isLive = async (play: Play, environment: string): Promise<boolean> =>
  ((await state(play, 'board/user-service')) as Board | undefined)?.cells?.some(
    (cell) => cell.environment === environment && cell.lastGood !== null,
  ) ?? false

/** Builds, a deployment, a release with its sign-off, a job that waits at the gate, and the end. */
async function tell(play: Play): Promise<{ issue: number; gated: RunHandle }> {
  await play.until('a configuration in force', async () => (await state(play, 'config/current')) !== undefined)
  await recordedBuild(play.sandbox, '1.0.0')
  await play.until('a build', async () => (await state(play, 'version/user-service@1.0.0')) !== undefined)
  const first = await deploy(play, 'integration')
  await first.finished()
  await play.until('a deployment', () => isLive(play, 'integration'))
  const { data: opened } = await as(play, 'ann').rest.issues.create({ ...releases, title: 'A release' })
  const issue = opened.number
  await say(play, issue, '/release "First"')
  await say(play, issue, '/add user-service@1.0.0')
  const gated = await deploy(play, 'production')
  await gated.atRest()
  await say(play, issue, '/start')
  await play.until('a proposal', async () => (await pulls(play)).length > 0)
  await play.until('a check run', async () => (await signoff(play)).length > 0)
  const number = (await pulls(play))[0]?.number ?? 0
  await as(play, 'eve').rest.pulls.createReview({ ...releases, pull_number: number, event: 'APPROVE' })
  await play.until('the sign-off', async () => (await signoff(play)).some((run) => run.conclusion === 'success'))
  await play.until('the gate to open', async () => gated.status === 'completed')
  await play.until('a deployment behind the gate', () => isLive(play, 'production'))
  await say(play, issue, '/complete')
  await play.until('the merge', async () => Boolean((await pulls(play))[0]?.merged_at))
  await play.until(
    'nothing left to do',
    async () => play.ringmaster.intake.open === 0 && play.ringmaster.engine.failing.length === 0,
  )
  return { issue, gated }
}

/** A gate stays listed until the next commit books that its answer arrived; what counts is whether it still waits. */
async function waitingGates(play: Play): Promise<string[]> {
  const { gates = [] } = (await state(play, 'index/open')) as { gates?: readonly string[] }
  const states = await Promise.all(gates.map((key) => state(play, key) as Promise<{ verdict?: string } | undefined>))
  return gates.filter((_key, index) => states[index]?.verdict === 'waiting')
}

/** Ids and times of GitHub differ from run to run, and who told of something first. */
const withoutChance = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value ?? null, (name, member: unknown) => {
      if (typeof member === 'number') return '#'
      if (typeof member !== 'string') return member
      if (/^[0-9a-f]{40}$|^sha256:/.test(member)) return '#'
      if (name === 'source' || name === 'trust') return '#'
      return member.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '@').replace(/[0-9]{2,}/g, '#')
    }),
  )

async function tracesOf(play: Play, issue: number, gated: RunHandle): Promise<Traces> {
  const octokit = as(play, 'ann')
  const own = (await comments(play, issue)).filter((comment) => comment.user?.login === 'ringmaster[bot]')
  const { data: issues } = await octokit.rest.issues.listForRepo({ ...releases, state: 'all', per_page: 100 })
  const { data: approvals } = await octokit.request('GET /repos/{owner}/{repo}/actions/runs/{run_id}/approvals', {
    owner: 'acme',
    repo: 'platform',
    run_id: gated.id,
  })
  const { data: subject } = await octokit.rest.issues.get({ ...releases, issue_number: issue })
  const marker = (body = '') => decodeURIComponent(/<!-- ringmaster:([^ ]+) -->/.exec(body)?.[1] ?? '')
  const board = (await state(play, 'board/user-service')) as Board | undefined
  const release = (await state(play, `release/r${issue}`)) as { status?: string; signoff?: { status?: string } }
  const store = gitStore({
    directory: play.sandbox.repository('acme/releases').gitDirectory,
    branch: 'ringmaster-data',
    author: { name: 'reader', email: 'reader@localhost' },
    clock: () => play.sandbox.clock.now(),
  })
  const report = await verifyLedger(store, model, { checkEvent, redecide })
  const open = (await state(play, 'index/open')) as Record<string, readonly unknown[]>
  return {
    facts: {
      version: withoutChance(await state(play, 'version/user-service@1.0.0')),
      cells: board?.cells?.map(({ environment, lastGood }) => `${environment}: ${lastGood?.version}`).sort(),
      release: [release?.status, release?.signoff?.status],
    },
    open: { releases: open['releases'], gates: await waitingGates(play), alarms: open['alarms'] },
    outside: {
      comments: own.map((comment) => marker(comment.body).replace(/[0-9]{2,}/g, '#')).sort(),
      issues: issues.map((one) => `${one.pull_request ? 'pull' : 'issue'} ${one.title}: ${one.state}`).sort(),
      labels: subject.labels.map((label) => (typeof label === 'string' ? label : (label.name ?? ''))),
      merged: (await pulls(play)).map((pull) => String(Boolean(pull.merged_at))),
      checks: (await signoff(play)).map((run) => String(run.conclusion)),
      answers: approvals.filter((one) => one.state !== ('pending' as string)).map((one) => one.state),
    },
    verified: report.problems.map((problem) => problem.message),
  }
}

const SEED = {
  people: ['ann', 'eve'],
  organizations: [{ login: 'acme', owners: ['ann'], members: ['eve'] }],
  repositories: [
    {
      name: 'acme/releases',
      collaborators: { eve: 'write' as const },
      commits: [{ message: 'Configure', files: { '.github/ringmaster.yml': CONFIGURATION } }],
    },
    { name: 'acme/platform', commits: [{ message: 'feat: begin', files: { 'a.txt': 'a' } }] },
  ],
  apps: [
    {
      slug: 'ringmaster',
      permissions: manifestPermissions(),
      events: [...EVENTS],
      installations: [{ account: 'acme' }],
    },
  ],
}

export const NO_HARM: Harm = { name: 'nothing', requests: {}, deliveries: {} }

/** Plays the story under a harm; `hits` tells how often it struck. Throws with the last errors of the App when something never came about. */
export async function played(harm: Harm, seed: number): Promise<{ traces: Traces; hits: number }> {
  const sandbox = await startSandbox({ seed: SEED })
  const random = randomFrom(seed)
  const play = new Play(sandbox, harm, random)
  try {
    const { rest } = as(play, 'ann')
    const production = { owner: 'acme', repo: 'platform', environment_name: 'production' }
    await rest.repos.createOrUpdateEnvironment(production)
    await rest.repos.createDeploymentProtectionRule({ ...production, integration_id: sandbox.app('ringmaster').id })
    const hits = letHarmCome(sandbox, harm, random)
    await play.start()
    const { issue, gated } = await tell(play)
    sandbox.faults.clear()
    const traces = await tracesOf(play, issue, gated)
    return { traces, hits: hits.requests + hits.deliveries + play.unheard }
  } finally {
    await play.stop()
    await sandbox.stop()
  }
}

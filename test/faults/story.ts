import type { AggregateKey } from '../../src/core/event.ts'
import { model } from '../../src/core/model.ts'
import { gitStore } from '../../src/ledger/git.ts'
import { openLedger } from '../../src/ledger/ledger.ts'
import type { LedgerStore } from '../../src/ledger/store.ts'
import { recordedBuild } from '../app/recorded-build.ts'
import { type RunHandle, startRun } from '../sandbox/actions.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import { releases, type Subject, subjectOf } from './world.ts'

/** What stories play on: the local GitHub, and Apps whose time a stage lets pass in its own way. */
export interface Stage {
  readonly sandbox: Sandbox
  /** Lets time pass until something came about; throws with what did not. */
  until(what: string, has: () => Promise<boolean>): Promise<void>
  /** Whether the Apps hold nothing that is not durable, and no output that did not come out. */
  isAtRest(): Promise<boolean>
}

const logs = new WeakMap<Sandbox, LedgerStore>()

/** The log as it lies in the repository on disk, one reader for each: no trouble of GitHub's reaches it there. */
export function logOf(sandbox: Sandbox): LedgerStore {
  const known = logs.get(sandbox)
  if (known) return known
  const store = gitStore({
    directory: sandbox.repository('acme/releases').gitDirectory,
    branch: 'ringmaster-data',
    author: { name: 'reader', email: 'reader@localhost' },
    clock: () => sandbox.clock.now(),
  })
  logs.set(sandbox, store)
  return store
}

async function state<T>({ sandbox }: Stage, key: string): Promise<T | undefined> {
  const unused = (): never => {
    throw new Error('expected nothing to be written')
  }
  const writer = { version: '999.0.0' }
  const ledger = openLedger({ store: logOf(sandbox), model, clock: unused, newId: unused, writer })
  return (await ledger.view()).state(key as AggregateKey) as Promise<T | undefined>
}

const as = ({ sandbox }: Stage, login: string) => sandbox.as(login).octokit.rest

/** Gives a command and waits for its answer; throws with one that refuses it. */
async function say(stage: Stage, { manager }: Subject, issue: number, body: string): Promise<void> {
  const { data } = await as(stage, manager).issues.createComment({ ...releases, issue_number: issue, body })
  let reply = ''
  await stage.until(`a reply to ${body} on #${issue}`, async () => {
    const comments = await as(stage, 'ann').issues.listComments({ ...releases, issue_number: issue, per_page: 100 })
    reply = comments.data.find((comment) => comment.body?.includes(`reply%2F${data.id}`))?.body ?? ''
    return reply !== ''
  })
  if (reply.includes('❌')) throw new Error(`expected ${body} to be done on #${issue}, found the reply ${reply}`)
}

async function proposalOf(stage: Stage, issue: number) {
  const head = `acme:ringmaster/proposal-r${issue}`
  return (await as(stage, 'ann').pulls.list({ ...releases, state: 'all', head })).data[0]
}

async function signoffOf(stage: Stage, issue: number): Promise<readonly (string | null)[]> {
  const ref = (await proposalOf(stage, issue))?.head.sha
  if (ref === undefined) return []
  const { data } = await as(stage, 'ann').checks.listForRef({ ...releases, ref, filter: 'all' })
  return data.check_runs.filter(({ name }) => name === 'ringmaster/sign-off').map(({ conclusion }) => conclusion)
}

const deploy = ({ sandbox }: Stage, { repo }: Subject, environment: string): Promise<RunHandle> =>
  startRun(sandbox, {
    repository: `acme/${repo}`,
    workflow: '.github/workflows/deploy.yml',
    actor: 'ann',
    jobs: [{ name: 'deploy', environment, steps: [async () => {}] }],
  })

interface Board {
  readonly cells?: readonly { readonly environment: string; readonly lastGood: { readonly version: string } | null }[]
}

async function isLive(stage: Stage, { product }: Subject, environment: string): Promise<boolean> {
  const board = await state<Board>(stage, `board/${product}`)
  return board?.cells?.some((cell) => cell.environment === environment && cell.lastGood !== null) ?? false
}

/** A build, a deployment, a release with its sign-off, a job that waits at the gate, and the end. */
export async function tell(stage: Stage, story: number): Promise<void> {
  const subject = subjectOf(story)
  const { product, repo } = subject
  const repository = `acme/${repo}`
  await stage.until('a configuration in force', async () => (await state(stage, 'config/current')) !== undefined)
  await stage.sandbox.repository(repository).commit({ message: 'feat: go on', files: { 'a.txt': product } })
  await recordedBuild(stage.sandbox, '1.0.0', { product, repository })
  await stage.until('a build', async () => (await state(stage, `version/${product}@1.0.0`)) !== undefined)
  const first = await deploy(stage, subject, 'integration')
  await first.finished()
  await stage.until('a deployment', () => isLive(stage, subject, 'integration'))
  const { data: opened } = await as(stage, subject.manager).issues.create({ ...releases, title: 'A release' })
  const issue = opened.number
  await say(stage, subject, issue, '/release "First"')
  await say(stage, subject, issue, `/add ${product}@1.0.0`)
  const gated = await deploy(stage, subject, 'production')
  await gated.atRest()
  await say(stage, subject, issue, '/help complete')
  await say(stage, subject, issue, '/start')
  await stage.until('a proposal', async () => (await proposalOf(stage, issue)) !== undefined)
  await stage.until('a check run', async () => (await signoffOf(stage, issue)).length > 0)
  const pull_number = (await proposalOf(stage, issue))?.number ?? 0
  await as(stage, 'eve').pulls.createReview({ ...releases, pull_number, event: 'APPROVE' })
  await stage.until('the sign-off', async () => (await signoffOf(stage, issue)).includes('success'))
  await stage.until('the gate to open', async () => gated.status === 'completed')
  await stage.until('a deployment behind the gate', () => isLive(stage, subject, 'production'))
  await say(stage, subject, issue, '/complete')
  await stage.until('the merge', async () => Boolean((await proposalOf(stage, issue))?.merged_at))
  /** GitHub shows it before the answer and the webhook of it are taken in. */
  await stage.until('the log to say so', async () => {
    const release = await state<{ readonly proposal?: { readonly merged: boolean } }>(stage, `release/r${issue}`)
    return release?.proposal?.merged === true
  })
}

/** Nothing that was asked for waits any more. */
export async function finish(stage: Stage): Promise<void> {
  await stage.until('nothing left to do', async () => {
    const open = await state<Readonly<Record<string, readonly unknown[]>>>(stage, 'index/open')
    return (await stage.isAtRest()) && open?.['releases']?.length === 0
  })
}

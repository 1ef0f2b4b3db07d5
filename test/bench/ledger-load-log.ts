import type { Octokit } from '@octokit/rest'
import { ledgerVerify } from '../../src/cli/ledger-verify.ts'
import type { LedgerEvent } from '../../src/core/event.ts'
import { DATA_BRANCH } from '../../src/core/own-branches.ts'
import { unwrap } from '../../src/core/problem.ts'
import { HEAD_PATH, parseHead } from '../../src/ledger/codec.ts'
import { gitStore } from '../../src/ledger/git.ts'
import { readLog } from '../../src/ledger/read-log.ts'
import { runCommand } from '../cli/stage.ts'
import { recordsOf } from '../sandbox/actions/records.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import { statusKey } from './ledger-load-receiver.ts'
import { RELEASES } from './ledger-load-world.ts'
import type { SimulatedTime } from './simulated-time.ts'

/** A commit to the log, and when the App was answered that it is there. */
export interface LogCommit {
  readonly oid: string
  readonly atMs: number
}

interface Committed {
  readonly data?: { readonly createCommitOnBranch?: { readonly commit: { readonly oid: string } } | null } | null
}
interface Commission {
  readonly variables?: { readonly input?: { readonly branch?: { readonly branchName?: string } } }
}
/** How a large commit ends, whose trees went before it. */
interface Moved {
  readonly object?: { readonly sha: string }
}

/** Notes the commits that a client makes to the log, as they are answered; to be hooked in after what adds the latency. */
export function notingCommits(octokit: Octokit, time: SimulatedTime): readonly LogCommit[] {
  const noted: LogCommit[] = []
  octokit.hook.after('request', (answer, options) => {
    const isLog = (options as Commission).variables?.input?.branch?.branchName === DATA_BRANCH
    const isMove = options.method === 'PATCH' && options['ref'] === `heads/${DATA_BRANCH}`
    const made = isLog ? (answer.data as Committed).data?.createCommitOnBranch?.commit.oid : undefined
    const moved = isMove ? (answer.data as Moved).object?.sha : undefined
    const oid = made ?? moved
    if (oid !== undefined) noted.push({ oid, atMs: time.nowMs })
  })
  return noted
}

/** What stands in the log when all is over. */
export interface Log {
  readonly events: readonly LedgerEvent[]
  /** When the event of each status of a deployment was durable, by the key of the status. */
  readonly durableMs: ReadonlyMap<string, number>
  /** What `ringmaster ledger verify` counts. */
  readonly counted: string
}

/**
 * Verifies the log as `ringmaster ledger verify` does, and holds it against the sandbox: every status of a deployment that
 * GitHub has is in it once. Throws at the first thing that is otherwise.
 */
export async function readWholeLog(sandbox: Sandbox, commits: readonly LogCommit[]): Promise<Log> {
  const counted = await verify(sandbox)
  const events: LedgerEvent[] = []
  for await (const { event } of readLog(storeOf(sandbox))) events.push(event)
  const found = events.flatMap((event) => statusOf(event) ?? [])
  const durableMs = await durableTimes(sandbox, events, commits)
  sameStatuses(statusesOnGitHub(sandbox), found)
  const refused = events.filter(({ type }) => type === 'deployment.refused' || type === 'build.refused')
  if (refused.length > 0) throw new Error(`expected no refusal, found ${JSON.stringify(refused[0]?.data)}`)
  return { events, durableMs, counted }
}

/** Which status of a deployment an event tells, by the key of the status; null for other events. */
function statusOf({ type, key }: LedgerEvent): string | null {
  const [, deployment, status] = /^deployment:(\d+):(\d+):/.exec(type.startsWith('deployment.') ? key : '') ?? []
  return deployment === undefined || status === undefined ? null : statusKey(deployment, status)
}

async function verify(sandbox: Sandbox): Promise<string> {
  const { gitDirectory } = sandbox.repository(RELEASES)
  const { code, out, err, problems } = await runCommand(ledgerVerify, ['--repo', gitDirectory])
  if (code !== 0) throw new Error(`the log does not hold: ${[...problems, ...err].join('; ')}`)
  return out[0] ?? ''
}

const storeOf = (sandbox: Sandbox) =>
  gitStore({
    directory: sandbox.repository(RELEASES).gitDirectory,
    branch: DATA_BRANCH,
    author: { name: 'reader', email: 'reader@localhost' },
    clock: () => sandbox.clock.now(),
  })

const statusesOnGitHub = ({ world }: Sandbox): readonly string[] =>
  [...world.store.repositories.values()].flatMap((repository) =>
    [...recordsOf(repository).deployments.values()].flatMap(({ id, statuses }) =>
      statuses.map((status) => statusKey(id, status.id)),
    ),
  )

function sameStatuses(expected: readonly string[], found: readonly string[]): void {
  const once = new Set(found)
  const lost = expected.filter((key) => !once.has(key))
  if (lost.length > 0)
    throw new Error(`expected ${expected.length} statuses in the log, found ${lost.length} lost: ${lost[0]}`)
  if (found.length !== expected.length)
    throw new Error(`expected ${expected.length} events of deployments, found ${found.length}`)
}

/** An event is durable when the App was answered that a commit is there whose head has reached it. */
async function durableTimes(
  sandbox: Sandbox,
  events: readonly LedgerEvent[],
  commits: readonly LogCommit[],
): Promise<ReadonlyMap<string, number>> {
  const repository = sandbox.repository(RELEASES)
  const reached: { readonly seq: number; readonly atMs: number }[] = []
  for (const { oid, atMs } of commits) {
    const head = unwrap(parseHead(Buffer.from((await repository.read(HEAD_PATH, oid)) ?? '')))
    reached.push({ seq: head.seq, atMs })
  }
  const durableMs = new Map<string, number>()
  let at = 0
  for (const event of events) {
    while ((reached[at]?.seq ?? Number.POSITIVE_INFINITY) < event.seq) at += 1
    const status = statusOf(event)
    const atMs = reached[at]?.atMs
    if (status !== null && atMs !== undefined) durableMs.set(status, atMs)
  }
  return durableMs
}

import { checkEvent } from '../../src/core/check-event.ts'
import type { LedgerEvent } from '../../src/core/event.ts'
import { model } from '../../src/core/model.ts'
import { OPEN_KEY, type OpenIndex } from '../../src/core/release/open.ts'
import { redecide } from '../../src/engine/redecide.ts'
import { replayLog } from '../../src/ledger/replay.ts'
import { verifyLedger } from '../../src/ledger/verify.ts'
import { markerIn } from '../../src/render/output.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import { logOf } from './story.ts'
import { REPOSITORIES, releases } from './world.ts'

/** What is left when stories are over: the same, whatever went wrong on the way and however many processes there were. */
export interface Traces {
  /** State that follows from facts → in how many aggregates of a story it stands. */
  readonly facts: Readonly<Record<string, number>>
  readonly open: { readonly releases: number; readonly gates: readonly string[]; readonly alarms: readonly string[] }
  /** Each kind of thing outside → how many of it a story leaves. */
  readonly outside: Readonly<Record<string, number>>
  /** Reports of a waiting gate that were given twice. How many there are depends on when facts arrive. */
  readonly reportedTwice: readonly string[]
  readonly verified: readonly string[]
}

/** Memories of what was done, which have no say in what is so: outputs looked at, deliveries taken, how fast people speak. */
const MEMORIES = /^(?:outbox|intake|person|index)\//

/** Ids, times and digests differ from run to run; the version and what stands in words does not. */
const withoutChance = (text: string): string =>
  text
    .replace(/sha256:[0-9a-f]{64}|\b[0-9a-f]{40}\b/g, '#')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '@')
    .replace(/(?<![\d.])\d+(?!\d*\.\d)/g, '#')

/**
 * Which way a fact came by is chance; so is whether anybody heard that a job began before its run was over.
 */
const BY_CHANCE: ReadonlySet<string> = new Set(['source', 'trust', 'startedAt'])

const byText = (one: unknown, other: unknown): number => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1)

/** The order in which facts became known is chance, too. */
function settled(value: unknown): unknown {
  if (typeof value === 'number') return '#'
  if (typeof value === 'string') return withoutChance(value)
  if (Array.isArray(value)) return value.map(settled).toSorted(byText)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !BY_CHANCE.has(name))
      .map(([name, member]) => [withoutChance(name), settled(member)]),
  )
}

/** What all stories share: the configuration, and the branches of Ringmaster. */
const SHARED = /^config\/|^ref refs\/heads\/ringmaster-/

/** How often each text stands there, for one of so many stories. */
function counted(texts: readonly string[], stories: number): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const text of texts.toSorted()) counts[text] = (counts[text] ?? 0) + (SHARED.test(text) ? 1 : 1 / stories)
  return Object.fromEntries(Object.entries(counts).map(([text, count]) => [text, Math.round(count * 1_000) / 1_000]))
}

async function outsideOf(sandbox: Sandbox): Promise<{ things: string[]; reports: string[] }> {
  const { octokit } = sandbox.as('ann')
  const { rest } = octokit
  const isOurs = (user: { login: string } | null | undefined) => user?.login === 'ringmaster[bot]'
  const things: string[] = []
  const reports: string[] = []
  const note = (text: string) => void things.push(withoutChance(text))
  for (const issue of await octokit.paginate(rest.issues.listForRepo, { ...releases, state: 'all', per_page: 100 })) {
    note(`${issue.pull_request ? 'pull request' : 'issue'} ${issue.title}: ${issue.state}`)
    for (const label of issue.labels) note(`label ${typeof label === 'string' ? label : label.name}`)
  }
  for (const comment of await octokit.paginate(rest.issues.listCommentsForRepo, { ...releases, per_page: 100 })) {
    if (isOurs(comment.user)) note(`comment ${markerIn(comment.body ?? '')}`)
    const { data } = await rest.reactions.listForIssueComment({ ...releases, comment_id: comment.id, per_page: 100 })
    /** That a comment was seen is said when its delivery comes; one that was found by looking is answered all the same. */
    for (const reaction of data) if (reaction.content !== 'eyes') note(`reaction ${reaction.content}`)
  }
  for (const pull of await octokit.paginate(rest.pulls.list, { ...releases, state: 'all', per_page: 100 })) {
    note(`pull request ${pull.title}: ${pull.merged_at ? 'merged' : 'not merged'}`)
    const checks = { ...releases, ref: pull.head.sha, filter: 'all' as const, per_page: 100 }
    /** GitHub deletes none of two that were made at once: the older has to be ended as superseded. */
    for (const { name, conclusion, output } of await octokit.paginate(rest.checks.listForRef, checks))
      if (output.title !== 'Superseded') note(`check run ${name}: ${conclusion}`)
  }
  for (let number = 0; number <= REPOSITORIES; number += 1) {
    const at = number === 0 ? releases : { owner: 'acme', repo: `platform-${number}` }
    for (const kind of ['heads', 'tags'])
      for (const { ref } of await octokit.paginate(rest.git.listMatchingRefs, { ...at, ref: `${kind}/` }))
        if (ref !== 'refs/heads/main') note(`ref ${ref}`)
    for (const release of await octokit.paginate(rest.repos.listReleases, { ...at, per_page: 100 }))
      note(`GitHub Release ${release.name}`)
    for (const run of await octokit.paginate(rest.actions.listWorkflowRunsForRepo, { ...at, per_page: 100 })) {
      const route = 'GET /repos/{owner}/{repo}/actions/runs/{run_id}/approvals'
      for (const { state, comment } of (await octokit.request(route, { ...at, run_id: run.id })).data)
        if (state === ('pending' as string)) reports.push(markerIn(comment) ?? comment)
        else note(`gate answer ${state}`)
    }
  }
  return { things, reports }
}

/** A gate stays listed until the next commit books that its answer arrived; what counts is whether it still waits. */
const waiting = (open: OpenIndex | undefined, states: ReadonlyMap<string, unknown>): string[] =>
  (open?.gates ?? []).filter((key) => (states.get(key) as { verdict?: string } | undefined)?.verdict === 'waiting')

/** What `ringmaster ledger verify` finds in the log. */
export async function verified(sandbox: Sandbox): Promise<string[]> {
  const { problems } = await verifyLedger(logOf(sandbox), model, { checkEvent, redecide })
  return problems.map(({ message }) => message)
}

/** The last lines of the log, each with its source: what was durable when something did not come about. */
export async function lastEvents(sandbox: Sandbox, count: number): Promise<string[]> {
  const lines: string[] = []
  const seen = ({ seq, type, at, source, data }: LedgerEvent): void =>
    void lines.push(`${seq} ${at} ${type} (${source.kind}) ${JSON.stringify(data).slice(0, 200)}`)
  await replayLog(logOf(sandbox), model, { now: sandbox.clock.now(), seen })
  return lines.slice(-count)
}

/** What so many stories left, each like the other. */
export async function tracesOf(sandbox: Sandbox, stories: number): Promise<Traces> {
  const { states } = await replayLog(logOf(sandbox), model, { now: sandbox.clock.now() })
  const open = states.get(OPEN_KEY) as OpenIndex | undefined
  const facts = [...states].flatMap(([key, state]) =>
    state === undefined || MEMORIES.test(key) ? [] : [`${withoutChance(key)} ${JSON.stringify(settled(state))}`],
  )
  const { things, reports } = await outsideOf(sandbox)
  return {
    facts: counted(facts, stories),
    open: {
      releases: open?.releases.length ?? 0,
      gates: waiting(open, states),
      alarms: (open?.alarms ?? []).map(({ alarm, isOpen }) => `${alarm}: ${isOpen ? 'open' : 'closed'}`),
    },
    outside: counted(things, stories),
    reportedTwice: reports.filter((report, index) => reports.indexOf(report) !== index),
    verified: await verified(sandbox),
  }
}

/** What is otherwise, line by line; null when nothing is. */
export function difference(expected: Traces, found: Traces): string | null {
  const [wanted, left] = [linesOf(expected), linesOf(found)]
  const missing = wanted.filter((line) => !left.includes(line)).map((line) => `- ${line}`)
  const extra = left.filter((line) => !wanted.includes(line)).map((line) => `+ ${line}`)
  return missing.length + extra.length === 0 ? null : [...missing, ...extra].join('\n')
}

const linesOf = (traces: Traces): string[] =>
  Object.entries(traces).flatMap(([part, members]) =>
    Object.entries(members).map(([name, member]) => `${part}: ${name} = ${JSON.stringify(member)}`),
  )

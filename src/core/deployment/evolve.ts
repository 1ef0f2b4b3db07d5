import type { EventData, TypedEvent } from '../catalogue.ts'
import type { Attempt, BoardState, Cell, DeploymentStatus, RunState } from './schema.ts'
import { isTerminal } from './status.ts'

export type DeploymentEventType =
  | 'deployment.pending'
  | 'deployment.started'
  | 'deployment.completed'
  | 'deployment.failed'
  | 'deployment.aborted'
type DeploymentEvent = TypedEvent<DeploymentEventType>

/** Closed attempts kept in a cell, so that a status that arrives late finds its attempt; the log holds them all. */
const CLOSED_ATTEMPTS_AT_HAND = 20

/**
 * Whether a status replaces the one an attempt has. Any order of arrival ends in the same status: an end beats what is
 * under way, the first end stays, and of two that are under way the newer counts.
 */
const replaces = (next: { status: DeploymentStatus; statusId: number }, now: Attempt): boolean => {
  if (isTerminal(next.status) !== isTerminal(now.status)) return isTerminal(next.status)
  return isTerminal(next.status) ? next.statusId < now.statusId : next.statusId > now.statusId
}

const earlier = (a: string | null, b: string): string => (a !== null && a < b ? a : b)

function withStatus(known: Attempt | undefined, event: DeploymentEvent): Attempt {
  const { attempt: key, version, status, statusId, url, authorisation } = event.data
  const base: Attempt = known ?? {
    key,
    version,
    status,
    statusId,
    at: event.at,
    startedAt: null,
    completedAt: null,
    url,
    actor: event.actor,
    trust: event.trust,
    authorisation,
  }
  const taken = known === undefined || replaces({ status, statusId }, known)
  /** Whoever started without leave stays so, whatever else is said of the attempt. */
  const worst =
    base.authorisation === 'unauthorised' || authorisation === 'unauthorised' ? 'unauthorised' : authorisation
  return {
    ...base,
    ...(taken ? { status, statusId, url, version } : {}),
    at: earlier(base.at, event.at),
    startedAt: status === 'started' ? earlier(base.startedAt, event.at) : base.startedAt,
    completedAt: taken && isTerminal(status) ? event.at : base.completedAt,
    authorisation: status === 'pending' ? base.authorisation : worst,
  }
}

/** When an attempt began: an intent that was recorded long before it started counts from its start. */
const begunAt = (attempt: Attempt): string => attempt.startedAt ?? attempt.at

const byTime = (a: Attempt, b: Attempt): number =>
  begunAt(a) < begunAt(b) ? -1 : begunAt(a) > begunAt(b) ? 1 : a.key < b.key ? -1 : 1

function bounded(attempts: readonly Attempt[]): Attempt[] {
  const closed = attempts.filter((attempt) => isTerminal(attempt.status))
  const dropped = new Set(closed.slice(0, Math.max(0, closed.length - CLOSED_ATTEMPTS_AT_HAND)))
  return attempts.filter((attempt) => !dropped.has(attempt))
}

const isGood = (attempt: Attempt): boolean => attempt.status === 'completed' && attempt.authorisation !== 'unauthorised'

function newestGood(lastGood: Attempt | null, attempts: readonly Attempt[]): Attempt | null {
  const candidates = [...(lastGood ? [lastGood] : []), ...attempts.filter(isGood)]
  return candidates.sort((a, b) => ((a.completedAt ?? '') < (b.completedAt ?? '') ? -1 : 1)).at(-1) ?? null
}

function evolveCell(cell: Cell, event: DeploymentEvent): Cell {
  const known = cell.attempts.find((attempt) => attempt.key === event.data.attempt)
  const next = withStatus(known, event)
  const all = [...cell.attempts.filter((attempt) => attempt !== known), next].sort(byTime)
  const keptGood = cell.lastGood?.key === next.key ? null : cell.lastGood
  return { ...cell, attempts: bounded(all), lastGood: newestGood(keptGood, all) }
}

export function evolveBoard(state: BoardState | undefined, event: DeploymentEvent): BoardState {
  const { product, environment } = event.data
  const cells = state?.cells ?? []
  const cell = cells.find((entry) => entry.environment === environment) ?? { environment, lastGood: null, attempts: [] }
  const others = cells.filter((entry) => entry.environment !== environment)
  return {
    product,
    cells: [...others, evolveCell(cell, event)].sort((a, b) => (a.environment < b.environment ? -1 : 1)),
  }
}

/** The newest attempt of a cell, open or not. */
export const lastAttempt = (cell: Cell): Attempt | null => cell.attempts.at(-1) ?? null

/** Attempts that started and have not ended. */
export const running = (cell: Cell): Attempt[] => cell.attempts.filter((attempt) => attempt.status === 'started')

const emptyRun = (repository: RunState['repository'], runId: number): RunState => ({
  repository,
  runId,
  intents: [],
  jobDeployments: [],
  recorded: [],
  ended: false,
})

/** What a run recorded: the intents of its gated jobs, and for which environments it speaks itself. */
export function evolveRunByDeployment(state: RunState | undefined, event: DeploymentEvent): RunState | undefined {
  const { repository, runId, runAttempt, environment, product, version, sha, status } = event.data
  if (runId === null) return state
  const run = state ?? emptyRun(repository, runId)
  const recorded = run.recorded.includes(environment) ? run.recorded : [...run.recorded, environment].sort()
  if (status !== 'pending') return { ...run, recorded }
  const intent = { environment, product, version, sha, attempt: runAttempt ?? 1, trust: event.trust }
  const others = run.intents.filter(
    (other) => other.environment !== environment || other.product !== product || other.attempt !== intent.attempt,
  )
  return { ...run, recorded, intents: [...others, intent] }
}

export function evolveRunByJob(
  state: RunState | undefined,
  data: EventData<'job-deployment.seen'>,
  at: string,
): RunState {
  const { repository, runId, ...job } = data
  const run = state ?? emptyRun(repository, runId)
  const known = run.jobDeployments.find((other) => other.deploymentId === job.deploymentId)
  if (known && known.statusId >= job.statusId) return run
  return { ...run, jobDeployments: [...run.jobDeployments.filter((other) => other !== known), { ...job, at }] }
}

export function evolveRunEnd(state: RunState | undefined, data: EventData<'run.ended'>): RunState {
  return { ...(state ?? emptyRun(data.repository, data.runId)), ended: true }
}

import type { EventData, TypedEvent } from '../catalogue.ts'
import type { Attempt, BoardState, Cell, DeploymentStatus, RunState } from './schema.ts'
import { DEPLOYMENT_STATUSES } from './schema.ts'
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

interface Said {
  readonly status: DeploymentStatus
  readonly statusId: number
}

/**
 * Whether a status is newer than another: GitHub's ids grow. Equal ids are one status, or the end that was written for a
 * run that stopped after it. A total order, so that any order of arrival comes to the same status.
 */
const isNewer = (next: Said, now: Said): boolean =>
  next.statusId !== now.statusId
    ? next.statusId > now.statusId
    : DEPLOYMENT_STATUSES.indexOf(next.status) > DEPLOYMENT_STATUSES.indexOf(now.status)

const earlier = (a: string | null, b: string): string => (a !== null && a < b ? a : b)

/** Weakest first: whoever once started without leave stays so, whatever else is said of the attempt. */
const AUTHORISATIONS = ['ungated', 'gate', 'override', 'unauthorised'] as const
const stronger = (a: Attempt['authorisation'], b: Attempt['authorisation']): Attempt['authorisation'] =>
  AUTHORISATIONS.indexOf(a) > AUTHORISATIONS.indexOf(b) ? a : b

function withStatus(known: Attempt | undefined, event: DeploymentEvent): Attempt {
  const { attempt: key, version, status, statusId, url, authorisation } = event.data
  const { at, actor, trust } = event
  const fresh = { key, version, status, statusId, at, startedAt: null, end: null, url, actor, trust, authorisation }
  const base: Attempt = known ?? fresh
  const ends = isTerminal(status) && (base.end === null || isNewer({ status, statusId }, base.end))
  return {
    ...base,
    ...(known === undefined || isNewer({ status, statusId }, known) ? { status, statusId, url, actor, trust } : {}),
    at: earlier(base.at, at),
    startedAt: status === 'started' ? earlier(base.startedAt, at) : base.startedAt,
    end: ends ? { status, statusId, at } : base.end,
    authorisation: stronger(base.authorisation, authorisation),
  }
}

const compare = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0)

/** When an attempt began: an intent that was recorded long before it started counts from its start. */
const begunAt = (attempt: Attempt): string => attempt.startedAt ?? attempt.at

const byTime = (a: Attempt, b: Attempt): number =>
  compare(begunAt(a), begunAt(b)) || compare(a.key, b.key) || compare(a.version, b.version)
const byEnd = (a: Attempt, b: Attempt): number =>
  compare(a.end?.at ?? '', b.end?.at ?? '') || compare(a.end?.statusId ?? 0, b.end?.statusId ?? 0) || byTime(a, b)

/** A run may deploy a version, fail, and put the one before back: two attempts of one run. */
const isSame = (a: Attempt, b: { readonly key: string; readonly version: string }): boolean =>
  a.key === b.key && a.version === b.version

function bounded(attempts: readonly Attempt[]): Attempt[] {
  const closed = attempts.filter((attempt) => isTerminal(attempt.status))
  const dropped = new Set(closed.slice(0, Math.max(0, closed.length - CLOSED_ATTEMPTS_AT_HAND)))
  return attempts.filter((attempt) => !dropped.has(attempt))
}

/** Older than all that is at hand: what is said of it late must not make it look as if it were under way. */
const isHistory = (attempt: Attempt, others: readonly Attempt[]): boolean => {
  const closed = others.filter((other) => isTerminal(other.status))
  const oldest = closed[0]
  return oldest !== undefined && closed.length >= CLOSED_ATTEMPTS_AT_HAND && byTime(attempt, oldest) < 0
}

const isGood = (attempt: Attempt): boolean =>
  attempt.end?.status === 'completed' && attempt.authorisation !== 'unauthorised'

function evolveCell(cell: Cell, event: DeploymentEvent): Cell {
  const identity = { key: event.data.attempt, version: event.data.version }
  const { lastGood } = cell
  const isLastGood = lastGood !== null && isSame(lastGood, identity)
  const known = cell.attempts.find((attempt) => isSame(attempt, identity)) ?? (isLastGood ? lastGood : undefined)
  const next = withStatus(known, event)
  const others = cell.attempts.filter((attempt) => !isSame(attempt, identity))
  const all = [...others, next].sort(byTime)
  const candidates = [...(lastGood === null || isLastGood ? [] : [lastGood]), ...all].filter(isGood)
  return {
    ...cell,
    attempts: bounded(known === undefined && isHistory(next, others) ? others : all),
    lastGood: candidates.sort(byEnd).at(-1) ?? null,
  }
}

export function evolveBoard(state: BoardState | undefined, event: DeploymentEvent): BoardState {
  const { product, environment } = event.data
  const cells = state?.cells ?? []
  const cell = cells.find((entry) => entry.environment === environment) ?? { environment, lastGood: null, attempts: [] }
  const others = cells.filter((entry) => entry.environment !== environment)
  return {
    product,
    cells: [...others, evolveCell(cell, event)].sort((a, b) => compare(a.environment, b.environment)),
  }
}

/** The newest attempt of a cell, open or not. */
export const lastAttempt = (cell: Cell): Attempt | null => cell.attempts.at(-1) ?? null

/**
 * Whether a version was good in an environment, as far as its attempts are at hand, and whether that is known by more
 * than somebody's word; what came after does not matter.
 */
export function completionOf(cell: Cell | undefined, version: string): 'known' | 'claimed' | 'none' {
  const good = [...(cell?.attempts ?? []), ...(cell?.lastGood ? [cell.lastGood] : [])].filter(
    (attempt) => attempt.version === version && isGood(attempt),
  )
  if (good.length === 0) return 'none'
  return good.some((attempt) => attempt.trust !== 'claimed') ? 'known' : 'claimed'
}

/** Attempts that started and have not ended. */
export const running = (cell: Cell): Attempt[] => cell.attempts.filter((attempt) => attempt.status === 'started')

const emptyRun = (repository: RunState['repository'], runId: number): RunState => ({
  repository,
  runId,
  intents: [],
  attempts: [],
  jobDeployments: [],
  recorded: [],
  endedAttempt: 0,
})

interface Placed {
  readonly environment: string
  readonly product: string
  readonly version: string
  readonly attempt: number
  readonly statusId: number
  readonly status?: DeploymentStatus
}

const said = ({ statusId, status = 'pending' }: Placed): Said => ({ statusId, status })

/** The list with an entry in the place of the one that it is newer than; in a fixed order, whatever the arrivals. */
function withNewest<T extends Placed>(list: readonly T[], next: T, isSamePlace: (other: Placed) => boolean): T[] {
  const known = list.find(isSamePlace)
  if (known && !isNewer(said(next), said(known))) return [...list]
  return [...list.filter((other) => other !== known), next].sort(
    (a, b) =>
      a.attempt - b.attempt ||
      compare(a.environment, b.environment) ||
      compare(a.product, b.product) ||
      compare(a.version, b.version),
  )
}

/**
 * What a run recorded itself: the intents of its gated jobs, its attempts, and for which environments it speaks.
 * What others say of its jobs or its commit is on the board only.
 */
export function evolveRunByDeployment(state: RunState | undefined, event: DeploymentEvent): RunState | undefined {
  const { repository, runId, runAttempt, environment, product, version, sha, status, statusId, url, origin } =
    event.data
  if (runId === null || origin !== 'record') return state
  const run = state ?? emptyRun(repository, runId)
  const place = { environment, product, version, sha, attempt: runAttempt ?? 1, statusId }
  const isThere = (other: Placed) =>
    other.environment === environment && other.product === product && other.attempt === place.attempt
  const intents =
    status === 'pending' ? withNewest(run.intents, { ...place, trust: event.trust }, isThere) : run.intents
  /** Whoever merely claims to speak for a run must not make what GitHub says of its jobs go unheard. */
  if (event.trust === 'claimed') return { ...run, intents }
  const recorded = run.recorded.includes(environment) ? run.recorded : [...run.recorded, environment].sort()
  const attempts = withNewest(
    run.attempts,
    { ...place, status, url },
    (other) => isThere(other) && other.version === version,
  )
  return { ...run, recorded, attempts, intents }
}

export function evolveRunByJob(
  state: RunState | undefined,
  data: EventData<'job-deployment.seen'>,
  at: string,
): RunState {
  const { repository, runId, ...job } = data
  const run = state ?? emptyRun(repository, runId)
  const known = run.jobDeployments.find((other) => other.deploymentId === job.deploymentId)
  const newest = known && known.statusId >= job.statusId ? known : { ...job, at }
  const hasBegun = known?.began === true || job.status === 'started' || job.status === 'completed'
  const others = run.jobDeployments.filter((other) => other !== known)
  return {
    ...run,
    jobDeployments: [...others, hasBegun ? { ...newest, began: true as const } : newest].sort(
      (a, b) => a.deploymentId - b.deploymentId,
    ),
  }
}

/**
 * Whether the run itself said what became of a job deployment. An announcement says so only of a job that never began:
 * past its gate, silence must not hide it.
 */
export function isSpokenFor(
  run: RunState,
  { environment, began }: { readonly environment: string; readonly began?: true | undefined },
): boolean {
  const own = run.attempts.filter((attempt) => attempt.environment === environment)
  if (began !== true) return own.length > 0
  /** What its end made of an announcement has the announcement's id. */
  const announced = new Set(run.intents.map((intent) => intent.statusId))
  return own.some((attempt) => !announced.has(attempt.statusId))
}

export function evolveRunEnd(state: RunState | undefined, data: EventData<'run.ended'>): RunState {
  const run = state ?? emptyRun(data.repository, data.runId)
  return { ...run, endedAttempt: Math.max(run.endedAttempt, data.runAttempt) }
}

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
const CLOSED_ATTEMPTS_AT_HAND = 12
/** Versions of which a cell remembers that they completed there, after their attempts are gone. */
const COMPLETED_AT_HAND = 50

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

/** The attempt after a status. Written out member by member: every deployment of the log comes through here. */
function withStatus(known: Attempt | undefined, event: DeploymentEvent): Attempt {
  const { at, actor, trust } = event
  const { attempt: key, version, status, statusId, url, authorisation } = event.data
  const isNews = known === undefined || isNewer(event.data, known)
  const end = known?.end ?? null
  const isEnd = isTerminal(status) && (end === null || isNewer(event.data, end))
  const startedAt = known?.startedAt ?? null
  return {
    key,
    version,
    status: isNews ? status : known.status,
    statusId: isNews ? statusId : known.statusId,
    at: known === undefined ? at : earlier(known.at, at),
    startedAt: status === 'started' ? earlier(startedAt, at) : startedAt,
    end: isEnd ? { status, statusId, at } : end,
    url: isNews ? url : known.url,
    actor: isNews ? actor : known.actor,
    trust: isNews ? trust : known.trust,
    authorisation: known === undefined ? authorisation : stronger(known.authorisation, authorisation),
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

const isGood = (attempt: Attempt): boolean =>
  attempt.end?.status === 'completed' && attempt.authorisation !== 'unauthorised'

const laterEnd = (a: Attempt | null, b: Attempt): Attempt => (a !== null && byEnd(a, b) > 0 ? a : b)

const isClosed = ({ status }: Attempt): boolean => isTerminal(status)

/** Takes the oldest closed attempts out of a list in the order of their time; returns those that a cell does not keep. */
function takeOldest(attempts: Attempt[]): Attempt[] {
  const taken: Attempt[] = []
  for (let left = closedOf(attempts) - CLOSED_ATTEMPTS_AT_HAND; left > 0; left -= 1)
    taken.push(...attempts.splice(attempts.findIndex(isClosed), 1))
  return taken
}

/** What a cell remembers of attempts that it no longer keeps. */
function withCompleted(completed: Cell['completed'], gone: readonly Attempt[]): Cell['completed'] {
  let { known, claimed } = completed
  for (const { version, trust } of gone.filter(isGood)) {
    if (known.includes(version)) continue
    if (trust === 'claimed') {
      if (!claimed.includes(version)) claimed = [...claimed, version].slice(-COMPLETED_AT_HAND)
    } else {
      known = [...known, version].slice(-COMPLETED_AT_HAND)
      claimed = claimed.filter((other) => other !== version)
    }
  }
  return known === completed.known && claimed === completed.claimed ? completed : { known, claimed }
}

function closedOf(attempts: readonly Attempt[]): number {
  let closed = 0
  for (const attempt of attempts) if (isClosed(attempt)) closed += 1
  return closed
}

/** Older than all that is at hand: what is said of it late must not make it look as if it were under way. */
const isHistory = (attempt: Attempt, others: readonly Attempt[]): boolean => {
  const oldest = others.find(isClosed)
  return oldest !== undefined && byTime(attempt, oldest) < 0 && closedOf(others) >= CLOSED_ATTEMPTS_AT_HAND
}

/** Attempts in the order of their time with one more, or with one that was at `before` as it is now. */
function withAttempt(attempts: readonly Attempt[], next: Attempt, before: number): Attempt[] {
  let place = attempts.length
  for (let other = attempts[place - 1]; other; other = attempts[place - 1]) {
    if (place - 1 !== before && byTime(other, next) <= 0) break
    place -= 1
  }
  if (before < 0) return attempts.toSpliced(place, 0, next)
  if (place === before) return attempts.with(before, next)
  return attempts.toSpliced(before, 1).toSpliced(place > before ? place - 1 : place, 0, next)
}

/** Where the newest attempt with an identity stands, below 0 for none. A plain loop: every deployment of the log comes here. */
function placeOf(attempts: readonly Attempt[], identity: { readonly key: string; readonly version: string }): number {
  let place = attempts.length - 1
  for (let attempt = attempts[place]; attempt && !isSame(attempt, identity); attempt = attempts[place]) place -= 1
  return place
}

function evolveCell(cell: Cell, event: DeploymentEvent): Cell {
  const { environment, lastGood, completed } = cell
  const identity = { key: event.data.attempt, version: event.data.version }
  const isLastGood = lastGood !== null && isSame(lastGood, identity)
  const before = placeOf(cell.attempts, identity)
  const known = cell.attempts[before] ?? (isLastGood ? lastGood : undefined)
  const next = withStatus(known, event)
  const all = withAttempt(cell.attempts, next, before)
  const isGone = known === undefined && isHistory(next, cell.attempts)
  /** Whatever else was good was compared with the last good one before. */
  const candidates = isLastGood ? all.filter(isGood) : isGood(next) ? [next] : []
  const best = candidates.reduce(laterEnd, isLastGood ? null : lastGood)
  const gone = isGone ? [next] : takeOldest(all)
  return {
    environment,
    lastGood: best,
    attempts: isGone ? cell.attempts : all,
    completed: withCompleted(completed, gone),
  }
}

export function evolveBoard(state: BoardState | undefined, event: DeploymentEvent): BoardState {
  const { product, environment } = event.data
  const cells = state?.cells.slice() ?? []
  const place = cells.findIndex((cell) => cell.environment >= environment)
  const known = cells[place]?.environment === environment ? cells[place] : undefined
  const next = evolveCell(
    known ?? { environment, lastGood: null, attempts: [], completed: { known: [], claimed: [] } },
    event,
  )
  cells.splice(place < 0 ? cells.length : place, known ? 1 : 0, next)
  return { product, cells }
}

/** The newest attempt of a cell, open or not. */
export const lastAttempt = (cell: Cell): Attempt | null => cell.attempts.at(-1) ?? null

/**
 * Whether a version was good in an environment, and whether that is known by more than somebody's word; what came after
 * does not matter. Of the versions whose attempts are no longer at hand the newest fifty are remembered.
 */
export function completionOf(cell: Cell | undefined, version: string): 'known' | 'claimed' | 'none' {
  if (cell === undefined) return 'none'
  const { attempts, lastGood, completed } = cell
  const good = [...attempts, ...(lastGood ? [lastGood] : [])].filter((one) => one.version === version && isGood(one))
  if (completed.known.includes(version) || good.some(({ trust }) => trust !== 'claimed')) return 'known'
  return completed.claimed.includes(version) || good.length > 0 ? 'claimed' : 'none'
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
function withNewest<T extends Placed>(list: T[], next: T, isSamePlace: (other: Placed) => boolean): T[] {
  const known = list.find(isSamePlace)
  if (known && !isNewer(said(next), said(known))) return list
  if (list.length === (known ? 1 : 0)) return [next]
  return [...list.filter((other) => other !== known), next].sort(
    (a, b) =>
      a.attempt - b.attempt ||
      compare(a.environment, b.environment) ||
      compare(a.product, b.product) ||
      compare(a.version, b.version),
  )
}

/** A list made by adding to another one has room for more, which each of many thousand runs would keep. */
const withName = (names: string[], name: string): string[] =>
  names.length === 0 ? [name] : names.includes(name) ? names : [...names, name].sort()

/**
 * What a run recorded itself: the intents of its gated jobs, its attempts, and for which environments it speaks.
 * What others say of its jobs or its commit is on the board only. Written out member by member, as `withStatus` is.
 */
export function evolveRunByDeployment(state: RunState | undefined, event: DeploymentEvent): RunState | undefined {
  const { runId, runAttempt, environment, product, version, sha, status, statusId, url, origin } = event.data
  if (runId === null || origin !== 'record') return state
  const { repository, intents, attempts, jobDeployments, recorded, endedAttempt } =
    state ?? emptyRun(event.data.repository, runId)
  const attempt = runAttempt ?? 1
  const isThere = (other: Placed) =>
    other.environment === environment && other.product === product && other.attempt === attempt
  const { trust } = event
  /** Whoever merely claims to speak for a run must not make what GitHub says of its jobs go unheard. */
  const isHeard = trust !== 'claimed'
  return {
    repository,
    runId,
    intents:
      status === 'pending'
        ? withNewest(intents, { environment, product, version, sha, attempt, trust, statusId }, isThere)
        : intents,
    attempts: isHeard
      ? withNewest(
          attempts,
          { environment, product, version, sha, attempt, status, statusId, url },
          (other) => isThere(other) && other.version === version,
        )
      : attempts,
    jobDeployments,
    recorded: isHeard ? withName(recorded, environment) : recorded,
    endedAttempt,
  }
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

/** The try of a run in which one of its jobs made a deployment; undefined where GitHub has not said so yet. */
export const attemptOf = (run: RunState | undefined, deploymentId: number): number | undefined =>
  run?.jobDeployments.find((job) => job.deploymentId === deploymentId)?.attempt

export function evolveRunEnd(state: RunState | undefined, data: EventData<'run.ended'>): RunState {
  const run = state ?? emptyRun(data.repository, data.runId)
  return { ...run, endedAttempt: Math.max(run.endedAttempt, data.runAttempt) }
}

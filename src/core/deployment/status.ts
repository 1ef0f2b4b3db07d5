import { accepted, type Checked, quoted, rejected } from '../problem.ts'
import type { BuildStatus } from '../product/schema.ts'
import type { DeploymentStatus } from './schema.ts'

export type StatusProblemCode = 'unknown-status'

/** The words that other tools and people use, by what they mean here; one more for builds, one more for deployments. */
const ALIASES = {
  pending: ['pending', 'queued', 'scheduled'],
  started: ['started', 'in_progress', 'init'],
  completed: ['completed', 'success', 'complete', 'finished'],
  failed: ['failed', 'fail', 'failure', 'error'],
  aborted: ['aborted', 'abort', 'cancelled', 'canceled', 'cancel', 'skipped'],
} as const satisfies Record<DeploymentStatus, readonly string[]>

const OF_DEPLOYMENTS: readonly (readonly [string, DeploymentStatus])[] = [
  ['deploying', 'started'],
  ['deployed', 'completed'],
]
const OF_BUILDS: readonly (readonly [string, BuildStatus])[] = [
  ['building', 'started'],
  ['built', 'completed'],
]

const tableOf = <Status extends string>(extra: readonly (readonly [string, Status])[]): ReadonlyMap<string, Status> =>
  new Map([
    ...Object.entries(ALIASES).flatMap(([status, words]) => words.map((word) => [word, status as Status] as const)),
    ...extra,
  ])

const DEPLOYMENT_WORDS = tableOf<DeploymentStatus>(OF_DEPLOYMENTS)
const BUILD_WORDS = tableOf<BuildStatus>(OF_BUILDS)

const parseWith = <Status extends string>(
  words: ReadonlyMap<string, Status>,
  text: string,
): Checked<Status, StatusProblemCode> => {
  const status = words.get(text.trim().toLowerCase())
  if (status) return accepted(status)
  return rejected({
    code: 'unknown-status',
    message: `expected a status, found ${quoted(text)}`,
    hint: `use one of ${[...words.keys()].join(', ')}`,
    path: 'status',
  })
}

/** A deployment's status from any of its accepted words, without regard to case and blanks around it. */
export const parseDeploymentStatus = (text: string): Checked<DeploymentStatus, StatusProblemCode> =>
  parseWith(DEPLOYMENT_WORDS, text)

/** A build's status from any of its accepted words, without regard to case and blanks around it. */
export const parseBuildStatus = (text: string): Checked<BuildStatus, StatusProblemCode> => parseWith(BUILD_WORDS, text)

/** The states that can be written to a GitHub deployment by us. */
export type WrittenState = 'queued' | 'in_progress' | 'success' | 'failure' | 'error'

/**
 * How a status is written on GitHub. `aborted` is `error` and not `inactive`: GitHub sends no webhook for `inactive`,
 * and there it means that a later deployment took the place of this one. We never write `error` for anything else, so
 * on our own deployments it can be read back.
 */
export const STATE_OF_STATUS = {
  pending: 'queued',
  started: 'in_progress',
  completed: 'success',
  failed: 'failure',
  aborted: 'error',
} as const satisfies Record<DeploymentStatus, WrittenState>

/** What a state on GitHub says: a status, that a later deployment took its place, or something GitHub has invented since. */
export type StateMeaning = DeploymentStatus | 'superseded' | 'unknown'

/** States of the read side (https://docs.github.com/rest/deployments/statuses), `waiting` included. */
const STATE_MEANINGS: ReadonlyMap<string, StateMeaning> = new Map([
  ['waiting', 'pending'],
  ['pending', 'pending'],
  ['queued', 'pending'],
  ['in_progress', 'started'],
  ['success', 'completed'],
  ['failure', 'failed'],
  ['error', 'failed'],
  ['inactive', 'superseded'],
])

/**
 * The meaning of a state read from GitHub. `own` says that the deployment was made by the Action (its task is
 * `DEPLOYMENT_TASK`): there `error` means `aborted`; from other tools it is a failure.
 */
export function statusOfState(state: string, from: { readonly own: boolean }): StateMeaning {
  if (from.own && state === 'error') return 'aborted'
  return STATE_MEANINGS.get(state) ?? 'unknown'
}

/** Whether an attempt has ended with this status. */
export const isTerminal = (status: DeploymentStatus): boolean =>
  status === 'completed' || status === 'failed' || status === 'aborted'

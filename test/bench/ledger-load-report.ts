import type { RequestRecord } from '../sandbox/sandbox.ts'
import { CLASSES, isChange, isCommit, isContent, isLook, isRefused, type RequestClass } from './ledger-load-requests.ts'
import { REPEATED_EVERY } from './ledger-load-traffic.ts'
import { ENVIRONMENTS, PRODUCTS, REPOSITORIES } from './ledger-load-world.ts'
import { grouped, table } from './measure.ts'
import type { PlainWay } from './plain-way.ts'
import type { ProducerStep } from './producers.ts'

/** What GITHUB_TOKEN has, for each repository. */
const TOKEN_REQUESTS_AN_HOUR = 1_000

/** What is asked of the App; a bench that misses one of them ends with exit code 1. */
export interface Target {
  readonly name: string
  readonly found: number
  readonly most: number
  readonly unit: string
}

export interface LoadOptions {
  readonly minutes: number
  /** Statuses of deployments in that time. */
  readonly events: number
  /** Commands of people in that time. */
  readonly commands: number
}

export interface Idle {
  readonly minutes: number
  /** Commits of a time in which nothing happened. */
  readonly commits: number
  readonly requests: readonly RequestRecord[]
  /** Commits for one event after it, and how long it took to be durable. */
  readonly commitsOfOne: number
  readonly durableMs: number
}

export interface Found {
  readonly options: LoadOptions
  /** The App's requests from the first event until everything was durable and answered. */
  readonly loaded: readonly RequestRecord[]
  readonly durable: readonly number[]
  readonly answered: readonly number[]
  readonly builds: number
  /** Commits to the log; others would be to the branches of proposals. */
  readonly logged: number
  readonly deliveries: number
  readonly counted: string
  readonly plainWay: PlainWay
  readonly plainRequests: readonly RequestRecord[]
  readonly startMs: number
  readonly idle: Idle
  /** How often the App's own governors were refused for a limit, the idle time included. */
  readonly limited: number
  readonly steps: readonly ProducerStep[]
}

const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? Number.NaN

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`

const SHARES = [0.5, 0.95, 0.99] as const
const shares = (values: readonly number[]): string[] => SHARES.map((share) => seconds(percentile(values, share)))

const per1000 = (count: number, of: number): number => Number(((count * 1_000) / of).toFixed(1))

const ALL: RequestClass = { name: 'all requests', has: () => true }

function requestTable({ options, loaded, idle, plainRequests, plainWay }: Found): string {
  const rows = [...CLASSES, ALL].map(({ name, has }) => {
    const count = loaded.filter(has).length
    const plainly = per1000(plainRequests.filter(has).length, plainWay.durable.length)
    return [
      name,
      grouped(count),
      per1000(count, options.events).toFixed(1),
      plainly.toLocaleString('en-US', { minimumFractionDigits: 1 }),
      grouped(idle.requests.filter(has).length),
    ]
  })
  const head = [
    'requests',
    'in that time',
    'for 1,000 events',
    'the plain way, for 1,000',
    `idle for ${idle.minutes} minutes`,
  ]
  return table(head, rows)
}

/** How often an hour the busiest repository has a build, and an attempt to deploy. */
function oftenIn({ minutes, events }: LoadOptions): Readonly<Record<ProducerStep['once'], number>> {
  const attempt = ((events / 2 / PRODUCTS) * Math.ceil(PRODUCTS / REPOSITORIES) * 60) / minutes
  return { attempt, build: attempt / ENVIRONMENTS.length }
}

function stepTable(steps: readonly ProducerStep[], often: ReturnType<typeof oftenIn>): string {
  const rows = steps.map(({ name, once, requests }) => [
    name,
    String(requests.length),
    String(requests.filter(isChange).length),
    String(requests.filter(isContent).length),
    often[once].toFixed(1),
    grouped(requests.length * often[once]),
  ])
  return table(['step', 'requests', 'changes', 'creating content', 'times an hour', 'requests an hour'], rows)
}

/** Writes what was found, and returns what was asked for beside it. */
export function report(write: (line: string) => void, found: Found): readonly Target[] {
  const {
    options,
    loaded,
    durable,
    answered,
    builds,
    logged,
    deliveries,
    counted,
    plainWay,
    startMs,
    idle,
    limited,
    steps,
  } = found
  const { minutes, events, commands } = options
  const commits = loaded.filter(isCommit)
  const content = loaded.filter(isContent).length
  const refused = [...loaded, ...idle.requests].filter(isRefused).length
  const written = plainWay.durable.length
  const plainMs = (plainWay.endMs - startMs) / written
  const bytes = commits.reduce((sum, { requestBytes }) => sum + requestBytes, 0) / Math.max(1, commits.length)
  write(
    `${grouped(events)} statuses of deployments, ${grouped(builds)} builds and ${commands} commands in ${minutes} minutes, ${grouped(deliveries)} deliveries; every status in the log once, although one in ${REPEATED_EVERY} was delivered twice; ${loaded.filter(isLook).length} hourly looks began; the log verifies: ${counted}`,
  )
  write(
    `Requests that a limit refused, the idle time included: ${refused}; as the App's own governors count: ${limited}.`,
  )
  write('')
  write(requestTable(found))
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
    `${grouped(logged)} of the commits are to the log, with ${(events / Math.max(1, logged)).toFixed(0)} statuses in each; ${grouped(bytes)} bytes sent for a commit on average.`,
  )
  write(
    `The plain way, one commit by the Contents API for each event, beside it in the same run: ${written} commits, ${seconds(plainMs)} each, one after the other. Extrapolated: ${grouped(events)} events take it ${((events * plainMs) / 3_600_000).toFixed(1)} hours, at six commits a minute ${(events / 360).toFixed(1)}.`,
  )
  write(
    `Idle for ${idle.minutes} minutes, ${idle.requests.filter(isLook).length} hourly looks begun in them: ${idle.commits} commits, ${grouped(idle.requests.length)} requests. One event then: ${idle.commitsOfOne} commit, durable after ${seconds(idle.durableMs)}.`,
  )
  const often = oftenIn(options)
  const ofToken = Math.ceil(steps.reduce((sum, { once, requests }) => sum + requests.length * often[once], 0))
  write('')
  write(
    `What a job's own token spends; how often in the busiest repository: ${grouped(ofToken)} of its ${grouped(TOKEN_REQUESTS_AN_HOUR)} requests an hour.`,
  )
  write('')
  write(stepTable(steps, often))
  const spent = per1000(commits.length + content, events)
  return [
    { name: 'commits and content-creating requests for 1,000 events', found: spent, most: 25, unit: 'requests' },
    { name: 'delivery to durable, p50', found: percentile(durable, 0.5), most: 15_000, unit: 'ms' },
    { name: 'delivery to durable, p99', found: percentile(durable, 0.99), most: 30_000, unit: 'ms' },
    { name: 'command to answer, p95', found: percentile(answered, 0.95), most: 5_000, unit: 'ms' },
    { name: 'requests that a limit refused', found: refused, most: 0, unit: 'requests' },
    { name: 'limits that the governors met', found: limited, most: 0, unit: 'refusals' },
    {
      name: 'what notifies people beside one answer to a command',
      found: content - commands,
      most: 0,
      unit: 'requests',
    },
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

import type { LedgerEvent } from '../core/event.ts'
import { type Checked, rejected } from '../core/problem.ts'
import { HEAD_PATH, ORIGIN, parseHead } from './codec.ts'
import { endProblem } from './log-end.ts'
import type { Head, LogPosition } from './schema.ts'
import type { LedgerStore, Newest } from './store.ts'
import { integrityError, type LedgerCode } from './trouble.ts'
import { walkLog } from './walk.ts'

/** Which events to read; every condition given must hold. */
export interface LogFilter {
  /** A product's name: the event's own, or that of an item it names. */
  readonly product?: string
  /** A release's id. */
  readonly release?: string
  /** A login, without regard to case. */
  readonly actor?: string
  /** A type such as `deployment.completed`, or a noun such as `deployment` for all of its types. */
  readonly type?: string
  /** Only what happened at this time or later, ISO 8601 UTC. */
  readonly since?: string
}

export interface LogEntry {
  readonly event: LedgerEvent
  /** SHA-256 of its line; the next line of the log names it. */
  readonly digest: string
  readonly path: string
  /** 1-based. */
  readonly line: number
}

/** Directories go by commit time and events by their own: clocks may differ by a day before an event is overlooked. */
const CLOCK_TOLERANCE_MS = 24 * 60 * 60 * 1000

/** Whether data names this value under this field, at its top or inside its items. */
function names(data: unknown, field: string, wanted: string): boolean {
  if (typeof data !== 'object' || data === null) return false
  const members: readonly [string, unknown][] = Object.entries(data)
  return members.some(([name, value]) => {
    if (name === field) return value === wanted || (Array.isArray(value) && value.includes(wanted))
    if (name === 'item') return names(value, field, wanted)
    if (name === 'items' || name === 'releases') {
      return Array.isArray(value) && value.some((item) => item === wanted || names(item, field, wanted))
    }
    return false
  })
}

const CONDITIONS: { readonly [Name in keyof Required<LogFilter>]: (event: LedgerEvent, wanted: string) => boolean } = {
  product: (event, wanted) => names(event.data, 'product', wanted),
  release: (event, wanted) => names(event.data, 'release', wanted),
  actor: (event, wanted) => event.actor?.login.toLowerCase() === wanted.toLowerCase(),
  type: (event, wanted) => event.type === wanted || event.type.startsWith(`${wanted}.`),
  since: (event, wanted) => Date.parse(event.at) >= Date.parse(wanted),
}

const NAMES = Object.keys(CONDITIONS) as (keyof LogFilter)[]

/** Whether an event fulfils every condition given. */
export const matches = (filter: LogFilter, event: LedgerEvent): boolean =>
  NAMES.every((name) => {
    const wanted = filter[name]
    return wanted === undefined || CONDITIONS[name](event, wanted)
  })

/** From when on to walk: the day of the last file at the latest, so that the end of the log is always looked at. */
function walkedSince(since: string | undefined, head: Head | null): { readonly since?: string } {
  if (since === undefined) return {}
  const wanted = new Date(Date.parse(since) - CLOCK_TOLERANCE_MS).toISOString()
  const [, year, month, day] = /^events\/(\d{4})\/(\d{2})\/(\d{2})\//.exec(head?.folder.path ?? '') ?? []
  if (day === undefined) return head === null ? { since: wanted } : {}
  const last = `${year}-${month}-${day}T00:00:00Z`
  return { since: last < wanted ? last : wanted }
}

/** The head of a branch, or what is wrong with it, which names the branch: a log may have several. */
export function headOn({ name }: LedgerStore, newest: Newest): Checked<Head, LedgerCode> {
  const parsed = parseHead(newest.files.get(HEAD_PATH))
  if (parsed.ok) return parsed
  return rejected(...parsed.problems.map((problem) => ({ ...problem, message: `${name}: ${problem.message}` })))
}

/**
 * The events that fulfil a filter, in the order of the log, with where they stand. Every line read is checked and
 * chained; throws `ledger-damaged` at the first one that is broken, where the log does not begin as its head says (which
 * is not looked at with `since`), and where it ends before or otherwise than that. Throws what is wrong with a head that
 * cannot be read after the last event: nobody knows then where the log begins and whether it goes on. Nothing when the
 * branch does not exist.
 */
export async function* readLog(store: LedgerStore, filter: LogFilter = {}): AsyncGenerator<LogEntry> {
  const newest = await store.newest([HEAD_PATH])
  if (!newest) return
  const parsed = headOn(store, newest)
  const head = parsed.ok ? parsed.value : null
  const unreadable = parsed.ok ? [] : parsed.problems
  const start = filter.since === undefined && head !== null ? head.origin : 'first-file'
  let end: LogPosition = head?.origin ?? ORIGIN
  let last: string | null = null
  for await (const walked of walkLog(store, newest.info.commit, start, walkedSince(filter.since, head))) {
    if (walked.kind === 'broken') throw integrityError([...walked.problems, ...unreadable])
    const { path, events, position } = walked.file
    for (const [index, event] of events.entries()) {
      const digest = events[index + 1]?.prev ?? position.tip
      if (matches(filter, event)) yield { event, digest, path, line: index + 1 }
    }
    end = position
    last = path
  }
  if (unreadable.length > 0) throw integrityError(unreadable)
  const wrongEnd = head && endProblem(head, end, last)
  if (wrongEnd) throw integrityError(wrongEnd)
}

/** The same through the epochs of a log, oldest first. */
export async function* readEpochs(
  epochs: readonly { readonly store: LedgerStore }[],
  filter: LogFilter = {},
): AsyncGenerator<LogEntry> {
  for (const { store } of epochs) yield* readLog(store, filter)
}

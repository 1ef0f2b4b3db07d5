import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { model } from '../../src/core/model.ts'
import { type Ledger, openLedger } from '../../src/ledger/ledger.ts'
import type { LedgerStore } from '../../src/ledger/store.ts'
import { VERSION } from '../../src/version.ts'
import { BRANCH, END_MS, emptyStore, eventAt, history, newId, type World } from './ledger-history.ts'
import { grouped, medianOf, table } from './measure.ts'

/**
 * A million events a year: histories differ in length, not in how much goes on. Few enough cells that each is full after
 * 1,000 events: the same world at every length.
 */
const WORLD: World = { products: 1, environments: 4, runs: false, eventEveryMs: (365 * 86_400_000) / 1_000_000 }
const EVENTS_A_FILE = 50
const ROUNDS = 9

interface Cost {
  requests: number
  bytes: number
}

/** Counts what the port is asked for: each call is one request to GitHub. */
function counting(store: LedgerStore): { store: LedgerStore; cost: Cost } {
  const cost: Cost = { requests: 0, bytes: 0 }
  const read = (files: ReadonlyMap<string, Uint8Array | null>) => {
    cost.requests += 1
    for (const bytes of files.values()) cost.bytes += bytes?.length ?? 0
  }
  return {
    cost,
    store: {
      ...store,
      async newest(paths) {
        const found = await store.newest(paths)
        read(found?.files ?? new Map())
        return found
      },
      async read(commit, paths) {
        const files = await store.read(commit, paths)
        read(files)
        return files
      },
      async commit(request) {
        cost.requests += 1
        cost.bytes += request.additions.reduce((sum, { bytes }) => sum + bytes.length, 0)
        return store.commit(request)
      },
    },
  }
}

interface Measured {
  readonly requests: number
  readonly bytes: number
  readonly ms: number
}

interface Subject {
  readonly total: number
  readonly directory: string
  readonly store: LedgerStore
  /** The commit that every round begins at, so that each does the same. */
  readonly commit: string | null
  readonly read: Measured[]
  readonly append: Measured[]
}

async function subjectOf(directory: string, total: number): Promise<Subject> {
  const now = () => new Date(END_MS + 60_000).toISOString()
  const store =
    total === 0
      ? emptyStore(directory, now)
      : await history(directory, WORLD, { total, eventsAFile: EVENTS_A_FILE, now })
  const commit = (await store.newest([]))?.info.commit ?? null
  return { total, directory, store, commit, read: [], append: [] }
}

function rewind({ directory, commit }: Subject): void {
  const ref = `refs/heads/${BRANCH}`
  const args = commit === null ? ['update-ref', '-d', ref] : ['update-ref', ref, commit]
  execFileSync('git', [`--git-dir=${directory}`, ...args])
}

/** What one piece of work costs a process that has read nothing yet. */
async function measured(store: LedgerStore, work: (ledger: Ledger) => Promise<unknown>): Promise<Measured> {
  const counted = counting(store)
  const clock = () => new Date(END_MS + 60_000).toISOString()
  const ledger = openLedger({ store: counted.store, model, clock, newId, writer: { version: VERSION } })
  const startedMs = performance.now()
  await work(ledger)
  const ms = performance.now() - startedMs
  await ledger.close()
  return { ...counted.cost, ms }
}

async function round(subject: Subject): Promise<void> {
  const { store, total } = subject
  subject.read.push(await measured(store, async (ledger) => (await ledger.view()).state('board/product-3')))
  const event = eventAt(WORLD, total, total)
  subject.append.push(await measured(store, (ledger) => ledger.append(async () => ({ events: [event], result: null }))))
  rewind(subject)
}

const shown = (rounds: readonly Measured[], empty: readonly Measured[], first: readonly Measured[]): string[] => {
  const [one, then] = [rounds[0], first[0]]
  const msOf = (all: readonly Measured[]) => medianOf(all.map(({ ms }) => ms))
  const bytes = one && then && then.bytes > 0 ? `${(one.bytes / then.bytes).toFixed(2)}×` : ''
  return [grouped(one?.requests ?? 0), grouped(one?.bytes ?? 0), bytes, `${(msOf(rounds) / msOf(empty)).toFixed(2)}×`]
}

/**
 * What one board read and one append cost in a process that has read nothing yet, by the length of the history. The
 * lengths take turns in every round.
 */
export async function benchGrowth(write: (line: string) => void, sizes: readonly number[]): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'ringmaster-bench-'))
  try {
    const subjects: Subject[] = []
    for (const total of [0, ...sizes]) subjects.push(await subjectOf(join(directory, `${total}.git`), total))
    for (let turn = 0; turn < ROUNDS; turn += 1) for (const subject of subjects) await round(subject)
    const [empty, first] = subjects
    const rows = (of: 'read' | 'append') =>
      subjects.map((subject) => [
        subject.total === 0 ? 'none' : grouped(subject.total),
        ...shown(subject[of], empty?.[of] ?? [], subject.total === 0 ? [] : (first?.[of] ?? [])),
      ])
    const heads = ['requests', 'bytes', 'bytes against the first', 'ms against an empty ledger']
    write(table(['events, then one board read', ...heads], rows('read')))
    write('')
    write(table(['events, then one append', ...heads], rows('append')))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

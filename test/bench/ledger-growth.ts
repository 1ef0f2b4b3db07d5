import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { draft } from '../../src/core/catalogue.ts'
import type { AggregateKey, EventDraft } from '../../src/core/event.ts'
import { model } from '../../src/core/model.ts'
import { cutIntoFiles, encodeEvents, ORIGIN, parseEventFile } from '../../src/ledger/codec.ts'
import { eventFilePath, folderFor } from '../../src/ledger/event-files.ts'
import { gitStore } from '../../src/ledger/git.ts'
import { openLedger } from '../../src/ledger/ledger.ts'
import { rebuildSnapshots } from '../../src/ledger/rebuild.ts'
import type { LedgerStore } from '../../src/ledger/store.ts'
import { verifyLedger } from '../../src/ledger/verify.ts'
import { VERSION } from '../../src/version.ts'
import { grouped, medianOf, table } from './measure.ts'

const author = { name: 'ringmaster[bot]', email: '7+ringmaster[bot]@users.noreply.github.com' }
const END_MS = Date.parse('2026-11-20T00:00:00Z')
/** A million events a year: histories differ in length, not in how much goes on. */
const EVENT_EVERY_MS = (365 * 86_400_000) / 1_000_000
/** Few enough that every cell of the board is full after 1,000 events: the same world at every length. */
const PRODUCTS = 20
const ENVIRONMENTS = 4
/** One commit of a group, as the pace of an hour with 500 events makes them. */
const EVENTS_A_FILE = 50
const FILES_AN_IMPORT = 100

let ids = 0
const newId = (): string => {
  ids += 1
  return `01J${String(ids).padStart(23, '0')}`
}

/** Deployments of every product into every environment, one after the other; each starts and completes. */
export function eventAt(index: number, total: number): EventDraft {
  const at = new Date(END_MS - Math.floor((total - index) * EVENT_EVERY_MS)).toISOString()
  const serial = index >> 1
  const product = `product-${serial % PRODUCTS}`
  const environment = `environment-${Math.floor(serial / PRODUCTS) % ENVIRONMENTS}`
  const deployment = 1_000_000 + serial
  const status = index % 2 === 0 ? 'started' : 'completed'
  const repository = { id: 1 + (serial % 60), fullName: `acme/repository-${serial % 60}` }
  return draft(
    `deployment.${status}`,
    {
      product,
      version: `1.${Math.floor(serial / (PRODUCTS * ENVIRONMENTS))}.0`,
      environment,
      attempt: `${repository.id}/${deployment}`,
      status,
      statusId: index + 1,
      sha: 'c'.repeat(40),
      repository,
      runId: null,
      runAttempt: null,
      url: `https://github.com/${repository.fullName}/actions/runs/${deployment}`,
      authorisation: 'ungated',
      origin: 'record',
    },
    {
      key: `deployment:${deployment}:${index + 1}:${status}:${product}@1.0.0`,
      at,
      actor: { login: 'dora', id: 7 },
      source: { kind: 'webhook', delivery: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}` },
      trust: 'platform',
    },
  )
}

/** A history of so many events, by one stream of git fast-import; head and snapshots are rebuilt from it. */
async function history(directory: string, total: number): Promise<LedgerStore> {
  execFileSync('git', ['init', '-q', '--bare', directory])
  const git = (args: readonly string[], input: Buffer) =>
    execFileSync('git', [`--git-dir=${directory}`, ...args], { input, maxBuffer: 1 << 30 })
  let position = ORIGIN
  let folder = { path: '', files: 0 }
  let parts: Buffer[] = []
  let parent = ''
  const flush = () => {
    if (parts.length === 0) return
    const message = 'ledger: events\n'
    const head = `commit refs/heads/ringmaster-data\ncommitter ${author.name} <${author.email}> ${Math.floor(END_MS / 1000)} +0000\ndata ${message.length}\n${message}${parent}`
    git(['fast-import', '--quiet'], Buffer.concat([Buffer.from(head), ...parts]))
    parent = 'from refs/heads/ringmaster-data^0\n'
    parts = []
  }
  for (let start = 0; start < total; start += EVENTS_A_FILE) {
    const drafts = Array.from({ length: Math.min(EVENTS_A_FILE, total - start) }, (_, offset) =>
      eventAt(start + offset, total),
    )
    const encoded = encodeEvents(drafts, position)
    for (const { firstSeq, bytes } of cutIntoFiles(encoded.lines, position.seq + 1)) {
      folder = folderFor(drafts[0]?.at ?? '', folder)
      const path = eventFilePath(folder.path, firstSeq, newId())
      parts.push(Buffer.from(`M 100644 inline ${path}\ndata ${bytes.length}\n`), Buffer.from(bytes), Buffer.from('\n'))
    }
    position = encoded.position
    if (parts.length >= FILES_AN_IMPORT * 3) flush()
  }
  flush()
  const now = new Date(END_MS).toISOString()
  const store = gitStore({ directory, branch: 'ringmaster-data', author, clock: () => now })
  await rebuildSnapshots(store, model, { now, newId })
  /** As a host keeps it: without this, git's own search through many packs is what is measured. */
  execFileSync('git', [`--git-dir=${directory}`, 'gc', '-q'])
  return store
}

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

const opened = (store: LedgerStore) =>
  openLedger({
    store,
    model,
    clock: () => new Date(END_MS + 60_000).toISOString(),
    newId,
    writer: { version: VERSION },
  })

interface Measured {
  readonly requests: number
  readonly bytes: number
  readonly ms: number
}

const ROUNDS = 9

async function measured(
  store: LedgerStore,
  work: (ledger: ReturnType<typeof opened>) => Promise<unknown>,
): Promise<Measured> {
  const times: number[] = []
  let last: Cost = { requests: 0, bytes: 0 }
  for (let round = 0; round < ROUNDS; round += 1) {
    const counted = counting(store)
    const ledger = opened(counted.store)
    const startedMs = performance.now()
    await work(ledger)
    times.push(performance.now() - startedMs)
    last = counted.cost
    await ledger.close()
  }
  return { ...last, ms: medianOf(times) }
}

/** Events a second that are read, chained and folded into state, on one core and without any store. */
export function benchReplay(write: (line: string) => void): void {
  const total = 100_000
  const { lines } = encodeEvents(
    Array.from({ length: total }, (_, index) => eventAt(index, total)),
    ORIGIN,
  )
  const files = cutIntoFiles(lines, 1)
  const rates = Array.from({ length: 5 }, () => {
    const states = new Map<AggregateKey, unknown>()
    let at = ORIGIN
    const startedMs = performance.now()
    for (const { bytes } of files) {
      const parsed = parseEventFile('events', bytes, at)
      if (!parsed.ok) throw new Error(parsed.problems[0]?.message)
      for (const event of parsed.value.events)
        for (const key of model.keysOf(event)) states.set(key, model.evolve(key, states.get(key), event))
      at = parsed.value.position
    }
    return (total * 1_000) / (performance.now() - startedMs)
  })
  write(`Replay with chain, ${grouped(total)} deployments: ${grouped(medianOf(rates))} events a second on one core.`)
}

/** What one board read and one append cost in a process that has read nothing yet, by the length of the history. */
export async function benchGrowth(write: (line: string) => void, sizes: readonly number[]): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'ringmaster-bench-'))
  const rows: string[][] = []
  let first: { read: Measured; append: Measured } | undefined
  try {
    for (const size of sizes) {
      const path = join(directory, `${size}.git`)
      const store = await history(path, size)
      const read = await measured(store, async (ledger) => (await ledger.view()).state('board/product-7'))
      let serial = size
      const append = await measured(store, (ledger) => {
        serial += 1
        return ledger.append(async () => ({ events: [eventAt(serial, size)], result: null }))
      })
      first ??= { read, append }
      const ratio = (now: Measured, then: Measured) =>
        `${(now.bytes / then.bytes).toFixed(2)}×, ${(now.ms / then.ms).toFixed(1)}×`
      const startedMs = performance.now()
      const report = await verifyLedger(store, model)
      const seconds = (performance.now() - startedMs) / 1_000
      if (!report.ok) throw new Error(report.problems[0]?.message)
      execFileSync('git', [`--git-dir=${path}`, 'gc', '-q'])
      const kib = Number(execFileSync('du', ['-sk', path], { encoding: 'utf8' }).split('\t')[0])
      rows.push([
        grouped(size),
        `${read.requests}, ${grouped(read.bytes)} B, ${read.ms.toFixed(0)} ms`,
        ratio(read, first.read),
        `${append.requests}, ${grouped(append.bytes)} B, ${append.ms.toFixed(0)} ms`,
        ratio(append, first.append),
        grouped(report.counts.events / seconds),
        grouped(kib),
      ])
      rmSync(path, { recursive: true })
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  write(
    table(
      [
        'events',
        'board read: requests, bytes, ms',
        'bytes, ms against the first',
        'append: requests, bytes, ms',
        'bytes, ms against the first',
        'verified events/s',
        'KiB after git gc',
      ],
      rows,
    ),
  )
}

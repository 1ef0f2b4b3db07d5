import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { draft } from '../../src/core/catalogue.ts'
import { type AggregateKey, type EventDraft, NO_PREVIOUS } from '../../src/core/event.ts'
import { sha256 } from '../../src/core/json.ts'
import { model } from '../../src/core/model.ts'
import { cutIntoFiles, encodeEvents, encodeStored, HEAD_PATH, ORIGIN } from '../../src/ledger/codec.ts'
import { eventFilePath, folderFor } from '../../src/ledger/event-files.ts'
import { gitStore } from '../../src/ledger/git.ts'
import { KEEP_KEYS_MS, type NewKey } from '../../src/ledger/keys.ts'
import { GENESIS } from '../../src/ledger/position.ts'
import type { LogPosition } from '../../src/ledger/schema.ts'
import { emptyIndex, SnapshotReader, snapshotCache } from '../../src/ledger/snapshot.ts'
import { planSnapshot } from '../../src/ledger/snapshot-plan.ts'
import { type Author, commitMessage, type LedgerStore } from '../../src/ledger/store.ts'

/** Whoever makes a history where nobody in particular is expected. */
const BOT: Author = { name: 'ringmaster[bot]', email: '7+ringmaster[bot]@users.noreply.github.com' }
export const BRANCH = 'ringmaster-data'
export const END_MS = Date.parse('2026-11-20T00:00:00Z')

/** What happens in a history, and how fast. */
export interface World {
  readonly products: number
  readonly environments: number
  /** Whether a deployment belongs to a run of its own, as those that the Action records. */
  readonly runs: boolean
  readonly eventEveryMs: number
  /** Events of an epoch before, whose boards it goes on from: so many that every cell holds all that it ever will. */
  readonly before: number
}

/** Attempts after which a cell of a board changes its size no more: those it keeps, and the versions it remembers. */
const ATTEMPTS_A_CELL = 62

/** The events that fill every cell. */
export const fillingOf = ({ products, environments }: Pick<World, 'products' | 'environments'>): number =>
  2 * products * environments * ATTEMPTS_A_CELL

/** The world of 200 products and 8 environments, where each deployment belongs to a run of its own. */
export const LARGE = { products: 200, environments: 8, runs: true } as const

let ids = 0
export const newId = (): string => {
  ids += 1
  return `01J${String(ids).padStart(23, '0')}`
}

/**
 * Event number `index` of a history that has `total` of them when it is `END_MS`: deployments of every product into every
 * environment, one after the other; each starts and completes.
 */
export function eventAt(world: World, index: number, total: number): EventDraft {
  const at = new Date(END_MS - Math.floor((total - index) * world.eventEveryMs)).toISOString()
  const serial = index >> 1
  const product = `product-${serial % world.products}`
  const environment = `environment-${Math.floor(serial / world.products) % world.environments}`
  const deployment = 1_000_000 + serial
  const status = index % 2 === 0 ? 'started' : 'completed'
  const repository = { id: 1 + (serial % 60), fullName: `acme/repository-${serial % 60}` }
  const version = `1.${Math.floor(serial / (world.products * world.environments))}.0`
  return draft(
    `deployment.${status}`,
    {
      product,
      version,
      environment,
      attempt: `${repository.id}/${deployment}`,
      status,
      statusId: index + 1,
      sha: 'c'.repeat(40),
      repository,
      runId: world.runs ? 5_000_000 + serial : null,
      runAttempt: world.runs ? 1 : null,
      url: `https://github.com/${repository.fullName}/actions/runs/${deployment}`,
      authorisation: 'ungated',
      origin: 'record',
    },
    {
      key: `deployment:${deployment}:${index + 1}:${status}:${product}@${version}`,
      at,
      actor: { login: 'dora', id: 7 },
      source: { kind: 'webhook', delivery: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}` },
      trust: 'platform',
    },
  )
}

/** A repository without a branch. */
function emptyStore(directory: string, author: Author, now: () => string): LedgerStore {
  execFileSync('git', ['init', '-q', '--bare', directory])
  return gitStore({ directory, branch: BRANCH, author, clock: now })
}

/** Where a history goes: one stream, so that one pack holds all of it and git need not search through many. */
class Import {
  readonly #git: ChildProcessByStdio<Writable, null, null>
  readonly #author: Author
  #isFirst = true

  constructor(directory: string, author: Author) {
    this.#author = author
    this.#git = spawn('git', [`--git-dir=${directory}`, 'fast-import', '--quiet'], {
      stdio: ['pipe', 'ignore', 'inherit'],
    })
  }

  async commit(files: readonly { readonly path: string; readonly bytes: Uint8Array }[]): Promise<void> {
    const message = 'ledger: events\n'
    const { name, email } = this.#author
    const who = `${name} <${email}> ${Math.floor(END_MS / 1000)} +0000`
    const parts = [Buffer.from(`commit refs/heads/${BRANCH}\ncommitter ${who}\ndata ${message.length}\n${message}`)]
    for (const { path, bytes } of files)
      parts.push(Buffer.from(`M 100644 inline ${path}\ndata ${bytes.length}\n`), Buffer.from(bytes), Buffer.from('\n'))
    this.#isFirst = false
    if (!this.#git.stdin.write(Buffer.concat(parts))) await once(this.#git.stdin, 'drain')
  }

  async close(): Promise<void> {
    if (this.#isFirst) throw new Error('expected a history with events')
    const closed = once(this.#git, 'close')
    this.#git.stdin.end()
    const [code] = await closed
    if (code !== 0) throw new Error(`git fast-import ended with ${code}`)
  }
}

/** What the epoch before left: its boards, and where it ended. */
function carriedBy(world: World, total: number): { states: Map<AggregateKey, unknown>; origin: LogPosition } {
  const states = new Map<AggregateKey, unknown>()
  for (let index = 0; index < world.before; index += 1) {
    const event = { ...eventAt({ ...world, runs: false }, index, total), seq: index + 1, prev: NO_PREVIOUS }
    for (const key of model.keysOf(event)) states.set(key, model.evolve(key, states.get(key), event))
  }
  return { states, origin: world.before === 0 ? ORIGIN : { seq: world.before, tip: sha256(`${world.before}`) } }
}

interface HistoryOptions {
  /** Of this epoch. */
  readonly total: number
  readonly eventsAFile: number
  readonly author?: Author
  readonly now: () => string
}

/**
 * A history of so many events with `eventsAFile` in each commit, by one stream of git fast-import, and head and snapshot
 * as they follow from them.
 */
export async function history(
  directory: string,
  world: World,
  { total, eventsAFile, now, author = BOT }: HistoryOptions,
): Promise<LedgerStore> {
  const store = emptyStore(directory, author, now)
  const stream = new Import(directory, author)
  const end = world.before + total
  const { states, origin } = carriedBy(world, end)
  const keys: NewKey[] = []
  let position = origin
  let folder = { path: '', files: 0 }
  for (let start = world.before; start < end; start += eventsAFile) {
    const count = Math.min(eventsAFile, end - start)
    const drafts = Array.from({ length: count }, (_, offset) => eventAt(world, start + offset, end))
    const encoded = encodeEvents(drafts, position)
    const files = cutIntoFiles(encoded.lines, position.seq + 1).map(({ firstSeq, bytes }) => {
      folder = folderFor(drafts[0]?.at ?? '', folder)
      return { path: eventFilePath(folder.path, firstSeq, newId()), bytes }
    })
    await stream.commit(files)
    for (const event of encoded.events) {
      for (const key of model.keysOf(event)) states.set(key, model.evolve(key, states.get(key), event))
      if (Date.parse(event.at) >= END_MS - KEEP_KEYS_MS) keys.push({ seq: event.seq, key: event.key })
    }
    position = encoded.position
  }
  await stream.close()
  const index = emptyIndex(keys[0]?.seq ?? position.seq + 1)
  const reader = new SnapshotReader({
    read: async () => new Map(),
    commit: '',
    cache: snapshotCache(Number.POSITIVE_INFINITY),
    index,
  })
  const plan = await planSnapshot({ reader, seq: position.seq, dirty: states, keys, now: now() })
  const epoch = world.before === 0 ? 1 : 2
  const head = { ...GENESIS, epoch, origin, ...position, folder, snapshot: { ...position, index: plan.digest } }
  const newest = await store.newest([])
  await store.commit({
    expectedHead: newest?.info.commit ?? null,
    operation: newId(),
    message: commitMessage(`ledger: snapshot at ${position.seq}`, newId()),
    additions: [{ path: HEAD_PATH, bytes: encodeStored(head) }, ...plan.additions],
    deletions: [],
  })
  return store
}

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { model } from '../../src/core/model.ts'
import { openLedger } from '../../src/ledger/ledger.ts'
import { VERSION } from '../../src/version.ts'
import { END_MS, eventAt, history, LARGE, newId, type World } from './ledger-history.ts'
import { grouped, table } from './measure.ts'

const HOUR_MS = 3_600_000
const HOURS_A_YEAR = 8_760
/** Where the sample begins: boards full of attempts, and keys and runs of the days before. */
const EVENTS_BEFORE = 20_000

interface Rate {
  readonly eventsAnHour: number
  /** How many events a commit takes along. */
  readonly eventsACommit: number
  readonly why: string
}

const RATES: readonly Rate[] = [
  { eventsAnHour: 500, eventsACommit: 1, why: 'a commit each: the most there can be' },
  { eventsAnHour: 10_000, eventsACommit: 67, why: 'a commit every 24 s, as the pace spaces them' },
]

interface Size {
  readonly objects: number
  readonly bytes: number
}

/** All objects of a repository, packed as a host keeps them. */
function sizeOf(directory: string): Size {
  const git = (...args: readonly string[]) =>
    execFileSync('git', [`--git-dir=${directory}`, ...args], { encoding: 'utf8' })
  git('gc', '-q')
  const counts = new Map(
    git('count-objects', '-v')
      .split('\n')
      .map((line) => line.split(': ') as [string, string]),
  )
  return { objects: Number(counts.get('in-pack')), bytes: Number(counts.get('size-pack')) * 1_024 }
}

async function sample(directory: string, rate: Rate, commits: number): Promise<string[]> {
  const world: World = { ...LARGE, eventEveryMs: HOUR_MS / rate.eventsAnHour, before: 0 }
  let nowMs = END_MS
  const now = () => new Date(nowMs).toISOString()
  const store = await history(directory, world, { total: EVENTS_BEFORE, eventsAFile: 50, now })
  const before = sizeOf(directory)
  let sent = 0
  const ledger = openLedger({
    store: {
      ...store,
      commit: (request) => {
        sent += request.additions.reduce((sum, { bytes }) => sum + bytes.length, 0)
        return store.commit(request)
      },
    },
    model,
    clock: now,
    newId,
    writer: { version: VERSION },
  })
  const total = commits * rate.eventsACommit
  for (let start = 0; start < total; start += rate.eventsACommit) {
    nowMs += rate.eventsACommit * world.eventEveryMs
    const events = Array.from({ length: rate.eventsACommit }, (_, offset) =>
      eventAt(world, EVENTS_BEFORE + start + offset, EVENTS_BEFORE),
    )
    await ledger.append(async () => ({ events, result: null }))
  }
  await ledger.close()
  const after = sizeOf(directory)
  const [objects, bytes] = [after.objects - before.objects, after.bytes - before.bytes]
  const commitsAYear = (HOURS_A_YEAR * rate.eventsAnHour) / rate.eventsACommit
  return [
    `${grouped(rate.eventsAnHour)} an hour, ${rate.why}`,
    `${grouped(commits)}, ${grouped(total)}`,
    grouped((objects * 1_000) / commits),
    grouped(sent / commits),
    grouped(bytes / commits),
    `${((bytes / commits) * (commitsAYear / 1e9)).toFixed(1)} GB`,
  ]
}

/**
 * What commits of the ledger weigh, by a sample that the real adapter makes in a real repository. The year is computed
 * from it: so many times the commits of the sample.
 */
export async function benchSize(write: (line: string) => void, commits: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'ringmaster-bench-'))
  try {
    const rows: string[][] = []
    for (const rate of RATES) rows.push(await sample(join(directory, `${rate.eventsAnHour}.git`), rate, commits))
    write(
      table(
        [
          'events',
          'measured: commits, events',
          'objects for 1,000 commits',
          'bytes sent a commit',
          'bytes a commit after git gc',
          'a year, computed',
        ],
        rows,
      ),
    )
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { model } from '../../src/core/model.ts'
import { openLedger } from '../../src/ledger/ledger.ts'
import { VERSION } from '../../src/version.ts'
import { END_MS, eventAt, fillingOf, history, LARGE, newId, type World } from './ledger-history.ts'
import { grouped, table } from './measure.ts'

const HOUR_MS = 3_600_000
const HOURS_A_YEAR = 8_760
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

/** What the commits of a sample came to. */
interface Sample {
  readonly rate: Rate
  /** Events of the history that it begins after, with the keys and runs of them; the boards are full at every age. */
  readonly age: number
  readonly commits: number
  readonly objects: number
  readonly sent: number
  readonly bytes: number
}

async function sample(directory: string, rate: Rate, age: number, commits: number): Promise<Sample> {
  const world: World = { ...LARGE, eventEveryMs: HOUR_MS / rate.eventsAnHour, before: fillingOf(LARGE) }
  let nowMs = END_MS
  const now = () => new Date(nowMs).toISOString()
  const store = await history(directory, world, { total: age, eventsAFile: 50, now })
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
  const end = world.before + age
  const total = commits * rate.eventsACommit
  for (let start = 0; start < total; start += rate.eventsACommit) {
    nowMs += rate.eventsACommit * world.eventEveryMs
    const events = Array.from({ length: rate.eventsACommit }, (_, offset) => eventAt(world, end + start + offset, end))
    await ledger.append(async () => ({ events, result: null }))
  }
  await ledger.close()
  const after = sizeOf(directory)
  const [objects, bytes] = [after.objects - before.objects, after.bytes - before.bytes]
  return { rate, age, commits, objects, sent, bytes }
}

const yearOf = ({ rate, commits, bytes }: Sample): number =>
  ((bytes / commits) * HOURS_A_YEAR * rate.eventsAnHour) / rate.eventsACommit

/** Rows of one rate, youngest first. The year is that of the age whose commits weigh most. */
function rowsOf(samples: readonly Sample[]): string[][] {
  const [youngest] = samples
  const year = Math.max(...samples.map(yearOf))
  return samples.map((one) => {
    const { rate, age, commits, objects, sent, bytes } = one
    return [
      `${grouped(rate.eventsAnHour)} an hour, ${rate.why}`,
      grouped(age),
      `${grouped(commits)}, ${grouped(commits * rate.eventsACommit)}`,
      grouped((objects * 1_000) / commits),
      grouped(sent / commits),
      grouped(bytes / commits),
      `${(bytes / (youngest?.bytes ?? Number.NaN)).toFixed(2)}×`,
      yearOf(one) === year ? `${(year / 1e9).toFixed(1)} GB` : '',
    ]
  })
}

/**
 * What commits of the ledger weigh, by a sample that the real adapter makes in a real repository, at several ages of the
 * history. The year is computed from it: so many times the commits of the heaviest sample.
 */
export async function benchSize(
  write: (line: string) => void,
  { commits, ages }: { readonly commits: number; readonly ages: readonly number[] },
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'ringmaster-bench-'))
  try {
    const rows: string[][] = []
    for (const rate of RATES) {
      const samples: Sample[] = []
      for (const age of ages)
        samples.push(await sample(join(directory, `${rate.eventsAnHour}-${age}.git`), rate, age, commits))
      rows.push(...rowsOf(samples))
    }
    write(
      table(
        [
          'events',
          'events before',
          'measured: commits, events',
          'objects for 1,000 commits',
          'bytes sent a commit',
          'bytes a commit after git gc',
          'against the youngest',
          'a year, computed from the heaviest',
        ],
        rows,
      ),
    )
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

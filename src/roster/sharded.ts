import { sha256 } from '../core/json.ts'
import { parseDocument } from '../core/manifest/issues.ts'
import { publicName } from '../core/manifest/names.ts'
import { RingmasterError, unwrap } from '../core/problem.ts'
import { RosterEntry, RosterHead } from './schema.ts'
import type { Enrolling, RosterStore } from './store.ts'

/** A million pseudonyms are then some four thousand lines a file: one enrolment rewrites one of them. */
const SHARDS = Array.from({ length: 256 }, (_, at) => at.toString(16).padStart(2, '0'))
const FILES_TOGETHER = 32

const shardOf = (pseudonym: string): string => sha256(pseudonym).slice(7, 9)
const byPseudonym = (a: RosterEntry, b: RosterEntry): number =>
  a.pseudonym < b.pseudonym ? -1 : a.pseudonym > b.pseudonym ? 1 : 0

export interface RosterFile {
  readonly bytes: Uint8Array
  /** What a store tells versions of a file apart by; empty where its lock is enough. */
  readonly version: string
}

/** A place that keeps the files of rosters. Paths are `<cohort>/<name>`. */
export interface RosterFiles {
  readonly name: string
  /** As messages call it. */
  whereIs(path: string): string
  read(path: string): Promise<RosterFile | null>
  /** Writes a file in the place of the one that was read; null when there was none. Throws when there is another one now. */
  write(path: string, bytes: Uint8Array, before: RosterFile | null): Promise<void>
  /** Runs some work on the files of a folder while no other writer does. */
  alone<T>(folder: string, work: () => Promise<T>): Promise<T>
}

/** Rosters as files: a folder for each cohort, 256 sorted files of one line a device in it. */
export function shardedRoster(files: RosterFiles): RosterStore {
  const headPath = (cohort: string): string => `${publicName(cohort)}/roster.json`
  const shardPath = (cohort: string, shard: string): string => `${publicName(cohort)}/${shard}.ndjson`

  async function readHead(cohort: string): Promise<{ readonly file: RosterFile; readonly head: RosterHead } | null> {
    const path = headPath(cohort)
    const file = await files.read(path)
    if (file === null) return null
    return {
      file,
      head: unwrap(parseDocument(RosterHead, file.bytes, 'roster-invalid', files.whereIs(path)), 'outside'),
    }
  }
  const writeHead = (head: RosterHead, before: RosterFile | null): Promise<void> =>
    files.write(headPath(head.cohort), Buffer.from(`${JSON.stringify(head)}\n`, 'utf8'), before)
  async function readShard(cohort: string, shard: string) {
    const path = shardPath(cohort, shard)
    const file = await files.read(path)
    return { file, entries: file === null ? [] : entriesIn(file.bytes, files.whereIs(path)) }
  }
  /** Answers everybody of the shard who was asked for. */
  async function enrolInto(
    { cohort, shard, epoch }: { readonly cohort: string; readonly shard: string; readonly epoch: number },
    newcomers: readonly Enrolling[],
  ): Promise<RosterEntry[]> {
    const { file, entries } = await readShard(cohort, shard)
    const known = new Map(entries.map((entry) => [entry.pseudonym, entry]))
    for (const { pseudonym, tags } of newcomers)
      known.set(pseudonym, { pseudonym, epoch: known.get(pseudonym)?.epoch ?? epoch, tags: [...tags] })
    const lines = [...known.values()].sort(byPseudonym).map((entry) => `${JSON.stringify(entry)}\n`)
    await files.write(shardPath(cohort, shard), Buffer.from(lines.join(''), 'utf8'), file)
    return newcomers.flatMap(({ pseudonym }) => known.get(pseudonym) ?? [])
  }

  return {
    name: files.name,
    async read(cohort, upTo) {
      const found = await readHead(cohort)
      if (found === null) return null
      const read = await someAtOnce(SHARDS, (shard) => readShard(cohort, shard))
      const entries: RosterEntry[] = []
      for (const shard of read) for (const entry of shard.entries) if (entry.epoch <= upTo) entries.push(entry)
      return { epoch: Math.min(upTo, found.head.newest), entries: entries.sort(byPseudonym) }
    },
    close: (cohort) =>
      files.alone(publicName(cohort), async () => {
        const found = await readHead(cohort)
        if (found === null) return null
        const { head, file } = found
        if (head.newest > head.closed) await writeHead({ ...head, closed: head.newest }, file)
        return head.newest
      }),
    enrol: (cohort, devices) =>
      files.alone(publicName(cohort), async () => {
        const found = await readHead(cohort)
        const head = found?.head ?? { schema: 'ringmaster/roster/1', cohort, closed: 0, newest: 0 }
        const epoch = head.closed + 1
        const newest = devices.length > 0 ? epoch : head.newest
        /** The head first: an epoch that is named and holds nobody is harmless, the other way round is not. */
        if (found === null || newest !== head.newest) await writeHead({ ...head, newest }, found?.file ?? null)
        const shards = await someAtOnce([...byShard(devices)], ([shard, newcomers]) =>
          enrolInto({ cohort, shard, epoch }, newcomers),
        )
        const enrolled = new Map(shards.flat().map((entry) => [entry.pseudonym, entry]))
        return devices.flatMap(({ pseudonym }) => enrolled.get(pseudonym) ?? [])
      }),
  }
}

async function someAtOnce<T, R>(of: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const done: R[] = []
  for (let start = 0; start < of.length; start += FILES_TOGETHER)
    done.push(...(await Promise.all(of.slice(start, start + FILES_TOGETHER).map(work))))
  return done
}

function byShard(devices: readonly Enrolling[]): Map<string, Enrolling[]> {
  const shards = new Map<string, Enrolling[]>()
  for (const device of devices) {
    const shard = shardOf(device.pseudonym)
    const found = shards.get(shard)
    if (found) found.push(device)
    else shards.set(shard, [device])
  }
  return shards
}

/** The lines of a file. One that does not read is refused: a device left out would shift every count. */
function entriesIn(bytes: Uint8Array, path: string): RosterEntry[] {
  const lines = Buffer.from(bytes).toString('utf8').split('\n')
  if (lines.pop() !== '') throw damaged(path, lines.length + 1)
  return lines.map((line, at) => {
    try {
      return RosterEntry.parse(JSON.parse(line))
    } catch {
      throw damaged(path, at + 1)
    }
  })
}

const damaged = (path: string, line: number): RingmasterError =>
  new RingmasterError('outside', {
    code: 'roster-invalid',
    message: `expected one enrolled device a line, found something else at ${path}:${line}`,
    hint: 'Restore the file from a copy; no count is told from a damaged roster.',
  })

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '../core/json.ts'
import { parseDocument } from '../core/manifest/issues.ts'
import { publicName } from '../core/manifest/names.ts'
import { RingmasterError, unwrap } from '../core/problem.ts'
import { writeDurably } from '../publish/durable-file.ts'
import { withLock } from './lock.ts'
import { RosterEntry, RosterHead } from './schema.ts'
import type { Enrolling, RosterStore } from './store.ts'

/** A million pseudonyms are then some four thousand lines a file: one enrolment rewrites one of them. */
const SHARDS = Array.from({ length: 256 }, (_, at) => at.toString(16).padStart(2, '0'))
const FILES_TOGETHER = 32

const shardOf = (pseudonym: string): string => sha256(pseudonym).slice(7, 9)
const byPseudonym = (a: RosterEntry, b: RosterEntry): number =>
  a.pseudonym < b.pseudonym ? -1 : a.pseudonym > b.pseudonym ? 1 : 0

/**
 * Rosters as files: a directory for each cohort, 256 sorted files of one line a device in it. Only its owner may read
 * them. Writers of several processes wait for each other.
 */
export function directoryRoster(directory: string): RosterStore {
  const placeOf = (cohort: string): string => join(directory, publicName(cohort))
  const headPath = (cohort: string): string => join(placeOf(cohort), 'roster.json')
  const shardPath = (cohort: string, shard: string): string => join(placeOf(cohort), `${shard}.ndjson`)
  const locked = <T>(cohort: string, work: () => Promise<T>): Promise<T> =>
    withLock(join(placeOf(cohort), 'lock'), work)

  async function readHead(cohort: string): Promise<RosterHead | null> {
    const bytes = await readOrNull(headPath(cohort))
    return bytes && unwrap(parseDocument(RosterHead, bytes, 'roster-invalid', headPath(cohort)), 'outside')
  }
  const writeHead = (head: RosterHead): Promise<void> =>
    writeDurably(headPath(head.cohort), Buffer.from(`${JSON.stringify(head)}\n`, 'utf8'), 0o600)
  async function readShard(cohort: string, shard: string): Promise<RosterEntry[]> {
    const path = shardPath(cohort, shard)
    const bytes = await readOrNull(path)
    return bytes === null ? [] : entriesIn(bytes, path)
  }
  const writeShard = (cohort: string, shard: string, entries: readonly RosterEntry[]): Promise<void> => {
    const lines = entries.map((entry) => `${JSON.stringify(entry)}\n`)
    return writeDurably(shardPath(cohort, shard), Buffer.from(lines.join(''), 'utf8'), 0o600)
  }

  return {
    name: `the directory ${directory}`,
    async read(cohort, upTo) {
      const head = await readHead(cohort)
      if (head === null) return null
      const entries: RosterEntry[] = []
      for (let start = 0; start < SHARDS.length; start += FILES_TOGETHER) {
        const shards = SHARDS.slice(start, start + FILES_TOGETHER)
        const read = await Promise.all(shards.map((shard) => readShard(cohort, shard)))
        for (const shard of read) for (const entry of shard) if (entry.epoch <= upTo) entries.push(entry)
      }
      return { epoch: Math.min(upTo, head.newest), entries: entries.sort(byPseudonym) }
    },
    close: (cohort) =>
      locked(cohort, async () => {
        const head = await readHead(cohort)
        if (head === null) return null
        if (head.newest > head.closed) await writeHead({ ...head, closed: head.newest })
        return head.newest
      }),
    enrol: (cohort, devices) =>
      locked(cohort, async () => {
        const head = (await readHead(cohort)) ?? { schema: 'ringmaster/roster/1', cohort, closed: 0, newest: 0 }
        const epoch = head.closed + 1
        /** The head first: an epoch that is named and holds nobody is harmless, the other way round is not. */
        if (devices.length > 0 || head.newest === 0)
          await writeHead({ ...head, newest: devices.length > 0 ? epoch : head.newest })
        const enrolled = new Map<string, RosterEntry>()
        for (const [shard, newcomers] of byShard(devices)) {
          const known = new Map((await readShard(cohort, shard)).map((entry) => [entry.pseudonym, entry]))
          for (const { pseudonym, tags } of newcomers) {
            const entry = { pseudonym, epoch: known.get(pseudonym)?.epoch ?? epoch, tags: [...tags] }
            known.set(pseudonym, entry)
            enrolled.set(pseudonym, entry)
          }
          await writeShard(cohort, shard, [...known.values()].sort(byPseudonym))
        }
        return devices.flatMap(({ pseudonym }) => enrolled.get(pseudonym) ?? [])
      }),
  }
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

async function readOrNull(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new RingmasterError(
      'outside',
      { code: 'roster-unreadable', message: `expected to read ${path}, found ${String(error)}` },
      { cause: error },
    )
  }
}

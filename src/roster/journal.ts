import { mkdir, open, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { z } from 'zod'
import { RingmasterError } from '../core/problem.ts'
import { writeDurably } from '../publish/durable-file.ts'

/** The newest entry of each key, each durable before `put` settles. One process writes a journal. */
export interface Journal<T> {
  values(): Iterable<T>
  get(key: string): T | undefined
  put(entry: T): Promise<void>
  close(): Promise<void>
}

/** A file with this many times as many lines as there are keys is written anew when it is opened. */
const COMPACT_ABOVE = 3

/**
 * Opens a file of one JSON value a line, the newest of each key last. A last line that was cut by a crash was never
 * answered for and is dropped; any other that does not read is refused with its place.
 */
export async function openJournal<S extends z.ZodType>(options: {
  readonly path: string
  readonly schema: S
  readonly keyOf: (entry: z.infer<S>) => string
}): Promise<Journal<z.infer<S>>> {
  type T = z.infer<S>
  const { path, schema, keyOf } = options
  const entries = new Map<string, T>()
  const lines = await linesOf(path)
  lines.forEach((line, at) => {
    const read = schema.safeParse(jsonOf(line))
    if (!read.success)
      throw new RingmasterError('outside', {
        code: 'journal-invalid',
        message: `expected what a device did, found something else at ${path}:${at + 1}`,
        hint: 'Restore the file from a copy, or take the line out: whoever it counted is then counted anew.',
      })
    entries.set(keyOf(read.data), read.data)
  })
  const lineOf = (entry: T): string => `${JSON.stringify(entry)}\n`
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  if (lines.length > entries.size * COMPACT_ABOVE || lines.length === 0)
    await writeDurably(path, Buffer.from([...entries.values()].map(lineOf).join(''), 'utf8'), 0o600)
  const file = await open(path, 'a', 0o600)
  let waiting: string[] = []
  let writing: Promise<void> = Promise.resolve()
  /** Everything that came while the disk was busy is flushed together. */
  const flush = async (): Promise<void> => {
    if (waiting.length === 0) return
    const batch = waiting
    waiting = []
    try {
      await file.appendFile(batch.join(''))
      await file.sync()
    } catch (error) {
      /** Whoever comes next writes it: an entry that is counted in memory must not be missing after a restart. */
      waiting = [...batch, ...waiting]
      throw error
    }
  }
  return {
    values: () => entries.values(),
    get: (key) => entries.get(key),
    put(entry) {
      entries.set(keyOf(entry), entry)
      waiting.push(lineOf(entry))
      const durable = writing.then(flush)
      writing = durable.catch(() => undefined)
      return durable
    },
    async close() {
      await writing
      await file.close()
    },
  }
}

const jsonOf = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** Whole lines only; what stands after the last line break is cut off the file. */
async function linesOf(path: string): Promise<string[]> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (bytes === null) return []
  const end = bytes.lastIndexOf(10) + 1
  if (end < bytes.length) await writeDurably(path, bytes.subarray(0, end), 0o600)
  return bytes
    .subarray(0, end)
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
}

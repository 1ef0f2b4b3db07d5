import { readFile } from 'node:fs/promises'
import type { z } from 'zod'
import { parseDocument } from '../core/manifest/issues.ts'
import { RingmasterError, unwrap } from '../core/problem.ts'
import { writeDurably } from '../publish/durable-file.ts'

/** What the system says of a file that cannot be read, in words. */
const WORDS: ReadonlyMap<unknown, string> = new Map([
  ['ENOENT', 'nothing there'],
  ['ENOTDIR', 'nothing there'],
  ['EISDIR', 'a folder'],
  ['EACCES', 'a file that may not be read'],
])

function foundAt(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  return WORDS.get(code) ?? code ?? 'trouble'
}

/** The bytes of a file that the caller named. Throws bad input with its path. */
export async function readInput(path: string, what: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (error) {
    throw new RingmasterError(
      'bad-input',
      {
        code: 'file-unreadable',
        message: `expected ${what} at ${path}, found ${foundAt(error)}`,
        hint: 'Check the path and who may read it.',
      },
      { cause: error },
    )
  }
}

/** A JSON file read by a schema; every field that does not fit is told. */
export const readDocument = async <S extends z.ZodType>(path: string, schema: S, what: string): Promise<z.infer<S>> =>
  unwrap(parseDocument(schema, await readInput(path, what), 'file-invalid', path))

/** Writes an output file whole or not at all. */
export async function writeOutput(path: string, bytes: string | Uint8Array): Promise<void> {
  try {
    await writeDurably(path, typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes)
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error)
    throw new RingmasterError(
      'outside',
      { code: 'file-unwritable', message: `expected to write ${path}, found ${found}` },
      { cause: error },
    )
  }
}

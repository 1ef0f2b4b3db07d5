import semver from 'semver'
import { quoted } from '../core/problem.ts'
import { HEAD_PATH, MIN_WRITER } from './codec.ts'
import type { Head } from './schema.ts'
import type { Author } from './store.ts'
import { integrityError, integrityProblem } from './trouble.ts'

/** Who writes to a branch by hand: a command that is not the running App. */
export interface Writer {
  /** This program's version; refused when it is below the ledger's `minWriter`. */
  readonly version: string
  /** Whose commits alone it goes on from; left out, those of whoever made the first one. */
  readonly author?: Pick<Author, 'email'>
}

/** Throws `writer-too-old` when a head asks for a newer program than this one. */
export function checkWriter({ minWriter }: Pick<Head, 'minWriter'>, { version }: Pick<Writer, 'version'>): void {
  if (semver.valid(minWriter) && semver.valid(version) && semver.gte(version, minWriter)) return
  const message = `${HEAD_PATH}: expected a writer of version ${quoted(minWriter)} or newer, found this one at ${quoted(version)}`
  throw integrityError(integrityProblem('writer-too-old', message, { path: HEAD_PATH }))
}

/** What a head asks of writers once this program has written: never less than before. */
export const minWriterAfter = (before: string): string => (semver.gt(MIN_WRITER, before) ? MIN_WRITER : before)

/** What a head that cannot be read as a whole still asks of writers. */
export function minWriterIn(bytes: Uint8Array | null | undefined): string {
  try {
    const { minWriter } = JSON.parse(Buffer.from(bytes ?? []).toString('utf8')) as { minWriter?: unknown }
    return typeof minWriter === 'string' && semver.valid(minWriter) ? minWriterAfter(minWriter) : MIN_WRITER
  } catch {
    return MIN_WRITER
  }
}

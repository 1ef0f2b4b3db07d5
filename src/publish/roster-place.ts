import { resolve, sep } from 'node:path'
import { type Checked, quoted, rejected } from '../core/problem.ts'
import { directoryRoster } from '../roster/directory.ts'
import { s3Roster } from '../roster/s3.ts'
import type { RosterStore } from '../roster/store.ts'
import { type Place, readPlace } from './place.ts'

type Variables = Readonly<Record<string, string | undefined>>

/**
 * Where rosters are kept: a directory, or `s3://BUCKET/PREFIX` by the variables that a publication in a bucket reads too.
 * Refused where what is published would hold it: pseudonyms are for nobody's eyes.
 */
export function readRosterPlace(
  text: string,
  env: Variables,
  published: Place | null,
): Checked<Place, 'setting-missing' | 'setting-invalid'> {
  const place = readPlace(text, env)
  if (!place.ok || published === null || !holds(published, place.value)) return place
  return rejected({
    code: 'setting-invalid',
    message: `expected a roster outside of what is published, found ${quoted(text)} inside`,
    hint: 'Give the roster a directory or a bucket of its own that nobody else can read.',
  })
}

/** A bucket is public as a whole, or may become so. */
function holds(published: Place, roster: Place): boolean {
  if (published.kind === 's3')
    return roster.kind === 's3' && roster.endpoint === published.endpoint && roster.bucket === published.bucket
  return (
    roster.kind === 'directory' &&
    `${resolve(roster.directory)}${sep}`.startsWith(`${resolve(published.directory)}${sep}`)
  )
}

export const rosterAt = (place: Place, clock: () => string): RosterStore =>
  place.kind === 'directory' ? directoryRoster(place.directory) : s3Roster({ ...place, clock })

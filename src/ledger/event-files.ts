import type { Head } from './schema.ts'
import type { LedgerStore } from './store.ts'

/** GitHub recommends at most 3,000 entries a directory; an hour that fills its own goes on in `HH-1`, `HH-2` … */
const MAX_FOLDER_FILES = 2_900

const FOLDER = /^events\/(\d{4})\/(\d{2})\/(\d{2})\/(\d{2})(?:-(\d{1,6}))?$/
const FILE = /^(\d{1,15})-[0-9A-Za-z]{1,40}\.ndjson$/

const hourFolder = (now: string): string => `events/${now.slice(0, 13).replace('T', '-').replaceAll('-', '/')}`

const ordinal = (folder: string): readonly number[] =>
  (FOLDER.exec(folder) ?? []).slice(1).map((part) => Number(part ?? 0))

const compareNumbers = (a: readonly number[], b: readonly number[]): number => {
  const at = a.findIndex((value, index) => value !== b[index])
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0)
}

const nextFolder = (folder: string): string => {
  const [, base, count] = /^(.*\/\d{2})(?:-(\d+))?$/.exec(folder) ?? []
  return `${base}-${Number(count ?? 0) + 1}`
}

/**
 * The directory for an event file committed at `now` (ISO 8601 UTC). It never goes back behind the one before, whatever
 * a writer's clock says, so that the order of the paths is the order of the events.
 */
export function folderFor(now: string, before: Head['folder']): Head['folder'] {
  const wanted = hourFolder(now)
  const goesOn = before.path !== '' && compareNumbers(ordinal(wanted), ordinal(before.path)) <= 0
  if (!goesOn) return { path: wanted, files: 1 }
  if (before.files < MAX_FOLDER_FILES) return { path: before.path, files: before.files + 1 }
  return { path: nextFolder(before.path), files: 1 }
}

export const eventFilePath = (folder: string, firstSeq: number, id: string): string =>
  `${folder}/${firstSeq}-${id}.ndjson`

/** The number of the first event of a file by its path; undefined when the path is not an event file's. */
export function firstSeqOf(path: string): number | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const match = FILE.exec(name)
  return match && FOLDER.test(path.slice(0, -name.length - 1)) ? Number(match[1]) : undefined
}

const LEVELS = [/^\d{4}$/, /^\d{2}$/, /^\d{2}$/, /^\d{2}(?:-\d{1,6})?$/, FILE] as const

const compareNames = (a: string, b: string): number => {
  const numbers = (name: string) => (/^(\d+)(?:-(\d+))?/.exec(name) ?? []).slice(1).map((part) => Number(part ?? 0))
  return compareNumbers(numbers(a), numbers(b)) || (a < b ? -1 : 1)
}

export interface FoundPath {
  readonly path: string
  /** Whether the path is where an event file belongs; a stranger among them is reported, never skipped. */
  readonly known: boolean
}

/**
 * All event files of a commit in the order of their events, one directory listing at a time. `since` (ISO 8601 UTC)
 * leaves out directories of days before it.
 */
export async function* eventPaths(
  store: LedgerStore,
  commit: string,
  options: { readonly since?: string } = {},
): AsyncGenerator<FoundPath> {
  const oldest = options.since ? hourFolder(options.since).slice(0, 'events/2026/11/20'.length) : ''
  const walk = async function* (directory: string, level: number): AsyncGenerator<FoundPath> {
    const expected = LEVELS[level]
    const entries = await store.list(commit, directory)
    const ordered = [...entries].sort((a, b) => compareNames(a.name, b.name))
    for (const { name, kind } of ordered) {
      const path = `${directory}/${name}`
      const fits = expected?.test(name) === true && (kind === 'file') === (level === LEVELS.length - 1)
      if (!fits) yield { path, known: false }
      else if (kind === 'file') yield { path, known: true }
      else if (path >= oldest.slice(0, path.length)) yield* walk(path, level + 1)
    }
  }
  yield* walk('events', 0)
}

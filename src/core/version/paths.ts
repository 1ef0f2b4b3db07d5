import { accepted, type Checked, type Problem, quoted } from '../problem.ts'

/** The part of a repository that a product is built from. */
export interface Area {
  readonly name: string
  /** A folder or a file from the repository's root; `.` is the whole repository. */
  readonly path: string
  /** Folders or files whose changes do not count for this area. */
  readonly exclude?: readonly string[]
}

/** Says for which areas a commit counts: their names, in the order declared. */
export type AreaMap = (files: readonly string[]) => readonly string[]

interface Place {
  readonly area: Area
  readonly path: string
  readonly exclude: ReadonlySet<string>
}

/**
 * Prepares areas for reading commits. A file belongs to the area with the longest path above it; a commit counts for
 * every area that owns one of its files outside the exclusions, and for all of them when it changes no file at all
 * (that is how people ask for a release by an empty commit). Reading is linear in the length of the file names.
 */
export function parseAreas(areas: readonly Area[]): Checked<AreaMap, 'bad-path'> {
  const problems = areas.flatMap((area, index) => problemsOfArea(area, index))
  if (problems.length > 0) return { ok: false, problems }
  const places = areas.map((area): Place => {
    return { area, path: normalPath(area.path), exclude: new Set((area.exclude ?? []).map(normalPath)) }
  })
  const byPath = new Map<string, Place[]>()
  for (const place of places) byPath.set(place.path, [...(byPath.get(place.path) ?? []), place])
  return accepted((files) => {
    if (files.length === 0) return areas.map(({ name }) => name)
    const counted = new Set(files.flatMap((file) => ownersOf(file, byPath)))
    return places.filter((place) => counted.has(place)).map(({ area }) => area.name)
  })
}

/** One product of a repository, and where the others are. */
export interface ProductPlace {
  readonly path: string
  readonly exclude: readonly string[]
  /** Folders of other products; the product's own may be among them, so that all products can be given one list. */
  readonly otherPaths: readonly string[]
}

/** Says of a commit's files whether it counts for the product. */
export type CountsFor = (files: readonly string[]) => boolean

/** Prepares reading commits for one product: what lies in another product's longer path is not its own. */
export function parseProductPlace({ path, exclude, otherPaths }: ProductPlace): Checked<CountsFor, 'bad-path'> {
  const others = otherPaths.map((other) => ({ name: 'other', path: other }))
  const areas = parseAreas([{ name: 'own', path, exclude }, ...others])
  return areas.ok ? accepted((files) => areas.value(files).includes('own')) : areas
}

/** The areas that a file counts for: those with the longest path above it, unless it is excluded there. */
function ownersOf(file: string, byPath: ReadonlyMap<string, readonly Place[]>): readonly Place[] {
  const above = foldersAbove(file)
  const deepest = above.find((folder) => byPath.has(folder))
  const owners = deepest === undefined ? [] : (byPath.get(deepest) ?? [])
  return owners.filter(({ exclude }) => exclude.size === 0 || !above.some((folder) => exclude.has(folder)))
}

/** The file itself, its folder, the folder above, … up to `.`. */
function foldersAbove(file: string): string[] {
  const folders = [file]
  for (let slash = file.lastIndexOf('/'); slash > 0; slash = file.lastIndexOf('/', slash - 1)) {
    folders.push(file.slice(0, slash))
  }
  return [...folders, '.']
}

/** A path as git writes it: without `./` before or inside it, one slash between folders and none behind; `.` for the root. */
export const normalPath = (path: string): string =>
  path
    .replace(/\/(?:\.?\/)+/g, '/')
    .replace(/^\.\//, '')
    .replace(/\/\.?$/, '') || '.'

function problemsOfArea({ path, exclude = [] }: Area, index: number): Problem<'bad-path'>[] {
  const named = [{ text: path, path: `areas[${index}].path` }]
  const excluded = exclude.map((text, at) => ({ text, path: `areas[${index}].exclude[${at}]` }))
  return [...named, ...excluded].filter(({ text }) => !isInside(text)).map(({ text, path: at }) => problemOf(text, at))
}

const isInside = (path: string): boolean =>
  path !== '' && !path.startsWith('/') && !path.includes('\\') && !path.split('/').includes('..')

const problemOf = (text: string, path: string): Problem<'bad-path'> => ({
  code: 'bad-path',
  message: `expected a path from the repository's root with forward slashes, found ${quoted(text)}`,
  path,
})

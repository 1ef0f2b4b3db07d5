import { isUtf8 } from 'node:buffer'
import { accepted, type Checked, type Problem, quoted, rejected } from '../problem.ts'
import { usualVersionFiles, writeVersion } from './files.ts'

/** A file of a repository as it is; null where there is none. */
export interface FoundFile {
  readonly path: string
  readonly bytes: Uint8Array | null
  /** What was found in its place, in words. */
  readonly found?: string
}

/** A file as it should be. */
export interface RewrittenFile {
  readonly path: string
  readonly text: string
}

/** Which files may hold the version of a product: those that a team names, else the usual ones in its folder. */
export function versionFilePaths(named: readonly string[], folder: string | null): readonly string[] {
  if (named.length > 0) return named
  return usualVersionFiles.map((name) =>
    folder === null || folder === '.' ? name : `${folder.replace(/\/+$/, '')}/${name}`,
  )
}

const ELSEWHERE: ReadonlySet<string> = new Set(['version-file-missing', 'version-file-none', 'version-file-elsewhere'])

/**
 * Writes a version into files and answers with those that change: all of them or, where one is refused, none. With
 * `named`, each file has to be there and to hold a version; a usual file that nobody named may be there for other things,
 * such as a private package.json without a version, as long as another one holds it.
 */
export function rewriteFiles(
  files: readonly FoundFile[],
  version: string,
  { named }: { readonly named: boolean },
): Checked<readonly RewrittenFile[]> {
  const results = files.map(({ path, bytes, found }) => ({
    path,
    isThere: bytes !== null,
    checked: bytes === null ? rejected<string>(missing(path, found)) : rewrite(path, bytes, version),
  }))
  const problems = results.flatMap(({ checked }) => (checked.ok ? [] : checked.problems))
  const others = named ? problems : problems.filter(({ code }) => !ELSEWHERE.has(code))
  if (others.length > 0) return rejected(...others)
  if (!results.some(({ checked }) => checked.ok)) {
    const there = results.flatMap(({ isThere, checked }) => (isThere && !checked.ok ? checked.problems : []))
    return rejected(...(there.length > 0 ? there : [noneOf(files)]))
  }
  return accepted(
    results.flatMap(({ path, checked }) =>
      checked.ok && checked.value !== null ? [{ path, text: checked.value }] : [],
    ),
  )
}

/** The text with the version; null where it stands there already. */
function rewrite(path: string, bytes: Uint8Array, version: string): Checked<string | null> {
  if (!isUtf8(bytes)) {
    const message = `expected UTF-8 in ${quoted(path)}, found other bytes`
    return rejected<string>({ code: 'version-file-unread', message, path })
  }
  const before = Buffer.from(bytes).toString('utf8')
  const written = writeVersion(path, before, version)
  if (!written.ok) return written
  return accepted(written.value.text === before ? null : written.value.text)
}

const missing = (path: string, found = 'nothing'): Problem => ({
  code: 'version-file-missing',
  message: `expected a file as one of the version files, found ${found} at ${quoted(path)}`,
  hint: 'name files that are there and hold the version',
  path,
})

const noneOf = (files: readonly FoundFile[]): Problem => ({
  code: 'version-file-missing',
  message: `expected a file that holds the version, found none of ${files.map(({ path }) => path).join(', ')}`,
  hint: 'name the files that hold it: `versionFiles` of the product in the configuration, the input version-files, or --file',
})

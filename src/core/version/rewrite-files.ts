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
 * such as a private package.json without a version.
 */
export function rewriteFiles(
  files: readonly FoundFile[],
  version: string,
  { named }: { readonly named: boolean },
): Checked<readonly RewrittenFile[]> {
  const rewritten: RewrittenFile[] = []
  const problems: Problem[] = []
  for (const { path, bytes, found } of files) {
    const checked: Checked<string | null> =
      bytes === null ? rejected(missing(path, found)) : rewrite(path, bytes, version)
    if (!checked.ok && (named || !checked.problems.every(({ code }) => ELSEWHERE.has(code)))) {
      problems.push(...checked.problems)
    }
    if (checked.ok && checked.value !== null) rewritten.push({ path, text: checked.value })
  }
  return problems.length > 0 ? rejected(...problems) : accepted(rewritten)
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

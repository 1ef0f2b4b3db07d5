import { accepted, type Checked, type Problem, quoted, rejected } from '../problem.ts'
import { jsonTexts, type NamedSpan, type Span, tomlTexts, xmlTexts } from './spans.ts'
import { parseVersion, type Version } from './version.ts'

export type VersionFileCode =
  | 'version-file-unread'
  | 'version-file-none'
  | 'version-file-ambiguous'
  | 'version-file-elsewhere'
  | 'version-file-scheme'

type Found = Checked<readonly Span[], VersionFileCode>

interface FileKind {
  /** Whether a file is of this kind, by its name without folders. */
  readonly named: (name: string) => boolean
  /** Every place that holds the version of the product itself. */
  readonly find: (text: string, version: Version) => Found
  /** Why a version cannot be written into such a file; null: it can. */
  readonly refuses?: (version: Version) => string | null
}

/** The first kind that fits. */
const kinds: readonly FileKind[] = [
  { named: (name) => name === 'package.json', find: (text) => inJson(text, [['version']]), refuses: noSemVer },
  {
    named: (name) => name === 'package-lock.json' || name === 'npm-shrinkwrap.json',
    find: (text) => inJson(text, [['version'], ['packages', '', 'version']]),
    refuses: noSemVer,
  },
  {
    named: (name) => name === 'Cargo.toml',
    find: (text) => inToml(text, [['package'], ['workspace', 'package']]),
    refuses: noSemVer,
  },
  {
    named: (name) => name === 'pyproject.toml',
    find: (text) => inToml(text, [['project'], ['tool', 'poetry']]),
    refuses: pythonRefusal,
  },
  { named: (name) => name === 'pom.xml', find: inPom },
  { named: (name) => /^version(?:\.txt)?$/i.test(name), find: inPlainFile },
  { named: () => true, find: atMarkers },
]

/** Files that are looked for where a team names none. */
export const usualVersionFiles = [
  'package.json',
  'package-lock.json',
  'npm-shrinkwrap.json',
  'Cargo.toml',
  'pyproject.toml',
  'pom.xml',
  'VERSION',
] as const

/** Marks a line of any other file whose version is ours; the second is release-please's. */
export const versionMarkers = ['ringmaster:version', 'x-release-please-version'] as const

/** The schemes whose versions files are written with; the first that a text fits. */
export const versionFileSchemes = ['semver', 'semver-build', 'calver', 'number'] as const

function parseAny(text: string): Checked<Version> {
  const read = versionFileSchemes.map((scheme): Checked<Version> => parseVersion(scheme, text))
  return read.find(({ ok }) => ok) ?? (read[0] as Checked<Version>)
}

/** What stands where a version is to be: one, in whatever scheme, or nothing yet; no expression and no words. */
const replaceable = /^(?:v?\d[\w.+!~-]*)?$/

/**
 * Replaces the product's version in the text of a file, by the file's name, and nothing else: all formatting stays.
 * Refused where the file has no version of its own, something else in its place, or several that differ, so that none is
 * changed by guess; and where the kind of file cannot hold the version.
 */
export function writeVersion(
  path: string,
  text: string,
  version: string,
): Checked<{ readonly text: string; readonly previous: string }> {
  const parsed = parseAny(version)
  if (!parsed.ok) return parsed
  const name = path.slice(path.lastIndexOf('/') + 1)
  const kind = kinds.find(({ named }) => named(name))
  const refusal = kind?.refuses?.(parsed.value) ?? null
  if (refusal !== null) return rejected({ code: 'version-file-scheme', message: refusal, path })
  const found = kind?.find(text, parsed.value) ?? none('a version')
  if (!found.ok) return rejected(...found.problems.map((problem) => ({ ...problem, path })))
  const before = [...new Set(found.value.map(({ start, end }) => text.slice(start, end)))]
  const [previous = ''] = before
  if (before.length > 1) {
    const message = `expected one version in ${path}, found ${before.map(quoted).join(' and ')}`
    return rejected({ code: 'version-file-ambiguous', message, hint: 'make them equal first', path })
  }
  if (!replaceable.test(previous)) {
    const message = `expected a version where ${path} holds its own, found ${quoted(previous)}`
    return rejected({ code: 'version-file-elsewhere', message, hint: 'name the file that the version stands in', path })
  }
  return accepted({ text: replaced(text, found.value, version), previous })
}

function replaced(text: string, spans: readonly Span[], version: string): string {
  const pieces: string[] = []
  let at = 0
  for (const { start, end } of [...spans].sort((a, b) => a.start - b.start)) {
    pieces.push(text.slice(at, start), version)
    at = end
  }
  return [...pieces, text.slice(at)].join('')
}

const none = (expected: string, hint?: string): { ok: false; problems: readonly Problem<VersionFileCode>[] } =>
  rejected({ code: 'version-file-none', message: `expected ${expected}, found none`, ...(hint ? { hint } : {}) })

const isAt = (span: NamedSpan, names: readonly string[]): boolean =>
  span.names.length === names.length && names.every((name, at) => span.names[at] === name)

function inJson(text: string, places: readonly (readonly string[])[]): Found {
  try {
    JSON.parse(text.replace(/^\ufeff/, ''))
  } catch {
    return rejected({ code: 'version-file-unread', message: 'expected a JSON document, found something else' })
  }
  const texts = jsonTexts(text)
  const found = places.map((names) => texts.filter((span) => isAt(span, names)))
  if (found[0]?.length === 0) return none('the member `version` with a text')
  if (found.every((spans) => spans.length < 2)) return accepted(found.flat())
  return rejected({ code: 'version-file-ambiguous', message: 'expected one member `version`, found it twice' })
}

function inToml(text: string, tables: readonly (readonly string[])[]): Found {
  const texts = tomlTexts(text)
  const found = tables.flatMap((table) => texts.filter((span) => isAt(span, [...table, 'version'])))
  if (found.length > 0) return accepted(found)
  const inherited = /^[ \t]*version(?:\.workspace[ \t]*=|[ \t]*=[ \t]*\{[ \t]*workspace)/m.test(text)
  if (inherited) {
    return rejected({
      code: 'version-file-elsewhere',
      message: 'expected the version itself, found that it is the workspace’s',
      hint: 'name the Cargo.toml of the workspace',
    })
  }
  return none(`a text \`version\` in ${tables.map((names) => `[${names.join('.')}]`).join(' or ')}`)
}

function inPom(text: string): Found {
  const texts = xmlTexts(text)
  const own = texts.filter((span) => isAt(span, ['project', 'version'])).map((span) => trimmed(text, span))
  if (own.length === 0) {
    return none(
      'an element <version> right in <project>',
      'name the pom.xml of the parent where the version is inherited',
    )
  }
  const [property] = own.map(({ start, end }) => /^\$\{([^{}]+)\}$/.exec(text.slice(start, end))?.[1])
  if (property === undefined) return accepted(own)
  const values = texts.filter((span) => isAt(span, ['project', 'properties', property]))
  return values.length > 0
    ? accepted(values.map((span) => trimmed(text, span)))
    : none(`the property ${quoted(property)}`)
}

function trimmed(text: string, { start, end }: Span): Span {
  const inner = text.slice(start, end)
  const from = start + (inner.length - inner.trimStart().length)
  return { start: from, end: from + inner.trim().length }
}

/** The file is the version, perhaps with a `v` before it. */
function inPlainFile(text: string): Found {
  const span = trimmed(text, { start: text.startsWith('\ufeff') ? 1 : 0, end: text.length })
  const start = /^v\d/.test(text.slice(span.start, span.end)) ? span.start + 1 : span.start
  const body = text.slice(start, span.end)
  if (body === '') return accepted([{ start, end: span.end }])
  if (!/\s/.test(body)) return accepted([{ start, end: span.end }])
  return rejected({
    code: 'version-file-ambiguous',
    message: `expected one version and nothing else, found ${quoted(body)}`,
  })
}

const versionLike =
  /(?<![\w.+-])v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?)(?![\w+]|\.\d)/g
/** Longer lines are made by machines, and are looked at no further. */
const longestLine = 2_000

/** Of versions that are no SemVer: whole numbers with dots between them, and perhaps a word behind. */
const numbersLike = /(?<![\w.+-])v?(\d+(?:\.\d+){0,3}(?:-[0-9A-Za-z-]+)?)(?![\w+]|\.\d)/g

function atMarkers(text: string, { scheme }: Version): Found {
  const like = scheme === 'semver' ? versionLike : numbersLike
  const spans: Span[] = []
  const problems: Problem<VersionFileCode>[] = []
  let at = 0
  for (const [number, line] of text.split('\n').entries()) {
    if (line.length <= longestLine && versionMarkers.some((marker) => line.includes(marker))) {
      const found = [...line.matchAll(like)]
      const [only] = found
      if (found.length === 1 && only?.[1] !== undefined) {
        const end = at + only.index + only[0].length
        spans.push({ start: end - only[1].length, end })
      } else {
        const message = `expected one version on a line with the mark ${quoted(versionMarkers[0])}, found ${found.length}`
        problems.push({ code: 'version-file-ambiguous', message, line: number + 1 })
      }
    }
    at += line.length + 1
  }
  if (problems.length > 0) return rejected(...problems)
  if (spans.length > 0) return accepted(spans)
  return none('a line with a version and a mark', `write a comment with ${versionMarkers[0]} behind the version`)
}

/** PEP 440 reads `1.2.3-45` as a post-release, which sorts the other way, and knows few words for pre-releases. */
function pythonRefusal(version: Version): string | null {
  const text = 'prerelease' in version ? version.prerelease.join('.') : ''
  if (text === '' || /^(?:a|b|c|rc|alpha|beta|pre|preview)[.-]?\d*$/.test(text)) return null
  return `expected a release or a pre-release such as rc.1, which Python can order, found the pre-release ${quoted(text)}`
}

/** npm and Cargo take no other version. */
function noSemVer({ scheme, text }: Version): string | null {
  return scheme === 'semver' ? null : `expected a SemVer version, which npm and Cargo need, found ${quoted(text)}`
}

/** A number of a version: exact at any size, `bigint` only beyond 2^53 - 1, so that equal numbers have one form. */
export type VersionNumber = number | bigint

export interface SemanticVersion {
  readonly major: VersionNumber
  readonly minor: VersionNumber
  readonly patch: VersionNumber
  readonly pre: readonly (VersionNumber | string)[]
}

/** Long enough for any real version; a report is untrusted and is read at every check. */
export const MAX_VERSION_LENGTH = 256

const NO_PRE: readonly (VersionNumber | string)[] = []
const SAFE_DIGITS = 15
const ZERO = 48
const NINE = 57

const isDigit = (code: number): boolean => code >= ZERO && code <= NINE

const isIdentifierCode = (code: number): boolean =>
  isDigit(code) || (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 45

/** The end of the number that starts at `from`, or -1: no digit, or a leading zero. */
function numberEnd(text: string, from: number): number {
  let at = from
  while (at < text.length && isDigit(text.charCodeAt(at))) at += 1
  if (at === from) return -1
  return at > from + 1 && text.charCodeAt(from) === ZERO ? -1 : at
}

function numberAt(text: string, from: number, to: number): VersionNumber {
  if (to - from > SAFE_DIGITS) {
    const exact = BigInt(text.slice(from, to))
    return exact <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(exact) : exact
  }
  let value = 0
  for (let at = from; at < to; at += 1) value = value * 10 + text.charCodeAt(at) - ZERO
  return value
}

function identifierOf(text: string): VersionNumber | string | undefined {
  if (text === '') return undefined
  let digits = true
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (!isIdentifierCode(code)) return undefined
    if (!isDigit(code)) digits = false
  }
  if (!digits) return text
  return numberEnd(text, 0) === text.length ? numberAt(text, 0, text.length) : undefined
}

function preReleaseOf(text: string): readonly (VersionNumber | string)[] | undefined {
  const identifiers: (VersionNumber | string)[] = []
  for (const part of text.split('.')) {
    const identifier = identifierOf(part)
    if (identifier === undefined) return undefined
    identifiers.push(identifier)
  }
  return identifiers
}

/** Build metadata orders nothing, so it is checked and forgotten; unlike a pre-release it may have leading zeros. */
function isBuild(text: string): boolean {
  for (const part of text.split('.')) {
    if (part === '') return false
    for (let at = 0; at < part.length; at += 1) if (!isIdentifierCode(part.charCodeAt(at))) return false
  }
  return true
}

/** What follows the numbers: `-pre`, `+build`, both, or nothing; undefined when it is something else. */
function tailOf(text: string, from: number): readonly (VersionNumber | string)[] | undefined {
  if (from === text.length) return NO_PRE
  const plus = text.indexOf('+', from)
  if (plus !== -1 && !isBuild(text.slice(plus + 1))) return undefined
  const end = plus === -1 ? text.length : plus
  if (from === end) return NO_PRE
  return text.charCodeAt(from) === 45 ? preReleaseOf(text.slice(from + 1, end)) : undefined
}

/** Whether a two-part text such as `1.2` is taken for `1.2.0`: only the operand of `~>` allows it. */
export type PatchRule = 'patch-needed' | 'patch-optional'

export interface ParsedOperand {
  readonly version: SemanticVersion
  readonly hasPatch: boolean
}

/**
 * Reads a version as Elixir's Version does: `MAJOR.MINOR.PATCH`, no leading zeros, optional `-pre.release` and
 * `+build`, no `v`, no blanks (https://hexdocs.pm/elixir/Version.html). Undefined for anything else.
 */
export function parseOperand(text: string, rule: PatchRule): ParsedOperand | undefined {
  if (text.length > MAX_VERSION_LENGTH) return undefined
  const majorEnd = numberEnd(text, 0)
  if (majorEnd === -1 || text.charCodeAt(majorEnd) !== 46) return undefined
  const minorEnd = numberEnd(text, majorEnd + 1)
  if (minorEnd === -1) return undefined
  const hasPatch = text.charCodeAt(minorEnd) === 46
  if (!hasPatch && rule === 'patch-needed') return undefined
  const patchEnd = hasPatch ? numberEnd(text, minorEnd + 1) : minorEnd
  if (patchEnd === -1) return undefined
  const pre = tailOf(text, patchEnd)
  if (pre === undefined) return undefined
  const major = numberAt(text, 0, majorEnd)
  const minor = numberAt(text, majorEnd + 1, minorEnd)
  const patch = hasPatch ? numberAt(text, minorEnd + 1, patchEnd) : 0
  return { version: { major, minor, patch, pre }, hasPatch }
}

/** A full version, or undefined; see `parseOperand` for the syntax. */
export const parseVersion = (text: string): SemanticVersion | undefined => parseOperand(text, 'patch-needed')?.version

function compareIdentifiers(a: VersionNumber | string, b: VersionNumber | string): number {
  if (typeof a === 'string') return typeof b === 'string' ? (a < b ? -1 : a > b ? 1 : 0) : 1
  if (typeof b === 'string') return -1
  return a < b ? -1 : a > b ? 1 : 0
}

function comparePre(a: readonly (VersionNumber | string)[], b: readonly (VersionNumber | string)[]): number {
  if (a.length === 0 || b.length === 0) return b.length === a.length ? 0 : a.length === 0 ? 1 : -1
  for (let at = 0; at < a.length; at += 1) {
    const left = a[at]
    const right = b[at]
    if (left === undefined || right === undefined) break
    const order = compareIdentifiers(left, right)
    if (order !== 0) return order
  }
  return Math.sign(a.length - b.length)
}

/** SemVer 2.0.0 precedence: -1, 0 or 1; build metadata never counts. */
export function compareVersions(a: SemanticVersion, b: SemanticVersion): number {
  if (a.major !== b.major) return a.major < b.major ? -1 : 1
  if (a.minor !== b.minor) return a.minor < b.minor ? -1 : 1
  if (a.patch !== b.patch) return a.patch < b.patch ? -1 : 1
  return comparePre(a.pre, b.pre)
}

/** The version's own text without build metadata. */
export function formatVersion(version: SemanticVersion): string {
  const core = `${version.major}.${version.minor}.${version.patch}`
  return version.pre.length === 0 ? core : `${core}-${version.pre.join('.')}`
}

/** The next whole number, exact at any size. */
export const successor = (value: VersionNumber): VersionNumber =>
  typeof value === 'number' && value < Number.MAX_SAFE_INTEGER ? value + 1 : BigInt(value) + 1n

import compareSemVer from 'semver/functions/compare.js'
import { accepted, type Checked, quoted, rejected } from '../problem.ts'
import { problemsOfNumber, type VersionCode, type VersionProblem } from './numbers.ts'
import { type SemVerParts, splitSemVer } from './semver-text.ts'

export type { VersionCode, VersionProblem } from './numbers.ts'

/** How a product numbers itself. */
export const versionSchemes = ['semver', 'semver-build', 'calver', 'number', 'sha', 'text'] as const
export type VersionScheme = (typeof versionSchemes)[number]

/** A version: the text it was given with, and what orders it. */
export type Version = { readonly text: string } & (
  | ({ readonly scheme: 'semver' } & SemVerParts)
  | ({
      readonly scheme: 'semver-build'
      /** The development-only number; null for a release or an ordinary pre-release. */
      readonly build: number | null
    } & SemVerParts)
  | { readonly scheme: 'calver'; readonly numbers: readonly number[]; readonly modifier: string }
  | { readonly scheme: 'number'; readonly number: number }
  | { readonly scheme: 'sha'; readonly sha: string }
  | { readonly scheme: 'text' }
)

type Of<Scheme extends VersionScheme> = Extract<Version, { readonly scheme: Scheme }>
type Order = -1 | 0 | 1
type Parsed<Scheme extends VersionScheme> = Checked<Of<Scheme>, VersionCode>

interface SchemeRules<Scheme extends VersionScheme> {
  readonly parse: (text: string) => Parsed<Scheme>
  /** Null where the two have no order. */
  readonly compare: (a: Of<Scheme>, b: Of<Scheme>) => Order | null
  /** The one way of writing it. */
  readonly format: (version: Of<Scheme>) => string
}

/** The longest version text: what the `semver` package reads at most; git and GitHub take little more. */
export const mostVersionCharacters = 256

const rulesOf: { readonly [Scheme in VersionScheme]: SchemeRules<Scheme> } = {
  semver: { parse: parseSemVer, compare: compareParts, format: formatParts },
  'semver-build': { parse: parseSemVerBuild, compare: compareParts, format: formatParts },
  calver: { parse: parseCalVer, compare: compareCalVer, format: ({ text }) => text },
  number: {
    parse: parseNumber,
    compare: (a, b) => orderOf(a.number, b.number),
    format: ({ number }) => String(number),
  },
  sha: { parse: parseSha, compare: (a, b) => (a.sha === b.sha ? 0 : null), format: ({ sha }) => sha },
  text: { parse: parseText, compare: (a, b) => (a.text === b.text ? 0 : null), format: ({ text }) => text },
}

/** Reads a version by its scheme, strictly: nothing is coerced, and every problem is told. Its own text is kept. */
export function parseVersion<Scheme extends VersionScheme>(scheme: Scheme, text: string): Parsed<Scheme> {
  if (text === '') return rejected({ code: 'version-empty', message: 'expected a version, found nothing' })
  if (text.length > mostVersionCharacters) {
    const message = `expected at most ${mostVersionCharacters} characters, found ${text.length}: ${quoted(text)}`
    return rejected({ code: 'version-too-long', message })
  }
  const rules: SchemeRules<Scheme> = rulesOf[scheme]
  return rules.parse(text)
}

/** The one way of writing a version: `1.2.3-45` for `1.2.3.45`; what has no other form keeps its text. */
export function formatVersion<Scheme extends VersionScheme>(version: Of<Scheme>): string {
  const rules: SchemeRules<Scheme> = rulesOf[version.scheme as Scheme]
  return rules.format(version)
}

/** -1, 0 or 1. Refused between schemes, and where a scheme has no order and the two are not the same. */
export function compareVersions(a: Version, b: Version): Checked<Order, VersionCode> {
  if (a.scheme !== b.scheme) {
    const message = `expected two versions of one scheme, found ${a.scheme} and ${b.scheme}`
    return rejected({ code: 'version-schemes-differ', message })
  }
  const order = (rulesOf[a.scheme] as SchemeRules<typeof a.scheme>).compare(a as never, b as never)
  if (order !== null) return accepted(order)
  return rejected({
    code: 'version-no-order',
    message: `expected versions with an order; ${a.scheme} has none for ${quoted(a.text)} and ${quoted(b.text)}`,
    hint: 'Give the product a scheme with an order, such as semver, calver or number.',
  })
}

/** Whether `a` comes after `b`; false also where the two have no order. */
export function isHigher(a: Version, b: Version): boolean {
  const order = compareVersions(a, b)
  return order.ok && order.value === 1
}

const orderOf = (a: number, b: number): Order => (a < b ? -1 : a > b ? 1 : 0)

function prefixProblem(text: string): VersionProblem | null {
  if (!/^[vV]\d/.test(text)) return null
  const message = `expected a version without a prefix, found ${quoted(text)}`
  return { code: 'version-prefix', message, hint: 'The `v` belongs to the tag pattern: `v{version}`.' }
}

const withPrefix = (text: string): { bare: string; problems: VersionProblem[] } => {
  const problem = prefixProblem(text)
  return problem === null ? { bare: text, problems: [] } : { bare: text.slice(1), problems: [problem] }
}

function parseSemVer(text: string): Parsed<'semver'> {
  const { bare, problems } = withPrefix(text)
  const split = splitSemVer(bare)
  const all = [...problems, ...split.problems]
  return all.length > 0 ? rejected(...all) : accepted({ scheme: 'semver', text, ...split.parts })
}

const fourNumbers = /^([^.+-]*\.[^.+-]*\.[^.+-]*)\.(\d+)$/

function parseSemVerBuild(text: string): Parsed<'semver-build'> {
  const { bare, problems } = withPrefix(text)
  const split = splitSemVer(bare.replace(fourNumbers, '$1-$2'))
  const all = [...problems, ...split.problems]
  if (all.length > 0) return rejected(...all)
  const [first = '', ...others] = split.parts.prerelease
  const build = others.length === 0 && /^\d+$/.test(first) ? Number(first) : null
  return accepted({ scheme: 'semver-build', text, build, ...split.parts })
}

function formatParts({ major, minor, patch, prerelease, metadata }: SemVerParts): string {
  const suffix = prerelease.length > 0 ? `-${prerelease.join('.')}` : ''
  return `${major}.${minor}.${patch}${suffix}${metadata.length > 0 ? `+${metadata.join('.')}` : ''}`
}

/** SemVer's precedence, so a BUILD sorts before an alphanumeric pre-release, and both before the release. */
function compareParts(a: SemVerParts, b: SemVerParts): Order {
  return compareSemVer(formatParts(a), formatParts(b))
}

const calVerText = /^(\d+(?:\.\d+)*)(?:-([0-9A-Za-z.-]+))?$/

function parseCalVer(text: string): Parsed<'calver'> {
  const { bare, problems } = withPrefix(text)
  const [, dotted, modifier = ''] = calVerText.exec(bare) ?? []
  if (dotted === undefined) {
    const message = `expected a calendar version such as 2026.04.1, found ${quoted(text)}`
    return rejected(...problems, { code: 'version-date', message })
  }
  const texts = dotted.split('.')
  problems.push(...texts.flatMap((part) => problemsOfNumber(part, 'each part', { leadingZeros: true })))
  problems.push(...dateProblems(texts, text))
  if (problems.length > 0) return rejected(...problems)
  const [year = 0, ...rest] = texts.map(Number)
  return accepted({ scheme: 'calver', text, numbers: [year < 100 ? year + 2000 : year, ...rest], modifier })
}

function dateProblems(parts: readonly string[], text: string): VersionProblem[] {
  const [year = '', month = ''] = parts
  const problems: VersionProblem[] = []
  const date = (message: string): number => problems.push({ code: 'version-date', message })
  if (parts.length < 2 || parts.length > 4) date(`expected two to four numbers, year first, found ${quoted(text)}`)
  if (!/^(?:\d{2}|[1-9]\d{3})$/.test(year)) date(`expected a year of two or four digits, found ${quoted(year)}`)
  if (parts.length > 1 && (Number(month) < 1 || Number(month) > 53)) {
    date(`expected a month or a week from 1 to 53 after the year, found ${quoted(month)}`)
  }
  return problems
}

/** By the numbers, a missing one before any; at the same numbers a modifier sorts before none, as in SemVer. */
function compareCalVer(a: Of<'calver'>, b: Of<'calver'>): Order {
  const length = Math.max(a.numbers.length, b.numbers.length)
  for (let index = 0; index < length; index += 1) {
    const order = orderOf(a.numbers[index] ?? -1, b.numbers[index] ?? -1)
    if (order !== 0) return order
  }
  if (a.modifier === b.modifier) return 0
  if (a.modifier === '' || b.modifier === '') return a.modifier === '' ? 1 : -1
  return compareIdentifiers(a.modifier.split('.'), b.modifier.split('.'))
}

function compareIdentifiers(a: readonly string[], b: readonly string[]): Order {
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const order = compareIdentifier(a[index], b[index])
    if (order !== 0) return order
  }
  return 0
}

function compareIdentifier(a: string | undefined, b: string | undefined): Order {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1
  const numbers = [/^\d+$/.test(a), /^\d+$/.test(b)]
  if (numbers[0] && numbers[1]) return orderOf(Number(a), Number(b))
  if (numbers[0] !== numbers[1]) return numbers[0] ? -1 : 1
  return a < b ? -1 : a > b ? 1 : 0
}

function parseNumber(text: string): Parsed<'number'> {
  const { bare, problems } = withPrefix(text)
  problems.push(...problemsOfNumber(bare, 'the version'))
  return problems.length > 0 ? rejected(...problems) : accepted({ scheme: 'number', text, number: Number(bare) })
}

function parseSha(text: string): Parsed<'sha'> {
  if (/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i.test(text)) return accepted({ scheme: 'sha', text, sha: text.toLowerCase() })
  const message = `expected a commit hash of 40 or 64 hexadecimal digits, found ${quoted(text)}`
  return rejected({ code: 'version-not-a-hash', message })
}

function parseText(text: string): Parsed<'text'> {
  if (!/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(text) && text.trim() === text) return accepted({ scheme: 'text', text })
  const message = `expected visible text without blanks around it, found ${quoted(text)}`
  return rejected({ code: 'version-characters', message })
}

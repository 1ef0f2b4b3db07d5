import { quoted } from '../problem.ts'
import { problemsOfNumber, type VersionProblem } from './numbers.ts'

/** The parts of a SemVer 2.0 text; numbers are safe integers, identifiers keep their text. */
export interface SemVerParts {
  readonly major: number
  readonly minor: number
  readonly patch: number
  readonly prerelease: readonly string[]
  readonly metadata: readonly string[]
}

const numberNames = ['MAJOR', 'MINOR', 'PATCH'] as const

/** Splits a text by SemVer 2.0, nothing coerced; the problems are all there are. */
export function splitSemVer(text: string): { parts: SemVerParts; problems: readonly VersionProblem[] } {
  const plus = text.indexOf('+')
  const versioned = plus === -1 ? text : text.slice(0, plus)
  const dash = versioned.indexOf('-')
  const numbers = (dash === -1 ? versioned : versioned.slice(0, dash)).split('.')
  const prerelease = dash === -1 ? [] : versioned.slice(dash + 1).split('.')
  const metadata = plus === -1 ? [] : text.slice(plus + 1).split('.')
  const problems: VersionProblem[] = []
  if (numbers.length !== 3) {
    problems.push({ code: 'version-parts', message: `expected MAJOR.MINOR.PATCH, found ${quoted(text)}` })
  }
  for (const [index, number] of numbers.slice(0, 3).entries()) {
    problems.push(...problemsOfNumber(number, numberNames[index] ?? ''))
  }
  for (const identifier of prerelease) problems.push(...problemsOfIdentifier(identifier, true))
  for (const identifier of metadata) problems.push(...problemsOfIdentifier(identifier, false))
  const [major = 0, minor = 0, patch = 0] = numbers.map(Number)
  return { parts: { major, minor, patch, prerelease, metadata }, problems }
}

function problemsOfIdentifier(text: string, ordered: boolean): VersionProblem[] {
  if (ordered && /^\d+$/.test(text)) return problemsOfNumber(text, 'a pre-release number')
  if (/^[0-9A-Za-z-]+$/.test(text)) return []
  const message = `expected identifiers of letters, digits and hyphens between the dots, found ${quoted(text)}`
  return [{ code: 'version-identifier', message }]
}

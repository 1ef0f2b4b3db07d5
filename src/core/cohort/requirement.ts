import { Range } from 'semver'
import { accepted, type Checked, quoted, rejected } from '../problem.ts'
import { compareVersions, parseOperand, type SemanticVersion, successor } from './semantic-version.ts'

export type RequirementDialect = 'elixir' | 'npm'
export type ComparisonOperator = '==' | '!=' | '>' | '>=' | '<' | '<='

export interface Comparison {
  readonly operator: ComparisonOperator
  readonly version: SemanticVersion
}

/** Compiled once: any of the alternatives must hold, each of them with all of its comparisons. */
export interface Requirement {
  readonly text: string
  readonly dialect: RequirementDialect
  readonly alternatives: readonly (readonly Comparison[])[]
}

export const MAX_REQUIREMENT_LENGTH = 1024

type Clause = readonly Comparison[]

/** Whether an order (-1, 0, 1) of version against operand satisfies the operator. */
const holds = {
  '==': (order: number) => order === 0,
  '!=': (order: number) => order !== 0,
  '>': (order: number) => order > 0,
  '>=': (order: number) => order >= 0,
  '<': (order: number) => order < 0,
  '<=': (order: number) => order <= 0,
} as const satisfies Record<ComparisonOperator, (order: number) => boolean>

/** Whether the version satisfies the requirement; pre-releases take part by plain SemVer precedence in both dialects. */
export function satisfies(requirement: Requirement, version: SemanticVersion): boolean {
  return requirement.alternatives.some((clause) =>
    clause.every((comparison) => holds[comparison.operator](compareVersions(version, comparison.version))),
  )
}

// The lexemes of Elixir's requirement lexer; joins want a blank on both sides, other blanks only separate.
const LEXEMES = /( and | or |>=|<=|~>|==|!=|[><! ])/

const OPERATORS: ReadonlyMap<string, ComparisonOperator | '~>'> = new Map([
  ['==', '=='],
  ['!=', '!='],
  ['!', '!='],
  ['>', '>'],
  ['>=', '>='],
  ['<', '<'],
  ['<=', '<='],
  ['~>', '~>'],
])

/** `~> a.b.c` and `~> a.b`: the upper bound is the next release's lowest pre-release, so that it excludes all of them. */
function pessimistic(text: string): Clause | undefined {
  const operand = parseOperand(text, 'patch-optional')
  if (operand === undefined) return undefined
  const { major, minor } = operand.version
  const upper = operand.hasPatch
    ? { major, minor: successor(minor), patch: 0, pre: [0] }
    : { major: successor(major), minor: 0, patch: 0, pre: [0] }
  return [
    { operator: '>=', version: operand.version },
    { operator: '<', version: upper },
  ]
}

function elixirClause(operator: ComparisonOperator | '~>' | undefined, text: string): Clause | undefined {
  if (operator === '~>') return pessimistic(text)
  const operand = parseOperand(text, 'patch-needed')
  return operand === undefined ? undefined : [{ operator: operator ?? '==', version: operand.version }]
}

/** Each clause as [operator?, operand] with the join before it, or undefined where the order of lexemes is wrong. */
function elixirAlternatives(text: string): Clause[] | undefined {
  const alternatives: Comparison[][] = [[]]
  let operator: ComparisonOperator | '~>' | undefined
  let complete = false
  for (const lexeme of text.split(LEXEMES)) {
    if (lexeme === '' || lexeme === ' ') continue
    if (lexeme === ' and ' || lexeme === ' or ') {
      if (!complete) return undefined
      if (lexeme === ' or ') alternatives.push([])
      complete = false
      operator = undefined
      continue
    }
    if (complete) return undefined
    const sign = OPERATORS.get(lexeme)
    if (sign !== undefined) {
      if (operator !== undefined) return undefined
      operator = sign
      continue
    }
    const clause = elixirClause(operator, lexeme)
    if (clause === undefined) return undefined
    alternatives.at(-1)?.push(...clause)
    complete = true
  }
  return complete ? alternatives : undefined
}

const NPM_OPERATORS = { '': '==', '=': '==', '>': '>', '>=': '>=', '<': '<', '<=': '<=' } as const

function npmAlternatives(text: string): Clause[] | undefined {
  try {
    return new Range(text, { includePrerelease: true }).set.map((comparators) =>
      comparators
        // An empty value is node-semver's "any version": nothing to compare.
        .filter((comparator) => comparator.value !== '')
        .map(({ operator, semver }) => ({
          operator: NPM_OPERATORS[operator],
          version: { major: semver.major, minor: semver.minor, patch: semver.patch, pre: semver.prerelease },
        })),
    )
  } catch {
    return undefined
  }
}

const READERS = { elixir: elixirAlternatives, npm: npmAlternatives } as const

const EXPECTED = {
  elixir: 'a requirement such as ">= 1.2.0 and < 2.0.0" or "~> 1.2"',
  npm: 'an npm range such as ">=1.2.0 <2.0.0" or "^1.2.0"',
} as const

const OTHER = { elixir: 'npm', npm: 'elixir' } as const satisfies Record<RequirementDialect, RequirementDialect>

function invalidHint(text: string, dialect: RequirementDialect): string {
  if (text.length > MAX_REQUIREMENT_LENGTH) return `use at most ${MAX_REQUIREMENT_LENGTH} characters`
  if (text.trim() === '') return 'leave the requirement out where every version may take the release'
  if (READERS[OTHER[dialect]](text) === undefined) return 'docs/resolution.md shows the syntax'
  return `the text is valid with requirementDialect: ${OTHER[dialect]}; set that for the cohort, or rewrite the requirement`
}

/**
 * Compiles a requirement: Elixir's syntax and meaning with its default `allow_pre: true`
 * (https://hexdocs.pm/elixir/Version.html#module-requirements), or an npm range with pre-releases included.
 */
export function compileRequirement(
  text: string,
  dialect: RequirementDialect,
): Checked<Requirement, 'requirement-invalid'> {
  const alternatives = text.length > MAX_REQUIREMENT_LENGTH ? undefined : READERS[dialect](text)
  if (alternatives !== undefined) return accepted({ text, dialect, alternatives })
  return rejected({
    code: 'requirement-invalid',
    message: `expected ${EXPECTED[dialect]}, found ${quoted(text)}`,
    hint: invalidHint(text, dialect),
  })
}

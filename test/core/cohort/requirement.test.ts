import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import semver from 'semver'
import { dialectWarning } from '../../../src/core/cohort/dialect-warning.ts'
import { compileRequirement, type RequirementDialect, satisfies } from '../../../src/core/cohort/requirement.ts'
import { parseVersion } from '../../../src/core/cohort/semantic-version.ts'
import { cellOf, covers, spansOf, versionLine } from '../../../src/core/cohort/version-line.ts'

function compiled(text: string, dialect: RequirementDialect = 'elixir') {
  const result = compileRequirement(text, dialect)
  if (!result.ok) throw new Error(result.problems[0]?.message)
  return result.value
}

function version(text: string) {
  const parsed = parseVersion(text)
  if (parsed === undefined) throw new Error(`not a version: ${text}`)
  return parsed
}

const matches = (text: string, requirement: string, dialect: RequirementDialect = 'elixir'): boolean =>
  satisfies(compiled(requirement, dialect), version(text))

const pre = fc.constantFrom('', '-0', '-rc.1', '-rc.11', '-alpha', '-dev.2')
const anyVersion = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3), pre).map(([a, b, c, tail]) => `${a}.${b}.${c}${tail}`)
const comparison = fc.oneof(
  fc.tuple(fc.constantFrom('', '== ', '!= ', '! ', '> ', '>=', '<', '<= ', '~> '), anyVersion).map(([op, v]) => op + v),
  fc.tuple(fc.nat(3), fc.nat(3)).map(([a, b]) => `~> ${a}.${b}`),
)
const anyRequirement = fc
  .tuple(comparison, fc.array(fc.tuple(fc.constantFrom(' and ', ' or '), comparison), { maxLength: 4 }))
  .map(([first, rest]) => first + rest.map(([join, clause]) => join + clause).join(''))

describe('a requirement in Elixir syntax', () => {
  it.each([
    ['1.9.9', '~> 1.2', true],
    ['2.0.0', '~> 1.2', false],
    ['2.0.0-0', '~> 1.2', false],
    ['1.2.9', '~> 1.2.3', true],
    ['1.3.0-dev', '~> 1.2.3', false],
    ['2.5.0-rc.1', '~> 2.1-dev', true],
    ['2.1.0-alpha', '~> 2.1-dev', false],
    ['3.0.0-rc.1', '>= 2.0.0 and < 3.0.0', true],
    ['1.0.0', '== 1.0.0 or >= 2.0.0 and < 0.5.0', true],
    ['0.1.0', '>= 2.0.0 and < 3.0.0 or < 0.2.0 and != 0.1.1', true],
    ['0.1.1', '>= 2.0.0 and < 3.0.0 or < 0.2.0 and != 0.1.1', false],
    ['1.2.3', '  1.2.3  ', true],
  ])('decides %s against %j: %j', (text, requirement, expected) => {
    expect(matches(text, requirement)).toBe(expected)
  })

  it.each([
    '',
    ' ',
    '~> 1',
    '>= 1.2',
    '== 1.2',
    '=1.2.3',
    '^1.2.3',
    '~1.2.3',
    '*',
    '1.x',
    '>= 1.0.0 < 2.0.0',
    '>= 1.0.0, < 2.0.0',
    '1.0.0 || 2.0.0',
    '(1.0.0)',
    '1.0.0 or',
    ' or 1.0.0',
    '1.0.0 and and 2.0.0',
    '>= > 1.0.0',
    '>= and 1.0.0',
    '>=',
    '<> 1.0.0',
    '> = 1.0.0',
    '1.0.0 AND 2.0.0',
    '>= 1.0.0\tand < 2.0.0',
    '>= 1.0.0and < 2.0.0',
    '>= v1.0.0',
    '>= 01.0.0',
    `>= 1.0.0${' or 1.0.0'.repeat(200)}`,
  ])('refuses %j', (text) => {
    const result = compileRequirement(text, 'elixir')
    expect(result.ok ? [] : result.problems.map(({ code }) => code)).toEqual(['requirement-invalid'])
  })

  it('says which setting would make an npm range valid', () => {
    const result = compileRequirement('^1.2.0', 'elixir')
    expect(result.ok ? '' : result.problems[0]?.hint).toContain('requirementDialect: npm')
  })

  it('refuses a text of operators alone, however long', () => {
    const text = '! '.repeat(500)
    expect(compileRequirement(text, 'elixir').ok).toBe(false)
    expect(compileRequirement('>'.repeat(1_000_000), 'elixir').ok).toBe(false)
  })
})

describe('an npm range', () => {
  const range = fc.constantFrom(
    '^1.2.0',
    '~1.2',
    '~> 1.2',
    '>=1.0.0 <2.0.0',
    '*',
    '1.x || >=3.0.0',
    '1.0.0 - 2.1',
    '',
    '>1',
    '<=2.1.0-rc.1',
  )

  it('decides as node-semver does with pre-releases included', () => {
    fc.assert(
      fc.property(range, anyVersion, (text, candidate) => {
        expect(matches(candidate, text, 'npm')).toBe(semver.satisfies(candidate, text, { includePrerelease: true }))
      }),
      { numRuns: 400 },
    )
  })

  it.each(['>= 1.0.0 and < 2.0.0', '== 1.0.0', '!1.0.0', 'latest'])('refuses %j', (text) => {
    expect(compileRequirement(text, 'npm').ok).toBe(false)
  })
})

describe('the version line', () => {
  it('decides by one search what the comparisons decide one by one', () => {
    fc.assert(
      fc.property(fc.array(anyRequirement, { minLength: 1, maxLength: 4 }), anyVersion, (texts, candidate) => {
        const requirements = texts.map((text) => compiled(text))
        const line = versionLine(requirements)
        const cell = cellOf(line, version(candidate))
        for (const requirement of requirements) {
          expect(covers(spansOf(line, requirement), cell)).toBe(satisfies(requirement, version(candidate)))
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('a warning about the dialect', () => {
  it.each([
    ['~> 1.2', 'elixir', '1.3.0'],
    ['~> 1.2', 'npm', '1.3.0'],
    ['~> 0.1', 'elixir', '0.2.0'],
  ] as const)('%s in %s names the stable version %s', (text, dialect, example) => {
    expect(dialectWarning(compiled(text, dialect))?.example).toBe(example)
  })

  it.each([
    '~> 1.2.3',
    '>= 1.0.0',
    '1.2.3',
    '< 2.0.0',
    '>= 1.0.0 and < 2.0.0',
    '!= 1.0.0',
    '~> 1.2.3-rc.1',
    '< 2.0.0-rc.1',
  ])('is silent about %s', (text) => {
    expect(dialectWarning(compiled(text))).toBeUndefined()
  })

  it('is given exactly where some stable version is decided differently', () => {
    const stable = [...Array(5).keys()].flatMap((a) =>
      [...Array(5).keys()].flatMap((b) => [...Array(5).keys()].map((c) => `${a}.${b}.${c}`)),
    )
    fc.assert(
      fc.property(comparison, (text) => {
        const npm = compileRequirement(text, 'npm')
        const warning = dialectWarning(compiled(text))
        const differs = npm.ok && stable.some((v) => matches(v, text) !== satisfies(npm.value, version(v)))
        expect(warning !== undefined).toBe(differs)
        if (warning && npm.ok)
          expect(matches(warning.example, text)).not.toBe(satisfies(npm.value, version(warning.example)))
      }),
      { numRuns: 150 },
    )
  })
})

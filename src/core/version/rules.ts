import { accepted, type Checked, type Problem, quoted, rejected } from '../problem.ts'
import { isAbove, type Level } from './level.ts'
import type { BumpRule } from './schema.ts'
import { parseWildcard, type Wildcard } from './wildcard.ts'

/** A team's rule, ready to match. */
export interface TeamRule {
  readonly rule: BumpRule
  readonly type: Wildcard
  /** Absent: any scope, or none. */
  readonly scope?: Wildcard
}

const ruleLine = /^([^\s():]+)(?:\(([^\s():]+)\))?:[ \t]*(none|patch|minor|major)$/

/** Reads a rule as people write it: `docs(readme): patch` or `chore: none`. */
export function parseRuleLine(line: string): Checked<BumpRule, 'rule-form'> {
  const [, type, scope, bump] = ruleLine.exec(line.trim()) ?? []
  if (type === undefined || bump === undefined) {
    const message = `expected a rule such as \`docs(readme): patch\` or \`chore: none\`, found ${quoted(line)}`
    return rejected({ code: 'rule-form', message })
  }
  return accepted({ type, ...(scope === undefined ? {} : { scope }), bump: bump as BumpRule['bump'] })
}

/** Reads a team's rules; `fold` reads them without regard to case. Answers with every pattern that cannot be read. */
export function parseRules(rules: readonly BumpRule[], fold: boolean): Checked<readonly TeamRule[], 'bad-wildcard'> {
  const problems: Problem<'bad-wildcard'>[] = []
  const wildcard = (text: string, path: string): Wildcard => {
    const parsed = parseWildcard(fold ? text.toLowerCase() : text)
    if (parsed.ok) return parsed.value
    problems.push(...parsed.problems.map((problem) => ({ ...problem, path })))
    return () => false
  }
  const team = rules.map((rule, index): TeamRule => {
    const type = wildcard(rule.type, `rules[${index}].type`)
    return rule.scope === undefined
      ? { rule, type }
      : { rule, type, scope: wildcard(rule.scope, `rules[${index}].scope`) }
  })
  return problems.length > 0 ? { ok: false, problems } : accepted(team)
}

function matches(team: TeamRule, type: string | null, scope: string | null): boolean {
  if (type === null || !team.type(type)) return false
  return team.scope === undefined || (scope !== null && team.scope(scope))
}

/** The first rule that matches; undefined where none does, and the preset decides. */
export const firstRule = (
  rules: readonly TeamRule[],
  type: string | null,
  scope: string | null,
): BumpRule | undefined => rules.find((team) => matches(team, type, scope))?.rule

/**
 * The rule that @semantic-release/commit-analyzer lets win: the strongest of those that match, except that a rule for
 * no release beats what stands before it and loses to what stands after it (lib/analyze-commit.js).
 */
export function analyzerRule(
  rules: readonly TeamRule[],
  type: string | null,
  scope: string | null,
): BumpRule | undefined {
  let winner: BumpRule | undefined
  for (const team of rules) {
    if (!matches(team, type, scope)) continue
    if (winner === undefined || overrides(winner.bump, team.rule.bump)) winner = team.rule
    if (winner.bump === 'major') break
  }
  return winner
}

const overrides = (before: Level, next: Level): boolean => before === 'none' || next === 'none' || isAbove(next, before)

import { type AnalyzerGrammar, type AnalyzerMessage, readAnalyzerMessage } from './analyzer-message.ts'
import { higherOf, type Level } from './level.ts'
import { analyzerRule } from './rules.ts'
import type { Commit } from './schema.ts'
import {
  firstLineOf,
  type Judge,
  type JudgeOptions,
  type Reason,
  titleOf,
  type Verdict,
  type Warning,
} from './verdict.ts'

/** The rules beside the types, in the tool's order: fields that only its parser's `-field-` lines can set. */
const fieldRules: readonly (readonly [field: string, value: string, level: Level])[] = [
  ['emoji', ':racehorse:', 'patch'],
  ['emoji', ':bug:', 'patch'],
  ['emoji', ':penguin:', 'patch'],
  ['emoji', ':apple:', 'patch'],
  ['emoji', ':checkered_flag:', 'patch'],
  ['tag', 'BUGFIX', 'patch'],
  ['tag', 'FEATURE', 'minor'],
  ['tag', 'SECURITY', 'patch'],
  ['tag', 'Breaking', 'major'],
  ['tag', 'Fix', 'patch'],
  ['tag', 'Update', 'minor'],
  ['tag', 'New', 'minor'],
  ['component', 'perf', 'patch'],
  ['component', 'deps', 'patch'],
]

/** Judges as @semantic-release/commit-analyzer does with one of its presets' grammars. */
export function analyzerJudge(grammar: AnalyzerGrammar): Judge {
  return (commits, options) => {
    const messages = commits.map((commit) => readAnalyzerMessage(commit.message, grammar))
    const partners = pairReverts(commits, messages)
    return commits.map((commit, index) => judgeOne(commit, messages[index] ?? null, partners.get(index), options))
  }
}

interface Partner {
  readonly sha: string
  readonly role: 'reverted' | 'reverts'
}

/**
 * A revert and the commit below it whose header and hash it names vanish together; the oldest open claim on a header
 * and hash is served first (conventional-commits-filter 5).
 */
function pairReverts(commits: readonly Commit[], messages: readonly (AnalyzerMessage | null)[]): Map<number, Partner> {
  const partners = new Map<number, Partner>()
  const open = new Map<string, number[]>()
  for (const [index, message] of messages.entries()) {
    const commit = commits[index]
    if (message === null || commit === undefined) continue
    const own = claimOf(message.fields.get('header') ?? '', message.fields.get('hash') ?? commit.sha)
    const by = open.size > 0 ? open.get(own)?.shift() : undefined
    if (by !== undefined) {
      partners.set(index, { sha: commits[by]?.sha ?? '', role: 'reverted' })
      partners.set(by, { sha: commit.sha, role: 'reverts' })
    } else if (message.revert !== null) {
      const claim = claimOf(message.revert.header, message.revert.hash)
      const waiting = open.get(claim)
      if (waiting === undefined) open.set(claim, [index])
      else waiting.push(index)
    }
  }
  return partners
}

const claimOf = (header: string, hash: string): string => `${hash.trim()} ${header.trim()}`

function judgeOne(
  commit: Commit,
  message: AnalyzerMessage | null,
  partner: Partner | undefined,
  options: JudgeOptions,
): Verdict {
  const type = message?.fields.get('type') ?? null
  const scope = message?.fields.get('scope') ?? null
  const title = titleOf(message?.fields.get('header') ?? firstLineOf(commit.message))
  const { level, reason, warnings } = judgementOf(message, partner, type, scope, options)
  return { sha: commit.sha, title, type, scope, level, releaseAs: null, reason, warnings }
}

type Judgement = Pick<Verdict, 'level' | 'reason' | 'warnings'>

const nothingSaid: Judgement = { level: 'none', reason: { kind: 'blank' }, warnings: [] }

function judgementOf(
  message: AnalyzerMessage | null,
  partner: Partner | undefined,
  type: string | null,
  scope: string | null,
  options: JudgeOptions,
): Judgement {
  if (message === null) return nothingSaid
  if (partner !== undefined) return ofPartner(partner)
  const rule = analyzerRule(options.rules, type, scope)
  if (rule !== undefined) {
    const warnings = message.note !== null && rule.bump !== 'major' ? [demoted(rule.bump)] : []
    return { level: rule.bump, reason: { kind: 'team-rule', ...named(rule) }, warnings }
  }
  const { level, reason } = ofDefaults(message, type, options)
  return { level, reason, warnings: level === 'none' && type === null ? [unparsed] : [] }
}

const named = ({ type, scope }: { type: string; scope?: string | undefined }): { type: string; scope?: string } =>
  scope === undefined ? { type } : { type, scope }

const ofPartner = ({ sha, role }: Partner): Judgement =>
  role === 'reverted'
    ? {
        level: 'none',
        reason: { kind: 'reverted', by: sha },
        warnings: [{ code: 'reverted', message: `Reverted by ${sha.slice(0, 7)} in this range.` }],
      }
    : { level: 'none', reason: { kind: 'reverts', commits: [sha] }, warnings: [] }

const unparsed: Warning = { code: 'unparsed', message: 'The first line is no conventional header for this preset.' }

const demoted = (level: Level): Warning => ({
  code: 'breaking-demoted',
  message: `It is marked as breaking; a rule of the team makes it ${level}.`,
})

/** The strongest of the tool's own rules that match, and the first of that strength. */
function ofDefaults(
  message: AnalyzerMessage,
  type: string | null,
  options: JudgeOptions,
): { level: Level; reason: Reason } {
  if (message.note !== null) return { level: 'major', reason: { kind: 'breaking-note', text: titleOf(message.note) } }
  const reverts = message.revert !== null || (message.fields.get('revert') ?? '') !== ''
  const ofType = (type === null ? undefined : options.types.get(type)) ?? 'none'
  let level: Level = higherOf(reverts ? 'patch' : 'none', ofType)
  let reason: Reason =
    level === ofType && type !== null && level !== 'none' ? { kind: 'type', type } : { kind: 'no-rule' }
  if (reverts && level === 'patch') reason = { kind: 'revert-of-outside' }
  for (const [field, value, asked] of fieldRules) {
    if (message.fields.get(field) !== value || higherOf(level, asked) === level) continue
    level = asked
    reason = { kind: 'tool-rule', rule: `${field}: ${value}` }
  }
  return { level, reason }
}

import { type CommitMessage, messageOf, readCommitMessage } from './commit-message.ts'
import { parseHeader } from './header.ts'
import { higherOf, type Level } from './level.ts'
import { type Pairing, pairReverts } from './reverts.ts'
import { firstRule } from './rules.ts'
import type { Commit } from './schema.ts'
import { type Judge, type JudgeOptions, type Reason, titleOf, type Verdict, type Warning } from './verdict.ts'

/** Judges by the project's own rule, which docs/versions.md tells row by row. */
export const ringmasterJudge: Judge = (commits, options) => {
  const messages = commits.map(messageOf)
  const pairings = pairReverts(commits, messages)
  return commits.map((commit, index) => judgeOne(commit, messages[index] ?? blank, pairings.get(index), options))
}

const blank = readCommitMessage('')

interface Judgement {
  readonly level: Level
  readonly reason: Reason
  readonly warnings: readonly Warning[]
  /** Absent where the commit does not count. */
  readonly releaseAs?: string | null
}

function judgeOne(
  commit: Commit,
  message: CommitMessage,
  pairing: Pairing | undefined,
  options: JudgeOptions,
): Verdict {
  const type = message.header?.type.toLowerCase() ?? null
  const {
    level,
    reason,
    warnings,
    releaseAs = null,
  } = ofStanding(message) ?? ofPairing(message, pairing) ?? ofContent(message, type, pairing, options)
  const title = titleOf(message.title)
  return { sha: commit.sha, title, type, scope: message.header?.scope ?? null, level, releaseAs, reason, warnings }
}

function ofStanding(message: CommitMessage): Judgement | null {
  switch (message.standing) {
    case 'counts':
      return null
    case 'blank':
      return { level: 'none', reason: { kind: 'blank' }, warnings: [] }
    case 'merge':
      return { level: 'none', reason: { kind: 'merge' }, warnings: [] }
    case 'autosquash':
      return { level: 'none', reason: { kind: 'autosquash' }, warnings: [notSquashed] }
  }
}

const notSquashed: Warning = {
  code: 'not-counted',
  message: 'fixup!, squash! and amend! commits do not count; it was meant to be squashed before it got here.',
}

function ofPairing(message: CommitMessage, pairing: Pairing | undefined): Judgement | null {
  if (pairing?.revertedBy !== undefined) {
    const by = pairing.revertedBy
    const warning: Warning = {
      code: 'reverted',
      message: `Reverted by ${by.slice(0, 7)} in this range; it does not count.`,
    }
    return { level: 'none', reason: { kind: 'reverted', by }, warnings: [warning] }
  }
  if (pairing === undefined || pairing.reverts.length === 0 || pairing.outside.length > 0) return null
  return {
    level: 'none',
    reason: { kind: 'reverts', commits: pairing.reverts },
    warnings: message.revertTitle || /^reapply\b/i.test(message.title) ? [] : [carriesChange],
  }
}

const carriesChange: Warning = {
  code: 'revert-carries-change',
  message:
    'It says that it reverts a commit of this range, so it does not count; what else it changes needs its own commit.',
}

function ofContent(
  message: CommitMessage,
  type: string | null,
  pairing: Pairing | undefined,
  options: JudgeOptions,
): Judgement {
  const { releaseAs } = message
  const decided = levelOf(message, type, pairing, options)
  const reason: Reason = releaseAs === null ? decided.reason : { kind: 'release-as', version: releaseAs }
  const missed = decided.level === 'none' && releaseAs === null ? missedHeader(message, type, options) : []
  const sightings = message.sightings.length > 0 ? sightingsOf(message, options) : []
  const reverts = message.revertTitle || pairing !== undefined ? revertWarnings(message, pairing) : []
  return { level: decided.level, reason, warnings: decided.warnings.concat(missed, sightings, reverts), releaseAs }
}

function levelOf(
  message: CommitMessage,
  type: string | null,
  pairing: Pairing | undefined,
  options: JudgeOptions,
): Judgement {
  const { header } = message
  const subject = header !== null && header.subject !== ''
  const breaking = message.breaking !== null || (subject && header.breaking)
  const rule = subject ? firstRule(options.rules, type, header.scope?.toLowerCase() ?? null) : undefined
  if (rule !== undefined) {
    const scoped = rule.scope === undefined ? {} : { scope: rule.scope }
    const warnings = breaking && rule.bump !== 'major' ? [demoted(rule.bump)] : []
    return { level: rule.bump, reason: { kind: 'team-rule', type: rule.type, ...scoped }, warnings }
  }
  if (message.breaking !== null) {
    return { level: 'major', reason: { kind: 'breaking-note', text: titleOf(message.breaking) }, warnings: [] }
  }
  if (breaking) return { level: 'major', reason: { kind: 'breaking-mark' }, warnings: [] }
  const ofType = subject && type !== null ? (options.types.get(type) ?? 'none') : 'none'
  const reverts = (pairing?.outside.length ?? 0) > 0 || (message.revertTitle && header === null)
  const level = higherOf(ofType, reverts ? 'patch' : 'none')
  if (level !== 'none' && level === ofType) return { level, reason: { kind: 'type', type: type ?? '' }, warnings: [] }
  if (reverts) return { level, reason: { kind: 'revert-of-outside' }, warnings: [] }
  return { level, reason: subject ? { kind: 'no-rule' } : { kind: 'unparsed' }, warnings: [] }
}

const demoted = (level: Level): Warning => ({
  code: 'breaking-demoted',
  message: `It is marked as breaking; a rule of the team makes it ${level}.`,
})

function revertWarnings(message: CommitMessage, pairing: Pairing | undefined): Warning[] {
  const found: Warning[] = []
  if (message.revertTitle && message.reverts.length === 0) found.push(namesNoCommit)
  for (const prefix of pairing?.ambiguous ?? []) {
    found.push({
      code: 'revert-ambiguous',
      message: `${prefix} is the beginning of more than one commit of this range.`,
    })
  }
  return found
}

const namesNoCommit: Warning = {
  code: 'revert-names-no-commit',
  message: 'It names no commit (a full hash after "This reverts commit", or "Refs:"), so nothing is taken out for it.',
}

function sightingsOf(message: CommitMessage, options: JudgeOptions): Warning[] {
  const breaking = message.breaking === null ? message.sightings.filter(({ kind }) => kind !== 'header') : []
  const headers = message.sightings.filter(({ kind, line }) => kind === 'header' && releases(line, options))
  const warnings = breaking.slice(0, mostShown).map(({ kind, line }): Warning => {
    const code = kind === 'header' ? 'headers-in-body' : kind
    return { code, message: `${sightingText[code]}: "${titleOf(line.trim())}".` }
  })
  const [first] = headers
  if (first === undefined) return warnings
  const more = headers.length > 1 ? ' and others' : ''
  const text = `The first line decides; the body repeats headers: "${titleOf(first.line.trim())}"${more}.`
  return [...warnings, { code: 'headers-in-body', message: text }]
}

const mostShown = 3

const sightingText = {
  'breaking-in-code': 'A breaking change inside a code fence does not count',
  'breaking-without-text': 'A breaking change needs its text on the same line',
  'breaking-look-alike':
    'A breaking change counts only at the start of a line, in capitals, with a colon, outside quotes and lists',
  'headers-in-body': 'The first line decides',
} as const

function releases(line: string, options: JudgeOptions): boolean {
  const header = parseHeader(line.replace(/^[ \t]*(?:[*+-][ \t]+)?/, ''))
  return header !== null && (header.breaking || options.types.has(header.type.toLowerCase()))
}

const quietTypes: ReadonlySet<string> = new Set([
  ...['build', 'chore', 'ci', 'doc', 'docs', 'refactor', 'release', 'style', 'test', 'tests', 'wip', 'merge'],
])

const lookAlikes: ReadonlySet<string> = new Set([
  ...[
    'feat',
    'feats',
    'feature',
    'features',
    'fix',
    'fixes',
    'fixed',
    'bugfix',
    'hotfix',
    'perf',
    'security',
    'revert',
  ],
])

/** Bounded like a type (`header.ts`). */
const firstWord = /\p{L}{1,255}/u

/** Why a title that releases nothing may have been meant to. */
function missedHeader(message: CommitMessage, type: string | null, options: JudgeOptions): Warning[] {
  const { header, title } = message
  if (header !== null && header.subject === '') return [noSubject]
  const word = (type ?? firstWord.exec(title)?.[0] ?? '').toLowerCase()
  if (lookAlikes.has(word) || (header === null && options.types.has(word))) return [looksConventional]
  if (header === null) return [unparsed]
  return quietTypes.has(word) || options.types.has(word) ? [] : [unknownType(word)]
}

const noSubject: Warning = { code: 'no-subject', message: 'A subject is required after the colon.' }

const looksConventional: Warning = {
  code: 'looks-conventional',
  message: 'It looks as if it was meant to release; a header reads `type(scope): subject`.',
}

const unparsed: Warning = { code: 'unparsed', message: 'The first line is no conventional header.' }

const unknownType = (type: string): Warning => ({
  code: 'unknown-type',
  message: `The type ${JSON.stringify(titleOf(type))} releases nothing.`,
})

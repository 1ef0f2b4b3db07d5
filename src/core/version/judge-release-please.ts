import { higherOf, isAbove, type Level } from './level.ts'
import { type PleaseCommit, readPleaseMessage } from './release-please-message.ts'
import { firstRule } from './rules.ts'
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

/** Types of the tool's default changelog sections that are hidden: alone they release nothing unless breaking. */
const hiddenByDefault: ReadonlySet<string> = new Set([
  ...['feat', 'fix', 'perf', 'revert', 'chore', 'docs', 'style', 'refactor', 'test', 'build', 'ci'],
])

/** Judges as release-please 17 does with its default changelog sections, or with `visibleTypes` as the sections shown. */
export const pleaseJudge: Judge = (commits, options) => commits.map((commit) => judgeOne(commit, options))

interface Opinion {
  readonly level: Level
  readonly reason: Reason
  readonly of: PleaseCommit
}

function judgeOne(commit: Commit, options: JudgeOptions): Verdict {
  const parts = readPleaseMessage(commit.message)
  const inside = parts.flatMap((part) => (part.kind === 'parsed' ? part.commits : []))
  const dropped = parts.filter((part) => part.kind === 'dropped')
  const warnings = dropped.map(
    ({ title, expected }): Warning => ({
      code: 'unparsed',
      message: `release-please drops "${titleOf(title)}": it expects ${expected}.`,
    }),
  )
  const releaseAs = inside.find((one) => one.releaseAs !== null)?.releaseAs ?? null
  let strongest: Opinion | undefined
  let sleeping: Level = 'none'
  for (const one of inside) {
    const opinion = opinionOf(one, options)
    if (strongest === undefined || isAbove(opinion.level, strongest.level)) strongest = opinion
    sleeping = higherOf(sleeping, sleepingOf(opinion))
  }
  const reason: Reason = releaseAs === null ? (strongest?.reason ?? { kind: 'unparsed' }) : asked(releaseAs)
  return {
    sha: commit.sha,
    title: titleOf(firstLineOf(commit.message)),
    type: strongest?.of.type ?? null,
    scope: strongest?.of.scope ?? null,
    level: strongest?.level ?? 'none',
    sleeping,
    releaseAs,
    reason,
    warnings,
  }
}

const asked = (version: string): Reason => ({ kind: 'release-as', version })

function opinionOf(one: PleaseCommit, options: JudgeOptions): Opinion {
  const rule = firstRule(options.rules, one.type, one.scope)
  if (rule !== undefined) return { level: rule.bump, reason: { kind: 'team-rule', type: rule.type }, of: one }
  const shown = options.types.get(one.type)
  if (one.breaking && (shown !== undefined || hiddenByDefault.has(one.type))) {
    return { level: 'major', reason: { kind: 'breaking-note', text: titleOf(one.subject) }, of: one }
  }
  if (shown === undefined) return { level: 'none', reason: { kind: 'hidden-type', type: one.type }, of: one }
  return { level: higherOf(shown, 'patch'), reason: { kind: 'type', type: one.type }, of: one }
}

/** The tool counts over every commit it could read, shown or not, once anything shown makes a release. */
function sleepingOf({ reason, of }: Opinion): Level {
  if (reason.kind === 'team-rule') return 'none'
  if (of.breaking) return 'major'
  return of.type === 'feat' || of.type === 'feature' ? 'minor' : 'none'
}

import type { Level } from './level.ts'
import type { TeamRule } from './rules.ts'
import type { Commit } from './schema.ts'

/** What is worth a second look; closed, so that tables and tests can name every one. */
export type WarningCode =
  | 'unparsed'
  | 'looks-conventional'
  | 'no-subject'
  | 'unknown-type'
  | 'breaking-in-code'
  | 'breaking-without-text'
  | 'breaking-look-alike'
  | 'breaking-demoted'
  | 'headers-in-body'
  | 'not-counted'
  | 'reverted'
  | 'revert-names-no-commit'
  | 'revert-ambiguous'
  | 'revert-carries-change'
  | 'release-as-unreadable'
  | 'release-as-superseded'
  | 'release-as-not-above'
  | 'outside-path'
  | 'other-preset'

export interface Warning {
  readonly code: WarningCode
  /** One sentence. */
  readonly message: string
}

/** What gave a commit its level, as a closed set of reasons. */
export type Reason =
  | { readonly kind: 'type'; readonly type: string }
  | { readonly kind: 'breaking-mark' }
  | { readonly kind: 'breaking-note'; readonly text: string }
  | { readonly kind: 'team-rule'; readonly type: string; readonly scope?: string }
  | { readonly kind: 'tool-rule'; readonly rule: string }
  | { readonly kind: 'revert-of-outside' }
  | { readonly kind: 'reverted'; readonly by: string }
  | { readonly kind: 'reverts'; readonly commits: readonly string[] }
  | { readonly kind: 'merge' }
  | { readonly kind: 'autosquash' }
  | { readonly kind: 'release-as'; readonly version: string }
  | { readonly kind: 'label'; readonly label: string }
  | { readonly kind: 'no-label' }
  | { readonly kind: 'no-pull-request' }
  | { readonly kind: 'outside-path' }
  | { readonly kind: 'hidden-type'; readonly type: string }
  | { readonly kind: 'no-rule' }
  | { readonly kind: 'unparsed' }
  | { readonly kind: 'blank' }

/** What one commit asks for, and why. */
export interface Verdict {
  readonly sha: string
  /** The line that was read as header, at most 200 characters. */
  readonly title: string
  readonly type: string | null
  readonly scope: string | null
  /** Before the pre-1.0 policy. */
  readonly level: Level
  /** What it asks for only when another commit makes a release; absent in all presets but release-please. */
  readonly sleeping?: Level
  /** The version asked for by a footer, as written there. */
  readonly releaseAs: string | null
  readonly reason: Reason
  readonly warnings: readonly Warning[]
}

/** What a preset's judge needs beside the commits. */
export interface JudgeOptions {
  readonly rules: readonly TeamRule[]
  /** Types that make a release and what each asks for. */
  readonly types: ReadonlyMap<string, Level>
}

/** One verdict for each commit, in the order given (newest first). */
export type Judge = (commits: readonly Commit[], options: JudgeOptions) => Verdict[]

const titleLimit = 200

/** A header as a table shows it. */
export const titleOf = (line: string): string => (line.length > titleLimit ? `${line.slice(0, titleLimit - 1)}…` : line)

/** The first line of a message that is not blank; '' where there is none. */
export function firstLineOf(message: string): string {
  const start = message.search(/\S/)
  if (start === -1) return ''
  const end = message.indexOf('\n', start)
  return message.slice(start, end === -1 ? undefined : end).trimEnd()
}

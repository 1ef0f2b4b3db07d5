import type { BumpDecision } from './decide.ts'
import type { Level } from './level.ts'
import { presets } from './presets.ts'
import type { Commit, PresetName } from './schema.ts'
import type { Reason, Verdict, Warning } from './verdict.ts'

/** One row of the table that explains a bump. Texts are plain and hold text from commits: whoever renders escapes. */
export interface ExplainedCommit {
  readonly sha: string
  readonly title: string
  readonly level: Level
  /** What gave it that level, in words. */
  readonly rule: string
  /** Whether the bump would be less without commits such as this one. */
  readonly decides: boolean
  readonly warnings: readonly Warning[]
  /** What the commit would be alone under the other presets; empty where the messages were not given. */
  readonly others: readonly { readonly preset: PresetName; readonly level: Level }[]
}

/** A decision as a table: a sentence about the whole, and one row for each commit, newest first. */
export interface Explanation {
  readonly summary: string
  readonly warnings: readonly Warning[]
  readonly rows: readonly ExplainedCommit[]
  /** Commits that change nothing of the product, newest first, as far as they were given. */
  readonly outside: readonly ExplainedCommit[]
}

/**
 * Explains a decision. With `commits` (those it was made from) each row also tells what the other presets make of it,
 * and a warning where it would release under one of them and does not here. At most `mostRows` rows, the newest: the
 * other presets cost as much as the one that decided. `outside` are the verdicts of what the path left out.
 */
export function explainBump(
  decision: BumpDecision,
  commits: readonly Commit[] = [],
  mostRows = Number.POSITIVE_INFINITY,
  outside: readonly Verdict[] = [],
): Explanation {
  const shown = decision.commits.slice(0, mostRows)
  const wanted = new Set(shown.map(({ sha }) => sha))
  const deciding = new Set(decision.decidedBy.filter((sha) => wanted.has(sha)))
  const bySha = new Map(commits.filter(({ sha }) => wanted.has(sha)).map((commit) => [commit.sha, commit]))
  const rows = shown.map((verdict): ExplainedCommit => {
    const commit = bySha.get(verdict.sha)
    const others = commit === undefined ? [] : levelsElsewhere(commit, decision.preset)
    const warnings = [...verdict.warnings, ...missedElsewhere(verdict, others)]
    return { ...rowOf(verdict), decides: deciding.has(verdict.sha), warnings, others }
  })
  return {
    summary: summaryOf(decision),
    warnings: decision.warnings,
    rows,
    outside: outside.slice(0, mostRows).map(rowOf),
  }
}

const rowOf = ({ sha, title, level, reason, warnings }: Verdict): ExplainedCommit => ({
  ...{ sha, title, level, rule: ruleText(reason), decides: false, warnings, others: [] },
})

function levelsElsewhere(commit: Commit, own: PresetName): { preset: PresetName; level: Level }[] {
  return (Object.keys(presets) as PresetName[])
    .filter((name) => name !== own)
    .map((name) => {
      const [alone] = presets[name].judge([commit], { rules: [], types: presets[name].types })
      return { preset: name, level: alone?.level ?? 'none' }
    })
}

/** What takes a commit out on purpose needs no second opinion. */
const deliberate: ReadonlySet<Reason['kind']> = new Set([
  'reverted',
  'reverts',
  'team-rule',
  'merge',
  'autosquash',
  'blank',
  'label',
  'no-label',
  'no-pull-request',
  'outside-path',
])

function missedElsewhere(verdict: Verdict, others: ExplainedCommit['others']): Warning[] {
  if (verdict.level !== 'none' || verdict.releaseAs !== null || deliberate.has(verdict.reason.kind)) return []
  const releasing = others.filter(({ level }) => level !== 'none').map(({ preset, level }) => `${preset}: ${level}`)
  if (releasing.length === 0) return []
  return [{ code: 'other-preset', message: `It would release under another preset (${releasing.join(', ')}).` }]
}

/** What gave a verdict, without any text that its author wrote freely. */
export const ruleWithoutText = (reason: Reason): string =>
  reason.kind === 'breaking-note' ? 'a breaking change' : ruleText(reason)

function ruleText(reason: Reason): string {
  switch (reason.kind) {
    case 'type':
      return `type ${reason.type}`
    case 'breaking-mark':
      return '! before the colon'
    case 'breaking-note':
      return `breaking change: ${reason.text}`
    case 'team-rule':
      return `the team's rule for ${reason.type}${reason.scope === undefined ? '' : `(${reason.scope})`}`
    case 'tool-rule':
      return `the tool's rule for ${reason.rule}`
    case 'revert-of-outside':
      return 'reverts something released before'
    case 'reverted':
      return `reverted by ${reason.by.slice(0, 7)}`
    case 'reverts':
      return `reverts ${reason.commits.map((sha) => sha.slice(0, 7)).join(', ')} of this range`
    case 'merge':
      return 'a merge'
    case 'autosquash':
      return 'a commit that was to be squashed'
    case 'release-as':
      return `asks for ${reason.version}`
    case 'label':
      return `label ${reason.label}`
    case 'no-label':
      return 'no label that asks for anything'
    case 'no-pull-request':
      return 'no pull request'
    case 'outside-path':
      return 'changes nothing of this product'
    case 'hidden-type':
      return `type ${reason.type} is not shown`
    case 'no-rule':
      return 'no rule'
    case 'unparsed':
      return 'no conventional header'
    case 'blank':
      return 'no message'
  }
}

const policyText: Readonly<Record<BumpDecision['policy'], string>> = {
  'as-asked': '',
  'below-one': ', by the policy below 1.0.0',
  'first-release': ', the first release',
  'release-as': ', by request',
}

/** `1 commit`, `2 older commits`. */
export const commitsText = (count: number, which = ''): string =>
  countText(count, `${which === '' ? '' : `${which} `}commit`)

/** `1 file`, `2 files`. */
export const countText = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`

function summaryOf({ from, to, bump, policy, commits }: BumpDecision): string {
  const count = commitsText(commits.length)
  if (to === null) return `Nothing to release in ${count}${from === null ? '' : ` since ${from}`}.`
  return `${from ?? 'nothing'} → ${to} (${bump}${policyText[policy]}) by ${count}.`
}

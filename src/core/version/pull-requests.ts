import { accepted, type Checked, type Problem, quoted, rejected } from '../problem.ts'
import { type LabelLevels, levelOfLabels } from './labels.ts'
import { type Level, levels } from './level.ts'
import type { Commit } from './schema.ts'
import { firstLineOf, type Judge, titleOf, type Verdict } from './verdict.ts'

/** What says what a change asks for. */
export const changeSources = ['commits', 'titles', 'labels'] as const
export type ChangeSource = (typeof changeSources)[number]

/** A merged pull request, as far as it speaks for its commits. */
export interface PullRequest {
  readonly number: number
  readonly title: string
  readonly labels: readonly string[]
}

/** The changes of a range, newest first: each pull request once, at its newest commit, and what came by none. */
export interface Changes {
  readonly commits: readonly Commit[]
  /** By the hash of its commit; absent for what came by no pull request. */
  readonly pullRequests: ReadonlyMap<string, PullRequest>
}

/** Puts pull requests in the place of the commits they brought; `of` says which one a commit came by. */
export function byPullRequests(commits: readonly Commit[], of: ReadonlyMap<string, PullRequest>): Changes {
  const pullRequests = new Map<string, PullRequest>()
  const told = new Set<number>()
  const changes: Commit[] = []
  for (const commit of commits) {
    const pullRequest = of.get(commit.sha)
    if (pullRequest === undefined) changes.push(commit)
    else if (!told.has(pullRequest.number)) {
      told.add(pullRequest.number)
      pullRequests.set(commit.sha, pullRequest)
      changes.push({ sha: commit.sha, message: `${pullRequest.title} (#${pullRequest.number})` })
    }
  }
  return { commits: changes, pullRequests }
}

/** What is judged in the commits' place: newest first, under hashes of the commits. */
export interface Reread {
  readonly commits: readonly Commit[]
  /** Absent where their messages are judged as ever. */
  readonly judge?: Judge
}

/** Puts pull requests in the place of commits: judged by their labels, or with no rule for labels by their titles. */
export function rereadBy(
  rule: LabelRule | null,
  commits: readonly Commit[],
  of: ReadonlyMap<string, PullRequest>,
): Reread {
  const changes = byPullRequests(commits, of)
  return { commits: changes.commits, ...(rule === null ? {} : { judge: labelJudge(changes, rule) }) }
}

/** How GitHub names a pull request in the commit that a merge of it leaves, for a squash and for a merge. */
const SQUASHED = /\(#([1-9]\d{0,8})\)$/
const MERGED = /^Merge pull request #([1-9]\d{0,8})(?!\d)/

/** The pull requests of commits by the numbers in their first lines, as far as a list knows them. */
export function pullRequestsNamedIn(
  commits: readonly Commit[],
  byNumber: ReadonlyMap<number, PullRequest>,
): ReadonlyMap<string, PullRequest> {
  return new Map(
    commits.flatMap(({ sha, message }) => {
      const line = firstLineOf(message)
      const number = MERGED.exec(line)?.[1] ?? SQUASHED.exec(line)?.[1]
      const pullRequest = number === undefined ? undefined : byNumber.get(Number(number))
      return pullRequest === undefined ? [] : [[sha, pullRequest] as const]
    }),
  )
}

/** What labels ask for, and what a pull request asks for that has none of them. */
export interface LabelRule {
  readonly levels: LabelLevels
  readonly unlabelled: Level
}

/** Labels as many teams name them. */
export const usualLabels: LabelRule = {
  unlabelled: 'none',
  levels: new Map<string, Level>([
    ...['major', 'semver:major', 'semver-major', 'breaking', 'breaking change', 'breaking-change'].map(to('major')),
    ...['minor', 'semver:minor', 'semver-minor', 'feature', 'enhancement'].map(to('minor')),
    ...['patch', 'semver:patch', 'semver-patch', 'fix', 'bug', 'bugfix', 'security', 'dependencies'].map(to('patch')),
    ...['skip-release', 'no-release', 'semver:none'].map(to('none')),
  ]),
}

function to(level: Level): (label: string) => [string, Level] {
  return (label) => [label, level]
}

/** Reads lines such as `semver:major: major`; `*: patch` is for what has no such label. No lines: the usual labels. */
export function parseLabelRule(lines: readonly string[]): Checked<LabelRule, 'label-level'> {
  if (lines.length === 0) return accepted(usualLabels)
  const read = new Map<string, Level>()
  const problems: Problem<'label-level'>[] = []
  for (const line of lines) {
    const colon = line.lastIndexOf(':')
    const label = line.slice(0, Math.max(colon, 0)).trim()
    const level = levels.find((one) => one === line.slice(colon + 1).trim())
    if (label !== '' && level !== undefined) read.set(label, level)
    else
      problems.push({
        code: 'label-level',
        message: `expected a line such as \`feature: minor\`, found ${quoted(line)}`,
      })
  }
  if (problems.length > 0) return rejected(...problems)
  const unlabelled = read.get('*') ?? 'none'
  read.delete('*')
  return accepted({ levels: read, unlabelled })
}

/** Judges changes by the labels of their pull requests, whatever their titles say. */
export const labelJudge =
  ({ pullRequests }: Changes, rule: LabelRule): Judge =>
  (commits) =>
    commits.map((commit) => judgeByLabels(commit, pullRequests.get(commit.sha) ?? null, rule))

function judgeByLabels(commit: Commit, pullRequest: PullRequest | null, rule: LabelRule): Verdict {
  const blank = {
    sha: commit.sha,
    title: titleOf(firstLineOf(commit.message)),
    type: null,
    scope: null,
    releaseAs: null,
  }
  if (pullRequest === null) {
    const message = 'No pull request is known to have brought it, so no label speaks for it.'
    const warnings = [{ code: 'not-counted', message }] as const
    return { ...blank, level: 'none', reason: { kind: 'no-pull-request' }, warnings }
  }
  const level = levelOfLabels(pullRequest.labels, rule.levels)
  if (level === null) return { ...blank, level: rule.unlabelled, reason: { kind: 'no-label' }, warnings: [] }
  const label = pullRequest.labels.find((one) => levelOfLabels([one], rule.levels) === level) ?? ''
  return { ...blank, level, reason: { kind: 'label', label: titleOf(label) }, warnings: [] }
}

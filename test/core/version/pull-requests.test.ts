import { describe, expect, it } from '@jest/globals'
import { unwrap } from '../../../src/core/problem.ts'
import { decideBump } from '../../../src/core/version/decide.ts'
import { explainBump } from '../../../src/core/version/explain.ts'
import {
  byPullRequests,
  labelJudge,
  parseLabelRule,
  pullRequestsNamedIn,
  usualLabels,
} from '../../../src/core/version/pull-requests.ts'

const sha = (index: number): string => `${index}`.repeat(40)
const commit = (index: number, message = 'x') => ({ sha: sha(index), message })
const pullRequest = (number: number, title: string, ...labels: readonly string[]) => ({ number, title, labels })

describe('pull requests named by commits', () => {
  const known = new Map([7, 12].map((number) => [number, pullRequest(number, 'x')]))

  it.each<[string, number | null]>([
    ['fix: a (#7)', 7],
    ['\n  fix: a (#12) (#7)\n\nbody (#12)', 7],
    ['Merge pull request #12 from a/b (#7)\n\ntitle', 12],
    ['Merge pull request #70 from a/b', null],
    ['fix: a (#7) again', null],
    ['fix: a #7', null],
    ['Revert "fix: a (#7)"', null],
    ['fix: a (#999)', null],
    ['', null],
  ])('%j comes by %j', (message, number) => {
    expect(pullRequestsNamedIn([commit(1, message)], known).get(sha(1))?.number ?? null).toBe(number)
  })
})

describe('pull requests in the place of their commits', () => {
  const commits = [commit(1, 'wip'), commit(2, 'feat!: of nobody'), commit(3, 'more'), commit(4)]
  const of = new Map([
    [sha(1), pullRequest(7, 'feat: seven', 'Bug', 'semver:minor')],
    [sha(3), pullRequest(7, 'feat: seven', 'Bug', 'semver:minor')],
    [sha(4), pullRequest(8, 'fix: eight', 'docs')],
  ])
  const changes = byPullRequests(commits, of)

  it('count once each, at their newest commit, and leave what came by none as it is', () => {
    expect(changes.commits).toEqual([
      { sha: sha(1), message: 'feat: seven (#7)' },
      { sha: sha(2), message: 'feat!: of nobody' },
      { sha: sha(4), message: 'fix: eight (#8)' },
    ])
  })

  it('decide by their titles', () => {
    expect(
      unwrap(decideBump({ preset: 'ringmaster' }, '1.2.3', changes.commits)).commits.map(({ level }) => level),
    ).toEqual(['minor', 'major', 'patch'])
  })

  it('decide by their labels alone, the strongest of them, in any case', () => {
    const decision = unwrap(
      decideBump({ preset: 'ringmaster' }, '1.2.3', changes.commits, labelJudge(changes, usualLabels)),
    )
    expect([decision.to, decision.decidedBy]).toEqual(['1.3.0', [sha(1)]])
    const { rows } = explainBump(decision, changes.commits)
    expect(rows.map(({ level, rule, warnings }) => [level, rule, warnings.map(({ code }) => code)])).toEqual([
      ['minor', 'label semver:minor', []],
      ['none', 'no pull request', ['not-counted']],
      ['none', 'no label that asks for anything', []],
    ])
  })

  it.each<[readonly string[], string]>([
    [['*: patch'], 'patch'],
    [['bug: major', '*: patch'], 'major'],
    [['DOCS: minor'], 'minor'],
    [['semver:minor: none', 'docs: none'], 'none'],
  ])('follow a team’s own table %j', (lines, level) => {
    const rule = unwrap(parseLabelRule(lines))
    const decision = unwrap(decideBump({ preset: 'ringmaster' }, '1.2.3', changes.commits, labelJudge(changes, rule)))
    expect(decision.level).toBe(level)
  })

  it('refuse a table with every line that is none', () => {
    const read = parseLabelRule(['bug', 'x: huge', ': patch', '__proto__: patch'])
    expect(read.ok ? [] : read.problems.map(({ code }) => code)).toEqual(['label-level', 'label-level', 'label-level'])
  })
})

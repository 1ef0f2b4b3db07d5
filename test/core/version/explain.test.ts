import { describe, expect, it } from '@jest/globals'
import { decideBump } from '../../../src/core/version/decide.ts'
import { explainBump } from '../../../src/core/version/explain.ts'
import { stepBetween } from '../../../src/core/version/step.ts'
import { parseVersion } from '../../../src/core/version/version.ts'

const shaOf = (index: number): string => `${index}`.padStart(8, '0').padEnd(40, 'a')

const commits = [
  'feat(api): b',
  'security: c',
  `Revert "x"\n\nThis reverts commit ${shaOf(3)}.`,
  'feat!: x',
  'Feature: d',
  'chore!: e',
  'build: f\n\nBREAKING CHANGE notes follow',
].map((message, at) => ({ sha: shaOf(at), message }))

describe('an explanation', () => {
  it('tells each commit, its rule, whether it decides, and what to look at again', () => {
    const decision = decideBump({ preset: 'angular' }, '1.2.3', commits)
    const { summary, rows } = explainBump(decision.ok ? decision.value : ({} as never), commits)
    expect(summary).toBe('1.2.3 → 2.0.0 (major) by 7 commits.')
    expect(rows.map(({ level, rule, decides }) => [level, rule, decides])).toEqual([
      ['minor', 'type feat', false],
      ['none', 'no rule', false],
      ['patch', 'reverts something released before', false],
      ['none', 'no rule', false],
      ['none', 'no rule', false],
      ['none', 'no rule', false],
      ['major', 'breaking change: BREAKING CHANGE notes follow', true],
    ])
    expect(rows.map(({ warnings }) => warnings.map(({ message }) => message))).toEqual([
      [],
      ['It would release under another preset (ringmaster: patch).'],
      [],
      [
        'The first line is no conventional header for this preset.',
        'It would release under another preset (ringmaster: major, conventionalcommits: major, release-please: major).',
      ],
      ['It would release under another preset (ringmaster: minor).'],
      [
        'The first line is no conventional header for this preset.',
        'It would release under another preset (ringmaster: major, conventionalcommits: major, release-please: major).',
      ],
      [],
    ])
  })

  it('says that nothing is to be released', () => {
    const decision = decideBump({ preset: 'ringmaster' }, null, [{ sha: shaOf(1), message: 'docs: a' }])
    expect(decision.ok && explainBump(decision.value).summary).toBe('Nothing to release in 1 commit.')
  })
})

describe('the step between two versions', () => {
  it.each([
    ['1.2.3', '2.0.0', 'major'],
    ['1.2.3', '1.4.0', 'minor'],
    ['1.2.3', '1.2.9', 'patch'],
    ['1.2.3-rc.1', '1.2.3', 'patch'],
    ['1.2.3', '1.2.3', 'none'],
  ])('from %s to %s is %s', (from, to, step) => {
    const [a, b] = [parseVersion('semver', from), parseVersion('semver', to)]
    expect(a.ok && b.ok && stepBetween(a.value, b.value)).toBe(step)
  })
})

import { describe, expect, it } from '@jest/globals'
import { unwrap } from '../../../src/core/problem.ts'
import { decideBump } from '../../../src/core/version/decide.ts'
import { explainBump } from '../../../src/core/version/explain.ts'
import { judgeOutsidePath } from '../../../src/core/version/outside-path.ts'
import type { BumpConfig } from '../../../src/core/version/schema.ts'
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
  it('tells of commits outside the path what they would ask for inside it', () => {
    const messages = ['feat(api): b', 'docs: c', 'fix: d\n\nRelease-As: 3.0.0', 'chore: e']
    const outside = messages.map((message, at) => ({ sha: shaOf(at), message }))
    const config: BumpConfig = { preset: 'ringmaster', rules: [{ type: 'chore', bump: 'patch' }] }
    const decision = unwrap(decideBump(config, '1.2.3', []))
    const verdicts = unwrap(judgeOutsidePath(config, outside))
    const explanation = explainBump(decision, [], 3, verdicts)
    expect(explanation.outside.map(({ level, rule }) => `${level}, ${rule}`)).toEqual(
      Array(3).fill('none, changes nothing of this product'),
    )
    expect(verdicts.map(({ releaseAs, warnings }) => [releaseAs, ...warnings.map(({ message }) => message)])).toEqual([
      [null, 'It changes nothing of this product and does not count; inside it, it would ask for minor.'],
      [null],
      [null, 'It changes nothing of this product and does not count; inside it, it would ask for 3.0.0.'],
      [null, 'It changes nothing of this product and does not count; inside it, it would ask for patch.'],
    ])
  })

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

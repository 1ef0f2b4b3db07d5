import { describe, expect, it } from '@jest/globals'
import { unwrap } from '../../../src/core/problem.ts'
import { type BumpDecision, decideBump } from '../../../src/core/version/decide.ts'
import type { BumpConfig, Commit } from '../../../src/core/version/schema.ts'
import type { WarningCode } from '../../../src/core/version/verdict.ts'
import { parseWildcard } from '../../../src/core/version/wildcard.ts'

const shaOf = (index: number): string => `${index}`.padStart(8, '0').padEnd(40, 'a')
const commitsOf = (messages: readonly string[]): Commit[] =>
  messages.map((message, at) => ({ sha: shaOf(at), message }))

function decided(config: BumpConfig, from: string | null, ...messages: readonly string[]): BumpDecision {
  const decision = decideBump(config, from, commitsOf(messages))
  if (!decision.ok) throw new Error(decision.problems.map(({ message }) => message).join())
  return decision.value
}

const ringmaster = { preset: 'ringmaster' } as const
const after = (...messages: readonly string[]): string | null => decided(ringmaster, '1.2.3', ...messages).to
const warned = (...messages: readonly string[]): WarningCode[] =>
  decided(ringmaster, '1.2.3', ...messages).commits.flatMap(({ warnings }) => warnings.map(({ code }) => code))

describe('a header of the default preset', () => {
  it.each([
    ['a type in any case', 'FEAT: a', '1.3.0'],
    ['the long word', 'Feature: a', '1.3.0'],
    ['a dependency', 'deps(core): a', '1.2.4'],
    ['a missing blank', 'feat:a', '1.3.0'],
    ['an empty scope', 'feat(): a', '1.3.0'],
    ['brackets in the scope', 'feat(a(b)): a', '1.3.0'],
    ['blanks around the message', '\n\n  fix: a  \n', '1.2.4'],
    ['line ends of Windows', 'fix: a\r\n\r\nBREAKING CHANGE: x\r\n', '2.0.0'],
    ['an unknown type with a mark', 'wip(x)!: a', '2.0.0'],
    ['a blank before the colon', 'feat : a', null],
    ['a mark before the scope', 'feat!(x): a', null],
    ['two marks', 'feat!!: a', null],
    ['an open scope', 'feat(x: a', null],
    ['something before the type', '[ABC-1] feat: a', null],
    ['no subject', 'feat:', null],
    ['no subject but a mark', 'feat!:  ', null],
    ['a full-width colon', 'feat： a', null],
    ['a blank message', ' \n ', null],
  ])('with %s', (_, message, to) => {
    expect(after(message)).toBe(to)
  })
})

describe('a breaking change of the default preset', () => {
  it.each([
    ['behind a list', 'fix: a\n\n- one\n- two\nBREAKING CHANGE: x', '2.0.0'],
    ['after a closed fence', 'fix: a\n\n```\ncode\n```\nBREAKING CHANGE: x', '2.0.0'],
    ['with a reference', 'fix: a\n\nBREAKING-CHANGE #12', '2.0.0'],
    ['in a fence', 'fix: a\n\n```js\nBREAKING CHANGE: x\n```', '1.2.4'],
    ['in a fence whose name ends in a separator', 'fix: a\n\n```js\u2028\nBREAKING CHANGE: x\n```', '1.2.4'],
    ['in a fence of tildes', 'fix: a\n\n~~~~\n~~~\nBREAKING CHANGE: x\n~~~~', '1.2.4'],
    ['in a fence that stays open', 'fix: a\n\n```\nBREAKING CHANGE: x', '1.2.4'],
    ['after a fence that an item of a list opens', 'fix: a\n\n- ```\n  code\n  ```\nBREAKING CHANGE: x', '2.0.0'],
    ['after a fence that a numbered item opens', 'fix: a\n\n10. ~~~\n    code\n    ~~~\n\nBREAKING CHANGE: x', '2.0.0'],
    ['after an item whose fence stays open', 'fix: a\n\n* ```\n  code\nBREAKING CHANGE: x', '2.0.0'],
    ['in a fence behind one of an item', 'fix: a\n\n* ```\n  code\n\n```\nBREAKING CHANGE: x\n```', '1.2.4'],
    ['in a fence that holds the mark of a list', 'fix: a\n\n```\n- ```\nBREAKING CHANGE: x\n```', '1.2.4'],
    ['after a fence indented too far to be one', 'fix: a\n\n    ```\nBREAKING CHANGE: x', '2.0.0'],
    ['in backticks on one line', 'fix: a\n\n```BREAKING CHANGE: x``` is code\nBREAKING CHANGE: y', '2.0.0'],
    ['in a list', 'fix: a\n\n* BREAKING CHANGE: x\n- BREAKING CHANGE: y', '1.2.4'],
    ['in a quote', 'fix: a\n\n> BREAKING CHANGE: x', '1.2.4'],
    ['in lower case', 'fix: a\n\nbreaking change: x', '1.2.4'],
    ['in the plural', 'fix: a\n\nBREAKING CHANGES: x', '1.2.4'],
    ['without a colon', 'fix: a\n\nBREAKING CHANGE x', '1.2.4'],
    ['with a number sign and nothing', 'fix: a\n\nBREAKING CHANGE #', '1.2.4'],
    ['with its text on the next line', 'fix: a\n\nBREAKING CHANGE:\nx', '1.2.4'],
  ])('%s', (_, message, to) => {
    expect(after(message)).toBe(to)
  })
})

describe('the text of a breaking change', () => {
  it.each([
    ['keeps a number sign behind the colon', 'BREAKING CHANGE: #12 is gone', '#12 is gone'],
    ['is the reference behind a number sign', 'BREAKING CHANGE #12', '12'],
  ])('%s', (_, line, text) => {
    const [verdict] = decided(ringmaster, '1.2.3', `fix: a\n\n${line}`).commits
    expect(verdict?.reason).toEqual({ kind: 'breaking-note', text })
  })
})

describe('a commit that does not count by itself', () => {
  it.each([
    ['a merged branch', "Merge branch 'main' into next\n\nBREAKING CHANGE: x", null],
    ['a merged tag', "Merge tag 'v1.0.0'\n\nfeat: a", null],
    ['a merged pull request by its title', 'Merge pull request #9 from a/b\r\n\r\nfeat(x)!: title', '2.0.0'],
    ['a merged pull request without a title', 'Merge pull request #9 from a/b', null],
    ['a merged pull request titled as a fixup', 'Merge pull request #9 from a/b\n\nfixup! feat: a', null],
    ['a sentence that begins with Merge', 'Merge sort is stable\n\nBREAKING CHANGE: x', '2.0.0'],
    ['a fixup', 'fixup! feat: a\n\nBREAKING CHANGE: x', null],
    ['an amendment', 'amend! feat!: a', null],
    ['a squashed body', 'chore: a (#1)\n\n* feat: one\n\n* fix!: two', null],
  ])('is %s', (_, message, to) => {
    expect(after(message)).toBe(to)
  })
})

const reverts = (index: number, title = 'x'): string => `Revert "${title}"\n\nThis reverts commit ${shaOf(index)}.`

describe('a revert', () => {
  it.each<[string, string[], string | null]>([
    ['takes the commit out, and itself', [reverts(2), 'fix: b', 'feat: a'], '1.2.4'],
    ['takes out a breaking change', [reverts(1), 'feat!: a'], null],
    ['of a revert brings the change back', [reverts(1), reverts(2), 'feat: a'], '1.3.0'],
    ['of a revert of a revert takes it out again', [reverts(1), reverts(2), reverts(3), 'feat: a'], null],
    [
      'as git words it for the second time',
      [`Reapply "feat: a"\n\nThis reverts commit ${shaOf(1)}.`, reverts(2), 'feat: a'],
      '1.3.0',
    ],
    ['of something outside is a patch', [reverts(70)], '1.2.4'],
    [
      'with one target in the range and one outside is a patch',
      [`${reverts(1)}\nThis reverts commit ${shaOf(70)}.`, 'feat: a'],
      '1.2.4',
    ],
    ['that names nothing is a patch', ['Revert "feat: a"', 'docs: b'], '1.2.4'],
    ['by prefix takes the commit out', [`revert: a\n\nRefs: ${shaOf(1).slice(0, 8)}`, 'feat: a'], null],
    [
      'by prefixes takes all of them out',
      [`revert: a\n\nRefs: ${shaOf(1).slice(0, 8)}, ${shaOf(2).slice(0, 9)}`, 'feat: a', 'feat!: b'],
      null,
    ],
    [
      'by a prefix before a separator takes the commit out',
      [`revert: a\n\nRefs: ${shaOf(1)}\u2028\n\nx`, 'feat: a'],
      null,
    ],
    ['by a prefix too short takes nothing out', [`revert: a\n\nRefs: ${shaOf(1).slice(0, 6)}`, 'feat: a'], '1.3.0'],
    ['by a prefix of two commits takes nothing out', [`revert: a\n\nRefs: 0000000`, 'feat: a', 'fix: b'], '1.3.0'],
    [
      'by a short hash after the phrase is one of something outside',
      [`Revert "a"\n\nThis reverts commit ${shaOf(1).slice(0, 8)}.`, 'feat: a'],
      '1.3.0',
    ],
    [
      'of a breaking change that says so takes the commit out',
      [`Revert "a"\n\nThis reverts commit ${shaOf(1)}, which was a breaking change.`, 'feat!: a'],
      null,
    ],
    [
      'behind other words takes the commit out',
      [`Revert "a"\n\nIt broke. This reverts commit ${shaOf(1)}.`, 'feat: a'],
      null,
    ],
    ['on the line of the title takes the commit out', [`Revert "a" This reverts commit ${shaOf(1)}.`, 'feat: a'], null],
    [
      'that quotes one does not take back what that one did',
      [
        `${reverts(1)}\n\n> This reverts commit ${shaOf(2)}.\n\n\tThis reverts commit ${shaOf(2)}.`,
        'fix: b',
        'feat: a',
      ],
      '1.3.0',
    ],
    [
      'behind other words under another title is none',
      [`fix: b\n\nIn part. This reverts commit ${shaOf(1)}.`, 'feat: a'],
      '1.3.0',
    ],
    ['that is told in other words is none', [`fix: b\n\nRefs: ${shaOf(1).slice(0, 8)}`, 'feat: a'], '1.3.0'],
    ['cannot come before what it reverts', ['feat: a', reverts(0)], '1.3.0'],
    ['takes a request out too', [reverts(1), 'chore: a\n\nRelease-As: 9.0.0'], null],
  ])('%s', (_, messages, to) => {
    expect(after(...messages)).toBe(to)
  })
})

describe('a version asked for', () => {
  it.each<[string, string[], string]>([
    ['wins over what counts', ['feat!: a', 'chore: b\n\nRelease-As: 1.9.0'], '1.9.0'],
    ['in any case', ['chore: b\n\nrelease-as: v2.0.0-rc.1'], '2.0.0-rc.1'],
    ['more than once is the newest', ['chore: b\n\nRelease-As: 3.0.0', 'chore: c\n\nRelease-As: 4.0.0'], '3.0.0'],
    ['that cannot be read is left out', ['fix: b\n\nRelease-As: soon', 'chore: c\n\nRelease-As: 4.0.0'], '4.0.0'],
    ['before a separator that is no line end for git', ['chore: b\n\nRelease-As: 1.9.0\u2028\n\nx'], '1.9.0'],
    ['inside a fence is none', ['fix: b\n\n```\nRelease-As: 3.0.0\n```'], '1.2.4'],
  ])('%s', (_, messages, to) => {
    expect(after(...messages)).toBe(to)
  })

  it('below the version before is told', () => {
    const decision = decided(ringmaster, '1.2.3', 'chore: a\n\nRelease-As: 1.0.0')
    expect(decision).toMatchObject({ bump: 'exact', to: '1.0.0', warnings: [{ code: 'release-as-not-above' }] })
  })

  it('is nothing that angular knows', () => {
    expect(decided({ preset: 'angular' }, '1.2.3', 'fix: a\n\nRelease-As: 5.0.0').to).toBe('1.2.4')
  })
})

describe('the version before', () => {
  it.each<[string, BumpConfig, string | null, string, string | null]>([
    ['is none: the first release', ringmaster, null, 'feat!: a', '0.1.0'],
    ['is none and nothing releases', ringmaster, null, 'docs: a', null],
    ['is none for semantic-release', { preset: 'angular' }, null, 'fix: a', '1.0.0'],
    ['is none for release-please', { preset: 'release-please' }, null, 'fix: a', '1.0.0'],
    ['is below 1.0.0 and breaks', ringmaster, '0.2.3', 'feat!: a', '0.3.0'],
    [
      'is below 1.0.0 and breaks on request',
      { ...ringmaster, preMajor: { breaking: 'major' } },
      '0.2.3',
      'feat!: a',
      '1.0.0',
    ],
    [
      'is below 1.0.0 and a feature is a patch',
      { ...ringmaster, preMajor: { feature: 'patch' } },
      '0.2.3',
      'feat: a',
      '0.2.4',
    ],
    ['is a candidate that suffices', ringmaster, '1.3.0-rc.2', 'feat: a', '1.3.0'],
    ['is a candidate that does not suffice', ringmaster, '1.2.4-rc.2', 'feat: a', '1.3.0'],
    ['is a development build', ringmaster, '1.3.0-45', 'fix: a', '1.3.0'],
    ['is a candidate for release-please', { preset: 'release-please' }, '1.3.0-rc.2', 'fix: a', '1.3.1-rc.2'],
  ])('%s', (_, config, from, message, to) => {
    expect(decided(config, from, message).to).toBe(to)
  })

  it.each([
    ['v1.2.3', 'version-prefix'],
    ['latest', 'version-parts'],
    [`${Number.MAX_SAFE_INTEGER}.0.0`, 'version-too-large'],
  ])('%s is refused where the answer would be wrong', (from, code) => {
    expect(decideBump(ringmaster, from, commitsOf(['feat!: a']))).toMatchObject({
      ok: false,
      problems: expect.arrayContaining([expect.objectContaining({ code })]),
    })
  })
})

describe('the rules of a team', () => {
  const rules = [
    { type: 'docs', scope: 'readme*', bump: 'patch' },
    { type: 'chore', bump: 'minor' },
    { type: 'CHORE', bump: 'major' },
  ] satisfies BumpConfig['rules']

  it.each([
    ['match a scope with a wildcard', 'docs(README.md): a', '1.2.4'],
    ['ask for the scope', 'docs: a', null],
    ['win over a breaking change, the first first', 'chore!: a', '1.3.0'],
    ['leave the rest to the preset', 'feat: a', '1.3.0'],
  ])('%s', (_, message, to) => {
    expect(decided({ ...ringmaster, rules }, '1.2.3', message).to).toBe(to)
  })

  it.each([
    ['**', 'a', true],
    ['**', 'a/b', true],
    ['**', 'a\nb', false],
    ['**', 'a\r', false],
    ['**', 'a\u2028b', false],
    ['*', 'a\nb', true],
    ['***', 'a\nb', true],
    ['***', 'a/b', false],
    ['a**', 'a\nb', true],
  ])('match as micromatch does: %j and %j, %j', (pattern, text, expected) => {
    expect(unwrap(parseWildcard(pattern))(text)).toBe(expected)
  })

  it('are refused together when their patterns cannot be read', () => {
    const broken = decideBump(
      {
        ...ringmaster,
        rules: [
          { type: 'a(b|c)', bump: 'patch' },
          { type: 'x', scope: '[a', bump: 'patch' },
        ],
      },
      'v1',
      [],
    )
    expect(broken.ok ? [] : broken.problems.map(({ path }) => path)).toEqual([
      'rules[0].type',
      'rules[1].scope',
      'from',
      'from',
    ])
  })

  it('name the types that release, where a team lists them', () => {
    const config = { preset: 'ringmaster', visibleTypes: ['docs', 'feat'] } as const
    const listed = { ...config, visibleTypes: [...config.visibleTypes] }
    expect([decided(listed, '1.2.3', 'docs: a').to, decided(listed, '1.2.3', 'fix: a').to]).toEqual(['1.2.4', null])
  })
})

describe('release-please', () => {
  it.each<[string, string[], string | null]>([
    ['sees a breaking change of an unknown type only beside a release', ['wip!: a', 'fix: b'], '2.0.0'],
    ['and not alone', ['wip!: a'], null],
    ['reads two commits in one message', ['fix: a\n\nfeat(x): b'], '1.3.0'],
    ['reads nested commits', ['chore: a\n\nBEGIN_NESTED_COMMIT\nfeat: b\nEND_NESTED_COMMIT'], '1.3.0'],
    ['loses a message to an open bracket', ['fix: a\n\nword(\n'], null],
    ['takes a number for a colon', ['fix #12 the thing'], '1.2.4'],
    ['reads a footer as a commit', ['chore: a\n\nfeat: b\nRefs: 1'], '1.3.0'],
    ['forgets a note whose last line is blank', ['fix: a\n\nBREAKING CHANGE: x\n  \nRefs: #1'], '1.2.4'],
    ['finds a version inside a text', ['chore: a\n\nRelease-As: the v5.1.0 one'], '5.1.0'],
  ])('%s', (_, messages, to) => {
    expect(decided({ preset: 'release-please' }, '1.2.3', ...messages).to).toBe(to)
  })
})

describe('the commits that decide', () => {
  it.each<[BumpConfig['preset'], string[], number[]]>([
    ['ringmaster', ['feat: a', 'fix: b', 'feat: c'], [0, 2]],
    ['ringmaster', ['docs: a'], []],
    ['ringmaster', ['feat: a', 'chore: b\n\nRelease-As: 3.0.0'], [1]],
    ['release-please', ['fix: b', 'wip!: a'], [1]],
  ])('under %s of %j are %j', (preset, messages, deciding) => {
    expect(decided({ preset }, '1.2.3', ...messages).decidedBy).toEqual(deciding.map(shaOf))
  })
})

describe('a second look', () => {
  it.each<[string, WarningCode[]]>([
    ['fix: a', []],
    ['docs: a', []],
    ['update things', ['unparsed']],
    ['fixes: a', ['looks-conventional']],
    ['🐛 fix: a', ['looks-conventional']],
    ['feat a', ['looks-conventional']],
    ['feat:', ['no-subject']],
    ['frob: a', ['unknown-type']],
    ['fixup! fix: a', ['not-counted']],
    ['fix: a\n\nBREAKING CHANGE:\nx', ['breaking-without-text']],
    ['fix: a\n\n> BREAKING CHANGE: x', ['breaking-look-alike']],
    ['fix: a\n\nbreaking change: x', ['breaking-look-alike']],
    ['fix: a\n\nthis is no breaking change at all', []],
    ['fix: a\n\n```\nBREAKING CHANGE: x\n```', ['breaking-in-code']],
    ['fix: a\n\n* feat: b\n* docs: c', ['headers-in-body']],
    ['fix: a\n\n* docs: c\n\nSigned-off-by: B <b@example.com>', []],
    ['Revert "feat: a"', ['revert-names-no-commit']],
  ])('at %j tells %j', (message, codes) => {
    expect(warned(message)).toEqual(codes)
  })

  it('tells of a commit that reverts under another name', () => {
    expect(warned(`feat: new\n\nThis reverts commit ${shaOf(1)}.`, 'feat: a')).toEqual([
      'revert-carries-change',
      'reverted',
    ])
  })

  it('tells of a rule that makes less of a breaking change', () => {
    const config = { ...ringmaster, rules: [{ type: 'chore', bump: 'patch' as const }] }
    expect(decided(config, '1.2.3', 'chore!: a').commits[0]?.warnings).toEqual([
      { code: 'breaking-demoted', message: 'It is marked as breaking; a rule of the team makes it patch.' },
    ])
  })
})

describe('text from outside', () => {
  it.each([
    '__proto__: a',
    'constructor!: a',
    'toString(__proto__): a',
    '-__proto__-\nx',
    'fix(__proto__): a\n\n-__proto__-\n-constructor-\nx',
  ])('is data: %j', (message) => {
    for (const preset of ['ringmaster', 'angular', 'conventionalcommits', 'release-please'] as const) {
      expect(
        decideBump({ preset, rules: [{ type: 'hasOwnProperty', bump: 'major' }] }, '1.2.3', commitsOf([message])).ok,
      ).toBe(true)
    }
  })
})

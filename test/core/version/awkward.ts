import fc from 'fast-check'
import type { Commit } from '../../../src/core/version/schema.ts'

/** Pieces that grammars of commit messages trip over. */
const pieces = [
  ...['feat', 'fix', 'FEAT', 'Fix', 'perf', 'chore', 'docs', 'revert', 'wip', 'feature', 'deps'],
  ...[':', ': ', '!', '!: ', ' !: ', '(', ')', '(a)', '(a/b)', '()', '((', '))', '): ', ')!: '],
  ...[
    'BREAKING CHANGE',
    'BREAKING-CHANGE',
    'BREAKING CHANGE: x',
    'breaking change: x',
    'Breaking Change',
    'BREAKING CHANGES',
  ],
  ...[
    '\n',
    '\n\n',
    '\r\n',
    '\r',
    '\u2028',
    ' ',
    '  ',
    '\t',
    '\n    ',
    '\n> ',
    '\n* ',
    '\n- ',
    '\n| ',
    '\n```\n',
    '\n~~~\n',
  ],
  ...['Revert "', '"', 'revert: ', 'This reverts commit ', '0123abc', '0123abc.', '.', 'Refs: ', 'Release-As: 5.0.0'],
  ...[
    '-type-',
    '-scope-',
    '-tag-',
    '--',
    '-',
    '\n-type-\n',
    '\n-tag-\n',
    '\n-emoji-\n',
    '\n-component-\n',
    '\n-hash-\n',
  ],
  ...['Breaking', 'Update', ':bug:', 'gpg:', '\ngpg: a', '#1', 'closes #2', 'Merge pull request #9 from a/b\n\n'],
  ...['fixup! ', 'a', 'foo bar', '🐛 ', 'é', '_', '\u00a0', '\ufeff', 'Co-authored-by: B <b@example.com>'],
]

const piece = fc.constantFrom(...pieces)

const head = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom('fix: a', 'feat(x): b', 'feat!: c', 'chore(y)!: d', 'docs: e', 'perf(x)(y): f'),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', '  ', '\n', 'not conventional', ': a', '!: a', 'fix:a', 'Revert "fix: a"'),
  },
)

/** A message glued together from awkward pieces, half of them behind a plausible first line. */
export const awkwardMessage: fc.Arbitrary<string> = fc
  .tuple(head, fc.constantFrom('', '\n\n', '\n'), fc.array(piece, { maxLength: 9 }))
  .map(([first, between, rest]) => first + between + rest.join(''))

const shaOf = (index: number): string => `${index}`.padStart(8, '0').padEnd(40, 'a')

/** What a revert of a commit looks like in the wild. */
function revertOf(commit: Commit, style: number): string {
  const title = commit.message.trim().split(/\r?\n/)[0] ?? ''
  const tail = style % 2 === 0 ? '.' : ''
  if (style < 2) return `Revert "${title}"\n\nThis reverts commit ${commit.sha}${tail}`
  if (style < 4) return `revert: ${title}\n\nThis reverts commit ${commit.sha}${tail}\n\nbecause`
  return `Revert "other"\n\nThis reverts commit ${style < 6 ? commit.sha : commit.sha.slice(0, 7)}${tail}`
}

/** Commits newest first, some of them reverts of older ones, some reverts of reverts. */
export const awkwardRange: fc.Arbitrary<Commit[]> = fc
  .array(fc.tuple(awkwardMessage, fc.option(fc.tuple(fc.nat(20), fc.nat(7)), { freq: 3 })), {
    minLength: 1,
    maxLength: 6,
  })
  .map((drafts) => {
    const oldestFirst: Commit[] = []
    for (const [index, [message, revert]] of drafts.entries()) {
      const target = revert === null ? undefined : oldestFirst[revert[0] % Math.max(1, oldestFirst.length)]
      const text = target === undefined || revert === null ? message : revertOf(target, revert[1])
      oldestFirst.push({ sha: shaOf(drafts.length - index), message: text })
    }
    return oldestFirst.reverse()
  })

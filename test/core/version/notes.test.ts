import { describe, expect, it } from '@jest/globals'
import { decideBump } from '../../../src/core/version/decide.ts'
import { collectNotes, type NoteEntry, type Notes, type NotesOptions } from '../../../src/core/version/notes.ts'
import { rereadBy, usualLabels } from '../../../src/core/version/pull-requests.ts'
import { findReferences } from '../../../src/core/version/references.ts'

const shaOf = (index: number): string => `${index}`.padStart(8, '0').padEnd(40, 'a')

const messages = [
  `Revert "feat: gone"\n\nThis reverts commit ${shaOf(1)}.`,
  'feat: gone',
  'feat(Api): newer (#12)\n\nCloses #7, see acme/tools#8',
  'feat(api): older',
  'feature: without a scope',
  'fix(billing)!: refunds',
  'chore(infra): rotate keys (#13)',
  'docs!: rename the guide\n\nBREAKING CHANGE: links to the guide change',
  "Merge branch 'main' into next",
  'Merge pull request #9 from a/b\n\nperf(api): faster',
  'fixup! feat: x',
  'words without a header',
  'frob: unknown type',
]
const commits = messages.map((message, at) => ({ sha: shaOf(at), message }))
const authors = new Map([
  [shaOf(2), ['zoe']],
  [shaOf(3), ['ann', 'zoe']],
  [shaOf(5), ['zoe']],
  [shaOf(1), ['gone']],
])

function notesFor(options: NotesOptions): Notes {
  const decision = decideBump({ preset: 'ringmaster' }, '1.2.3', commits)
  if (!decision.ok) throw new Error(decision.problems[0]?.message)
  return collectNotes(decision.value, commits, options)
}

const outline = ({ groups }: Notes): string[] =>
  groups.map(({ title, scopes }) => {
    const parts = scopes.map(
      ({ scope, entries }) => `${scope ?? '-'}: ${entries.map(({ subject }) => subject).join(', ')}`,
    )
    return `${title} | ${parts.join(' | ')}`
  })

const everyEntry = ({ breaking, groups }: Notes): NoteEntry[] => [
  ...breaking,
  ...groups.flatMap(({ scopes }) => scopes.flatMap(({ entries }) => entries)),
]

describe('notes', () => {
  it('for the team tell everything that is left of the range, by type and scope', () => {
    const notes = notesFor({ audience: 'internal', authors })
    expect(outline(notes)).toEqual([
      'Features | -: without a scope | Api: newer | api: older',
      'Bug fixes | billing: refunds',
      'Performance | api: faster',
      'Documentation | -: rename the guide',
      'Chores | infra: rotate keys',
      'frob | -: unknown type',
      'Other | -: words without a header',
    ])
    expect(notes.breaking.map(({ breaking }) => breaking)).toEqual(['refunds', 'links to the guide change'])
    expect(notes.contributors).toEqual(['ann', 'zoe'])
  })

  it('link the pull request, and what the message names beside it', () => {
    const entry = everyEntry(notesFor({ audience: 'internal' })).find(({ subject }) => subject === 'newer')
    expect(entry).toMatchObject({
      sha: shaOf(2),
      pullRequest: 12,
      references: [
        { repository: null, number: 7, closes: true },
        { repository: 'acme/tools', number: 8, closes: false },
      ],
    })
  })

  it('link the pull request that GitHub merged', () => {
    const entry = everyEntry(notesFor({ audience: 'internal' })).find(({ subject }) => subject === 'faster')
    expect(entry?.pullRequest).toBe(9)
  })

  it('for customers tell what releases and what breaks, and lead nobody into the repository', () => {
    const notes = notesFor({ audience: 'external', internalScopes: ['BILLING'], authors })
    expect(outline(notes)).toEqual([
      'Features | -: without a scope | Api: newer | api: older',
      'Performance | api: faster',
      'Documentation | -: rename the guide',
    ])
    expect(notes.breaking.map(({ breaking }) => breaking)).toEqual(['links to the guide change'])
    expect(notes.contributors).toEqual([])
    for (const { sha, pullRequest, references } of everyEntry(notes)) {
      expect([sha, pullRequest, references]).toEqual([null, null, []])
    }
  })

  it('for customers follow the types and links that a team chooses', () => {
    const notes = notesFor({ audience: 'external', externalTypes: ['chore'], externalLinks: true })
    expect(outline(notes)).toEqual([
      'Bug fixes | billing: refunds',
      'Documentation | -: rename the guide',
      'Chores | infra: rotate keys',
    ])
    expect(everyEntry(notes).find(({ subject }) => subject === 'rotate keys')?.pullRequest).toBe(13)
  })
})

describe('of a change that customers never read of', () => {
  it.each([
    'feat(vault): x',
    'feat(api,vault): x',
    'feat(api/Vault): x',
    'fix( vault )!: x',
    'Revert "feat(vault): x"',
    'Revert "Revert "feat(vault): x""',
    'revert: feat(vault): x',
    'revert(vault): feat: x',
    'Revert "revert(vault): feat: x"',
    'Revert "chore: x"',
    'revert: chore: x',
    'Revert "x without a header"',
    'Revert “feat(vault)!: x”',
  ])('%j tells them nothing', (message) => {
    const of = [{ sha: shaOf(0), message }]
    const decision = decideBump({ preset: 'ringmaster' }, '1.2.3', of)
    if (!decision.ok) throw new Error(decision.problems[0]?.message)
    const internalScopes = ['vault']
    expect(everyEntry(collectNotes(decision.value, of, { audience: 'external', internalScopes }))).toEqual([])
    expect(everyEntry(collectNotes(decision.value, of, { audience: 'internal', internalScopes }))).not.toEqual([])
  })

  it.each(['Revert "feat(vaults): x"', 'Revert "feat: x"', 'revert: x', 'Revert "docs!: x"', 'revert: feat: x'])(
    '%j is none',
    (message) => {
      const of = [{ sha: shaOf(0), message }]
      const decision = decideBump({ preset: 'ringmaster' }, '1.2.3', of)
      if (!decision.ok) throw new Error(decision.problems[0]?.message)
      const notes = collectNotes(decision.value, of, { audience: 'external', internalScopes: ['vault'] })
      expect(everyEntry(notes)).toHaveLength(1)
    },
  )
})

describe('where labels of pull requests decide', () => {
  it('what breaks, what is told and under which type goes by them', () => {
    const labels = ['breaking', 'skip-release', 'feature', 'bug', null, 'breaking']
    const of = ['Tidy', 'feat: loud', 'Faster', 'words', 'fix: unlabelled', 'chore(vault): hidden'].map(
      (message, at) => ({ sha: shaOf(at), message }),
    )
    const pullRequests = new Map(
      of.map(({ sha, message }, at) => [sha, { number: at + 1, title: message, labels: [labels[at] ?? ''] }] as const),
    )
    const { commits: changes, judge } = rereadBy(usualLabels, of, pullRequests)
    const decision = decideBump({ preset: 'ringmaster' }, '1.2.3', changes, judge)
    if (!decision.ok) throw new Error(decision.problems[0]?.message)
    const notes = (options: NotesOptions) => collectNotes(decision.value, changes, options)
    const external = notes({ audience: 'external', internalScopes: ['vault'] })
    expect(decision.value.to).toBe('2.0.0')
    expect(external.breaking.map(({ breaking }) => breaking)).toEqual(['Tidy'])
    expect(outline(external)).toEqual(['Features | -: Tidy, Faster', 'Bug fixes | -: words'])
    expect(outline(notes({ audience: 'external', externalTypes: ['fix'], internalScopes: ['vault'] }))).toEqual([
      'Features | -: Tidy',
      'Bug fixes | -: words',
    ])
    expect(everyEntry(notes({ audience: 'internal' })).map(({ subject }) => subject)).toContain('loud')
  })
})

describe('references', () => {
  it.each([
    ['fixes #1 and #2', ['#1!', '#2']],
    ['#3 then closes: #3', ['#3!']],
    ['acme/tools#4, resolved acme/tools#5', ['acme/tools#4', 'acme/tools#5!']],
    ['a/b/c#6', []],
    ['C#7 and &#8; and #0 and #9abc', []],
    ['(#10)', ['#10']],
    ['https://example.com/page#11', []],
  ])('of %j are %j', (text, found) => {
    const written = findReferences(text).map((one) => `${one.repository ?? ''}#${one.number}${one.closes ? '!' : ''}`)
    expect(written).toEqual(found)
  })
})

import { describe, expect, it } from '@jest/globals'
import { decideBump } from '../../src/core/version/decide.ts'
import { collectNotes, type Notes, type NotesOptions } from '../../src/core/version/notes.ts'
import { changeGroupsOf } from '../../src/render/changelog.ts'
import { renderNotes, renderReleaseNotes } from '../../src/render/notes.ts'
import { renderTemplate } from '../../src/render/notes-template.ts'

const URL = 'https://ghe.example.org/acme/api'
const sha = (digit: string): string => digit.repeat(40)

const commits = [
  {
    sha: sha('a'),
    message:
      'feat(api)!: drop @v1 <b> (#12)\n\nCloses #7, fixes acme/tools#8, see #9\n\nBREAKING CHANGE: clients of v1 stop',
  },
  { sha: sha('b'), message: 'fix: mend | things' },
  { sha: sha('c'), message: 'chore(infra): rotate the SECRET key (#13)' },
  { sha: sha('d'), message: 'security(infra): close HOLE-7' },
]

function notesFor(options: NotesOptions): Notes {
  const decided = decideBump({ preset: 'ringmaster' }, '1.2.3', commits)
  if (!decided.ok) throw new Error('refused')
  const authors = new Map([
    [sha('a'), ['ann']],
    [sha('c'), ['zoe [x](y)']],
  ])
  return collectNotes(decided.value, commits, { authors, ...options })
}

describe('notes as Markdown', () => {
  it('tell what breaks first and once, with links, and thank', () => {
    expect(renderNotes(notesFor({ audience: 'internal' }), URL)).toBe(
      [
        '### Breaking changes',
        `- **api:** drop @\u200bv1 &lt;b&gt; ([#12](${URL}/pull/12), closes [#7](${URL}/issues/7), closes [acme/tools#8](https://ghe.example.org/acme/tools/issues/8)): clients of v1 stop`,
        '### Bug fixes',
        `- mend \\| things ([\`bbbbbbb\`](${URL}/commit/${sha('b')}))`,
        '### Security',
        `- **infra:** close HOLE-7 ([\`ddddddd\`](${URL}/commit/${sha('d')}))`,
        '### Chores',
        `- **infra:** rotate the SECRET key ([#13](${URL}/pull/13))`,
        '### Thanks',
        'Thanks to ann, zoe \\[x\\](y).',
      ].join('\n\n'),
    )
  })

  it.each([
    ['notes', (notes: Notes) => renderNotes(notes, null)],
    [
      'a release',
      (notes: Notes) => renderReleaseNotes([{ product: 'api', version: '2.0.0', notes, repository: null }]),
    ],
    ['a changelog', (notes: Notes) => JSON.stringify(changeGroupsOf(notes, null))],
    [
      'a template that shows everything',
      (notes: Notes) => {
        const data = {
          product: 'api',
          version: '2.0.0',
          previousVersion: '1.2.3',
          date: '2026-01-01',
          notes,
          repository: null,
        }
        const all = renderTemplate(
          '{{ groups | json | raw }}{{ breaking | json | raw }}{{ contributors | json }}{{ markdown | raw }}',
          data,
        )
        return all.ok ? all.value : ''
      },
    ],
  ])('for customers leak nothing through %s', (_, render) => {
    const text = render(notesFor({ audience: 'external', internalScopes: ['Infra'] }))
    expect(text).toContain('clients of v1 stop')
    expect(text).not.toMatch(/SECRET|HOLE|#\d|a{7}|b{7}|ann|zoe|tools/)
  })

  it('of a whole release tell what breaks in any product before the products', () => {
    const notes = notesFor({ audience: 'external' })
    const text = renderReleaseNotes([
      { product: 'web', version: '1.0.0', notes: { ...notes, breaking: [], groups: [] }, repository: null },
      { product: 'api', version: '2.0.0', notes, repository: null },
    ])
    expect(text.split('\n').filter((line) => /^(## |- \*\*api)/.test(line))).toEqual([
      '## Breaking changes',
      '- **api** **api:** drop @\u200bv1 &lt;b&gt;: clients of v1 stop',
      '## web `1.0.0`',
      '## api `2.0.0`',
    ])
    expect(text).toContain('No changes to tell.')
    expect(text).not.toContain('above')
  })

  it('become groups of a changelog, what breaks marked', () => {
    expect(changeGroupsOf(notesFor({ audience: 'external' }), null)).toEqual([
      { kind: 'Added', lines: ['- **Breaking:** **api:** drop @\u200bv1 &lt;b&gt;: clients of v1 stop'] },
      { kind: 'Fixed', lines: ['- mend \\| things'] },
      { kind: 'Security', lines: ['- **infra:** close HOLE-7'] },
    ])
  })
})

describe('a template of a team', () => {
  const data = (audience: 'internal' | 'external' = 'internal') => ({
    ...{ product: 'api', version: '2.0.0', previousVersion: '1.2.3', date: '2026-01-01', repository: null },
    notes: notesFor({ audience }),
  })

  it('sees the version and the groups, and escapes what it puts out', () => {
    const template =
      '# {{ version }}\n{% for group in groups %}{% for entry in group.entries %}* {{ entry.subject }}\n{% endfor %}{% endfor %}'
    expect(renderTemplate(template, data())).toEqual({
      ok: true,
      value: '# 2.0.0\n* drop @\u200bv1 &lt;b&gt;\n* mend \\| things\n* close HOLE-7\n* rotate the SECRET key\n',
    })
  })

  it.each([
    ['an open tag', '{% if version'],
    ['an unknown name', '{{ secrets }}'],
    ['an unknown filter', '{{ version | shell }}'],
    ['a file', "{% include '../package.json' %}"],
    ['a file by layout', "{% layout '/etc/passwd' %}"],
    ['a prototype', '{{ version.constructor }}'],
    ['a loop without end', '{% for a in (1..100000000) %}{% for b in (1..100000000) %}x{% endfor %}{% endfor %}'],
    ['more text than anybody writes', ' '.repeat(300_000)],
  ])('is refused for %s', (_, template) => {
    expect(renderTemplate(template, data())).toMatchObject({ ok: false, problems: [{ code: 'template' }] })
  })

  it('does not run text from commits as a template', () => {
    const decided = decideBump({ preset: 'ringmaster' }, '1.2.3', [{ sha: sha('e'), message: 'fix: {{ version }}' }])
    if (!decided.ok) throw new Error('refused')
    const notes = collectNotes(decided.value, [{ sha: sha('e'), message: 'fix: {{ version }}' }], {
      audience: 'internal',
    })
    const rendered = renderTemplate('{{ markdown | raw }}', { ...data(), notes })
    expect(rendered.ok && rendered.value).toContain('{{ version }}')
  })
})

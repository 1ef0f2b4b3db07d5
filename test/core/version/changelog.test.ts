import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type ChangelogSection, checkChangelog, writeSection } from '../../../src/core/version/changelog.ts'

const section = (bent: Partial<ChangelogSection> = {}): ChangelogSection => ({
  version: '1.3.0',
  date: '2026-03-04',
  groups: [
    { kind: 'Fixed', lines: ['- mends'] },
    { kind: 'Added', lines: ['- adds'] },
  ],
  compareUrl: null,
  unreleasedUrl: null,
  ...bent,
})

const written = (text: string | null, bent: Partial<ChangelogSection> = {}) => writeSection(text, section(bent)).text

const lines = (...all: readonly string[]): string => `${all.join('\n')}\n`

const own = ['## [1.3.0] - 2026-03-04', '', '### Added', '', '- adds', '', '### Fixed', '', '- mends']

describe('writing a section of a changelog', () => {
  it('begins one where there is none', () => {
    expect(written(null)).toMatch(
      /^# Changelog\n\n.*\n\n## \[Unreleased\]\n\n## \[1\.3\.0\] - 2026-03-04\n\n### Added\n/,
    )
  })

  it.each<[string, string, string]>([
    [
      'puts it below [Unreleased] and above the version before',
      lines('# Changelog', '', '## [Unreleased]', '', '## [1.2.0] - 2026-01-01', '', '- old'),
      lines('# Changelog', '', '## [Unreleased]', '', ...own, '', '## [1.2.0] - 2026-01-01', '', '- old'),
    ],
    [
      'takes the newest place where nothing is unreleased',
      lines('# Log', 'Words.', '', '## 1.2.0 - 2026-01-01', '- old'),
      lines('# Log', 'Words.', '', ...own, '', '## 1.2.0 - 2026-01-01', '- old'),
    ],
    [
      'moves what people wrote under [Unreleased] into it, before its own and never twice',
      lines('## [Unreleased]', '', '### Fixed', '- by hand', '- mends', '', '### Odd', '- kept'),
      lines(
        ...['## [Unreleased]', '', '## [1.3.0] - 2026-03-04', '', '### Added', '', '- adds', '', '### Fixed', ''],
        ...['- by hand', '- mends', '', '### Odd', '', '- kept'],
      ),
    ],
    [
      'reads no heading inside a fence',
      lines('## [Unreleased]', '', '```', '## [1.3.0] - 2020-01-01', '~~~', '```'),
      lines(
        ...['## [Unreleased]', '', '## [1.3.0] - 2026-03-04', '', '### Added', '', '- adds', '', '### Changed', ''],
        ...['```', '## [1.3.0] - 2020-01-01', '~~~', '```', '', '### Fixed', '', '- mends'],
      ),
    ],
    [
      'puts one of an older line above what is lower, and leaves to the newest what is unreleased',
      lines(
        '## [Unreleased]',
        '- next',
        '',
        '## [2.0.0]',
        '',
        '- new',
        '',
        '## [1.2.0]',
        '',
        '- old',
        '',
        '## [1.1.0]',
      ),
      lines(
        ...['## [Unreleased]', '- next', '', '## [2.0.0]', '', '- new', '', ...own, ''],
        ...['## [1.2.0]', '', '- old', '', '## [1.1.0]'],
      ),
    ],
    [
      'puts the lowest at the end, before the links',
      lines('# Log', '', '## 2.0.0', '- new', '', '[2.0.0]: https://two'),
      lines('# Log', '', '## 2.0.0', '- new', '', ...own, '', '[2.0.0]: https://two'),
    ],
  ])('%s', (_, before, after) => {
    expect(written(before)).toBe(after)
  })

  it.each<[string, readonly string[], readonly string[]]>([
    ['above that of the version below', ['[2.0.0]: b', '[1.2.0]: a'], ['[2.0.0]: b', '[1.3.0]: new', '[1.2.0]: a']],
    ['behind all, where that has none', ['[2.0.0]: b'], ['[2.0.0]: b', '[1.3.0]: new']],
    ['where there was none', [], ['', '[1.3.0]: new']],
  ])('leads the link of an older line %s', (_, links, after) => {
    const before = lines('## [Unreleased]', '', '## [2.0.0]', '', '- b', '', '## [1.2.0]', '', '- a', '', ...links)
    const text = written(before, { compareUrl: 'new', unreleasedUrl: 'head' })
    expect(text.trimEnd().split('\n').slice(-after.length)).toEqual(after)
  })

  it('leads links of the version and of what is unreleased', () => {
    const before = lines('## [Unreleased]', '', '## [1.2.0]', '', '[unreleased]: https://old', '[1.2.0]: https://first')
    const text = written(before, { compareUrl: 'https://new', unreleasedUrl: 'https://head' })
    expect(text.split('\n').slice(-4)).toEqual([
      '[Unreleased]: https://head',
      '[1.3.0]: https://new',
      '[1.2.0]: https://first',
      '',
    ])
  })

  it('keeps the line breaks of Windows', () => {
    expect(written('# C\r\n\r\n## [Unreleased]\r\n').replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
  })

  it('leaves a section alone that is there already', () => {
    const once = written(lines('## [Unreleased]'))
    const edited = once.replace('- adds', '- adds, edited by hand')
    expect(writeSection(edited, section())).toEqual({ kind: 'kept', text: edited })
  })

  it('writes what its own check holds, whatever stood before', () => {
    const line = fc.constantFrom(
      '## [Unreleased]',
      '## [1.2.0] - 2026-01-01',
      '### Fixed',
      '- x',
      '',
      '```',
      'text',
      '[a]: b',
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (before) => {
        const text = lines(...before)
        fc.pre((text.match(/```/g) ?? []).length % 2 === 0 && (text.match(/Unrel/g) ?? []).length < 2)
        fc.pre(!/1\.2\.0[\s\S]*Unrel/.test(text))
        expect(checkChangelog(written(text), '1.3.0', 'C.md')).toEqual({ ok: true, value: null })
      }),
    )
  })
})

describe('checking a changelog', () => {
  const good = [
    '# Changelog',
    '',
    '## [Unreleased]',
    '',
    ...own,
    '',
    '## [1.2.0] - 2026-01-01',
    '',
    '### Added',
    '- old',
  ]
  const bent = (from: string, to: string): string => lines(...good).replace(from, to)

  it('holds a section as the format has it', () => {
    expect(checkChangelog(lines(...good), '1.3.0', 'C.md').ok).toBe(true)
    expect(checkChangelog(lines(...good), '1.2.0', 'C.md').ok).toBe(true)
  })

  it.each([
    ['no section', bent('1.3.0', '1.3.1'), [['changelog-section-missing', undefined]]],
    ['a date that is none', bent('2026-03-04', '2026-02-30'), [['changelog-date', 5]]],
    ['no date', bent(' - 2026-03-04', ''), [['changelog-date', 5]]],
    ['an unknown group', bent('### Fixed', '### Mended'), [['changelog-group', 11]]],
    ['no entries', bent('- adds', '').replace('- mends', ''), [['changelog-section-empty', 5]]],
    ['an older version above', bent('1.2.0', '1.4.0'), [['changelog-order', 15]]],
    ['two sections of it', bent('1.2.0', '1.3.0'), [['changelog-section-twice', 15]]],
    [
      '[Unreleased] below',
      bent('## [Unreleased]', '').replace('## [1.2.0]', '## [Unreleased]'),
      [['changelog-unreleased', 15]],
    ],
  ])('refuses %s, with its line', (_, text, expected) => {
    const checked = checkChangelog(text, '1.3.0', 'C.md')
    expect(checked.ok ? [] : checked.problems.map(({ code, line }) => [code, line])).toEqual(expected)
  })

  it('names a file that is not there', () => {
    expect(checkChangelog(null, '1.3.0', 'NEWS.md')).toMatchObject({
      problems: [{ code: 'changelog-file-missing', path: 'NEWS.md', message: expect.stringContaining('"NEWS.md"') }],
    })
  })

  it('takes time linear in the text', () => {
    const text = (count: number): string =>
      `${'## [1.3.0] - x\n[a]: b\n### y\n```\n'.repeat(count)}${'\n'.repeat(count)}`
    const started = performance.now()
    checkChangelog(text(20_000), '1.3.0', 'C.md')
    writeSection(text(20_000), section({ version: '9.0.0' }))
    expect(performance.now() - started).toBeLessThan(3_000)
  })
})

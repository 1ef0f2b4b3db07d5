import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { writeVersion } from '../../../src/core/version/files.ts'

const write = (path: string, text: string, version = '1.3.0') => {
  const written = writeVersion(path, text, version)
  return written.ok ? written.value.text : written.problems.map(({ code }) => code)
}

/** Each text holds the old version as «…» where it must change. */
const good: readonly (readonly [what: string, path: string, text: string])[] = [
  ['package.json', 'package.json', '{\n\t"name": "a",\n\t"version": "«1.2.0»",\n\t"x": {"version": "9.0.0"}\n}\n'],
  ['one in a folder, on one line', 'packages/a/package.json', '{"deps":["version"],"version" :"«1.2.0»"}'],
  [
    'its lock',
    'package-lock.json',
    '{"version":"«1.2.0»","packages":{"":{"version":"«1.2.0»"},"node_modules/b":{"version":"1.2.0"}}}',
  ],
  ['a lock of old form', 'package-lock.json', '{"version":"«1.2.0»","dependencies":{"b":{"version":"1.2.0"}}}'],
  [
    'strings that look like members',
    'package.json',
    '{"a":"\\"version\\":\\"1.2.0\\"","b":[{"version":"1.2.0"}],"version":"«1.2.0»"}',
  ],
  [
    'Cargo.toml',
    'Cargo.toml',
    '# version = "0"\n[package]\nname = "a"\nversion = "«1.2.0»" # ours\r\n[dependencies]\nversion = "1.2.0"\nb = { version = "1.2.0" }\n',
  ],
  ['a workspace of Rust', 'Cargo.toml', "[workspace.package]\nversion='«1.2.0»'\n"],
  ['a list of tables before', 'Cargo.toml', '[[bin]]\nversion = "7"\n[package]\nversion = "«1.2.0»"\n'],
  ['a dotted key', 'Cargo.toml', 'package.version = "«1.2.0»"\n'],
  ['pyproject.toml', 'pyproject.toml', '[project]\ntext = """\n[project]\nversion = "0"\n"""\nversion = "«1.2.0»"\n'],
  ['poetry beside it', 'pyproject.toml', '[project]\nversion = "«1.2.0»"\n[tool.poetry]\nversion = "«1.2.0»"\n'],
  [
    'pom.xml',
    'pom.xml',
    '<?xml version="1.0"?><project><!-- <version>0</version> --><parent><version>7</version></parent><version>\n  «1.2.0» </version><dependencies><dependency><version>1.2.0</version></dependency></dependencies></project>',
  ],
  [
    'a property of Maven',
    'pom.xml',
    '<project><version>\u0024{revision}</version><properties><revision>«1.2.0»</revision></properties></project>',
  ],
  ['VERSION', 'VERSION', '«1.2.0»\n'],
  ['VERSION with a v', 'version.txt', '\ufeffv«1.2.0»\r\n'],
  ['any file with a mark', 'src/version.ts', "const a = '1.2.0'\nexport const v = '«1.2.0»' // ringmaster:version\n"],
  ['the mark of another tool', 'a.rb', 'VERSION = "v«1.2.0»" # x-release-please-version\n'],
  ['an empty one to begin with', 'VERSION', '«»'],
  ['one behind a mark of its bytes', 'package.json', '\ufeff{"version":"«1.2.0»"}'],
  ['two marks', 'a.md', 'a@«1.2.0» <!-- ringmaster:version -->\nb «1.2.0» <!-- ringmaster:version -->'],
]

describe('writing a version into a file', () => {
  it.each(good)('changes %s where it must, and nothing else', (_, path, text) => {
    const plain = text.replaceAll(/[«»]/g, '')
    expect(write(path, plain)).toBe(text.replaceAll(/«[^»]*»/g, '1.3.0'))
    const [, previous = ''] = /«([^»]*)»/.exec(text) ?? []
    expect(writeVersion(path, plain, '1.3.0')).toMatchObject({ value: { previous } })
    if (previous !== '') expect(write(path, plain, previous)).toBe(plain)
  })

  it.each([
    ['a package without a version', 'package.json', '{"name":"a"}', 'version-file-none'],
    ['a version that is no text', 'package.json', '{"version":1}', 'version-file-none'],
    ['a list for a document', 'package.json', '[{"version":"1.2.0"}]', 'version-file-none'],
    ['a member that stands twice', 'package.json', '{"version":"1.2.0","version":"1.2.0"}', 'version-file-ambiguous'],
    ['what is no JSON', 'package.json', '{"version":"1.2.0",}', 'version-file-unread'],
    [
      'a lock that contradicts itself',
      'package-lock.json',
      '{"version":"1","packages":{"":{"version":"2"}}}',
      'version-file-ambiguous',
    ],
    ['a crate of a workspace', 'Cargo.toml', '[package]\nversion.workspace = true\n', 'version-file-elsewhere'],
    [
      'a crate of a workspace, written inline',
      'Cargo.toml',
      '[package]\nversion = { workspace = true }\n',
      'version-file-elsewhere',
    ],
    ['a dynamic version', 'pyproject.toml', '[project]\ndynamic = ["version"]\n', 'version-file-none'],
    [
      'two tables that differ',
      'pyproject.toml',
      '[project]\nversion = "1"\n[tool.poetry]\nversion = "2"\n',
      'version-file-ambiguous',
    ],
    [
      'an inherited version',
      'pom.xml',
      '<project><parent><version>1</version></parent></project>',
      'version-file-none',
    ],
    ['a property that is nowhere', 'pom.xml', '<project><version>\u0024{x}</version></project>', 'version-file-none'],
    ['a key in its own file', 'VERSION', 'VERSION=1.2.0', 'version-file-elsewhere'],
    [
      'an expression of several properties',
      'pom.xml',
      '<project><version>\u0024{revision}\u0024{changelist}</version></project>',
      'version-file-elsewhere',
    ],
    ['a word for a version', 'package.json', '{"version":"next"}', 'version-file-elsewhere'],
    ['words', 'VERSION', '1.2.0 of the thing', 'version-file-ambiguous'],
    ['no mark', 'a.ts', "const v = '1.2.0'", 'version-file-none'],
    ['two versions on a marked line', 'a.ts', '1.2.0 1.2.0 // ringmaster:version', 'version-file-ambiguous'],
    ['a marked line without one', 'a.ts', 'x // ringmaster:version', 'version-file-ambiguous'],
    ['four numbers', 'a.ts', '1.2.0.4 // ringmaster:version', 'version-file-ambiguous'],
  ])('refuses %s', (_, path, text, code) => {
    expect(write(path, text)).toEqual([code])
  })

  it.each([
    ['a calendar', 'VERSION', '2026.04.1\n', '2026.05.0', '2026.05.0\n'],
    ['a whole number', 'VERSION', '45', '46', '46'],
    ['a BUILD number', 'version.txt', '1.2.3.45', '1.2.3.46', '1.2.3.46'],
    ['a calendar', 'a.ts', "'2026.04' // ringmaster:version", '2026.05', "'2026.05' // ringmaster:version"],
    ['a calendar', 'pyproject.toml', '[project]\nversion = "26.4"', '26.5', '[project]\nversion = "26.5"'],
  ])('writes %s into %s', (_, path, text, version, after) => {
    expect(write(path, text, version)).toBe(after)
  })

  it.each(['package.json', 'package-lock.json', 'Cargo.toml'])('refuses another scheme in %s', (path) => {
    expect(write(path, '{"version":"1.2.0"}', '2026.04.1')).toEqual(['version-file-scheme'])
  })

  it('refuses a version that Python would order otherwise, and one that is none', () => {
    expect(write('pyproject.toml', '[project]\nversion = "1"', '1.3.0-45')).toEqual(['version-file-scheme'])
    expect(write('pyproject.toml', '[project]\nversion = "1"', '1.3.0-rc.1+b-7')).toContain('1.3.0-rc.1+b-7')
    expect(write('VERSION', '1', '1.3')).toEqual(['version-parts'])
    expect(write('VERSION', '1', 'next')).toContain('version-parts')
  })

  it('leaves everything but the version of any package as it is', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(0, 2, '\t'), (members, indent) => {
        const before = JSON.stringify({ ...members, version: '1.2.0' }, null, indent)
        expect(JSON.parse(String(write('package.json', before)))).toEqual(
          JSON.parse(JSON.stringify({ ...members, version: '1.3.0' })),
        )
      }),
    )
  })

  it.each([
    ['pom.xml', '<'],
    ['pom.xml', '<!--'],
    ['pom.xml', '<a '],
    ['Cargo.toml', 'version = "'],
    ['pyproject.toml', '"""[project]\n'],
    ['a.ts', '1.2.3-ringmaster:version '],
    ['a.ts', '1.2.3-a.a.a.a.a ringmaster:version\n'],
    ['VERSION', ' '],
  ])('takes time linear in %s full of "%s"', (path, piece) => {
    /** Processor time, which the machine's other work disturbs less than the clock. */
    const before = process.cpuUsage()
    writeVersion(path, piece.repeat(300_000), '1.3.0')
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1_000).toBeLessThan(3_000)
  })
})

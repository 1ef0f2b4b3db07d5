import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { readArtifacts } from '../../src/action/artifacts.ts'
import { sha256 } from '../../src/core/json.ts'

let outside: string
let workspace: string

beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), 'ringmaster-artifacts-'))
  workspace = join(outside, 'workspace')
  mkdirSync(join(workspace, 'dist'), { recursive: true })
  writeFileSync(join(outside, 'secret'), 'secret')
  writeFileSync(join(workspace, 'dist/app.bin'), 'app')
  writeFileSync(join(workspace, 'dist/two words'), 'two')
  symlinkSync(join(outside, 'secret'), join(workspace, 'dist/link'))
  symlinkSync('app.bin', join(workspace, 'dist/inner-link'))
})
afterEach(() => rmSync(outside, { recursive: true }))

const digest = (text: string): string => sha256(text).slice('sha256:'.length)
const APP = { size: 3, sha256: digest('app') }

describe('artifacts', () => {
  it.each<[string, string | null, object[]]>([
    ['none', null, []],
    ['a line', 'app dist/app.bin https://d.example/app', [{ name: 'app', url: 'https://d.example/app', ...APP }]],
    [
      'lines with targets and blanks',
      '\n  app  dist/app.bin\thttps://d.example/a  arm64 \r\n\napp dist/inner-link https://d.example/b x64\n',
      [
        { name: 'app', target: 'arm64', url: 'https://d.example/a', ...APP },
        { name: 'app', target: 'x64', url: 'https://d.example/b', ...APP },
      ],
    ],
    [
      'JSON, for names and paths with blanks',
      '[{"name":"my app","path":"dist/two words","url":"https://d.example/t"}]',
      [{ name: 'my app', url: 'https://d.example/t', size: 3, sha256: digest('two') }],
    ],
    [
      'JSON that was measured elsewhere',
      `[{"name":"app","url":"https://d.example/a","size":9,"sha256":"${'0'.repeat(64)}"}]`,
      [{ name: 'app', url: 'https://d.example/a', size: 9, sha256: '0'.repeat(64) }],
    ],
  ])('are read from %s', async (_, text, expected) => {
    expect(await readArtifacts(text, workspace)).toEqual({ ok: true, value: expected })
  })

  it.each([
    ['a file that is not there', 'app dist/none https://d.example/a', 'artifact-unreadable'],
    ['a folder', 'app dist https://d.example/a', 'artifact-unreadable'],
    ['a path out of the workspace', 'app ../secret https://d.example/a', 'artifact-unreadable'],
    ['a link out of the workspace', 'app dist/link https://d.example/a', 'artifact-unreadable'],
    ['an absolute path elsewhere', 'app /etc/passwd https://d.example/a', 'artifact-unreadable'],
    ['too few words', 'app dist/app.bin', 'artifact-invalid'],
    ['too many words', 'app dist/app.bin https://d.example/a x64 more', 'artifact-invalid'],
    ['an address of another kind', 'app dist/app.bin ftp://d.example/a', 'artifact-invalid'],
    ['broken JSON', '[{"name":', 'artifact-invalid'],
    [
      'JSON with a key unknown',
      '[{"name":"a","path":"dist/app.bin","url":"https://d.example/a","os":"x"}]',
      'artifact-invalid',
    ],
    [
      'both a path and a digest',
      `[{"name":"a","path":"dist/app.bin","url":"https://d.example/a","size":1,"sha256":"${'0'.repeat(64)}"}]`,
      'artifact-invalid',
    ],
    [
      'the same twice',
      'app dist/app.bin https://d.example/a\napp dist/app.bin https://d.example/b',
      'artifact-repeated',
    ],
  ])('are refused for %s', async (_, text, code) => {
    const checked = await readArtifacts(text, workspace)
    expect(checked.ok ? [] : checked.problems.map((problem) => problem.code)).toEqual([code])
  })

  it('are refused for all reasons at once', async () => {
    const checked = await readArtifacts('a dist/none https://d.example/a\nb ../secret https://d.example/b', workspace)
    expect(checked.ok ? [] : checked.problems).toHaveLength(2)
  })
})

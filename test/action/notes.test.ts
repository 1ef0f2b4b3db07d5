import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { runAction } from '../../src/action/run-action.ts'
import { ScratchRepository } from '../git/scratch-repository.ts'
import { type Given, recordingRunner, stage } from './stage.ts'

let repository: ScratchRepository
beforeEach(() => {
  repository = ScratchRepository.init()
  repository.commit('feat: first')
  repository.git('tag', 'v1.0.0')
  repository.commit('feat(core)!: second @bo (#2)')
  repository.git('tag', 'v2.0.0')
})
afterEach(() => repository.remove())

async function notes(inputs: Given = {}) {
  const runner = recordingRunner()
  const shell = stage({ command: 'notes', ...inputs }, { GITHUB_WORKSPACE: repository.directory })
  const exitCode = await runAction(shell, runner)
  const codes = runner.annotations.map(({ problem }) => problem.code)
  return { exitCode, codes, outputs: Object.fromEntries(runner.outputs), summary: runner.summaries.join() }
}

const fileOf = (name: string): string => join(repository.directory, name)

describe('notes', () => {
  it('tell customers what is to come, and neither people nor ways into the repository', async () => {
    repository.commit('fix: third (#3)')
    repository.commit('docs: fourth')
    const { exitCode, codes, outputs, summary } = await notes()
    expect([exitCode, codes]).toEqual([0, []])
    expect(outputs).toEqual({
      version: '2.0.1',
      'previous-version': '2.0.0',
      notes: '### Bug fixes\n\n- third',
      'changelog-file': '',
    })
    expect(summary).toContain('### api `2.0.1`\n\n### Bug fixes')
  })

  it('tell the team more, with links', async () => {
    repository.commit('fix: third (#3)')
    const { outputs } = await notes({ audience: 'internal' })
    expect(outputs['notes']).toBe(
      '### Bug fixes\n\n- third ([#3](https://ghe.example.org/acme/api/pull/3))\n\n### Thanks\n\nThanks to Ann.',
    )
  })

  it.each<[string, Given, string]>([
    ['the tagged commit', {}, '### Breaking changes\n\n- **core:** second @\u200bbo'],
    ['an older version', { version: '1.0.0' }, '### Features\n\n- first'],
    ['no internal scope', { 'internal-scopes': 'core' }, ''],
    ['a type that customers do not read about', { version: '1.0.0', 'external-types': 'fix, docs' }, ''],
    ['a type that they do', { version: '1.0.0', 'external-types': 'docs, feat' }, '### Features\n\n- first'],
  ])('tell of %s', async (_, inputs, text) => {
    const { outputs } = await notes(inputs)
    expect(outputs['notes']?.slice(0, Math.max(text.length, 1))).toBe(text)
  })

  it('tell of the version to come by its name, before it is tagged', async () => {
    repository.commit('fix: third')
    expect((await notes({ version: '2.0.1' })).outputs['notes']).toBe('### Bug fixes\n\n- third')
  })

  it('say so when there is nothing to tell', async () => {
    repository.commit('docs: third')
    const { exitCode, outputs } = await notes()
    expect([exitCode, outputs['version'], outputs['notes']]).toEqual([0, '', ''])
  })

  it('are written into a changelog once, and checked there', async () => {
    repository.commit('fix: third')
    const changelog = { changelog: 'docs/CHANGELOG.md' }
    mkdirSync(fileOf('docs'))
    expect(await notes({ ...changelog, 'check-changelog': 'true' })).toMatchObject({
      exitCode: 1,
      codes: ['changelog-file-missing'],
    })
    expect(existsSync(fileOf('docs/CHANGELOG.md'))).toBe(false)
    expect((await notes(changelog)).outputs['changelog-file']).toBe('docs/CHANGELOG.md')
    const text = readFileSync(fileOf('docs/CHANGELOG.md'), 'utf8')
    expect(text).toContain('## [2.0.1] - 2026-01-01\n\n### Fixed\n\n- third\n')
    expect((await notes(changelog)).outputs['changelog-file']).toBe('')
    expect(readFileSync(fileOf('docs/CHANGELOG.md'), 'utf8')).toBe(text)
    expect(await notes({ ...changelog, 'check-changelog': 'true' })).toMatchObject({ exitCode: 0, codes: [] })
  })

  it('follow a template of the checkout', async () => {
    writeFileSync(fileOf('notes.liquid'), '{{ product }} {{ version }} of {{ date }}: {{ breaking.size }}')
    expect((await notes({ template: 'notes.liquid' })).outputs['notes']).toBe('api 2.0.0 of 2026-01-01: 1')
  })

  it.each<[string, Given, string[]]>([
    ['a check of nothing', { 'check-changelog': 'true' }, ['changelog-missing']],
    ['a template for a changelog', { template: 'a', changelog: 'b' }, ['template-and-changelog']],
    ['a template that is not there', { template: 'none.liquid' }, ['file-unreadable']],
    ['a changelog out of the workspace', { changelog: '../CHANGELOG.md' }, ['file-unreadable']],
    ['a changelog behind a link out of it', { changelog: 'out/CHANGELOG.md' }, ['file-unreadable']],
    ['a changelog in no folder', { changelog: 'none/CHANGELOG.md' }, ['file-unreadable']],
    ['a version that nobody tagged', { version: '9.9.9' }, ['release-not-tagged']],
    ['a version that is none', { version: 'v2' }, ['version-prefix', 'version-parts']],
  ])('refuse %s', async (_, inputs, codes) => {
    symlinkSync(tmpdir(), fileOf('out'))
    const answer = await notes(inputs)
    expect(answer.exitCode).toBe(2)
    expect(answer.codes).toEqual(codes)
  })
})

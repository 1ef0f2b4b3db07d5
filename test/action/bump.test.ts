import { symlinkSync } from 'node:fs'
import { afterEach, describe, expect, it } from '@jest/globals'
import { runAction } from '../../src/action/run-action.ts'
import { ScratchRepository } from '../git/scratch-repository.ts'
import { type Given, recordingRunner, stage } from './stage.ts'

const made: ScratchRepository[] = []
const keep = (repository: ScratchRepository): ScratchRepository => {
  made.push(repository)
  return repository
}
afterEach(() => {
  for (const repository of made.splice(0)) repository.remove()
})

async function bump(repository: ScratchRepository, inputs: Given = {}, bent: Record<string, string> = {}) {
  const runner = recordingRunner()
  const shell = stage({ command: 'bump', ...inputs }, { GITHUB_WORKSPACE: repository.directory, ...bent })
  const exitCode = await runAction(shell, runner)
  const { explanation, 'version-files': files, ...outputs } = Object.fromEntries(runner.outputs)
  return {
    exitCode,
    runner,
    outputs,
    files,
    explanation: JSON.parse(explanation ?? 'null'),
    summary: runner.summaries.join(),
  }
}

const released = (): ScratchRepository => {
  const repository = keep(ScratchRepository.init())
  repository.commit('feat: first')
  repository.git('tag', '-a', '-m', 'one', 'v1.2.0')
  return repository
}

describe('bump', () => {
  it('gives the first version where nothing was released yet', async () => {
    const repository = keep(ScratchRepository.init())
    repository.commit('feat: first')
    const { exitCode, outputs } = await bump(repository)
    expect(exitCode).toBe(0)
    expect(outputs).toEqual({ version: '0.1.0', 'previous-version': '', bump: 'minor', released: 'true' })
  })

  it.each([
    ['fix: x', { version: '1.2.1', bump: 'patch', released: 'true' }],
    ['feat: x', { version: '1.3.0', bump: 'minor', released: 'true' }],
    ['feat!: x', { version: '2.0.0', bump: 'major', released: 'true' }],
    ['docs: x', { version: '', bump: 'none', released: 'false' }],
    ['chore: x\n\nRelease-As: 3.0.0', { version: '3.0.0', bump: 'exact', released: 'true' }],
  ])('after 1.2.0 "%s" makes %o', async (message, expected) => {
    const repository = released()
    repository.commit(message)
    expect((await bump(repository)).outputs).toEqual({ 'previous-version': '1.2.0', ...expected })
  })

  it('gives the release’s own version to the commit that carries its tag', async () => {
    const { outputs } = await bump(released())
    expect(outputs).toEqual({ version: '1.2.0', 'previous-version': '1.2.0', bump: 'none', released: 'false' })
  })

  it('explains itself commit by commit, for machines and for people', async () => {
    const repository = released()
    const fix = repository.commit('fix(api): mend @ann | `x` <b>')
    const docs = repository.commit('docs: y')
    const { explanation, summary } = await bump(repository)
    expect(explanation).toMatchObject({ head: docs, tag: 'v1.2.0', from: '1.2.0', to: '1.2.1', decidedBy: [fix] })
    expect(explanation.commits.map(({ sha, level }: { sha: string; level: string }) => [sha, level])).toEqual([
      [docs, 'none'],
      [fix, 'patch'],
    ])
    expect(summary).toContain(fix.slice(0, 7))
    expect(summary).not.toMatch(/@ann|<b>|[^\\]\| `x`/)
    const rows = summary.split('\n').filter((line) => line.startsWith('|'))
    expect(new Set(rows.map((row) => row.replaceAll('\\|', '').split('|').length)).size).toBe(1)
  })

  it('follows the preset and what a team changes of it', async () => {
    const repository = released()
    repository.commit('feat!: x')
    expect((await bump(repository, { preset: 'angular' })).outputs['released']).toBe('false')
    expect((await bump(repository, { rules: 'feat: patch' })).outputs['bump']).toBe('patch')
    expect((await bump(repository, { preset: 'release-please' })).outputs['version']).toBe('2.0.0')
  })

  it('follows the policy below 1.0.0', async () => {
    const repository = keep(ScratchRepository.init())
    repository.commit('feat: first')
    repository.git('tag', 'v0.3.1')
    repository.commit('feat!: x')
    expect((await bump(repository)).outputs['version']).toBe('0.4.0')
    expect((await bump(repository, { 'pre-major-breaking': 'major' })).outputs['version']).toBe('1.0.0')
  })

  it('counts only what changes the product’s folder, and only its own tags', async () => {
    const repository = keep(ScratchRepository.init())
    repository.commit('feat: both', ['api/a', 'web/a'])
    repository.git('tag', 'api/v1.0.0')
    repository.git('tag', 'web@5.0.0')
    repository.commit('feat: web', ['web/b'])
    repository.commit('fix: api', ['api/b'])
    repository.commit('feat: docs of the api', ['api/docs/c'])
    const api = { product: 'api', path: 'api' }
    expect((await bump(repository, api)).outputs['version']).toBe('1.1.0')
    const { outputs, explanation, summary } = await bump(repository, { ...api, exclude: 'api/docs' })
    expect(outputs['version']).toBe('1.0.1')
    expect(explanation).toMatchObject({
      outsidePath: 2,
      outside: [
        { title: 'feat: docs of the api', level: 'none', warnings: [{ code: 'outside-path' }] },
        { title: 'feat: web', level: 'none', warnings: [{ code: 'outside-path' }] },
      ],
    })
    expect(summary).toContain('2 commits change nothing of this product:')
    expect(summary).toMatch(/\| feat: web \| none \| changes nothing of this product \| .*would ask for minor/)
    expect(
      (await bump(repository, { product: 'web', path: 'web', 'tag-pattern': 'web@{version}' })).outputs['version'],
    ).toBe('5.1.0')
  })

  it('gives what lies in two products’ folders to the longer path, whichever of them asks', async () => {
    const repository = keep(ScratchRepository.init())
    repository.commit('feat: both', ['api/a', 'api/sdk/a'])
    repository.git('tag', 'api/v1.0.0')
    repository.git('tag', 'sdk/v1.0.0')
    repository.commit('feat!: sdk', ['api/sdk/b'])
    repository.commit('fix: api', ['api/b'])
    const others = { 'other-paths': 'api\napi/sdk\napi/none' }
    const versions = [
      await bump(repository, { product: 'api', path: 'api', ...others }),
      await bump(repository, { product: 'sdk', path: './api/sdk/', ...others }),
      await bump(repository, { product: 'api', path: 'api' }),
    ].map(({ outputs }) => outputs['version'])
    expect(versions).toEqual(['1.0.1', '2.0.0', '2.0.0'])
  })

  it('passes over tags that are no version and those of pre-releases', async () => {
    const repository = released()
    repository.commit('feat: x')
    repository.git('tag', 'v1')
    repository.git('tag', 'vNext')
    repository.git('tag', 'v1.3.0-rc.1')
    repository.git('tag', 'v01.9.0')
    expect((await bump(repository)).outputs).toMatchObject({ version: '1.3.0', 'previous-version': '1.2.0' })
  })

  it('takes the greater of two tags on one commit', async () => {
    const repository = released()
    repository.git('tag', 'v1.10.0')
    repository.commit('fix: x')
    expect((await bump(repository)).outputs['version']).toBe('1.10.1')
  })

  it('reads a checkout in a folder of the workspace', async () => {
    const repository = released()
    repository.commit('fix: x')
    const at = repository.directory.lastIndexOf('/')
    const { outputs } = await bump(
      repository,
      { 'working-directory': repository.directory.slice(at + 1) },
      { GITHUB_WORKSPACE: repository.directory.slice(0, at) },
    )
    expect(outputs['version']).toBe('1.2.1')
  })

  it('deepens a shallow checkout, and says so', async () => {
    const repository = released()
    repository.commit('fix: x')
    const { outputs, runner } = await bump(keep(repository.shallowClone()))
    expect(outputs['version']).toBe('1.2.1')
    expect(runner.lines.join()).toContain('deepened')
  })

  it('warns of a first version where the remote could not say whether it is one', async () => {
    const repository = keep(ScratchRepository.init())
    repository.commit('feat: first')
    repository.git('remote', 'add', 'origin', 'file:///not-there')
    const { outputs, runner } = await bump(repository)
    expect(outputs['version']).toBe('0.1.0')
    expect(runner.annotations.map(({ level, problem }) => [level, problem.code])).toEqual([
      ['warning', 'remote-tags-unknown'],
    ])
  })

  it('refuses a shallow checkout that cannot be deepened', async () => {
    const clone = keep(released().shallowClone())
    clone.git('remote', 'remove', 'origin')
    const { exitCode, runner, outputs } = await bump(clone)
    expect(exitCode).toBe(1)
    expect(runner.annotations[0]?.problem.code).toBe('history-incomplete')
    expect(outputs).toEqual({})
  })

  it.each<[string, Given, string]>([
    ['a tag pattern without a place for the version', { 'tag-pattern': 'v' }, 'tag-pattern'],
    ['a folder without a product', { path: 'api' }, 'product-missing'],
    ['a working directory out of the workspace', { 'working-directory': '../..' }, 'working-directory'],
    ['a rule that cannot be read', { rules: '{a,b: patch' }, 'bad-wildcard'],
  ])('refuses %s', async (_, inputs, code) => {
    const { exitCode, runner } = await bump(released(), inputs)
    expect(runner.annotations.map(({ problem }) => problem.code).join()).toContain(code)
    expect(exitCode).toBe(2)
  })

  it('writes its version into the usual files of the product’s folder, and leaves those alone that have none', async () => {
    const repository = released()
    repository.write('api/package.json', '{ "private": true }\n')
    repository.write('api/VERSION', '1.2.0\n')
    repository.write('api/Cargo.toml', '[package]\nname = "a"\nversion = "1.2.0"\n')
    repository.write('VERSION', '7.0.0\n')
    repository.commit('feat: x')
    const inputs = { path: 'api', product: 'api', 'tag-pattern': 'v{version}', 'write-version-files': 'true' }
    const { files, exitCode } = await bump(repository, inputs)
    expect([exitCode, files]).toEqual([0, 'api/Cargo.toml\napi/VERSION'])
    expect(repository.git('diff', '--stat', '--', '.').split('\n').at(-1)).toContain('2 files changed')
    expect(repository.read('api/Cargo.toml')).toBe('[package]\nname = "a"\nversion = "1.3.0"\n')
    expect((await bump(repository, inputs)).files).toBe('')
  })

  it('writes into the files that are named, all of them or none', async () => {
    const repository = released()
    repository.write('a.ts', "export const v = '1.2.0' // ringmaster:version\n")
    repository.write('b.ts', 'nothing')
    repository.commit('fix: x')
    const write = { 'write-version-files': 'true' }
    const refused = await bump(repository, { ...write, 'version-files': 'a.ts\nb.ts\nc.ts' })
    expect(refused.exitCode).toBe(2)
    expect(refused.runner.annotations.map(({ problem }) => problem.code)).toEqual([
      'version-file-none',
      'version-file-missing',
    ])
    expect(repository.git('status', '--porcelain')).toBe('')
    expect((await bump(repository, { ...write, 'version-files': 'a.ts' })).files).toBe('a.ts')
    expect(repository.read('a.ts')).toContain("'1.2.1'")
  })

  it('follows no link out of the workspace, and asks for no file where there is no version', async () => {
    const outside = keep(ScratchRepository.init())
    outside.write('VERSION', '1.2.0\n')
    const repository = released()
    symlinkSync(`${outside.directory}/VERSION`, `${repository.directory}/VERSION`)
    repository.commit('docs: x')
    const write = { 'write-version-files': 'true' }
    expect((await bump(repository, { ...write, 'version-files': 'gone' })).exitCode).toBe(0)
    repository.commit('fix: x')
    expect((await bump(repository, write)).exitCode).toBe(2)
    for (const path of ['VERSION', '../VERSION', '/etc/hostname', '.']) {
      expect((await bump(repository, { ...write, 'version-files': path })).exitCode).toBe(2)
    }
    expect(outside.read('VERSION')).toBe('1.2.0\n')
  })

  it('keeps the explanation small enough to be handed on, whatever the messages', async () => {
    const repository = released()
    repository.commitAll(
      Array.from(
        { length: 600 },
        (_, at) => `feat!: ${at} ${'x'.repeat(300)}\n\nBREAKING CHANGE: ${'y'.repeat(5_000)}`,
      ),
    )
    const { runner, explanation } = await bump(repository)
    expect(runner.outputs.get('explanation')?.length).toBeLessThan(100_000)
    expect(explanation.commits.length + explanation.omitted).toBe(600)
  })
})

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { bumpCommand } from '../../src/cli/bump.ts'
import type { CommandIo } from '../../src/cli/command.ts'
import { ScratchRepository } from '../git/scratch-repository.ts'
import { runCommand } from './stage.ts'

const made: (() => void)[] = []
afterEach(() => {
  for (const remove of made.splice(0)) remove()
})

const fresh = (repository = ScratchRepository.init()): ScratchRepository => {
  made.push(() => repository.remove())
  return repository
}

const released = (): ScratchRepository => {
  const repository = fresh()
  repository.commit('feat: first')
  repository.git('tag', 'v1.2.0')
  return repository
}

const nowhere: CommandIo = { out: () => {}, err: () => {}, json: false, env: {}, now: '2026-03-04T05:06:07Z' }

const BOUND_MS = 10_000

/** The answer to bad input, in bounded time: a version, or the codes of what is wrong. */
async function answer(directory: string, ...args: readonly string[]): Promise<unknown> {
  const started = performance.now()
  const told = await runCommand(bumpCommand, ['-C', directory, ...args], true)
  expect(performance.now() - started).toBeLessThan(BOUND_MS)
  return told.code === 'thrown' ? told.problems : told.json()['version']
}

describe('bad input gets an answer or a clear error in bounded time', () => {
  it.each<[string, (repository: ScratchRepository) => void, unknown]>([
    [
      'tags that are no versions',
      (one) => {
        for (const tag of ['v1', 'vNext', 'v01.3.0', 'v9.9.9.9', 'v2.0']) one.git('tag', tag)
      },
      '1.2.1',
    ],
    [
      'two tags of one version on different commits',
      (one) => void [one.commit('fix: a'), one.git('tag', 'v1.2.0+b')],
      '1.2.1',
    ],
    [
      'two tags of one version, the later one after a feature',
      (one) => void [one.commit('feat: a'), one.git('tag', 'v1.2.0+b')],
      '1.2.1',
    ],
    ['two versions on one commit', (one) => one.git('tag', 'v1.9.0'), '1.9.1'],
    ['a tag of a tree', (one) => one.git('tag', 'v8.0.0', 'HEAD^{tree}'), '1.2.1'],
    ['a detached head', (one) => one.git('checkout', '-q', '--detach'), '1.2.1'],
    ['packed refs', (one) => one.git('pack-refs', '--all'), '1.2.1'],
    ['a branch with odd signs', (one) => one.git('checkout', '-q', '-b', 'a@b/ü#c'), '1.2.1'],
    [
      'bytes that are not UTF-8',
      (one) => void one.commit(Buffer.from('feat: \xff\xfe\x80\n\n\xc3', 'latin1')),
      '1.3.0',
    ],
    ['a message of 5 MB', (one) => void one.commit(`feat: x\n\n${'BREAKING CHANGE '.repeat(330_000)}`), '1.3.0'],
    ['a message of a million lines', (one) => void one.commit(`feat: x\n\n${'a(\n'.repeat(1_000_000)}`), '1.3.0'],
  ])('%s', async (_, bend, expected) => {
    const repository = released()
    bend(repository)
    repository.commit('fix: last')
    expect(await answer(repository.directory)).toBe(expected)
  })

  it('a criss-cross history', async () => {
    const repository = released()
    repository.git('checkout', '-q', '-b', 'side')
    for (let round = 0; round < 4; round += 1) {
      repository.commit(`fix: side ${round}`, [`side${round}`])
      repository.git('checkout', '-q', 'main')
      repository.commit(`feat: main ${round}`, [`main${round}`])
      repository.git('branch', '-f', 'old', 'main')
      repository.merge('Merge side', 'side')
      repository.git('checkout', '-q', 'side')
      repository.merge('Merge old', 'old')
    }
    repository.git('checkout', '-q', 'main')
    expect(await answer(repository.directory)).toBe('1.3.0')
    expect(await answer(repository.directory, '--backtest')).toBeUndefined()
  })

  it('a linked work tree, which has no folder .git', async () => {
    const repository = released()
    const folder = mkdtempSync(join(tmpdir(), 'ringmaster-worktree-'))
    made.push(() => rmSync(folder, { recursive: true, force: true }))
    repository.git('worktree', 'add', '-q', '--detach', join(folder, 'tree'))
    repository.commit('feat: not there')
    expect(await answer(join(folder, 'tree'))).toBe('1.2.0')
  })

  it('patterns that a backtracking reader would never finish', async () => {
    const repository = released()
    repository.commit(`${'a'.repeat(255)}!: x`)
    const stars = `${'*a'.repeat(60)}b: major`
    expect(await answer(repository.directory, '--rule', stars)).toBe('2.0.0')
    expect(await answer(repository.directory, '--rule', `${'{a,b}'.repeat(40)}: major`)).toEqual(['bad-wildcard'])
    expect(await answer(repository.directory, '--rule', '(a+)+$: major')).toEqual(['rule-form'])
    expect(await answer(repository.directory, '--tag-pattern', '(a+)+{version}')).toBe('0.1.0')
    expect(await answer(repository.directory, '--tag-pattern', `${'{version}'.repeat(2)}`)).toEqual(['tag-pattern'])
  })

  it.each([
    ['v9007199254740991.0.0', 'feat!: x', ['version-too-large']],
    ['v1.9007199254740991.0', 'feat: x', ['version-too-large']],
    ['v1.2.9007199254740992', 'fix: x', '1.2.1'],
  ])('numbers at their end: %s and "%s"', async (tag, message, expected) => {
    const repository = released()
    repository.git('tag', tag)
    repository.commit(message)
    expect(await answer(repository.directory)).toEqual(expected)
  })

  it.each([
    ['a folder without a repository', [], ['not-a-repository']],
    ['a folder that is not there', ['none'], ['not-a-repository']],
  ])('%s', async (_, names, expected) => {
    const folder = mkdtempSync(join(tmpdir(), 'ringmaster-nothing-'))
    made.push(() => rmSync(folder, { recursive: true }))
    expect(await answer(join(folder, ...names))).toEqual(expected)
  })

  it.each([
    ['no tag', []],
    ['tags of another pattern', ['api/v3.0.0', 'nightly']],
    ['no tag that is a version', ['v', 'v1', 'vNext']],
  ])('%s: the first release', async (_, tags) => {
    const repository = fresh()
    repository.commit('fix: first')
    for (const tag of tags) repository.git('tag', tag)
    expect(await answer(repository.directory)).toBe('0.1.0')
  })

  it('a shallow checkout, with the way to the rest and without', async () => {
    const repository = released()
    for (const round of [1, 2, 3]) repository.commit(`feat: ${round}`)
    const clone = fresh(repository.shallowClone())
    expect(await answer(clone.directory)).toBe('1.3.0')
    const cutOff = fresh(repository.shallowClone())
    cutOff.git('remote', 'remove', 'origin')
    const refused = bumpCommand.run(['-C', cutOff.directory], nowhere)
    await expect(refused).rejects.toMatchObject({
      problems: [{ code: 'history-incomplete', hint: expect.stringContaining('fetch-depth: 0') }],
    })
  })

  it.each([
    ['1.3.0-9007199254740991', ['version-too-large']],
    ['1.3.0-9007199254740992', ['version-too-large']],
    [`1.3.0-${'9'.repeat(200)}`, ['version-too-large']],
    ['1.3.0.9007199254740992', ['version-too-large']],
  ])('a BUILD at its end and above: %s', async (latest, expected) => {
    const repository = released()
    repository.commit('fix: a')
    const build = ['--scheme', 'semver-build', '--build']
    expect(await answer(repository.directory, ...build, '--latest-build', latest)).toEqual(expected)
    repository.git('tag', `v${latest}`)
    expect(await answer(repository.directory, '--scheme', 'semver-build')).toBe('1.2.1')
  })

  it('a repository without commits', async () => {
    expect(await answer(fresh().directory)).toEqual(['no-commits'])
    await expect(bumpCommand.run(['-C', fresh().directory], nowhere)).rejects.toMatchObject({ fault: 'bad-input' })
  })

  it('a path with a slip in it, yet not one that has nothing new', async () => {
    const repository = released()
    repository.commit('feat: api', ['api/a'])
    repository.git('tag', 'api/v1.0.0')
    const at = (path: string) => answer(repository.directory, '--product', 'api', '--path', path)
    expect(await at('apo')).toEqual(['path-not-found'])
    expect(await at('./api/')).toBe('1.0.0')
    repository.commit('feat: elsewhere', ['web/a'])
    expect([await at('api'), await at('api/a'), await at('.')]).toEqual([null, null, '1.1.0'])
  })

  it.each([
    [['--pat', 'api'], 'expected an option of this command, found --pat; did you mean --path?'],
    [['--frobnicate'], 'expected an option of this command, found --frobnicate'],
    [['-x'], 'expected an option of this command, found -x'],
    [['--build=5'], 'expected the option --build without a value, found one'],
    [
      ['--rows'],
      'expected a value behind the option --rows, found none (one that begins with a dash is written --name=-value)',
    ],
  ])('an option that is none, or none of its kind: %j', async (args, message) => {
    await expect(bumpCommand.run(args, nowhere)).rejects.toMatchObject({ problems: [{ code: 'usage', message }] })
  })
})

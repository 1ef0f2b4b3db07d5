import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { bumpCommand } from '../../src/cli/bump.ts'
import { ScratchRepository } from '../git/scratch-repository.ts'
import { runCommand } from './stage.ts'

let repository: ScratchRepository
let folder: string

beforeAll(() => {
  repository = ScratchRepository.init()
  const steps: readonly (readonly [message: string, file: string, ...tags: string[]])[] = [
    ['feat: first', 'api/a', 'v0.1.0', 'api/v1.0.0'],
    ['feat: second', 'web/a', 'v0.2.0'],
    ['docs: third', 'api/b', 'v0.2.1', 'vNext'],
    ['chore: fourth', 'api/c', 'v0.3.0-rc.1', 'api/v1.0.1'],
    ['fix: fifth', 'web/b'],
  ]
  for (const [message, file, ...tags] of steps) {
    repository.commit(message, [file])
    for (const tag of tags) repository.git('tag', tag)
  }
})
afterAll(() => repository.remove())
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringmaster-backtest-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const backtest = (args: readonly string[] = [], json = false) =>
  runCommand(bumpCommand, ['--backtest', '-C', repository.directory, ...args], json)

const agreements = async (...args: readonly string[]): Promise<unknown> => {
  const { replayed } = (await backtest(args, true)).json() as {
    replayed: { tag: string; choices: { name: string; agreement: string }[] }[]
  }
  return replayed.map(({ tag, choices }) => `${tag} ${choices[0]?.name} ${choices[0]?.agreement}`)
}

describe('ringmaster bump --backtest', () => {
  it('shows what each preset would have chosen against what was tagged, and what is not released', async () => {
    const { out, code } = await backtest()
    expect(code).toBe(0)
    expect(out).toEqual([
      '3 releases were tagged, 1 of them with no lower one before.',
      '',
      'RULE                 SAME VERSION  SAME STEP  HIGHER  LOWER  NOTHING  REFUSED',
      'ringmaster           1 of 2        1          0       0      1        0',
      'angular              1 of 2        1          0       0      1        0',
      'conventionalcommits  1 of 2        1          0       0      1        0',
      'release-please       1 of 2        1          0       0      1        0',
      '',
      'Decided otherwise than tagged by ringmaster: 1, the highest versions first.',
      'FROM    TAGGED  STEP   COMMITS  RINGMASTER  ANGULAR  CONVENTIONALCOMMITS  RELEASE-PLEASE',
      'v0.2.0  v0.2.1  patch  1        nothing     nothing  nothing              nothing',
      '',
      '2 commits are not released since v0.2.1.',
      'RULE                 WOULD RELEASE  COMMITS THAT ASK FOR IT',
      'ringmaster           0.2.2 (patch)  1',
      'angular              0.2.2 (patch)  1',
      'conventionalcommits  0.2.2 (patch)  1',
      'release-please       0.2.2 (patch)  1',
    ])
  })

  it('replays the rule of a team beside the presets, for one folder of a repository', async () => {
    expect(await agreements('--path', 'api', '--product', 'api')).toEqual([
      'api/v1.0.0 ringmaster first',
      'api/v1.0.1 ringmaster nothing',
    ])
    expect(await agreements('--path', 'api', '--product', 'api', '--rule', 'docs: patch')).toEqual([
      'api/v1.0.0 ringmaster, as configured first',
      'api/v1.0.1 ringmaster, as configured same',
    ])
  })

  it('begins at a version where that is asked for', async () => {
    expect(await agreements('--since', '0.2.1')).toEqual(['v0.2.1 ringmaster nothing'])
  })

  it('says what a repository without releases would release', async () => {
    const { out } = await backtest(['--tag-pattern', 'none-{version}'])
    expect(out[0]).toBe('0 releases were tagged, 0 of them with no lower one before.')
    expect(out).toContain('5 commits are not released and never were.')
    expect(out.find((line) => line.startsWith('angular'))).toMatch(/1\.0\.0 \(minor\) +3$/)
  })

  it('goes on from a state file, also one whose last line was cut off', async () => {
    const state = join(folder, 'state')
    const whole = (await backtest(['--state', state], true)).out
    const [first = '', ...rest] = readFileSync(state, 'utf8').trimEnd().split('\n')
    expect(rest).toHaveLength(2)
    writeFileSync(state, `${first.replace('"asking":1', '"asking":99')}\n${rest[0]?.slice(0, 40)}`)
    const resumed = (await backtest(['--state', state], true)).out
    expect(resumed.join()).toBe(whole.join().replace('"asking":1', '"asking":99'))
    expect(readFileSync(state, 'utf8').trimEnd().split('\n')).toHaveLength(4)
    const size = readFileSync(state).length
    await backtest(['--state', state])
    expect(readFileSync(state)).toHaveLength(size)
  })

  it('takes nothing from a state of other rules, nor from lines that are none', async () => {
    const state = join(folder, 'state')
    await backtest(['--state', state])
    appendFileSync(state, '{"key":"x","replayed":{}}\nnot JSON\n')
    expect(await agreements('--state', state, '--rule', 'docs: patch')).toContain(
      'v0.2.1 ringmaster, as configured same',
    )
    truncateSync(state, 0)
    expect(await agreements('--state', state)).toHaveLength(3)
  })

  it('refuses a shallow checkout with the remedy', async () => {
    const clone = repository.shallowClone()
    try {
      const told = await runCommand(bumpCommand, ['--backtest', '-C', clone.directory])
      expect(told).toMatchObject({ code: 'thrown', problems: ['history-incomplete'] })
    } finally {
      clone.remove()
    }
  })

  it.each([
    [['--state', '/nowhere/at/all'], 'state-file'],
    [['--since', '1'], 'version-parts'],
    [['--prerelease', 'rc'], 'usage'],
  ])('refuses %j', async (args, code) => {
    expect(await backtest(args)).toMatchObject({ code: 'thrown', problems: expect.arrayContaining([code]) })
  })
})

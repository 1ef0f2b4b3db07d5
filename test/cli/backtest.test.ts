import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { progressBar } from '../../src/cli/backtest.ts'
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

describe('the progress of a backtest', () => {
  it.each([
    [0, 200, `${'░'.repeat(30)}   0 %  0 of 200 releases`],
    [50, 200, `${'█'.repeat(7)}${'░'.repeat(23)}  25 %  50 of 200 releases`],
    [200, 200, `${'█'.repeat(30)} 100 %  200 of 200 releases`],
    [0, 0, `${'█'.repeat(30)} 100 %  0 of 0 releases`],
  ])('%d of %d is a bar and figures', (done, all, bar) => {
    expect(progressBar(done, all)).toBe(bar)
  })
})

describe('ringmaster bump --backtest by pull requests', () => {
  let merged: ScratchRepository
  beforeAll(() => {
    merged = ScratchRepository.init()
    merged.commit('first')
    merged.git('tag', 'v1.0.0')
    for (const message of ['words (#1)', 'more words (#2)']) merged.commit(message)
    merged.git('tag', 'v1.1.0')
    merged.commit('Merge pull request #3 from a/b\n\nfix: title there')
    merged.git('tag', 'v1.1.1')
    merged.commit('fix: by no pull request')
  })
  afterAll(() => merged.remove())

  const labelled = (...lines: readonly string[]): string[] => {
    const path = join(folder, 'pull-requests.ndjson')
    writeFileSync(path, lines.join('\n'))
    return ['--pull-requests', path]
  }
  const one = (number: number, title: string, ...labels: readonly unknown[]): string =>
    JSON.stringify({ number, title, labels, merged_at: 'as GitHub tells it' })
  const usual = [one(1, 'feat: x', 'minor'), one(2, 'docs: y', { name: 'patch' }), one(3, 'feat!: z', 'bug')]

  const run = (args: readonly string[]) => runCommand(bumpCommand, ['-C', merged.directory, ...args], true)
  const firstOf = async (args: readonly string[]): Promise<string[]> => {
    const { replayed } = (await run(['--backtest', ...args])).json() as {
      replayed: { choices: { name: string; to: string | null }[] }[]
    }
    return replayed.map(({ choices }) => `${choices[0]?.name}: ${choices[0]?.to}`)
  }

  it.each<[string, string[], string[]]>([
    ['labels', ['--source', 'labels'], ['null', '1.1.0', '1.1.1']],
    ['labels', ['--source', 'labels', '--label-level', 'patch: major'], ['null', '2.0.0', 'null']],
    ['labels', ['--source', 'labels', '--label-level', '*: minor'], ['null', '1.1.0', '1.2.0']],
    ['titles', ['--source', 'titles'], ['null', '1.1.0', '2.0.0']],
  ])('judges by %s: %j', async (kind, args, versions) => {
    const expected = versions.map((version) => `ringmaster, by ${kind}: ${version}`)
    expect(await firstOf([...args, ...labelled(...usual)])).toEqual(expected)
  })

  it('replays again when the labels are others, and not when they are the same', async () => {
    const state = ['--state', join(folder, 'state.ndjson'), '--source', 'labels']
    const before = await firstOf([...state, ...labelled(...usual)])
    expect(await firstOf([...state, ...labelled(...usual)])).toEqual(before)
    const lines = readFileSync(join(folder, 'state.ndjson'), 'utf8').trim().split('\n').length
    expect(lines).toBe(3)
    expect(await firstOf([...state, ...labelled(one(1, 'x', 'major'))])).not.toEqual(before)
  })

  it('computes what is to come by them too, and warns of what came by none', async () => {
    const told = (await run(['--source', 'labels', ...labelled(...usual)])).json()
    expect(told).toMatchObject({
      version: null,
      released: false,
      commits: [{ warnings: [{ code: 'not-counted' }] }],
    })
    expect((await run(['--source', 'titles', ...labelled(...usual)])).json()).toMatchObject({ version: '1.1.2' })
  })

  it.each<[string, () => string[], string[]]>([
    ['no file', () => ['--source', 'labels'], ['usage']],
    ['a file for commits', () => labelled(...usual), ['usage']],
    ['levels for titles', () => ['--source', 'titles', '--label-level', 'a: major', ...labelled()], ['usage']],
    [
      'a file that is not there',
      () => ['--source', 'titles', '--pull-requests', join(folder, 'x')],
      ['file-unreadable'],
    ],
    ['a level that is none', () => ['--source', 'labels', '--label-level', 'a: huge', ...labelled()], ['label-level']],
    [
      'lines that are no pull requests',
      () => ['--source', 'titles', ...labelled('{', '', one(0, 'x'), one(1, 'y'))],
      ['pull-requests-file', 'pull-requests-file'],
    ],
  ])('refuses %s', async (_, args, codes) => {
    expect((await run(args())).problems).toEqual(codes)
  })
})

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

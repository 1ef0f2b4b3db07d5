import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import nock from 'nock'
import { COMMANDS, type CommandName, OUTPUTS_OF } from '../../src/action/outputs.ts'
import { runAction } from '../../src/action/run-action.ts'
import { ScratchRepository } from '../git/scratch-repository.ts'
import { API, type Given, recordingRunner, stage } from './stage.ts'
import { makeTrust } from './trust.ts'

const CONFIGURATION = '.github/ringmaster.yml'
let repository: ScratchRepository

beforeAll(() => {
  nock.disableNetConnect()
  nock(API)
    .persist()
    .get(/./)
    .reply(200, (uri) => (uri.includes('check-runs') ? { check_runs: [] } : []))
  nock(API).persist().post(/./).reply(201, { id: 5 })
  repository = ScratchRepository.init()
  repository.commit('feat: first', ['api/a'])
})
afterAll(() => {
  nock.cleanAll()
  repository.remove()
})

const NEEDED: Readonly<Record<CommandName, Given>> = {
  bump: {},
  tag: {},
  notes: {},
  'record-build': {},
  'next-build': { 'dry-run': 'true' },
  'record-deployment': { version: '1.0.0', environment: 'test' },
  'validate-config': { path: 'broken.yml' },
  publish: { 'publish-to': 'site', root: 'trust/1.root.json', requests: 'trust/targets.request.json' },
}

async function run(inputs: Given, bent: Record<string, string> = {}) {
  const runner = recordingRunner()
  const shell = stage(inputs, { GITHUB_WORKSPACE: repository.directory, ...bent })
  return { exitCode: await runAction(shell, runner), runner }
}

describe('a step', () => {
  it.each(COMMANDS)('of %s sets exactly the outputs that are declared for it, and a summary', async (command) => {
    repository.write('broken.yml', 'unknown: true\n')
    const keys = command === 'publish' ? { 'online-keys': (await makeTrust(repository.directory, [])).onlineKeys } : {}
    const { runner } = await run({ command, ...NEEDED[command], ...keys })
    expect([...runner.outputs.keys()].toSorted()).toEqual([...OUTPUTS_OF[command]].toSorted())
    expect(runner.summaries).toHaveLength(1)
    expect(runner.lines).toHaveLength(1)
  })

  it('warns of inputs that its command does not read', async () => {
    const { exitCode, runner } = await run({ command: 'bump', environment: 'production' })
    expect(exitCode).toBe(0)
    expect(runner.annotations).toContainEqual({
      level: 'warning',
      problem: expect.objectContaining({ code: 'input-unused', message: expect.stringContaining('environment') }),
    })
  })

  it('stops at bad inputs with all of them named, in annotations and in the summary', async () => {
    const { exitCode, runner } = await run({ command: 'record-deployment', 'dry-run': 'maybe' })
    expect(exitCode).toBe(2)
    expect(runner.annotations).toHaveLength(3)
    expect(runner.summaries.join().split('\n- ')).toHaveLength(4)
  })

  it('ends with 3 for trouble outside', async () => {
    const path = process.env['PATH']
    process.env['PATH'] = '/nowhere'
    try {
      const { exitCode, runner } = await run({ command: 'bump' }, { GITHUB_WORKSPACE: '/nowhere' })
      expect([exitCode, runner.annotations[0]?.problem.code]).toEqual([3, 'git-missing'])
    } finally {
      process.env['PATH'] = path
    }
  })

  it('ends with 2 for a folder that is no checkout', async () => {
    const { exitCode, runner } = await run({ command: 'bump' }, { GITHUB_WORKSPACE: '/nowhere' })
    expect([exitCode, runner.annotations[0]?.problem.code]).toEqual([2, 'not-a-repository'])
  })

  it('ends with 70 for a bug, asks for a report, and shows where only when debugging', async () => {
    const broken = (debug: boolean) => ({
      ...stage({}),
      environment: new Proxy({ RUNNER_DEBUG: debug ? '1' : '' } as Record<string, string>, {
        get: (target, name) => {
          if (name === 'RUNNER_DEBUG') return target['RUNNER_DEBUG']
          throw new TypeError('cannot read\n::error::this')
        },
      }),
    })
    const quiet = recordingRunner()
    expect(await runAction(broken(false), quiet)).toBe(70)
    expect(quiet.annotations[0]?.problem).toMatchObject({ code: 'bug', hint: expect.stringContaining('report') })
    expect(quiet.lines).toEqual([])
    const loud = recordingRunner()
    await runAction(broken(true), loud)
    expect(loud.lines.length).toBeGreaterThan(1)
  })
})

describe('validate-config', () => {
  it('fails with an annotation at the line of each problem', async () => {
    repository.write(CONFIGURATION, 'unknown: true\nalso-unknown: 1\n')
    const { exitCode, runner } = await run({ command: 'validate-config' })
    expect(exitCode).toBe(1)
    expect(runner.outputs.get('valid')).toBe('false')
    const lines = runner.annotations.map(({ problem }) => [problem.path, problem.line])
    expect(lines).toEqual(
      expect.arrayContaining([
        [CONFIGURATION, 1],
        [CONFIGURATION, 2],
      ]),
    )
  })

  it.each(['../outside.yml', 'not-there.yml'])('says that there is nothing to check at %s', async (path) => {
    const { exitCode, runner } = await run({ command: 'validate-config', path })
    expect(exitCode).toBe(2)
    expect(runner.annotations[0]?.problem.code).toBe('configuration-unreadable')
  })

  it('follows no link out of the workspace', async () => {
    symlinkSync('/etc/hostname', join(repository.directory, 'linked.yml'))
    const { exitCode, runner } = await run({ command: 'validate-config', path: 'linked.yml' })
    expect(exitCode).toBe(2)
    expect(runner.annotations[0]?.problem).toMatchObject({
      code: 'configuration-unreadable',
      message: expect.stringContaining('found a link out of the workspace'),
    })
  })
})

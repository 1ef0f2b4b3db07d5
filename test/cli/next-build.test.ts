import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ledgerVerify } from '../../src/cli/ledger-verify.ts'
import { ledgerNextBuild } from '../../src/cli/next-build.ts'
import { gitStore } from '../../src/ledger/git.ts'
import { buildReported, CONFIGURATION, configurationSeen, Outside, play, stage } from '../engine/stage.ts'
import { runCommand } from './stage.ts'

let directory: string
let repo: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ringmaster-next-build-'))
  repo = join(directory, 'releases.git')
  execFileSync('git', ['init', '-q', '--bare', repo])
  const author = { name: 'ringmaster', email: 'ringmaster@localhost' }
  const store = gitStore({ directory: repo, branch: 'ringmaster-data', author, clock: () => '2026-11-20T10:00:00Z' })
  const outside = new Outside()
  outside.files.set('config', CONFIGURATION.replace('acme/platform }', 'acme/platform, scheme: semver-build }'))
  const on = stage({ store, outside })
  await play(on, configurationSeen, buildReported('1.2.0'))
  await on.engine.close()
}, 30_000)
afterAll(() => rm(directory, { recursive: true }))

const next = (...args: readonly string[]) =>
  runCommand(ledgerNextBuild, ['--repo', repo, '--product', 'user-service', ...args], true)

describe('ledger next-build', () => {
  it('hands out the next development version, the same again for the same attempt', async () => {
    const first = await runCommand(ledgerNextBuild, ['--repo', repo, '--product', 'user-service', '--run', '7'])
    expect(first).toMatchObject({ code: 0, out: ['1.3.0-1'] })
    expect((await next('--run', '7')).json()).toEqual({
      product: 'user-service',
      run: { id: 7, attempt: 1 },
      version: '1.3.0-1',
      repeated: true,
    })
    expect((await next('--run', '7', '--attempt', '2', '--wanted', '2.0.0')).json()).toMatchObject({
      version: '2.0.0-1',
      repeated: false,
    })
  })

  it('gives each of several that ask at once another one, in a log that holds', async () => {
    const told = await Promise.all([11, 12, 13, 14, 15].map((run) => next('--run', String(run))))
    const versions = told.map(({ json }) => json()['version']).sort()
    expect(versions).toEqual([2, 3, 4, 5, 6].map((number) => `2.0.0-${number}`))
    expect(await runCommand(ledgerVerify, ['--repo', repo], true)).toMatchObject({ code: 0, err: [] })
  })

  it.each([
    ['no run', [], 'usage'],
    ['a run that is none', ['--run', 'x'], 'usage'],
    ['what is wanted and no version', ['--run', '9', '--wanted', 'soon'], 'version-parts'],
    ['a product that is not configured', ['--run', '9', '--product', 'web'], 'unknown-product'],
  ])('refuses %s', async (_, args, code) => {
    expect((await next(...args)).problems?.[0]).toBe(code)
  })

  it('asks for the id and the key of the App alone, where the log is on GitHub', async () => {
    const told = await next('--run', '9', '--repo', 'acme/releases')
    expect(told.problems).toEqual(['setting-missing', 'setting-missing'])
  })
})

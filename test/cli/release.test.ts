import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { simulateSignoff } from '../../src/cli/release.ts'
import { gitStore } from '../../src/ledger/git.ts'
import { buildReported, CONFIGURATION, command, configurationSeen, play, stage } from '../engine/stage.ts'
import { runCommand } from './stage.ts'

let repo: string

beforeAll(async () => {
  repo = await mkdtemp(join(tmpdir(), 'ringmaster-release-cli-'))
  execFileSync('git', ['init', '-q', '--bare', repo])
  const store = gitStore({
    directory: repo,
    branch: 'ringmaster-data',
    author: { name: 'ringmaster[bot]', email: '7+ringmaster[bot]@users.noreply.github.com' },
    clock: () => '2026-03-04T05:06:07Z',
  })
  const on = stage({ store })
  const parties = '- { name: Engineering, users: [eve] }\n    - { name: QA, team: qa, seats: 2, after: [Engineering] }'
  on.outside.files.set('config', CONFIGURATION.replace('- { name: Engineering, users: [eve] }', parties))
  const release = [command('release', '"First"'), command('add', 'user-service@1.0.0')]
  await play(on, configurationSeen, buildReported(), ...release)
  await on.engine.close()
}, 60_000)
afterAll(() => rm(repo, { recursive: true }))

const simulated = (words: readonly string[], json = false) =>
  runCommand(simulateSignoff, ['--repo', repo, '--release', 'r12', ...words], json)

describe('release simulate-signoff of a draft', () => {
  it('says who will have to sign, and who may not', async () => {
    expect(await simulated([])).toMatchObject({
      code: 1,
      out: [
        'Sign-off: not started; /start on its issue opens the proposal that is approved',
        'Engineering: 0 of 1; signs: eve',
        'QA: 0 of 2; signs: members of acme/qa, after Engineering',
        'may not sign, having changed it: ann',
      ],
    })
  })

  it('says the same to programs', async () => {
    expect((await simulated([], true)).json()).toEqual({
      release: 'r12',
      at: '2026-03-04T05:06:07.000Z',
      supposed: [],
      signoff: null,
      parties: [
        { party: 'Engineering', optional: false, seats: 1, team: null, users: ['eve'], after: [] },
        { party: 'QA', optional: false, seats: 2, team: 'acme/qa', users: [], after: ['Engineering'] },
      ],
      excluded: ['ann'],
    })
  })

  it('supposes no approval: nobody has asked for the members of its teams yet', async () => {
    expect(await simulated(['--approve', 'eve'])).toMatchObject({ code: 'thrown', problems: ['not-started'] })
  })
})

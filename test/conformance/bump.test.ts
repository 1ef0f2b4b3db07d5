import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { bumpSuite } from './bump.ts'

const base = {
  id: 'one',
  config: { preset: 'ringmaster' },
  from: '1.2.3',
  commits: [{ sha: 'a'.repeat(40), message: 'feat: a' }],
  expect: { bump: 'minor', to: '1.3.0' },
}
const asked = [{ sha: 'a'.repeat(40), message: 'feat: a\n\nRelease-As: 1.3.0' }]

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bump-cases-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function run(...lines: readonly unknown[]) {
  const file = join(folder, 'cases.ndjson')
  await writeFile(file, lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'))
  return bumpSuite.run(file)
}

describe('the suite of bump cases', () => {
  it('passes what is decided as expected', async () => {
    expect(await run(base, '', { ...base, id: 'two' })).toEqual({ passed: 2, failed: [] })
  })

  it.each([
    [
      'another bump',
      { ...base, expect: { bump: 'patch', to: '1.3.0' } },
      'expected patch to 1.3.0, decided minor to 1.3.0',
    ],
    [
      'another version',
      { ...base, expect: { bump: 'minor', to: null } },
      'expected minor to nothing, decided minor to 1.3.0',
    ],
    ['a version that cannot be read', { ...base, from: 'v1' }, 'refused'],
    ['an unknown option', { ...base, config: { preset: 'ringmaster', surprise: 1 } }, 'cannot be read'],
    ['no commits', { ...base, commits: undefined, about: 'a case without commits' }, 'cannot be read'],
    ['an unknown preset', { ...base, config: { preset: 'other' } }, 'cannot be read'],
    ['a short hash', { ...base, commits: [{ sha: 'abc', message: '' }] }, 'cannot be read'],
    ['a version asked for, where the size was meant', { ...base, commits: asked }, 'decided exact to 1.3.0'],
  ])('fails a case with %s', async (_, given, why) => {
    const { passed, failed } = await run(given)
    expect([passed, failed.map(({ id }) => id)]).toEqual([0, ['one']])
    expect(failed[0]?.why).toContain(why)
  })

  it('passes over remarks, wherever they stand', async () => {
    const remarks = { about: 'seen in the wild', note: 1, source: 'a/b, by hand' }
    expect(await run({ about: 'cases of a kind' }, { ...base, ...remarks })).toEqual({ passed: 1, failed: [] })
    expect(await run({ ...base, ...remarks, expect: { bump: 'none', to: null, why: '' } })).toMatchObject({
      passed: 0,
      failed: [{ id: 'one' }],
    })
  })

  it('fails a line that is no JSON', async () => {
    expect(await run(base, '{')).toMatchObject({ passed: 1, failed: [{ id: 'line 2' }] })
  })

  it('measures a version asked for by its step where a row tells what was tagged', async () => {
    const source = { repo: 'a/b', path: null, fromTag: 'v1.2.3', toTag: 'v1.3.0' }
    expect(await run({ ...base, commits: asked, source })).toEqual({ passed: 1, failed: [] })
  })
})

import { expect, it } from '@jest/globals'
import type { Request } from '../../src/core/request.ts'
import { memoryBranch } from '../../src/ledger/memory.ts'
import { CONFIGURATION, configurationSeen, Outside, play, type Stage, stage } from './stage.ts'

const asking = (id: number): Request => ({
  kind: 'build-number-asked',
  product: 'user-service',
  run: { id, attempt: 1 },
  wanted: '1.2.0',
  at: '2026-11-20T10:00:00Z',
  actor: null,
  source: { kind: 'workflow' },
})

const ask = async (on: Stage, id: number): Promise<string> => {
  const outcome = await on.engine.submit(asking(id))
  if (outcome.kind === 'refuse') throw new Error(JSON.stringify(outcome.problems))
  return (outcome.answer as { version: string }).version
}

it('200 runs that ask at once, at two processes of one log, get a number each; who asks twice gets the same', async () => {
  const branch = memoryBranch()
  const outside = new Outside()
  outside.files.set('config', CONFIGURATION.replace('acme/platform }', 'acme/platform, scheme: semver-build }'))
  const [one, other] = [stage({ branch, outside }), stage({ branch, outside })] as const
  await play(one, configurationSeen)
  const ids = Array.from({ length: 200 }, (_, index) => index + 1)
  const [first, second] = await Promise.all([
    Promise.all(ids.map((id) => ask(id % 2 === 0 ? one : other, id))),
    Promise.all(ids.slice(0, 50).map((id) => ask(id % 2 === 0 ? other : one, id))),
  ])
  expect(second).toEqual(first.slice(0, 50))
  const numbers = first.map((version) => Number(version.replace('1.2.0-', ''))).sort((a, b) => a - b)
  expect(numbers).toEqual(ids)
}, 30_000)

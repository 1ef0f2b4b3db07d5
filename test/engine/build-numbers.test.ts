import { expect, it } from '@jest/globals'
import { fencedJson } from '../../src/core/fenced.ts'
import { NumberAnswer } from '../../src/core/product/build-line-schema.ts'
import type { Request } from '../../src/core/request.ts'
import { memoryBranch } from '../../src/ledger/memory.ts'
import { CONFIGURATION, configurationSeen, Outside, PLATFORM, play, SHA, type Stage, stage } from './stage.ts'

const asking = (id: number): Request => ({
  kind: 'build-number-asked',
  product: 'user-service',
  run: { id, attempt: 1 },
  wanted: '1.2.0',
  askedAt: null,
  at: '2026-11-20T10:00:00Z',
  actor: null,
  source: { kind: 'workflow' },
})

const ask = async (on: Stage, id: number): Promise<string> => {
  const outcome = await on.engine.submit(asking(id))
  if (outcome.kind === 'refuse') throw new Error(JSON.stringify(outcome.problems))
  return (outcome.answer as { version: string }).version
}

const ANSWER = 'build-slot/7/1/user-service'
const BY_BUILDS = CONFIGURATION.replace('acme/platform }', 'acme/platform, scheme: semver-build }')
const fromWorkflow = { ...asking(7), askedAt: { repository: PLATFORM, sha: SHA } } as Request

function outsideWith(configuration: string): Outside {
  const outside = new Outside()
  outside.files.set('config', configuration)
  return outside
}

it.each<[string, string, string, object]>([
  ['the number', BY_BUILDS, 'success', { outcome: 'handed-out', version: '1.2.0-1' }],
  ['why there is none', CONFIGURATION, 'failure', { outcome: 'refused', refusal: { code: 'version-scheme' } }],
])(
  'tells a workflow %s on its commit, once, also where the App died before it could',
  async (_, configuration, conclusion, answer) => {
    const [branch, outside] = [memoryBranch(), outsideWith(configuration)]
    const first = stage({ branch, outside })
    await play(first, configurationSeen)
    outside.broken = ({ key }) => (key === ANSWER ? 'killed' : null)
    await play(first, fromWorkflow)
    await first.engine.close()
    outside.broken = () => null
    const second = stage({ branch, outside })
    await second.engine.sweep()
    await second.engine.idle()
    const told = outside.standing.get(ANSWER)?.output
    if (told?.kind !== 'check-run') throw new Error('expected a check run')
    const name = 'ringmaster/build-number user-service'
    expect(told).toMatchObject({ repository: PLATFORM, sha: SHA, name, conclusion })
    expect(NumberAnswer.parse(fencedJson(told.text))).toMatchObject(answer)
    await play(second, fromWorkflow, configurationSeen)
    expect(outside.effects.filter((effect) => effect.endsWith(ANSWER))).toEqual([`create ${ANSWER}`])
    await second.engine.close()
  },
)

it('200 runs that ask at once, at two processes of one log, get a number each; who asks twice gets the same', async () => {
  const branch = memoryBranch()
  const outside = outsideWith(BY_BUILDS)
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

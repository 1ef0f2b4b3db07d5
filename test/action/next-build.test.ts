import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import nock from 'nock'
import { runAction } from '../../src/action/run-action.ts'
import { fencedJson } from '../../src/core/fenced.ts'
import { sha256 } from '../../src/core/json.ts'
import { ScratchRepository } from '../git/scratch-repository.ts'
import { API, type Given, recordingRunner, SHA, stage } from './stage.ts'

const CHECKS = `/repos/acme/api/commits/${SHA}/check-runs`
let repository: ScratchRepository

beforeAll(() => {
  repository = ScratchRepository.init()
  repository.commit('feat: first')
  repository.git('tag', 'v1.2.0')
  repository.commit('feat: more')
})
afterAll(() => repository.remove())
beforeEach(() => nock.disableNetConnect())
afterEach(() => {
  const left = nock.pendingMocks()
  nock.cleanAll()
  expect(left).toEqual([])
})

const NUMBER = { outcome: 'handed-out', version: '1.3.0-7' }
const REFUSAL = { code: 'version-scheme', message: 'expected another scheme, found none', hint: 'Give it one.' }

const answered = (answer: unknown, app = 'ringmaster') => ({
  id: 5,
  external_id: sha256('build-slot/77/2/api'),
  app: { slug: app },
  output: { text: `words\n\n\`\`\`json\n${JSON.stringify(answer)}\n\`\`\`` },
})
const listed = (name: string, ...runs: readonly unknown[]) =>
  nock(API)
    .get(CHECKS)
    .query((query) => query['check_name'] === `ringmaster/${name} api`)
    .reply(200, { total_count: runs.length, check_runs: runs })

type Question = { conclusion: string; output: { text: string } }

/** Nobody has asked yet; what is asked is kept. */
function asks(): Question[] {
  const questions: Question[] = []
  listed('build-number')
  listed('next-build')
  nock(API)
    .post('/repos/acme/api/check-runs', (body) => questions.push(body as Question) > 0)
    .reply(201, { id: 4 })
  return questions
}

async function run(inputs: Given = {}) {
  const runner = recordingRunner()
  const shell = stage({ command: 'next-build', ...inputs }, { GITHUB_WORKSPACE: repository.directory })
  const exitCode = await runAction(shell, runner)
  return { runner, exitCode, slept: shell.slept, codes: runner.annotations.map(({ problem }) => problem.code) }
}

describe('next-build', () => {
  it('asks by a check run on the commit of the run, and waits for the answer', async () => {
    const questions = asks()
    listed('build-number')
    listed('build-number', { ...answered(NUMBER), external_id: 'of another run' }, answered(NUMBER))
    const { runner, exitCode, slept } = await run()
    expect([exitCode, Object.fromEntries(runner.outputs)]).toEqual([0, { version: '1.3.0-7', product: 'api' }])
    expect(fencedJson(questions[0]?.output.text)).toEqual({
      schema: 'ringmaster/next-build/1',
      product: 'api',
      wanted: '1.3.0',
      run: { id: 77, attempt: 2 },
    })
    expect(questions[0]?.conclusion).toBe('neutral')
    expect(slept).toEqual([1_000, 1_500])
    expect(runner.summaries.join()).toContain('feat: more')
  })

  it('takes the answer that is there when the step is repeated', async () => {
    listed('build-number', answered(NUMBER))
    expect((await run()).runner.outputs.get('version')).toBe('1.3.0-7')
  })

  it('ends with the words of a refusal', async () => {
    asks()
    listed('build-number', answered({ outcome: 'refused', refusal: REFUSAL }))
    const { runner, exitCode } = await run()
    expect(exitCode).toBe(1)
    expect(runner.annotations).toEqual([{ level: 'error', problem: REFUSAL }])
  })

  it('gives up after five minutes, and takes no answer that a workflow made', async () => {
    asks()
    nock(API)
      .persist()
      .get(CHECKS)
      .query(true)
      .reply(200, { check_runs: [answered(NUMBER, 'github-actions')] })
    const { exitCode, codes, slept } = await run()
    nock.cleanAll()
    expect([exitCode, codes]).toEqual([3, ['no-answer']])
    const waitedMs = slept.reduce((sum, ms) => sum + ms, 0)
    expect(waitedMs).toBeGreaterThanOrEqual(300_000)
    expect(waitedMs).toBeLessThan(330_000)
    expect(slept.length).toBeLessThan(40)
  })

  it('refuses an answer that it cannot read', async () => {
    listed('build-number', answered({ outcome: 'soon' }))
    expect(await run()).toMatchObject({ exitCode: 3, codes: ['record-invalid'] })
  })

  it('asks nobody in a dry run', async () => {
    const { runner, exitCode } = await run({ 'dry-run': 'true' })
    expect([exitCode, runner.outputs.get('version')]).toEqual([0, ''])
    expect(runner.lines.join()).toContain('Dry run: would ask for a build number of api')
  })
})

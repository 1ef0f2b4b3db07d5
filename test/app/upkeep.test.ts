import { afterEach, describe, expect, it } from '@jest/globals'
import { openRingmaster, type Ringmaster } from '../../src/app/ringmaster.ts'
import { draft } from '../../src/core/catalogue.ts'
import type { BoardState } from '../../src/core/deployment/schema.ts'
import { INTAKE_KEY, type IntakeState } from '../../src/core/intake.ts'
import { gitHubApp } from '../../src/github/client.ts'
import { CONFIGURATION } from '../engine/stage.ts'
import { startRun } from '../sandbox/actions.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import { type Listener, listening } from './listener.ts'
import { recordedBuild } from './recorded-build.ts'
import { startWorld } from './world.ts'

const releases = { owner: 'acme', repo: 'releases' }
const HOUR_MS = 3_600_000

interface Stage {
  readonly sandbox: Sandbox
  readonly listener: Listener
  readonly logged: string[]
  open(): Promise<Ringmaster>
  start(): Promise<Ringmaster>
}

let stage: Stage | undefined
const running: Ringmaster[] = []
afterEach(async () => {
  for (const ringmaster of running.splice(0)) await ringmaster.close()
  await stage?.listener.close()
  await stage?.sandbox.stop()
  stage = undefined
})

async function setStage(): Promise<Stage> {
  const sandbox = await startWorld(CONFIGURATION, { members: ['eve'] })
  const listener = await listening()
  sandbox.app('ringmaster').setWebhookUrl(listener.url)
  const { id, privateKey } = sandbox.app('ringmaster')
  const logged: string[] = []
  const open = async (): Promise<Ringmaster> => {
    const ringmaster = await openRingmaster({
      app: gitHubApp(
        { appId: id, privateKey, apiUrl: sandbox.origin },
        { nowMs: sandbox.clock.epochMs, pushesPerMinute: 60_000 },
      ),
      releaseRepository: 'acme/releases',
      publisher: null,
      delay: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds / 100)),
      clock: () => new Date(sandbox.clock.epochMs()).toISOString(),
      log: { info: () => {}, error: (data, message) => void logged.push(`${message}: ${JSON.stringify(data)}`) },
    })
    running.push(ringmaster)
    return ringmaster
  }
  const start = async (): Promise<Ringmaster> => {
    const ringmaster = await open()
    await ringmaster.sweep()
    await ringmaster.idle()
    return ringmaster
  }
  stage = { sandbox, listener, logged, open, start }
  return stage
}

const command = (sandbox: Sandbox, issue: number, body: string) =>
  sandbox.as('ann').octokit.rest.issues.createComment({ ...releases, issue_number: issue, body })

async function openIssue(sandbox: Sandbox): Promise<number> {
  return (await sandbox.as('ann').octokit.rest.issues.create({ ...releases, title: 'A release' })).data.number
}

async function replies(sandbox: Sandbox, issue: number): Promise<number> {
  const { data } = await sandbox
    .as('ann')
    .octokit.rest.issues.listComments({ ...releases, issue_number: issue, per_page: 100 })
  return data.filter((comment) => comment.body?.includes('ringmaster:reply')).length
}

const known = async (ringmaster: Ringmaster, version: string) =>
  (await ringmaster.ledger.view()).state(`version/user-service@${version}`)

describe('what was missed', () => {
  it.each<[string, number | null]>([
    ['the App was away', null],
    ['GitHub did not reach it while it ran', 1],
  ])(
    'is read from the delivery log, whatever status GitHub booked: %s',
    async (_name, minutesLater) => {
      const { sandbox, listener, start } = await setStage()
      const first = await start()
      const issue = await openIssue(sandbox)
      listener.answer = 500
      await command(sandbox, issue, '/release "First"')
      await command(sandbox, issue, '/status')
      listener.answer = 200
      await command(sandbox, issue, '/help')
      await sandbox.webhooks.settled()
      expect(await replies(sandbox, issue)).toBe(0)
      if (minutesLater === null) await start()
      else {
        sandbox.clock.advance(minutesLater * 60_000)
        await first.sweep()
        await first.idle()
      }
      const last = running.at(-1)
      await last?.idle()
      expect(await replies(sandbox, issue)).toBe(3)
      expect(sandbox.violations).toEqual([])
    },
    60_000,
  )

  it('and could not be read from the delivery log is read at a later look, however far that has come', async () => {
    const { sandbox, listener, logged, start } = await setStage()
    const ringmaster = await start()
    const issue = await openIssue(sandbox)
    listener.answer = 500
    await command(sandbox, issue, '/help')
    await sandbox.webhooks.settled()
    sandbox.faults.add({ kind: 'bad-gateway-before', route: 'GET /app/hook/deliveries/{delivery_id}', times: 50 })
    const look = async (): Promise<void> => {
      sandbox.clock.advance(10 * 60_000)
      await ringmaster.sweep()
      await ringmaster.idle()
    }
    await look()
    expect(logged.join('\n')).toContain('a delivery could not be read')
    sandbox.faults.clear()
    await look()
    expect(await replies(sandbox, issue)).toBe(1)
  }, 60_000)

  it('is read by one process alone where the log names the delivery', async () => {
    const { sandbox, start } = await setStage()
    const processes = [await start(), await start()]
    for (const version of ['1.0.0', '1.1.0', '1.2.0']) await recordedBuild(sandbox, version)
    await sandbox.webhooks.settled()
    sandbox.clock.advance(2 * 60_000)
    const builds = sandbox.webhooks.attempts.filter(
      ({ event, request }) => event === 'check_run' && JSON.stringify(request.payload).includes('"ringmaster/build '),
    )
    const reads: number[] = []
    for (const ringmaster of processes) {
      const before = sandbox.requests.length
      await ringmaster.sweep()
      await ringmaster.idle()
      const paths = new Set(sandbox.requests.slice(before).map(({ path }) => path))
      reads.push(builds.filter(({ id }) => paths.has(`/app/hook/deliveries/${id}`)).length)
      expect(await known(ringmaster, '1.2.0')).toMatchObject({ version: '1.2.0' })
    }
    /** GitHub tells of a check run that is made complete twice; from the telling that is heard second nothing follows. */
    expect(reads).toEqual([6, 3])
  }, 60_000)

  it('is looked up again when the App was away for longer than GitHub keeps deliveries', async () => {
    const { sandbox, logged, start } = await setStage()
    const first = await start()
    const issue = await openIssue(sandbox)
    await command(sandbox, issue, '/help')
    await sandbox.webhooks.settled()
    sandbox.clock.advance(HOUR_MS)
    await first.sweep()
    await first.idle()
    await first.close()
    sandbox.webhooks.drop({}, 1_000)
    sandbox.clock.advance(HOUR_MS)
    await recordedBuild(sandbox, '1.4.0')
    await command(sandbox, issue, '/release "First"')
    sandbox.clock.advance(5 * 24 * HOUR_MS)
    const second = await start()
    expect(logged).toEqual([])
    expect(await known(second, '1.4.0')).toMatchObject({ version: '1.4.0' })
    expect(await replies(sandbox, issue)).toBe(2)
    expect(sandbox.violations).toEqual([])
  }, 60_000)

  it('of one repository that cannot be read keeps back no other, and is looked up at the next sweep', async () => {
    const { sandbox, logged, start } = await setStage()
    const first = await start()
    const issue = await openIssue(sandbox)
    sandbox.webhooks.drop({}, 1_000)
    sandbox.clock.advance(2 * HOUR_MS)
    await recordedBuild(sandbox, '1.5.0')
    await command(sandbox, issue, '/help')
    sandbox.faults.add({ kind: 'bad-gateway-before', route: 'GET /repos/{owner}/{repo}/actions/runs', times: 50 })
    await first.sweep()
    await first.idle()
    expect(logged.join('\n')).toContain('facts could not be looked up')
    expect(await replies(sandbox, issue)).toBe(1)
    expect(await known(first, '1.5.0')).toBeUndefined()
    sandbox.faults.clear()
    sandbox.clock.advance(2 * HOUR_MS)
    await first.sweep()
    await first.idle()
    expect(await known(first, '1.5.0')).toMatchObject({ version: '1.5.0' })
  }, 60_000)
})

describe('a delivery that GitHub never booked', () => {
  it('is found an hour after the last sweep, however often the App was started since', async () => {
    const { sandbox, start } = await setStage()
    await start()
    const issue = await openIssue(sandbox)
    sandbox.clock.advance(10 * 60_000)
    sandbox.webhooks.drop({ event: 'issue_comment' })
    await command(sandbox, issue, '/help')
    for (const minutes of [20, 15]) {
      await command(sandbox, issue, '/status')
      await sandbox.webhooks.settled()
      sandbox.clock.advance(minutes * 60_000)
      await running.at(-1)?.sweep()
      await running.at(-1)?.idle()
      await running.at(-1)?.close()
      await start()
    }
    expect(await replies(sandbox, issue)).toBe(2)
    sandbox.clock.advance(20 * 60_000)
    await running.at(-1)?.sweep()
    await running.at(-1)?.idle()
    expect(await replies(sandbox, issue)).toBe(3)
  }, 60_000)

  it('is found at the first look of an App that takes over a log which tells the mark alone', async () => {
    const { sandbox, open, start } = await setStage()
    const issue = await openIssue(sandbox)
    sandbox.webhooks.drop({ event: 'issue_comment' })
    await command(sandbox, issue, '/help')
    sandbox.clock.advance(40 * 60_000)
    const before = await open()
    const until = new Date(sandbox.clock.epochMs()).toISOString()
    const rest = { at: until, actor: null, source: { kind: 'timer' }, trust: 'platform' } as const
    const marked = draft('intake.marked', { until }, { key: `intake:${until}`, ...rest })
    await before.ledger.append(async () => ({ events: [marked], result: null }))
    await before.close()
    const ringmaster = await start()
    await ringmaster.sweep()
    await ringmaster.idle()
    expect(await replies(sandbox, issue)).toBe(1)
  }, 60_000)
})

describe('what came before what it belongs to', () => {
  it('is asked again: a build and a deployment of which the end of the run was told first', async () => {
    const { sandbox, start } = await setStage()
    const ringmaster = await start()
    sandbox.webhooks.pause()
    await recordedBuild(sandbox, '1.4.0')
    const run = await startRun(sandbox, {
      repository: 'acme/platform',
      workflow: '.github/workflows/deploy.yml',
      actor: 'ann',
      jobs: [{ name: 'deploy', environment: 'integration', steps: [async () => {}] }],
    })
    await run.finished()
    sandbox.webhooks.reverse()
    sandbox.webhooks.resume()
    await sandbox.webhooks.settled()
    const deliveries = sandbox.webhooks.attempts.map(({ event }) => event)
    expect(deliveries.indexOf('workflow_run')).toBeLessThan(deliveries.indexOf('deployment_status'))
    for (const minutes of [1, 1]) {
      sandbox.clock.advance(minutes * 60_000)
      await ringmaster.sweep()
      await ringmaster.idle()
    }
    const board = (await (await ringmaster.ledger.view()).state('board/user-service')) as BoardState | undefined
    expect(board?.cells.map(({ environment, lastGood }) => [environment, lastGood?.version])).toEqual([
      ['integration', '1.4.0'],
    ])
  }, 60_000)
})

describe('the mark', () => {
  it('goes with a commit that is made anyway: through a day with an open release an idle App makes none', async () => {
    const { sandbox, start } = await setStage()
    const ringmaster = await start()
    const issue = await openIssue(sandbox)
    await command(sandbox, issue, '/release "First"')
    await sandbox.webhooks.settled()
    sandbox.clock.advance(11 * 60_000)
    await ringmaster.sweep()
    await ringmaster.idle()
    const head = await sandbox.repository('acme/releases').head('ringmaster-data')
    for (let hours = 0; hours < 24; hours += 4) {
      sandbox.clock.advance(4 * HOUR_MS)
      await ringmaster.sweep()
      await ringmaster.idle()
    }
    expect(await sandbox.repository('acme/releases').head('ringmaster-data')).toBe(head)
    const before = (await (await ringmaster.ledger.view()).state(INTAKE_KEY)) as IntakeState | undefined
    await command(sandbox, issue, '/help')
    await sandbox.webhooks.settled()
    sandbox.clock.advance(11 * 60_000)
    await ringmaster.sweep()
    await ringmaster.idle()
    const after = (await (await ringmaster.ledger.view()).state(INTAKE_KEY)) as IntakeState
    expect(Date.parse(after.until)).toBeGreaterThan(Date.parse(before?.until ?? '2000-01-01T00:00:00Z') + 23 * HOUR_MS)
  }, 120_000)
})

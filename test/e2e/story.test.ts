import { afterEach, describe, expect, it } from '@jest/globals'
import { newPlot, type Plot, SCENES } from './story/scenes.ts'
import { eventually, type Stage, setStage } from './story/stage.ts'
import { type Traces, tracesOf } from './story/world-of-ringmaster.ts'

/** What one release leaves outside, each thing once. */
const TRACES: Omit<Traces, 'comments'> = {
  proposals: ['Release #1: User Platform v2.0: merged'],
  checks: ['ringmaster/sign-off: success'],
  labels: ['release:completed'],
  gateAnswers: ['approved', 'approved', 'approved'],
}
const COMMENTS = ['r1/board', 'r1/cohorts', ...Array.from({ length: 10 }, () => 'reply/#')]

/** A generator of numbers from a seed (mulberry32), so that a run can be played again. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

let stage: Stage | undefined
afterEach(async () => {
  await stage?.stop()
  stage = undefined
})

describe('one release, from commit to device', () => {
  it('leaves each comment, check, proposal and answer once', async () => {
    stage = await setStage()
    const plot = newPlot()
    for (const scene of SCENES) await scene.play(stage, plot)
    expect(await tracesOf(stage, plot)).toEqual({ ...TRACES, comments: COMMENTS })
    expect(await completedIn(stage)).toEqual(COMPLETED)
    expect(plot.versions).toEqual({ user: '1.2.0', auth: '2.0.1', firmware: '3.0.1' })
    expect(stage.sandbox.violations).toEqual([])
  }, 400_000)

  it('comes to the same when the App is killed in every scene, and follows a changed commit to the device', async () => {
    const seed = Number(process.env['RINGMASTER_SEED'] ?? 20261120)
    const random = randomFrom(seed)
    stage = await setStage({ firmwareCommit: 'feat: sleep between measurements' })
    const plot: Plot = newPlot()
    for (const [index, scene] of SCENES.entries()) {
      const killed = index === 0 ? Promise.resolve() : killAt(stage, 100 + random() * 1_500)
      const on = index === 0 ? dyingAtFirst(stage) : stage
      const said = await scene.play(on, plot).catch((error: Error) => {
        throw new Error(`seed ${seed}, "${scene.title}": ${error.message}\n${stage?.app.output.slice(-2_000)}`)
      })
      await killed
      if (scene.title.startsWith('A device')) expect(said.join('\n')).toContain('edge-firmware@3.1.0')
    }
    expect(plot.versions.firmware).toBe('3.1.0')
    expect(await acceptedConfigurations(stage)).toBe(1)
    expect(await tracesOf(stage, plot)).toEqual({ ...TRACES, comments: COMMENTS })
    expect(await completedIn(stage)).toEqual(COMPLETED)
    expect(stage.sandbox.violations).toEqual([])
  }, 600_000)
})

/** A stage whose App is killed at its first start, as soon as its log stands, and started again. */
const dyingAtFirst = (stage: Stage): Stage => ({
  ...stage,
  app: {
    ...stage.app,
    async start() {
      /** Whether it came to listen before it was killed is all the same. */
      const started = stage.app.start().catch(() => {})
      const releases = stage.sandbox.repository('acme/releases')
      await eventually('the data branch', async () => (await releases.head('ringmaster-data')) ?? undefined)
      await stage.app.kill()
      await started
      await stage.app.start()
    },
  },
})

/**
 * The attempts that completed by the end of the story: three products in each environment, and one once more past the
 * gate. GitHub's own deployments of the same jobs add none: where the App hears of the end of a run before it hears
 * what the run recorded, both are said of one attempt (docs/decisions/0012).
 */
const COMPLETED = { integration: 3, beta: 3, production: 4 }

async function completedIn(stage: Stage): Promise<Record<string, number>> {
  const git = stage.sandbox.repository('acme/releases').gitDirectory
  const { out } = await stage.ringmaster('ledger', 'log', '--repo', git, '--type', 'deployment.completed', '--json')
  const { events } = JSON.parse(out) as { events: { data: Record<'environment' | 'attempt' | 'version', string> }[] }
  const attempts = new Set(events.map(({ data }) => JSON.stringify([data.environment, data.attempt, data.version])))
  const counts: Record<string, number> = {}
  for (const attempt of attempts) {
    const [environment] = JSON.parse(attempt) as [string]
    counts[environment] = (counts[environment] ?? 0) + 1
  }
  return counts
}

async function acceptedConfigurations(stage: Stage): Promise<number> {
  const git = stage.sandbox.repository('acme/releases').gitDirectory
  const { out } = await stage.ringmaster('ledger', 'log', '--repo', git, '--type', 'config.accepted')
  return out.trim().split('\n').length
}

/** Kills the App some time into a scene and starts it again. */
async function killAt({ app }: Stage, afterMs: number): Promise<void> {
  await pause(afterMs)
  await app.kill()
  await app.start()
}

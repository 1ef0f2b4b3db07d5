import { describe, expect, it } from '@jest/globals'
import { delivered, PAYLOADS } from '../webhooks/payloads.ts'
import { BACK, HOUR_MS, upkeepStage } from './upkeep-stage.ts'

const DELIVERIES = 'GET /app/hook/deliveries'
const REPOSITORIES = 'GET /installation/repositories'
const ended = {
  ...delivered('workflow_run', PAYLOADS.workflow_run),
  id: 'ended',
  receivedAt: '2026-11-20T08:00:00.000Z',
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate)
}

describe('beside a delivery log that takes long to read', () => {
  it('what failed and what was early is tried again, and no other reading begins', async () => {
    let answers: readonly (() => unknown)[] = []
    const decided: string[] = []
    const on = upkeepStage({
      sinceMs: BACK - HOUR_MS / 2,
      async submit() {
        decided.push('asked')
        const [answer, ...rest] = answers
        answers = rest
        answer?.()
        return { kind: 'accept', answer: null, isEarly: true } as never
      },
    })
    const release = on.hold(DELIVERIES)
    await on.upkeep.begin()
    answers = [
      () => {
        throw new Error('GitHub is away')
      },
    ]
    await on.intake.handle(ended)
    expect(on.intake.deliveries.open).toBe(1)
    await on.upkeep.tick()
    expect(on.intake.deliveries.open).toBe(0)
    for (const asked of [4, 5, 6]) {
      on.passHours(1)
      await on.upkeep.tick()
      await turns()
      expect(decided).toHaveLength(asked)
    }
    expect([on.timesAsked(DELIVERIES), on.timesAsked(REPOSITORIES)]).toEqual([1, 0])
    release()
    await on.upkeep.idle()
    expect([on.timesAsked(DELIVERIES), on.timesAsked(REPOSITORIES)]).toEqual([1, 1])
    for (const _ of [1, 2]) {
      on.passHours(1 / 60)
      await on.upkeep.tick()
    }
    expect(decided).toHaveLength(7)
  })

  it('an outage is looked up first, once', async () => {
    const on = upkeepStage()
    const release = on.hold(REPOSITORIES)
    await on.upkeep.begin()
    await on.upkeep.tick()
    on.passHours(2)
    await on.upkeep.tick()
    await turns()
    expect([on.timesAsked(DELIVERIES), on.timesAsked(REPOSITORIES)]).toEqual([0, 1])
    release()
    await on.upkeep.caughtUp()
    expect(on.timesAsked(DELIVERIES)).toBe(1)
    expect(on.isHeld()).toBe(false)
  })
})

it('while thousands of deliveries fail they are tried again, and the delivery log is not read', async () => {
  let isAway = true
  const on = upkeepStage({
    sinceMs: BACK - HOUR_MS / 2,
    async submit() {
      if (isAway) throw new Error('GitHub is away')
      return { kind: 'accept', answer: null }
    },
  })
  await on.look('start')
  for (let number = 0; number < 2_000; number += 1) await on.intake.handle({ ...ended, id: `d${number}` })
  await on.look(1 / 60)
  expect([on.intake.deliveries.open, on.timesAsked(DELIVERIES)]).toEqual([2_000, 1])
  isAway = false
  await on.look(1 / 60)
  expect([on.intake.deliveries.open, on.timesAsked(DELIVERIES)]).toEqual([0, 2])
})

describe('beside a sweep that takes long', () => {
  it('the delivery log is compared, and no other sweep begins', async () => {
    const on = upkeepStage({ sinceMs: BACK - HOUR_MS / 2 })
    expect(await on.look('start')).toEqual([])
    const release = on.hold(REPOSITORIES)
    for (const compared of [2, 3, 4]) {
      on.passHours(1)
      await on.upkeep.tick()
      await turns()
      expect([on.timesAsked(DELIVERIES), on.timesAsked(REPOSITORIES)]).toEqual([compared, 1])
    }
    release()
    await on.upkeep.idle()
    expect(on.sweptHoursAgo()).toBe(2)
  })

  it('an App that stops begins nothing more, and does not take for swept what it left', async () => {
    const on = upkeepStage({ sinceMs: BACK - HOUR_MS / 2 })
    expect(await on.look('start')).toEqual([])
    const release = on.hold(REPOSITORIES)
    on.passHours(1)
    await on.upkeep.tick()
    await turns()
    on.upkeep.stop()
    release()
    await on.upkeep.idle()
    expect(on.sweptHoursAgo()).toBe(2)
    expect(await on.look(1)).toEqual([])
    expect(on.timesAsked(DELIVERIES)).toBe(2)
  })
})

import { describe, expect, it } from '@jest/globals'
import { Intake } from '../../src/app/intake.ts'
import { RingmasterError } from '../../src/core/problem.ts'
import type { Request } from '../../src/core/request.ts'
import { bent, delivered, installation, PAYLOADS } from '../webhooks/payloads.ts'

const comment = (changes: Readonly<Record<string, unknown>> = {}, id = 'first') => ({
  ...delivered('issue_comment', bent(PAYLOADS.issue_comment, { 'comment.body': '/status', ...changes })),
  id,
})

function stage(given: { decide?: (request: Request) => Promise<void>; react?: () => Promise<void> } = {}) {
  const told: string[] = []
  const intake = new Intake({
    engine: {
      async submit(request) {
        await given.decide?.(request)
        told.push(`decided ${request.kind}`)
        return { kind: 'accept', answer: null }
      },
    },
    installation,
    log: {
      info: (_data, message) => void told.push(message),
      error: (_data, message) => void told.push(message),
    },
    refine: async (request) => request,
    async acknowledge(request) {
      told.push(`seen ${request.comment.id}`)
      await given.react?.()
    },
  })
  return { intake, told }
}

describe('a comment with commands', () => {
  it('gets one sign that it was seen, before the first of them is decided', async () => {
    const { intake, told } = stage()
    intake.take(comment({ 'comment.body': '/start\n\n/status', 'comment.id': 9 }))
    await intake.idle()
    expect(told).toEqual(['seen 9', 'decided command-given', 'decided command-given'])
  })

  it('is decided without waiting for the sign, which may fail', async () => {
    let fail: (error: Error) => void = () => {}
    const { intake, told } = stage({ react: () => new Promise((_resolve, reject) => (fail = reject)) })
    await intake.handle(comment({ 'comment.id': 9 }))
    expect(told).toEqual(['seen 9', 'decided command-given'])
    fail(new Error('GitHub is away'))
    await intake.idle()
    expect(told.slice(2)).toEqual(['a comment got no sign that it was seen'])
    expect(intake.deliveries.open).toBe(0)
  })

  it('gets no other when its delivery is repeated or tried again', async () => {
    let failures = 1
    const { intake, told } = stage({
      async decide() {
        failures -= 1
        if (failures >= 0) throw new Error('GitHub is away')
      },
    })
    await intake.handle(comment({ 'comment.id': 9 }))
    await intake.retry(0)
    await intake.handle(comment({ 'comment.id': 9 }))
    expect(told.filter((line) => line.startsWith('seen'))).toEqual(['seen 9'])
    expect(told.filter((line) => line.startsWith('decided'))).toHaveLength(2)
  })

  it('gets one when its delivery was known by its GUID alone', async () => {
    const { intake, told } = stage()
    intake.deliveries.owe('first', 0)
    await intake.handle(comment({ 'comment.id': 9 }))
    expect(told).toContain('seen 9')
  })
})

/** What fails to be decided, as often as it is told, by the name of the command or else of the request; and what was decided. */
function failingStage(failures: Map<string, { error: Error; times: number }>) {
  const decided: string[] = []
  const { intake, told } = stage({
    async decide(request) {
      const name =
        request.kind === 'command-given' ? `${request.command.name} ${request.command.args}`.trim() : request.kind
      const failure = failures.get(name)
      if (failure !== undefined && failure.times > 0) {
        failure.times -= 1
        throw failure.error
      }
      decided.push(name)
    },
  })
  return { intake, told, decided }
}

const away = (times: number) => ({ error: new Error('GitHub is away'), times })

describe('of the requests of one delivery', () => {
  const three = comment({ 'comment.body': '/hold\n\n/unhold\n\n/status' })

  it('the commands behind one that failed are tried with it, so that none is undone by an older one', async () => {
    const { intake, decided } = failingStage(new Map([['unhold', away(1)]]))
    await intake.handle(three)
    expect([decided, intake.deliveries.open]).toEqual([['hold'], 1])
    await intake.retry(0)
    expect([decided.slice(1), intake.deliveries.open]).toEqual([['hold', 'unhold', 'status'], 0])
  })

  it('the commands behind one that never can be decided are decided', async () => {
    const error = new RingmasterError('bad-input', { code: 'no', message: 'no' })
    const { intake, decided } = failingStage(new Map([['unhold', { error, times: 9 }]]))
    await intake.handle(three)
    expect([decided, intake.deliveries.open]).toEqual([['hold', 'status'], 0])
  })

  it('those that do not depend on each other are decided each by itself', async () => {
    const { intake, decided } = failingStage(new Map([['release-review', away(1)]]))
    await intake.handle(delivered('pull_request_review', PAYLOADS.pull_request_review))
    expect([decided, intake.deliveries.open]).toEqual([['review-submitted'], 1])
  })
})

describe('behind a comment that failed', () => {
  const said = (body: string, id: string, issue = 12) =>
    comment({ 'comment.body': body, 'comment.id': Number(id), 'issue.number': issue }, id)

  it('later ones on its issue are seen, and wait for it; those on other issues do not', async () => {
    const { intake, told, decided } = failingStage(new Map([['unhold', away(1)]]))
    await intake.handle(said('/unhold', '1'))
    await intake.handle(said('/hold a doubt', '2'))
    await intake.handle(said('/status', '3', 13))
    await intake.handle(said('/help', '4'))
    expect(told.filter((line) => line.startsWith('seen'))).toEqual(['seen 1', 'seen 2', 'seen 3', 'seen 4'])
    expect([decided, intake.deliveries.open]).toEqual([['status'], 3])
    const { event, payload } = said('/start', '5')
    const find = () => intake.handleFound({ event, payload }, '2026-11-20T10:00:00.000Z')
    expect(await find()).toBe(false)
    await intake.retry(0)
    expect([decided.slice(1), intake.deliveries.open]).toEqual([['unhold', 'hold a doubt', 'help', 'start'], 0])
    expect(await find()).toBe(true)
  })

  it('later ones wait for it although it was found by looking, and are tried with it', async () => {
    const { intake, decided } = failingStage(new Map([['unhold', away(1)]]))
    const find = ({ event, payload }: ReturnType<typeof said>) =>
      intake.handleFound({ event, payload }, '2026-11-20T10:00:00.000Z')
    expect(await find(said('/unhold', '1'))).toBe(false)
    expect(await find(said('/hold a doubt', '2'))).toBe(false)
    await intake.handle(said('/help', '3'))
    expect([decided, intake.deliveries.open]).toEqual([[], 1])
    await intake.retry(0)
    expect([decided, intake.deliveries.open]).toEqual([['unhold', 'hold a doubt', 'help'], 0])
  })

  it('the next one that fails keeps back what is behind it', async () => {
    const { intake, decided } = failingStage(
      new Map([
        ['unhold', away(1)],
        ['hold a doubt', away(1)],
      ]),
    )
    await intake.handle(said('/unhold', '1'))
    await intake.handle(said('/hold a doubt', '2'))
    await intake.handle(said('/unhold again', '3'))
    await intake.retry(0)
    expect(decided).toEqual(['unhold'])
    await intake.retry(0)
    expect(decided).toEqual(['unhold', 'hold a doubt', 'unhold again'])
  })

  it('whatever is behind it goes on once it was tried for two minutes, and that is told', async () => {
    const { intake, told, decided } = failingStage(new Map([['unhold', away(99)]]))
    await intake.handle(said('/unhold\n\n/status', '1'))
    await intake.handle(said('/hold a doubt', '2'))
    for (const _ of [1, 2]) await intake.retry(0)
    expect(decided).toEqual([])
    await intake.retry(0)
    expect(decided).toEqual(['status', 'hold a doubt'])
    await intake.handle(said('/help', '3'))
    await intake.retry(0)
    expect([decided, intake.deliveries.open]).toEqual([['status', 'hold a doubt', 'help', 'status'], 1])
    expect(told.filter((line) => line.includes('those after them go on'))).toHaveLength(1)
  })
})

describe('while the log takes nothing', () => {
  const MINUTES_15 = 15 * 60_000
  const ended = (number: number) => ({ ...delivered('workflow_run', PAYLOADS.workflow_run), id: `d${number}` })

  it('two thousand deliveries are kept; of more the GUID alone, and hundreds are tried again at a time', async () => {
    let isAway = true
    const underWay = { now: 0, most: 0 }
    const { intake, told } = stage({
      async decide() {
        if (isAway) throw new Error('GitHub is away')
        underWay.now += 1
        underWay.most = Math.max(underWay.most, underWay.now)
        await new Promise(setImmediate)
        underWay.now -= 1
      },
    })
    for (let number = 0; number < 2_002; number += 1) await intake.handle(ended(number))
    expect([intake.deliveries.open, intake.isFull]).toEqual([2_002, true])
    expect(['d0', 'd1999', 'd2000', 'd2001'].map((guid) => intake.deliveries.knows(guid))).toEqual([
      true,
      true,
      false,
      false,
    ])
    expect(intake.deliveries.owedFromMs).toBe(Date.parse(ended(0).receivedAt) - MINUTES_15)
    await intake.retry(0)
    expect([intake.deliveries.open, intake.isFull]).toEqual([2_002, true])
    isAway = false
    await intake.retry(0)
    expect([intake.deliveries.open, intake.isFull, underWay.most]).toEqual([2, false, 500])
    for (const number of [2_000, 2_001]) await intake.handle(ended(number))
    expect([intake.deliveries.open, intake.deliveries.owedFromMs]).toEqual([0, Number.POSITIVE_INFINITY])
    expect(told.filter((line) => line.startsWith('decided'))).toHaveLength(2_002)
  })
})

describe('no sign is given to', () => {
  it.each([
    ['words', { 'comment.body': 'I like it' }],
    ['a command that was edited in', { action: 'edited', changes: { body: { from: 'words' } } }],
    ['a bot', { 'comment.user.type': 'Bot' }],
    ['a comment of another repository', { 'repository.id': 99 }],
    ['more commands than are read', { 'comment.body': '/status\n'.repeat(21) }],
  ])('%s', async (_, changes) => {
    const { intake, told } = stage()
    await intake.handle(comment(changes))
    expect(told.filter((line) => line.startsWith('seen'))).toEqual([])
  })
})

describe('what is early', () => {
  const MINUTE_MS = 60_000

  function stageOf(answers: readonly boolean[]) {
    let asked = 0
    const intake = new Intake({
      engine: {
        async submit() {
          const isEarly = answers[asked]
          asked += 1
          return { kind: 'accept', answer: null, ...(isEarly ? { isEarly } : {}) }
        },
      },
      installation,
      log: { info: () => {}, error: () => {} },
      refine: async (request) => request,
    })
    const ended = delivered('workflow_run', PAYLOADS.workflow_run)
    return { intake, ended, receivedMs: Date.parse(ended.receivedAt), asked: () => asked }
  }

  it('is asked again until it counts, and leaves no delivery open', async () => {
    const { intake, ended, receivedMs, asked } = stageOf([true, true, false])
    await intake.handle(ended)
    expect([asked(), intake.deliveries.open]).toEqual([1, 0])
    for (const minutes of [1, 2, 3, 4]) await intake.retry(receivedMs + minutes * MINUTE_MS)
    expect(asked()).toBe(3)
  })

  it('holds the mark, and is let go after two minutes: the sweep looks it up', async () => {
    const { intake, ended, receivedMs, asked } = stageOf(Array.from({ length: 9 }, () => true))
    intake.deliveries.checked(receivedMs - MINUTE_MS, 0)
    await intake.handle(ended)
    for (const minutes of [1, 2]) {
      await intake.retry(receivedMs + minutes * MINUTE_MS)
      intake.deliveries.checked(receivedMs + (minutes - 1) * MINUTE_MS, 0)
    }
    expect([asked(), intake.deliveries.markMs]).toEqual([3, receivedMs - MINUTE_MS])
    for (const minutes of [3, 4, 5]) await intake.retry(receivedMs + minutes * MINUTE_MS)
    expect([asked(), intake.deliveries.markMs]).toEqual([4, receivedMs + MINUTE_MS])
  })

  it('holds the mark no further back than that behind what was compared, although nothing is asked again', async () => {
    const { intake, ended, receivedMs } = stageOf([true])
    intake.deliveries.checked(receivedMs, 0)
    await intake.handle(ended)
    intake.deliveries.checked(receivedMs + 10 * MINUTE_MS, 0)
    expect(intake.deliveries.markMs).toBe(receivedMs + 8 * MINUTE_MS)
  })

  it('is asked again once, however old: after an outage deliveries of hours are read at once', async () => {
    const { intake, ended, receivedMs, asked } = stageOf([true, true, true])
    await intake.handle(ended)
    for (const hours of [2, 3]) await intake.retry(receivedMs + hours * 60 * MINUTE_MS)
    expect(asked()).toBe(2)
  })
})

describe('the mark', () => {
  const at = '2026-11-20T10:00:00.000Z'
  const atMs = Date.parse(at)

  it('stays before what was compared when a delivery came, whatever our clock says, until that is durable', async () => {
    let settle: () => void = () => {}
    const { intake } = stage({ decide: () => new Promise((resolve) => (settle = resolve)) })
    const late = {
      ...delivered('workflow_run', PAYLOADS.workflow_run),
      id: 'late',
      receivedAt: '2026-11-20T11:00:00.000Z',
    }
    intake.deliveries.checked(atMs, 0)
    const handled = intake.handle(late)
    await Promise.resolve()
    intake.deliveries.checked(atMs + 600_000, 0)
    expect(new Date(intake.deliveries.markMs).toISOString()).toBe(at)
    settle()
    await handled
    expect(intake.deliveries.markMs).toBe(atMs + 600_000)
  })

  it('is told to the log in whole minutes, each with one key however often it is asked', () => {
    const { intake } = stage()
    expect(intake.deliveries.bookkeeping()).toEqual([])
    const keysAfter = (seconds: number) => {
      intake.deliveries.checked(atMs + seconds * 1_000, 0)
      return intake.deliveries.bookkeeping().map(({ key }) => key)
    }
    expect([0, 30, 59].flatMap(keysAfter)).toEqual(Array.from({ length: 3 }, () => `intake:${at}`))
    expect(keysAfter(61)).toEqual(['intake:2026-11-20T10:01:00.000Z'])
    expect(intake.deliveries.bookkeeping(1_000).map(({ key }) => key)).toEqual(['intake:2026-11-20T10:01:01.000Z'])
  })

  it('takes along up to when everything was looked up', () => {
    const { intake } = stage()
    intake.deliveries.checked(atMs, 0)
    expect(intake.deliveries.bookkeeping()).toMatchObject([{ data: { until: at } }])
    intake.deliveries.swept(atMs - 90_500)
    expect(intake.deliveries.bookkeeping()).toMatchObject([{ data: { until: at, swept: '2026-11-20T09:58:29.500Z' } }])
  })
})

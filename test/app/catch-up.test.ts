import { describe, expect, it } from '@jest/globals'
import { catchUp, KEPT_MS } from '../../src/app/catch-up.ts'
import { Intake } from '../../src/app/intake.ts'
import type { LedgerEvent } from '../../src/core/event.ts'
import type { GitHubApp } from '../../src/github/client.ts'
import { delivered, installation, PAYLOADS } from '../webhooks/payloads.ts'

const NOW = Date.parse('2026-11-20T10:00:00Z')
const SECOND_MS = 1_000

interface Entry {
  readonly guid: string
  readonly secondsAgo: number
  readonly status?: number
  readonly event?: string
  readonly action?: string | null
  /** Settles before the delivery can be read, or fails instead. */
  readonly reading?: () => Promise<void>
}

interface Given {
  readonly isStart: boolean
  readonly sinceSecondsAgo?: number
  readonly signal?: AbortSignal
  readonly booking?: () => void
  /** By our clock; that of GitHub when left out. */
  readonly nowMs?: number
}

const instant = (secondsAgo: number): string => new Date(NOW - secondsAgo * SECOND_MS).toISOString()

/** GitHub's delivery log, newest first, and what was read of it. `date` is its clock; none: it does not tell. */
function stage(entries: readonly Entry[], { date = new Date(NOW).toUTCString() as string | undefined } = {}) {
  const read: string[] = []
  const listed = entries.map(
    ({ guid, secondsAgo, status = 200, event = 'workflow_run', action = 'completed' }, index) => ({
      id: index,
      guid,
      delivered_at: instant(secondsAgo),
      status_code: status,
      event,
      action,
    }),
  )
  const booked: number[] = []
  const missed: number[] = []
  const engine = { isAway: false }
  const marks: number[] = []
  const decided: (string | undefined)[] = []
  const intake = new Intake({
    engine: {
      async submit({ source }) {
        if (engine.isAway) throw new Error('GitHub is away')
        marks.push(intake.deliveries.markMs)
        decided.push(source.delivery)
        return { kind: 'accept', answer: null }
      },
    },
    installation,
    log: { info: () => {}, error: () => {} },
    refine: async (request) => request,
  })
  const asApp = {
    paginate: {
      async *iterator() {
        yield { headers: date === undefined ? {} : { date }, data: listed }
      },
    },
    async request(_route: string, { delivery_id }: { delivery_id: number }) {
      const entry = listed[delivery_id]
      if (!entry) throw new Error('expected a delivery that was listed')
      await entries[delivery_id]?.reading?.()
      read.push(entry.guid)
      const { event, payload } =
        entry.event === 'issue_comment'
          ? delivered(entry.event, PAYLOADS.issue_comment)
          : delivered('workflow_run', PAYLOADS.workflow_run)
      return { data: { guid: entry.guid, event, delivered_at: entry.delivered_at, request: { payload } } }
    },
  }
  const compare = (given: Given) =>
    catchUp({ asApp } as unknown as GitHubApp, intake, {
      isStart: given.isStart,
      book() {
        booked.push((NOW - intake.deliveries.markMs) / SECOND_MS)
        given.booking?.()
      },
      miss: (deliveredMs) => void missed.push((NOW - deliveredMs) / SECOND_MS),
      sinceMs: NOW - (given.sinceSecondsAgo ?? 3_600) * SECOND_MS,
      nowMs: given.nowMs ?? NOW,
      signal: given.signal ?? new AbortController().signal,
      log: { info: () => {}, error: () => {} },
    })
  return { intake, compare, read, decided, marks, booked, missed, engine }
}

describe('the delivery log', () => {
  const two: readonly Entry[] = [
    { guid: 'now', secondsAgo: 5 },
    { guid: 'before', secondsAgo: 90 },
  ]

  it.each<[string, { isStart: boolean }, readonly Entry[], readonly string[]]>([
    ['at a start to its end, oldest first', { isStart: true }, two, ['before', 'now']],
    ['while the App runs but for what it may be at', { isStart: false }, two, ['before']],
    [
      'while the App runs with what no process answered for',
      { isStart: false },
      [{ guid: 'failed', secondsAgo: 5, status: 502 }, ...two],
      ['before', 'failed'],
    ],
    [
      'once for all attempts of a delivery, of which one was answered',
      { isStart: false },
      [
        { guid: 'again', secondsAgo: 5, status: 200 },
        { guid: 'again', secondsAgo: 20, status: 502 },
      ],
      [],
    ],
    [
      'without what nobody listens to',
      { isStart: true },
      [
        { guid: 'queued', secondsAgo: 70, event: 'workflow_run', action: 'requested' },
        { guid: 'ended', secondsAgo: 80, event: 'workflow_run', action: 'completed' },
        { guid: 'star', secondsAgo: 90, event: 'star', action: 'created' },
        { guid: 'push', secondsAgo: 95, event: 'push', action: null },
      ],
      ['push', 'ended'],
    ],
    [
      'no further back than it was compared',
      { isStart: true },
      [...two, { guid: 'old', secondsAgo: 4_000 }],
      ['before', 'now'],
    ],
  ])('is read %s', async (_, given, entries, expected) => {
    const { intake, compare, read } = stage(entries)
    await compare(given)
    await intake.idle()
    expect(read).toEqual(expected)
  })

  it('is not read where the log names a delivery that asks for one thing, whichever process took it', async () => {
    const named = (guid: string, kind = 'webhook') =>
      ({ source: { kind, delivery: guid }, at: instant(90) }) as unknown as LedgerEvent
    const { intake, compare, read } = stage([
      { guid: 'unnamed', secondsAgo: 80, event: 'deployment_status', action: 'created' },
      { guid: 'deployment', secondsAgo: 81, event: 'deployment_status', action: 'created' },
      { guid: 'build', secondsAgo: 82, event: 'check_run', action: 'completed' },
      { guid: 'comment', secondsAgo: 83, event: 'issue_comment', action: 'created' },
      { guid: 'run', secondsAgo: 84, event: 'workflow_run', action: 'completed' },
      { guid: 'found', secondsAgo: 85, event: 'deployment_status', action: 'created' },
      { guid: 'unread', secondsAgo: 86, event: 'deployment_status', action: 'created' },
    ])
    intake.deliveries.owe('unread', NOW - 86 * SECOND_MS)
    intake.deliveries.follow([
      ...['deployment', 'build', 'comment', 'run', 'unread'].map((guid) => named(guid)),
      named('found', 'sweep'),
    ])
    await compare({ isStart: true })
    await intake.idle()
    expect(read).toEqual(['unread', 'found', 'run', 'comment', 'unnamed'])
    expect(intake.deliveries.markMs).toBe(NOW - 60 * SECOND_MS)
  })

  it('is taken in its order, whichever was read first, without what could not be read', async () => {
    const comment = { event: 'issue_comment', action: 'created' }
    const { intake, compare, read, decided } = stage([
      { ...comment, guid: 'hold', secondsAgo: 70 },
      {
        ...comment,
        guid: 'lost',
        secondsAgo: 80,
        reading: () => Promise.reject(new Error('GitHub is away')),
      },
      { ...comment, guid: 'unhold', secondsAgo: 90, reading: () => new Promise((resolve) => setImmediate(resolve)) },
    ])
    expect(await compare({ isStart: true })).toMatchObject({ handedIn: 2, owed: 1 })
    await intake.idle()
    expect(read).toEqual(['hold', 'unhold'])
    expect(decided).toEqual(['unhold', 'unhold', 'hold', 'hold'])
    expect(intake.deliveries.owedFromMs).toBe(NOW - 80 * SECOND_MS)
  })

  it('is gone on from where it names a delivery that GitHub does not hand out, which is told', async () => {
    let asked = 0
    const gone = async (): Promise<void> => {
      asked += 1
      const status = asked === 1 ? 502 : 404
      throw Object.assign(new Error('no'), { name: 'HttpError', status, response: {} })
    }
    const { intake, compare, missed } = stage([
      { guid: 'later', secondsAgo: 70 },
      { guid: 'gone', secondsAgo: 90, reading: gone },
    ])
    expect(await compare({ isStart: false })).toMatchObject({ handedIn: 1, owed: 1 })
    await intake.idle()
    expect([missed, intake.deliveries.owedFromMs]).toEqual([[], NOW - 90 * SECOND_MS])
    for (const _ of [1, 2]) expect(await compare({ isStart: false })).toMatchObject({ handedIn: 0, owed: 0 })
    expect([missed, asked]).toEqual([[90], 2])
    expect([intake.deliveries.open, intake.deliveries.owedFromMs, intake.deliveries.markMs]).toEqual([
      0,
      Number.POSITIVE_INFINITY,
      NOW - 60 * SECOND_MS,
    ])
  })

  it('is waited for no longer than GitHub keeps it', async () => {
    const { intake, compare, missed } = stage([])
    const keptSeconds = KEPT_MS / SECOND_MS
    intake.deliveries.owe('kept', NOW - KEPT_MS + SECOND_MS)
    intake.deliveries.owe('expired', NOW - KEPT_MS - SECOND_MS)
    await compare({ isStart: false, sinceSecondsAgo: keptSeconds + 1 })
    expect(missed).toEqual([keptSeconds + 1])
    expect([intake.deliveries.open, intake.deliveries.owedFromMs]).toEqual([1, NOW - KEPT_MS + SECOND_MS])
  })

  it('is read from where it was left although our clock runs four days ahead, and nothing is given up', async () => {
    const { intake, compare, read, missed } = stage([{ guid: 'there', secondsAgo: 90 }])
    intake.deliveries.owe('kept', NOW - 100 * SECOND_MS)
    await compare({ isStart: false, nowMs: NOW + 4 * 24 * 3_600_000 })
    expect([read, missed]).toEqual([['there'], []])
  })

  it('is read no further while thousands of deliveries fail, and then from there', async () => {
    const { intake, compare, read, engine } = stage([
      { guid: 'later', secondsAgo: 70 },
      { guid: 'before', secondsAgo: 90 },
    ])
    engine.isAway = true
    for (let number = 0; number < 2_000; number += 1)
      await intake.handle({ ...delivered('workflow_run', PAYLOADS.workflow_run), id: `d${number}` })
    expect(await compare({ isStart: false })).toEqual({ handedIn: 0, owed: 0, untilMs: NOW - 90 * SECOND_MS })
    engine.isAway = false
    await intake.retry(NOW)
    expect(await compare({ isStart: false })).toEqual({ handedIn: 2, owed: 0, untilMs: NOW - 60 * SECOND_MS })
    expect(read).toEqual(['before', 'later'])
  })

  it('is compared up to a minute ago by the clock of GitHub, or by ours where it tells none', async () => {
    const fast = stage([], { date: new Date(NOW + 300_000).toUTCString() })
    expect((await fast.compare({ isStart: true })).untilMs).toBe(NOW + 240_000)
    const silent = stage([], { date: undefined })
    expect((await silent.compare({ isStart: true })).untilMs).toBe(NOW - 60_000)
  })

  it('moves the mark on while it is read, never beyond what was not handed in', async () => {
    const entries = Array.from({ length: 35 }, (_, index) => ({ guid: `d${index}`, secondsAgo: 100 + index }))
    const { intake, compare, marks } = stage(entries)
    await compare({ isStart: true })
    await intake.idle()
    const ago = marks.map((mark) => (NOW - mark) / SECOND_MS)
    expect([ago[0], ago[10], ago[20], ago[34]]).toEqual([134, 124, 114, 104])
    expect(intake.deliveries.markMs).toBe(NOW - 60 * SECOND_MS)
  })

  it.each([
    ['books the mark between tens of deliveries at a start', true, [134, 124, 114]],
    ['leaves the mark to commits that are made anyway later on', false, []],
  ])('%s', async (_, isStart, expected) => {
    const entries = Array.from({ length: 35 }, (_entry, index) => ({ guid: `d${index}`, secondsAgo: 100 + index }))
    const { compare, booked } = stage(entries)
    await compare({ isStart })
    expect(booked).toEqual(expected)
  })

  it('is left where it stands when the App ends, and the mark with it', async () => {
    const entries = Array.from({ length: 35 }, (_, index) => ({ guid: `d${index}`, secondsAgo: 100 + index }))
    const { intake, compare, read } = stage(entries)
    const ending = new AbortController()
    const compared = await compare({ isStart: true, signal: ending.signal, booking: () => ending.abort() })
    await intake.idle()
    expect(read).toHaveLength(20)
    expect(compared).toEqual({ handedIn: 20, owed: 0, untilMs: NOW - 114 * SECOND_MS })
    expect(intake.deliveries.markMs).toBe(NOW - 114 * SECOND_MS)
  })
})

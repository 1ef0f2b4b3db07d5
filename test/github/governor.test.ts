import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Budget } from '../../src/github/budget.ts'
import { type Answer, Governor, type GovernorOptions, POINTS_PER_MINUTE } from '../../src/github/governor.ts'
import type { Pace } from '../../src/github/pace.ts'
import type { RequestOptions } from '../../src/github/request-cost.ts'
import { inClass, type WorkClass } from '../../src/github/work-class.ts'
import { VirtualTime } from './virtual-time.ts'

const at = { owner: 'acme', repo: 'releases' }
const get: RequestOptions = { method: 'GET', url: '/repos/{owner}/{repo}/issues', ...at }
const comment: RequestOptions = { method: 'POST', url: '/repos/{owner}/{repo}/issues/{issue_number}/comments', ...at }
const patch: RequestOptions = { method: 'PATCH', url: '/repos/{owner}/{repo}/issues/comments/{comment_id}', ...at }
const query: RequestOptions = { method: 'POST', url: '/graphql', query: 'query { viewer { login } }' }
const commit: RequestOptions = {
  method: 'POST',
  url: '/graphql',
  query: 'mutation($input: CreateCommitOnBranchInput!) { createCommitOnBranch(input: $input) { commit { oid } } }',
  variables: { input: { branch: { repositoryNameWithOwner: 'Acme/Releases', branchName: 'x' } } },
}
const done: Answer = { headers: {}, data: null }

function governed(more: Partial<GovernorOptions> = {}) {
  const time = new VirtualTime()
  let backMs = 0
  const setBack = (milliseconds: number) => {
    backMs += milliseconds
  }
  const governor = new Governor({
    nowMs: () => time.nowMs - backMs,
    timer: time.timer,
    processes: 1,
    pushesPerMinute: 6,
    pointsPerMinute: POINTS_PER_MINUTE,
    ...more,
  })
  const sent: { atMs: number; what: string }[] = []
  const startMs = time.nowMs
  const send = (
    what: string,
    options: RequestOptions,
    workClass?: WorkClass,
    answer: () => Promise<Answer> = async () => done,
  ) => {
    const work = () =>
      governor.govern(options, () => {
        sent.push({ atMs: time.nowMs - startMs, what })
        return answer()
      })
    return workClass ? inClass(workClass, work) : work()
  }
  return { time, governor, sent, send, setBack }
}

const refusal = (status: number, message: string, headers: Record<string, string> = {}) =>
  Object.assign(new Error(message), { status, response: { headers } })
const once = (error: unknown): (() => Promise<Answer>) => {
  let isFirst = true
  return async () => {
    if (!isFirst) return done
    isFirst = false
    throw error
  }
}

describe('a budget', () => {
  it('never lets more than its limit into any window, whatever is asked and when', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 30_000 }), fc.integer({ min: 1, max: 5 })), { maxLength: 300 }),
        (asked) => {
          const budget = new Budget({ limit: 80, windowMs: 60_000, burst: 30 })
          const spent: { atMs: number; amount: number }[] = []
          let nowMs = 0
          for (const [pauseMs, amount] of asked) {
            nowMs += pauseMs
            nowMs += budget.waitMs(nowMs, amount)
            budget.spend(nowMs, amount)
            spent.push({ atMs: nowMs, amount })
          }
          for (const { atMs } of spent) {
            const inWindow = spent.filter((one) => one.atMs >= atMs && one.atMs <= atMs + 60_000)
            expect(inWindow.reduce((sum, one) => sum + one.amount, 0)).toBeLessThanOrEqual(80)
          }
        },
      ),
    )
  })
})

describe('the governor', () => {
  it('has each secondary limit in proportion to the points a minute that are given', async () => {
    const { governor } = governed({ pointsPerMinute: 9_000 })
    const limits = Object.fromEntries(Object.entries(governor.state.budgets).map(([name, { limit }]) => [name, limit]))
    expect(limits).toMatchObject({ rest: 9_000, graphql: 20_000, 'content-minute': 800, 'content-hour': 5_000 })
  })

  it('sends at once what is within every limit', async () => {
    const { sent, send } = governed()
    await Promise.all([send('a', get), send('b', comment), send('c', query)])
    expect(sent.map((one) => one.atMs)).toEqual([0, 0, 0])
  })

  it.each([
    { name: '900 points of REST a minute', options: patch, mostIn: 60_000, most: 180, count: 400 },
    { name: '80 comments a minute', options: comment, mostIn: 60_000, most: 80, count: 200 },
    { name: '500 comments an hour', options: comment, mostIn: 3_600_000, most: 500, count: 800 },
    { name: '2,000 points of GraphQL a minute', options: query, mostIn: 60_000, most: 2_000, count: 3_000 },
    {
      name: '9,000 points of REST a minute where they are given',
      options: patch,
      mostIn: 60_000,
      most: 1_800,
      count: 4_000,
      more: { pointsPerMinute: 9_000 },
    },
  ])('keeps $name, and sends everything in the end', async ({ options, mostIn, most, count, more = {} }) => {
    const { time, sent, send } = governed(more)
    const all = Promise.all(Array.from({ length: count }, (_, index) => send(String(index), options, 'answer')))
    await time.advance(4 * 3_600_000)
    await all
    expect(sent).toHaveLength(count)
    let first = 0
    for (const [index, { atMs }] of sent.entries()) {
      while ((sent[first]?.atMs ?? 0) < atMs - mostIn) first += 1
      expect(index - first + 1).toBeLessThanOrEqual(most)
    }
  })

  it('has at most 100 requests under way', async () => {
    const { time, governor, send } = governed()
    const open: (() => void)[] = []
    const all = Array.from({ length: 130 }, (_, index) =>
      send(String(index), get, 'answer', () => new Promise((resolve) => open.push(() => resolve(done)))),
    )
    await time.settle()
    expect(governor.state.inFlight).toBe(100)
    expect(governor.state.waiting.answer).toBe(30)
    while (open.length > 0) {
      for (const end of open.splice(0)) end()
      await time.settle()
    }
    await Promise.all(all)
    expect(governor.state.inFlight).toBe(0)
  })

  it('lets answers and gates go before sweeps that were there first', async () => {
    const { time, sent, send } = governed()
    const bulk = Array.from({ length: 400 }, () => send('bulk', get, 'bulk'))
    await time.settle()
    const before = sent.length
    const urgent = [send('gate', get, 'gate'), send('answer', get, 'answer')]
    await time.settle()
    expect(sent.slice(before).map((one) => one.what)).toEqual(['gate', 'answer'])
    await time.advance(600_000)
    await Promise.all([...bulk, ...urgent])
  })

  it('divides what it counts itself among processes', async () => {
    const { time, sent, send } = governed({ processes: 4 })
    const all = Promise.all(Array.from({ length: 60 }, (_, index) => send(String(index), comment, 'answer')))
    await time.advance(60_000)
    expect(sent.length).toBeLessThanOrEqual(20)
    await time.advance(3_600_000)
    await all
  })

  it('counts moves of a branch by any door against the pace of its repository', async () => {
    const { time, governor, sent, send } = governed()
    const all = Promise.all(
      Array.from({ length: 80 }, (_, index) => send(`${index}`, { ...commit }, index % 2 ? 'answer' : 'bulk')),
    )
    await time.advance(600_000)
    expect(sent.length).toBeLessThanOrEqual(60)
    expect(sent.length).toBeGreaterThanOrEqual(50)
    expect(governor.paceOf('acme/releases').waitMs(time.nowMs, 1 / 2)).toBeGreaterThan(0)
    expect(governor.paceOf('acme/other').waitMs(time.nowMs, 1 / 2)).toBe(0)
    await time.advance(3_600_000)
    await all
  })
})

describe('a clock that is set back', () => {
  const HOUR_MS = 3_600_000

  it('lets budgets fill up as before', async () => {
    const { time, sent, send, setBack } = governed()
    const all = Promise.all(Array.from({ length: 40 }, (_, index) => send(String(index), comment, 'answer')))
    await time.settle()
    expect(sent).toHaveLength(30)
    setBack(HOUR_MS)
    await time.advance(15_000)
    expect(sent).toHaveLength(40)
    await all
  })

  it('makes no commit wait', async () => {
    const { time, governor, setBack } = governed()
    const pace = governor.paceOf('acme/releases')
    for (let commits = 0; commits < 3; commits += 1) {
      await pace.turn()
      pace.spend(time.nowMs)
    }
    setBack(HOUR_MS)
    let went = false
    const turn = pace.turn().then(() => {
      went = true
    })
    await time.advance(25_000)
    expect(went).toBe(true)
    await turn
  })

  it('makes no pause longer, which is told by that clock', async () => {
    const { time, governor, sent, send, setBack } = governed()
    const answer = send(
      'again',
      comment,
      'answer',
      once(refusal(403, 'You have exceeded a secondary rate limit.', { 'retry-after': '30' })),
    )
    await time.settle()
    setBack(HOUR_MS)
    expect(governor.state.pausedUntil).toBe('2026-11-20T09:00:30.000Z')
    await time.advance(30_000)
    await answer
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 30_000])
  })

  it('makes nobody wait longer for the end of an hour that is used up', async () => {
    const { time, sent, send, setBack } = governed()
    const headers = {
      date: new Date(time.nowMs).toUTCString(),
      'x-ratelimit-limit': '5000',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': String(time.nowMs / 1_000 + 600),
    }
    await send('last', get, 'answer', async () => ({ headers, data: null }))
    setBack(HOUR_MS)
    const next = send('next', get, 'answer')
    await time.advance(600_000)
    await next
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 600_000])
  })
})

describe('what GitHub says of its limits', () => {
  const SECONDARY = 'You have exceeded a secondary rate limit.'
  const epochMs = (time: string) => Date.parse(`2026-11-20T${time}Z`)
  const usedUp = (reset: string, answered?: string) =>
    refusal(403, 'API rate limit exceeded for ringmaster[bot].', {
      'x-ratelimit-limit': '5000',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': String(epochMs(reset) / 1_000),
      ...(answered === undefined ? {} : { date: new Date(epochMs(answered)).toUTCString() }),
    })
  it.each([
    {
      name: 'a secondary limit with retry-after',
      error: refusal(403, SECONDARY, { 'retry-after': '7' }),
      waitMs: 7_000,
    },
    { name: 'a secondary limit that says nothing', error: refusal(403, SECONDARY), waitMs: 60_000 },
    { name: '429 with retry-after', error: refusal(429, 'Too many requests', { 'retry-after': '30' }), waitMs: 30_000 },
    {
      name: 'a used-up hour',
      error: usedUp('10:20:00'),
      waitMs: 20 * 60_000,
    },
    {
      name: 'a used-up hour, by a clock of ours that is half an hour ahead',
      error: usedUp('10:20:00', '09:30:00'),
      waitMs: 50 * 60_000,
    },
    {
      name: 'a used-up hour that has ended by our clock',
      error: usedUp('09:40:00', '09:30:00'),
      waitMs: 10 * 60_000,
    },
    {
      name: 'a used-up hour, by a clock of ours that is an hour behind',
      error: usedUp('11:20:00', '11:00:00'),
      waitMs: 20 * 60_000,
    },
    { name: 'a used-up hour that has ended by any clock', error: usedUp('09:30:00', '09:30:00'), waitMs: 60_000 },
    { name: 'a used-up hour that has ended, without a date', error: usedUp('09:59:00'), waitMs: 60_000 },
    {
      name: 'a secondary limit until a time of day',
      error: refusal(403, SECONDARY, {
        date: 'Fri, 20 Nov 2026 09:30:00 GMT',
        'retry-after': 'Fri, 20 Nov 2026 09:32:00 GMT',
      }),
      waitMs: 120_000,
    },
    {
      name: 'a secondary limit with a retry-after of nothing',
      error: refusal(403, SECONDARY, { 'retry-after': '0' }),
      waitMs: 60_000,
    },
  ])('is obeyed, and the request is sent again even if it changes something: $name', async ({ error, waitMs }) => {
    const { time, sent, send } = governed()
    const answer = send('first', comment, 'answer', once(error))
    await time.settle()
    const other = send('other', comment, 'answer')
    await time.advance(waitMs - 1)
    expect(sent).toHaveLength(1)
    await time.advance(1)
    await Promise.all([answer, other])
    expect(sent.map((one) => one.atMs)).toEqual([0, waitMs, waitMs])
  })

  it('is obeyed in a GraphQL answer of 200', async () => {
    const { time, sent, send } = governed()
    const limited: Answer = {
      headers: {
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': String(Date.parse('2026-11-20T10:10:00Z') / 1_000),
      },
      data: { errors: [{ type: 'RATE_LIMITED', message: 'API rate limit exceeded' }] },
    }
    let answers = 0
    const answer = send('commit', commit, 'append', async () => (answers++ === 0 ? limited : done))
    await time.settle()
    const rest = send('rest', get, 'read')
    await time.advance(600_000)
    expect(await answer).toBe(done)
    await rest
    expect(sent.map((one) => [one.what, one.atMs])).toEqual([
      ['commit', 0],
      ['rest', 0],
      ['commit', 600_000],
    ])
  })

  it('makes it wait twice as long each time that nothing is said, up to a quarter of an hour, and then gives up', async () => {
    const { time, sent, send } = governed()
    const answer = send('again', get, 'read', async () => {
      throw refusal(403, SECONDARY)
    })
    const failed = answer.then(
      () => 'answered',
      (error: Error) => error.message,
    )
    await time.advance(3 * 3_600_000)
    expect(await failed).toBe(SECONDARY)
    expect(sent.map((one) => one.atMs / 60_000)).toEqual([0, 1, 3, 7, 15, 30, 45])
  })

  it('takes the refusals of what was under way together for one, and what was answered among it for no all-clear', async () => {
    const { time, governor, sent, send } = governed()
    const silent = () => refusal(403, SECONDARY)
    const later = (afterMs: number, answer: () => Promise<Answer>) => () =>
      new Promise<Answer>((resolve, reject) => {
        time.timer(afterMs, () => void answer().then(resolve, reject))
      })
    let left = 8
    const twice = async () => {
      if (left === 0) return done
      left -= 1
      throw silent()
    }
    const refused = Array.from({ length: 5 }, (_, index) => send('refused', get, 'read', later(index * 10, twice)))
    const passed = send(
      'passed',
      get,
      'read',
      later(100, async () => done),
    )
    await time.advance(1_000)
    expect(governor.state).toMatchObject({ limited: 5, pausedUntil: '2026-11-20T10:01:00.040Z' })
    await time.advance(60_000)
    expect(governor.state).toMatchObject({ limited: 8, pausedUntil: '2026-11-20T10:03:00.060Z' })
    await time.advance(120_000)
    await Promise.all([...refused, passed])
    expect(sent).toHaveLength(6 + 5 + 3)
  })

  it('sends none of many sooner, and each seldom, while the hour that is used up ended long ago by our clock', async () => {
    const { time, sent, send } = governed()
    const refused = () => Promise.reject(usedUp('09:30:00'))
    const all = Promise.allSettled(Array.from({ length: 5 }, () => send('again', get, 'read', refused)))
    await time.advance(50_000)
    expect(sent).toHaveLength(5)
    await time.advance(3 * 3_600_000)
    await all
    expect([...new Set(sent.map(({ atMs }) => atMs / 60_000))]).toEqual([0, 1, 3, 7, 15, 30, 45])
  })

  it.each([
    { clock: 'half an hour ahead', offMs: 30 * 60_000 },
    { clock: 'an hour behind', offMs: -60 * 60_000 },
  ])('waits for the end of an hour that an answer uses up, by a clock of ours that is $clock', async ({ offMs }) => {
    const { time, governor, sent, send } = governed()
    const thereMs = time.nowMs - offMs
    const headers = {
      date: new Date(thereMs).toUTCString(),
      'x-ratelimit-limit': '5000',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': String(thereMs / 1_000 + 600),
    }
    await send('last', get, 'answer', async () => ({ headers, data: null }))
    const next = send('next', get, 'answer')
    await time.advance(599_999)
    expect(sent).toHaveLength(1)
    expect(governor.state.primary.core).toMatchObject({ resetAt: new Date(thereMs + 600_000).toISOString() })
    await time.advance(1)
    await next
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 600_000])
  })

  it('spaces reads over the rest of the hour when it runs short, and answers not at all', async () => {
    const { time, sent, send } = governed()
    const headers = {
      'x-ratelimit-limit': '5000',
      'x-ratelimit-remaining': '860',
      'x-ratelimit-reset': String(time.nowMs / 1_000 + 3_600),
    }
    await send('first', get, 'answer', async () => ({ headers, data: null }))
    const reads = Array.from({ length: 5 }, () => send('read', get, 'read'))
    const answers = Array.from({ length: 5 }, () => send('answer', get, 'answer'))
    await time.advance(3_000)
    expect(sent.filter((one) => one.what === 'answer')).toHaveLength(5)
    expect(sent.filter((one) => one.what === 'read')).toHaveLength(0)
    await time.advance(120_000)
    await Promise.all([...reads, ...answers])
    const gaps = sent.filter((one) => one.what === 'read').map((one) => one.atMs)
    expect((gaps[4] ?? 0) - (gaps[0] ?? 0)).toBeGreaterThan(4 * 9_000)
  })
})

describe('what is sent again', () => {
  it.each([
    { name: 'a read after 502', options: get, error: refusal(502, 'Server Error'), times: 2 },
    { name: 'a query after a cut connection', options: query, error: refusal(500, 'socket hang up'), times: 2 },
    { name: 'not a change after 502: it may have been done', options: comment, error: refusal(502, 'x'), times: 1 },
    { name: 'not a commit after a cut connection', options: commit, error: refusal(500, 'x'), times: 1 },
    { name: 'not a refusal', options: get, error: refusal(403, 'Resource not accessible by integration'), times: 1 },
    { name: 'not what is not there', options: get, error: refusal(404, 'Not Found'), times: 1 },
  ])('$name', async ({ options, error, times }) => {
    const { time, sent, send } = governed()
    const settled = send('it', options, 'read', once(error)).then(
      () => 'done',
      () => 'failed',
    )
    await time.advance(10_000)
    expect(sent).toHaveLength(times)
    expect(await settled).toBe(times > 1 ? 'done' : 'failed')
  })

  const fault = { message: 'Something went wrong while executing your query.' }
  it.each([
    { name: 'a query that GitHub had trouble with', options: query, error: fault, times: 2 },
    { name: 'not a commit that GitHub had trouble with', options: commit, error: fault, times: 1 },
    {
      name: 'not a query that asks for what does not exist',
      options: query,
      error: { message: "Field 'x' doesn't exist", extensions: { code: 'undefinedField' } },
      times: 1,
    },
    { name: 'not a query for what is not there', options: query, error: { type: 'NOT_FOUND', message: 'x' }, times: 1 },
  ])('$name, which is told in an answer of 200', async ({ options, error, times }) => {
    const { time, sent, send } = governed()
    const failed: Answer = { headers: {}, data: { data: { repository: null }, errors: [error] } }
    let answers = 0
    const settled = send('it', options, 'append', async () => (answers++ === 0 ? failed : done))
    await time.advance(10_000)
    expect(sent).toHaveLength(times)
    expect(await settled).toBe(times > 1 ? done : failed)
  })

  it('fails what waits when Ringmaster stops, and leaves no timer', async () => {
    const { time, governor, send } = governed()
    const failed = send('x', get, 'read', once(refusal(403, 'secondary rate limit'))).catch((error) => error.code)
    await time.settle()
    governor.close()
    expect(await failed).toBe('governor-closed')
    await expect(send('y', get)).rejects.toMatchObject({ code: 'governor-closed' })
    expect(time.pending).toBe(0)
  })
})

describe('the pace of a branch', () => {
  const committed = async (pace: Pace, { time, untilMs }: { readonly time: VirtualTime; readonly untilMs: number }) => {
    const startMs = time.nowMs
    const turns: number[] = []
    while (time.nowMs - startMs < untilMs) {
      await pace.turn()
      pace.spend(time.nowMs)
      turns.push((time.nowMs - startMs) / 1_000)
    }
    return turns
  }

  it('lets a few commits go at once after a rest, and then one every 25 seconds', async () => {
    const { time, governor } = governed()
    const running = committed(governor.paceOf('acme/releases'), { time, untilMs: 3_600_000 })
    await time.advance(3_700_000)
    const turns = await running
    expect(turns.slice(0, 6)).toEqual([0, 0, 0, 25, 50, 75])
    expect(turns).toHaveLength(147)
  })

  it('leaves the log what a job at a gate needs, however many merges there are to try', async () => {
    const { time, governor, sent, send } = governed()
    const merge: RequestOptions = { method: 'PUT', url: '/repos/{owner}/{repo}/pulls/{pull_number}/merge', ...at }
    const all = Promise.allSettled(Array.from({ length: 60 }, () => send('merge', merge, 'bulk')))
    await time.advance(5 * 60_000)
    expect(sent.length).toBeLessThan(60)
    let went = false
    const turn = governor.paceOf('acme/releases').urgently('gate', governor.paceOf('acme/releases').turn)
    const noted = turn.then(() => {
      went = true
    })
    await time.settle()
    expect(went).toBe(true)
    await noted
    await time.advance(3_600_000)
    await all
    expect(sent).toHaveLength(60)
  })

  it('does not keep waiting what people wait for', async () => {
    const { time, governor } = governed()
    const pace = governor.paceOf('acme/releases')
    for (let commits = 0; commits < 6; commits += 1) pace.spend(time.nowMs)
    let went = false
    const turn = pace.turn().then(() => {
      went = true
    })
    await time.advance(5_000)
    expect(went).toBe(false)
    await pace.urgently('answer', () => turn)
    expect(went).toBe(true)
    expect(time.pending).toBe(0)
  })
})

import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Budget } from '../../src/github/budget.ts'
import { type Answer, Governor, type GovernorOptions, limitsOf, POINTS_PER_MINUTE } from '../../src/github/governor.ts'
import { allowanceOf } from '../../src/github/pacing.ts'
import type { RequestOptions } from '../../src/github/request-cost.ts'
import { type Claim, Share, type SharedBudget } from '../../src/github/shared-budget.ts'
import { inClass, type WorkClass } from '../../src/github/work-class.ts'
import { VirtualTime } from './virtual-time.ts'

const comment: RequestOptions = {
  method: 'POST',
  url: '/repos/{owner}/{repo}/issues/{issue_number}/comments',
  owner: 'acme',
  repo: 'releases',
}
const push: RequestOptions = {
  method: 'PATCH',
  url: '/repos/{owner}/{repo}/git/refs/{ref}',
  owner: 'acme',
  repo: 'releases',
}
const done: Answer = { headers: {}, data: null }

/** What all processes ask, as plain values, and whether it answers. */
class Together implements SharedBudget {
  isReachable = true
  asked = 0
  readonly #nowMs: () => number
  readonly #budgets = new Map<string, Budget>()

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  readonly claim: SharedBudget['claim'] = async (claims) => {
    this.asked += 1
    if (!this.isReachable) return null
    const nowMs = this.#nowMs()
    const held = claims.map((claim) => {
      const budget = this.#budgets.get(claim.name) ?? begun(claim, nowMs)
      this.#budgets.set(claim.name, budget)
      const level = budget.level(nowMs)
      budget.spend(nowMs, level - Math.min(level, Math.max(-claim.burst, level - claim.arrears)))
      return { ...claim, budget }
    })
    const isGranted = held.every(({ budget, needed }) => budget.level(nowMs) >= needed)
    if (isGranted) for (const { budget, amount } of held) budget.spend(nowMs, amount)
    return { isGranted, levels: held.map(({ budget }) => budget.level(nowMs)) }
  }

  /** What a Redis does that keeps nothing on disk, when it is started anew. */
  forget(): void {
    this.#budgets.clear()
  }

  close(): void {}
}

function begun(claim: Claim, nowMs: number): Budget {
  const budget = new Budget(claim)
  budget.spend(nowMs, budget.level(nowMs) - Math.min(claim.burst, claim.known))
  return budget
}

function processes(count: number, more: Partial<GovernorOptions> = {}) {
  const time = new VirtualTime()
  const together = new Together(() => time.nowMs)
  const startMs = time.nowMs
  const sent: number[] = []
  const governors = Array.from(
    { length: count },
    () =>
      new Governor({
        nowMs: () => time.nowMs,
        timer: time.timer,
        processes: count,
        pushesPerMinute: 6,
        pointsPerMinute: POINTS_PER_MINUTE,
        shared: { budget: together, scope: 'acme:' },
        ...more,
      }),
  )
  const send = (governor: Governor | undefined, options: RequestOptions, workClass: WorkClass = 'answer') =>
    inClass(workClass, () =>
      governor?.govern(options, async () => {
        sent.push(time.nowMs - startMs)
        return done
      }),
    )
  return { time, together, governors, sent, send }
}

/** The most that were sent in any stretch of this length. */
function mostWithin(sent: readonly number[], windowMs: number): number {
  const sorted = sent.toSorted((a, b) => a - b)
  return Math.max(...sorted.map((atMs) => sorted.filter((other) => other >= atMs && other <= atMs + windowMs).length))
}

describe('several processes that can ask each other', () => {
  it('stay within the limits together, and send everything in the end', async () => {
    const { time, governors, sent, send } = processes(3)
    const all = Promise.all(governors.flatMap((one) => Array.from({ length: 250 }, () => send(one, comment))))
    await time.advance(3 * 3_600_000)
    await all
    expect(sent).toHaveLength(750)
    expect(mostWithin(sent, 60_000)).toBeLessThanOrEqual(80)
    expect(mostWithin(sent, 3_600_000)).toBeLessThanOrEqual(500)
  })

  it('leave to one what the others do not need', async () => {
    const { time, governors, sent, send } = processes(4)
    const all = Promise.all(Array.from({ length: 60 }, () => send(governors[0], comment)))
    await time.advance(60_000)
    expect(sent).toHaveLength(60)
    await all
  })

  it('move the branches of a repository no more often together than one of them may', async () => {
    const { time, governors, sent, send } = processes(2)
    const all = Promise.all(governors.flatMap((one) => Array.from({ length: 60 }, () => send(one, push))))
    await time.advance(2 * 3_600_000)
    await all
    expect(mostWithin(sent, 600_000)).toBeLessThanOrEqual(60)
  })

  it('tell each other of commits before the log collects what goes into the next one', async () => {
    const { time, governors, send } = processes(2)
    const [first, second] = governors
    const pace = second?.paceOf('acme/releases')
    const other = Promise.all(Array.from({ length: 9 }, () => send(first, push, 'append')))
    await time.settle()
    await other
    let went = false
    const turn = pace?.urgently('answer', pace.turn).then(() => {
      went = true
    })
    await time.advance(10_000)
    expect(went).toBe(false)
    await time.advance(2_000)
    expect(went).toBe(true)
    await turn
  })
})

/** All that may be set. */
const settings = fc.record({
  pointsPerMinute: fc.integer({ min: 60, max: 900_000 }),
  pushesPerMinute: fc.integer({ min: 1, max: 60_000 }),
  processes: fc.integer({ min: 1, max: 16 }),
})
const NAMES = ['rest', 'graphql', 'content-minute', 'content-hour', 'pushes'] as const

describe('the part of one process', () => {
  it.each(NAMES)('fills up again however small it is, and stays a part: %s', (name) => {
    const pauses = fc.array(fc.integer({ min: 0, max: 3_600_000 }), { minLength: 2, maxLength: 40 })
    fc.assert(
      fc.property(settings, pauses, ({ pointsPerMinute, pushesPerMinute, processes: count }, pausesMs) => {
        const whole = { ...limitsOf(pointsPerMinute), pushes: allowanceOf(pushesPerMinute) }[name]
        const part = new Share(name, whole, { sharing: { isUp: false }, processes: count })
        const stretch = Math.max(1, (2 * count) / whole.limit)
        const spentMs: number[] = []
        let nowMs = 0
        for (const pauseMs of pausesMs) {
          nowMs += pauseMs
          const waitMs = part.waitMs(nowMs, 1)
          expect(waitMs).toBeLessThanOrEqual(whole.windowMs * stretch + 1)
          nowMs += waitMs
          // What a fraction of a millisecond is lost in adding up may take one more.
          nowMs += part.waitMs(nowMs, 1)
          expect(part.waitMs(nowMs, 1)).toBe(0)
          part.spend(nowMs, 1)
          spentMs.push(nowMs)
        }
        for (const atMs of spentMs) {
          const within = spentMs.filter((other) => other >= atMs && other <= atMs + whole.windowMs * stretch)
          expect(within.length).toBeLessThanOrEqual((whole.limit / count) * stretch + 1e-6)
        }
      }),
    )
  })

  it('takes what is larger than itself when it is full, and never asks for that again and again', () => {
    const part = new Share('rest', limitsOf(180).rest, { sharing: { isUp: false }, processes: 16 })
    const [change, read] = [5, 1]
    for (const startMs of [0, 3_600_000]) {
      const nowMs = startMs + part.waitMs(startMs, change)
      part.spend(nowMs, change)
      expect(part.isBeyondPart(nowMs, change)).toBe(false)
    }
    part.spend(3_600_000, read)
    expect(part.isBeyondPart(3_600_000, read)).toBe(true)
  })

  it('lets 16 processes comment and push at the least that may be set', async () => {
    const least = { pushesPerMinute: 1, pointsPerMinute: 60, shared: undefined }
    const { time, governors, sent, send } = processes(16, least)
    const all = Promise.all(
      Array.from({ length: 3 }, () => [send(governors[0], comment), send(governors[1], push)]).flat(),
    )
    await time.advance(4 * 3_600_000)
    await all
    expect(sent).toHaveLength(6)
  })
})

describe('processes that can ask each other no more', () => {
  it('keep to their parts at once, and share again when they can', async () => {
    const { time, together, governors, sent, send } = processes(4)
    const [one] = governors
    together.isReachable = false
    const all = Promise.all(Array.from({ length: 60 }, () => send(one, comment)))
    await time.advance(60_000)
    expect(one?.state.isShared).toBe(false)
    expect(sent.length).toBeLessThanOrEqual(21)
    together.isReachable = true
    await time.advance(60_000)
    expect(one?.state.isShared).toBe(true)
    await all
    expect(sent).toHaveLength(60)
  })

  it.each([1, 2, 4])('tell what they spent meanwhile when they can again: %i of them', async (count) => {
    const { time, together, governors, sent, send } = processes(count)
    together.isReachable = false
    const all = Promise.all(governors.flatMap((one) => Array.from({ length: 800 / count }, () => send(one, comment))))
    await time.advance(30 * 60_000)
    const alone = sent.length
    together.isReachable = true
    await time.advance(3 * 3_600_000)
    await all
    expect(alone).toBeGreaterThan(250)
    expect(mostWithin(sent, 3_600_000)).toBeLessThanOrEqual(500)
  })

  it('owe nothing any more for what was long ago', async () => {
    const { time, together, governors, sent, send } = processes(1)
    together.isReachable = false
    const before = Promise.all(Array.from({ length: 100 }, () => send(governors[0], comment)))
    await time.advance(10 * 60_000)
    await before
    await time.advance(10 * 3_600_000)
    together.isReachable = true
    const after = Promise.all(Array.from({ length: 30 }, () => send(governors[0], comment)))
    await time.settle()
    await after
    expect(sent).toHaveLength(130)
  })

  it('owe what they spent however often nobody could be asked', async () => {
    const { time, together, governors, sent, send } = processes(1)
    together.isReachable = false
    const all = Promise.all(Array.from({ length: 800 }, () => send(governors[0], comment)))
    for (let times = 0; times < 10; times += 1) {
      await time.advance(3 * 60_000)
      together.isReachable = !together.isReachable
    }
    together.isReachable = true
    await time.advance(3 * 3_600_000)
    await all
    expect(mostWithin(sent, 3_600_000)).toBeLessThanOrEqual(500)
  })

  it('go on from what they know where what they shared is lost', async () => {
    const { time, together, governors, sent, send } = processes(2)
    const all = Promise.all(governors.flatMap((one) => Array.from({ length: 400 }, () => send(one, comment))))
    await time.advance(30 * 60_000)
    together.forget()
    await time.advance(3 * 3_600_000)
    await all
    expect(mostWithin(sent, 3_600_000)).toBeLessThanOrEqual(500)
  })

  it('ask nobody where nobody shares', async () => {
    const { governors, together, sent, send } = processes(1, { shared: undefined })
    await send(governors[0], comment)
    expect([sent.length, together.asked, governors[0]?.state.isShared]).toEqual([1, 0, false])
  })
})

import { describe, expect, it } from '@jest/globals'
import { Budget } from '../../src/github/budget.ts'
import { type Answer, Governor, type GovernorOptions, POINTS_PER_MINUTE } from '../../src/github/governor.ts'
import type { RequestOptions } from '../../src/github/request-cost.ts'
import type { SharedBudget } from '../../src/github/shared-budget.ts'
import { inClass } from '../../src/github/work-class.ts'
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
      const budget = this.#budgets.get(claim.name) ?? new Budget(claim)
      this.#budgets.set(claim.name, budget)
      return { ...claim, budget }
    })
    const isGranted = held.every(({ budget, needed }) => budget.level(nowMs) >= needed)
    if (isGranted) for (const { budget, amount } of held) budget.spend(nowMs, amount)
    return { isGranted, levels: held.map(({ budget }) => budget.level(nowMs)) }
  }

  close(): void {}
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
  const send = (governor: Governor | undefined, options: RequestOptions) =>
    inClass('answer', () =>
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
    const other = Promise.all(Array.from({ length: 9 }, () => send(first, push)))
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

  it('ask nobody where nobody shares', async () => {
    const { governors, together, sent, send } = processes(1, { shared: undefined })
    await send(governors[0], comment)
    expect([sent.length, together.asked, governors[0]?.state.isShared]).toEqual([1, 0, false])
  })
})

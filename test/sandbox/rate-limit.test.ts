import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { type Clock, createClock } from './clock.ts'
import { createRateLimits, type RateLimits, type SecondaryMode, type Weight } from './rate-limit.ts'
import { type Sandbox, startSandbox } from './sandbox.ts'

const read: Weight = { bucket: 'core', points: 1, isContent: false }
const change: Weight = { bucket: 'core', points: 5, isContent: false }
const comment: Weight = { bucket: 'core', points: 5, isContent: true }
const query: Weight = { bucket: 'graphql', points: 1, isContent: false }
const mutation: Weight = { bucket: 'graphql', points: 5, isContent: false }

/** A clock that stands still unless it is moved. */
function stillClock(): Clock {
  let nowMs = Date.parse('2026-11-20T10:00:00Z')
  return {
    ...createClock(),
    epochMs: () => nowMs,
    advance: (ms) => {
      nowMs += ms
    },
  }
}

function limited(mode: SecondaryMode): { readonly clock: Clock; readonly limits: RateLimits } {
  const clock = stillClock()
  const limits = createRateLimits(clock, 15_000)
  limits.setSecondary(mode)
  return { clock, limits }
}

/** How many of these pass at once. */
const passing = (limits: RateLimits, weight: Weight): number => {
  let count = 0
  while (count < 5_000 && limits.weigh('app', weight) === undefined) count += 1
  return count
}

describe('the secondary limits of the sandbox', () => {
  it.each([
    { name: 'reads by REST', weight: read, most: 900 },
    { name: 'changes by REST', weight: change, most: 180 },
    { name: 'queries', weight: query, most: 2_000 },
    { name: 'mutations', weight: mutation, most: 400 },
    { name: 'comments', weight: comment, most: 80 },
  ])('let $most $name into a minute', ({ weight, most }) => {
    const { clock, limits } = limited('told')
    expect(passing(limits, weight)).toBe(most)
    expect(limits.weigh('app', weight)).toMatchObject({ retryAfter: 60 })
    expect(limits.weigh('another', weight)).toBeUndefined()
    clock.advance(59_000)
    expect(limits.weigh('app', weight)).toMatchObject({ retryAfter: 1 })
    clock.advance(1_000)
    expect(passing(limits, weight)).toBe(most)
  })

  it('let 500 comments into an hour, however they are spread, and say when the next one fits', () => {
    const { clock, limits } = limited('told')
    for (let count = 0; count < 500; count += 1) {
      expect(limits.weigh('app', comment)).toBeUndefined()
      clock.advance(1_000)
    }
    expect(limits.weigh('app', comment)).toEqual({ limit: 'content-hour', retryAfter: 3_100 })
    expect(limits.weigh('app', change)).toBeUndefined()
    clock.advance(3_100_000)
    expect(limits.weigh('app', comment)).toBeUndefined()
  })

  it('say nothing of when where they are silent, and nothing at all where they are off', () => {
    const silent = limited('silent').limits
    expect(passing(silent, comment)).toBe(80)
    expect(silent.weigh('app', comment)).toEqual({ limit: 'content-minute', retryAfter: null })
    expect(passing(limited('off').limits, comment)).toBe(5_000)
  })
})

describe('the secondary limits over HTTP', () => {
  let sandbox: Sandbox
  beforeAll(async () => {
    sandbox = await startSandbox({
      seed: {
        people: ['ann'],
        repositories: [{ name: 'ann/app', commits: [{ message: 'Begin', files: { 'a.txt': 'a' } }] }],
      },
    })
  })
  afterAll(() => sandbox.stop())
  afterEach(() => {
    sandbox.setSecondaryLimits('off')
    sandbox.clock.advance(3_600_000)
  })

  /** The status, `retry-after` and words of the first refusal. */
  async function firstRefusal(ask: () => Promise<unknown>): Promise<readonly unknown[]> {
    for (let count = 0; count < 2_100; count += 1) {
      try {
        await ask()
      } catch (error) {
        const { status, message, response } = error as {
          status: number
          message: string
          response: { headers: Record<string, string> }
        }
        return [count, status, response.headers['retry-after'] !== undefined, /secondary rate limit/.test(message)]
      }
    }
    return ['none']
  }
  const on = { owner: 'ann', repo: 'app' }

  it.each([
    { mode: 'told', isTold: true },
    { mode: 'silent', isTold: false },
  ] as const)('refuse the 81st issue of a minute, with or without retry-after: $mode', async ({ mode, isTold }) => {
    sandbox.setSecondaryLimits(mode)
    const { octokit } = sandbox.as('ann')
    const refusal = await firstRefusal(() => octokit.rest.issues.create({ ...on, title: 'x' }))
    expect(refusal).toEqual([80, 403, isTold, true])
    await expect(octokit.rest.repos.get(on)).resolves.toMatchObject({ status: 200 })
  })

  it('count a change by GraphQL as five, and apart from REST', async () => {
    sandbox.setSecondaryLimits('told')
    const { octokit } = sandbox.as('ann')
    const nothing = 'mutation { updateRef(input: { refId: "x", oid: "y" }) { clientMutationId } }'
    const refusal = await firstRefusal(() => octokit.graphql(nothing).catch(passOverAnswers))
    expect(refusal).toEqual([400, 403, true, true])
    await expect(octokit.rest.repos.get(on)).resolves.toMatchObject({ status: 200 })
  })

  /** What GraphQL answers with 200 was let in; only what was turned away at the door counts. */
  function passOverAnswers(error: unknown): void {
    if ((error as { name?: string }).name !== 'GraphqlResponseError') throw error
  }
})

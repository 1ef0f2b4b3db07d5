import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Governor, POINTS_PER_MINUTE } from '../../src/github/governor.ts'
import { redisBudget } from '../../src/github/redis-budget.ts'
import type { Claim, SharedBudget } from '../../src/github/shared-budget.ts'

const HAS_REDIS = spawnSync('redis-server', ['--version']).status === 0
/** A skipped test says nothing: where a change is judged by these, they have to run. */
if (!HAS_REDIS && process.env['RINGMASTER_TEST_REDIS'] === 'required')
  throw new Error('expected redis-server to be installed, found none')

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** A Redis of its own that keeps nothing on disk. */
async function startRedis(port: number): Promise<ChildProcess> {
  const redis = spawn('redis-server', [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
  ])
  for await (const chunk of redis.stdout) if (String(chunk).includes('Ready to accept connections')) break
  return redis
}

async function stopped(redis: ChildProcess | undefined): Promise<void> {
  if (!redis || redis.exitCode !== null || redis.signalCode !== null) return
  redis.kill('SIGKILL')
  await once(redis, 'exit')
}

const opened: SharedBudget[] = []
const lines: string[] = []
beforeEach(() => {
  lines.length = 0
})
afterEach(() => {
  for (const budget of opened.splice(0)) budget.close()
})

async function open(port: number, answerWithinMs = 5_000): Promise<SharedBudget> {
  const log = {
    info: (_data: unknown, message: string) => void lines.push(`info: ${message}`),
    error: (_data: unknown, message: string) => void lines.push(`error: ${message}`),
  }
  /** A busy machine is no trouble of Redis. */
  const budget = await redisBudget({ url: `redis://127.0.0.1:${port}`, log, answerWithinMs })
  opened.push(budget)
  return budget
}

/** Ten at once, and ten more evenly over the window. */
const claimOf = (
  name: string,
  amount: number,
  { needed = amount, windowMs = 3_600_000, known = 10, arrears = 0 } = {},
): Claim => ({
  name: `{test}:${name}`,
  limit: 20,
  windowMs,
  burst: 10,
  amount,
  needed,
  known,
  arrears,
})

/** How many milliseconds of the governors one of Redis lasts: what takes a minute takes three seconds. */
const LAPSE = 20
const lapsedMs = () => Date.now() * LAPSE

/** A process that creates content, and when each was granted: at some instant from its asking to its answer. */
function creating(budget: SharedBudget) {
  const granted: { readonly askedMs: number; readonly answeredMs: number }[] = []
  const governor = new Governor({
    nowMs: lapsedMs,
    timer: (milliseconds, run) => {
      const handle = setTimeout(run, milliseconds / LAPSE)
      return () => clearTimeout(handle)
    },
    processes: 2,
    pushesPerMinute: 6,
    pointsPerMinute: POINTS_PER_MINUTE,
    shared: {
      scope: '{test}:',
      budget: {
        ...budget,
        async claim(claims) {
          const askedMs = lapsedMs()
          const grant = await budget.claim(claims.map((claim) => ({ ...claim, windowMs: claim.windowMs / LAPSE })))
          if (grant?.isGranted) granted.push({ askedMs, answeredMs: lapsedMs() })
          return grant
        },
      },
    },
  })
  const url = '/repos/{owner}/{repo}/issues/{issue_number}/comments'
  const comment = { method: 'POST', url, owner: 'acme', repo: 'releases' }
  const create = (count: number) =>
    Promise.all(
      Array.from({ length: count }, () => governor.govern(comment, async () => ({ headers: {}, data: null }))),
    )
  return { governor, granted, create }
}

describe('a Redis that is not there', () => {
  it('is said once, and nobody waits for it', async () => {
    const budget = await open(await freePort())
    const startedMs = performance.now()
    for (let count = 0; count < 100; count += 1) expect(await budget.claim([claimOf('a', 1)])).toBeNull()
    expect(performance.now() - startedMs).toBeLessThan(2_000)
    expect(lines).toEqual([expect.stringMatching(/^error: Redis cannot be asked; each process keeps to an equal part/)])
  })
})

const there = HAS_REDIS ? describe : describe.skip
there('a Redis that is there', () => {
  let port: number
  let redis: ChildProcess
  beforeEach(async () => {
    port = await freePort()
    redis = await startRedis(port)
  })
  afterEach(() => stopped(redis))

  it('gives two processes no more together than there is', async () => {
    const [one, other] = [await open(port), await open(port)]
    const grants = await Promise.all(
      Array.from({ length: 40 }, (_, index) => (index % 2 ? one : other).claim([claimOf('a', 1)])),
    )
    expect(grants.filter((grant) => grant?.isGranted)).toHaveLength(10)
    expect(lines).toEqual([])
  })

  it('keeps two processes to the eighty comments of a minute together, and both get on', async () => {
    const [one, other] = [creating(await open(port)), creating(await open(port))]
    await Promise.all([one.create(60), other.create(60)])
    for (const { governor } of [one, other]) governor.close()
    const granted = [...one.granted, ...other.granted].toSorted((a, b) => a.askedMs - b.askedMs)
    const withinAMinute = granted.map(
      ({ askedMs }) =>
        granted.filter((later) => later.askedMs >= askedMs && later.answeredMs <= askedMs + 60_000).length,
    )
    expect(granted).toHaveLength(120)
    expect(Math.max(...withinAMinute)).toBeLessThanOrEqual(80)
    /** Neither has to wait until the other has had all of its sixty. */
    const first = granted.slice(0, 60)
    for (const { granted: own } of [one, other]) expect(first.some((grant) => own.includes(grant))).toBe(true)
    expect(lines).toEqual([])
  }, 60_000)

  it('fills up by the time of the server', async () => {
    const budget = await open(port)
    const inASecond = claimOf('a', 10, { windowMs: 1_000 })
    expect(await budget.claim([inASecond])).toMatchObject({ isGranted: true, levels: [0] })
    await sleep(1_100)
    expect(await budget.claim([inASecond])).toMatchObject({ isGranted: true, levels: [0] })
  })

  it('spends all claims together or none of them, and says how each stands', async () => {
    const budget = await open(port)
    expect(await budget.claim([claimOf('a', 4), claimOf('b', 9)])).toEqual({ isGranted: true, levels: [6, 1] })
    const refused = await budget.claim([claimOf('a', 4), claimOf('b', 9)])
    expect(refused?.isGranted).toBe(false)
    expect(refused?.levels.map(Math.round)).toEqual([6, 1])
  })

  it('leaves a share to others, books what is spent in any case, and only tells when it is asked for nothing', async () => {
    const budget = await open(port)
    expect(await budget.claim([claimOf('a', 7)])).toMatchObject({ isGranted: true })
    expect(await budget.claim([claimOf('a', 1, { needed: 6 })])).toMatchObject({ isGranted: false })
    expect(await budget.claim([claimOf('a', 5, { needed: -1_000_000 })])).toMatchObject({ isGranted: true })
    const looked = await budget.claim([claimOf('a', 0, { needed: -1_000_000 })])
    expect(looked?.levels[0]).toBeLessThan(0)
  })

  it('begins from what the asker knows where it knows nothing itself, as after it was emptied', async () => {
    const budget = await open(port)
    expect(await budget.claim([claimOf('a', 1, { known: 3 })])).toEqual({ isGranted: true, levels: [2] })
    const next = await budget.claim([claimOf('a', 1, { known: 10 })])
    expect(next?.levels.map(Math.round)).toEqual([1])
  })

  it('takes in what was spent without it, whatever is left, and grants on what remains', async () => {
    const budget = await open(port)
    expect(await budget.claim([claimOf('a', 1, { arrears: 8 })])).toEqual({ isGranted: true, levels: [1] })
    const refused = await budget.claim([claimOf('a', 1, { arrears: 5 })])
    expect(refused?.isGranted).toBe(false)
    expect(refused?.levels.map(Math.round)).toEqual([-4])
    const lowest = await budget.claim([claimOf('a', 0, { needed: -1_000_000, arrears: 500 })])
    expect(lowest?.levels.map(Math.round)).toEqual([-10])
  })

  it('is told of nothing that it would take in again and again, while it answers too late', async () => {
    const budget = await open(port, 1_000)
    redis.kill('SIGSTOP')
    expect(await budget.claim([claimOf('a', 1)])).toBeNull()
    await sleep(5_100)
    expect(await budget.claim([claimOf('a', 1, { arrears: 4 })])).toBeNull()
    redis.kill('SIGCONT')
    const other = await open(port)
    const looked = await other.claim([claimOf('a', 0)])
    expect(looked?.levels.map(Math.round)).toEqual([9])
  })

  it('says once that it is gone, and once that it is back', async () => {
    const budget = await open(port)
    expect(await budget.claim([claimOf('a', 1)])).not.toBeNull()
    await stopped(redis)
    expect(await budget.claim([claimOf('a', 1)])).toBeNull()
    expect(await budget.claim([claimOf('a', 1)])).toBeNull()
    redis = await startRedis(port)
    for (let waited = 0; waited < 120 && lines.length < 2; waited += 1) {
      await sleep(100)
      await budget.claim([claimOf('a', 1)])
    }
    expect(lines.map((line) => line.split(':')[0])).toEqual(['error', 'info'])
  }, 20_000)
})

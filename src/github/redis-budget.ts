import type { Log } from '../engine/ports.ts'
import type { Claim, Grant, SharedBudget } from './shared-budget.ts'

export interface RedisBudgetOptions {
  /** redis:// or rediss://, with the password where there is one. */
  readonly url: string
  readonly log: Log
  /** How long a request waits for Redis to answer, in milliseconds; half a second by default. */
  readonly answerWithinMs?: number
}

/** Everything of one claim happens at once, by the clock of the Redis server: the processes need not agree on the time. */
const SCRIPT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local levels = {}
local granted = 1
for i, key in ipairs(KEYS) do
  local burst = tonumber(ARGV[i * 7 - 6])
  local perMs = tonumber(ARGV[i * 7 - 5])
  local kept = redis.call('HMGET', key, 'level', 'at')
  local level = tonumber(ARGV[i * 7 - 2])
  if kept[1] then level = tonumber(kept[1]) + math.max(0, now - tonumber(kept[2])) * perMs end
  level = math.min(burst, level)
  levels[i] = math.min(level, math.max(-burst, level - tonumber(ARGV[i * 7 - 1])))
  if levels[i] < tonumber(ARGV[i * 7 - 4]) then granted = 0 end
end
local answer = { granted }
for i, key in ipairs(KEYS) do
  levels[i] = levels[i] - granted * tonumber(ARGV[i * 7 - 3])
  redis.call('HSET', key, 'level', tostring(levels[i]), 'at', now)
  redis.call('PEXPIRE', key, ARGV[i * 7])
  answer[i + 1] = tostring(levels[i])
end
return answer
`

const CONNECT_WITHIN_MS = 2_000
const ANSWER_WITHIN_MS = 500
/** A Redis that did not answer is not asked again for this long: requests must not wait for it one after the other. */
const REST_MS = 5_000

const argumentsOf = ({ limit, windowMs, burst, needed, amount, known, arrears }: Claim): (string | number)[] => [
  burst,
  (limit - burst) / windowMs,
  needed,
  amount,
  known,
  arrears,
  /** A full allowance need not be known; this one is full by then. */
  2 * windowMs,
]

/**
 * Allowances in a Redis, under names in one hash slot for each account. Connects in the background where it cannot at
 * once; says once that it cannot be asked, and once that it can again.
 */
export async function redisBudget({
  url,
  log,
  answerWithinMs = ANSWER_WITHIN_MS,
}: RedisBudgetOptions): Promise<SharedBudget> {
  /** Loaded only where it is used. */
  const { default: ioredis } = await import('ioredis')
  const redis = new ioredis.Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_WITHIN_MS,
    commandTimeout: answerWithinMs,
    disconnectTimeout: ANSWER_WITHIN_MS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => Math.min(30_000, 250 * 2 ** Math.min(times, 10)),
  })
  /** It is told where a claim fails. */
  redis.on('error', () => {})
  let isUp = true
  let restsUntilMs = 0
  await redis.connect().catch(() => {})

  async function ask(claims: readonly Claim[]): Promise<Grant> {
    const keys = claims.map(({ name }) => name)
    const [granted, ...levels] = (await redis.eval(SCRIPT, keys.length, ...keys, ...claims.flatMap(argumentsOf))) as [
      number,
      ...string[],
    ]
    return { isGranted: granted === 1, levels: levels.map(Number) }
  }

  return {
    async claim(claims) {
      if (performance.now() < restsUntilMs) return null
      try {
        /** One that takes a claim in and answers too late would be told of the same arrears again and again. */
        if (!isUp) await redis.ping()
        const grant = await ask(claims)
        if (!isUp) log.info({}, 'the limits are shared through Redis again')
        isUp = true
        return grant
      } catch (error) {
        restsUntilMs = performance.now() + REST_MS
        if (isUp) {
          log.error(
            { error: String(error) },
            'Redis cannot be asked; each process keeps to an equal part of the limits until it can',
          )
        }
        isUp = false
        return null
      }
    },
    close: () => redis.disconnect(),
  }
}

import { Intake, type IntakeOptions } from '../../src/app/intake.ts'
import { createUpkeep } from '../../src/app/upkeep.ts'
import type { GitHubApp } from '../../src/github/client.ts'
import type { Ledger } from '../../src/ledger/ledger.ts'
import { installation } from '../webhooks/payloads.ts'

export const HOUR_MS = 3_600_000
const AWAY_SINCE = Date.parse('2026-11-10T10:00:00Z')
export const BACK = Date.parse('2026-11-20T10:00:00Z')

interface UpkeepGiven {
  readonly sinceMs?: number
  readonly submit?: IntakeOptions['engine']['submit']
}

interface AskedFor {
  readonly owner?: string
  readonly repo?: string
  readonly since?: string
}

interface Listed {
  readonly id: number
  readonly full_name: string
  readonly pushed_at?: string
}

export const listed = (id: number, full_name: string, pushed_at = '2026-11-15T10:00:00Z'): Listed => ({
  id,
  full_name,
  pushed_at,
})
export const RELEASES = listed(1, 'acme/releases')
export const PLATFORM = listed(2, 'acme/platform')
/** No product of the configuration is in it. */
export const TOOLS = listed(3, 'acme/tools')
const QUIET = listed(4, 'acme/quiet', '2026-01-01T10:00:00Z')

const deliveryAt = (deliveredMs: number, id: number) => ({
  ...{ id, guid: `delivery-${id}`, event: 'workflow_run', action: 'completed', status_code: 502 },
  delivered_at: new Date(deliveredMs).toISOString(),
})

/**
 * What keeps the log of an App complete that comes back after a time, ten days when left out: what GitHub lists, what cannot
 * be read of it, and what was looked at.
 */
export function upkeepStage({ sinceMs = AWAY_SINCE, submit }: UpkeepGiven = {}) {
  let nowMs = BACK
  const gitHub = {
    listing: [RELEASES, PLATFORM, TOOLS, QUIET] as readonly Listed[],
    /** What is answered where a repository is asked for by its name, instead of what is listed; null: nothing is there. */
    byName: new Map<string, Listed | null>(),
    /** Routes, repositories, or a route of a repository, as `owner/name route`. */
    broken: new Set<string>(),
    /** When the deliveries were delivered that are listed; none of them is handed out. */
    deliveredMs: [] as readonly number[],
  }
  const held = new Map<string, Promise<void>>()
  const asked: string[] = []
  const looked = new Set<string>()
  const commentsHoursAgo: number[] = []
  const logged: string[] = []
  const failing = (status: number) => Object.assign(new Error('no'), { name: 'HttpError', status, response: {} })

  function answer(route: string, { owner, repo, since }: AskedFor): unknown {
    const name = `${owner}/${repo}`
    if ([route, name, `${name} ${route}`].some((what) => gitHub.broken.has(what))) throw failing(502)
    if (since !== undefined) commentsHoursAgo.push((nowMs - Date.parse(since)) / HOUR_MS)
    if (route === 'GET /installation/repositories') return gitHub.listing
    if (route === 'GET /app/hook/deliveries') return gitHub.deliveredMs.map(deliveryAt)
    if (route === 'GET /app/hook/deliveries/{delivery_id}') throw failing(404)
    if (route === 'GET /repos/{owner}/{repo}/installation') return { id: 7 }
    if (route === 'GET /repos/{owner}/{repo}') {
      const there = gitHub.byName.get(name)
      if (!there) throw failing(404)
      return there
    }
    if (route === 'GET /repos/{owner}/{repo}/git/ref/{ref}') throw failing(404)
    looked.add(name)
    return []
  }

  async function ask(route: string, given: object) {
    asked.push(route)
    await held.get(route)
    return { headers: { date: new Date(nowMs).toUTCString() }, data: answer(route, given) }
  }
  const paginate = Object.assign(async (route: string, given: object) => (await ask(route, given)).data, {
    async *iterator(route: string, given: object) {
      yield await ask(route, given)
    },
  })
  const octokit = { paginate, request: ask }
  const log = { info: () => {}, error: (_: object, message: string) => void logged.push(message) }
  const intake = new Intake({
    engine: { submit: submit ?? (async () => ({ kind: 'accept', answer: null })) },
    installation,
    log,
    refine: async (request) => request,
  })
  const away = new Date(sinceMs).toISOString()
  const upkeep = createUpkeep({
    app: { asApp: octokit, forRepository: async () => octokit } as unknown as GitHubApp,
    ledger: {
      view: async () => ({ head: { seq: 9 }, state: async () => ({ until: away, swept: away }) }),
    } as unknown as Ledger,
    intake,
    releaseRepository: 'acme/releases',
    releaseRepositoryId: RELEASES.id,
    configured: async () => ['acme/platform'],
    clock: () => new Date(nowMs).toISOString(),
    log,
  })
  return {
    gitHub,
    intake,
    upkeep,
    logged,
    /** How many hours before each look the comments were looked up from. */
    commentsHoursAgo,
    passHours(hours: number): void {
      nowMs += hours * HOUR_MS
    },
    timesAsked: (route: string) => asked.filter((one) => one === route).length,
    /** Lets no answer to a route come before what it returns is called. */
    hold(route: string): () => void {
      let release = () => {}
      held.set(
        route,
        new Promise((resolve) => {
          release = () => {
            held.delete(route)
            resolve()
          }
        }),
      )
      return () => release()
    },
    /** What is looked at in the first look of the start, or in one so many hours later. */
    async look(hours: number | 'start'): Promise<string[]> {
      looked.clear()
      if (hours === 'start') await upkeep.begin()
      else {
        nowMs += hours * HOUR_MS
        await upkeep.tick()
      }
      await upkeep.idle()
      return [...looked].toSorted()
    },
    isHeld: () => intake.deliveries.markMs < AWAY_SINCE + HOUR_MS,
    sweptHoursAgo: () => {
      const [{ data } = { data: {} }] = intake.deliveries.bookkeeping() as readonly { data: { swept?: string } }[]
      return Math.round((nowMs - Date.parse(data.swept ?? '')) / HOUR_MS)
    },
  }
}

import { describe, expect, it } from '@jest/globals'
import { Intake } from '../../src/app/intake.ts'
import { createUpkeep } from '../../src/app/upkeep.ts'
import type { GitHubApp } from '../../src/github/client.ts'
import type { Ledger } from '../../src/ledger/ledger.ts'
import { installation } from '../webhooks/payloads.ts'

const HOUR_MS = 3_600_000
const AWAY_SINCE = Date.parse('2026-11-10T10:00:00Z')
const BACK = Date.parse('2026-11-20T10:00:00Z')

interface Listed {
  readonly id: number
  readonly full_name: string
  readonly pushed_at?: string
}

const listed = (id: number, full_name: string, pushed_at = '2026-11-15T10:00:00Z'): Listed => ({
  id,
  full_name,
  pushed_at,
})
const RELEASES = listed(1, 'acme/releases')
const PLATFORM = listed(2, 'acme/platform')
/** No product of the configuration is in it. */
const TOOLS = listed(3, 'acme/tools')
const QUIET = listed(4, 'acme/quiet', '2026-01-01T10:00:00Z')

/** An App that comes back after ten days: what GitHub lists, what cannot be read of it, and what was looked at. */
function stage() {
  let nowMs = BACK
  const gitHub = {
    listing: [RELEASES, PLATFORM, TOOLS, QUIET] as readonly Listed[],
    /** What is answered where a repository is asked for by its name, instead of what is listed; null: nothing is there. */
    byName: new Map<string, Listed | null>(),
    broken: new Set<string>(),
  }
  const looked = new Set<string>()
  const logged: string[] = []
  const failing = (status: number) => Object.assign(new Error('no'), { name: 'HttpError', status, response: {} })

  function answer(route: string, { owner, repo }: { readonly owner?: string; readonly repo?: string }): unknown {
    const name = `${owner}/${repo}`
    if (gitHub.broken.has(route) || gitHub.broken.has(name)) throw failing(502)
    if (route === 'GET /installation/repositories') return gitHub.listing
    if (route === 'GET /app/hook/deliveries') return []
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

  const paginate = Object.assign(async (route: string, given: object) => answer(route, given), {
    async *iterator(route: string, given: object) {
      yield { headers: { date: new Date(nowMs).toUTCString() }, data: answer(route, given) }
    },
  })
  const octokit = { paginate, request: async (route: string, given: object) => ({ data: answer(route, given) }) }
  const log = { info: () => {}, error: (_: object, message: string) => void logged.push(message) }
  const intake = new Intake({
    engine: { submit: async () => ({ kind: 'accept', answer: null }) },
    installation,
    log,
    refine: async (request) => request,
  })
  const away = new Date(AWAY_SINCE).toISOString()
  const upkeep = createUpkeep({
    app: { asApp: octokit, forRepository: async () => octokit } as unknown as GitHubApp,
    ledger: {
      view: async () => ({ head: { seq: 9 }, state: async () => ({ until: away, swept: away }) }),
    } as unknown as Ledger,
    intake,
    releaseRepository: 'acme/releases',
    configured: async () => ['acme/platform'],
    clock: () => new Date(nowMs).toISOString(),
    log,
  })
  return {
    gitHub,
    logged,
    /** What is looked at in the first look of the start, or in one so many hours later. */
    async look(hours: number | 'start'): Promise<string[]> {
      looked.clear()
      if (hours === 'start') await upkeep.begin()
      else {
        nowMs += hours * HOUR_MS
        await upkeep.tick()
      }
      return [...looked].toSorted()
    },
    isHeld: () => intake.markMs < AWAY_SINCE + HOUR_MS,
    sweptHoursAgo: () => {
      const [{ data } = { data: {} }] = intake.bookkeeping() as readonly { data: { swept?: string } }[]
      return Math.round((nowMs - Date.parse(data.swept ?? '')) / HOUR_MS)
    },
  }
}

const EVERY_CHANGED = ['acme/platform', 'acme/releases', 'acme/tools']
const CONFIGURED = ['acme/platform', 'acme/releases']

describe('a repository that could not be looked up after an outage', () => {
  async function owing() {
    const on = stage()
    on.gitHub.broken.add('acme/tools')
    expect(await on.look('start')).toEqual(CONFIGURED)
    expect(on.isHeld()).toBe(true)
    return on
  }

  it('is looked up at each sweep until it can be, though no product is configured in it, and holds the mark as long', async () => {
    const on = await owing()
    await on.look(1)
    expect([on.isHeld(), on.sweptHoursAgo() > 200]).toEqual([true, true])
    on.gitHub.broken.clear()
    expect(await on.look(1)).toEqual(EVERY_CHANGED)
    expect([on.isHeld(), on.sweptHoursAgo()]).toEqual([false, 0])
    expect(await on.look(1)).toEqual(CONFIGURED)
  })

  it('is looked up by the name that it has now', async () => {
    const on = await owing()
    on.gitHub.listing = [RELEASES, PLATFORM, { ...TOOLS, full_name: 'acme/utensils' }]
    expect(await on.look(1)).toEqual([...CONFIGURED, 'acme/utensils'])
    expect(on.isHeld()).toBe(false)
  })

  it.each([
    ['is nowhere any more', null],
    ['has left its name to another one', listed(9, 'acme/tools')],
  ])('is let go when it %s, and that is told', async (_, there) => {
    const on = await owing()
    on.gitHub.broken.clear()
    on.gitHub.listing = [RELEASES, PLATFORM]
    on.gitHub.byName.set('acme/tools', there)
    expect(await on.look(1)).toEqual(CONFIGURED)
    expect(on.isHeld()).toBe(false)
    expect(on.logged.at(-1)).toBe('a repository is gone before it could be looked up; it is let go')
  })

  it('is not let go while nobody can say whether it is there, nor where a list only left it out', async () => {
    const on = await owing()
    on.gitHub.listing = [RELEASES, PLATFORM]
    expect(await on.look(1)).toEqual(CONFIGURED)
    expect(on.isHeld()).toBe(true)
    on.gitHub.broken.clear()
    on.gitHub.byName.set('acme/tools', TOOLS)
    expect(await on.look(1)).toEqual(EVERY_CHANGED)
    expect(on.isHeld()).toBe(false)
  })
})

it.each(['GET /installation/repositories', 'GET /repos/{owner}/{repo}/installation'])(
  'after an outage everything that changed is looked up, also when the first attempt fails at %s',
  async (route) => {
    const on = stage()
    on.gitHub.broken.add(route)
    expect(await on.look('start')).toEqual([])
    expect(on.isHeld()).toBe(true)
    on.gitHub.broken.clear()
    expect(await on.look(1 / 60)).toEqual(EVERY_CHANGED)
    expect(on.isHeld()).toBe(false)
    expect(await on.look(1)).toEqual(CONFIGURED)
  },
)

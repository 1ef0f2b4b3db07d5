import { describe, expect, it } from '@jest/globals'
import { BACK, HOUR_MS, listed, PLATFORM, RELEASES, TOOLS, upkeepStage } from './upkeep-stage.ts'

const EVERY_CHANGED = ['acme/platform', 'acme/releases', 'acme/tools']
const CONFIGURED = ['acme/platform', 'acme/releases']

describe('a repository that could not be looked up after an outage', () => {
  async function owing() {
    const on = upkeepStage()
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

describe('the release repository', () => {
  const RENAMED = { ...RELEASES, full_name: 'acme/shipping' }

  it('is looked up as such by whatever name it has now', async () => {
    const on = upkeepStage()
    on.gitHub.listing = [RENAMED, PLATFORM]
    expect(await on.look('start')).toEqual(['acme/platform', 'acme/shipping'])
    expect(on.commentsHoursAgo).toHaveLength(1)
  })

  it('is never left out unseen: without it nothing counts as looked up', async () => {
    const on = upkeepStage()
    on.gitHub.listing = [PLATFORM]
    await on.look('start')
    expect([on.isHeld(), on.logged.at(-1)]).toEqual([
      true,
      'the repositories could not be listed; they are looked up at the next sweep',
    ])
  })
})

describe('a kind of fact that cannot be looked up in a repository', () => {
  const DEPLOYMENTS = 'GET /repos/{owner}/{repo}/deployments'

  it('is looked up again from the same instant, and nothing that does not depend on it', async () => {
    const on = upkeepStage()
    on.gitHub.broken.add(`acme/releases ${DEPLOYMENTS}`)
    await on.look('start')
    await on.look(1)
    expect(on.commentsHoursAgo).toEqual([240.25, 1.25])
    expect(on.isHeld()).toBe(true)
    on.gitHub.broken.clear()
    await on.look(1)
    expect(on.isHeld()).toBe(false)
  })

  it('holds the mark for no longer than three days, which is told once, and is looked up all the same', async () => {
    const on = upkeepStage()
    on.gitHub.broken.add(`acme/releases ${DEPLOYMENTS}`)
    await on.look('start')
    const held: boolean[] = []
    for (const hours of [24, 24, 24, 24]) {
      await on.look(hours)
      held.push(on.isHeld())
    }
    expect([held, on.sweptHoursAgo()]).toEqual([[true, true, false, false], 0])
    expect(on.logged.filter((line) => line.includes('hold the mark no longer'))).toHaveLength(1)
    const asked = on.timesAsked(DEPLOYMENTS)
    await on.look(1)
    expect(on.timesAsked(DEPLOYMENTS)).toBe(asked + 2)
  })
})

it.each(['GET /installation/repositories', 'GET /repos/{owner}/{repo}/installation'])(
  'after an outage everything that changed is looked up, also when the first attempt fails at %s',
  async (route) => {
    const on = upkeepStage()
    on.gitHub.broken.add(route)
    expect(await on.look('start')).toEqual([])
    expect(on.isHeld()).toBe(true)
    on.gitHub.broken.clear()
    expect(await on.look(1 / 60)).toEqual(EVERY_CHANGED)
    expect(on.isHeld()).toBe(false)
    expect(await on.look(1)).toEqual(CONFIGURED)
  },
)

it('what a delivery told that GitHub does not hand out any more is looked up, and holds the mark until then', async () => {
  const on = upkeepStage({ sinceMs: BACK - HOUR_MS / 2 })
  const deliveredMs = BACK - HOUR_MS / 4
  on.gitHub.deliveredMs = [deliveredMs]
  on.gitHub.listing = [RELEASES, PLATFORM, { ...TOOLS, pushed_at: new Date(BACK).toISOString() }]
  on.gitHub.broken.add('GET /installation/repositories')
  expect(await on.look('start')).toEqual([])
  expect(on.intake.deliveries.markMs).toBe(deliveredMs)
  on.gitHub.broken.clear()
  expect(await on.look(1 / 60)).toEqual(EVERY_CHANGED)
  expect(on.intake.deliveries.markMs).toBe(BACK)
  expect(await on.look(1 / 60)).toEqual([])
})

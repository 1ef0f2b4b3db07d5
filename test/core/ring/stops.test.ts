import { describe, expect, it } from '@jest/globals'
import type { EventData } from '../../../src/core/catalogue.ts'
import type { Request } from '../../../src/core/request.ts'
import { OVERRIDABLE } from '../../../src/core/ring/release-blockers.ts'
import { BLOCKER_CODES, type GateState, gateKeyOf } from '../../../src/core/ring/schema.ts'
import {
  ANN,
  API_ITEM,
  asked,
  BOB,
  build,
  configuredWorld,
  event,
  givenRelease,
  minute,
  PLATFORM,
  recorded,
  sha,
  type World,
} from '../decided.ts'

const RUN = 77

/** A release that is signed off, and whose version is good in the ring before. */
function ready(signoff: 'approved' | 'pending' = 'approved'): World {
  const world = configuredWorld()
  world.ask(build())
  world.ask(recorded({ environment: 'beta' }))
  givenRelease(world, { signoff, ...(signoff === 'pending' ? { missing: 'QA' } : {}) })
  return world
}

/** A gate of production as it is decided at an instant. */
function gateAt(world: World, at: string, runId = RUN): GateState {
  const key = gateKeyOf(PLATFORM.id, runId, 'production')
  const requested: Request = {
    kind: 'gate-requested',
    repository: PLATFORM,
    runId,
    environment: 'production',
    deploymentId: 9_000 + runId,
    sha: sha('a1'),
    ref: 'main',
    installationId: 1,
    ...asked,
    at,
  }
  world.ask(requested)
  world.ask({ kind: 'gate-review', gate: key, ...asked, at })
  const gate = world.state<GateState>(key)
  if (!gate) throw new Error('expected a gate')
  return gate
}

const codes = (gate: GateState): string[] => gate.blockers.map((blocker) => blocker.code)

const askedFor = (more: Partial<EventData<'override.asked'>> = {}) =>
  event('override.asked', {
    release: 'r5',
    override: '1/0',
    environment: 'production',
    reason: 'customers wait',
    expiresAt: minute(60),
    ...more,
  })
const confirmed = (until = minute(240)) =>
  event('override.confirmed', { release: 'r5', override: '1/0', expiresAt: until }, { actor: BOB })

describe('an override', () => {
  it('lets pass what people decide once a second person has confirmed it', () => {
    const world = ready('pending')
    world.record([askedFor()])
    expect(codes(gateAt(world, minute(1)))).toEqual(['signoff-pending'])
    world.record([confirmed()])
    const gate = gateAt(world, minute(2))
    expect(gate).toMatchObject({ verdict: 'approved', overridden: true, releases: ['r5'] })
    expect(world.log.at(-1)?.data).toMatchObject({
      overrides: [{ release: 'r5', override: '1/0', codes: ['signoff-pending'] }],
    })
  })

  it('marks what is deployed through it', () => {
    const world = ready('pending')
    world.record([askedFor(), confirmed()])
    gateAt(world, minute(2))
    const found = world.ask(
      recorded({ environment: 'production', status: 'started', statusId: 9_500, run: { id: RUN, attempt: 1 } }),
    )
    expect(found.events[0]?.data).toMatchObject({ authorisation: 'override' })
  })

  it.each([
    ['has run out', minute(240), confirmed()],
    ['was never confirmed', minute(2), askedFor({ override: '2/0' })],
  ])('that %s lets nothing pass', (_name, at, last) => {
    const world = ready('pending')
    world.record([askedFor(), last])
    expect(codes(gateAt(world, at))).toEqual(['signoff-pending'])
  })

  it('lets nothing of another composition pass than the one it was confirmed for', () => {
    const world = ready('pending')
    world.record([askedFor(), confirmed()])
    world.record([event('release.version_removed', { release: 'r5', product: 'web' }, { at: minute(3) })])
    expect(codes(gateAt(world, minute(4)))).toEqual(['signoff-pending'])
  })

  it('of another environment lets nothing pass', () => {
    const world = ready('pending')
    world.record([askedFor({ environment: 'beta' }), confirmed()])
    expect(codes(gateAt(world, minute(2)))).toEqual(['signoff-pending'])
  })

  it('is not used where nothing stands against the version', () => {
    const world = ready()
    world.record([askedFor(), confirmed()])
    const gate = gateAt(world, minute(2))
    expect(gate.verdict).toBe('approved')
    expect(gate.overridden).toBeUndefined()
  })

  it('never makes a version known, of its commit or finished', () => {
    const kept = BLOCKER_CODES.filter((code) => !OVERRIDABLE.includes(code))
    expect(kept).toEqual([
      'not-configured',
      'intent-unknown',
      'version-unknown',
      'build-unfinished',
      'wrong-repository',
      'wrong-commit',
      'claimed-only',
      'not-in-a-release',
      'release-not-started',
      'deployment-running',
    ])
    const world = ready()
    world.record([askedFor(), confirmed()])
    world.ask(
      recorded({ environment: 'production', status: 'pending', run: { id: RUN, attempt: 1 }, version: '9.9.9' }),
    )
    expect(codes(gateAt(world, minute(2)))).toContain('version-unknown')
  })
})

describe('a freeze', () => {
  const freeze = (environment: string) => event('environment.frozen', { environment, reason: 'holidays' })
  const except = (environment: string, release = 'r5') =>
    event('freeze.excepted', { release, environment, reason: 'a fix for everybody' })

  it.each([
    ['its environment', 'production', []],
    ['every environment', '*', []],
    ['another environment', 'beta', null],
  ])('of %s %s', (_name, environment, shut) => {
    const world = ready()
    world.record([freeze(environment)])
    expect(codes(gateAt(world, minute(1)))).toEqual(shut === null ? [] : ['frozen'])
  })

  it('lets the excepted release in and no other, until it is lifted and comes again', () => {
    const world = ready()
    world.record([freeze('production'), except('production', 'r6')])
    expect(codes(gateAt(world, minute(1)))).toEqual(['frozen'])
    world.record([except('production')])
    expect(gateAt(world, minute(2)).verdict).toBe('approved')
    world.record([event('environment.unfrozen', { environment: 'production' }), freeze('production')])
    expect(codes(gateAt(world, minute(3), 78))).toEqual(['frozen'])
  })

  it('of everything is not lifted by an exception for one environment', () => {
    const world = ready()
    world.record([freeze('production'), freeze('*'), except('production')])
    const { blockers } = gateAt(world, minute(1))
    expect(blockers.map(({ code, message }) => [code, /^every environment/.test(message)])).toEqual([['frozen', true]])
  })
})

describe('a stopped release', () => {
  it('keeps its versions out of rings without rules too', () => {
    const world = ready()
    world.record([event('release.held', { release: 'r5', reason: 'wait' })])
    const key = gateKeyOf(PLATFORM.id, RUN, 'integration')
    const request = { repository: PLATFORM, runId: RUN, environment: 'integration', deploymentId: 1, sha: sha('a1') }
    world.ask({ kind: 'gate-requested', ...request, ref: 'main', installationId: 1, ...asked })
    world.ask({ kind: 'gate-review', gate: key, ...asked })
    expect(codes(world.state<GateState>(key) as GateState)).toEqual(['held'])
  })

  it('does not keep out what another signed-off release holds', () => {
    const world = ready()
    givenRelease(world, { issue: 6, items: [API_ITEM], signoff: 'approved' })
    world.record([event('release.held', { release: 'r5', reason: 'wait' })])
    expect(gateAt(world, minute(1))).toMatchObject({ verdict: 'approved', releases: ['r6'] })
  })

  it('goes on when the hold is lifted', () => {
    const world = ready()
    world.record([event('release.held', { release: 'r5', reason: 'wait' }, { actor: ANN })])
    expect(codes(gateAt(world, minute(1)))).toEqual(['held'])
    world.record([event('release.unheld', { release: 'r5' })])
    expect(gateAt(world, minute(2)).verdict).toBe('approved')
  })

  it('opens with its window', () => {
    const world = ready()
    world.record([event('release.set', { release: 'r5', key: 'window', value: `${minute(10)}/${minute(20)}` })])
    expect(codes(gateAt(world, minute(9)))).toEqual(['outside-window'])
    expect(gateAt(world, minute(10)).verdict).toBe('approved')
    expect(codes(gateAt(world, minute(20), 78))).toEqual(['outside-window'])
  })
})

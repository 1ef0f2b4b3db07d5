import { describe, expect, it } from '@jest/globals'
import { checkChannel } from '../../../src/core/cohort/channel.ts'
import { Bundle, Channel } from '../../../src/core/cohort/schema.ts'
import {
  BUNDLES_KEY,
  bundlesDocument,
  COHORTS_KEY,
  type CohortState,
  cohortKey,
} from '../../../src/core/cohort/state.ts'
import { sha256 } from '../../../src/core/json.ts'
import type { Request } from '../../../src/core/request.ts'
import {
  ANN,
  asked,
  type BuildGiven,
  build,
  configuredWorld,
  EDGE,
  event,
  minute,
  recorded,
  sha,
  World,
} from '../decided.ts'
import { say, withPeople } from './channel-world.ts'

/** Production without a gate: what completes there is good. */
const ungated = (text: string) => text.replace(/ {4}gate: .*\n/, '')
const ARTIFACT = { name: 'fw', size: 3, sha256: 'a'.repeat(64), url: 'https://example.test/fw' }

function shipped(given: {
  readonly version?: string
  readonly build?: BuildGiven
  readonly deployment?: Parameters<typeof recorded>[0]
  readonly bend?: (text: string) => string
  readonly world?: World
}): World {
  const { version = '1.0.0', bend = (text: string) => text } = given
  const world = given.world ?? configuredWorld((text) => bend(ungated(text)))
  const of = { product: 'firmware', version }
  world.ask(
    build({ repository: EDGE, ...given.build, record: { artifacts: [ARTIFACT], ...of, ...given.build?.record } }),
  )
  const statusId = world.log.length
  world.ask(
    recorded({
      repository: EDGE,
      environment: 'production',
      ...of,
      statusId,
      at: minute(statusId),
      ...given.deployment,
    }),
  )
  return world
}
const reached = (world: World, version = '1.0.0', environment = 'production', at = minute(30)) =>
  world.ask({ kind: 'ring-reached', product: 'firmware', version, environment, ...asked, at })
const cohortOf = (world: World) => world.state<CohortState>(cohortKey('fleet'))

describe('a version that reaches a ring with cohorts', () => {
  it('is offered to a hundred cohorts as it is to one', () => {
    const ids = Array.from({ length: 100 }, (_, index) => `fleet-${index}`)
    const bend = (text: string) =>
      text
        .replace('cohorts: [fleet]', `cohorts: [${ids.join(', ')}]`)
        .replace(
          '  - id: fleet\n    product: firmware\n',
          ids.map((id) => `  - { id: ${id}, product: firmware }\n`).join(''),
        )
    expect(reached(shipped({ bend })).types).toHaveLength(100)
  })

  it('is offered with what its build says to installers and customers', () => {
    const artifact = { ...ARTIFACT, customMetadata: { installer: 'fwup' } }
    const world = shipped({ build: { record: { artifacts: [artifact], customerAction: 'Charge the battery.' } } })
    reached(world)
    expect(Bundle.parse(cohortOf(world)?.bundles[0])).toMatchObject({
      artifacts: [{ ...artifact, target: 'portable' }],
      customerAction: 'Charge the battery.',
    })
  })

  it('is offered to each of them as the latest release of its channel', () => {
    const world = shipped({})
    expect(reached(world).types).toEqual(['channel.released'])
    expect(cohortOf(world)).toMatchObject({
      id: 'fleet',
      product: 'firmware',
      bundles: [{ id: 'firmware@1.0.0', artifacts: [{ ...ARTIFACT, target: 'portable' }] }],
      releases: [
        {
          id: 'firmware@1.0.0',
          version: '1.0.0',
          requirement: '< 1.0.0',
          next: null,
          required: false,
          schedule: minute(30),
        },
      ],
      published: null,
    })
    expect(world.state(COHORTS_KEY)).toEqual({ cohorts: ['fleet'] })
  })

  it('is offered once, however often it is reached', () => {
    const world = shipped({})
    reached(world)
    expect(reached(world, '1.0.0', 'production', minute(40)).events).toEqual([])
  })

  it('comes after the one before, in a channel that keeps its rules', () => {
    const world = shipped({})
    reached(world)
    shipped({
      version: '1.1.0',
      build: { sha: sha('b2') },
      deployment: { sha: sha('b2'), run: { id: 8, attempt: 1 } },
      world,
    })
    reached(world, '1.1.0', 'production', minute(50))
    const channel = Channel.parse({ cohort: 'fleet', releases: cohortOf(world)?.releases })
    expect(channel.releases.map(({ id, next }) => [id, next])).toEqual([
      ['firmware@1.0.0', 'firmware@1.1.0'],
      ['firmware@1.1.0', null],
    ])
    expect(checkChannel(channel, minute(55)).ok).toBe(true)
  })

  describe('is played over the devices that are known', () => {
    const entries = Array.from({ length: 12 }, (_, at) => ({ pseudonym: `d${at}`, epoch: 1, tags: [] }))
    /** Everybody runs 1.1.0, and 1.0.5 reaches the ring after it. */
    const backwards = (): World => {
      const world = shipped({ version: '1.1.0' })
      reached(world, '1.1.0')
      const onIt = { release: 'firmware@1.1.0', version: '1.1.0' }
      const reports = new Map(entries.map(({ pseudonym }) => [pseudonym, onIt]))
      world.fleet = { ...world.fleet, roster: { epoch: 1, entries }, reports }
      const next = { sha: sha('b2'), run: { id: 8, attempt: 1 } }
      return shipped({ version: '1.0.5', build: { sha: next.sha }, deployment: next, world })
    }
    const latest = (world: World) => cohortOf(world)?.releases.at(-1)

    it('and open to everybody where it hurts none, with what it does', () => {
      const world = shipped({})
      world.fleet = { ...world.fleet, roster: { epoch: 1, entries } }
      const found = reached(world)
      expect(found.types).toEqual(['channel.released'])
      expect(found.events[0]?.data).toMatchObject({ effect: { enrolled: 12, downgrades: 0, stranded: 0 } })
      expect(latest(world)?.phase).toEqual({ kind: 'everybody' })
    })

    it('and open to nobody where it leaves them behind, with an alarm that says so', () => {
      const world = backwards()
      const found = reached(world, '1.0.5', 'production', minute(50))
      expect(found.types).toEqual(['channel.released', 'alarm.raised'])
      expect(found.events[0]?.data).toMatchObject({ effect: { stranded: 12 } })
      expect(JSON.stringify(found.events[1]?.data)).toContain('devices-stranded')
      expect(latest(world)).toMatchObject({ version: '1.0.5', phase: { kind: 'share', share: '0' } })
      expect(reached(world, '1.0.5', 'production', minute(55)).events).toEqual([])
    })

    it.each([
      '/phase fleet latest share 0.5 --accept-risk',
      '/disable fleet latest "goes back" --accept-risk',
      '/withdraw fleet latest 1.1.0 "goes back" --accept-risk',
    ])('until somebody has decided: %s', (text) => {
      const world = withPeople(backwards())
      reached(world, '1.0.5', 'production', minute(50))
      const found = say(world, text, ANN, minute(51))
      expect(found.refusals).toEqual([])
      expect(found.types).toContain('alarm.cleared')
      expect(say(world, '/halt fleet latest "wait"', ANN, minute(52)).types).not.toContain('alarm.cleared')
    })

    it('and open to nobody where nobody can tell', () => {
      const world = shipped({})
      world.fleetIsAway = true
      const found = reached(world)
      expect(found.types).toEqual(['channel.released', 'alarm.raised'])
      expect(found.events[0]?.data).toMatchObject({ effect: null })
      expect(latest(world)?.phase).toEqual({ kind: 'share', share: '0' })
    })
  })

  it.each([
    ['', '"~> 0.9 or == 0.5.0"', '~> 0.9 and < 1.0.0 or == 0.5.0 and < 1.0.0'],
    ['', '">= 0.9.0"', '>= 0.9.0 and < 1.0.0'],
    ['npm', '"^0.9 || 0.5.x"', '^0.9 < 1.0.0 || 0.5.x < 1.0.0'],
    ['npm', '"0.5.0 - 0.9.0"', '0.5.0 - 0.9.0'],
  ])('takes the requirement of its cohort, below itself: %s %s', (dialect, asked, expected) => {
    const dialectLine = dialect === '' ? '' : `    requirementDialect: ${dialect}\n`
    const bend = (text: string) =>
      text.replace('product: firmware\n', `product: firmware\n${dialectLine}    requirement: ${asked}\n`)
    const world = shipped({ bend })
    const found = reached(world)
    expect(cohortOf(world)?.releases[0]?.requirement).toBe(expected)
    expect(found.types).toEqual(['channel.released'])
  })

  it.each(['1.0.0+build.5', '2.0.0-rc.1', '1.2.3-rc.1+5'])('%s is a version that a channel understands', (version) => {
    const world = shipped({ version })
    reached(world, version)
    expect(Channel.safeParse({ cohort: 'fleet', releases: cohortOf(world)?.releases }).success).toBe(true)
  })

  it.each(['2026-01-15', 'nightly', '1.0'])('%s has no order: it is found by its place in the channel', (version) => {
    const world = shipped({ version })
    reached(world, version)
    expect(cohortOf(world)?.releases[0]).not.toHaveProperty('requirement')
    expect(cohortOf(world)?.releases[0]).not.toHaveProperty('version')
  })

  it.each<[string, () => World, string?, string?]>([
    ['no configuration is in force', () => new World()],
    ['it has nothing that devices could install', () => shipped({ build: { record: { artifacts: [] } } })],
    ['it failed there', () => shipped({ deployment: { status: 'failed' } })],
    ['it only started there', () => shipped({ deployment: { status: 'started' } })],
    ['its build is known by what somebody said alone', () => shipped({ build: { trust: 'claimed' } })],
    [
      'its deployment is known by what somebody said alone',
      () => shipped({ deployment: { trust: 'claimed', byActions: false } }),
    ],
    ['another version is the good one', () => shipped({}), '0.9.0'],
    ['the ring serves no cohort', () => shipped({ deployment: { environment: 'beta' } }), '1.0.0', 'beta'],
    ['no ring names the environment', () => shipped({ deployment: { environment: 'laptop' } }), '1.0.0', 'laptop'],
    [
      'another environment of the ring has not got it',
      () =>
        shipped({
          bend: (text) =>
            text.replace('environments: [production]\n    cohorts', 'environments: [production, europe]\n    cohorts'),
        }),
    ],
    ['it went past the gate of the ring', () => shipped({ world: configuredWorld() })],
  ])('is not offered when %s', (...[, world, version, environment]) => {
    expect(reached(world(), version, environment).events).toEqual([])
  })
})

describe('signed bundles', () => {
  type Signed = Extract<Request, { kind: 'bundles-signed' }>
  const signed = (version: number, document: string, isVerified = true): Signed => ({
    kind: 'bundles-signed',
    document,
    version,
    bundles: ['firmware@1.0.0'],
    isVerified,
    ...asked,
  })

  it('are taken when they are newer, with their document', () => {
    const world = new World()
    expect(world.ask(signed(1, 'one')).types).toEqual(['bundles.signed'])
    expect(world.ask(signed(2, 'two')).types).toEqual(['bundles.signed'])
    expect(world.state(BUNDLES_KEY)).toEqual({ version: 2, digest: sha256('two'), bundles: ['firmware@1.0.0'] })
    expect(world.documents.get(bundlesDocument(sha256('two')))).toBe('two')
  })

  it.each<[string, Signed, string | null]>([
    ['with other signatures', signed(3, 'three', false), 'bundles-unsigned'],
    ['again', signed(2, 'two'), null],
    ['older', signed(1, 'one'), 'bundles-older'],
    ['of the same version with another content', signed(2, 'other'), 'bundles-older'],
  ])('change nothing when they come %s', (...[, request, code]) => {
    const world = new World()
    world.ask(signed(2, 'two'))
    expect(world.ask(request)).toMatchObject({ events: [], codes: code === null ? [] : [code] })
    expect(world.state(BUNDLES_KEY)).toMatchObject({ version: 2, digest: sha256('two') })
  })
})

describe('a manifest that was published', () => {
  const published = (digest: string, cohort = 'fleet'): Request => ({
    kind: 'manifest-published',
    cohort,
    digest: sha256(digest),
    address: 'https://example.test/fleet.json',
    ...asked,
  })

  it('is known by its cohort, once', () => {
    const world = shipped({})
    reached(world)
    expect(world.ask(published('one')).types).toEqual(['manifest.published'])
    expect(world.ask(published('one')).events).toEqual([])
    expect(cohortOf(world)?.published).toMatchObject({ digest: sha256('one') })
  })

  it('of a cohort that nobody knows comes to nothing', () => {
    expect(new World().ask(published('one')).events).toEqual([])
  })
})

describe('a channel release that is in the log twice', () => {
  it('stands in the channel once', () => {
    const world = shipped({})
    const first = reached(world).events[0]
    if (!first) throw new Error('expected an event')
    const data = first.data as Parameters<typeof event<'channel.released'>>[1]
    const before = cohortOf(world)
    world.record([event('channel.released', data)])
    expect(cohortOf(world)).toEqual(before)
  })
})

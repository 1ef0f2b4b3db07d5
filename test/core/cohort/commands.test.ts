import { describe, expect, it } from '@jest/globals'
import { bucketOf } from '../../../src/core/cohort/bucket.ts'
import { checkChannel } from '../../../src/core/cohort/channel.ts'
import { Channel, type ChannelRelease } from '../../../src/core/cohort/schema.ts'
import type { Actor } from '../../../src/core/event.ts'
import type { Request } from '../../../src/core/request.ts'
import { asked, BOB, build, EDGE, recorded, type World } from '../decided.ts'
import { cohort, effectIn, enrolled, fleet, HALTED, linesOf, release, running, say } from './channel-world.ts'

describe('a change to a channel', () => {
  it.each<[string, () => World, Partial<ChannelRelease>]>([
    ['/phase fleet firmware@2.0.0 everybody', () => fleet(), { phase: { kind: 'everybody' } }],
    ['/phase fleet 2.0.0 tags lab,"field test"', () => fleet(), {}],
    ['/phase fleet latest tags lab,field', () => fleet(), { phase: { kind: 'tags', tags: ['lab', 'field'] } }],
    ['/phase fleet latest share 0.25', () => fleet(), { phase: { kind: 'share', share: '0.25' } }],
    [
      '/phase fleet latest share 0.25 tags lab',
      () => fleet(),
      { phase: { kind: 'share', share: '0.25', tags: ['lab'] } },
    ],
    ['/phase fleet latest count 2', () => enrolled(fleet(), 5), { phase: { kind: 'count', count: 2 } }],
    [
      '/phase fleet latest count 2',
      () => enrolled(fleet({ phase: { kind: 'share', share: '0', halted: HALTED } }), 5),
      { phase: { kind: 'count', count: 2, halted: HALTED } },
    ],
    ['/halt fleet batteries', () => fleet(), { phase: { kind: 'share', share: '0', halted: HALTED } }],
    ['/halt fleet 2.0.0 batteries', () => fleet({}), { phase: { kind: 'everybody', halted: HALTED } }],
    ['/resume fleet', () => fleet({ phase: { kind: 'everybody', halted: HALTED } }), { phase: { kind: 'everybody' } }],
    ['/disable fleet latest "bricks boards"', () => fleet(), { disabled: { reason: 'bricks boards' } }],
    ['/enable fleet latest', () => fleet({ disabled: { reason: 'once' } }), {}],
    ['/require fleet latest', () => fleet(), { required: true }],
    ['/unrequire fleet 2.0.0', () => fleet({ required: true }), { required: false }],
    ['/schedule fleet latest 2026-04-01T08:00:00+02:00', () => fleet(), { schedule: '2026-04-01T08:00:00+02:00' }],
  ])('%s is made: %#', (...[text, made, expected]) => {
    const world = made()
    const found = say(world, text)
    if (text.includes('"field test"')) return expect(found.refusals).toEqual(['argument-invalid'])
    expect(found.refusals).toEqual([])
    expect(found.types).toEqual(['channel.changed', 'command.answered'])
    expect(release(world)).toMatchObject(expected)
    expect(release(world)?.phase.halted).toEqual(expected.phase?.halted)
    expect(release(world)?.disabled).toEqual(expected.disabled)
    expect(checkChannel(Channel.parse({ cohort: 'fleet', releases: cohort(world).releases }), asked.at).ok).toBe(true)
  })

  it.each<[string, () => World, string, Actor?]>([
    ['/phase fleet latest everybody', () => fleet(), 'not-permitted', BOB],
    ['/halt fleet batteries', () => fleet(), 'not-permitted', BOB],
    ['/publish fleet', () => fleet(), 'not-permitted', BOB],
    ['/phase flet latest everybody', () => fleet(), 'unknown-cohort'],
    ['/phase fleet firmware@2.0.1 everybody', () => fleet(), 'unknown-release'],
    ['/phase fleet latest share 0.5', () => fleet({}), 'phase-value-1-is-final'],
    ['/phase fleet 1.0.0 share 0.5', () => fleet(), 'phase-value-1-is-final'],
    ['/halt fleet 1.0.0 batteries', () => fleet(), 'only-sinks-constrain-availability'],
    ['/phase fleet latest count 2', () => fleet(), 'roster-needed'],
    ['/phase fleet latest count 100', () => enrolled(fleet(), 300), 'hundred-for-everybody'],
    ['/phase fleet latest', () => fleet(), 'argument-missing'],
    ['/phase fleet latest share 1.5', () => fleet(), 'argument-invalid'],
    ['/phase fleet latest share -1', () => fleet(), 'argument-invalid'],
    ['/phase fleet latest count 1.5', () => fleet(), 'argument-invalid'],
    ['/phase fleet latest tags ,', () => fleet(), 'argument-invalid'],
    ['/phase fleet latest everybody else', () => fleet(), 'argument-invalid'],
    ['/phase fleet latest ramp 0 1 2026-01-16T00:00:00Z', () => fleet(), 'argument-invalid'],
    ['/phase fleet latest ramp 0 1 2026-02-30T00:00:00Z 2026-03-16T00:00:00Z', () => fleet(), 'argument-invalid'],
    ['/halt fleet', () => fleet(), 'argument-missing'],
    ['/disable fleet latest', () => fleet(), 'argument-missing'],
    ['/require fleet latest', () => fleet(), 'not-permitted', BOB],
    ['/require fleet', () => fleet(), 'argument-missing'],
    ['/unrequire fleet latest please', () => fleet(), 'argument-unexpected'],
    ['/schedule fleet latest', () => fleet(), 'argument-missing'],
    ['/schedule fleet latest tomorrow', () => fleet(), 'argument-invalid'],
    ['/schedule fleet latest 2026-02-30T08:00:00Z', () => fleet(), 'argument-invalid'],
    ['/schedule fleet latest 2019-01-01T00:00:00Z', () => fleet(), 'start-in-past'],
    ['/schedule fleet 1.0.0 2030-01-01T00:00:00Z', () => fleet(), 'only-sinks-constrain-availability'],
    ['/enable fleet latest please', () => fleet(), 'argument-unexpected'],
    ['/withdraw fleet latest 9.9.9', () => fleet(), 'fix-not-released'],
  ])('%s is refused, and nothing changes: %#', (...[text, made, code, actor]) => {
    const world = made()
    const before = cohort(world)
    const found = say(world, text, actor)
    expect(found.refusals).toContain(code)
    expect(found.types).toEqual(['command.answered'])
    expect(cohort(world)).toEqual(before)
  })

  it.each([
    ['/halt fleet batteries', { phase: { kind: 'everybody', halted: HALTED } }],
    ['/resume fleet', {}],
    ['/disable fleet latest again', { disabled: { reason: 'once' } }],
    ['/enable fleet latest', {}],
    ['/require fleet latest', { required: true }],
    ['/unrequire fleet latest', {}],
    [`/schedule fleet latest ${asked.at}`, { schedule: asked.at }],
  ] as const)('%s changes nothing where it stands already', (text, latest) => {
    const found = say(fleet(latest), text)
    expect(found).toMatchObject({ code: 'nothing-changed', types: ['command.answered'] })
  })

  it('is refused by the name of its rule', () => {
    const found = say(fleet(), '/halt fleet 1.0.0 batteries')
    expect(found.answer.problems[0]?.message).toMatch(/^only-sinks-constrain-availability: /)
  })

  it('is made in spite of what it does to devices when that is said', () => {
    const world = running(enrolled(fleet(), 300), '1.0.0')
    expect(say(world, '/phase fleet latest count 100').refusals).toContain('hundred-for-everybody')
    const found = say(world, '/phase fleet latest count 100 --accept-risk')
    expect(found.types).toContain('channel.changed')
    expect(linesOf(found).join('\n')).toContain('error: hundred-for-everybody')
  })
})

describe('what a change does to devices', () => {
  it('is told by what they reported', () => {
    const world = running(enrolled(fleet(), 40), '1.0.0')
    const found = say(world, '/phase fleet latest share 0.25')
    expect(effectIn(found)).toMatchObject({
      basis: 'reports',
      enrolled: 40,
      changed: 10,
      downgrades: 0,
      stranded: 0,
      tally: { enrolled: 40, permitted: 10, left: 30 },
      moves: [{ from: '1.0.0', before: null, after: '2.0.0', direction: 'up', devices: 10 }],
    })
    expect(linesOf(found)).toEqual([
      '10 devices 1.0.0 → 2.0.0 now',
      '0 downgrades, 0 stranded (counted by what devices have reported)',
      'permissions of the latest release: 10 of 40 enrolled, 30 left',
    ])
  })

  it('counts exactly those whose buckets are lowest', () => {
    const world = running(enrolled(fleet(), 9), '1.0.0')
    say(world, '/phase fleet latest count 4')
    const scope = { cohort: 'fleet', release: 'firmware@2.0.0', salt: 'salt-2.0.0' }
    const buckets = Array.from({ length: 9 }, (_, at) => bucketOf(scope, `d${at}`)).sort()
    expect(new Set(buckets).size).toBe(9)
    expect(cohort(world).salts).toContainEqual({ release: 'firmware@2.0.0', salt: 'salt-2.0.0' })
    const found = say(world, '/phase fleet latest count 7')
    expect(effectIn(found).moves).toEqual([
      { from: '1.0.0', before: null, after: '2.0.0', direction: 'up', devices: 3 },
    ])
  })

  it('is tried on every version where a roster stands and nobody reports', () => {
    const found = say(enrolled(fleet(), 4), '/phase fleet latest count 1')
    expect(linesOf(found)[0]).toBe('1 of 4 enrolled devices, where they run 1.0.0 → 2.0.0 now')
  })

  it('is tried on the versions of the channel where there is no roster', () => {
    const found = say(fleet(), '/phase fleet latest everybody')
    expect(linesOf(found)[0]).toBe('devices on 1.0.0 → 2.0.0 now')
    expect(effectIn(found)).toMatchObject({ basis: 'versions', enrolled: null, tally: null })
  })

  it('of a halt takes the offer back', () => {
    const found = say(running(enrolled(fleet({}), 3), '1.0.0'), '/halt fleet batteries')
    expect(linesOf(found)[0]).toBe('3 devices 1.0.0 → no update now, 2.0.0 until now')
  })
})

describe('a release that is withdrawn', () => {
  /** 2.0.1 is built and good in production. */
  function mended(latest?: Partial<ChannelRelease>): World {
    const world = fleet(latest, (text) => text.replace(/ {4}gate: .*\n/, ''))
    const artifacts = [{ name: 'fw', size: 3, sha256: 'b'.repeat(64), url: 'https://example.test/mended' }]
    const of = { product: 'firmware', version: '2.0.1' }
    world.ask(build({ repository: EDGE, record: { artifacts, ...of } }))
    world.ask(recorded({ repository: EDGE, environment: 'production', ...of }))
    return world
  }

  it('is disabled, and its fix follows it in the same event', () => {
    const world = running(enrolled(mended({}), 3), '1.0.0')
    const found = say(world, '/withdraw fleet latest 2.0.1 "bricks boards"')
    expect(found.refusals).toEqual([])
    expect(found.types).toEqual(['channel.withdrawn', 'command.answered'])
    expect(cohort(world).releases.map(({ id, next, disabled }) => [id, next, disabled?.reason])).toEqual([
      ['firmware@1.0.0', 'firmware@2.0.0', undefined],
      ['firmware@2.0.0', 'firmware@2.0.1', 'bricks boards'],
      ['firmware@2.0.1', null, undefined],
    ])
    expect(cohort(world).salts.map(({ release: id }) => id)).toContain('firmware@2.0.1')
    expect(new Set(cohort(world).salts.map(({ salt }) => salt)).size).toBe(3)
    expect(linesOf(found)[0]).toBe('3 devices 1.0.0 → 2.0.1 now, 2.0.0 until now')
    expect(checkChannel(Channel.parse({ cohort: 'fleet', releases: cohort(world).releases }), asked.at).ok).toBe(true)
  })

  it('holds no new version back, though it was phased', () => {
    const world = mended()
    const reached: Request = {
      kind: 'ring-reached',
      ...{ product: 'firmware', version: '2.0.1' },
      environment: 'production',
      ...asked,
    }
    expect(world.ask(reached).events).toEqual([])
    say(world, '/withdraw fleet latest 1.0.0 --accept-risk')
    expect(world.ask(reached).types).toEqual(['channel.released'])
  })

  it('can be followed by a step back, which somebody has to want', () => {
    const world = running(enrolled(fleet({}), 3), '2.0.0')
    world.fleet = { ...world.fleet, reports: new Map([['d1', { bundle: 'firmware@2.0.0' }]]) }
    expect(say(world, '/withdraw fleet latest 1.0.0').refusals).toContain('devices-downgraded')
    expect(say(world, '/withdraw fleet latest 1.0.0 --accept-risk').types).toContain('channel.withdrawn')
    expect(cohort(world).releases.at(-1)).toMatchObject({
      id: 'firmware@1.0.0#2',
      bundle: 'firmware@1.0.0',
      next: null,
    })
  })
})

describe('a manifest', () => {
  it('is issued again when somebody asks', () => {
    const world = fleet()
    expect(say(world, '/publish fleet').types).toEqual(['manifest.due', 'command.answered'])
    expect(cohort(world).issue).toBe(1)
  })

  it('is issued again when it nears its end, once for each that was published', () => {
    const world = fleet()
    const due: Request = { kind: 'manifest-due', cohort: 'fleet', ...asked }
    expect(world.ask(due).events).toEqual([])
    world.ask({
      kind: 'manifest-published',
      cohort: 'fleet',
      digest: `sha256:${'1'.repeat(64)}`,
      address: 'a',
      ...asked,
    })
    expect(world.ask(due).types).toEqual(['manifest.due'])
    expect(world.ask(due).types).toEqual([])
    expect(cohort(world).issue).toBe(1)
  })
})

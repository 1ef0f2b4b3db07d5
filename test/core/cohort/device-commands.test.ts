import { describe, expect, it } from '@jest/globals'
import { pseudonymDigest } from '../../../src/core/cohort/bucket.ts'
import type { ChannelRelease } from '../../../src/core/cohort/schema.ts'
import type { Actor } from '../../../src/core/event.ts'
import { BOB, event, minute, type World } from '../decided.ts'
import { cohort, enrolled, fleet, linesOf, offered, release, running, say } from './channel-world.ts'

const moved = (there: Partial<ChannelRelease> = {}): World => {
  const world = fleet(undefined, (text) => `${text}  - id: other\n    product: firmware\n`)
  world.record([offered('1.0.0', there, 'other')])
  return world
}

describe('a command for some devices', () => {
  it('pins them to a version for a time, by digests that name nobody', () => {
    const world = running(enrolled(fleet(), 3), '1.0.0')
    const found = say(world, '/pin fleet 2.0.0 devices d0,d2 until 2026-02-01T00:00:00Z')
    expect(found.types).toEqual(['cohort.override_set', 'command.answered'])
    const [override] = cohort(world).overrides
    if (!override) throw new Error('expected a pin')
    expect(override).toMatchObject({ bundle: 'firmware@2.0.0', startsAt: minute(0), endsAt: '2026-02-01T00:00:00Z' })
    expect(override.devices).toEqual(['d0', 'd2'].map((name) => pseudonymDigest(override, name)))
    expect(JSON.stringify(found.events[0]?.data)).not.toContain('"d0"')
    expect(say(world, `/unpin fleet ${override.id}`).types).toEqual(['cohort.override_ended', 'command.answered'])
    expect(cohort(world).overrides).toEqual([])
  })

  it('tells who is taken back when a pin ends, and asks for it', () => {
    const world = running(
      enrolled(fleet({ requirement: '>= 0.1.0', phase: { kind: 'everybody' } }), 3, ['lab']),
      '3.0.0',
    )
    const { refusals } = say(world, '/pin fleet 2.0.0 tags lab --accept-risk')
    expect(refusals).toEqual([])
    const [override] = cohort(world).overrides
    world.record([
      event('cohort.override_set', { cohort: 'fleet', override: { ...override!, bundle: 'firmware@1.0.0' } }),
    ])
    const found = say(world, `/unpin fleet ${override?.id}`)
    expect(found.refusals).toContain('devices-downgraded')
    expect(cohort(world).overrides).toHaveLength(1)
    const wanted = say(world, `/unpin fleet ${override?.id} --accept-risk`)
    expect(linesOf(wanted).join('\n')).toContain('3 devices 3.0.0 → 2.0.0 now, 1.0.0 until now')
    expect(cohort(world).overrides).toEqual([])
  })

  it('leaves out pins that have ended when another one comes', () => {
    const world = fleet()
    say(world, '/pin fleet 2.0.0 tags lab until 2026-01-15T13:00:00Z')
    say(world, '/pin fleet 1.0.0 tags lab from 2026-01-16T00:00:00Z --accept-risk', undefined, minute(120))
    expect(cohort(world).overrides.map(({ bundle }) => bundle)).toEqual(['firmware@1.0.0'])
  })

  it('tells whom a pin takes back', () => {
    const world = running(enrolled(fleet({}), 3, ['lab']), '2.0.0')
    expect(say(world, '/pin fleet 1.0.0 tags lab').refusals).toContain('devices-downgraded')
    const found = say(world, '/pin fleet 1.0.0 tags lab --accept-risk')
    expect(found.types).toContain('cohort.override_set')
    expect(linesOf(found).join('\n')).toContain('error: devices-downgraded')
  })

  it('puts devices into quarantine and takes them out, under one salt', () => {
    const world = fleet()
    say(world, '/quarantine fleet d1,d0')
    const first = cohort(world).quarantine
    say(world, '/quarantine fleet d2,d1')
    expect(cohort(world).quarantine?.salt).toBe(first?.salt)
    expect(cohort(world).quarantine?.devices).toHaveLength(3)
    expect(say(world, '/unquarantine fleet d9').code).toBe('nothing-changed')
    say(world, '/unquarantine fleet d0,d1')
    expect(cohort(world).quarantine?.devices).toHaveLength(1)
    say(world, '/unquarantine fleet d2')
    expect(cohort(world).quarantine).toBeNull()
  })

  it('holds a release for one target, and lets it go again', () => {
    const world = fleet({})
    say(world, '/hold-target fleet latest arm64 "boot loop"')
    expect(release(world)?.holds).toEqual([{ target: 'arm64', reason: 'boot loop' }])
    expect(say(world, '/unhold-target fleet latest x86').code).toBe('nothing-changed')
    say(world, '/unhold-target fleet latest arm64')
    expect(release(world)?.holds).toEqual([])
  })

  it('names the release for devices that cannot tell what they run', () => {
    const world = fleet()
    say(world, '/entry fleet 1.0.0')
    expect(cohort(world).entryRelease).toBe('firmware@1.0.0')
    expect(say(world, '/entry fleet 1.0.0').code).toBe('nothing-changed')
    say(world, '/entry fleet none --accept-risk')
    expect(cohort(world).entryRelease).toBeNull()
  })

  it('tells what devices in quarantine lose, and lets it happen', () => {
    const world = running(enrolled(fleet({}), 3), '1.0.0')
    const found = say(world, '/quarantine fleet d0,d2')
    expect(found.types).toEqual(['cohort.quarantine_set', 'command.answered'])
    expect(linesOf(found).join('\n')).toContain('2 devices 1.0.0 → no update now, 2.0.0 until now')
    expect(linesOf(say(world, '/unquarantine fleet d0')).join('\n')).toContain('1 device 1.0.0 → 2.0.0 now')
  })

  it('tells who gets an entry release, and asks before it leaves lost devices behind', () => {
    const world = enrolled(fleet({}), 3)
    world.fleet = { ...world.fleet, reports: new Map([['d0', { version: 'unknown' }]]) }
    expect(linesOf(say(world, '/entry fleet 2.0.0')).join('\n')).toContain('3 devices unknown → 2.0.0 now')
    expect(say(world, '/entry fleet none').refusals).toContain('devices-stranded')
    expect(cohort(world).entryRelease).toBe('firmware@2.0.0')
    expect(say(world, '/entry fleet none --accept-risk').refusals).toEqual([])
    expect(cohort(world).entryRelease).toBeNull()
  })

  it('tells whom a move would take back, and asks for it', () => {
    const world = running(enrolled(moved({ requirement: '>= 0.1.0' }), 3), '2.0.0')
    const refused = say(world, '/move-devices fleet other')
    expect(refused.refusals).toContain('devices-downgraded')
    expect(cohort(world).movedTo).toBeNull()
    const wanted = say(world, '/move-devices fleet other --accept-risk')
    expect(linesOf(wanted).join('\n')).toContain('3 devices 2.0.0 → 1.0.0 now')
    expect(cohort(world).movedTo).toBe('other')
  })

  it('moves the devices of a cohort to another one, and never in a circle', () => {
    const world = moved()
    expect(say(world, '/move-devices fleet other --accept-risk').refusals).toEqual([])
    expect(cohort(world).movedTo).toBe('other')
    expect(say(world, '/move-devices other fleet').refusals).toEqual(['cohort-loop'])
    expect(say(world, '/move-devices fleet fleet').refusals).toEqual(['cohort-loop'])
    say(world, '/move-devices fleet none --accept-risk')
    expect(cohort(world).movedTo).toBeNull()
  })

  it.each<[string, string, Actor?]>([
    ['/pin fleet 2.0.0 tags lab', 'not-permitted', BOB],
    ['/quarantine fleet d0', 'not-permitted', BOB],
    ['/pin fleet 9.9.9 tags lab', 'unknown-version'],
    ['/pin fleet 2.0.0', 'argument-missing'],
    ['/pin fleet 2.0.0 tags', 'argument-missing'],
    ['/pin fleet 2.0.0 tags lab until tomorrow', 'argument-invalid'],
    ['/pin fleet 2.0.0 colour blue', 'argument-invalid'],
    ['/pin fleet 2.0.0 tags lab from 2026-02-02T00:00:00Z until 2026-02-01T00:00:00Z', 'pin-invalid'],
    ['/unpin fleet pin-1-0', 'unknown-pin'],
    ['/quarantine fleet ,', 'argument-missing'],
    ['/quarantine flet d0', 'unknown-cohort'],
    ['/hold-target fleet latest arm64', 'argument-missing'],
    ['/move-devices fleet nowhere', 'unknown-cohort'],
    ['/entry fleet 7.0.0', 'unknown-release'],
  ])('%s is refused, and nothing changes', (...[text, code, actor]) => {
    const world = fleet()
    const before = cohort(world)
    expect(say(world, text, actor).refusals).toContain(code)
    expect(cohort(world)).toEqual(before)
  })
})

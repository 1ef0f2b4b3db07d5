import { describe, expect, it } from '@jest/globals'
import { OPEN_KEY, type OpenIndex } from '../../../src/core/release/open.ts'
import { asked, minute, World } from '../decided.ts'

const seen = (world: World, alarm: string, holds: boolean, at: number) =>
  world.ask({
    kind: 'condition-seen',
    alarm,
    code: 'ledger-broken',
    message: 'a line is missing',
    holds,
    ...asked,
    at: minute(at),
  }).types
const alarmsOf = (world: World) => world.state<OpenIndex>(OPEN_KEY)?.alarms ?? []

describe('an alarm', () => {
  it('is raised when its condition begins, cleared when it ends, and again when it comes back', () => {
    const world = new World()
    expect(seen(world, 'ledger', false, 0)).toEqual([])
    expect(seen(world, 'ledger', true, 1)).toEqual(['alarm.raised'])
    expect(seen(world, 'ledger', true, 2)).toEqual([])
    expect(seen(world, 'ledger', false, 3)).toEqual(['alarm.cleared'])
    expect(seen(world, 'ledger', false, 4)).toEqual([])
    expect(seen(world, 'ledger', true, 5)).toEqual(['alarm.raised'])
    expect(alarmsOf(world)).toEqual([
      { alarm: 'ledger', code: 'ledger-broken', message: 'a line is missing', raisedAt: minute(5), isOpen: true },
    ])
  })

  it.each(['__proto__', 'a/b', '`x` @team', 'x'.repeat(500)])('%j is one of its own', (name) => {
    const world = new World()
    seen(world, 'other', true, 0)
    for (let round = 0; round < 3; round += 1) {
      expect(seen(world, name, true, 2 * round + 1)).toEqual(['alarm.raised'])
      expect(seen(world, name, false, 2 * round + 2)).toEqual(['alarm.cleared'])
    }
    expect(alarmsOf(world).map(({ alarm, isOpen }) => [alarm, isOpen])).toEqual([
      ['other', true],
      [name, false],
    ])
  })

  it('that holds is never forgotten, however many come and go', () => {
    const world = new World()
    seen(world, 'first', true, 0)
    for (let index = 0; index < 150; index += 1) {
      seen(world, `passing-${index}`, true, index)
      seen(world, `passing-${index}`, false, index + 1)
    }
    expect(alarmsOf(world).length).toBeLessThanOrEqual(101)
    expect(
      alarmsOf(world)
        .filter((entry) => entry.isOpen)
        .map((entry) => entry.alarm),
    ).toEqual(['first'])
  })
})

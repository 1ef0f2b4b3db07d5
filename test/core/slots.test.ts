import { describe, expect, it } from '@jest/globals'
import { CATALOGUE } from '../../src/core/catalogue.ts'
import { fitsSlot, SLOTS, slotsOf } from '../../src/core/slots.ts'
import { eventsOf, gateRequested, play, proposedHead, releaseReview, stage, started } from '../engine/stage.ts'

const keyed = (on: ReturnType<typeof stage>) =>
  eventsOf(on.branch) as unknown as readonly { readonly type: string; readonly key: string }[]

describe('the table of slots', () => {
  it.each(Object.keys(CATALOGUE))('says what makes two events of %s the same', (type) => {
    expect(slotsOf(type).length).toBeGreaterThan(0)
  })

  it('names no type twice in a family, and each rule once', () => {
    for (const { types } of SLOTS) expect(new Set(types).size).toBe(types.length)
    expect(new Set(SLOTS.map((slot) => slot.rule)).size).toBe(SLOTS.length)
  })

  it('is what the decisions do, over a release that is opened, signed and let in', async () => {
    const on = stage()
    await started(on)
    await play(on, gateRequested())
    on.outside.approve('eve', proposedHead(on.outside))
    await play(on, releaseReview(), gateRequested(601))
    await on.engine.idle()
    const events = keyed(on)
    expect(new Set(events.map((event) => event.type)).size).toBeGreaterThan(9)
    expect(events.filter((event) => !fitsSlot(event))).toEqual([])
    await on.engine.close()
  })

  it('refuses a key of another family', () => {
    expect(fitsSlot({ type: 'build.recorded', key: 'run:1/2/3:ended' })).toBe(false)
    expect(fitsSlot({ type: 'gate.requested', key: 'gate/1/2/production' })).toBe(false)
  })
})

import { describe, expect, it } from '@jest/globals'
import { parseConfiguration } from '../../../src/core/config/parse.ts'
import { type BoardState, boardKey } from '../../../src/core/deployment/schema.ts'
import { checklistOf } from '../../../src/core/process/checklist.ts'
import { releaseKey } from '../../../src/core/release/open.ts'
import type { ReleaseState } from '../../../src/core/release/schema.ts'
import {
  API_ITEM,
  BOB,
  CONFIGURATION,
  configuredWorld,
  event,
  givenRelease,
  minute,
  type ReleaseGiven,
  recorded,
  type World,
} from '../decided.ts'

/** Production without a gate, so that a deployment there is good as it is. */
const OPEN = CONFIGURATION.replace(/ {4}gate: .*\n/, '')

const linesOf = (world: World) => {
  const parsed = parseConfiguration(OPEN)
  const release = world.state<ReleaseState>(releaseKey('r5'))
  if (!parsed.ok || !release) throw new Error('expected a sound configuration and a release')
  const boards = ['api', 'web'].flatMap((product) => {
    const board = world.state<BoardState>(boardKey(product))
    return board ? [[product, board] as const] : []
  })
  return checklistOf(release, parsed.value.configuration, new Map(boards))
}
const released = (given: ReleaseGiven = {}): World => {
  const world = configuredWorld(() => OPEN)
  givenRelease(world, given)
  return world
}
const lineOf = (world: World, id: string) => linesOf(world).find((line) => line.id === id)
const live = (world: World, product = 'api', environment = 'production') => {
  world.ask(recorded({ product, environment, deploymentId: product.length, statusId: product.length }))
  return world
}
const WEB = { ...API_ITEM, product: 'web' }

describe('a checklist', () => {
  it('has its steps in the order of the configuration', () => {
    expect(linesOf(released()).map((line) => line.id)).toEqual(['versions', 'signed', 'rollback-plan', 'live'])
  })

  it.each<[string, string, () => World, boolean, string | null]>([
    ['versions are recorded', 'versions', () => released(), true, '1 recorded'],
    ['no version is recorded', 'versions', () => released({ items: [], started: false }), false, null],
    ['the parties have signed', 'signed', () => released({ signoff: 'approved' }), true, 'eve, quinn'],
    ['a party is missing', 'signed', () => released({ signoff: 'pending' }), false, null],
    ['nothing is live', 'live', () => released(), false, '0 of 1 in production'],
    ['every version is live', 'live', () => live(released()), true, '1 of 1 in production'],
    ['one of two is live', 'live', () => live(released({ items: [API_ITEM, WEB] })), false, '1 of 2 in production'],
    [
      'both are live',
      'live',
      () => live(live(released({ items: [API_ITEM, WEB] })), 'web'),
      true,
      '2 of 2 in production',
    ],
    [
      'another version is live',
      'live',
      () => live(released({ items: [{ ...API_ITEM, version: '2.0.0' }] })),
      false,
      '0 of 1 in production',
    ],
    ['it is live elsewhere', 'live', () => live(released(), 'api', 'beta'), false, '0 of 1 in production'],
    [
      'there is nothing to deploy',
      'live',
      () => released({ items: [], started: false }),
      false,
      '0 of 0 in production',
    ],
  ])('ticks itself by its fact: %s', (...[, id, world, isDone, evidence]) => {
    expect(lineOf(world(), id)).toMatchObject({ isDone, evidence, isMachine: true, by: null })
  })

  it('keeps who ticked a step, when and by what', () => {
    const world = released()
    expect(lineOf(world, 'rollback-plan')).toMatchObject({ isDone: false, by: null, at: null, evidence: null })
    const step = { release: 'r5', step: 'rollback-plan' }
    world.record([event('step.done', { ...step, evidence: 'https://wiki.test/plan' }, { actor: BOB, at: minute(9) })])
    expect(lineOf(world, 'rollback-plan')).toEqual({
      id: 'rollback-plan',
      text: 'Prepare the rollback plan',
      isDone: true,
      by: BOB,
      at: minute(9),
      evidence: 'https://wiki.test/plan',
      isMachine: false,
    })
    world.record([event('step.undone', step)])
    expect(lineOf(world, 'rollback-plan')).toMatchObject({ isDone: false, by: null })
  })

  it('is not ticked by a person where a fact ticks it', () => {
    const world = released()
    world.record([event('step.done', { release: 'r5', step: 'live', evidence: null })])
    expect(lineOf(world, 'live')).toMatchObject({ isDone: false })
  })
})

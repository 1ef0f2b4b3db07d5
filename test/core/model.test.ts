import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { CATALOGUE, type EventType } from '../../src/core/catalogue.ts'
import type { AggregateKey, EventDraft, LedgerEvent } from '../../src/core/event.ts'
import { NO_PREVIOUS } from '../../src/core/event.ts'
import { model } from '../../src/core/model.ts'
import {
  ANN,
  API_ITEM,
  asked,
  build,
  byJob,
  byTool,
  configuredWorld,
  event,
  givenRelease,
  PLATFORM,
  RELEASES,
  recorded,
  runEnded,
  sha,
} from './decided.ts'

/** A log in which many types of event occur, as the decisions wrote them. */
function samples(): readonly EventDraft[] {
  const world = configuredWorld()
  world.ask(build())
  world.ask(build({ sha: sha('b2') }))
  givenRelease(world, { signoff: 'approved' })
  world.ask(recorded({ status: 'pending', statusId: 1 }))
  world.ask(recorded({ status: 'started', statusId: 2 }))
  world.ask(recorded({ status: 'failed', statusId: 3, version: '0.9.0' }))
  world.ask(recorded({ sha: sha('b2') }))
  world.ask(byJob({ status: 'started', environment: 'integration' }))
  world.ask(byTool())
  for (const environment of ['production', 'laptop']) {
    world.ask({
      kind: 'gate-requested',
      repository: PLATFORM,
      runId: 7,
      environment,
      deploymentId: 1,
      sha: sha('a1'),
      ref: 'main',
      installationId: 1,
      ...asked,
    })
  }
  world.ask({ kind: 'gate-review', gate: `gate/${PLATFORM.id}/7/production`, ...asked })
  world.ask(runEnded())
  const release = 'r5'
  world.record([
    event('step.done', { release, step: 'rollback-plan', evidence: null }),
    event('step.undone', { release, step: 'rollback-plan' }),
    event('release.version_removed', { release, product: 'api' }),
    event('release.version_added', { release, item: API_ITEM }),
    event('release.reopened', { release, reason: 'x' }),
    event('release.started', { release, digest: NO_PREVIOUS }),
    event('release.completed', { release }),
    event('release.cancelled', { release, reason: 'x' }),
    event('release.rolled_back', { release, reason: 'x' }),
    event('review.dismissed', { release, reviewId: 1, by: ANN.login, was: 'APPROVED' }),
    event('alarm.raised', { alarm: 'a', code: 'c', message: 'm' }),
    event('alarm.cleared', { alarm: 'a' }),
    event('output.settled', { subject: 'release/r5', output: 'r5/board', digest: NO_PREVIOUS, remote: null }),
    event('proposal.seen', {
      release,
      repository: RELEASES,
      number: 9,
      url: '',
      head: sha('e1'),
      headDigest: 'x',
      author: 'bot',
      merged: false,
    }),
  ])
  return world.log
}
const SAMPLES = samples()

function frozen<T>(value: T): T {
  if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const member of Object.values(value)) frozen(member)
  }
  return value
}

describe('the model', () => {
  it('folds the events of a log in any order and number, never changes what it was given, and is repeatable', () => {
    const order = fc.array(fc.constantFrom(...SAMPLES), { maxLength: 40 })
    fc.assert(
      fc.property(order, (events) => {
        const fold = () => {
          const states = new Map<AggregateKey, unknown>()
          events.forEach((draft, index) => {
            const line = frozen({ ...structuredClone(draft), seq: index + 1, prev: NO_PREVIOUS }) as LedgerEvent
            for (const key of model.keysOf(line)) states.set(key, frozen(model.evolve(key, states.get(key), line)))
          })
          return [...states]
        }
        const folded = fold()
        expect(JSON.parse(JSON.stringify(fold()))).toEqual(JSON.parse(JSON.stringify(folded)))
      }),
      { numRuns: 150 },
    )
  })

  it('knows for every event which aggregates it touches, each of them once', () => {
    for (const sample of SAMPLES) {
      const keys = model.keysOf(sample)
      expect(new Set(keys).size).toBe(keys.length)
    }
  })

  it('leaves an event of a type that it does not know, and an aggregate that an event does not touch, alone', () => {
    const [first] = SAMPLES
    if (!first) throw new Error('expected samples')
    const line = { ...first, seq: 1, prev: NO_PREVIOUS } as LedgerEvent
    for (const type of ['no.such_type', 'constructor.x', '__proto__'])
      expect(model.keysOf({ ...line, type })).toEqual([])
    const state = { a: 1 }
    expect(model.evolve('board/other', state, line)).toBe(state)
  })

  it('is shown by samples of every type that the story so far writes', () => {
    const shown = new Set(SAMPLES.map((sample) => sample.type))
    const story: readonly EventType[] = [
      'build.recorded',
      'build.refused',
      'deployment.pending',
      'deployment.started',
      'deployment.failed',
      'deployment.aborted',
      'deployment.refused',
      'job-deployment.seen',
      'run.ended',
      'gate.requested',
      'gate.decided',
      'gate.closed',
      'release.opened',
      'signoff.decided',
    ]
    expect(story.filter((type) => !shown.has(type))).toEqual([])
    expect([...shown].filter((type) => !Object.hasOwn(CATALOGUE, type))).toEqual([])
  })
})

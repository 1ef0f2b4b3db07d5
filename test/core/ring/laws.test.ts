import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { OPEN_KEY, type OpenIndex } from '../../../src/core/release/open.ts'
import type { Request } from '../../../src/core/request.ts'
import { type GateState, gateKeyOf } from '../../../src/core/ring/schema.ts'
import { asked, byJob, minute, PLATFORM, runEnded, sha, World } from '../decided.ts'

const KEY = gateKeyOf(PLATFORM.id, 7, 'production')

/** A job of a try of the run: its deployment waits, and asks for its gate; a delivery that is late comes at any time. */
const jobOf = (attempt: number, deploymentId: number, cameAt: number): Request[] => [
  byJob({
    deploymentId,
    environment: 'production',
    run: { id: 7, attempt },
    status: 'pending',
    statusId: deploymentId,
  }),
  {
    ...{ kind: 'gate-requested', repository: PLATFORM, runId: 7, environment: 'production', deploymentId },
    ...{ sha: sha('a1'), ref: 'main', installationId: 3, ...asked, at: minute(cameAt) },
  },
]
const endOf = (attempt: number, at: number): Request => ({ ...runEnded(7, attempt), at: minute(at) }) as Request

const gateAfter = (requests: readonly Request[]) => {
  const world = new World().askAll(requests)
  const gate = world.state<GateState>(KEY)
  const isOpen = world.state<OpenIndex>(OPEN_KEY)?.gates.includes(KEY) ?? false
  return [gate?.deploymentId, gate?.verdict, isOpen]
}

describe('a gate and the end of its run', () => {
  it.each([
    ['closes it, whichever is heard of first and however late', [endOf(1, 10)], [60, 'closed', false]],
    ['leaves the gate of the next try open', [endOf(1, 10), ...jobOf(2, 70, 20)], [70, 'waiting', true]],
    [
      'closes that of the next try with its own end',
      [endOf(1, 10), ...jobOf(2, 70, 20), endOf(2, 30)],
      [70, 'closed', false],
    ],
  ] as const)('%s', (_, others, expected) => {
    const told = fc.integer({ min: 1, max: 50 }).chain((cameAt) => {
      const all = [...jobOf(1, 60, cameAt), ...others]
      return fc.shuffledSubarray([...all, ...all], { minLength: all.length * 2 })
    })
    fc.assert(
      fc.property(told, (requests) => {
        expect(gateAfter(requests)).toEqual(expected)
      }),
      { numRuns: 60 },
    )
  })
})

import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type BoardState, boardKey, DEPLOYMENT_STATUSES } from '../../../src/core/deployment/schema.ts'
import type { Request } from '../../../src/core/request.ts'
import { build, byJob, byTool, minute, recorded, runEnded, World } from '../decided.ts'

/** A status of GitHub has an id that grows with time, and belongs to one deployment. */
const status = fc.record({
  kind: fc.constantFrom('record', 'job', 'tool'),
  status: fc.constantFrom(...DEPLOYMENT_STATUSES),
  statusId: fc.integer({ min: 1, max: 60 }),
  run: fc.constantFrom(7, 8),
  attempt: fc.constantFrom(1, 2),
  version: fc.constantFrom('1.0.0', '1.1.0'),
  environment: fc.constantFrom('beta', 'integration'),
})
type Status = typeof status extends fc.Arbitrary<infer T> ? T : never

function toRequest({ kind, run: id, attempt, version, ...said }: Status): Request {
  const run = { id, attempt }
  const base = { ...said, run, at: minute(said.statusId) }
  const deploymentId = id * 100 + attempt * 10 + (version === '1.0.0' ? 0 : 1)
  if (kind === 'record') return recorded({ ...base, version, deploymentId })
  if (kind === 'job') return byJob({ ...base, deploymentId: deploymentId + 1_000 })
  return byTool({ ...base, run: null, deploymentId: deploymentId + 2_000 })
}

const history = fc.uniqueArray(status, { minLength: 1, maxLength: 12, selector: ({ statusId }) => statusId })
const inAnyOrder = history.chain((all) =>
  fc.tuple(fc.constant(all), fc.shuffledSubarray([...all, ...all], { minLength: all.length * 2 })),
)

function boardOf(statuses: readonly Status[], ends: readonly Request[]): BoardState | undefined {
  const world = new World()
  world.ask(build())
  for (const entry of statuses) world.ask(toRequest(entry))
  for (const end of ends) world.ask(end)
  return world.state(boardKey('api'))
}

describe('deliveries of deployment statuses', () => {
  it('come to the same board in any order and number', () => {
    const ends = [runEnded(7, 1), runEnded(7, 2), runEnded(8, 1), runEnded(8, 2)]
    fc.assert(
      fc.property(inAnyOrder, fc.subarray(ends), ([all, shuffled], over) => {
        expect(boardOf(shuffled, over)).toEqual(boardOf(all, over))
      }),
      { numRuns: 80 },
    )
  })

  it('leave the newest word of each attempt, and a good version only where one completed', () => {
    fc.assert(
      fc.property(inAnyOrder, ([, shuffled]) => {
        const records = shuffled.filter((entry) => entry.kind === 'record')
        for (const cell of boardOf(records, [])?.cells ?? []) {
          for (const attempt of cell.attempts) {
            const own = records.filter(
              (entry) =>
                entry.environment === cell.environment &&
                entry.version === attempt.version &&
                attempt.key.endsWith(`/${entry.run}/${entry.attempt}`),
            )
            const newest = own.reduce((a, b) => (a.statusId > b.statusId ? a : b))
            expect(attempt).toMatchObject({ status: newest.status, statusId: newest.statusId })
          }
          const completed = records.some(
            (entry) => entry.environment === cell.environment && entry.status === 'completed',
          )
          if (cell.lastGood !== null) expect(completed).toBe(true)
        }
      }),
      { numRuns: 60 },
    )
  })
})

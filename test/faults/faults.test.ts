import { beforeAll, describe, expect, it } from '@jest/globals'
import { HARMS } from './harms.ts'
import { NO_HARM, played, type Traces } from './play.ts'

/** A slice; `npm run test:faults` plays as many seeds as asked for. */
const FIRST_SEED = Number(process.env['RINGMASTER_SEED'] ?? 20261120)

/** A play takes some seconds; many times that on a machine that is busy. */
const PLAY_MS = 180_000

let expected: Traces

beforeAll(async () => {
  expected = (await played(NO_HARM, FIRST_SEED)).traces
}, PLAY_MS)

describe('a release', () => {
  it('leaves each thing once when nothing goes wrong', () => {
    expect(expected).toMatchObject({
      facts: { cells: ['integration: 1.0.0', 'production: 1.0.0'], release: ['completed', 'approved'] },
      open: { releases: [], gates: [] },
      outside: { merged: ['true'], answers: ['approved'], checks: ['success'], labels: ['release:completed'] },
      verified: [],
    })
  })

  it.each(HARMS.map((harm, index) => [harm.name, harm, FIRST_SEED + index] as const))(
    'leaves the same facts, gates and things outside under: %s',
    async (_name, harm, seed) => {
      const { traces, hits } = await played(harm, seed)
      expect({ seed, traces }).toEqual({ seed, traces: expected })
      expect(hits).toBeGreaterThan(0)
    },
    PLAY_MS,
  )
})

import { expect, it } from '@jest/globals'
import { killedOften } from './fleet.ts'
import { NO_HARM, played } from './play.ts'
import { difference } from './traces.ts'

/** A slice; `npm run test:faults -- --kills 200` kills as often as asked for. */
const KILLS = 5
const SEED = Number(process.env['RINGMASTER_SEED'] ?? 20261120)

it('leaves the same facts, gates and things outside when the App is killed under load, and its log whole each time', async () => {
  const expected = await played(NO_HARM, SEED)
  const { traces, kills, broken } = await killedOften(SEED, { kills: KILLS, together: 1 })
  expect({ seed: SEED, broken, difference: difference(expected.traces, traces) }).toEqual({
    seed: SEED,
    broken: [],
    difference: null,
  })
  expect(kills).toBe(KILLS)
}, 900_000)

// npm run test:faults -- --seeds 100 --seed 1 [--harm NAME]: plays a story under each kind of trouble and compares.

import process from 'node:process'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { HARMS } from './harms.ts'
import { NO_HARM, played } from './play.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '14' },
    seed: { type: 'string', default: '1' },
    harm: { type: 'string' },
  },
})
const harms = values.harm === undefined ? HARMS : HARMS.filter((harm) => harm.name === values.harm)
if (harms.length === 0) throw new Error(`expected one of ${HARMS.map((harm) => harm.name).join(', ')}`)
const first = Number(values.seed)
const { traces: expected } = await played(NO_HARM, first)
let failed = 0
let struck = 0
for (let seed = first; seed < first + Number(values.seeds); seed += 1) {
  const harm = harms[seed % harms.length]
  if (!harm) continue
  const startedMs = performance.now()
  const problem = await played(harm, seed).then(
    ({ traces: found, hits }) => {
      struck += hits
      return isDeepStrictEqual(found, expected)
        ? null
        : `expected ${JSON.stringify(expected)}\n   found ${JSON.stringify(found)}`
    },
    (error: unknown) => String(error),
  )
  if (problem !== null) failed += 1
  const took = `${((performance.now() - startedMs) / 1_000).toFixed(1)} s`
  process.stdout.write(`seed ${seed}, ${harm.name}: ${problem === null ? 'the same' : 'DIFFERENT'} (${took})\n`)
  if (problem !== null) process.stdout.write(`   ${problem}\n`)
}
process.stdout.write(`${struck} requests and deliveries were hit\n`)
process.stdout.write(`${Number(values.seeds) - failed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 ? 0 : 1

// npm run test:faults -- [--seeds 1000] [--seed 1] [--harm NAME] [--apps 1,2,4] [--workers 2]
// npm run test:faults -- --kills 200 [--processes 1] [--together 4] [--seed 1]
// Plays stories under each kind of trouble, seed by seed, and compares what is left with one App's story without any;
// or kills processes of the App at random moments under load, as often as asked for, and verifies the log each time.

import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { killedOften } from './fleet.ts'
import { HARMS } from './harms.ts'
import { NO_HARM, played } from './play.ts'
import { difference } from './traces.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    harm: { type: 'string' },
    /** How many Apps write the one log, by turns of the seeds; to several of them two stories at a time. */
    apps: { type: 'string', default: '1,2,4' },
    workers: { type: 'string', default: String(availableParallelism()) },
    kills: { type: 'string' },
    processes: { type: 'string', default: '1' },
    /** Stories that are told at the same time while processes are killed. */
    together: { type: 'string', default: '4' },
    /** Of a worker: it plays each n-th seed. */
    step: { type: 'string' },
  },
})
const harms = values.harm === undefined ? HARMS : HARMS.filter((harm) => harm.name === values.harm)
if (harms.length === 0) throw new Error(`expected one of ${HARMS.map((harm) => harm.name).join(', ')}`)
const first = Number(values.seed)
const apps = values.apps.split(',').map(Number)
const count = Number(values.seeds)

interface Told {
  readonly seed: number
  readonly harm: string
  readonly apps: number
  readonly hits: number
  readonly problem: string | null
}

/** Plays the seeds of one worker and tells each result as a line of JSON. */
async function work(step: number): Promise<void> {
  const { traces: expected } = await played(NO_HARM, first)
  for (let seed = first; seed < first + count; seed += step) {
    const harm = harms[seed % harms.length] ?? NO_HARM
    /** Every harm meets every number of Apps. */
    const together = apps[Math.floor(seed / harms.length) % apps.length] ?? 1
    const told = await played(harm, seed, { apps: together, stories: Math.min(together, 2) }).then(
      ({ traces: found, hits }): Pick<Told, 'hits' | 'problem'> => ({ hits, problem: difference(expected, found) }),
      (error: unknown) => ({ hits: 0, problem: String(error) }),
    )
    process.stdout.write(`${JSON.stringify({ seed, harm: harm.name, apps: together, ...told } satisfies Told)}\n`)
  }
}

/** Shares the seeds out to processes, prints each one that ended otherwise, and sums up. */
async function lead(workers: number): Promise<void> {
  const startedMs = performance.now()
  let done = 0
  let failed = 0
  let hits = 0
  const tell = ({ seed, harm, apps: together, hits: struck, problem }: Told): void => {
    done += 1
    hits += struck
    if (problem !== null) {
      failed += 1
      process.stdout.write(`seed ${seed}, ${harm}, Apps: ${together}: DIFFERENT\n   ${problem}\n`)
    }
    if (done % 50 === 0) process.stdout.write(`${done} of ${count}, ${failed} different\n`)
  }
  const harmOption = values.harm === undefined ? [] : ['--harm', values.harm]
  await Promise.all(
    Array.from({ length: Math.min(workers, count) }, async (_, index) => {
      const own = [
        '--apps',
        values.apps,
        '--seed',
        String(first + index),
        '--seeds',
        String(count - index),
        '--step',
        String(workers),
      ]
      const child = spawn(process.execPath, [fileURLToPath(import.meta.url), ...own, ...harmOption], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
      for await (const line of createInterface({ input: child.stdout })) tell(JSON.parse(line) as Told)
      const code = await ended
      if (code !== 0)
        throw new Error(`expected the worker of seed ${first + index} to end well, found exit code ${code}`)
    }),
  )
  const minutes = ((performance.now() - startedMs) / 60_000).toFixed(1)
  process.stdout.write(
    `seeds ${first} to ${first + count - 1}: ${hits} requests and deliveries were hit, in ${minutes} min\n`,
  )
  process.stdout.write(`${done - failed} passed, ${failed} failed\n`)
  process.exitCode = failed === 0 && done === count ? 0 : 1
}

/** One history through all kills. */
async function kill(kills: number): Promise<void> {
  const startedMs = performance.now()
  const { traces: expected } = await played(NO_HARM, first)
  const told = (done: number): void => {
    if (done % 10 === 0) process.stdout.write(`${done} of ${kills} kills\n`)
  }
  const { traces, broken, stories } = await killedOften(first, {
    kills,
    processes: Number(values.processes),
    together: Number(values.together),
    told,
  })
  const problems = [...broken, difference(expected, traces)].filter((problem) => problem !== null)
  for (const problem of problems) process.stdout.write(`DIFFERENT\n   ${problem}\n`)
  const minutes = ((performance.now() - startedMs) / 60_000).toFixed(1)
  process.stdout.write(
    `seed ${first}, processes: ${values.processes}: ${kills} kills in ${stories} stories, in ${minutes} min\n`,
  )
  process.stdout.write(`${problems.length === 0 ? kills : 0} passed, ${problems.length} failed\n`)
  process.exitCode = problems.length === 0 ? 0 : 1
}

if (values.kills !== undefined) await kill(Number(values.kills))
else await (values.step === undefined ? lead(Number(values.workers)) : work(Number(values.step)))

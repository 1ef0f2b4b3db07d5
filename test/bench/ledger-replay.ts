import type { AggregateKey, LedgerEvent } from '../../src/core/event.ts'
import { sha256 } from '../../src/core/json.ts'
import { model } from '../../src/core/model.ts'
import { redecide } from '../../src/engine/redecide.ts'
import { cutIntoFiles, encodeEvents, ORIGIN, parseEventFile } from '../../src/ledger/codec.ts'
import { eventsOf, gateRequested, play, proposedHead, releaseReview, stage, started } from '../engine/stage.ts'
import { eventAt, LARGE, type World } from './ledger-history.ts'
import { grouped, medianOf, table, toldOf } from './measure.ts'

const EVENTS = 50_000
const ROUNDS = 7
/** Wanted of replay on one core. A machine that others use too may miss it, so it is told and fails nothing. */
const EVENTS_A_SECOND = 100_000
const WORLD: World = { ...LARGE, runs: false, eventEveryMs: 360, before: 0 }

interface Contender {
  readonly name: string
  readonly work: () => void
}

/**
 * Events a second of processor time: on a machine that others use too, a second on the clock is not a second on a core.
 * Work that the runtime does on other threads, such as collecting garbage, counts against it.
 */
function ratesOf(contenders: readonly Contender[], count: number): { median: number; best: number }[] {
  const rates: number[][] = contenders.map(() => [])
  for (const { work } of contenders) work()
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, { work }] of contenders.entries()) {
      const before = process.cpuUsage()
      work()
      const { user, system } = process.cpuUsage(before)
      rates[index]?.push((count * 1_000_000) / (user + system))
    }
  }
  return rates.map((all) => ({ median: medianOf(all), best: Math.max(...all) }))
}

function contendersOf(world: World): Contender[] {
  const drafts = Array.from({ length: EVENTS }, (_, index) => eventAt(world, index, EVENTS))
  const { lines } = encodeEvents(drafts, ORIGIN)
  const files = cutIntoFiles(lines, 1)
  return [
    {
      name: 'replay with chain',
      work: () => {
        const states = new Map<AggregateKey, unknown>()
        let at = ORIGIN
        for (const { bytes } of files) {
          const parsed = parseEventFile('events', bytes, at)
          if (!parsed.ok) throw new Error(parsed.problems[0]?.message)
          for (const event of parsed.value.events)
            for (const key of model.keysOf(event)) states.set(key, model.evolve(key, states.get(key), event))
          at = parsed.value.position
        }
      },
    },
    {
      name: 'JSON.parse of each line alone',
      work: () => {
        for (const line of lines) JSON.parse(line)
      },
    },
    {
      name: 'SHA-256 of each line alone',
      work: () => {
        for (const line of lines) sha256(line)
      },
    },
  ]
}

/** Events that are read, chained and folded into state, without any store, beside the least that this could cost. */
export function benchReplay(write: (line: string) => void): void {
  const worlds = [
    ['deployments', WORLD],
    ['deployments by a run each', { ...WORLD, runs: true }],
  ] as const
  const measured = worlds.map(([what, world]) => {
    const contenders = contendersOf(world)
    const rates = ratesOf(contenders, EVENTS)
    return { what, contenders, rates, replay: rates[0]?.median ?? Number.NaN }
  })
  const rows = measured.flatMap(({ what, contenders, rates, replay }) => {
    return contenders.map(({ name }, index) => {
      const { median, best } = rates[index] ?? { median: Number.NaN, best: Number.NaN }
      return [`${what}, ${name}`, grouped(median), grouped(best), `${(median / replay).toFixed(1)}×`]
    })
  })
  write(table([`${grouped(EVENTS)} events`, 'a second of one core, median', 'best', 'against replay'], rows))
  const [deployments] = measured
  if (!deployments) return
  const { what, replay: found } = deployments
  const name = `${what}, replay with chain`
  write('')
  write(toldOf({ name, found, limit: 'at least', wanted: EVENTS_A_SECOND, unit: 'events a second of one core' }))
}

/** A log with gate and sign-off decisions, and the state before each of them. */
async function decisions() {
  const on = stage()
  await started(on)
  await play(on, gateRequested())
  on.outside.approve('eve', proposedHead(on.outside))
  on.now = '2026-11-20T11:00:00Z'
  await play(on, releaseReview())
  await on.engine.close()
  const view = await on.ledger.view()
  const states = new Map<AggregateKey, unknown>()
  const found: { readonly event: LedgerEvent; readonly before: ReadonlyMap<AggregateKey, unknown> }[] = []
  const document = (path: string) => view.document(path)
  for (const event of eventsOf(on.branch) as unknown as LedgerEvent[]) {
    const problems = await redecide(event, (key) => states.get(key), document)
    if (problems !== null && problems.length > 0) throw new Error(problems[0]?.message)
    if (problems !== null) found.push({ event, before: new Map(states) })
    for (const key of model.keysOf(event)) states.set(key, model.evolve(key, states.get(key), event))
  }
  return { found, document }
}

const DECIDED = 2_000

/** Recorded decisions that are made again from their configuration, state and facts, and compared, as `verify` does. */
export async function benchRedecide(write: (line: string) => void): Promise<void> {
  const { found, document } = await decisions()
  const rows: string[][] = []
  for (const type of ['gate.decided', 'signoff.decided']) {
    const own = found.filter(({ event }) => event.type === type)
    const rates: number[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      const before = process.cpuUsage()
      for (let index = 0; index < DECIDED; index += 1) {
        const entry = own[index % own.length]
        if (entry) await redecide(entry.event, (key) => entry.before.get(key), document)
      }
      const { user, system } = process.cpuUsage(before)
      rates.push((DECIDED * 1_000_000) / (user + system))
    }
    rows.push([type, grouped(medianOf(rates)), grouped(Math.max(...rates))])
  }
  write(table(['decided again', 'a second of one core, median', 'best'], rows))
}

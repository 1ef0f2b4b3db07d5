import { createHash, hash } from 'node:crypto'
import { bucketHasher } from '../../src/core/cohort/bucket.ts'
import { type CohortOffer, effectOf } from '../../src/core/cohort/effect.ts'
import { staticAdmission } from '../../src/core/cohort/phase.ts'
import { prepareChannel } from '../../src/core/cohort/prepared-channel.ts'
import { resolve } from '../../src/core/cohort/resolve.ts'
import type { ChannelRelease, Device, DeviceReport } from '../../src/core/cohort/schema.ts'
import { type FleetGroup, type SimulatedChannel, simulate } from '../../src/core/cohort/simulate.ts'
import { COHORT, chainOf, NOW, pseudonymOf, releaseId, reportOf, versionOf } from './channels.ts'
import { type Contender, grouped, medianOf, ratesOf, table, times } from './measure.ts'
import { loopResolve, parsedLoop, parsingLoop } from './plain-loops.ts'

const DEVICES = 1 << 17
const HALF = `8${'0'.repeat(31)}`

interface Asked {
  readonly report: DeviceReport
  readonly device: Device
}

const askedBy = (releases: number): Asked[] =>
  Array.from({ length: DEVICES }, (_, at) => ({
    report: reportOf(at, releases),
    device: { pseudonym: pseudonymOf(at), tags: [], quarantined: false },
  }))

/** Half of the devices are admitted to every release, so that the walk back is in the measure too. */
const phaseOf = (isPhased: boolean): unknown =>
  isPhased ? { kind: 'share', salt: 'a salt of some 22 chars', threshold: HALF } : { kind: 'everybody' }

function contendersFor(releases: number, isPhased: boolean) {
  const chain = chainOf(releases)
  const admission = staticAdmission(COHORT)
  const phase = phaseOf(isPhased)
  const admits = (release: ChannelRelease) => admission.of(release.id, phase)
  const channel = prepareChannel({ releases: chain.map((release) => ({ ...release, phase })), admission })
  const parsing = parsingLoop(chain, admits)
  const parsed = parsedLoop(chain, admits)
  return [
    {
      name: 'ringmaster',
      decide: ({ report, device }: Asked) => {
        const resolution = resolve({ channel, overrides: [], report, device, now: NOW })
        return resolution.kind === 'update' ? resolution.source.id : undefined
      },
    },
    { name: 'loop, parsed once', decide: ({ report, device }: Asked) => loopResolve(parsed, report, device, NOW) },
    { name: 'loop, parsing', decide: ({ report, device }: Asked) => loopResolve(parsing, report, device, NOW) },
  ]
}

type Decider = ReturnType<typeof contendersFor>[number]

/** A measure of wrong answers is worth nothing: all three have to serve the same release to the same device. */
function demandAgreement(deciders: readonly Decider[], asked: readonly Asked[]): void {
  for (const question of asked.slice(0, 2_000)) {
    const answers = new Set(deciders.map(({ decide }) => decide(question)))
    if (answers.size !== 1) throw new Error(`expected one answer, found ${[...answers].join(' and ')}`)
  }
}

const asContender = ({ name, decide }: Decider, asked: readonly Asked[]): Contender => ({
  name,
  work: (count) => {
    let served = 0
    for (let at = 0; at < count; at += 1) {
      const question = asked[at & (DEVICES - 1)]
      if (question !== undefined && decide(question) !== undefined) served += 1
    }
    return served
  },
})

function decisionRow(releases: number, isPhased: boolean): string[] {
  const asked = askedBy(releases)
  const deciders = contendersFor(releases, isPhased)
  demandAgreement(deciders, asked)
  const rates = ratesOf(deciders.map((decider) => asContender(decider, asked)))
  const [own = 0, parsed = 0, parsing = 0] = deciders.map(({ name }) => rates.get(name) ?? 0)
  return [
    `${grouped(releases)}, ${isPhased ? 'half admitted by bucket' : 'everybody admitted'}`,
    grouped(own),
    grouped(parsed),
    grouped(parsing),
    times(own / Math.max(parsed, parsing)),
  ]
}

/** The hash alone, on bytes of the same length that lie ready: by a hash object, and in one call. */
function bucketRow(): string[] {
  const bucket = bucketHasher({ cohort: COHORT, release: 'Gateway@2.1.0', salt: 'a salt of some 22 chars' })
  const pseudonyms = Array.from({ length: DEVICES }, (_, at) => pseudonymOf(at))
  const ready = pseudonyms.map((pseudonym) =>
    Buffer.from(`phase/1....eu....Gateway@2.1.0....a salt of some 22 chars....${pseudonym}`),
  )
  const none = Buffer.alloc(0)
  const rates = ratesOf([
    { name: 'bucket', work: (count) => lastOf(count, (at) => bucket(pseudonyms[at] ?? '')) },
    { name: 'one call', work: (count) => lastOf(count, (at) => hash('sha256', ready[at] ?? none, 'hex')) },
    {
      name: 'hash object',
      work: (count) =>
        lastOf(count, (at) =>
          createHash('sha256')
            .update(ready[at] ?? none)
            .digest('hex'),
        ),
    },
  ])
  return ['bucket', 'one call', 'hash object'].map((name) => grouped(rates.get(name) ?? 0))
}

function lastOf(count: number, work: (at: number) => string): string {
  let last = ''
  for (let at = 0; at < count; at += 1) last = work(at & (DEVICES - 1))
  return last
}

const SIMULATED = 1_000_000
const SIMULATIONS = 3
const RELEASES = 100

/** One more release, for half of the fleet by bucket, played over devices that are all different. */
function simulationRow(name: string, fleet: () => Iterable<FleetGroup>): string[] {
  const sideOf = (chain: ChannelRelease[], halved: string | undefined): SimulatedChannel => ({
    channel: { cohort: COHORT, requirementDialect: 'elixir', releases: chain },
    overrides: [],
    admission: { of: (id) => staticAdmission(COHORT).of(id, phaseOf(id === halved)) },
  })
  const after = chainOf(RELEASES + 1)
  const question = {
    before: sideOf(chainOf(RELEASES), undefined),
    after: sideOf(after, after.at(-1)?.id),
    now: NOW,
  }
  const seconds: number[] = []
  let changed = 0
  for (let round = 0; round < SIMULATIONS; round += 1) {
    const started = performance.now()
    changed = simulate({ ...question, fleet: fleet() }).changed
    seconds.push((performance.now() - started) / 1_000)
  }
  return [name, grouped(SIMULATED), grouped(changed), `${medianOf(seconds).toFixed(1)} s`]
}

/** As a command tells it: everybody enrolled, as if on each version of the channel, from a roster that has to be sorted. */
function rosterRow(): string[] {
  const offerOf = (chain: ChannelRelease[]): CohortOffer => ({
    channel: { cohort: COHORT, requirementDialect: 'elixir', releases: chain },
    overrides: [],
    salts: [],
    admission: 'static',
    quarantine: null,
    entryRelease: null,
    released: chain.map(({ bundle }) => bundle),
  })
  const before = offerOf(chainOf(RELEASES))
  const after = offerOf(
    chainOf(RELEASES + 1).map((release) =>
      release.next === null ? { ...release, phase: { kind: 'share', share: '0.5' } } : release,
    ),
  )
  const entries = Array.from({ length: SIMULATED }, (_, at) => ({
    pseudonym: at.toString(16).padStart(32, '0'),
    epoch: 1,
    tags: [],
  }))
  const known = { roster: { epoch: 1, entries }, reports: new Map(), published: undefined, book: undefined }
  const seconds: number[] = []
  let changed = 0
  for (let round = 0; round < SIMULATIONS; round += 1) {
    const started = performance.now()
    changed = effectOf({ before, after, others: [], now: NOW }, known).changed
    seconds.push((performance.now() - started) / 1_000)
  }
  const name = `everybody on a roster, tried on each of ${RELEASES} versions`
  return [name, grouped(SIMULATED), grouped(changed), `${medianOf(seconds).toFixed(1)} s`]
}

function* fleetOf(report: (device: number) => DeviceReport): Generator<FleetGroup> {
  for (let at = 0; at < SIMULATED; at += 1) {
    yield { report: report(at), device: { pseudonym: pseudonymOf(at), tags: [], quarantined: false }, devices: 1 }
  }
}

/** Most of a real fleet is near the end of its channel, and runs what the channel released. */
function usualReport(device: number): DeviceReport {
  const at = RELEASES - 1 - ((device % 10) ** 2 % RELEASES)
  return { release: releaseId(at), bundle: releaseId(at), version: versionOf(at) }
}

/** Decisions, buckets and the simulation, as Markdown tables. */
export function benchResolve(write: (line: string) => void): void {
  const cases = [10, 100, 1_000].flatMap((releases) => [false, true].map((isPhased) => decisionRow(releases, isPhased)))
  const head = [
    'releases in the channel',
    'ringmaster',
    'loop, parsed once',
    'loop, parsing',
    'against the better loop',
  ]
  write('Decisions a second on one core, distinct reports, median of 7 rounds:\n')
  write(`${table(head, cases)}\n`)
  write('Buckets a second, median of 7 rounds:\n')
  write(`${table(['bucket', 'SHA-256 alone, one call', 'SHA-256 alone, hash object'], [bucketRow()])}\n`)
  write(`Simulation of one more release after ${RELEASES}, median of ${SIMULATIONS} rounds:\n`)
  const rows = [
    simulationRow('devices near the end of the channel', () => fleetOf(usualReport)),
    simulationRow('no two reports alike, all over the channel', () => fleetOf((at) => reportOf(at, RELEASES))),
    rosterRow(),
  ]
  write(table(['fleet', 'devices', 'whose offer changes', 'time'], rows))
  const megabytes = Math.round(process.resourceUsage().maxRSS / 1_000)
  write(`\nMost memory of the process, the roster included: ${grouped(megabytes)} MB`)
}

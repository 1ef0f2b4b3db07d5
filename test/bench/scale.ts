import { grouped, table } from './measure.ts'
import { measureWire, type Visit, type Wire } from './wire.ts'

/** What cannot be measured on the loopback interface. Every table names what it was computed with. */
const ASSUMED = {
  pollsPerDay: 24,
  /** Of a response of a public host, beyond the handful of bytes of the measured one. */
  extraHeaderBytes: 600,
  /** A device that sleeps between polls opens a new connection each time: TLS 1.3 with a usual certificate chain. */
  connectionBytes: 5_000,
  /** A cohort gets a new release this often. */
  releasesPerCohortDay: 1 / 7,
  releases: 10,
  cdnEdges: 100,
  cdnSeconds: 60,
  /** The soft limit of GitHub Pages. */
  pagesBytesPerMonth: 100e9,
} as const

const FLEETS = [10_000, 1_000_000, 10_000_000] as const
const COHORTS = [10, 1_000] as const
const DAY_SECONDS = 86_400
const GIGABYTE = 1e9

interface Day {
  readonly requests: number
  readonly bytes: number
}

const bytesOf = ({ requests, sent, received }: Visit): number =>
  sent + received + requests * ASSUMED.extraHeaderBytes + ASSUMED.connectionBytes

/**
 * A device's day: most polls find nothing new; every publication of any cohort makes a new snapshot, which the next
 * poll fetches once, however many publications lie between two polls.
 */
function dayOf(wire: Wire, publicationsPerDay: number): Day {
  const { pollsPerDay, releasesPerCohortDay } = ASSUMED
  const news = Math.min(pollsPerDay, Math.max(publicationsPerDay, releasesPerCohortDay))
  const own = Math.min(news, releasesPerCohortDay)
  const parts: readonly (readonly [number, Visit])[] = [
    [own, wire.released],
    [news - own, wire.elsewhere],
    [pollsPerDay - news, wire.idle],
  ]
  return {
    requests: parts.reduce((sum, [polls, visit]) => sum + polls * visit.requests, 0),
    bytes: parts.reduce((sum, [polls, visit]) => sum + polls * bytesOf(visit), 0),
  }
}

interface Rhythm {
  readonly name: string
  readonly publicationsPerDay: (cohorts: number) => number
}

/** Beside releases, the timestamp and what else runs out are signed again once a day. */
const RHYTHMS: readonly Rhythm[] = [
  { name: 'at once', publicationsPerDay: (cohorts) => 1 + cohorts * ASSUMED.releasesPerCohortDay },
  {
    name: 'gathered, four times a day',
    publicationsPerDay: (cohorts) => Math.min(4, 1 + cohorts * ASSUMED.releasesPerCohortDay),
  },
]

const bytesText = (bytes: number): string =>
  bytes >= 1_000 * GIGABYTE ? `${(bytes / GIGABYTE / 1_000).toFixed(1)} TB` : `${(bytes / GIGABYTE).toFixed(1)} GB`

function fleetRows(wires: ReadonlyMap<number, Wire>): string[][] {
  return COHORTS.flatMap((cohorts) => {
    const told = new Set<number>()
    return RHYTHMS.flatMap(({ name, publicationsPerDay }) => {
      const wire = wires.get(cohorts)
      const publications = publicationsPerDay(cohorts)
      if (wire === undefined || told.has(publications)) return []
      told.add(publications)
      const day = dayOf(wire, publications)
      return FLEETS.map((devices) => [
        grouped(devices),
        grouped(cohorts),
        `${name} (${publications.toFixed(1)} a day)`,
        grouped(devices * day.requests),
        grouped((devices * day.requests) / DAY_SECONDS),
        bytesText(devices * day.bytes),
        bytesText(devices * day.bytes * 30),
      ])
    })
  })
}

/** Files that a publication adds or changes and a CDN has to fetch: pointer, snapshot, a cohort, its manifest, bundles. */
const FILES_OF_A_PUBLICATION = 5

/** What reaches the bucket itself: each edge asks for the two names that a poll asks for once while it keeps them. */
function originDay(wire: Wire, day: Day, devices: number, publicationsPerDay: number): Day {
  const { cdnEdges, cdnSeconds, extraHeaderBytes } = ASSUMED
  const polls = DAY_SECONDS / cdnSeconds
  const perPoll = wire.idle.sent + wire.idle.received + wire.idle.requests * extraHeaderBytes
  const perPublication =
    wire.released.sent +
    wire.released.received -
    wire.idle.sent -
    wire.idle.received +
    FILES_OF_A_PUBLICATION * extraHeaderBytes
  const requests = cdnEdges * (polls * wire.idle.requests + publicationsPerDay * FILES_OF_A_PUBLICATION)
  const bytes = cdnEdges * (polls * perPoll + publicationsPerDay * perPublication)
  return { requests: Math.min(devices * day.requests, requests), bytes: Math.min(devices * day.bytes, bytes) }
}

function hostingRows(wire: Wire, cohorts: number): string[][] {
  const publications = 1 + cohorts * ASSUMED.releasesPerCohortDay
  const day = dayOf(wire, publications)
  return FLEETS.map((devices) => {
    const requests = devices * day.requests
    const monthBytes = devices * day.bytes * 30
    const origin = originDay(wire, day, devices, publications)
    return [
      grouped(devices),
      grouped(cohorts),
      `${bytesText(monthBytes)}, ${grouped((monthBytes / ASSUMED.pagesBytesPerMonth) * 100)} %`,
      `${grouped(requests)}, ${bytesText(devices * day.bytes)}`,
      `${grouped(origin.requests)}, ${bytesText(origin.bytes)}`,
    ]
  })
}

interface Host {
  readonly name: string
  /** From the commit or the last write until the first device could see it. */
  readonly publishSeconds: number
  /** How long a cache may go on answering the timestamp of before. */
  readonly cacheSeconds: number
}

/** Sources stand beside the table in docs/scale.md. */
const HOSTS: readonly Host[] = [
  { name: 'a directory behind a web server', publishSeconds: 1, cacheSeconds: 0 },
  { name: 'an S3-compatible bucket', publishSeconds: 10, cacheSeconds: 0 },
  {
    name: 'a bucket behind a CDN that keeps answers for a minute',
    publishSeconds: 10,
    cacheSeconds: ASSUMED.cdnSeconds,
  },
  { name: 'GitHub Pages', publishSeconds: 600, cacheSeconds: 600 },
]

const DECIDERS = [
  { name: 'App as a server', seconds: 30 },
  { name: 'App in a workflow', seconds: 900 },
] as const

const POLL_SECONDS = DAY_SECONDS / ASSUMED.pollsPerDay
/** `nextPollSeconds` lets a poll come a tenth later than its hint. */
const LATEST_POLL_SECONDS = POLL_SECONDS * 1.1

const minutesText = (seconds: number): string => `${Math.ceil(seconds / 60)} min`

const hostRows = (): string[][] =>
  HOSTS.map(({ name, publishSeconds, cacheSeconds }) => [
    name,
    minutesText(publishSeconds),
    minutesText(cacheSeconds),
    ...DECIDERS.map(({ seconds }) => minutesText(seconds + publishSeconds + cacheSeconds + LATEST_POLL_SECONDS)),
  ])

function sizeRows(wires: ReadonlyMap<number, Wire>): string[][] {
  return [...wires].map(([cohorts, { idle, elsewhere, released, first, files }]) => [
    grouped(cohorts),
    ...['snapshot', 'targets'].flatMap((name) => {
      const size = files.get(name)
      return size === undefined ? ['', ''] : [grouped(size.raw), grouped(size.gzip)]
    }),
    ...[idle, elsewhere, released, first].map((visit) => grouped(visit.sent + visit.received)),
  ])
}

/** What fleets cost in requests and bytes, and how long a halt takes at worst, as Markdown tables. */
export async function benchScale(write: (line: string) => void): Promise<void> {
  const wires = new Map<number, Wire>()
  for (const cohorts of COHORTS) wires.set(cohorts, await measureWire(cohorts, ASSUMED.releases))
  write(`Measured, bytes; ${ASSUMED.releases} releases a cohort, HTTP without TLS, nothing compressed on the wire:\n`)
  const sizes = [
    'cohorts',
    'snapshot',
    'gzip',
    'targets',
    'gzip',
    'idle poll',
    'news elsewhere',
    'own release',
    'first poll',
  ]
  write(`${table(sizes, sizeRows(wires))}\n`)
  write(
    `Computed, with ${ASSUMED.pollsPerDay} polls a day, ${ASSUMED.extraHeaderBytes} more header bytes a response, ${grouped(ASSUMED.connectionBytes)} bytes for a new connection a poll, and a release a week for each cohort:\n`,
  )
  const costs = ['devices', 'cohorts', 'published', 'requests a day', 'a second', 'bytes a day', 'in 30 days']
  write(`${table(costs, fleetRows(wires))}\n`)
  write(
    `By host, published at once; a CDN of ${ASSUMED.cdnEdges} edges that keeps answers for ${ASSUMED.cdnSeconds} seconds:\n`,
  )
  const hosting = [
    'devices',
    'cohorts',
    'GitHub Pages: in 30 days, of its 100 GB',
    'bucket, web server or CDN to devices: a day',
    'CDN from its bucket: a day',
  ]
  write(
    `${table(
      hosting,
      [...wires].flatMap(([cohorts, wire]) => hostingRows(wire, cohorts)),
    )}\n`,
  )
  write(
    `Worst-case time of a halt until the last connected device has seen it, with polls every ${minutesText(POLL_SECONDS)}:\n`,
  )
  write(table(['host', 'publishing', 'cache', ...DECIDERS.map(({ name }) => name)], hostRows()))
}

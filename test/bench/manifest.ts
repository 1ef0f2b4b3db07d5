import { bundleSizes, manifestBytes, type Sizes, sizesOf } from './manifest-sizes.ts'
import { grouped, table } from './measure.ts'
import { measureWire, type Visit } from './wire.ts'

const COUNTS = [1, 10, 100, 1_000] as const

const sizeRow = (name: string, { raw, gzip, brotli }: Sizes, per: number): string[] => [
  name,
  grouped(raw),
  grouped(raw / per),
  grouped(gzip / per),
  grouped(brotli / per),
]

const visitRow = (name: string, { requests, sent, received }: Visit): string[] => [
  name,
  String(requests),
  grouped(sent),
  grouped(received),
  grouped(sent + received),
]

/** Bytes of manifests, and bytes on the wire of devices that ask for them, as Markdown tables. */
export async function benchManifest(write: (line: string) => void): Promise<void> {
  const rows = [
    ...COUNTS.map((count) => sizeRow(`${grouped(count)} releases`, sizesOf(manifestBytes(count)), count)),
    sizeRow('the document of one bundle (2 targets)', bundleSizes(), 1),
  ]
  write('Bytes of a manifest:\n')
  write(`${table(['manifest of', 'whole', 'a release', 'gzip', 'brotli'], rows)}\n`)
  const wire = await measureWire(10, 10)
  write('Bytes of HTTP without TLS, from a host that compresses nothing; 10 cohorts of 10 releases:\n')
  write(
    table(
      ['poll', 'requests', 'sent', 'received', 'both'],
      [
        visitRow('idle, ringmaster', wire.idle),
        visitRow('idle, a bare tuf-js refresh (no manifest)', wire.tufIdle),
        visitRow('the first ever, ringmaster', wire.first),
        visitRow('the first ever, a bare tuf-js refresh (no manifest)', wire.tufFirst),
        visitRow('after a release in its cohort, ringmaster', wire.released),
        visitRow('after a release in another cohort, ringmaster', wire.elsewhere),
      ],
    ),
  )
}

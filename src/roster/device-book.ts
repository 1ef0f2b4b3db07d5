import { join } from 'node:path'
import { z } from 'zod'
import { InstallReport } from '../core/cohort/brake-schema.ts'
import type { ClaimBook } from '../core/cohort/claims.ts'
import { framedKey } from '../core/cohort/framed-key.ts'
import { type Device, DeviceReport, Epoch, Id, Instant, Tag } from '../core/cohort/schema.ts'
import { publicName } from '../core/manifest/names.ts'
import { openJournal } from './journal.ts'

const Entry = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('claim'), device: Id, release: Id, at: Instant }),
  z.object({ kind: z.literal('install'), ...InstallReport.shape }),
  /** What a device said that it runs, with what its enrolment record says of it. */
  z.object({
    kind: z.literal('runs'),
    device: Id,
    epoch: Epoch,
    tags: z.array(Tag),
    report: DeviceReport,
    at: Instant,
  }),
])
type Entry = z.infer<typeof Entry>

const keyOf = (entry: Entry): string =>
  framedKey([
    entry.kind,
    entry.device,
    'release' in entry ? entry.release : null,
    entry.kind === 'install' ? entry.said : null,
  ])

/** A device that asks again within this time says nothing new: silence is measured in hours. */
const HEARD_AGAIN_MS = 10 * 60_000

/** What the devices of one cohort claimed and said. */
export interface DeviceBook {
  /** The book that counted admission reads. `size` is how many devices the cohort has. */
  claims(size: number): ClaimBook
  /** Keeps a claim; one that is held is kept as it is. */
  claim(release: string, device: string, at: string): Promise<void>
  heard(report: InstallReport): Promise<void>
  runs(
    device: Device & { readonly pseudonym: string; readonly epoch: number },
    report: DeviceReport,
    at: string,
  ): Promise<void>
  installs(): Iterable<InstallReport>
  /** By pseudonym, with what the enrolment record said. */
  known(): ReadonlyMap<string, { readonly report: DeviceReport; readonly device: Device }>
  close(): Promise<void>
}

/** Opens the book of a cohort: a file in the cohort's place beside its roster. */
export async function openDeviceBook(directory: string, cohort: string): Promise<DeviceBook> {
  const path = join(directory, publicName(cohort), 'devices.ndjson')
  const journal = await openJournal({ path, schema: Entry, keyOf })
  const counts = new Map<string, number>()
  const counted = (release: string): void => void counts.set(release, (counts.get(release) ?? 0) + 1)
  for (const entry of journal.values()) if (entry.kind === 'claim') counted(entry.release)
  const claimKey = (release: string, device: string): string => keyOf({ kind: 'claim', release, device, at: '' })
  return {
    claims: (size) => ({
      count: (release) => counts.get(release) ?? 0,
      holds: (release, { pseudonym }) =>
        pseudonym !== undefined && journal.get(claimKey(release, pseudonym)) !== undefined,
      cohortSize: () => size,
    }),
    async claim(release, device, at) {
      if (journal.get(claimKey(release, device)) !== undefined) return
      counted(release)
      await journal.put({ kind: 'claim', release, device, at })
    },
    async heard(report) {
      const entry: Entry = { kind: 'install', ...report }
      const before = journal.get(keyOf(entry))
      const isNew = before?.kind !== 'install' || Date.parse(report.at) - Date.parse(before.at) >= HEARD_AGAIN_MS
      if (isNew) await journal.put(entry)
    },
    async runs({ pseudonym, epoch, tags }, report, at) {
      const entry: Entry = { kind: 'runs', device: pseudonym, epoch, tags, report, at }
      const before = journal.get(keyOf(entry))
      const said = (of: Entry | undefined): string | null =>
        of?.kind === 'runs' ? JSON.stringify([of.report.release, of.report.bundle, of.report.version, of.tags]) : null
      if (said(before) !== said(entry)) await journal.put(entry)
    },
    *installs() {
      for (const entry of journal.values()) {
        if (entry.kind !== 'install') continue
        const { kind: _, ...report } = entry
        yield report
      }
    },
    known() {
      const found = new Map<string, { report: DeviceReport; device: Device }>()
      for (const entry of journal.values()) {
        if (entry.kind !== 'runs') continue
        const device = { pseudonym: entry.device, epoch: entry.epoch, tags: entry.tags, quarantined: false }
        found.set(entry.device, { report: entry.report, device })
      }
      return found
    },
    close: journal.close,
  }
}

/** The books of all cohorts, each opened once. */
export interface DeviceBooks {
  of(cohort: string): Promise<DeviceBook>
  close(): Promise<void>
}

export function deviceBooks(directory: string): DeviceBooks {
  const books = new Map<string, Promise<DeviceBook>>()
  return {
    of(cohort) {
      const known = books.get(cohort) ?? openDeviceBook(directory, cohort)
      books.set(cohort, known)
      known.catch(() => books.delete(cohort))
      return known
    },
    async close() {
      await Promise.allSettled([...books.values()].map(async (book) => (await book).close()))
    },
  }
}

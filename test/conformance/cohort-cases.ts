import { readFile } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import type { Resolution } from '../../src/core/cohort/resolve.ts'
import { Device, type DeviceReport } from '../../src/core/cohort/schema.ts'
import type { SuiteResult } from './suite.ts'

export interface CaseCheck {
  readonly id: string
  /** What is wrong, in sentences; empty when the case passes. May throw where the case cannot be read. */
  readonly run: () => readonly string[]
}

const shown = (value: unknown): string => JSON.stringify(value) ?? String(value)

export const equal = (what: string, found: unknown, expected: unknown): string[] =>
  isDeepStrictEqual(found, expected) ? [] : [`${what}: expected ${shown(expected)}, found ${shown(found)}`]

/** Runs every case; one that cannot be read fails like one that is answered wrongly. */
export function runCases(cases: readonly CaseCheck[]): SuiteResult {
  const failed: { id: string; why: string }[] = []
  for (const { id, run } of cases) {
    const why = outcome(run)
    if (why.length > 0) failed.push({ id, why: why.join('; ') })
  }
  return { passed: cases.length - failed.length, failed }
}

/** Reads a case file and runs it; throws where the file itself cannot be read. */
export const runFile = async (file: string, casesOf: (raw: unknown) => readonly CaseCheck[]): Promise<SuiteResult> =>
  runCases(casesOf(JSON.parse(await readFile(file, 'utf8'))))

function outcome(run: () => readonly string[]): readonly string[] {
  try {
    return run()
  } catch (error) {
    return [`cannot be read: ${error instanceof Error ? error.message.replaceAll(/\s+/g, ' ') : String(error)}`]
  }
}

/** A device as the cases write it; a member that is null or cannot be read is not known. */
export function caseDevice(raw: unknown): Device {
  const members = typeof raw === 'object' && raw !== null ? Object.entries(raw) : []
  const schemas = new Map<string, z.ZodType>(Object.entries(Device.shape))
  return Device.parse(
    Object.fromEntries(members.filter(([name, value]) => schemas.get(name)?.safeParse(value).success)),
  )
}

/** A header is text: anything else is malformed, and what is malformed is passed over like what is left out. */
const Header = z
  .unknown()
  .transform((value) => (typeof value === 'string' ? value : undefined))
  .optional()

/** A report in the header names of the documented device API; other headers say nothing. */
export const CaseReport = z.object({ release_prn: Header, bundle_prn: Header, release_version: Header }).transform(
  (report): DeviceReport => ({
    ...(report.release_prn === undefined ? {} : { release: report.release_prn }),
    ...(report.bundle_prn === undefined ? {} : { bundle: report.bundle_prn }),
    ...(report.release_version === undefined ? {} : { version: report.release_version }),
  }),
)

/** With no update all other response fields are null, which the cases leave out or write. */
export const CaseExpectation = z
  .object({
    status: z.enum(['update', 'no_update', 'device_quarantine']),
    source_type: z.string().nullish(),
    source: z.string().nullish(),
    bundle: z.string().nullish(),
  })
  .catchall(z.null())
  .transform((expected) => Object.fromEntries(Object.entries(expected).filter(([, value]) => value != null)))

/** The decision in the field names of the documented device API. */
export function caseAnswer(resolution: Resolution): Record<string, unknown> {
  if (resolution.kind !== 'update') return { status: resolution.kind }
  const { kind, id } = resolution.source
  const source_type = kind === 'override' ? 'bundle_override' : 'release'
  return { status: 'update', source_type, source: id, bundle: resolution.bundle }
}

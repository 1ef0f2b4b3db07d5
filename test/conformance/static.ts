import { z } from 'zod'
import { staticAdmission } from '../../src/core/cohort/phase.ts'
import { prepareChannel } from '../../src/core/cohort/prepared-channel.ts'
import { resolve } from '../../src/core/cohort/resolve.ts'
import { caseFile } from './case-files.ts'
import { type CaseCheck, CaseExpectation, CaseReport, caseAnswer, caseDevice, equal, runFile } from './cohort-cases.ts'
import { CaseOverride, CaseRelease, caseOverrides, DEFAULT_NOW } from './resolution-given.ts'
import type { Suite } from './suite.ts'

const StaticCase = z.object({
  id: z.string(),
  given: z.object({
    now: z.string().default(DEFAULT_NOW),
    cohort: z.string().default('C1'),
    releases: z.array(CaseRelease.extend({ phase: z.unknown().optional() })),
    device: z.unknown().optional(),
    overrides: z.array(CaseOverride).default([]),
  }),
  report: CaseReport,
  expect: CaseExpectation,
})

/** A device of no cohort. */
const Outside = z.object({ cohort: z.null() })

function staticCheck(raw: unknown): string[] {
  const { given, report, expect } = StaticCase.parse(raw)
  const ofCohort = given.releases.filter(({ cohort }) => (cohort ?? given.cohort) === given.cohort)
  const incomplete = new Set(ofCohort.filter((release) => !release.all_binaries_signed).map(({ id }) => id))
  const channel = prepareChannel({
    releases: ofCohort.map((release) => ({
      id: release.id,
      bundle: release.bundle ?? `B-${release.id}`,
      version: release.version,
      requirement: release.version_requirement,
      next: release.next,
      required: release.required,
      disabled: release.disabled ? { reason: 'as the case says' } : undefined,
      schedule: release.schedule_date,
      phase: release.phase === undefined ? { kind: 'everybody' } : release.phase,
    })),
    admission: staticAdmission(given.cohort),
    isBundleComplete: (id) => !incomplete.has(id),
  })
  const hasCohort = !Outside.safeParse(given.device).success
  const resolution = resolve({
    channel: hasCohort ? channel : undefined,
    overrides: caseOverrides(given.overrides, (id) => id),
    report,
    device: caseDevice(given.device),
    now: given.now,
  })
  return equal('answer', caseAnswer(resolution), expect)
}

const File = z.object({ schema: z.literal('static-cases/1'), cases: z.array(z.unknown()) })
const Named = z.object({ id: z.string() })

function casesOf(file: unknown): CaseCheck[] {
  return File.parse(file).cases.map((raw, at) => ({
    id: Named.safeParse(raw).data?.id ?? `cases[${at}]`,
    run: () => staticCheck(raw),
  }))
}

/** Resolution with the manifest's own phases. */
export const staticSuite: Suite = {
  files: [caseFile('static.json')],
  run: (file) => runFile(file, casesOf),
}

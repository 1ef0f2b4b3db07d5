import { z } from 'zod'
import { pseudonymDigest } from '../../src/core/cohort/bucket.ts'
import { type PreparedOverride, prepareOverrides } from '../../src/core/cohort/override.ts'
import type { ReleaseForm } from '../../src/core/cohort/release-form.ts'

export const DEFAULT_NOW = '2026-01-15T12:00:00Z'

/** A release of the cases with the defaults of the conventions filled in, its phase aside. */
export const CaseRelease = z.object({
  id: z.string(),
  name: z.string().nullish(),
  bundle: z.string().nullish(),
  cohort: z.string().nullish(),
  version: z.string().nullable().default(null),
  version_requirement: z.string().nullable().default(null),
  required: z.boolean().default(false),
  disabled: z.boolean().default(false),
  schedule_date: z.string().default('2000-01-01T00:00:00Z'),
  all_binaries_signed: z.boolean().default(true),
  next: z.string().nullable().default(null),
})

export const CountedRelease = CaseRelease.extend({
  phase_mode: z.string().default('numeric'),
  phase_value: z.unknown().default(1),
  phase_tags: z.array(z.string()).nullish(),
})
export type CountedRelease = z.infer<typeof CountedRelease>

export const CaseOverride = z.object({
  id: z.string(),
  bundle: z.string(),
  starts_at: z.string(),
  ends_at: z.string().nullish(),
  devices: z.array(z.string()).default([]),
  name: z.string().nullish(),
})
export type CaseOverride = z.infer<typeof CaseOverride>

/** The cases list devices by name; a manifest lists digests of their pseudonyms. */
export function caseOverrides(
  overrides: readonly CaseOverride[],
  pseudonymOf: (device: string) => string,
): readonly PreparedOverride[] {
  return prepareOverrides(
    overrides.map(({ id, bundle, starts_at, ends_at, devices }) => ({
      id,
      bundle,
      startsAt: starts_at,
      endsAt: ends_at ?? null,
      salt: 'cases',
      devices: devices.map((device) => pseudonymDigest({ id, salt: 'cases' }, pseudonymOf(device))),
      tags: [],
    })),
  )
}

const RENAMED = new Map([
  ['bundle', 'bundle_prn'],
  ['cohort', 'cohort_prn'],
  ['next', 'next_release_prn'],
  ['previous', 'previous_release_prn'],
])

/** The cases shorten the names of fields that hold PRNs. */
export const formOf = (fields: Record<string, unknown>): ReleaseForm =>
  new Map(Object.entries(fields).map(([name, value]) => [RENAMED.get(name) ?? name, value]))

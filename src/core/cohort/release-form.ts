import { accepted, type Checked, quoted, rejected } from '../problem.ts'
import {
  type ChannelProblem,
  type ChannelRule,
  createRelease,
  type NewRelease,
  type Placement,
  type ReleaseChange,
  updateRelease,
} from './channel.ts'
import { isComplete } from './declared-phase.ts'
import { instantMs } from './instant.ts'
import { compileRequirement, type RequirementDialect } from './requirement.ts'
import type { Channel, DeclaredPhase } from './schema.ts'
import { parseVersion } from './semantic-version.ts'
import { parseShare } from './threshold.ts'

/**
 * A release in the fields of the documented release API (`phase_mode`, `schedule_date` …), as received: the values are
 * untrusted. Kept beside the release, because an update names single fields and both phase modes keep their own value.
 */
export type ReleaseForm = ReadonlyMap<string, unknown>

export const MAX_PHASE_VALUE = 1_000_000_000

type Read<T> = Checked<T, ChannelRule>

const refuse = (field: string, expected: string, found: unknown, hint?: string): Read<never> =>
  rejected({
    code: `field:${field}`,
    path: field,
    message: `expected ${field} to be ${expected}, found ${quoted(found)}`,
    ...(hint === undefined ? {} : { hint }),
  })

/** A number as exact decimal text; `1e-7` is written out. */
function decimalText(value: number): string {
  const [mantissa = '', exponent] = String(value).split('e-')
  if (exponent === undefined) return mantissa
  return `0.${'0'.repeat(Number(exponent) - 1)}${mantissa.replace('.', '')}`
}

/** 1 is everybody and never one device; up to 1 a share of the cohort; whole numbers from 2 a count of devices. */
function numericPhase(value: unknown): Read<DeclaredPhase> {
  const expected = `a number from 0 to 1 (1 is everybody) or a whole number from 2 to ${MAX_PHASE_VALUE}`
  if (typeof value !== 'number' || !(value >= 0 && value <= MAX_PHASE_VALUE))
    return refuse('phase_value', expected, value)
  if (value === 1) return accepted({ kind: 'everybody' })
  if (Number.isInteger(value) && value >= 2) return accepted({ kind: 'count', count: value })
  const share = decimalText(value)
  if (parseShare(share) !== undefined) return accepted({ kind: 'share', share })
  const hint = value < 1 ? 'a share has at most 18 decimals' : 'one device cannot be expressed as a count'
  return refuse('phase_value', expected, value, hint)
}

function tagsPhase(value: unknown): Read<DeclaredPhase> {
  const isTags = Array.isArray(value) && value.length > 0 && value.every((tag) => typeof tag === 'string' && tag !== '')
  return isTags ? accepted({ kind: 'tags', tags: value }) : refuse('phase_tags', 'a list of at least one tag', value)
}

/** Only the field of the mode in force is looked at; without a mode it is `numeric`. */
function phaseOf(form: ReleaseForm): Read<DeclaredPhase> {
  const mode = form.get('phase_mode') ?? 'numeric'
  if (mode === 'numeric') return numericPhase(form.get('phase_value'))
  if (mode === 'tags') return tagsPhase(form.get('phase_tags'))
  return refuse('phase_mode', '"tags" or "numeric"', mode)
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

type FieldReader = (form: ReleaseForm, dialect: RequirementDialect) => Read<ReleaseChange & { bundle?: string }>

/** One reader for each documented field; all of them run, so that all problems are told at once. */
const READERS: ReadonlyMap<string, FieldReader> = new Map<string, FieldReader>([
  ['name', (form) => textField(form, 'name', (name) => ({ name }))],
  ['bundle_prn', (form) => textField(form, 'bundle_prn', (bundle) => ({ bundle }))],
  [
    'required',
    (form) => {
      const required = form.get('required')
      return typeof required === 'boolean' ? accepted({ required }) : refuse('required', 'true or false', required)
    },
  ],
  [
    'disabled',
    (form) => {
      const disabled = form.get('disabled') ?? false
      if (typeof disabled !== 'boolean') return refuse('disabled', 'true or false', disabled)
      return accepted({ disabled: disabled ? { reason: 'no reason given' } : undefined })
    },
  ],
  [
    'schedule_date',
    (form) => {
      const schedule = form.get('schedule_date')
      if (isText(schedule) && instantMs(schedule) !== undefined) return accepted({ schedule })
      return refuse('schedule_date', 'an instant such as 2026-01-15T12:00:00Z', schedule)
    },
  ],
  [
    'version',
    (form) => {
      const version = form.get('version') ?? undefined
      if (version === undefined) return accepted({ version: undefined })
      if (typeof version === 'string' && parseVersion(version) !== undefined) return accepted({ version })
      return refuse('version', 'a version such as 1.2.3', version)
    },
  ],
  ['version_requirement', requirementField],
  ['phase', (form) => mapRead(phaseOf(form), (phase) => ({ phase }))],
])

const mapRead = <A, B>(read: Read<A>, map: (value: A) => B): Read<B> => (read.ok ? accepted(map(read.value)) : read)

function textField<T>(form: ReleaseForm, field: string, map: (text: string) => T): Read<T> {
  const value = form.get(field)
  return isText(value) ? accepted(map(value)) : refuse(field, 'a text', value)
}

/** Clients send an empty text for "no requirement". */
function requirementField(form: ReleaseForm, dialect: RequirementDialect): Read<ReleaseChange> {
  const requirement = form.get('version_requirement') ?? ''
  if (requirement === '') return accepted({ requirement: undefined })
  if (typeof requirement !== 'string') return refuse('version_requirement', 'a text', requirement)
  const compiled = compileRequirement(requirement, dialect)
  if (compiled.ok) return accepted({ requirement })
  return rejected(
    ...compiled.problems.map((problem) => ({
      ...problem,
      code: 'field:version_requirement' as const,
      path: 'version_requirement',
    })),
  )
}

const PHASE_FIELDS = ['phase_mode', 'phase_value', 'phase_tags']
const KNOWN_FIELDS = new Set([
  ...READERS.keys(),
  ...PHASE_FIELDS,
  'next_release_prn',
  'previous_release_prn',
  'description',
])

const unknownFields = (fields: Iterable<string>): ChannelProblem[] =>
  [...fields]
    .filter((field) => !KNOWN_FIELDS.has(field))
    .map((field) => ({
      code: `field:${field}`,
      path: field,
      message: `expected a field of a release, found ${quoted(field)}`,
    }))

interface ReadForm {
  readonly values: ReleaseChange & { bundle?: string }
  readonly problems: readonly ChannelProblem[]
}

/** Reads the chosen fields; what cannot be read is missing from `values` and told in `problems`. */
function readFields(form: ReleaseForm, dialect: RequirementDialect, chosen: (reader: string) => boolean): ReadForm {
  const reads = [...READERS].filter(([field]) => chosen(field)).map(([, read]) => read(form, dialect))
  return {
    values: Object.assign({}, ...reads.map((read) => (read.ok ? read.value : {}))),
    problems: reads.flatMap((read) => (read.ok ? [] : read.problems)),
  }
}

const joined = (
  problems: readonly ChannelProblem[],
  result: Checked<Channel, ChannelRule>,
): Checked<Channel, ChannelRule> =>
  problems.length === 0 ? result : rejected(...problems, ...(result.ok ? [] : result.problems))

function linkOf(form: ReleaseForm, field: string): Read<string | null> {
  const value = form.get(field) ?? null
  return value === null || isText(value) ? accepted(value) : refuse(field, 'a release or null', value)
}

/** Creates a release from its form: the fields' own checks and the rules of the graph, all problems together. */
export function createFromForm(
  channel: Channel,
  id: string,
  form: ReleaseForm,
  now: string,
): Checked<Channel, ChannelRule> {
  const { values, problems } = readFields(form, channel.requirementDialect, () => true)
  const previous = linkOf(form, 'previous_release_prn')
  const next = linkOf(form, 'next_release_prn')
  // What could not be read stands at its least constraining, so that the graph is judged by the rest.
  const neutral = { bundle: '', required: false, schedule: now, phase: { kind: 'everybody' } as const }
  const draft: NewRelease = { ...neutral, ...values, id }
  const place: Placement = { previous: previous.ok ? previous.value : null, next: next.ok ? next.value : null }
  const links = [previous, next].flatMap((link) => (link.ok ? [] : link.problems))
  return joined([...unknownFields(form.keys()), ...problems, ...links], createRelease(channel, draft, place, now))
}

const FIXED_FIELDS = ['bundle_prn', 'cohort_prn', 'previous_release_prn']

const fixedProblems = (form: ReleaseForm, set: ReleaseForm): ChannelProblem[] =>
  FIXED_FIELDS.filter((field) => set.has(field) && set.get(field) !== form.get(field)).map((field) => ({
    code: `field:${field}`,
    path: field,
    message: `expected ${field} to stay as it was created, found a change`,
  }))

/** The form after an update of single fields. */
export const patchedForm = (form: ReleaseForm, set: ReleaseForm): ReleaseForm => new Map([...form, ...set])

/** Updates a release by the fields in `set`; `form` is what the release was last made from. */
export function updateFromForm(
  channel: Channel,
  id: string,
  form: ReleaseForm,
  set: ReleaseForm,
  now: string,
): Checked<Channel, ChannelRule> {
  const touchesPhase = PHASE_FIELDS.some((field) => set.has(field))
  const { values, problems } = readFields(patchedForm(form, set), channel.requirementDialect, (field) =>
    field === 'phase' ? touchesPhase : set.has(field) && !FIXED_FIELDS.includes(field),
  )
  const next = set.has('next_release_prn') ? linkOf(set, 'next_release_prn') : undefined
  const before = channel.releases.find((release) => release.id === id)
  const isFinalLost = before !== undefined && touchesPhase && values.phase === undefined && isComplete(before.phase)
  const change: ReleaseChange = { ...values, ...(next?.ok ? { next: next.value } : {}) }
  const own: ChannelProblem[] = [
    ...unknownFields([...set.keys()].filter((field) => !FIXED_FIELDS.includes(field))),
    ...fixedProblems(form, set),
    ...problems,
    ...(next !== undefined && !next.ok ? next.problems : []),
    ...(isFinalLost
      ? [
          {
            code: 'phase-value-1-is-final' as const,
            message: 'expected a phase of 1 (everybody) to stay, found a change',
          },
        ]
      : []),
  ]
  return joined(own, updateRelease(channel, id, change, now))
}

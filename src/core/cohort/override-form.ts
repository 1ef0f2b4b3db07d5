import { accepted, type Checked, type Problem, quoted, rejected } from '../problem.ts'
import { instantMs } from './instant.ts'

export type OverrideRule = `field:${string}`

/** An override in the fields of the documented API, checked; devices are attached to it afterwards. */
export interface OverrideFields {
  readonly name: string
  readonly bundle: string
  readonly description: string | undefined
  readonly startsAt: string
  readonly endsAt: string | undefined
}

const MAX_NAME = 128
const MAX_DESCRIPTION = 256

const refusal = (field: string, expected: string, found: unknown): Problem<OverrideRule> => ({
  code: `field:${field}`,
  path: field,
  message: `expected ${field} to be ${expected}, found ${quoted(found)}`,
})

/** Counts characters, as the published schemas do: an emoji is one. */
const isTextUpTo = (value: unknown, longest: number): value is string =>
  typeof value === 'string' && value !== '' && [...value].length <= longest

function windowProblems(startsAt: unknown, endsAt: unknown): Problem<OverrideRule>[] {
  const startMs = instantMs(startsAt)
  const endMs = instantMs(endsAt)
  const problems =
    startMs === undefined ? [refusal('starts_at', 'an instant such as 2026-01-15T12:00:00Z', startsAt)] : []
  if (endsAt === undefined) return problems
  if (endMs === undefined) problems.push(refusal('ends_at', 'an instant or null', endsAt))
  else if (startMs !== undefined && endMs <= startMs) problems.push(refusal('ends_at', 'after starts_at', endsAt))
  return problems
}

/** Reads the documented fields of an override (`name`, `bundle_prn`, `starts_at`, `ends_at`, `description`); all problems at once. */
export function readOverrideForm(form: ReadonlyMap<string, unknown>): Checked<OverrideFields, OverrideRule> {
  const name = form.get('name')
  const bundle = form.get('bundle_prn')
  const description = form.get('description') ?? undefined
  const startsAt = form.get('starts_at') ?? undefined
  const endsAt = form.get('ends_at') ?? undefined
  const problems = [
    ...(isTextUpTo(name, MAX_NAME) ? [] : [refusal('name', `a text of 1 to ${MAX_NAME} characters`, name)]),
    ...(isTextUpTo(bundle, 1_024) ? [] : [refusal('bundle_prn', 'a bundle', bundle)]),
    ...(description === undefined || isTextUpTo(description, MAX_DESCRIPTION)
      ? []
      : [refusal('description', `a text of 1 to ${MAX_DESCRIPTION} characters`, description)]),
    ...windowProblems(startsAt, endsAt),
  ]
  if (problems.length > 0) return rejected(...problems)
  return accepted({ name, bundle, description, startsAt, endsAt } as OverrideFields)
}

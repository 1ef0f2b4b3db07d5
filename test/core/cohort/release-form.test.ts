import { describe, expect, it } from '@jest/globals'
import { readOverrideForm } from '../../../src/core/cohort/override-form.ts'
import { createFromForm, patchedForm, updateFromForm } from '../../../src/core/cohort/release-form.ts'
import type { Channel } from '../../../src/core/cohort/schema.ts'

const NOW = '2026-01-15T12:00:00Z'
const empty: Channel = { cohort: 'eu', requirementDialect: 'elixir', releases: [] }

const valid = {
  name: 'n',
  bundle_prn: 'B',
  required: false,
  schedule_date: '2026-01-01T00:00:00Z',
  phase_mode: 'numeric',
  phase_value: 1,
}

const form = (fields: object) => new Map<string, unknown>(Object.entries(fields))
const create = (fields: object) => createFromForm(empty, 'R1', form({ ...valid, ...fields }), NOW)
const rulesOf = (result: { ok: boolean; problems?: readonly { code: string }[] }) =>
  (result.problems ?? []).map(({ code }) => code)

describe('the documented fields of a release', () => {
  it.each([
    [0, { kind: 'share', share: '0' }],
    [0.29, { kind: 'share', share: '0.29' }],
    [1e-7, { kind: 'share', share: '0.0000001' }],
    [2.5e-9, { kind: 'share', share: '0.0000000025' }],
    [1, { kind: 'everybody' }],
    [2, { kind: 'count', count: 2 }],
    [1_000_000_000, { kind: 'count', count: 1_000_000_000 }],
  ])('read a phase value of %d', (phase_value, phase) => {
    const result = create({ phase_value })
    expect(result.ok && result.value.releases[0]?.phase).toEqual(phase)
  })

  it.each([1.5, 2.5, -0.1, 1_000_000_001, Number.NaN, Number.POSITIVE_INFINITY, '0.5', null, true, 1e-30])(
    'refuse a phase value of %p',
    (phase_value) => {
      expect(rulesOf(create({ phase_value }))).toEqual(['field:phase_value'])
    },
  )

  it.each([
    [{ name: null }, 'field:name'],
    [{ name: '' }, 'field:name'],
    [{ bundle_prn: undefined }, 'field:bundle_prn'],
    [{ required: undefined }, 'field:required'],
    [{ required: 'yes' }, 'field:required'],
    [{ disabled: 1 }, 'field:disabled'],
    [{ schedule_date: undefined }, 'field:schedule_date'],
    [{ schedule_date: '2026-02-30T00:00:00Z' }, 'field:schedule_date'],
    [{ phase_mode: 'both' }, 'field:phase_mode'],
    [{ phase_mode: 'tags', phase_tags: [] }, 'field:phase_tags'],
    [{ phase_mode: 'tags', phase_tags: 'canary' }, 'field:phase_tags'],
    [{ version: '1.2' }, 'field:version'],
    [{ version_requirement: '^1.0' }, 'field:version_requirement'],
    [{ phase_percent: 20 }, 'field:phase_percent'],
    [{ next_release_prn: 7 }, 'field:next_release_prn'],
  ])('refuse %p as %s', (fields, rule) => {
    expect(rulesOf(create(fields))).toEqual([rule])
  })

  it('take an empty requirement for none, as clients send it', () => {
    const result = create({ version_requirement: '' })
    expect(result.ok && result.value.releases[0]?.requirement).toBeUndefined()
  })

  it('are all judged at once, together with the graph', () => {
    const result = create({ name: 7, version: 'x', phase_value: 1.5, previous_release_prn: 'R0' })
    expect(rulesOf(result)).toEqual(['field:name', 'field:version', 'field:phase_value', 'field:next_release_prn'])
  })
})

describe('an update of single fields', () => {
  const tagged = form({ ...valid, phase_mode: 'tags', phase_tags: ['a'] })
  const made = createFromForm(empty, 'R1', tagged, NOW)
  const channel = made.ok ? made.value : empty

  it('goes from tags to the value that was kept beside them', () => {
    const result = updateFromForm(channel, 'R1', tagged, form({ phase_mode: 'numeric' }), NOW)
    expect(result.ok && result.value.releases[0]?.phase).toEqual({ kind: 'everybody' })
  })

  it('may set a value while tags are in force, and it changes nothing yet', () => {
    const set = form({ phase_value: 0.5 })
    const result = updateFromForm(channel, 'R1', tagged, set, NOW)
    expect(result.ok && result.value.releases[0]?.phase).toEqual({ kind: 'tags', tags: ['a'] })
    expect(patchedForm(tagged, set).get('phase_value')).toBe(0.5)
  })

  it('keeps a value of 1 for ever, also against one that cannot be read', () => {
    const numeric = form(valid)
    const complete = createFromForm(empty, 'R1', numeric, NOW)
    if (!complete.ok) throw new Error('expected the release to be made')
    expect(rulesOf(updateFromForm(complete.value, 'R1', numeric, form({ phase_value: 0.5 }), NOW))).toEqual([
      'phase-value-1-is-final',
    ])
    expect(rulesOf(updateFromForm(complete.value, 'R1', numeric, form({ phase_value: 1.5 }), NOW))).toEqual([
      'field:phase_value',
      'phase-value-1-is-final',
    ])
    expect(rulesOf(updateFromForm(complete.value, 'R1', numeric, form({ phase_value: 1 }), NOW))).toEqual([])
  })

  it('cannot change what a release is made of', () => {
    expect(
      rulesOf(updateFromForm(channel, 'R1', tagged, form({ bundle_prn: 'other', cohort_prn: 'C2' }), NOW)),
    ).toEqual(['field:bundle_prn', 'field:cohort_prn'])
  })
})

describe('the documented fields of an override', () => {
  const fields = { name: 'o', bundle_prn: 'B', starts_at: NOW, ends_at: null }

  it.each([
    [{}, []],
    [{ ends_at: '2026-01-15T12:00:01Z' }, []],
    [{ name: '😀'.repeat(128) }, []],
    [{ name: '😀'.repeat(129) }, ['field:name']],
    [{ starts_at: null }, ['field:starts_at']],
    [{ ends_at: NOW }, ['field:ends_at']],
    [{ ends_at: 'never' }, ['field:ends_at']],
    [{ name: 'x'.repeat(129), description: '' }, ['field:name', 'field:description']],
    [{ bundle_prn: null, starts_at: 'now', ends_at: 'then' }, ['field:bundle_prn', 'field:starts_at', 'field:ends_at']],
  ])('with %p have the problems %p', (more, rules) => {
    expect(rulesOf(readOverrideForm(form({ ...fields, ...more })))).toEqual(rules)
  })
})

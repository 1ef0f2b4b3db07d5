import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  checkChannel,
  createRelease,
  isConstrained,
  type NewRelease,
  removeRelease,
  updateRelease,
  withdrawRelease,
} from '../../../src/core/cohort/channel.ts'
import type { Channel, ChannelRelease } from '../../../src/core/cohort/schema.ts'
import type { Checked } from '../../../src/core/problem.ts'

const NOW = '2026-01-15T12:00:00Z'
const LATER = '2026-02-01T00:00:00Z'

const draft = (id: string, more: Partial<NewRelease> = {}): NewRelease => ({
  id,
  bundle: `B-${id}`,
  required: false,
  schedule: '2026-01-01T00:00:00Z',
  phase: { kind: 'everybody' },
  ...more,
})

const release = (id: string, next: string | null, more: Partial<ChannelRelease> = {}): ChannelRelease => ({
  ...draft(id),
  next,
  ...more,
})

const channelOf = (...releases: ChannelRelease[]): Channel => ({ cohort: 'eu', requirementDialect: 'elixir', releases })

const half = { phase: { kind: 'share', share: '0.5' } } as const
const straight = channelOf(release('R1', 'R2'), release('R2', 'R3'), release('R3', null))
const phased = channelOf(release('R1', 'R2'), release('R2', null, half))

const rulesOf = (result: Checked<unknown>): string[] => (result.ok ? [] : result.problems.map(({ code }) => code))
const linksOf = (result: Checked<Channel>): string[] =>
  result.ok ? result.value.releases.map(({ id, next }) => `${id}>${next}`) : []

describe('a new release', () => {
  it.each([
    ['becomes the latest when no place is given', {}, ['R1>R2', 'R2>R3', 'R3>N', 'N>null']],
    ['stands in front of its next release as a new start', { next: 'R2' }, ['R1>R2', 'R2>R3', 'R3>null', 'N>R2']],
    ['is spliced between neighbours', { previous: 'R1', next: 'R2' }, ['R1>N', 'R2>R3', 'R3>null', 'N>R2']],
  ])('%s', (_, place, links) => {
    expect(linksOf(createRelease(straight, draft('N'), place, NOW))).toEqual(links)
  })

  it.each([
    ['after a phased latest', createRelease(phased, draft('N'), {}, NOW), ['unconstrained-sink-before-new-sink']],
    [
      'phased, in front of another',
      createRelease(straight, draft('N', half), { next: 'R1' }, NOW),
      ['only-sinks-constrain-availability'],
    ],
    [
      'scheduled, in front of another',
      createRelease(straight, draft('N', { schedule: LATER }), { next: 'R1' }, NOW),
      ['only-sinks-constrain-availability'],
    ],
    ['with previous alone', createRelease(straight, draft('N'), { previous: 'R1' }, NOW), ['field:next_release_prn']],
    [
      'between releases that are no neighbours',
      createRelease(straight, draft('N'), { previous: 'R1', next: 'R3' }, NOW),
      ['invalid-graph', 'field:previous_release_prn'],
    ],
    ['before a release of another channel', createRelease(straight, draft('N'), { next: 'X' }, NOW), ['invalid-graph']],
    ['before itself', createRelease(straight, draft('N'), { next: 'N' }, NOW), ['acyclic']],
    ['with an id that is taken', createRelease(straight, draft('R3'), { next: 'R1' }, NOW), ['field:id']],
  ])('%s is refused', (_, result, rules) => {
    expect(rulesOf(result)).toEqual(expect.arrayContaining(rules))
  })

  it('is told all that is wrong with it at once', () => {
    const result = createRelease(straight, draft('N', half), { previous: 'nobody', next: 'X' }, NOW)
    expect(rulesOf(result)).toEqual(['invalid-graph', 'invalid-graph', 'only-sinks-constrain-availability'])
  })

  it('leaves the channel that it was given as it was', () => {
    const before = structuredClone(straight)
    createRelease(straight, draft('N'), {}, NOW)
    expect(straight).toEqual(before)
  })
})

describe('a change', () => {
  it.each([
    ['of next to itself', updateRelease(straight, 'R2', { next: 'R2' }, NOW), ['acyclic']],
    ['of next to one before', updateRelease(straight, 'R3', { next: 'R1' }, NOW), ['acyclic']],
    ['of next to nothing', updateRelease(straight, 'R1', { next: null }, NOW), ['zero-to-one-sinks']],
    ['of next to elsewhere', updateRelease(straight, 'R1', { next: 'X' }, NOW), ['invalid-graph']],
    [
      'of an inner schedule',
      updateRelease(straight, 'R2', { schedule: LATER }, NOW),
      ['only-sinks-constrain-availability'],
    ],
    ['of everybody to a share', updateRelease(straight, 'R3', half, NOW), ['phase-value-1-is-final']],
    [
      'of everybody to tags',
      updateRelease(straight, 'R3', { phase: { kind: 'tags', tags: ['a'] } }, NOW),
      ['phase-value-1-is-final'],
    ],
    ['of a release that is not there', updateRelease(straight, 'X', {}, NOW), ['unknown-release']],
  ])('%s is refused', (_, result, rules) => {
    expect(rulesOf(result)).toEqual(rules)
  })

  it.each([
    [
      'disabling and requiring an inner release',
      updateRelease(straight, 'R2', { disabled: { reason: 'x' }, required: true }, NOW),
    ],
    [
      'halting the latest, complete as it is',
      updateRelease(straight, 'R3', { phase: { kind: 'everybody', halted: { at: NOW, reason: 'x' } } }, NOW),
    ],
    [
      'writing 1.0 where everybody stood',
      updateRelease(straight, 'R3', { phase: { kind: 'share', share: '1.0' } }, NOW),
    ],
    ['leading an inner release past its next', updateRelease(straight, 'R1', { next: 'R3' }, NOW)],
    ['completing a phase', updateRelease(phased, 'R2', { phase: { kind: 'everybody' } }, NOW)],
  ])('%s is accepted', (_, result) => {
    expect(rulesOf(result)).toEqual([])
  })

  it('may mend one release while another is still at fault', () => {
    const faulty = channelOf(release('R1', 'R3', half), release('R2', 'R3', half), release('R3', null))
    expect(rulesOf(checkChannel(faulty, NOW))).toHaveLength(2)
    expect(rulesOf(updateRelease(faulty, 'R1', { phase: { kind: 'everybody' } }, NOW))).toEqual([])
  })
})

describe('removing', () => {
  it('leads what came before to what comes after', () => {
    expect(linksOf(removeRelease(straight, 'R2', NOW))).toEqual(['R1>R3', 'R3>null'])
  })

  it('the end of several paths is refused', () => {
    const forked = channelOf(release('R1', 'R3'), release('R2', 'R3'), release('R3', null))
    expect(rulesOf(removeRelease(forked, 'R3', NOW))).toEqual(['zero-to-one-sinks'])
  })
})

describe('withdrawing', () => {
  it('takes the latest back and appends its fix in one step, though it was phased, scheduled and required', () => {
    const bad = channelOf(release('R1', 'R2'), release('R2', null, { ...half, schedule: LATER, required: true }))
    const result = withdrawRelease(bad, 'R2', { reason: 'boot loop', fix: draft('R3', half) }, NOW)
    expect(linksOf(result)).toEqual(['R1>R2', 'R2>R3', 'R3>null'])
    const withdrawn = result.ok ? result.value.releases.find(({ id }) => id === 'R2') : undefined
    expect(withdrawn).toMatchObject({ disabled: { reason: 'boot loop' }, required: false })
    expect(withdrawn && isConstrained(withdrawn, NOW)).toBe(false)
  })

  it('an inner release is refused while the latest is still phased', () => {
    expect(rulesOf(withdrawRelease(phased, 'R1', { reason: 'x', fix: draft('R3') }, NOW))).toEqual([
      'unconstrained-sink-before-new-sink',
    ])
  })
})

describe('whatever is done', () => {
  const place = fc.record({ previous: fc.option(fc.nat(6)), next: fc.option(fc.nat(6)) })
  const step = fc.oneof(
    fc.record({ do: fc.constant('create' as const), place, isHalf: fc.boolean() }),
    fc.record({ do: fc.constant('link' as const), at: fc.nat(6), to: fc.option(fc.nat(6)) }),
    fc.record({ do: fc.constant('phase' as const), at: fc.nat(6), isHalf: fc.boolean() }),
    fc.record({ do: fc.constant('remove' as const), at: fc.nat(6) }),
  )
  const name = (at: number | null) => (at === null ? null : `R${at}`)
  const phaseOf = (isHalf: boolean) => (isHalf ? half : ({ phase: { kind: 'everybody' } } as const))

  it('a channel that keeps the rules goes on keeping them', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 14 }), (steps) => {
        let channel = channelOf()
        steps.forEach((one, at) => {
          const result =
            one.do === 'create'
              ? createRelease(
                  channel,
                  draft(`R${at}`, phaseOf(one.isHalf)),
                  { previous: name(one.place.previous), next: name(one.place.next) },
                  NOW,
                )
              : one.do === 'link'
                ? updateRelease(channel, `R${one.at}`, { next: name(one.to) }, NOW)
                : one.do === 'phase'
                  ? updateRelease(channel, `R${one.at}`, phaseOf(one.isHalf), NOW)
                  : removeRelease(channel, `R${one.at}`, NOW)
          if (result.ok) channel = result.value
          expect(rulesOf(checkChannel(channel, NOW))).toEqual([])
        })
      }),
      { numRuns: 300 },
    )
  })
})
